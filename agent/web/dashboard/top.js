// SPDX-License-Identifier: Apache-2.0
// The busiest containers by one metric, in place, live.

import { el, setText } from "/assets/dom.js";
import { Bar } from "/assets/tiles.js";
import { format } from "/assets/units.js";

const ROWS = 7;

export class TopList {
	constructor({ title, metric, unit }) {
		this.metric = metric;
		this.unit = unit;
		this.rows = Array.from({ length: ROWS }, () => row());
		this.total = el("span", { class: "total" });
		const nodes = this.rows.map((r) => r.node);
		this.node = el(
			"section",
			{ class: "card top-list", "aria-label": title, hidden: true },
			el("header", {}, el("h3", {}, el("a", { href: "#/containers" }, title)), this.total),
			el("div", { class: "rows" }, nodes),
		);
	}

	show(containers) {
		const value = (e) => e.values[this.metric];
		const known = containers.filter((e) => e.live !== false && typeof e.values?.[this.metric] === "number");
		known.sort((a, b) => value(b) - value(a) || (a.key < b.key ? -1 : 1));
		this.node.hidden = containers.length === 0;
		const sum = known.reduce((s, e) => s + value(e), 0);
		const count = known.length === 1 ? "1 container" : `${known.length} containers`;
		setText(this.total, known.length ? `${count} · ${format(sum, this.unit)}` : "");
		const most = known.length ? value(known[0]) : 0;
		this.inOrder(known).forEach((e, i) => this.fill(this.rows[i], e, most));
	}

	/** The busiest first; while somebody points at the list, those shown keep their places. */
	inOrder(known) {
		const busiest = this.rows.map((_, i) => known[i] ?? null);
		const held = this.rows.map((r) => known.find((e) => e.key === r.key) ?? null);
		return this.node.matches(":hover") && held.every(Boolean) ? held : busiest;
	}

	/** The bar is full for the busiest of all. */
	fill(r, e, most) {
		r.node.hidden = !e;
		r.key = e?.key;
		if (!e) return;
		const v = e.values[this.metric];
		const href = `#/container/${encodeURIComponent(e.key)}`;
		if (r.node.getAttribute("href") !== href) r.node.setAttribute("href", href);
		r.node.title = e.key;
		setText(r.name, e.key);
		r.bar.set(most ? (100 * v) / most : 0);
		setText(r.value, format(v, this.unit));
	}
}

function row() {
	const r = { name: el("span", { class: "name" }), bar: new Bar(false), value: el("span", { class: "num strong" }) };
	r.node = el("a", { class: "row", hidden: true }, r.name, r.bar.node, r.value);
	return r;
}
