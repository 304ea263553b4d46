// SPDX-License-Identifier: Apache-2.0
// What lies over the drawing of a chart and takes the pointer and the keys: the reading line, the drag that zooms, the
// text of an empty chart. On a touch screen a sideways move reads values; up and down still scrolls the page.

import { el, setAttr, setText } from "/assets/dom.js";

const DRAG_PIXELS = 6;

export class Overlay {
	/**
	 * `chart` offers timeAt(x) and xOf(time) in pixels of the plot, times() and describe(); `group` takes
	 * cursor(time or null), zoom(from, to), scale(factor), pan(part), reset().
	 */
	constructor(chart, group, label) {
		this.chart = chart;
		this.group = group;
		this.dragFrom = null;
		this.line = el("div", { class: "cursor", hidden: true });
		this.brush = el("div", { class: "brush", hidden: true });
		this.text = el("div", { class: "empty" });
		this.node = el(
			"div",
			{
				class: "overlay",
				tabindex: "0",
				role: "slider",
				"aria-label": `${label}, chart. Arrow keys read values, plus and minus zoom, Escape resets.`,
				"aria-valuemin": "0",
				"aria-valuemax": "100",
				"aria-valuenow": "100",
				on: {
					pointerdown: (e) => this.down(e),
					pointermove: (e) => this.move(e),
					pointerup: (e) => this.up(e),
					pointercancel: () => this.endDrag(),
					pointerleave: () => this.dragFrom === null && group.cursor(null),
					dblclick: () => group.reset(),
					keydown: (e) => this.key(e),
					blur: () => group.cursor(null),
				},
			},
			this.line,
			this.brush,
			this.text,
		);
	}

	x(e) {
		const box = this.node.getBoundingClientRect();
		return Math.min(Math.max(e.clientX - box.left, 0), box.width);
	}

	down(e) {
		if (e.pointerType === "touch" || e.button !== 0) return;
		this.dragFrom = this.x(e);
		this.node.setPointerCapture(e.pointerId);
	}

	move(e) {
		const x = this.x(e);
		this.group.cursor(this.chart.timeAt(x));
		if (this.dragFrom === null) return;
		this.brush.hidden = Math.abs(x - this.dragFrom) < DRAG_PIXELS;
		this.brush.style.left = `${Math.min(x, this.dragFrom)}px`;
		this.brush.style.width = `${Math.abs(x - this.dragFrom)}px`;
	}

	up(e) {
		const from = this.dragFrom;
		const x = this.x(e);
		this.endDrag();
		if (from === null || Math.abs(x - from) < DRAG_PIXELS) return;
		const times = [this.chart.timeAt(from), this.chart.timeAt(x)].sort((a, b) => a - b);
		this.group.zoom(times[0], times[1]);
	}

	endDrag() {
		this.dragFrom = null;
		this.brush.hidden = true;
	}

	key(e) {
		const actions = {
			ArrowLeft: () => this.step(-1, e),
			ArrowRight: () => this.step(1, e),
			PageUp: () => this.group.pan(-0.5),
			PageDown: () => this.group.pan(0.5),
			"+": () => this.group.scale(0.5),
			"-": () => this.group.scale(2),
			Escape: () => this.group.reset(),
		};
		if (!actions[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
		e.preventDefault();
		actions[e.key]();
	}

	/** The next point to the left or right of the reading line; with Shift ten points. */
	step(direction, e) {
		const times = this.chart.times();
		if (!times.length) return;
		const at = this.chart.cursorRow();
		const next = at < 0 ? times.length - 1 : at + direction * (e.shiftKey ? 10 : 1);
		const row = Math.min(Math.max(next, 0), times.length - 1);
		this.group.cursor(times[row]);
		setAttr(this.node, "aria-valuenow", Math.round((100 * row) / Math.max(times.length - 1, 1)));
		setAttr(this.node, "aria-valuetext", this.chart.describe(row));
	}

	/** Lays itself over the plot {x, y, w, h}. */
	place(area) {
		Object.assign(this.node.style, {
			left: `${area.x}px`,
			top: `${area.y}px`,
			width: `${area.w}px`,
			height: `${area.h}px`,
		});
	}

	/** Reading line at x, or none. */
	cursor(x) {
		this.line.hidden = x === null;
		if (x !== null) this.line.style.transform = `translateX(${Math.round(x)}px)`;
	}

	say(text) {
		setText(this.text, text ?? "");
	}
}
