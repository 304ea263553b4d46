// SPDX-License-Identifier: Apache-2.0
// Deploys in words and badges: how an app stands, the steps of a deploy, who wanted it, and what to do when it did not work.
// Pure but for the badges.

import { badge } from "/assets/alertwords.js";
import { duration } from "/assets/units.js";

const STATES = {
	queued: ["off", "waiting"],
	fetching: ["run", "fetching"],
	building: ["run", "building"],
	pushing: ["run", "pushing"],
	releasing: ["run", "releasing"],
	stopping: ["run", "stopping the old version"],
	starting: ["run", "starting"],
	probing: ["run", "probing"],
	routing: ["run", "switching"],
	watching: ["run", "watching"],
	draining: ["run", "draining"],
	removing: ["warn", "removing the new version"],
	returning: ["warn", "going back"],
	done: ["good", "done"],
	failed: ["bad", "failed"],
	rolled_back: ["bad", "rolled back"],
	broken: ["bad", "broken"],
	skipped: ["off", "skipped"],
	superseded: ["off", "superseded"],
	cancelled: ["warn", "cancelled"],
};
const ENDS = new Set(["done", "failed", "rolled_back", "broken", "skipped", "superseded", "cancelled"]);
const BAD = new Set(["failed", "rolled_back", "broken"]);
const WAY_BACK = new Set(["removing", "returning"]);

export const hasEnded = (d) => ENDS.has(d.state);
export const isBad = (d) => Boolean(d) && BAD.has(d.state);
export const isWaiting = (d) => d.state === "queued";
/** Not once it is finished anyway, or being undone. */
export const canCancel = (d) => !hasEnded(d) && d.state !== "draining" && !WAY_BACK.has(d.state);
export const deployState = (d) => STATES[d.state] ?? ["off", d.state];
export const deployBadge = (d) => badge(...deployState(d));

export const shortCommit = (commit) => (commit ?? "").slice(0, 8);

/** "shop:7" of "registry.example.com:5000/team/shop:7". */
const imageName = (image) => image.split("/").pop();

/** What names its version: the commit, else the image, else its number. */
export const versionName = (d) =>
	shortCommit(d.commit) || (d.new?.image ? imageName(d.new.image) : "") || `deploy ${d.id}`;

/** "main", "tag v1.2", "" for an image. */
export function refText(ref) {
	const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/s.exec(ref ?? "") ?? [];
	if (!name) return ref ?? "";
	return kind === "tags" ? `tag ${name}` : name;
}

const TRIGGERS = {
	webhook: "by a webhook",
	command: "by command",
	api: "over the API",
	push: "by git push",
	rollback: "rollback",
	recovery: "after a restart",
};

/** Who wanted it and how: "octocat, by a webhook of github". */
export function whoText(d) {
	const how = TRIGGERS[d.trigger] ?? d.trigger;
	return [d.by, d.trigger === "webhook" && d.provider ? `${how} of ${d.provider}` : how].filter(Boolean).join(", ");
}

