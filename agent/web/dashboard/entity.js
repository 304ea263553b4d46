// SPDX-License-Identifier: Apache-2.0
// The page of one entity: facts, reasons for what is not measured, and its charts. Containers and services, and by the
// metric tables every other class too.

import { ApiError, entities } from "/assets/api.js";
import { ChartGroup } from "/assets/chartgroup.js";
import { deployMarks, switchedAt } from "/assets/deploymarks.js";
import { el, setText } from "/assets/dom.js";
import { eventMarks } from "/assets/eventmarks.js";
import { FiringStrip } from "/assets/firing.js";
import { groupsOf, specOf } from "/assets/specs.js";
import { badges } from "/assets/state.js";
import { clock, duration, format } from "/assets/units.js";

const LABEL_TEXT = {
	id: "Control group",
	container_id: "ID",
	fstype: "Type",
	mountpoint: "Mounted at",
	image: "Image",
	state: "State",
	health: "Health",
	engine: "Engine",
};
const IN_TITLE = new Set(["state", "health"]);
const SHORT_ID = 12;
const LONG_TEXT = 18; // takes the room of two facts

export function entityPage(ctx, cls, key) {
	return new EntityPage(ctx, cls ?? "", key ?? "");
}

class EntityPage {
	constructor(ctx, cls, key) {
		this.ctx = ctx;
		this.cls = cls;
		this.key = key;
		this.id = `${cls}/${key}`;
		this.ranged = true;
		this.stream = `entity=${encodeURIComponent(this.id)}`;
		this.entity = { class: cls, key, live: true, labels: {}, values: {}, missing: {} };
		this.group = new ChartGroup(ctx);
		this.firing = new FiringStrip(ctx, this.id);
		this.state = el("span", { class: "badges" });
		this.facts = el("dl", { class: "facts" });
		this.why = el("details", { class: "card why", hidden: true });
		this.grid = el("div", { class: "charts" });
		const table = ctx.schema.class(cls);
		this.node = el(
			"div",
			{ class: "page entity" },
			el(
				"header",
				{ class: "page-head" },
				el("p", { class: "crumb" }, el("a", { href: listOf(cls) }, table?.plural ?? cls)),
				el("h2", { title: key }, key),
				this.state,
				el("div", { class: "tools" }, el("a", { class: "small", href: historyOf(cls, key) }, "Alert history")),
			),
			this.firing.node,
			this.facts,
			this.why,
			this.grid,
		);
	}

	async start() {
		this.abort = new AbortController();
		try {
			await this.load();
		} catch (e) {
			if (!this.abort.signal.aborted) this.sayMissing(e);
			return;
		}
		const { schema } = this.ctx;
		const specs = groupsOf(schema, this.cls)
			.map((g) => specOf(schema, this.cls, this.key, g, () => this.entity))
			.filter(Boolean);
		this.grid.replaceChildren(...specs.map((s) => this.group.add(s)));
		if (!specs.length) this.grid.replaceChildren(el("p", { class: "message" }, "Nothing of this has a history."));
		this.group.load();
		this.alerts();
	}

	async alerts() {
		this.firing.load(this.abort.signal);
		const { signal } = this.abort;
		const marks = await Promise.all([eventMarks(this.id, signal), this.deploys(signal)]);
		this.group.setEvents(marks.flat());
	}

	/** The app that is measured, or that a container runs. */
	get app() {
		return this.cls === "app" ? this.key : this.entity.labels?.app;
	}

	/** Those of the app; of the host all. */
	async deploys(signal) {
		if (this.cls === "host") return deployMarks(this.id, null, signal);
		return this.app ? deployMarks(this.id, this.app, signal) : [];
	}

	deploy({ deploy }) {
		const mine = this.cls === "host" || deploy.app === this.app;
		if (mine && switchedAt(deploy) !== null) this.alerts();
	}

	async load() {
		const now = await entities([this.cls], this.abort.signal);
		const found = now.entities.find((e) => e.key === this.key);
		if (!found) throw new ApiError(404, "Nothing of this name was ever measured here.");
		this.entity = { missing: {}, values: {}, ...found };
		this.lastTime = now.time;
		this.show();
		this.showWhy();
	}

