// SPDX-License-Identifier: Apache-2.0
// A line without axes, for tiles and table cells: the last hour at a glance.

import { setAttr, svg } from "/assets/dom.js";
import { Track } from "/assets/track.js";

const WIDTH = 100;
const HEIGHT = 24;
export const SPARK_SPAN = 3600;
export const SPARK_POINTS = 60;

export class Sparkline {
	/** `interval`: between samples. `least`: the top of the scale is at least this, so that next to nothing looks like that. */
	constructor(interval, least = 0) {
		this.least = least;
		this.track = new Track("", ["v"], "average", interval);
		this.track.step = SPARK_SPAN / SPARK_POINTS;
		this.line = svg("path", { class: "spark-line" });
		this.fill = svg("path", { class: "spark-fill" });
		this.node = svg(
			"svg",
			{
				class: "spark",
				viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
				preserveAspectRatio: "none",
				"aria-hidden": "true",
			},
			this.fill,
			this.line,
		);
	}

	/** One row of an answer of /api/v1/series. */
	load({ start, step, values }, row, now) {
		this.track.load({ start, step: step ?? this.track.step, metrics: ["v"], values: [values[row] ?? []] }, now);
		this.draw();
	}

	append(time, v) {
		if (this.track.append(time, { v }, time - SPARK_SPAN)) this.draw();
	}

	draw() {
		const times = this.track.times;
		const values = this.track.columns.get("v");
		const end = times.at(-1) ?? 0;
		const top = Math.max(this.least, ...values.filter((v) => v !== null)) || 1;
		const x = (t) => Math.max(0, WIDTH * (1 - (end - t) / SPARK_SPAN)).toFixed(1);
		const y = (v) => (HEIGHT - 1.5 - (Math.max(v, 0) / top) * (HEIGHT - 3)).toFixed(1);
		let line = "";
		let fill = "";
		let from = null;
		values.forEach((v, i) => {
			if (v === null) {
				if (from !== null) fill += `V${HEIGHT}H${from}Z`;
				from = null;
				return;
			}
			const at = `${x(times[i])},${y(v)}`;
			line += from === null ? `M${at}` : `L${at}`;
			fill += from === null ? `M${x(times[i])},${HEIGHT}L${at}` : `L${at}`;
			from ??= x(times[i]);
		});
		if (from !== null) fill += `V${HEIGHT}H${from}Z`;
		setAttr(this.line, "d", line);
		setAttr(this.fill, "d", fill);
	}
}