/** "40 ms", "1.4 s", "41 s", "1 min 29 s": of deploys, seconds matter for longer than elsewhere. */
export function tookText(ms) {
	const s = Math.floor(ms / 1000);
	if (ms < 1000) return `${Math.max(0, Math.round(ms))}\u00a0ms`;
	if (ms < 10000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}\u00a0s`;
	return s >= 60 && s < 3600 && s % 60 ? `${Math.floor(s / 60)}\u00a0min ${s % 60}\u00a0s` : duration(s);
}

/** How long all of it took, or has taken so far; null while it waits. */
export function tookMs(d, now) {
	if (!(d.started_ms > 0)) return null;
	return (d.ended_ms > 0 ? d.ended_ms : now * 1000) - d.started_ms;
}

/** null: not measured. */
export function downtimeText(d) {
	if (!(d.downtime_ms >= 0)) return null;
	return d.downtime_ms === 0 ? "none" : tookText(d.downtime_ms);
}

const STEPS = [
	["Fetch", ["fetch", "filter"], "source"],
	["Build", ["pre-build", "build"], "new"],
	["Push", ["push"], "seen"],
	["Release", ["release", "pre-start"], "seen"],
	["Stop old", ["stop"], "recreate"],
	["Start", ["start"]],
	["Probe", ["probe", "pre-route"]],
	["Route", ["route"]],
	["Watch", ["watch"]],
	["Drain", ["drain", "stop"], "start-first"],
	["Clean up", ["retire"]],
];

/** Whether a step is among those that this deploy goes through. */
function applies(d, when, seen) {
	const old = Boolean(d.old?.image || d.old?.container || d.old?.address || d.old?.digest);
	if (when === "seen") return seen;
	if (when === "source") return !d.rollback_of && Boolean(d.ref || d.commit);
	if (when === "new") return !d.rollback_of;
	if (when) return d.strategy === when && (old || seen);
	return true;
}

/** The worst of what its stages came to; "" for none. */
function stateOf(list) {
	for (const state of ["running", "failed", "interrupted", "cancelled"]) if (list.some((s) => s.state === state)) return state;
	if (!list.length) return "";
	return list.some((s) => s.state === "done") ? "done" : "skipped";
}

const spanOf = (s, now) => Math.max(0, (s.ended_ms > 0 ? s.ended_ms : now * 1000) - s.started_ms);

function step(title, list, now) {
	const ms = list.reduce((sum, s) => sum + spanOf(s, now), 0);
	const attempts = Math.max(1, ...list.map((s) => s.attempts ?? 1));
	return { title, state: stateOf(list), ms: list.length ? ms : null, attempts };
}

/**
 * The steps of a deploy in order: [{title, state, ms, attempts}]. state: done, running, skipped, failed, cancelled, interrupted, or
 * "" for one to come. What is left of one that has ended was never reached and is left out; the way back comes last.
 */
export function stepsOf(d, now) {
	const stages = d.stages ?? [];
	const forward = stages.filter((s) => s.verb !== "revert");
	const rows = STEPS.map(([title, names, when]) => {
		const list = forward.filter((s) => names.includes(s.stage));
		const worked = list.some((s) => !s.nothing); // a hook served it
		return applies(d, when, worked) ? step(title, list, now) : null;
	}).filter(Boolean);
	const back = stages.filter((s) => s.verb === "revert");
	const ended = hasEnded(d) || back.length > 0 || WAY_BACK.has(d.state);
	const last = rows.findLastIndex((r) => r.state !== "");
	const shown = ended ? rows.slice(0, last + 1) : rows;
	if (!back.length) return shown.map((r, i) => (r.state === "" && i < last ? { ...r, state: "skipped" } : r));
	const title = d.after === "rolled_back" || d.state === "rolled_back" || d.state === "broken" ? "Back to the old" : "Remove the new";
	return [...shown, { ...step(title, back, now), back: true }];
}

const STEP_STATES = {
	done: "done",
	running: "running",
	skipped: "nothing to do",
	failed: "failed",
	cancelled: "cancelled",
	interrupted: "interrupted",
	"": "to come",
};
export const stepStateText = (s) => STEP_STATES[s.state] ?? s.state;

/** "Fetch 1.4 s, Build 41 s (2 attempts), Probe 60 s failed". */
export const stepsText = (d, now) =>
	stepsOf(d, now)
		.filter((s) => s.ms !== null)
		.map((s) => {
			const bad = s.state !== "done" && s.state !== "running" ? ` ${stepStateText(s)}` : "";
			return `${s.title} ${tookText(s.ms)}${s.attempts > 1 ? ` (${s.attempts} attempts)` : ""}${bad}`;
		})
		.join(", ");

/** Where it is in its step: what is waited for. */
export function stepText(d, now) {
	const left = d.deadline_ms > 0 ? Math.max(0, d.deadline_ms / 1000 - now) : null;
	if (d.state === "watching" && left !== null) return `good when it stays healthy for another ${duration(left)}`;
	if (d.state === "draining" && d.stage === "drain" && left !== null)
		return `the version before may finish its requests, for ${duration(left)} at most`;
	return d.attempt > 1 ? `attempt ${d.attempt}` : "";
}

export function waitText(d) {
	const place = d.position > 1 ? `Waits, place ${d.position} in the queue` : "Waits for its turn";
	return d.waits_for ? `${place}: ${d.waits_for}` : place;
}

/** How an app stands, as [kind, text] each. */
export function appStates(app) {
	const list = [];
	if (app.current) list.push(deployState(app.current));
	if (isBad(app.last)) list.push(["bad", `last ${deployState(app.last)[1]}`]);
	if (!list.length) list.push(app.serves ? ["good", "serves"] : ["off", "never deployed"]);
	return list;
}

export const appBadges = (app) => appStates(app).map((s) => badge(...s));

/** "1 building, 1 last failed, 3 serve". */
export function summaryText(apps) {
	const counts = new Map();
	for (const app of apps) {
		const [, word] = appStates(app)[0];
		counts.set(word, (counts.get(word) ?? 0) + 1);
	}
	return [...counts].map(([word, n]) => `${n} ${word === "serves" && n > 1 ? "serve" : word}`).join(", ");
}

const ADVICE = {
	failed: (d) =>
		d.error?.startsWith("cancelled")
			? ""
			: "What served before was not touched. The log says what the hook printed; mend it, push again, or deploy once more.",
	rolled_back: () =>
		"The new version had the requests and was not good; the version before serves again. The log has the last lines of its container.",
	broken: (d) =>
		`Neither version could be made to serve: somebody must look now. \`agent deploy log ${d.app}\` and \`agent deploy check ${d.app}\` on the server; then roll back, or deploy again.`,
};

/** What is wrong with an app, and what to do: {kind, title, deploy, advice}, or null. `advice` has `code` in backticks. */
export function troubleOf(app) {
	const d = app.last;
	if (!isBad(d) || (app.serves && app.serves.id > d.id)) return null;
	const title = {
		failed: "The last deploy failed",
		rolled_back: "The last deploy was rolled back",
		broken: "The app is broken",
	}[d.state];
	return { kind: "bad", title, deploy: d, advice: ADVICE[d.state](d) };
}

/** Which versions can be gone back to, newest first; the first that is older than the one that serves is what is usually wanted. */
export function versionsBefore(deploys) {
	const done = deploys.filter((d) => d.state === "done");
	if (!done.length) return { versions: [], usual: null };
	const origin = done[0].rollback_of || done[0].id;
	const versions = done.filter((d) => !d.rollback_of && d.id !== origin);
	return { versions, usual: versions.find((d) => d.id < origin) ?? null };
}

const STRATEGIES = {
	"start-first": "the new version starts beside the old one; no request is lost",
	recreate: "the old version is stopped first; the app is away for a moment",
};
export const strategyText = (name) => STRATEGIES[name] ?? name;

const VERDICTS = { good: ["good", "as good as before"], worse: ["warn", "worse than before"], unknown: ["off", "no verdict"] };
/** "CPU 12 % → 25 %". */
export const verdictText = (d) => d.verdict.replaceAll(" -> ", " → ");

/** The badge of what the measurements said ten minutes later; null: nothing yet. */
export const verdictBadge = (d) => (d.verdict_grade ? badge(...(VERDICTS[d.verdict_grade] ?? ["off", d.verdict_grade])) : null);
