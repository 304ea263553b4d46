// SPDX-License-Identifier: Apache-2.0
// What was done for a job: each run with its error and its warnings in full.

import { get } from "/assets/api.js";
import {
	countsText,
	isUnderWay,
	runBadge,
	storeErrorText,
	tookText,
	triggerText,
	whatText,
} from "/assets/backupwords.js";
import { el } from "/assets/dom.js";
import { plainTable, replaceContent } from "/assets/plaintable.js";
import { clock, format } from "/assets/units.js";

const PAGE = 10;

/** What went wrong, in full: the error, that of each store, warnings. A list of nodes. */
export function errorsOf(run) {
	const stores = (run.stores ?? []).filter((s) => s.error && !run.error?.includes(s.error));
	const warnings = (run.warnings ?? []).filter((w) => w !== run.error);
	return [
		run.error && el("p", { class: "error-text run-error" }, run.error),
		...stores.map((s) =>
			el("p", { class: "error-text run-error" }, `Store ${s.name}: ${storeErrorText(s.name, s.error)}`),
		),
		...warnings.map((w) => el("p", { class: "run-warning" }, w)),
	].filter(Boolean);
}

/** What a dry run of removal decided. */
function decisions(run) {
	if (!run.decided?.length) return [];
	const gone = run.decided.filter((d) => !d.keep);
	const line = (d) =>
		el("li", {}, el("code", {}, d.id), ` in ${d.store}: ${d.keep ? "kept" : "would be removed"}, ${d.why}`);
	return [
		el(
			"details",
			{},
			el("summary", {}, `${run.decided.length - gone.length} kept, ${gone.length} would be removed`),
			el("ul", { class: "decided" }, [...gone, ...run.decided.filter((d) => d.keep)].map(line)),
		),
	];
}

const sizeText = (run) =>
	run.plain_bytes > 0 && !isUnderWay(run)
		? [format(run.stored_bytes, "bytes"), el("p", { class: "small" }, `${format(run.plain_bytes, "bytes")} dumped`)]
		: run.removed > 0
			? `${run.removed} removed`
			: "–";

const COLUMNS = [
	{
		id: "what",
		title: "Run",
		cell: (r) =>
			[
				el("span", {}, whatText(r), el("span", { class: "small" }, ` ${r.run} · ${triggerText(r)}`)),
				...errorsOf(r),
				...decisions(r),
				countsText(r.counts) && el("p", { class: "small" }, countsText(r.counts)),
			].filter(Boolean),
	},
	{ id: "kind", title: "State", cell: (r) => runBadge(r) },
	{ id: "time", title: "Began", cell: (r) => clock((r.started_ms || r.queued_ms) / 1000) },
	{ id: "took", title: "Took", cell: (r) => (r.duration_ms > 0 ? tookText(r.duration_ms) : "–") },
	{ id: "bytes", title: "Size", cell: sizeText },
];

export class RunList {
	constructor(name, signal) {
		this.name = name;
		this.signal = signal;
		this.rows = [];
		this.list = el("div", {}, el("p", { class: "small" }, "Loading …"));
		this.more = el("button", { type: "button", hidden: true, on: { click: () => this.older() } }, "Older");
		this.node = el(
			"section",
			{ class: "runs" },
			el("h3", { class: "section" }, "Runs"),
			this.list,
			el("p", { class: "more" }, this.more),
		);
	}

	query(before) {
		const q = new URLSearchParams({ job: this.name, limit: PAGE });
		if (before) q.set("before", before);
		return `/api/v1/backups/runs?${q}`;
	}

	/** The newest; those of the pages before stay. */
	async load() {
		let runs;
		try {
			({ runs } = await get(this.query(), this.signal));
		} catch (e) {
			if (!this.signal.aborted)
				replaceContent(this.list, el("p", { class: "error-text" }, `Could not be loaded: ${e.message}`));
			this.shown = null;
			return;
		}
		const oldest = runs.at(-1)?.run ?? 0;
		const kept = runs.length < PAGE ? [] : this.rows.filter((r) => r.run < oldest);
		if (!kept.length) this.more.hidden = runs.length < PAGE;
		this.rows = [...runs, ...kept];
		this.show();
	}

	async older() {
		this.more.disabled = true;
		try {
			const { runs } = await get(this.query(this.rows.at(-1).run), this.signal);
			this.rows.push(...runs);
			this.more.hidden = runs.length < PAGE;
			this.show();
		} finally {
			this.more.disabled = false;
		}
	}

	show() {
		const text = JSON.stringify(this.rows);
		if (text === this.shown) return;
		this.shown = text;
		replaceContent(
			this.list,
			this.rows.length
				? plainTable({ caption: "Runs", columns: COLUMNS, rows: this.rows })
				: el("p", { class: "small" }, "Nothing was run yet."),
		);
	}
}
