// SPDX-License-Identifier: Apache-2.0
// Alerts that began and ended, as marks on the charts of what they are about.

import { get } from "/assets/api.js";

const KINDS = "alert.firing,alert.recovered,alert.flapping";
const MOST = 300;
const COLORS = { critical: "bad", warning: 3, info: "faint" };

/** [{time, title, label, color, entity, metric}], of deploys also `text`, of one entity "CLASS/KEY", or of all (null); [] when they cannot be had. */
export async function eventMarks(entity, signal) {
	const q = new URLSearchParams({ kinds: KINDS, limit: MOST });
	if (entity !== null) q.set("entity", entity);
	try {
		return (await get(`/api/v1/events?${q}`, signal)).events.filter((e) => e.entity).map(mark);
	} catch {
		return []; // the charts are true without them
	}
}

const mark = (e) => ({
	time: e.time_ms / 1000,
	title: e.title,
	label: e.is_end ? "recovered" : e.severity,
	color: e.is_end ? 2 : (COLORS[e.severity] ?? "faint"),
	entity: e.entity,
	metric: e.metric ?? "",
});

const family = (metric) => metric.split("_", 1)[0];

/**
 * Which of the marks belong on a chart: those of a metric it shows; of a metric no chart shows, those with the same first word
 * (memory_used_percent and memory_used_bytes); and what is about neither goes on all charts of the entity. `specs` are all
 * the charts of the page.
 */
export function marksFor(spec, specs, marks) {
	const exact = (s, m) => s.series.some((x) => x.entity === m.entity && x.metric === m.metric);
	const near = (s, m) => s.series.some((x) => x.entity === m.entity && family(x.metric) === family(m.metric));
	const any = (s, m) => s.series.some((x) => x.entity === m.entity);
	return marks.filter((m) => {
		const level = [exact, near, any].find((fits) => specs.some((s) => fits(s, m)));
		return level ? level(spec, m) : false;
	});
}
