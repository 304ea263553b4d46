// SPDX-License-Identifier: Apache-2.0
// The page of deploys: the apps, each with what serves and what is under way. #/deploys/NAME comes with that one open.

import { refreshTimes } from "/assets/alertwords.js";
import { get } from "/assets/api.js";
import { DeployApp } from "/assets/deployapp.js";
import { howToDeploy } from "/assets/deployhow.js";
import { isBad, summaryText } from "/assets/deploywords.js";
import { el, setText } from "/assets/dom.js";
import { RefusedList } from "/assets/refused.js";

const TICK_MS = 1000; // durations of what is under way
const TIMES_MS = 5000;
const REFRESH_MS = 60000; // what no event tells: the configuration, what a waiting one waits for

export function deploysPage(ctx, name) {
	return new DeploysPage(ctx, name);
}

/** Only apps that are new to the page take their place by this: nothing moves while it is looked at. */
function busiestFirst(apps) {
	const rank = (a) => (a.current ? 0 : isBad(a.last) ? 1 : 2);
	return [...apps].sort((a, b) => rank(a) - rank(b));
}

class DeploysPage {
	constructor(ctx, name) {
		this.ctx = ctx;
		this.open = name;
		this.stream = "class=agent"; // small; tells that the agent is there
		this.abort = new AbortController();
		this.apps = new Map();
		this.summary = el("span", { class: "small" });
		this.failure = el("p", { class: "error", role: "alert", hidden: true });
		this.unknown = el("p", { class: "card message", hidden: true });
		this.none = el(
			"div",
			{ class: "card how none", hidden: true },
			el("p", { class: "none-word" }, "No app is deployed from here yet."),
			howToDeploy(),
		);
		this.list = el("div", { class: "apps" });
		this.refused = new RefusedList(this.abort.signal);
		this.how = el("details", { class: "card how", hidden: true }, el("summary", {}, "How to add an app"), howToDeploy());
		this.node = el(
			"div",
			{ class: "page deploys" },
			el("header", { class: "page-head" }, el("h2", {}, "Deploys"), this.summary),
			this.failure,
			this.unknown,
			this.none,
			this.list,
			this.refused.node,
			this.how,
		);
	}

	start() {
		this.timers = [
			setInterval(() => document.hidden || this.tick(), TICK_MS),
			setInterval(() => document.hidden || refreshTimes(this.node, this.ctx.range.now()), TIMES_MS),
			setInterval(() => document.hidden || this.load(), REFRESH_MS),
		];
		return this.load();
	}

	/** One at a time; what is asked for meanwhile is done once more at the end. */
	async load() {
		this.again = this.loading === true;
		if (this.loading) return;
		this.loading = true;
		do {
			this.again = false;
			await this.loadOnce();
		} while (this.again && !this.abort.signal.aborted);
		this.loading = false;
	}

	async loadOnce() {
		if (this.ctx.admin) this.refused.load();
		try {
			const { apps } = await get("/api/v1/apps", this.abort.signal);
			this.failure.hidden = true;
			this.show(apps);
		} catch (e) {
			if (this.abort.signal.aborted || e.status === 401) return;
			setText(this.failure, `Could not be loaded: ${e.message}`);
			this.failure.hidden = false;
		}
	}

	show(apps) {
		const now = this.ctx.range.now();
		const names = new Set(apps.map((a) => a.name));
		for (const [name, app] of this.apps) {
			if (names.has(name)) continue;
			app.destroy();
			this.apps.delete(name);
		}
		this.none.hidden = apps.length > 0;
		this.how.hidden = apps.length === 0;
		this.unknown.hidden = !this.open || names.has(this.open);
		setText(this.unknown, `There is no app “${this.open}”.`);
		setText(this.summary, apps.length ? summaryText(apps) : "");
		for (const a of busiestFirst(apps)) this.app(a, apps.length).show(a, now);
		this.showOpen();
	}

	app(a, n) {
		let app = this.apps.get(a.name);
		if (app) return app;
		app = new DeployApp(this.ctx, a.name, () => this.load(), this.abort.signal);
		this.apps.set(a.name, app);
		this.list.append(app.node);
		if (a.name === this.open || n === 1) app.toggle(true);
		return app;
	}

	/** The app of the address may be far below. */
	showOpen() {
		const app = this.apps.get(this.open);
		if (this.shownOpen || !app) return;
		this.shownOpen = true;
		if (app.node.getBoundingClientRect().top > innerHeight / 2) app.node.scrollIntoView();
	}

	tick() {
		const now = this.ctx.range.now();
		for (const app of this.apps.values()) app.tick(now);
	}

	/** A deploy began, went on or ended. */
	deploy({ deploy }) {
		const app = this.apps.get(deploy.app);
		if (!app || app.news(deploy)) this.load();
	}

	resume() {
		this.load();
		for (const app of this.apps.values()) app.resume();
	}

	destroy() {
		this.timers?.forEach(clearInterval);
		this.abort.abort();
		for (const app of this.apps.values()) app.destroy();
	}
}
