// SPDX-License-Identifier: Apache-2.0
// The section of alerts: what fires now, what happened, the rules, the channels, the silences; one page each with a
// row of links between them. A part is an object
//   {node, load(signal), tick(now), loadsEachSample}
// where load() fetches and shows, and tick() brings times like "3 min ago" up to date.

import { alertHistory } from "/assets/alerthistory.js";
import { alertList } from "/assets/alertlist.js";
import { alertRules } from "/assets/alertrules.js";
import { refreshTimes } from "/assets/alertwords.js";
import { channels } from "/assets/channels.js";
import { el } from "/assets/dom.js";
import { silences } from "/assets/silences.js";

const PARTS = {
	"": ["Firing now", alertList],
	history: ["History", alertHistory],
	rules: ["Rules", alertRules],
	channels: ["Channels", channels],
	silences: ["Silences", silences],
};
const TICK_MS = 5000;

export function alertsPage(ctx, part = "", ...rest) {
	return new AlertsPage(ctx, PARTS[part] ? part : "", rest);
}

class AlertsPage {
	constructor(ctx, name, rest) {
		this.ctx = ctx;
		this.stream = "class=agent"; // small; tells that there is a new sample
		this.abort = new AbortController();
		this.loading = false;
		this.again = false;
		this.part = PARTS[name][1](ctx, () => this.load(), ...rest);
		this.failure = el("p", { class: "error", role: "alert", hidden: true });
		const link = ([key, [title]]) =>
			el(
				"a",
				{ href: key ? `#/alerts/${key}` : "#/alerts", "aria-current": key === name ? "page" : null },
				title,
			);
		this.node = el(
			"div",
			{ class: "page alerts" },
			el(
				"header",
				{ class: "page-head" },
				el("h2", {}, "Alerts"),
				el("nav", { class: "parts", "aria-label": "Alerts" }, Object.entries(PARTS).map(link)),
			),
			this.failure,
			this.part.node,
		);
	}

	async start() {
		this.timer = setInterval(() => document.hidden || this.tick(), TICK_MS);
		await this.load();
	}

	/** One at a time; what is asked for meanwhile is done once more at the end. */
	async load() {
		this.again = this.loading;
		if (this.loading) return;
		this.loading = true;
		do {
			this.again = false;
			await this.loadOnce();
		} while (this.again && !this.abort.signal.aborted);
		this.loading = false;
	}

	async loadOnce() {
		try {
			await this.part.load(this.abort.signal);
			this.failure.hidden = true;
		} catch (e) {
			if (this.abort.signal.aborted || e.status === 401) return;
			this.failure.textContent = `Could not be loaded: ${e.message}`;
			this.failure.hidden = false;
		}
		this.tick();
	}

	tick() {
		const now = this.ctx.range.now();
		refreshTimes(this.node, now);
		this.part.tick?.(now);
	}

	/** Something changed. */
	alerts() {
		this.load();
	}

	sample() {
		if (this.part.loadsEachSample?.()) this.load();
	}

	resume() {
		this.load();
	}

	destroy() {
		clearInterval(this.timer);
		this.abort.abort();
	}
}
