// SPDX-License-Identifier: Apache-2.0
// The busiest containers by one metric, in place, live.

import { el, setText } from "/assets/dom.js";
import { Bar } from "/assets/tiles.js";
import { format } from "/assets/units.js";

const ROWS = 7;

export class TopList {
	/** `full(hostValues)`: the value that fills the bar, or null for the largest in the list. */
	constructor({ title, metric, unit, full }) {
		this.metric = metric;
		this.unit = unit;
		this.full = full;
		this.rows = Array.from({ length: ROWS }, () => row());
		this.total = el("span", { class: "total" });
		this.node = el(
			"section",
			{ class: "card top-list", "aria-label": title, hidden: true },
			el("header", {}, el("h3", {}, el("a", { href: "#/containers" }, title)), this.total),
			el(
				"div",
				{ class: "rows" },
				this.rows.map((r) => r.node),
			),
		);
	}

	show(containers, hostValues) {
		const known = containers.filter((e) => e.live !== false && typeof e.values?.[this.metric] === "number");
		known.sort((a, b) => b.values[this.metric] - a.values[this.metric] || (a.key < b.key ? -1 : 1));
		this.node.hidden = containers.length === 0;
		const sum = known.reduce((s, e) => s + e.values[this.metric], 0);
		setText(this.total, known.length ? `${known.length} containers · ${format(sum, this.unit)}` : "");
		const full = this.full(hostValues) ?? known[0]?.values[this.metric] ?? 1;
		this.rows.forEach((r, i) => fillRow(r, known[i], this.metric, this.unit, full || 1));
	}
}

function row() {
	const r = {
		name: el("span", { class: "name" }),
		bar: new Bar(),
		value: el("span", { class: "num strong" }),
		limit: el("span", { class: "num" }),
	};
	r.node = el("a", { class: "row", hidden: true }, r.name, r.bar.node, r.value);
	return r;
}

function fillRow(r, e, metric, unit, full) {
	r.node.hidden = !e;
	if (!e) return;
	const href = `#/container/${encodeURIComponent(e.key)}`;
	if (r.node.getAttribute("href") !== href) r.node.setAttribute("href", href);
	r.node.title = e.key;
	setText(r.name, e.key);
	r.bar.set((100 * e.values[metric]) / full);
	setText(r.value, format(e.values[metric], unit));
}