	sayMissing(e) {
		const known = this.ctx.schema.class(this.cls);
		const text =
			e.status === 404 || !known
				? "Nothing of this name was ever measured here. "
				: `Could not be loaded: ${e.message}. `;
		this.grid.replaceChildren(
			el("p", { class: "message" }, text, el("a", { href: listOf(this.cls) }, "See what there is")),
		);
	}

	show() {
		const { labels = {}, values, live } = this.entity;
		this.state.replaceChildren(...badges(this.entity));
		const facts = [];
		if (!live && this.entity.last_seen) facts.push(["Gone since", clock(this.entity.last_seen)]);
		facts.push(...this.labelFacts(labels));
		for (const m of this.ctx.schema.class(this.cls)?.metrics ?? []) {
			if (m.stored && this.cls !== "agent" && this.cls !== "filesystem") continue;
			const fact = this.fact(m, values[m.name]);
			if (fact) facts.push(fact);
		}
		this.facts.replaceChildren(
			...facts.map(([name, text, title]) =>
				el(
					"div",
					{ class: text.length > LONG_TEXT ? "long" : null },
					el("dt", {}, name),
					el("dd", { title: title ?? text }, text),
				),
			),
		);
	}

	/** The image first, the path of the control group last; what the title says already is left out. */
	labelFacts(labels) {
		const place = (name) => (name === "image" ? 0 : name === "id" ? 2 : 1);
		return Object.entries(labels)
			.filter(([name, text]) => !IN_TITLE.has(name) && text !== this.key)
			.sort(([a], [b]) => place(a) - place(b))
			.map(([name, text]) => [
				LABEL_TEXT[name] ?? name.replaceAll("_", " "),
				name === "container_id" ? text.slice(0, SHORT_ID) : text,
				text,
			]);
	}

	fact(m, v) {
		if (v === null || v === undefined) return null;
		if (m.name === "start_time_seconds" || m.name === "boot_time_seconds") return [m.title, clock(v), m.doc];
		if (m.name === "age_seconds") return [m.title, duration(v), m.doc];
		if (m.name === "running" || m.name.endsWith("_per_second")) return null;
		return [m.title, format(v, m.unit), m.doc];
	}

	/** Why a chart or a fact is empty, one line for each reason. */
	showWhy() {
		const reasons = new Map();
		for (const [name, reason] of Object.entries(this.entity.missing ?? {})) {
			const title = this.ctx.schema.metric(this.cls, name)?.title ?? name;
			reasons.set(reason, [...(reasons.get(reason) ?? []), title]);
		}
		this.why.hidden = reasons.size === 0;
		this.why.replaceChildren(
			el("summary", {}, "What is not measured here, and why"),
			el(
				"ul",
				{},
				[...reasons].map(([reason, titles]) => el("li", {}, el("b", {}, titles.join(", ")), `: ${reason}`)),
			),
		);
	}

	sample(detail) {
		const found = detail.entities.find((e) => e.class === this.cls && e.key === this.key);
		if (found) {
			this.entity = { ...this.entity, ...found, missing: this.entity.missing };
			this.lastTime = detail.time;
		} else if (this.entity.live) {
			this.entity = { ...this.entity, live: false, last_seen: this.lastTime };
		}
		this.show();
		this.firing.tick();
		this.group.sample(detail);
	}

	async resume() {
		this.alerts();
		this.group.load();
		try {
			await this.load();
		} catch (e) {
			setText(this.state, e.status === 404 ? "gone" : "");
		}
	}

	repaint() {
		this.group.repaint();
	}

	destroy() {
		this.abort?.abort();
		this.group.destroy();
	}
}

const historyOf = (cls, key) => `#/alerts/history/${encodeURIComponent(cls)}/${encodeURIComponent(key)}`;
const listOf = (cls) => (cls === "container" || cls === "service" ? `#/${cls}s` : "#/entities");
