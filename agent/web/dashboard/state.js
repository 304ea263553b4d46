// SPDX-License-Identifier: Apache-2.0
// State and health of a container or service as badges: a word each, never a colour alone.

import { el } from "/assets/dom.js";
import { clock } from "/assets/units.js";

const GOOD = new Set(["running", "active"]);
const IDLE = new Set(["exited", "created", "stopped"]);
const BAD = new Set(["dead", "failed", "oomkilled"]);

/** {text, kind}: kind is good, warn, bad or off. */
export function stateOf(e) {
	if (e.live === false)
		return { text: "gone", kind: "off", title: e.last_seen ? `last seen ${clock(e.last_seen)}` : "" };
	const state = e.labels?.state ?? e.labels?.active_state ?? (e.values?.running === 0 ? "stopped" : "running");
	if (GOOD.has(state)) return { text: state, kind: "good" };
	return { text: state, kind: BAD.has(state) ? "bad" : IDLE.has(state) ? "off" : "warn" };
}

/** The same for its own health check, or null when it has none. */
export function healthOf(e) {
	const healthy = e.values?.healthy;
	const text = e.labels?.health;
	if (text && text !== "none")
		return { text, kind: text === "healthy" ? "good" : text === "starting" ? "warn" : "bad" };
	if (healthy === null || healthy === undefined) return null;
	return healthy >= 0.5 ? { text: "healthy", kind: "good" } : { text: "unhealthy", kind: "bad" };
}

/** The one badge that says most: a healthy one runs. */
export function badge(e) {
	const state = stateOf(e);
	const health = state.kind === "good" ? healthOf(e) : null;
	return span(health ?? state);
}

const span = (b) => el("span", { class: `badge ${b.kind}`, title: b.title }, b.text);

export function badges(e) {
	const list = [stateOf(e), e.live === false ? null : healthOf(e)].filter(Boolean);
	if (e.class !== "container" && e.class !== "service" && e.live !== false) return [];
	return list.map(span);
}
