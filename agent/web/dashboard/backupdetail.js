// SPDX-License-Identifier: Apache-2.0
// What opens below a backup job: what is wrong and what to do, buttons, facts, sizes, its backups in the stores, its runs.

import { since, withCode } from "/assets/alertwords.js";
import { get, post } from "/assets/api.js";
import { sizeChart } from "/assets/backupchart.js";
import { howToRestore } from "/assets/backuphow.js";
import { BackupList } from "/assets/backuplist.js";
import { errorsOf, RunList } from "/assets/backupruns.js";
import { engineText, isUnderWay, runBadge, scheduleText, troubles, whatText } from "/assets/backupwords.js";
import { el, setText } from "/assets/dom.js";
import { replaceContent } from "/assets/plaintable.js";
import { minute } from "/assets/units.js";

const ACTIONS = [
	["backup", "Back up now", {}],
	["verify", "Verify the newest", {}, "Reads it back from the store and checks every byte"],
	["drill", "Restore drill", {}, "Restores the newest into a throw-away place and counts what is there"],
	["prune", "Preview removal", { dry_run: true }, "Says which old backups the rules would remove; removes nothing"],
];

export class BackupDetail {
	constructor(ctx, name, signal) {
		this.ctx = ctx;
		this.name = name;
		this.path = `/api/v1/backups/jobs/${encodeURIComponent(name)}`;
		this.signal = signal;
		this.troubles = el("div", { class: "troubles" });
		this.status = el("p", { class: "action-status", role: "status" });
		this.facts = el("dl", { class: "job-facts" });
		this.chart = el("div", { class: "job-chart" });
		this.list = new BackupList(ctx, name, signal, {
			verify: (body) => this.begin({ what: "verify", ...body }),
			shown: () => this.enable(),
		});
		this.runs = new RunList(name, signal);
		this.buttons = ctx.admin
			? ACTIONS.map(([what, text, more, title], i) =>
					el(
						"button",
						{
							type: "button",
							title,
							"data-what": what,
							class: i === 0 ? "primary" : null,
							on: { click: () => this.begin({ what, ...more }) },
						},
						text,
					),
				)
			: [];
		this.node = el(
			"div",
			{ class: "detail", role: "group", "aria-label": `Backup ${name}` },
			this.troubles,
			this.buttons.length > 0 && el("div", { class: "actions" }, this.buttons),
			this.status,
			el("div", { class: "job-top" }, this.facts, this.chart),
			this.list.node,
			el("details", { class: "restore" }, el("summary", {}, "How to restore"), howToRestore(name)),
			this.runs.node,
		);
	}

	load() {
		this.list.load();
		this.runs.load();
	}

	reload() {
		this.load();
	}

	show(job, now, zone) {
		this.job = job;
		this.showTroubles(now);
		this.enable();
		const text = JSON.stringify({ ...job, running: null, zone });
		if (text === this.shown) return;
		this.shown = text;
		const rows = [
			["Stores", job.stores?.join(", ")],
			["Schedule", job.schedule ? scheduleOf(job.schedule, zone) : "by hand only"],
			["Kept", job.keep || "all of them"],
			["Encrypted", job.encrypted ? "yes" : "no"],
			["Verified", checked(job.last_verify ?? goodDrill(job), now)],
			["Restore drill", job.can_drill === false ? `none for ${engineText(job.engine)}` : checked(job.last_drill, now)],
			["Overdue", job.overdue_ms > 0 ? `when there is none by ${minute(job.overdue_ms / 1000)}` : "never"],
			["Configured in", job.origin],
		];
		replaceContent(
			this.facts,
			rows.filter(([, v]) => v).map(([title, v]) => el("div", {}, el("dt", {}, title), el("dd", {}, v))),
		);
	}

	/** What needs a backup can be asked for unless it is known that there is none. */
	enable() {
		for (const b of this.buttons) {
			b.disabled = this.beginning === true || (b.dataset.what !== "backup" && this.list.isEmpty());
			b.hidden = b.dataset.what === "drill" && this.job?.can_drill === false;
		}
	}

	showTroubles(now) {
		const list = troubles(this.job, now);
		const text = JSON.stringify(list);
		if (text === this.troublesShown) return;
		this.troublesShown = text;
		replaceContent(
			this.troubles,
			list.map((t) =>
				el(
					"section",
					{ class: "trouble", "data-kind": t.kind },
					el("h3", {}, t.title, t.run && [" ", since(t.run.ended_ms || t.run.queued_ms, now)]),
					t.run && errorsOf(t.run),
					t.text && el("p", {}, t.text),
					t.advice && el("p", { class: "advice" }, withCode(t.advice)),
				),
			),
		);
	}

	showChart(runs) {
		replaceContent(this.chart, sizeChart(runs, 90, { labels: true }));
	}

	tick(now) {
		if (this.job) this.showTroubles(now);
	}

	async begin(body) {
		setText(this.status, "");
		this.beginning = true;
		this.enable();
		try {
			const { run } = await post(`${this.path}/run`, body);
			this.mine = run;
			await this.follow(run);
		} catch (e) {
			replaceContent(this.status, el("span", { class: "error-text" }, `It did not begin: ${e.message}`));
		}
		this.beginning = false;
		this.enable();
	}

	/** A run may be over before its first event comes, and its end may be told before this answer is here. */
	async follow(number) {
		const { run } = await get(`/api/v1/backups/runs/${number}`, this.signal);
		if (this.mine !== number) return;
		if (!isUnderWay(run)) this.ended(run);
		else if (run.state === "waiting") setText(this.status, `Run ${number} waits for other runs to end.`);
		else setText(this.status, `Run ${number} has begun.`);
	}

	/** Says what became of the run that was begun here. */
	ended(run) {
		this.list.expect(run.ended_ms);
		if (run.run !== this.mine) return;
		this.mine = null;
		replaceContent(
			this.status,
			`Run ${run.run}, ${whatText(run)}: `,
			runBadge(run),
			run.error && run.state !== "cancelled" && el("span", { class: "error-text run-error" }, ` ${run.error}`),
		);
		this.load();
	}
}

/** In words, else as written; with the server's zone when it is not that of this browser, whose times all others are. */
function scheduleOf(schedule, zone) {
	const elsewhere = zone && zone !== Intl.DateTimeFormat().resolvedOptions().timeZone;
	return el(
		"span",
		{ title: schedule },
		scheduleText(schedule) ?? el("code", {}, schedule),
		elsewhere && ` (${zone.replace(/^Etc\//, "")} time)`,
	);
}

/** A drill reads all of it too. */
const goodDrill = (job) => (job.last_drill?.state === "done" ? job.last_drill : null);

function checked(run, now) {
	if (!run) return "never";
	return [runBadge(run), " ", since(run.ended_ms || run.queued_ms, now)];
}
