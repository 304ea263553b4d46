// SPDX-License-Identifier: Apache-2.0
// Backups that failed or are overdue, as a strip on the overview. Nothing is shown when all is well.

import { badge, refreshTimes, since } from "/assets/alertwords.js";
import { get } from "/assets/api.js";
import { isOverdue, isUnderWay, jobStates } from "/assets/backupwords.js";
import { el } from "/assets/dom.js";
import { replaceContent } from "/assets/plaintable.js";

const SHOWN = 4;

/** The bad ones among the states of a job. */
const wrong = (job, now) => jobStates(job, now).filter(([kind, text]) => kind === "bad" || text === "partial");

export class BackupStrip {
	constructor(ctx) {
		this.ctx = ctx;
		this.jobs = [];
		this.node = el("section", {
			class: "firing backup-strip",
			"aria-label": "Backups",
			"data-kind": "bad",
			hidden: true,
		});
	}

	async load(signal) {
		try {
			({ jobs: this.jobs } = await get("/api/v1/backups", signal));
		} catch {
			return; // the next event tries again
		}
		this.show();
	}

	show() {
		const now = this.ctx.range.now();
		const bad = this.jobs.map((job) => [job, wrong(job, now)]).filter(([, list]) => list.length);
		const text = JSON.stringify(bad.map(([job, list]) => [job.name, list, job.last_success_ms]));
		if (text === this.shown) return;
		this.shown = text;
		this.node.hidden = bad.length === 0;
		replaceContent(
			this.node,
			el(
				"ul",
				{},
				bad.slice(0, SHOWN).map(([job, list]) => this.row(job, list, now)),
			),
			bad.length > SHOWN && el("a", { class: "small", href: "#/backups" }, `and ${bad.length - SHOWN} more`),
		);
	}

	row(job, [state, ...more], now) {
		const texts = more.map(([, text]) => text).join(", ");
		return el(
			"li",
			{ "data-kind": state[0] },
			badge(...state),
			el(
				"a",
				{ href: `#/backups/${encodeURIComponent(job.name)}`, "data-focus": `backup-${job.name}` },
				`Backup ${job.name}`,
			),
			el(
				"span",
				{ class: "small" },
				texts && `${texts} · `,
				job.last_success_ms > 0 ? ["last good one ", since(job.last_success_ms, now)] : "no good one yet",
			),
		);
	}

	/** A run's end may change what is shown, its steps do not. */
	news(run, signal) {
		if (!isUnderWay(run)) this.load(signal);
	}

	tick() {
		const now = this.ctx.range.now();
		if (this.jobs.some((job) => isOverdue(job, now))) this.show();
		refreshTimes(this.node, now);
	}
}
