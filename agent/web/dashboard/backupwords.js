// SPDX-License-Identifier: Apache-2.0
// Backups in words and badges: how a job stands, what a run does and did, and what to do when it did not work. Pure but
// for the badges.

import { badge } from "/assets/alertwords.js";
import { duration, format, minute } from "/assets/units.js";

const ENGINES = {
	command: "Command",
	directory: "Folder",
	mariadb: "MariaDB",
	mongodb: "MongoDB",
	mysql: "MySQL",
	postgresql: "PostgreSQL",
	redis: "Redis",
	sqlite: "SQLite",
	volume: "Docker volume",
};

export const engineText = (name) => ENGINES[name] ?? name;

const WHATS = {
	backup: ["Backup", "Backing up"],
	drill: ["Drill", "Restore drill"],
	prune: ["Removal of old ones", "Removing old ones"],
	restore: ["Restore", "Restoring"],
	verify: ["Verification", "Verifying"],
};

export const whatText = (run) =>
	(WHATS[run.what]?.[0] ?? run.what) + (run.what === "prune" && run.decided ? " (preview)" : "");
export const doingText = (run) => WHATS[run.what]?.[1] ?? run.what;

const STAGES = {
	probe: "looking at the source",
	pre: "running the command before it",
	dump: "dumping",
	commit: "completing the upload",
	post: "running the command after it",
	prune: "removing old backups",
	download: "reading",
	check: "checking",
	restore: "restoring",
	compare: "comparing what was restored",
	wait: "waiting for the store",
};

/** What a run does just now. */
export function stageText(run) {
	if (run.state === "waiting") return "waiting for other runs to end";
	const text = STAGES[run.stage] ?? run.stage ?? "";
	return [text, run.member].filter(Boolean).join(" ") || "beginning";
}

const STATES = {
	waiting: ["off", "waiting"],
	running: ["run", "running"],
	done: ["good", "ok"],
	failed: ["bad", "failed"],
	cancelled: ["warn", "cancelled"],
	interrupted: ["bad", "interrupted"],
	timed_out: ["bad", "timed out"],
};

export const isUnderWay = (run) => run?.state === "running" || run?.state === "waiting";
export const isBad = (run) => Boolean(run) && !isUnderWay(run) && (run.state !== "done" || run.partial === true);

/** [kind, text] of a run. "Partial" is a backup that not all stores have, or a restore that stopped in the middle. */
function runState(run) {
	if (run.partial && (run.state === "done" || run.state === "failed")) return ["bad", "partial"];
	return STATES[run.state] ?? ["off", run.state];
}

/** What went wrong with a store, without its name in front: for where that stands already. */
export function storeErrorText(name, error) {
	const prefix = `store ${name}: `;
	return error.startsWith(prefix) ? error.slice(prefix.length) : error;
}

/** How a run ended, when not well. */
export const runText = (run) => (isBad(run) ? runState(run)[1] : "");
export const runBadge = (run) => badge(...runState(run));

export const isOverdue = (job, now) => job.overdue === true || (job.overdue_ms > 0 && job.overdue_ms / 1000 <= now);

/** How a job stands, as [kind, text] each; the first says most. */
export function jobStates(job, now) {
	const list = [];
	if (job.running) list.push(job.running.state === "waiting" ? STATES.waiting : STATES.running);
	else if (job.waiting > 0) list.push(STATES.waiting);
	if (isBad(job.last)) list.push(runState(job.last));
	if (isOverdue(job, now)) list.push(["bad", "overdue"]);
	if (isBad(job.last_verify) && job.last_verify.state === "failed") list.push(["bad", "verification failed"]);
	if (isBad(job.last_drill) && job.last_drill.state === "failed") list.push(["bad", "drill failed"]);
	if (!list.length) list.push(job.last_success_ms > 0 ? ["good", "ok"] : ["off", "never"]);
	return list;
}

export const jobBadges = (job, now) => jobStates(job, now).map((s) => badge(...s));

/** The worst of all jobs for the page's head: "2 ok, 1 failed". */
export function summaryText(jobs, now) {
	const counts = new Map();
	for (const job of jobs) {
		const states = jobStates(job, now);
		const [, text] = states.find(([kind]) => kind === "bad") ?? states[0];
		counts.set(text, (counts.get(text) ?? 0) + 1);
	}
	return [...counts].map(([text, n]) => `${n} ${text === "never" ? "never backed up" : text}`).join(", ");
}

const ADVICE = {
	failed: (job) =>
		`\`agent backup doctor ${job.name}\` on the server looks for the cause: tools, password, store. Then back up again.`,
	timed_out: () =>
		"It took longer than the option `deadline` of this job allows, and was ended. Look for a lock in the database or a slow store, or allow it more time.",
	interrupted: () =>
		"The agent ended meanwhile: a restart, a crash, or the server went down. Nothing half-made counts as a backup, and what was left in the store is removed. Back up again.",
	cancelled: () => "It was ended by hand. Nothing of it stays in the store.",
	partial: () =>
		"The backup is good, but not all stores have it. Mend what is said above; the next backup goes to all of them again.",
};

