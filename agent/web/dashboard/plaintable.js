// SPDX-License-Identifier: Apache-2.0
// A table that is made anew when what it shows has changed. On a narrow screen each row is a card, the titles of the
// columns beside the values.

import { el } from "/assets/dom.js";

/** columns: [{id, title, cell(row)}]; a cell is text, a node or a list of them. The first column names the row. */
export function plainTable({ caption, columns, rows }) {
	const cell = (c, i, row) =>
		el(
			i === 0 ? "th" : "td",
			{ scope: i === 0 ? "row" : null, class: `col-${c.id}`, "data-title": c.title },
			[c.cell(row)].flat(),
		);
	return el(
		"div",
		{ class: "card sheet" },
		el(
			"table",
			{},
			el("caption", { class: "sr" }, caption),
			el(
				"thead",
				{},
				el(
					"tr",
					{},
					columns.map((c) => el("th", { scope: "col", class: `col-${c.id}` }, c.title)),
				),
			),
			el(
				"tbody",
				{},
				rows.map((row) =>
					el(
						"tr",
						{},
						columns.map((c, i) => cell(c, i, row)),
					),
				),
			),
		),
	);
}

/** Puts new children into a node. What had the focus has it again: nodes are told apart by data-focus. */
export function replaceContent(node, ...children) {
	const focused = node.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
	node.replaceChildren(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
	if (!focused) return;
	for (const n of node.querySelectorAll("[data-focus]")) if (n.dataset.focus === focused) n.focus();
}
