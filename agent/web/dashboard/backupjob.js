// SPDX-License-Identifier: Apache-2.0
// One backup job: its row, what it does just now with a bar, and what opens below. Nodes stay the same while their contents
// change, so that nothing moves away under a click.

import { since } from "/assets/alertwords.js";
import { get, post } from "/assets/api.js";
import { BARS_MAX, sizeChart } from "/assets/backupchart.js";
import { BackupDetail } from "/assets/backupdetail.js";
import {
	doingText,
	engineText,
	isUnderWay,
	jobBadges,
	progressText,
	share,
	stageText,
	tookText,
} from "/assets/backupwords.js";
import { openDialog } from "/assets/dialog.js";
import { el, setAttr, setText } from "/assets/dom.js";
import { clock, format, minute } from "/assets/units.js";

let number = 0;

export class BackupJob {
	/** `reload` fetches all jobs again. */
	constructor(ctx, name, reload, signal) {
		Object.assign(this, { ctx, name, reload: () => this.loadRuns(), reloadAll: reload, signal });
		this.runs = [];
		this.id = `job-${++number}`;
		this.cells = Object.fromEntries(["state", "last", "size", "took", "next"].map((id) => [id, this.cell(id)]));
		this.about = el("p", { class: "small" });
		this.button = el(
			"button",
			{
				type: "button",
				class: "job-name",
				"aria-expanded": "false",
				"aria-controls": this.id,
				on: { click: () => this.toggle() },
			},
			name,
		);
		this.progress = new Progress(ctx, () => this.reloadAll());
		this.below = el("td", { colspan: 6, id: this.id });
		this.row = el("tr", { class: "job" }, el("th", { scope: "row", class: "col-name" }, this.button, this.about));
		this.row.append(...Object.values(this.cells));
		this.detailRow = el("tr", { class: "job-detail", hidden: true }, this.below);
		this.node = el("tbody", {}, this.row, this.progress.node, this.detailRow);
	}

	/** It came into sight: only then its runs are asked for, of which there may be many. */
	look() {
		this.seen = true;
		return this.loadRuns();
	}

	cell(id) {
		const titles = { state: "State", last: "Last good backup", size: "Size", took: "Took", next: "Next" };
		return el("td", { class: `col-${id}`, "data-title": titles[id] });
	}

	/** `zone`: that of schedules. */
	show(job, now, zone) {
		this.job = job;
		this.zone = zone;
		this.progress.show(job.running ?? null);
		setText(this.about, [engineText(job.engine), job.source].filter(Boolean).join(" · "));
		this.showTimes(now);
		this.detail?.show(job, now, zone);
	}

	showTimes(now) {
		const job = this.job;
		const had = job.last_success_ms > 0;
		const text = JSON.stringify([{ ...job, running: job.running?.state }, Math.floor(now / 60), this.runs.length]);
		if (text === this.shown) return;
		this.shown = text;
		const small = (t) => el("p", { class: "small" }, t);
		this.cells.state.replaceChildren(el("span", { class: "badges" }, jobBadges(job, now)));
		this.cells.last.replaceChildren(
			...(had ? [since(job.last_success_ms, now), small(clock(job.last_success_ms / 1000))] : ["none yet"]),
		);
		this.cells.took.replaceChildren(had && job.last_duration_ms > 0 ? tookText(job.last_duration_ms) : "–");
		this.cells.next.replaceChildren(
			...(job.next_ms > 0
				? [since(job.next_ms, now), small(minute(job.next_ms / 1000))]
				: [el("span", { class: "small" }, job.schedule ? "never again" : "by hand only")]),
		);
		this.showSize(had);
	}

	showSize(had) {
		for (const id of ["size", "took"]) this.cells[id].classList.toggle("nothing", !had);
		const { last_size_bytes: stored, last_plain_bytes: plain } = this.job;
		const text = had
			? [
					el("span", { class: "num" }, format(stored, "bytes")),
					el("p", { class: "small" }, `${format(plain, "bytes")} dumped`),
				]
			: ["–"];
		this.cells.size.replaceChildren(
			el("div", { class: "size-cell" }, el("div", {}, text), sizeChart(this.runs, 30) ?? ""),
		);
	}

	tick(now) {
		if (this.job) this.showTimes(now);
		this.detail?.tick(now);
	}

	/** The last backups, for the bars. */
	async loadRuns() {
		if (!this.seen) return;
		try {
			const query = `job=${encodeURIComponent(this.name)}&what=backup&limit=${BARS_MAX + 2}`;
			this.runs = (await get(`/api/v1/backups/runs?${query}`, this.signal)).runs;
		} catch {
			return; // the bars are an extra
		}
		this.shown = null;
		if (this.job) this.showTimes(this.ctx.range.now());
		this.detail?.showChart(this.runs);
		this.detail?.reload();
	}

	/** The newest word on one of its runs. */
	news(run) {
		if (run.state === "running" || (isUnderWay(run) && !this.progress.run)) this.progress.show(run);
		if (isUnderWay(run)) return;
		if (this.progress.run?.run === run.run) this.progress.show(null);
		this.detail?.ended(run);
		this.loadRuns();
	}

	toggle(open = this.detailRow.hidden) {
		setAttr(this.button, "aria-expanded", String(open));
		this.detailRow.hidden = !open;
		this.node.classList.toggle("open", open);
		if (!open || this.detail) return;
		this.detail = new BackupDetail(this.ctx, this.name, this.signal);
		this.below.append(this.detail.node);
		if (this.job) this.detail.show(this.job, this.ctx.range.now(), this.zone);
		this.seen = true;
		this.detail.showChart(this.runs);
		this.detail.load();
	}
}

/** What runs, how far it is, and a way to end it. */
class Progress {
	constructor(ctx, done) {
		this.done = done;
		this.run = null;
		this.title = el("b", {});
		this.stage = el("span", {});
		this.text = el("span", { class: "small num" });
		this.fill = el("i", {});
		this.bar = el(
			"div",
			{ class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
			this.fill,
		);
		this.cancel = ctx.admin && el("button", { type: "button", on: { click: () => this.askToCancel() } }, "Cancel…");
		this.node = el(
			"tr",
			{ class: "job-progress", hidden: true },
			el(
				"td",
				{ colspan: 6 },
				el(
					"div",
					{ class: "progress" },
					el("p", { class: "progress-what" }, this.title, " · ", this.stage),
					this.text,
					this.cancel,
					this.bar,
				),
			),
		);
	}

	/** null: nothing runs. */
	show(run) {
		this.run = run;
		this.node.hidden = run === null;
		if (run === null) return;
		const part = share(run);
		setText(this.title, doingText(run));
		setText(this.stage, stageText(run));
		setText(this.text, progressText(run));
		setAttr(this.bar, "aria-label", doingText(run));
		setAttr(this.bar, "aria-valuenow", part === null ? null : Math.round(part * 100));
		this.bar.classList.toggle("unknown", part === null);
		this.fill.style.width = part === null ? "" : `${(part * 100).toFixed(1)}%`;
	}

	askToCancel() {
		const run = this.run;
		openDialog({
			title: "Cancel this run?",
			action: "Cancel the run",
			dismiss: "Let it go on",
			content: [
				el("p", { class: "about" }, `${doingText(run)} ${run.job}`),
				el("p", {}, "It ends now, and nothing of it stays in the stores. Backups made before are not touched."),
			],
			submit: async () => {
				await post(`/api/v1/backups/runs/${run.run}/cancel`, {});
				this.done();
			},
		});
	}
}
