// SPDX-License-Identifier: Apache-2.0
// A line without axes, for tiles and table cells: the last hour at a glance.

import { setAttr, svg } from "/assets/dom.js";

const WIDTH = 100;
const HEIGHT = 24;
export const SPARK_SPAN = 3600;
export const SPARK_POINTS = 60;

export class Sparkline {
	/** `least`: the top of the scale is at least this, so that next to nothing looks like next to nothing. */
	constructor(least = 0) {
		this.least = least;
		this.points = []; // [time, value or null]
		this.line = svg("path", { class: "spark-line" });
		this.fill = svg("path", { class: "spark-fill" });
		this.node = svg("svg", {
			class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true",
		}, this.fill, this.line);
	}

	/** `values` end at start + i * step. */
	load(start, step, values) {
		this.points = start === null ? [] : values.map((v, i) => [start + i * step, v]);
		this.gap = Math.max(2.5 * step, 60);
		this.draw();
	}

	/** A live value; at most one point is kept for each part of the line that can be seen. */
	append(time, value) {
		const last = this.points.at(-1);
		if (last && time <= last[0]) return;
		const before = this.points.at(-2);
		const crowded = before && time - before[0] < SPARK_SPAN / SPARK_POINTS / 1.5;
		if (crowded) this.points.pop();
		this.points.push([time, value]);
		while (this.points.length && this.points[0][0] < time - SPARK_SPAN) this.points.shift();
		this.draw();
	}

	draw() {
		const end = this.points.at(-1)?.[0] ?? 0;
		const known = this.points.filter(([, v]) => v !== null);
		const top = Math.max(this.least, ...known.map(([, v]) => v)) || 1;
		const x = (t) => (WIDTH * (1 - (end - t) / SPARK_SPAN)).toFixed(1);
		const y = (v) => (HEIGHT - 1.5 - (Math.max(v, 0) / top) * (HEIGHT - 3)).toFixed(1);
		let line = "";
		let fill = "";
		let from = null;
		let last = null;
		for (const [t, v] of this.points) {
			const broken = v === null || (last !== null && t - last > this.gap);
			if (broken && from !== null) {
				fill += `V${HEIGHT}H${from}Z`;
				from = null;
			}
			last = t;
			if (v === null) continue;
			if (from === null) fill += `M${x(t)},${HEIGHT}V${y(v)}`;
			line += `${from === null ? "M" : "L"}${x(t)},${y(v)}`;
			fill += `L${x(t)},${y(v)}`;
			from ??= x(t);
		}
		if (from !== null) fill += `V${HEIGHT}H${from}Z`;
		setAttr(this.line, "d", line);
		setAttr(this.fill, "d", fill);
	}
}
