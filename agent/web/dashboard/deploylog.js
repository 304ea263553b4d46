// SPDX-License-Identifier: Apache-2.0
// The log of a deploy, followed while it grows (GET /api/v1/deploys/ID/log). It keeps the newest line in sight until somebody
// scrolls up, and goes on where it was when the connection is lost. Lines are in blocks that the browser lays out only in
// sight, and of very long logs the beginning is dropped: thousands of lines cost nothing.

import { get } from "/assets/api.js";
import { el, perFrame, setAttr, setText } from "/assets/dom.js";

const BLOCK_LINES = 200;
const LINES_MAX = 20000; // on the page; all of them are in the text
const FRAME_LINES = 3000; // put on the page at once
const NEAR_END = 30; // pixels
const BACKOFF_MS = [500, 1000, 2000, 5000, 10000, 20000];

export class DeployLog {
	constructor(id) {
		this.path = `/api/v1/deploys/${id}/log`;
		this.offset = "0";
		this.tries = 0;
		this.lines = 0;
		this.dropped = 0;
		this.pending = [];
		this.following = true;
		this.flush = perFrame(() => this.putLines());
		this.state = el("span", { class: "small log-state", role: "status" }, "connecting");
		this.follow = el(
			"button",
			{ type: "button", "aria-pressed": "true", on: { click: () => this.setFollowing(!this.following) } },
			"Follow",
		);
		this.cut = el("p", { class: "log-cut", hidden: true });
		this.box = el("div", {
			class: "log-box",
			tabindex: "0",
			role: "log",
			"aria-live": "off", // it would read out thousands of lines
			"aria-label": `Log of deploy ${id}`,
			on: { scroll: () => this.scrolled() },
		});
		this.node = el(
			"div",
			{ class: "log" },
			el(
				"div",
				{ class: "log-head" },
				el("h4", {}, `Log of deploy ${id}`),
				this.state,
				el(
					"span",
					{ class: "log-tools" },
					this.follow,
					el("a", { href: this.path, target: "_blank", rel: "noopener" }, "As text"),
				),
			),
			this.cut,
			this.box,
		);
		this.onVisibility = () => (document.hidden ? this.disconnect("paused") : !this.source && this.connect());
		document.addEventListener("visibilitychange", this.onVisibility);
		this.connect();
	}

	connect() {
		if (this.over || document.hidden) return;
		const source = new EventSource(`${this.path}?offset=${this.offset}`);
		this.source = source;
		source.addEventListener("open", () => {
			this.tries = 0;
			setText(this.state, "live");
		});
		source.addEventListener("log", (e) => this.take(e));
		source.addEventListener("end", () => this.end());
		source.addEventListener("error", () => this.failed());
	}

	disconnect(text) {
		clearTimeout(this.timer);
		this.source?.close();
		this.source = null;
		if (!this.over) setText(this.state, text);
	}

	take(e) {
		this.offset = e.lastEventId || this.offset;
		for (const line of e.data.split("\n")) this.pending.push(line);
		this.flush();
	}

	end() {
		this.over = true;
		this.disconnect();
		this.flush();
		setText(this.state, this.lines || this.pending.length ? "complete" : "nothing was printed");
		this.follow.hidden = true;
	}

	failed() {
		this.disconnect("reconnecting");
		const wait = BACKOFF_MS[Math.min(this.tries++, BACKOFF_MS.length - 1)];
		this.timer = setTimeout(() => this.retry(), wait);
	}

	/** A stream does not tell why it was refused: the session may have ended, or the log is not there. */
	async retry() {
		try {
			await get("/api/v1/session");
			this.connect();
		} catch (e) {
			if (e.status !== 401) this.failed();
		}
	}

	putLines() {
		const some = this.pending.splice(0, FRAME_LINES);
		for (const line of some) this.put(line);
		while (this.lines > LINES_MAX && this.box.children.length > 1) this.drop();
		if (some.length && this.following) this.toEnd();
		if (this.pending.length) this.flush();
		setText(this.cut, `The first ${this.dropped} lines are left out here; the text has them.`);
		this.cut.hidden = this.dropped === 0;
	}

	/** "2026-11-21T03:00:00Z build | text"; what is not of that form stands as it is. */
	put(line) {
		const [, time, stage, text] = /^(\S{10}T\S{8}\S*Z) (\S+) \| (.*)$/s.exec(line) ?? [null, "", this.stage ?? "", line];
		if (stage !== this.stage || !this.block || this.inBlock >= BLOCK_LINES) this.begin(stage);
		this.block.append(el("div", { "data-time": time ? clockOf(time) : null }, text || " "));
		this.inBlock++;
		this.lines++;
	}

	begin(stage) {
		this.block = el("div", { class: "log-block" });
		if (stage !== this.stage) this.block.append(el("p", { class: "log-stage" }, stage));
		this.stage = stage;
		this.inBlock = 0;
		this.box.append(this.block);
	}

	drop() {
		const first = this.box.firstElementChild;
		const n = first.querySelectorAll("div").length;
		this.lines -= n;
		this.dropped += n;
		first.remove();
	}

	toEnd() {
		this.box.scrollTop = this.box.scrollHeight;
	}

	/** Whoever scrolls up wants to read; whoever comes back to the end wants to follow. */
	scrolled() {
		const { scrollTop, scrollHeight, clientHeight } = this.box;
		const near = scrollHeight - scrollTop - clientHeight < NEAR_END;
		const up = scrollTop < (this.lastTop ?? 0);
		this.lastTop = scrollTop;
		if (near || up) this.setFollowing(near, false);
	}

	setFollowing(on, scroll = true) {
		this.following = on;
		setAttr(this.follow, "aria-pressed", String(on));
		if (on && scroll) this.toEnd();
	}

	destroy() {
		this.over = true;
		this.disconnect();
		document.removeEventListener("visibilitychange", this.onVisibility);
		this.node.remove();
	}
}

const two = (n) => String(n).padStart(2, "0");

function clockOf(time) {
	const d = new Date(time);
	return Number.isNaN(d.getTime()) ? "" : `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
