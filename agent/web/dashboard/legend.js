// SPDX-License-Identifier: Apache-2.0
// The legend of a chart: one button per series that shows its value and switches it off and on.

import { el, setAttr, setText } from "/assets/dom.js";
import { color } from "/assets/palette.js";
import { format } from "/assets/units.js";

export class Legend {
	/** `toggled` is called after a switch; `hidden` holds the indexes of the series that are off. */
	constructor(series, unit, toggled) {
		this.series = series;
		this.unit = unit;
		this.hidden = new Set();
		this.toggled = toggled;
		this.items = series.map((s, i) => this.item(s, i));
		this.note = el("span", { class: "legend-note" });
		this.node = el(
			"div",
			{ class: "legend" },
			this.items.map((x) => x.button),
			this.note,
		);
		this.repaint();
	}

	item(s, i) {
		const swatch = el("i", { class: s.line || s.dash || s.peak ? "swatch line" : "swatch", "aria-hidden": "true" });
		const value = el("span", { class: "value" });
		const max = el("span", { class: "max", title: "Maximum" });
		const name = el("span", { class: "name" }, s.label);
		const button = el(
			"button",
			{
				type: "button",
				class: "key",
				title: s.doc ? `${s.label}: ${s.doc}` : s.label,
				"aria-pressed": "true",
				on: { click: (e) => this.click(i, e.shiftKey || e.altKey) },
			},
			swatch,
			name,
			value,
			max,
		);
		return { button, swatch, value, max };
	}

	/** A plain click switches one; with Shift or Alt it is the only one left, and all again the next time. */
	click(i, only) {
		if (only) {
			const alone = this.hidden.size === this.series.length - 1 && !this.hidden.has(i);
			this.hidden = new Set(alone ? [] : this.series.keys());
			this.hidden.delete(i);
		} else if (!this.hidden.delete(i)) {
			this.hidden.add(i);
		}
		this.items.forEach((x, k) => setAttr(x.button, "aria-pressed", String(!this.hidden.has(k))));
		this.toggled();
	}

	/** A series that exists only sometimes: its button comes and goes. */
	offer(i, there) {
		this.items[i].button.hidden = !there;
	}

	offers(i) {
		return !this.items[i].button.hidden && !this.hidden.has(i);
	}

	repaint() {
		this.said = null;
		this.items.forEach((x, i) => {
			x.swatch.style.setProperty("--swatch", color(this.series[i].color));
		});
	}

	/** values[i], maxima[i]: numbers or null; maxima may be null altogether. */
	show(values, maxima) {
		this.items.forEach((x, i) => {
			setText(x.value, format(values[i], this.unit));
			setText(x.max, maxima ? `↑ ${format(maxima[i], this.unit)}` : "");
		});
	}

	/** What else is drawn: the text of a limit line, and the kinds of marks. */
	say(limit, marks) {
		const text = [limit, ...marks.map((m) => m.label)].join();
		if (this.said === text) return;
		this.said = text;
		this.note.replaceChildren(
			...(limit ? [el("span", { class: "limit" }, limit)] : []),
			...marks.map((m) => {
				const b = el("b", {}, m.label);
				b.style.setProperty("--swatch", color(m.color));
				return b;
			}),
		);
	}
}
