// SPDX-License-Identifier: Apache-2.0
// The history of one entity as the charts hold it: fetched once, then continued with live samples. Pure: no page, no
// network. Times are Unix seconds; unknown is null. It never holds more than the window it was fetched for.

const GAP_INTERVALS = 2.5;

export class Track {
	/** `how` is "average" or "maximum"; `interval` is the time between samples. */
	constructor(entity, metrics, how, interval) {
		this.entity = entity;
		this.how = how;
		this.interval = interval;
		this.step = interval;
		this.start = 0;
		this.times = [];
		this.columns = new Map(metrics.map((m) => [m, []]));
		this.bucket = null; // {end, n}: the last point, still growing
		this.kept = []; // samples that came while a fetch was under way
		this.fetching = 0;
	}

	get metrics() {
		return [...this.columns.keys()];
	}

	/** Takes an answer of /api/v1/series. Empty rows that lie ahead of `now` are not gaps, only not measured yet. */
	load(series, now) {
		const rows = series.start === null ? 0 : (series.values[0]?.length ?? 0);
		this.step = series.step || this.interval;
		this.start = series.start ?? 0;
		this.times = Array.from({ length: rows }, (_, i) => this.start + i * this.step);
		series.metrics.forEach((m, i) => this.columns.set(m, rows ? [...series.values[i]] : []));
		this.dropEmptyEnd(now);
		this.bucket = this.openBucket(now);
		const kept = this.kept;
		this.kept = [];
		for (const [time, values] of kept) this.append(time, values, 0);
	}

	/* The newest rows are written a little later than they are measured. */
	dropEmptyEnd(now) {
		const fresh = now - Math.max(this.step, 2 * this.interval) - 1;
		while (this.times.length && this.times.at(-1) > fresh && this.emptyAt(this.times.length - 1)) this.pop();
	}

	/* A last row that ends in the future is a mean so far: live samples go on with it. */
	openBucket(now) {
		const end = this.times.at(-1) ?? 0;
		if (end <= now) return null;
		this.times[this.times.length - 1] = now;
		return { end, n: Math.max(1, Math.round((now - end + this.step) / this.interval)) };
	}

	emptyAt(i) {
		for (const column of this.columns.values()) if (column[i] !== null) return false;
		return true;
	}

	pop() {
		this.times.pop();
		for (const column of this.columns.values()) column.pop();
	}

	/** Keeps samples from now on until load(): the fetched history may end before them. */
	expect() {
		this.fetching++;
		this.kept = [];
	}

	expected() {
		this.fetching--;
	}

	/**
	 * Adds a live sample: `values` by metric name. Where a point stands for more than one sample it is their mean
	 * (or maximum) so far. Points before `oldest` are dropped. False when nothing changed.
	 */
	append(time, values, oldest) {
		if (this.fetching > 0) this.kept.push([time, values]);
		const end = this.start + Math.ceil((time - this.start) / this.step) * this.step;
		const last = this.times.at(-1) ?? 0;
		if (this.bucket?.end === end) this.grow(time, values);
		else if (time <= last) return false;
		else this.next(time, end, values);
		this.trim(oldest);
		return true;
	}

	next(time, end, values) {
		if (this.bucket) this.times[this.times.length - 1] = this.bucket.end;
		const last = this.times.at(-1) ?? 0;
		const gap = last > 0 && time - last > Math.max(GAP_INTERVALS * this.interval, 1.5 * this.step);
		if (gap) this.push(last + this.interval, {});
		this.bucket = { end, n: 1 };
		this.push(time, values);
	}

	push(time, values) {
		this.times.push(time);
		for (const [metric, column] of this.columns) column.push(values[metric] ?? null);
	}

	grow(time, values) {
		const i = this.times.length - 1;
		const n = ++this.bucket.n;
		this.times[i] = Math.max(time, this.times[i]);
		for (const [metric, column] of this.columns) {
			const v = values[metric] ?? null;
			if (v === null) continue;
			if (column[i] === null) column[i] = v;
			else column[i] = this.how === "maximum" ? Math.max(column[i], v) : column[i] + (v - column[i]) / n;
		}
	}

	trim(oldest) {
		let n = 0;
		while (n < this.times.length - 1 && this.times[n + 1] < oldest) n++;
		if (!n) return;
		this.times.splice(0, n);
		for (const column of this.columns.values()) column.splice(0, n);
	}
}

/**
 * Puts several tracks on one row of times: {times, columns}, where columns[i] belongs to wanted[i] = [track, metric];
 * a track may be null. Tracks with other times than the rest give the nearest value they have, within one step.
 */
export function align(wanted) {
	const tracks = [...new Set(wanted.map(([track]) => track))].filter((t) => t?.times.length);
	if (!tracks.length) return { times: [], columns: wanted.map(() => []) };
	const alike = tracks.every((t) => sameTimes(t.times, tracks[0].times));
	const times = alike ? tracks[0].times : [...new Set(tracks.flatMap((t) => t.times))].sort((a, b) => a - b);
	const columns = wanted.map(([track, metric]) => {
		const column = track?.columns.get(metric);
		if (!column?.length) return new Array(times.length).fill(null);
		return alike ? column : times.map((t) => valueNear(track, column, t));
	});
	return { times, columns };
}

function valueNear(track, column, t) {
	const i = nearest(track.times, t);
	return Math.abs(track.times[i] - t) <= 0.75 * track.step ? column[i] : null;
}

function sameTimes(a, b) {
	return a === b || (a.length === b.length && a[0] === b[0] && a.at(-1) === b.at(-1));
}

/** Index of the time nearest to t, or -1. */
export function nearest(times, t) {
	let low = 0;
	let high = times.length - 1;
	if (high < 0) return -1;
	while (high - low > 1) {
		const middle = (low + high) >> 1;
		if (times[middle] < t) low = middle;
		else high = middle;
	}
	return Math.abs(times[low] - t) <= Math.abs(times[high] - t) ? low : high;
}
