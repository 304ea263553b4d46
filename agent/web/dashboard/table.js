// SPDX-License-Identifier: Apache-2.0
// A table of entities: sortable by each column (pointer and keys, announced by aria-sort), filtered by words, updated in place.
// On a narrow screen the style sheet shows each row as a card, with the titles of the columns beside the values; sorting
// is then done by the select box above.

import { el, setAttr } from "/assets/dom.js";

const order = new Intl.Collator(undefined, { numeric: true }).compare;

export class Table {
	/**
	 * columns: [{id, title, doc, key(e), up}], `up`: sorted upwards at first. row(e) makes the cells of a new row, an object with
	 * content: {column id: [nodes]}; fill(cells, e) brings them up to date; text(e) is what the filter looks at.
	 */
	constructor({ columns, sort, caption, row, fill, text }) {
		Object.assign(this, { columns, makeRow: row, fill, text });
		this.sort = { id: sort, up: columns.find((c) => c.id === sort).up ?? false };
		this.rows = new Map();
		this.shown = 0;
		this.heads = new Map(columns.map((c) => [c.id, this.head(c)]));
		this.body = el("tbody", { on: { mouseleave: () => this.arrange() } });
		this.select = el(
			"select",
			{ "aria-label": "Sort by", on: { change: () => this.sortBy(this.select.value) } },
			columns.map((c) => el("option", { value: c.id }, c.title)),
		);
		this.flip = el(
			"button",
			{ type: "button", "aria-label": "Other direction", on: { click: () => this.sortBy(this.sort.id) } },
			"⇅",
		);
		this.node = el(
			"div",
			{ class: "table" },
			el("div", { class: "sort-tools" }, el("label", {}, "Sort by ", this.select), this.flip),
			el(
				"table",
				{},
				el("caption", { class: "sr" }, caption),
				el("thead", {}, el("tr", {}, [...this.heads.values()])),
				this.body,
			),
		);
		this.showSort();
	}

	head(c) {
		const button = el(
			"button",
			{ type: "button", title: c.doc ?? `Sort by ${c.title}`, on: { click: () => this.sortBy(c.id) } },
			c.title,
			el("span", { class: "arrow", "aria-hidden": "true" }),
		);
		return el("th", { scope: "col", class: `col-${c.id}` }, button);
	}

	sortBy(id) {
		const column = this.columns.find((c) => c.id === id);
		this.sort = { id, up: this.sort.id === id ? !this.sort.up : (column.up ?? false) };
		this.showSort();
		this.arrange();
	}

	showSort() {
		for (const [id, th] of this.heads) {
			const on = id === this.sort.id;
			setAttr(th, "aria-sort", on ? (this.sort.up ? "ascending" : "descending") : null);
		}
		this.select.value = this.sort.id;
	}

	/** Shows these entities, less those that do not hold every word of the filter. */
	show(list, filter) {
		const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
		const match = (e) => {
			const text = this.text(e).toLowerCase();
			return words.every((w) => text.includes(w));
		};
		const wanted = list.filter(match);
		this.shown = wanted.length;
		const keys = new Set(wanted.map((e) => e.key));
		for (const [key, r] of this.rows) {
			if (keys.has(key)) continue;
			r.node.remove();
			if (!list.some((e) => e.key === key)) this.rows.delete(key);
		}
		for (const e of wanted) this.place(e);
		const fresh = wanted.some((e) => !this.rows.get(e.key).node.isConnected);
		if (fresh || !this.busy()) this.arrange(keys);
	}

	place(e) {
		let r = this.rows.get(e.key);
		if (!r) {
			const cells = this.makeRow(e);
			const node = el(
				"tr",
				{},
				this.columns.map((c) =>
					el(
						c.id === "name" ? "th" : "td",
						{
							class: `col-${c.id}`,
							"data-title": c.title,
							scope: c.id === "name" ? "row" : null,
						},
						cells.content[c.id],
					),
				),
			);
			r = { cells, node };
			this.rows.set(e.key, r);
		}
		r.entity = e;
		r.node.classList.toggle("gone", e.live === false);
		this.fill(r.cells, e);
	}

	/* Rows keep their places while somebody points at them or has the focus there: nothing moves away under a click. */
	busy() {
		return this.body.matches(":hover") || this.body.contains(document.activeElement);
	}

	/** Puts the rows in order, moving only those that are out of place. */
	arrange(keys = new Set([...this.rows].filter(([, r]) => r.node.isConnected).map(([key]) => key))) {
		const column = this.columns.find((c) => c.id === this.sort.id);
		const sign = this.sort.up ? 1 : -1;
		const list = [...keys].map((key) => ({
			r: this.rows.get(key),
			key,
			by: column.key(this.rows.get(key).entity),
		}));
		list.sort((a, b) => compare(a.by, b.by, sign) || order(a.key, b.key));
		let at = this.body.firstChild;
		for (const { r } of list) {
			if (r.node === at) at = at.nextSibling;
			else this.body.insertBefore(r.node, at);
		}
	}

	cells(key) {
		return this.rows.get(key)?.cells ?? null;
	}
}

function compare(a, b, sign) {
	if (a === null || b === null) return (a === null) - (b === null);
	return sign * (typeof a === "number" ? a - b : order(a, b));
}
