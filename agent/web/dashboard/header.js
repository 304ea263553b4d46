// SPDX-License-Identifier: Apache-2.0
// The frame around every page: who this server is, whether what is shown is live, the pages, the range of time, and
// what is wrong right now.

import { kindOf } from "/assets/alertwords.js";
import { signOut } from "/assets/api.js";
import { el, setAttr, setText } from "/assets/dom.js";
import { SPANS } from "/assets/range.js";
import { clock, duration } from "/assets/units.js";

const STATES = { connecting: "connecting", reconnecting: "reconnecting", paused: "paused", live: "live" };
const PROBLEMS_SHOWN = 3;
const THEME_TEXT = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };
const THEME_SIGN = { auto: "◐", light: "☀", dark: "☾" };

export class Header {
	constructor({ host, live, theme, range }) {
		this.live = live;
		this.theme = theme;
		this.range = range;
		this.alerts = { firing: 0, worst: "info" };
		this.build();
		this.setHost(host);
		this.showTheme();
		this.showRange();
		live.addEventListener("state", () => this.showLive());
		range.addEventListener("change", () => this.showRange());
		setInterval(() => this.showLive(), 1000);
	}

	build() {
		this.name = el("strong", { id: "hostname" });
		this.system = el("span", { id: "os" });
		this.nav = el("nav", { "aria-label": "Pages" });
		this.dot = el("span", { class: "live", id: "live", role: "status" });
		this.themeButton = el("button", {
			id: "theme",
			type: "button",
			class: "icon",
			on: { click: () => this.nextTheme() },
		});
		const out = el("button", { id: "signout", type: "button", class: "plain", on: { click: signOut } }, "Sign out");
		this.problems = el("section", { id: "problems", "aria-label": "Problems", hidden: true });
		this.bar = this.rangeBar();
		this.node = el(
			"header",
			{ class: "top" },
			el(
				"a",
				{ class: "who", href: "#/" },
				el("img", { src: "/assets/icon.svg", alt: "", width: "28", height: "28" }),
				el("span", {}, this.name, this.system),
			),
			this.nav,
			el("div", { class: "right" }, this.dot, this.themeButton, out),
		);
	}

	rangeBar() {
		this.spans = SPANS.map(([name, seconds, title]) =>
			el(
				"button",
				{
					type: "button",
					"data-range": name,
					title: `The last ${title}`,
					on: { click: () => this.range.pick(seconds) },
				},
				name,
			),
		);
		const action = (id, sign, title, f) =>
			el("button", { type: "button", id, title, "aria-label": title, on: { click: f } }, sign);
		this.follow = el(
			"button",
			{
				type: "button",
				id: "follow",
				on: { click: () => this.range.setFollowing(!this.range.following) },
			},
			"Live",
		);
		this.resetButton = action("zoom-reset", "Reset zoom", "Back to the range that was picked (Escape)", () =>
			this.range.reset(),
		);
		this.shown = el("span", { class: "shown", id: "range-shown" });
		return el(
			"div",
			{ class: "rangebar", role: "toolbar", "aria-label": "Time range" },
			el("div", { class: "buttons" }, this.spans),
			el(
				"div",
				{ class: "buttons" },
				action("earlier", "‹", "Earlier", () => this.range.pan(-0.5)),
				action("later", "›", "Later", () => this.range.pan(0.5)),
				action("zoom-out", "−", "Zoom out", () => this.range.scale(2)),
				action("zoom-in", "+", "Zoom in", () => this.range.scale(0.5)),
				this.follow,
			),
			this.resetButton,
			this.shown,
		);
	}

	showRange() {
		for (const button of this.spans) {
			const on = button.dataset.range === SPANS.find(([, s]) => s === this.range.span)?.[0];
			setAttr(button, "aria-pressed", String(on && this.range.following));
		}
		setAttr(this.follow, "aria-pressed", String(this.range.following));
		this.follow.title = this.range.following ? "Stop following the present" : "Follow the present again";
		this.resetButton.classList.toggle("invisible", this.range.following);
		const { from, to } = this.range.window();
		setText(this.shown, this.range.following ? "" : `${clock(from)} – ${clock(to)} (${duration(to - from)})`);
	}

