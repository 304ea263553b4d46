// SPDX-License-Identifier: Apache-2.0
// A question in a window of its own: a few fields, one button that does it and one that does not. Escape closes it, the focus
// goes back to where it was.

import { el, setText } from "/assets/dom.js";

let number = 0;

/** `submit` is an async function; while it throws, the dialog stays open and shows the message. `dismiss`: the other button. */
export function openDialog({ title, content, action, dismiss = "Cancel", submit }) {
	const id = `dialog-${++number}`;
	const error = el("p", { class: "error", role: "alert" });
	const go = el("button", { type: "submit", class: "primary" }, action);
	const form = el(
		"form",
		{ method: "dialog" },
		el("h2", { id }, title),
		content,
		error,
		el(
			"div",
			{ class: "dialog-buttons" },
			el("button", { type: "button", on: { click: () => node.close() } }, dismiss),
			go,
		),
	);
	form.addEventListener("submit", async (e) => {
		e.preventDefault();
		go.disabled = true;
		setText(error, "");
		try {
			await submit();
			node.close();
		} catch (problem) {
			setText(error, problem.message);
			go.disabled = false;
		}
	});
	const node = el("dialog", { class: "card dialog", "aria-labelledby": id }, form);
	node.addEventListener("close", () => node.remove());
	document.body.append(node);
	node.showModal();
	return node;
}

/** A label above its field. */
export const field = (label, input, hint) =>
	el("label", { class: "field" }, el("span", {}, label), input, hint && el("span", { class: "small" }, hint));
