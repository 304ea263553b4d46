// SPDX-License-Identifier: Apache-2.0
// All charts of a page: they share one stretch of time, one reading line and one zoom. Their histories are fetched
// together and continued with live samples; charts that are not in sight are drawn when they come into sight.

import { series as fetchSeries } from "/assets/api.js";
import { Chart } from "/assets/chart.js";
import { perFrame } from "/assets/dom.js";
import { marksFor } from "/assets/eventmarks.js";
import { Track } from "/assets/track.js";

const POINTS = { least: 120, most: 1500 };
const BAND_FROM = 172800; // ranges over 2 days come from archives that keep the maximum too
const REFRESH_MS = 15 * 60 * 1000; // live points of long ranges are means of samples; the archives know better
const RETRY_MS = 10000;

const keyOf = (entity, how) => `${how} ${entity}`;

export class ChartGroup {
	constructor({ range, interval }) {
		this.range = range;
		this.interval = interval;
		this.charts = [];
		this.events = []; // marks of eventmarks.js
		this.tracks = new Map();
		this.coming = new Map(); // tracks of the fetch under way
		this.dirty = new Set();
		this.visible = new Set();
		this.paint = perFrame(() => this.drawDirty());
		this.moveCursor = perFrame((time) => this.charts.forEach((c) => c.setCursor(time)));
		this.sight = new IntersectionObserver((list) => this.seen(list), { rootMargin: "100px" });
		this.sizes = new ResizeObserver((list) => this.resized(list));
		this.onRange = () => this.load();
		range.addEventListener("change", this.onRange);
		this.refresh = setInterval(() => range.following && !document.hidden && this.load(), REFRESH_MS);
	}

	/** Makes a chart; its node is to be put on the page before load(). */
	add(spec) {
		const chart = new Chart(spec, this);
		chart.node.chart = chart;
		this.charts.push(chart);
		this.sight.observe(chart.node);
		this.sizes.observe(chart.node);
		return chart.node;
	}

	/** Marks of what happened, on the charts they belong to. */
	setEvents(events) {
		this.events = events;
		this.redraw();
	}

	eventsOf(spec) {
		const specs = this.charts.map((c) => c.spec);
		return this.events.length ? marksFor(spec, specs, this.events) : [];
	}

	seen(list) {
		for (const { target, isIntersecting } of list) {
			if (isIntersecting) this.visible.add(target.chart);
			else this.visible.delete(target.chart);
		}
		this.paint();
	}

	resized(list) {
		for (const { target } of list) {
			if (target.chart.g) target.chart.resize();
		}
	}

	redraw() {
		for (const c of this.charts) this.dirty.add(c);
		this.paint();
	}

	drawDirty() {
		const view = this.range.window();
		for (const c of this.dirty) {
			if (!this.visible.has(c)) continue;
			this.dirty.delete(c);
			c.draw((entity, metric, how) => this.find(entity, metric, how), view);
		}
	}

	find(entity, metric, how) {
		const track = this.tracks.get(keyOf(entity, how));
		return track?.columns.has(metric) ? track : null;
	}

	/** Fetches the whole window anew; what is on the page stays until the answer is there. */
	async load() {
		this.abort?.abort();
		clearTimeout(this.retry);
		const abort = new AbortController();
		this.abort = abort;
		if (this.tracks.size) this.redraw();
		const view = this.range.window();
		this.coming = this.prepare(view);
		try {
			await this.fetchAll(view, abort.signal);
		} catch (e) {
			if (!abort.signal.aborted) this.failed(e);
			return;
		}
		this.tracks = this.coming;
		this.coming = new Map();
		this.redraw();
	}

	failed(e) {
		if (e.status === 401) return;
		this.retry = setTimeout(() => this.load(), RETRY_MS);
		if (this.tracks.size) return;
		for (const c of this.charts) c.overlay.say(`could not be loaded: ${e.message}`);
	}

	/** Empty tracks for all that the charts want. */
	prepare(view) {
		const long = view.to - view.from > BAND_FROM;
		const wants = new Map();
		const want = (entity, metric, how) => {
			const key = keyOf(entity, how);
			if (!wants.has(key)) wants.set(key, { entity, how, metrics: new Set() });
			wants.get(key).metrics.add(metric);
		};
		for (const { spec } of this.charts) {
			for (const s of spec.series) {
				if (!s.peak) want(s.entity, s.metric, "average");
				if ((s.band || s.peak) && long) want(s.entity, s.metric, "maximum");
			}
			for (const m of spec.markers ?? []) want(m.entity, m.metric, "maximum");
		}
		const tracks = new Map();
		for (const [key, w] of wants) {
			const track = new Track(w.entity, [...w.metrics].sort(), w.how, this.interval);
			track.expect();
			tracks.set(key, track);
		}
		return tracks;
	}

	async fetchAll(view, signal) {
		const batches = new Map();
		for (const track of this.coming.values()) {
			const key = `${track.how} ${track.entity.split("/", 1)[0]} ${track.metrics.join(",")}`;
			if (!batches.has(key)) batches.set(key, []);
			batches.get(key).push(track);
		}
		const coming = this.coming;
		const answers = await Promise.all(
			[...batches.values()].map((tracks) =>
				fetchSeries(
					{
						entities: tracks.map((t) => t.entity),
						metrics: tracks[0].metrics,
						from: view.from,
						to: view.to,
						points: this.points(),
						how: tracks[0].how,
					},
					signal,
				).then((list) => ({ how: tracks[0].how, list })),
			),
		);
		for (const { how, list } of answers) {
			for (const s of list) this.take(coming, how, s);
		}
	}

	take(tracks, how, s) {
		const track = tracks.get(keyOf(s.entity, how));
		if (!track) return;
		track.expected();
		track.load(s, this.range.now());
	}

	/** About one point a pixel of the widest chart. */
	points() {
		const widest = Math.max(...this.charts.map((c) => c.canvas.clientWidth), 0);
		return Math.min(Math.max(widest, POINTS.least), POINTS.most);
	}

	/** A live sample {time, entities}. */
	sample({ time, entities }) {
		const values = new Map(entities.map((e) => [`${e.class}/${e.key}`, e.values ?? {}]));
		const oldest = this.range.window().from;
		for (const track of [...this.tracks.values(), ...this.coming.values()]) {
			const v = values.get(track.entity);
			if (v && (this.range.following || track.fetching)) track.append(time, v, oldest);
		}
		if (this.range.following) this.redraw();
	}

	cursor(time) {
		this.moveCursor(time);
	}

	zoom(from, to) {
		this.range.zoom(from, to);
	}

	scale(factor) {
		this.range.scale(factor);
	}

	pan(part) {
		this.range.pan(part);
	}

	reset() {
		this.range.reset();
	}

	repaint() {
		this.charts.forEach((c) => c.repaint());
	}

	destroy() {
		this.abort?.abort();
		clearTimeout(this.retry);
		clearInterval(this.refresh);
		this.range.removeEventListener("change", this.onRange);
		this.sight.disconnect();
		this.sizes.disconnect();
		this.charts.forEach((c) => c.destroy());
		this.charts = [];
		this.tracks.clear();
	}
}