	setHost(host) {
		this.host = host;
		this.showTitle();
		setText(this.name, host.hostname);
		setText(this.system, [host.os, host.kernel].filter(Boolean).join(" · "));
		this.system.title = [host.os, host.kernel, host.architecture].filter(Boolean).join(", ");
		this.showNav();
		this.showProblems(host.problems ?? []);
	}

	/** How many alerts fire, and how bad the worst is. */
	setAlerts({ firing, worst }) {
		if (firing === this.alerts.firing && worst === this.alerts.worst) return;
		this.alerts = { firing, worst };
		this.showTitle();
		this.showNav();
	}

	showTitle() {
		const { firing } = this.alerts;
		document.title = `${firing > 0 ? `(${firing}) ` : ""}${this.host.hostname} · agent`;
	}

	/** The number of alerts that fire, in the colour of the worst. */
	alertCount() {
		const { firing, worst } = this.alerts;
		if (!firing) return null;
		const title = `${firing} firing, the worst is ${worst}`;
		return el(
			"span",
			{ class: `alert-count ${kindOf(worst)}`, role: "img", title, "aria-label": title },
			String(firing),
		);
	}

	showNav() {
		const counts = this.host.counts ?? {};
		const pages = [
			["#/", "Overview"],
			["#/alerts", "Alerts", undefined, this.alertCount()],
			["#/deploys", "Deploys"],
			["#/backups", "Backups"],
			["#/containers", "Containers", counts.container ?? 0],
		];
		if (counts.service) pages.push(["#/services", "Services", counts.service]);
		pages.push(["#/entities", "All"], ["#/about", "About"]);
		const shown = JSON.stringify([pages.map(([, text, count]) => [text, count]), this.alerts]);
		if (shown === this.navShown) return; // whoever is in it with the keyboard stays there
		this.navShown = shown;
		this.nav.replaceChildren(
			...pages.map(([href, text, count, mark]) =>
				el("a", { href }, text, count !== undefined && el("span", { class: "count" }, String(count)), mark),
			),
		);
		this.here(this.path ?? "/");
	}

	/** Marks the page of this route. */
	here(path) {
		this.path = path;
		const home = { container: "#/containers", service: "#/services", entity: "#/entities" };
		const first = path.split("/")[1] ?? "";
		const href = home[first] ?? `#/${first}`;
		for (const a of this.nav.children) setAttr(a, "aria-current", a.getAttribute("href") === href ? "page" : null);
	}

	showLive() {
		const { state, lastSample } = this.live;
		const late = state === "late";
		setText(
			this.dot,
			late ? `no data since ${lastSample ? clock(lastSample) : "this page was opened"}` : STATES[state],
		);
		setAttr(this.dot, "data-state", state);
		this.dot.title = lastSample ? `Newest sample: ${clock(lastSample)}` : "No sample yet";
	}

	showProblems(list) {
		const open = this.problems.querySelector("details")?.open ?? false;
		this.problems.hidden = list.length === 0;
		const item = (p) =>
			el(
				"li",
				{},
				el("span", { class: "text" }, p.text),
				p.since && el("time", { title: p.key }, ` since ${clock(p.since)}`),
			);
		const more = list.slice(PROBLEMS_SHOWN);
		this.problems.replaceChildren(
			el("h2", {}, list.length === 1 ? "1 problem" : `${list.length} problems`),
			el("ul", {}, list.slice(0, PROBLEMS_SHOWN).map(item)),
			...(more.length
				? [el("details", { open }, el("summary", {}, `${more.length} more`), el("ul", {}, more.map(item)))]
				: []),
		);
	}

	nextTheme() {
		this.theme.next();
		this.showTheme();
	}

	showTheme() {
		const now = this.theme.current;
		setText(this.themeButton, THEME_SIGN[now]);
		setAttr(this.themeButton, "aria-label", THEME_TEXT[now]);
		this.themeButton.title = THEME_TEXT[now];
	}
}
