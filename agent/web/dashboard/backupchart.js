// SPDX-License-Identifier: Apache-2.0
// Sizes of the last backups as bars: what was dumped in outline, what is stored of it filled, a mark where one failed.

import { el, svg } from "/assets/dom.js";
import { isBad, isUnderWay, runText } from "/assets/backupwords.js";
import { clock, format } from "/assets/units.js";

export const BARS_MAX = 30;
const WIDTH = 10; // of a bar and the room beside it
const GAP = 2;
const SLOTS_MIN = 10; // so that the bars of a few runs are not as broad as the page

/** The runs that are bars, oldest first. */
export const barsOf = (runs) =>
	runs
		.filter((r) => r.what === "backup" && !isUnderWay(r))
		.slice(0, BARS_MAX)
		.reverse();

/** Something was stored: everywhere, or, when partial, in some store. */
const stored = (run) => run.state === "done" || (run.partial === true && run.stored_bytes > 0);

/** `runs` newest first, as the API has them. null when nothing can be drawn. `height` in pixels. */
export function sizeChart(runs, height, { labels = false } = {}) {
	const bars = barsOf(runs);
	const top = Math.max(0, ...bars.filter(stored).map((r) => Math.max(r.plain_bytes, r.stored_bytes)));
	if (top <= 0 || (!labels && bars.length < 2)) return null;
	const y = (v) => Math.max(1.5, (v / top) * (height - 2));
	const last = bars.findLast(stored);
	const slots = labels ? Math.max(bars.length, SLOTS_MIN) : BARS_MAX;
	const picture = svg(
		"svg",
		{
			class: "sizes",
			viewBox: `0 0 ${slots * WIDTH} ${height}`,
			preserveAspectRatio: "none",
			role: "img",
			"aria-label": `Sizes of the last ${bars.length} backups; the newest good one has ${format(last.plain_bytes, "bytes")}, stored as ${format(last.stored_bytes, "bytes")}`,
		},
		bars.map((run, i) => bar(run, i * WIDTH, y, height)),
	);
	if (!labels) return picture;
	return el(
		"figure",
		{ class: "size-chart" },
		el(
			"figcaption",
			{},
			el("span", {}, "Size of the last backups"),
			el("span", { class: "size-key plain-key" }, "dumped"),
			el("span", { class: "size-key stored-key" }, "stored"),
			bars.some(isBad) && el("span", { class: "size-key bad-key" }, "not good"),
		),
		el("div", { class: "size-scale" }, el("span", {}, format(top, "bytes")), el("span", {}, "0")),
		picture,
		times(bars, slots),
	);
}

/** From when to when, below the bars. */
function times(bars, slots) {
	const node = el("div", { class: "size-times" }, el("span", {}, clock(bars[0].queued_ms / 1000)));
	if (bars.length > 1) node.append(el("span", {}, clock(bars.at(-1).queued_ms / 1000)));
	node.style.width = `${(100 * Math.max(bars.length, SLOTS_MIN / 2)) / slots}%`;
	return node;
}

function bar(run, x, y, height) {
	const when = clock((run.started_ms || run.queued_ms) / 1000);
	const width = WIDTH - GAP;
	const rect = (name, h) => svg("rect", { class: name, x, width, y: height - h, height: h });
	const size = `${format(run.plain_bytes, "bytes")}, stored ${format(run.stored_bytes, "bytes")}`;
	return svg(
		"g",
		{},
		svg("title", {}, `${when}: ${[runText(run), stored(run) && size].filter(Boolean).join(", ")}`),
		svg("rect", { class: "bar-hit", x, width: WIDTH, y: 0, height }),
		stored(run) && rect("bar-plain", y(run.plain_bytes)),
		stored(run) && rect("bar-stored", y(run.stored_bytes)),
		isBad(run) && rect("bar-bad", 5),
	);
}
