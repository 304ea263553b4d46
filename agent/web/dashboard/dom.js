// SPDX-License-Identifier: Apache-2.0
// Builds elements. Text goes in as text nodes only: names of containers come from strangers.

/**
 * el("a", {class: "x", href: "#/", on: {click: f}}, "text", node, [more])
 * A property whose value is null, undefined or false is left out; true gives an empty attribute.
 */
export function el(tag, props, ...children) {
	return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
	return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function fill(node, props, children) {
	for (const [name, value] of Object.entries(props ?? {})) {
		if (name === "on") {
			for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
		} else if (value !== null && value !== undefined && value !== false) {
			node.setAttribute(name, value === true ? "" : String(value));
		}
	}
	node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
	return node;
}

/** Sets text, touching the page only when it changed. */
export function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

export function setAttr(node, name, value) {
	if (value === null || value === undefined || value === false) node.removeAttribute(name);
	else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/** Calls f at most once per animation frame, with the last arguments. */
export function perFrame(f) {
	let asked = false;
	let last = [];
	return (...args) => {
		last = args;
		if (asked) return;
		asked = true;
		requestAnimationFrame(() => {
			asked = false;
			f(...last);
		});
	};
}
