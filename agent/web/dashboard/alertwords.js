// SPDX-License-Identifier: Apache-2.0
// Alerts, events and channels in words and badges, as all parts of the section show them.

import { el, setText } from "/assets/dom.js";
import { clock, duration, format, minute } from "/assets/units.js";

const KINDS = { critical: "bad", warning: "warn", info: "off" };

/** The class of the colour of a severity: bad, warn, off. */
export const kindOf = (severity) => KINDS[severity] ?? "off";

export const badge = (kind, text, title) => el("span", { class: `badge ${kind}`, title }, text);

export const severityBadge = (severity) => badge(kindOf(severity), severity);

const STATES = {
	pending: ["pending", "Over its limit, but not yet for long enough to tell anybody"],
	clearing: ["clearing", "Below its limit again; it is over when that lasts"],
	"no-data": ["no data", "It fired, and its value is unknown since"],
	flapping: ["flapping", "It fires and recovers again and again; you are told once, not each time"],
};

/** What is special about the state of an alert, as a badge; null for one that simply fires. */
export function stateBadge(state) {
	const found = STATES[state];
	return found ? badge("off", ...found) : null;
}

/** Address of the page of an entity; `query` is "from=..&to=.." or nothing. */
export function hrefOf(cls, key, query) {
	if (cls === "backup") return `#/backups/${encodeURIComponent(key)}`; // a job; it has no charts
	const page = cls === "container" || cls === "service" ? cls : `entity/${encodeURIComponent(cls)}`;
	return `#/${page}/${encodeURIComponent(key)}${query ? `?${query}` : ""}`;
}

/** The same of what an event is about: of deploys the app with its history, not its charts. */
export function hrefOfEvent(ev, query) {
	const [cls, key] = partsOf(ev.entity);
	if (/^(audit\.)?deploy\b/.test(ev.kind)) return `#/deploys/${encodeURIComponent(key)}`;
	return hrefOf(cls, key, query);
}

/** "filesystem//var" is the filesystem "/var". */
export function partsOf(entity) {
	const at = entity.indexOf("/");
	return [entity.slice(0, at), entity.slice(at + 1)];
}

/** An entity for people: "filesystem /var", and "host" for the only one of its class. */
export const entityText = (cls, key) => (cls === key ? cls : `${cls} ${key}`);

export const valueText = (v, unit) => (v === null || v === undefined ? "unknown" : format(v, unit));

/** "3 min ago", "in 5 min"; within a few seconds "just now". */
export function agoText(ms, now) {
	const s = now - ms / 1000;
	if (Math.abs(s) < 5) return "just now";
	return s > 0 ? `${duration(s)} ago` : `in ${duration(-s)}`;
}

/** How texts of time go on: `form` is "ago" or "for". */
const FORMS = { ago: agoText, for: (ms, now) => duration(now - ms / 1000) };

/** A time beside the present: "3 min ago" or "3 min"; refreshTimes() keeps it true. */
export function since(ms, now, form = "ago") {
	if (!ms) return "–";
	return el(
		"time",
		{ class: "since", datetime: new Date(ms).toISOString(), title: clock(ms / 1000), "data-form": form },
		FORMS[form](ms, now),
	);
}

export function refreshTimes(root, now) {
	for (const t of root.querySelectorAll("time.since")) setText(t, FORMS[t.dataset.form](Date.parse(t.dateTime), now));
}

const messages = (n) => (n === 1 ? "1 message" : `${n} messages`);
const at = (ms) => minute(ms / 1000);
const join = (...list) => list.filter(Boolean).join(", ");

/** {kind, text}: what a channel does, as one sentence. `now` in Unix seconds. */
export function channelState(c, now) {
	const from = c.oldest_ms > 0 ? ` since ${at(c.oldest_ms)}` : "";
	const waits = c.waiting > 0 && `${messages(c.waiting)} waiting${from}`;
	const next = c.next_ms > 0 && `next try ${at(c.next_ms)}`;
	switch (c.doing) {
		case "broken":
			return { kind: "bad", text: `broken: ${join(c.last_error, waits, next)}` };
		case "waiting":
			return { kind: "warn", text: `waiting: ${join(`${messages(c.waiting)}${from}`, c.last_error, next)}` };
		case "rate":
			return {
				kind: "off",
				text: join("as many as allowed were sent", waits, c.next_ms > 0 && `goes on ${at(c.next_ms)}`),
			};
		case "quiet":
			return { kind: "off", text: join(c.next_ms > 0 ? `quiet until ${at(c.next_ms)}` : "quiet", waits) };
		case "grouping":
			return { kind: "good", text: `collects ${messages(c.waiting)}, sends ${agoText(c.next_ms, now)}` };
		case "sending":
			return { kind: "good", text: "sends now" };
	}
	if (c.last_failed_ms > c.last_sent_ms)
		return { kind: "warn", text: `the last message failed ${agoText(c.last_failed_ms, now)}: ${c.last_error}` };
	if (c.last_sent_ms > 0) return { kind: "good", text: `works, last sent ${agoText(c.last_sent_ms, now)}` };
	return { kind: "off", text: "nothing was sent yet" };
}

const DELIVERIES = {
	waiting: ["warn", "waiting", "It is tried again until it is a day old"],
	sent: ["good", "sent"],
	collapsed: ["off", "replaced", "A newer message of the same story was sent in its place"],
	counted: ["off", "counted", "It is among the “and N more” of another message"],
	refused: ["bad", "refused", "The provider will never take it"],
	expired: ["bad", "given up", "It could not be sent for a day"],
};

export const DELIVERY_STATES = Object.keys(DELIVERIES);

export const deliveryBadge = (state) => badge(...(DELIVERIES[state] ?? ["off", state]));

const GOOD = new Set(["recovered", "succeeded", "verified", "drilled", "restored", "done"]); // of backups and deploys

/** {kind, text} of an event. */
export function eventKind(ev) {
	switch (ev.kind) {
		case "alert.recovered":
			return { kind: "good", text: "recovered" };
		case "alert.reminder":
			return { kind: kindOf(ev.severity), text: `still ${ev.severity}` };
		case "alert.flapping":
			return { kind: kindOf(ev.severity), text: "flapping" };
		case "alert.firing":
			return { kind: kindOf(ev.severity), text: ev.severity };
	}
	const text = ev.kind.split(".").pop().replaceAll("_", " ");
	return { kind: ev.is_end || GOOD.has(text) ? "good" : kindOf(ev.severity), text };
}

/** Text in which `backticks` mark what is typed, as nodes. */
export const withCode = (text) =>
	text
		.split("`")
		.map((piece, i, all) => (i % 2 === 0 ? piece : i < all.length - 1 ? el("code", {}, piece) : `\`${piece}`));

/** A name as a pattern that only it fits. */
export const literal = (name) => name.replace(/[*?[\]\\]/g, "\\$&").replace(/^!/, "\\!");
