// SPDX-License-Identifier: Apache-2.0
// The page of backups: a table of jobs, each of which opens. #/backups/NAME comes with that one open.

import { refreshTimes } from "/assets/alertwords.js";
import { get } from "/assets/api.js";
import { BackupJob } from "/assets/backupjob.js";
import { howToBackUp } from "/assets/backuphow.js";
import { isUnderWay, jobStates, summaryText } from "/assets/backupwords.js";
import { el, setText } from "/assets/dom.js";

const TICK_MS = 5000;
const REFRESH_MS = 60000; // what no event tells: the schedule, the clock
const COLUMNS = [
	["name", "Job"],
	["state", "State"],
	["last", "Last good backup"],
	["size", "Size"],
	["took", "Took"],
	["next", "Next"],
];

export function backupsPage(ctx, name) {
	return new BackupsPage(ctx, name);
}

/** Only jobs that are new to the page take their place by this: nothing moves while it is looked at. */
function worstFirst(jobs, now) {
	const rank = (job) => (jobStates(job, now).some(([kind]) => kind === "bad") ? 0 : 1);
	return [...jobs].sort((a, b) => rank(a) - rank(b));
}

class BackupsPage {
	constructor(ctx, name) {
		this.ctx = ctx;
		this.open = name;
		this.stream = "class=agent"; // small; tells that the agent is there
		this.abort = new AbortController();
		this.jobs = new Map();
		this.sight = new IntersectionObserver((list) => this.seen(list), { rootMargin: "200px" });
		this.summary = el("span", { class: "small" });
		this.failure = el("p", { class: "error", role: "alert", hidden: true });
		this.none = el(
			"div",
			{ class: "card how none", hidden: true },
			el("p", { class: "none-word" }, "Nothing is backed up yet."),
			howToBackUp(),
		);
		this.unknown = el("p", { class: "card message", hidden: true });
		this.how = el(
			"details",
			{ class: "card how", hidden: true },
			el("summary", {}, "How to add a backup"),
			howToBackUp(),
		);
		this.table = el(
			"table",
			{},
			el("caption", { class: "sr" }, "Backup jobs"),
			el(
				"thead",
				{},
				el(
					"tr",
					{},
					COLUMNS.map(([id, title]) => el("th", { scope: "col", class: `col-${id}` }, title)),
				),
			),
		);
		this.sheet = el("div", { class: "card jobs", hidden: true }, this.table);
		this.node = el(
			"div",
			{ class: "page backups" },
			el("header", { class: "page-head" }, el("h2", {}, "Backups"), this.summary),
			this.failure,
			this.unknown,
			this.none,
			this.sheet,
			this.how,
		);
	}

	start() {
		this.timers = [
			setInterval(() => document.hidden || this.tick(), TICK_MS),
			setInterval(() => document.hidden || this.load(), REFRESH_MS),
		];
		return this.load();
	}

	/** One at a time; what is asked for meanwhile is done once more at the end. */
	async load() {
		this.again = this.loading === true;
		if (this.loading) return;
		this.loading = true;
		do {
			this.again = false;
			await this.loadOnce();
		} while (this.again && !this.abort.signal.aborted);
		this.loading = false;
	}

	async loadOnce() {
		try {
			const { jobs, timezone } = await get("/api/v1/backups", this.abort.signal);
			this.failure.hidden = true;
			this.show(jobs, timezone);
		} catch (e) {
			if (this.abort.signal.aborted || e.status === 401) return;
			setText(this.failure, `Could not be loaded: ${e.message}`);
			this.failure.hidden = false;
		}
	}

	show(jobs, zone) {
		const now = this.ctx.range.now();
		const names = new Set(jobs.map((j) => j.name));
		this.list = jobs;
		for (const [name, job] of this.jobs) {
			if (names.has(name)) continue;
			job.node.remove();
			this.jobs.delete(name);
		}
		this.none.hidden = jobs.length > 0;
		this.sheet.hidden = jobs.length === 0;
		this.how.hidden = jobs.length === 0;
		this.unknown.hidden = !this.open || names.has(this.open);
		setText(this.unknown, `There is no backup job “${this.open}”.`);
		for (const j of worstFirst(jobs, now)) this.job(j).show(j, now, zone);
		this.showOpen();
		this.showSummary();
	}

	job(j) {
		let job = this.jobs.get(j.name);
		if (job) return job;
		job = new BackupJob(this.ctx, j.name, () => this.load(), this.abort.signal);
		this.jobs.set(j.name, job);
		this.table.append(job.node);
		job.row.job = job;
		this.sight.observe(job.row);
		if (j.name === this.open) job.toggle(true);
		return job;
	}

	seen(list) {
		for (const { isIntersecting, target } of list) {
			if (!isIntersecting) continue;
			this.sight.unobserve(target);
			target.job.look();
		}
	}

	/** The job of the address may be far below. */
	showOpen() {
		const job = this.jobs.get(this.open);
		if (this.shownOpen || !job) return;
		this.shownOpen = true;
		if (job.row.getBoundingClientRect().top > innerHeight / 2) job.row.scrollIntoView();
	}

	showSummary() {
		setText(this.summary, this.list?.length ? summaryText(this.list, this.ctx.range.now()) : "");
	}

	tick() {
		const now = this.ctx.range.now();
		refreshTimes(this.node, now);
		for (const job of this.jobs.values()) job.tick(now);
		this.showSummary();
	}

	/** A run began, went on or ended. */
	backup({ run }) {
		this.jobs.get(run.job)?.news(run);
		if (run.state !== this.states?.get(run.run) || !isUnderWay(run)) this.load();
		this.states ??= new Map();
		this.states.set(run.run, run.state);
	}

	resume() {
		this.load();
		for (const job of this.jobs.values()) job.reload();
	}

	destroy() {
		this.timers?.forEach(clearInterval);
		this.sight.disconnect();
		this.abort.abort();
	}
}