/** What is wrong with a job and what to do about it: [{kind, title, error, advice}]; `advice` has `code` in backticks. */
export function troubles(job, now) {
	const list = [];
	const last = job.last;
	if (isBad(last)) {
		const [kind, text] = runState(last);
		const title = {
			failed: "The last backup failed",
			partial: "The last backup is not in all stores",
			cancelled: "The last backup was cancelled",
			interrupted: "The last backup was interrupted",
			"timed out": "The last backup took too long",
		}[text];
		list.push({
			kind,
			title,
			run: last,
			advice: ADVICE[text === "partial" ? text : last.state]?.(job),
		});
	}
	if (isOverdue(job, now)) list.push(overdueTrouble(job, now));
	if (job.last_verify?.state === "failed")
		list.push({
			kind: "bad",
			title: "The last verification failed",
			run: job.last_verify,
			advice: "Do not rely on that backup. Make a new one now, verify it, and look after the store it was in.",
		});
	if (job.last_drill?.state === "failed")
		list.push({
			kind: "bad",
			title: "The last restore drill failed",
			run: job.last_drill,
			advice: "It could be that a restore would not bring back all that was backed up. The text above says what differs.",
		});
	return list;
}

function overdueTrouble(job, now) {
	const due = job.overdue_ms > 0 ? ` There should have been one by ${minute(job.overdue_ms / 1000, now)}.` : "";
	const had =
		job.last_success_ms > 0
			? `The last good backup is ${duration(now - job.last_success_ms / 1000)} old.`
			: "There is no good backup yet.";
	return {
		kind: "bad",
		title: "A good backup is overdue",
		text: had + due,
		advice: job.schedule
			? "Back up now; then see in the runs below why the schedule did not."
			: "Back up now. This job has no `schedule`: it is backed up by hand only.",
	};
}

/** How far a run is, from 0 to 1; null: not known. At its end a run is longer than the last one: that is never full. */
export function share(run) {
	if (run.state === "waiting" || !(run.expected_bytes > 0) || !(run.plain_bytes >= 0)) return null;
	return Math.min(run.plain_bytes / run.expected_bytes, 0.99);
}

/** "1.4 GiB of about 3 GiB · 35 MiB/s · about 47 s left". */
export function progressText(run) {
	if (run.state === "waiting") return "";
	const bytes = (v) => format(v, "bytes");
	const done =
		run.plain_bytes > 0 &&
		(run.expected_bytes > 0
			? `${bytes(run.plain_bytes)} of about ${bytes(run.expected_bytes)}`
			: bytes(run.plain_bytes));
	return [
		done,
		run.rate_bytes > 0 && `${bytes(run.rate_bytes)}/s`,
		run.left_ms >= 0 && run.expected_bytes > 0 && `about ${duration(Math.max(1, run.left_ms / 1000))} left`,
		run.stored_bytes > 0 && `${bytes(run.stored_bytes)} stored`,
	]
		.filter(Boolean)
		.join(" · ");
}

const TRIGGERS = { schedule: "by schedule", "catch-up": "made up for after the server was off", command: "by command" };

/** Who or what began it. */
export const triggerText = (run) => (run.by ? `by ${run.by}` : (TRIGGERS[run.trigger] ?? run.trigger ?? ""));

const EXTRAS = new Set(["indexes", "links", "triggers", "views", "routines", "events"]); // no news when there are none

/** {"tables": 12, "links": 0, "rows": {"about": 90}} as "12 tables, about 90 rows". */
export function countsText(counts) {
	return Object.entries(counts ?? {})
		.filter(([name, n]) => n !== 0 || !EXTRAS.has(name))
		.map(([name, n]) => {
			const loose = n !== null && typeof n === "object";
			const value = loose ? n.about : n;
			const about = loose ? "about " : "";
			if (name === "bytes") return about + format(value, "bytes");
			const word = value === 1 ? name.replace(/ies$/, "y").replace(/s$/, "") : name;
			return `${about}${format(value, "none")} ${word}`;
		})
		.join(", ");
}

export const tookText = (ms) => (ms < 1000 ? `${Math.round(ms)}\u00a0ms` : duration(ms / 1000));

const DAYS = ["Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];
const DAY_NAMES = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const number = (text, max) => (/^\d{1,2}$/.test(text) && Number(text) <= max ? Number(text) : null);
const dayOf = (text) => DAYS[number(text, 7) ?? DAY_NAMES.indexOf(text.toLowerCase())];

/** A schedule as in crontab(5) in words, when it is one of the usual ones; else null. */
export function scheduleText(schedule) {
	const [m, h, day, month, weekday, more] = schedule.trim().split(/\s+/);
	const minutes = number(m, 59);
	const hours = number(h ?? "", 23);
	const every = number(h?.startsWith("*/") ? h.slice(2) : "", 23);
	if (more !== undefined || month !== "*" || minutes === null) return null;
	const past = String(minutes).padStart(2, "0");
	if (hours === null) {
		if (day !== "*" || weekday !== "*" || (h !== "*" && !(every > 1 && 24 % every === 0))) return null;
		const hour = h === "*" ? "hour" : `${every} hours`;
		return minutes === 0 ? `every ${hour}` : `every ${hour}, ${minutes} min past`;
	}
	const at = `at ${String(hours).padStart(2, "0")}:${past}`;
	if (day === "*" && weekday === "*") return `daily ${at}`;
	if (day === "*") return dayOf(weekday) ? `${dayOf(weekday)} ${at}` : null;
	return weekday === "*" && number(day, 31) ? `on day ${Number(day)} of the month ${at}` : null;
}
