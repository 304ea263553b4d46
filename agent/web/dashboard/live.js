// SPDX-License-Identifier: Apache-2.0
// The stream of samples (GET /api/v1/live), kept up: it backs off when the agent is away, rests while the tab is
// hidden, and says what it does. Events:
//   sample  detail {time, entities}
//   alerts  detail {firing, worst, first}: what fires changed; first: it is what a stream begins with
//   backup  detail {run}: a run of a backup began, went on or ended
//   deploy  detail {deploy}: a deploy began, went on or ended
//   resume  samples were missed: what is shown must be fetched again
//   state   the texts of `state` and `lastSample` changed

import { get } from "/assets/api.js";

const BACKOFF_MS = [1000, 2000, 4000, 8000, 15000, 30000];
const LATE_INTERVALS = 3;

export class Live extends EventTarget {
	constructor(intervalSeconds) {
		super();
		this.interval = intervalSeconds;
		this.filter = null; // query of the stream; null: none is wanted
		this.source = null;
		this.state = "connecting"; // connecting, live, reconnecting, late, paused
		this.lastSample = 0; // Unix seconds of the newest sample
		this.heardAt = 0; // when it came, on this machine's clock
		this.tries = 0;
		this.missed = false;
		this.told = false; // this stream said what fires
		this.timer = null;
		document.addEventListener("visibilitychange", () => this.visibility());
		setInterval(() => this.watch(), 1000);
	}

	/** Streams "class=host&class=disk" from now on. */
	want(filter) {
		if (filter === this.filter && this.source) return;
		this.filter = filter;
		this.missed = false;
		this.open();
	}

	open() {
		this.close();
		if (this.filter === null) this.set("paused");
		if (this.filter === null || document.hidden) return;
		const source = new EventSource(`/api/v1/live?${this.filter}`);
		this.source = source;
		this.told = false;
		source.addEventListener("open", () => this.opened());
		source.addEventListener("sample", (e) => this.sample(e));
		source.addEventListener("alerts", (e) => this.alerts(e));
		for (const name of ["backup", "deploy"]) source.addEventListener(name, (e) => this.pass(name, e));
		source.addEventListener("error", () => this.failed());
	}

	close() {
		clearTimeout(this.timer);
		this.source?.close();
		this.source = null;
	}

	opened() {
		this.tries = 0;
		this.heardAt = Date.now();
		this.set("live");
		if (this.missed) {
			this.missed = false;
			this.dispatchEvent(new Event("resume"));
		}
	}

	sample(e) {
		const detail = parse(e.data);
		if (!detail) return;
		this.lastSample = detail.time;
		this.heardAt = Date.now();
		this.set("live");
		this.dispatchEvent(new CustomEvent("sample", { detail }));
	}

	alerts(e) {
		const detail = parse(e.data);
		if (detail) this.dispatchEvent(new CustomEvent("alerts", { detail: { ...detail, first: !this.told } }));
		this.told = true;
	}

	pass(name, e) {
		const detail = parse(e.data);
		if (detail) this.dispatchEvent(new CustomEvent(name, { detail }));
	}

	failed() {
		this.close();
		this.missed = true;
		this.set("reconnecting");
		const wait = BACKOFF_MS[Math.min(this.tries++, BACKOFF_MS.length - 1)];
		this.timer = setTimeout(() => this.retry(), wait * (0.8 + Math.random() * 0.4));
	}

	/** A stream does not tell why it was refused; a session that ended must lead to the login page. */
	async retry() {
		try {
			await get("/api/v1/session");
			this.open();
		} catch (e) {
			if (e.status !== 401) this.failed();
		}
	}

	visibility() {
		if (document.hidden) {
			this.close();
			this.missed = true;
			this.set("paused");
		} else if (!this.source) {
			this.tries = 0;
			this.set("reconnecting");
			this.open();
		}
	}

	watch() {
		const quiet = (Date.now() - this.heardAt) / 1000;
		if (this.state === "live" && quiet > LATE_INTERVALS * this.interval + 2) this.set("late");
	}

	set(state) {
		const same = state === this.state && state !== "live";
		this.state = state;
		if (!same) this.dispatchEvent(new Event("state"));
	}
}

function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}
