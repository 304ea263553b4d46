// SPDX-License-Identifier: Apache-2.0
// One chart: a card with title, legend and plot. What it shows is a plain object:
//   {id, title, unit, href, series: [{entity, metric, label, doc, color, line, dash, band, peak}], stack, top, minTop,
//    fullScale: () => number, limit: () => number or null, limitLabel, markers: [{entity, metric, label, color}],
//    reason: () => why there can be no data, or null}
// Series of a stack lie on each other, but for those with `line`. Over long ranges `band` shows the maximum as a faint
// band, and a series with `peak` is nothing but the maximum. The axis ends at `top` or `fullScale`, else it reaches
// `minTop` at least, so that noise near zero does not look like a mountain.
// Events of the group (eventmarks.js) are marked like markers, with their titles.
// Names reach dygraphs only as a0, m0, a1, ...: it writes labels as HTML.

import { el, setText } from "/assets/dom.js";
import { Legend } from "/assets/legend.js";
import { Overlay } from "/assets/overlay.js";
import { color, dash, palette } from "/assets/palette.js";
import { area, limitLine, line, marker, markerText } from "/assets/plotters.js";
import { axisRange, isStacked, makeRows, marksOf } from "/assets/rows.js";
import { align, nearest } from "/assets/track.js";
import { clock, duration, format, formatTick, timeTick } from "/assets/units.js";

// Its own legend sets style attributes, which the content security policy forbids; legend.js is ours.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((p) => p !== Dygraph.Plugins.Legend);

const AXIS_WIDTH = 58;

export class Chart {
	constructor(spec, group) {
		this.spec = spec;
		this.group = group;
		this.data = { times: [], columns: [], maxima: [] };
		this.marks = [];
		this.cursorTime = null;
		this.legend = new Legend(spec.series, spec.unit, () => this.redraw());
		this.overlay = new Overlay(this, group, spec.title);
		this.time = el("span", { class: "chart-time" });
		this.canvas = el("div", { class: "plot-canvas" });
		this.why = el("p", { class: "chart-why" });
		const title = spec.href ? el("a", { href: spec.href }, spec.title) : spec.title;
		this.node = el(
			"section",
			{ class: "card chart", id: `chart-${spec.id}`, "aria-label": spec.title },
			el("header", {}, el("h3", {}, title), this.time),
			this.why,
			this.legend.node,
			el("div", { class: "plot" }, this.canvas, this.overlay.node),
		);
		this.overlay.say("loading …");
	}

	/** `find(entity, metric, how)` gives the Track or null. */
	draw(find, view) {
		this.find = find;
		this.view = view;
		this.redraw();
	}

	redraw() {
		if (!this.find || !this.canvas.isConnected) return;
		this.collect();
		if (this.tellReason() || !this.canvas.clientWidth) return;
		const rows = makeRows(this.spec, this.data, this.legend.hidden, this.view);
		const options = { file: rows, dateWindow: [this.view.from * 1000, this.view.to * 1000] };
		options.axes = { y: { valueRange: axisRange(this.spec, rows, this.view, this.limit()) } };
		if (this.g) this.g.updateOptions(options);
		else this.create(rows, options);
		this.overlay.place(this.g.getArea());
		this.overlay.say(this.isEmpty() ? this.whyEmpty() : null);
		this.setCursor(this.cursorTime);
	}

	whyEmpty() {
		const young = this.group.range.following && !this.data.times.length;
		return young
			? `collecting, first points in ${duration(2 * this.group.interval)}`
			: "nothing was measured in this time";
	}

	/** A chart that cannot have data is only a sentence that says why. */
	tellReason() {
		const reason = this.isEmpty() ? (this.spec.reason?.() ?? null) : null;
		this.node.classList.toggle("compact", reason !== null);
		setText(this.why, reason ?? "");
		return reason !== null;
	}

	collect() {
		const n = this.spec.series.length;
		const means = this.spec.series.map((s) => [
			this.find(s.entity, s.metric, s.peak ? "maximum" : "average"),
			s.metric,
		]);
		const peaks = this.spec.series.map((s) => [s.band ? this.find(s.entity, s.metric, "maximum") : null, s.metric]);
		const { times, columns } = align([...means, ...peaks]);
		this.spec.series.forEach((s, i) => s.peak && this.legend.offer(i, means[i][0] !== null));
		const banded = peaks.some(([track]) => track);
		this.data = { times, columns: columns.slice(0, n), maxima: banded ? columns.slice(n) : null };
		this.marks = [
			...(this.spec.markers ?? []).flatMap((m) => marksOf(this.find(m.entity, m.metric, "maximum"), m)),
			...this.group.eventsOf(this.spec),
		];
	}

	isEmpty() {
		const { from, to } = this.view;
		const { times, columns } = this.data;
		return !columns.some((c) => c.some((v, i) => v !== null && times[i] >= from && times[i] <= to));
	}

	limit() {
		return this.spec.limit?.() ?? null;
	}

