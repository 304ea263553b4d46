// SPDX-License-Identifier: Apache-2.0
// From the data of a chart to what dygraphs draws: rows [ms, a0, m0, a1, m1, ...] of values and maxima, and the range of
// the axis. Pure.

const HEADROOM = 1.08;
const TOP_ROOM = 1.02; // so that the label of the highest value fits
const MIN_TOP = { bytes: 1024, bytes_per_second: 1024, seconds: 0.001, cores: 0.1 };
const LIMIT_FROM = 0.35; // a limit is drawn when values come this near to it

export const isStacked = (spec, s) => spec.stack && !s.line && !s.peak;

/** Series in `off` are null; those of a stack are summed up. Without data: an empty row at each end of the view. */
export function makeRows(spec, { times, columns, maxima }, off, view) {
	const rows = times.map((t, r) => {
		const row = [t * 1000];
		let sum = 0;
		spec.series.forEach((s, i) => {
			let v = off.has(i) ? null : (columns[i][r] ?? null);
			if (isStacked(spec, s) && v !== null) v = sum += v;
			row.push(v, off.has(i) ? null : (maxima?.[i][r] ?? null));
		});
		return row;
	});
	const empty = (t) => [t * 1000, ...spec.series.flatMap(() => [null, null])];
	return rows.length ? rows : [empty(view.from), empty(view.to)];
}

/** [low, high] of the axis for the rows in view; `limit` may be null. */
export function axisRange(spec, rows, view, limit) {
	const full = spec.top ?? spec.fullScale?.() ?? null;
	// What lies on a full scale fits by itself; lines beside the stack may be longer.
	const beside = spec.series.flatMap((s, i) => (isStacked(spec, s) ? [] : [1 + 2 * i]));
	if (full) return [0, Math.max(full, spec.top ? 0 : extremes(rows, view, beside).high) * TOP_ROOM];
	const all = spec.series.flatMap((_, i) => [1 + 2 * i, 2 + 2 * i]);
	const { low, high } = extremes(rows, view, all);
	const wanted = limit !== null && high >= LIMIT_FROM * limit ? Math.max(high, limit) : high;
	return [low * HEADROOM, Math.max(wanted * HEADROOM, spec.minTop ?? MIN_TOP[spec.unit] ?? 1)];
}

function extremes(rows, { from, to }, columns) {
	let low = 0;
	let high = 0;
	for (const row of rows) {
		if (row[0] < from * 1000 || row[0] > to * 1000) continue;
		for (const i of columns) {
			if (row[i] > high) high = row[i];
			else if (row[i] < low) low = row[i];
		}
	}
	return { low, high };
}

/** [{time, label, color}]: where an event metric was above zero. One event may be spread over two rows side by side. */
export function marksOf(track, { metric, label, color }) {
	if (!track) return [];
	const column = track.columns.get(metric) ?? [];
	return track.times.filter((_, i) => column[i] > 0 && !(column[i - 1] > 0)).map((time) => ({ time, label, color }));
}
