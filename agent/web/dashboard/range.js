// SPDX-License-Identifier: Apache-2.0
// The stretch of time that all charts of the page show: the last N seconds, or from-to after a zoom. It is kept in the
// address (#/route?range=6h or ?from=..&to=..), so that a link shows others the same.

export const SPANS = [
	["15m", 900, "15 minutes"],
	["1h", 3600, "1 hour"],
	["6h", 21600, "6 hours"],
	["24h", 86400, "24 hours"],
	["2d", 172800, "2 days"],
	["7d", 604800, "7 days"],
	["30d", 2592000, "30 days"],
	["1y", 31536000, "1 year"],
];

const SHORTEST = 60; // seconds
const LONGEST = 31536000 * 2;

export class TimeRange extends EventTarget {
	constructor() {
		super();
		this.span = 3600;
		this.zoomed = null; // {from, to} in Unix seconds
		this.skew = 0; // how far the server's clock is ahead of this one's
		this.read(sessionStorage.getItem("agent.range") ?? "");
	}

	/** The present by the server's clock, which the measurements carry. */
	now() {
		return Date.now() / 1000 + this.skew;
	}

	setServerTime(unix) {
		const skew = unix - Date.now() / 1000;
		if (Math.abs(skew - this.skew) > 2) this.skew = skew;
	}

	/** {from, to}: what is shown now. */
	window() {
		if (this.zoomed) return this.zoomed;
		const to = this.now();
		return { from: to - this.span, to };
	}

	/** True while the right edge is the present. */
	get following() {
		return this.zoomed === null;
	}

	pick(span) {
		this.span = span;
		this.zoomed = null;
		this.changed();
	}

	zoom(from, to) {
		const middle = (from + to) / 2;
		const half = Math.min(Math.max(to - from, SHORTEST), LONGEST) / 2;
		this.zoomed = { from: Math.round(middle - half), to: Math.round(middle + half) };
		this.changed();
	}

	/** Factor below 1 zooms in, above 1 out, around the middle. */
	scale(factor) {
		const { from, to } = this.window();
		const middle = (from + to) / 2;
		const half = ((to - from) / 2) * factor;
		if (factor > 1 && middle + half >= this.now()) this.zoom(this.now() - 2 * half, this.now());
		else this.zoom(middle - half, middle + half);
	}

	/** Moves by a part of what is shown; going past the present follows it again when that shows the same span. */
	pan(part) {
		const { from, to } = this.window();
		const by = (to - from) * part;
		const past = to + by - this.now();
		if (past > 0 && Math.abs(to - from - this.span) < 2) this.reset();
		else this.zoom(from + by - Math.max(past, 0), to + by - Math.max(past, 0));
	}

	/** Stops following, or follows again. */
	setFollowing(on) {
		if (on) return this.reset();
		const { from, to } = this.window();
		this.zoom(from, to);
	}

	reset() {
		this.zoomed = null;
		this.changed();
	}

	/** "range=6h" or "from=..&to=.."; what is not understood changes nothing. True when something changed. */
	read(query) {
		const before = this.toString();
		const q = new URLSearchParams(query);
		const span = SPANS.find(([name]) => name === q.get("range"));
		const from = Number(q.get("from"));
		const to = Number(q.get("to"));
		if (span) this.span = span[1];
		if (q.has("from") && from > 0 && to > from && to - from <= LONGEST) this.zoomed = { from, to };
		else if (span) this.zoomed = null;
		return this.toString() !== before;
	}

	toString() {
		const name = SPANS.find(([, seconds]) => seconds === this.span)?.[0] ?? "1h";
		return this.zoomed ? `range=${name}&from=${this.zoomed.from}&to=${this.zoomed.to}` : `range=${name}`;
	}

	changed() {
		sessionStorage.setItem("agent.range", this.toString());
		this.dispatchEvent(new Event("change"));
	}
}