	create(rows, options) {
		const unit = this.spec.unit;
		const labels = ["x", ...this.spec.series.flatMap((_, i) => [`a${i}`, `m${i}`])];
		this.g = new Dygraph(this.canvas, rows, {
			labels,
			dateWindow: options.dateWindow,
			legend: "never",
			interactionModel: {},
			showLabelsOnHighlight: false,
			highlightCircleSize: 0,
			...this.colors(),
			plotter: (e) => this.plot(e),
			underlayCallback: (ctx, _, g) => this.underlay(ctx, g),
			axes: {
				x: {
					ticker: Dygraph.dateTicker,
					axisLabelFormatter: (ms, granularity) => timeTick(ms, granularity),
					pixelsPerLabel: 64,
					axisTickSize: 5,
					axisLabelFontSize: 11,
					drawGrid: false,
				},
				y: {
					valueRange: options.axes.y.valueRange,
					axisLabelFormatter: (v) => formatTick(v, unit),
					labelsKMG2: unit.startsWith("bytes"),
					pixelsPerLabel: 30,
					axisLabelWidth: AXIS_WIDTH,
					axisLabelFontSize: 11,
				},
			},
		});
	}

	colors() {
		return { gridLineColor: palette().grid, axisLineColor: palette().axis };
	}

	plot(e) {
		const i = Number(e.setName.slice(1));
		const s = this.spec.series[i];
		const paint = color(s.color);
		if (e.setName[0] === "m") {
			area(e, paint, 0.16, e.allSeriesPoints[2 * i]);
		} else if (isStacked(this.spec, s)) {
			area(e, paint, s.alpha ?? 0.75, this.below(e, i));
		} else {
			if (this.spec.series.length === 1) area(e, paint, 0.12, null);
			line(e, paint, { dash: s.dash ? [5, 4] : dash(s.color), width: s.peak ? 1 : 1.5 });
		}
	}

	/** The points of the series this one lies on. */
	below(e, i) {
		for (let k = i - 1; k >= 0; k--) {
			if (isStacked(this.spec, this.spec.series[k]) && !this.legend.hidden.has(k))
				return e.allSeriesPoints[2 * k];
		}
		return null;
	}

	underlay(ctx, g) {
		const limit = this.limit();
		const inView = this.marks.filter((m) => m.time >= this.view.from && m.time <= this.view.to);
		const kinds = inView.filter((m, i) => inView.findIndex((k) => k.label === m.label) === i);
		this.legend.say(limit === null ? "" : `${this.spec.limitLabel} ${format(limit, this.spec.unit)}`, kinds);
		if (limit !== null) limitLine(ctx, g, limit, palette().limit);
		for (const m of this.marks) marker(ctx, g, m.time, color(m.color));
		this.nameMarks(ctx, g);
	}

	/** Where they are dense some stay without: the legend and the reading line tell. */
	nameMarks(ctx, g) {
		const named = this.marks.filter((m) => m.text).sort((a, b) => a.time - b.time);
		let from = -Infinity;
		for (const m of named) from = markerText(ctx, g, m.time, m.text, color(m.color), from);
	}

	repaint() {
		this.legend.repaint();
		this.g?.updateOptions(this.colors(), true);
		this.redraw();
	}

	resize() {
		this.g?.resize();
		this.redraw();
	}

	times() {
		return this.data.times;
	}

	timeAt(x) {
		const { from, to } = this.view;
		return from + (x / this.overlay.node.clientWidth) * (to - from);
	}

	cursorRow() {
		if (this.cursorTime === null) return -1;
		const row = nearest(this.data.times, this.cursorTime);
		const reach = Math.max((this.view.to - this.view.from) / 100, this.group.interval);
		return row >= 0 && Math.abs(this.data.times[row] - this.cursorTime) <= reach ? row : -1;
	}

	/** Shows the values at this time, or the newest ones for null. */
	setCursor(time) {
		this.cursorTime = time;
		if (!this.g) return;
		const { times, columns, maxima } = this.data;
		const row = time === null ? times.length - 1 : this.cursorRow();
		this.legend.show(
			columns.map((c) => c[row] ?? null),
			maxima?.map((c) => c[row] ?? null),
		);
		const shown = time !== null && row >= 0 ? times[row] : time;
		setText(this.time, shown === null ? "" : clock(shown) + this.happenedAt(shown));
		const { from, to } = this.view;
		const inside = shown !== null && shown >= from && shown <= to;
		this.overlay.cursor(inside ? ((shown - from) / (to - from)) * this.overlay.node.clientWidth : null);
	}

	happenedAt(time) {
		const reach = (this.view.to - this.view.from) / 100;
		const names = this.marks.filter((m) => Math.abs(m.time - time) <= reach).map((m) => m.title ?? m.label);
		return names.length ? ` · ${[...new Set(names)].join(", ")}` : "";
	}

	/** For people who listen: the values of a row. */
	describe(row) {
		const values = this.spec.series
			.map((s, i) => `${s.label} ${format(this.data.columns[i][row] ?? null, this.spec.unit)}`)
			.filter((_, i) => this.legend.offers(i));
		return `${clock(this.data.times[row])}: ${values.join(", ")}`;
	}

	destroy() {
		this.g?.destroy();
		this.g = null;
	}
}
