// SPDX-License-Identifier: Apache-2.0
// Makes the charts of an entity from the tables of groups.js and from what the running agent stores.

import { GROUPS, SKIPPED } from "/assets/groups.js";

const BY_UNIT = {
	none: "Counts",
	percent: "Percent",
	bytes: "Bytes",
	bytes_per_second: "Throughput",
	per_second: "Per second",
	seconds: "Time",
	cores: "Cores",
	celsius: "Temperature",
	boolean: "State",
};

/** Groups of a class, those by unit last. */
export function groupsOf(schema, cls) {
	const named = GROUPS[cls];
	const list = typeof named === "string" ? GROUPS[named] : (named ?? []);
	const used = new Set([...(SKIPPED[cls] ?? []), ...list.flatMap((g) => g.series.map(([m]) => m))]);
	const rest = new Map();
	for (const m of schema.class(cls)?.metrics ?? []) {
		if (!m.stored || used.has(m.name)) continue;
		if (!rest.has(m.unit)) rest.set(m.unit, []);
		rest.get(m.unit).push(m);
	}
	return [...list, ...[...rest].flatMap(([unit, metrics]) => byUnit(unit, metrics, list.length > 0))];
}

/* Counts of one class have nothing in common but their unit: each its own chart. */
function byUnit(unit, metrics, others) {
	if (unit === "none" || metrics.length === 1) {
		return metrics.map((m) => ({ id: m.name, title: m.title, series: [[m.name, m.title, 0]] }));
	}
	const title = others ? `${BY_UNIT[unit]}, other` : BY_UNIT[unit];
	return [{ id: `unit-${unit}`, title, series: metrics.map((m, i) => [m.name, m.title, i]) }];
}

/**
 * The chart of a group for one entity. `now()` gives {values, missing} of the entity at present. Null when the running
 * agent stores none of the metrics.
 */
export function specOf(schema, cls, key, group, now) {
	const rows = group.series.filter(([metric]) => schema.stored(cls, metric));
	if (!rows.length) return null;
	const limit = group.limit && (() => limitOf(group.limit, now().values));
	return {
		...group,
		unit: schema.metric(cls, rows[0][0]).unit,
		limit,
		fullScale: group.full && (() => now().values[group.full] ?? null),
		series: rows.map(([metric, label, color, options]) => ({
			entity: `${cls}/${key}`,
			metric,
			label,
			color,
			doc: schema.metric(cls, metric).doc,
			band: !group.stack,
			...options,
		})),
		markers: group.events ? markersOf(schema, cls, key) : [],
		reason: () =>
			reasonFor(
				rows.map(([metric]) => metric),
				now(),
			),
	};
}

const limitOf = (limit, values) =>
	typeof limit === "function" ? limit({ cpu_limit_cores: null, ...values }) : (values[limit] ?? null);

const markersOf = (schema, cls, key) =>
	[
		["oom_kills", "OOM kill", "bad"],
		["restarts", "restart", 6],
	]
		.filter(([metric]) => schema.stored(cls, metric))
		.map(([metric, label, color]) => ({ entity: `${cls}/${key}`, metric, label, color }));

function reasonFor(metrics, { missing, values }) {
	if (metrics.some((m) => values?.[m] !== null && values?.[m] !== undefined)) return null;
	const reasons = [...new Set(metrics.map((m) => missing?.[m]).filter(Boolean))];
	return reasons.length ? `Not available: ${reasons.join("; ")}.` : null;
}
