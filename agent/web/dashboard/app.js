// SPDX-License-Identifier: Apache-2.0
// The start of the dashboard: signs in with the token of a link, loads what all pages need, and shows the page of the
// route in the address (#/containers?range=6h). A page is an object
//   {node, ranged, stream, start(), sample(detail), alerts(), backup(detail), deploy(detail), resume(), repaint(), destroy()}
// or a promise of one; `ranged` tells that it shows a range of time, `stream` is the query of the live samples it wants, alerts() is
// called when alerts, silences, events or deliveries changed, backup() with each step of a run of a backup, deploy() with each
// step of a deploy.

import { get, signIn, takeToken } from "/assets/api.js";
import { about } from "/assets/about.js";
import { alertsPage } from "/assets/alerts.js";
import { backupsPage } from "/assets/backups.js";
import { cgroupTable } from "/assets/containers.js";
import { el } from "/assets/dom.js";
import { entitiesPage } from "/assets/entities.js";
import { entityPage } from "/assets/entity.js";
import { Header } from "/assets/header.js";
import { Live } from "/assets/live.js";
import { overview } from "/assets/overview.js";
import { Theme } from "/assets/palette.js";
import { TimeRange } from "/assets/range.js";
import { Schema } from "/assets/schema.js";

const HOST_REFRESH_MS = 30000;
const HIDDEN_REFRESH_MS = 60000; // a hidden tab has no stream, but its title still tells what fires

const ROUTES = {
	"": overview,
	alerts: alertsPage,
	backups: backupsPage,
	deploys: async (ctx, name) => (await import("/assets/deploys.js")).deploysPage(ctx, name),
	containers: (ctx) => cgroupTable(ctx, "container"),
	services: (ctx) => cgroupTable(ctx, "service"),
	container: (ctx, key) => entityPage(ctx, "container", key),
	service: (ctx, key) => entityPage(ctx, "service", key),
	entity: (ctx, cls, key) => entityPage(ctx, cls, key),
	entities: entitiesPage,
	about,
};

class App {
	constructor(schema, host, role) {
		this.range = new TimeRange();
		this.range.setServerTime(host.time);
		this.live = new Live(host.interval_seconds);
		this.theme = new Theme(() => this.page?.repaint?.());
		this.main = document.getElementById("main");
		this.ctx = { schema, host, range: this.range, live: this.live, interval: host.interval_seconds };
		this.ctx.admin = role === "admin"; // others only look
		this.header = new Header({ ...this.ctx, theme: this.theme });
		const skip = el(
			"a",
			{
				class: "skip",
				href: "#main",
				on: {
					click: (e) => {
						e.preventDefault();
						this.main.focus();
					},
				},
			},
			"Skip to content",
		);
		document.body.prepend(skip, this.header.node, this.header.bar, this.header.problems);
		sessionStorage.removeItem("agent.reloads");
		this.listen();
		this.route();
	}

	listen() {
		addEventListener("hashchange", () => this.route());
		this.range.addEventListener("change", () => this.keepAddress());
		this.live.addEventListener("sample", (e) => {
			this.range.setServerTime(e.detail.time);
			this.page?.sample?.(e.detail);
		});
		this.live.addEventListener("resume", () => {
			this.refreshHost();
			this.page?.resume?.();
		});
		this.live.addEventListener("alerts", (e) => {
			this.header.setAlerts(e.detail);
			if (!e.detail.first) this.page?.alerts?.();
		});
		this.live.addEventListener("backup", (e) => this.page?.backup?.(e.detail));
		this.live.addEventListener("deploy", (e) => this.page?.deploy?.(e.detail));
		setInterval(() => document.hidden || this.refreshHost(), HOST_REFRESH_MS);
		setInterval(() => document.hidden && this.refreshAlerts(), HIDDEN_REFRESH_MS);
	}

	async refreshHost() {
		try {
			const host = await get("/api/v1/host");
			const renewed = host.version !== this.ctx.host.version || host.interval_seconds !== this.ctx.interval;
			if (renewed) location.reload(); // another agent, another dashboard
			this.ctx.host = host;
			this.header.setHost(host);
		} catch {
			// The live dot tells; the next turn tries again.
		}
	}

	async refreshAlerts() {
		try {
			this.header.setAlerts(await get("/api/v1/alerts"));
		} catch {
			// The next turn tries again.
		}
	}

	route() {
		const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
		const parts = path.split("/").slice(1).map(decode);
		this.range.read(query);
		if (this.page && path === this.path) {
			this.range.changed();
			return;
		}
		this.path = path;
		this.page?.destroy?.();
		const make = ROUTES[parts[0] ?? ""] ?? (() => notFound(path));
		const page = make(this.ctx, ...parts.slice(1));
		this.header.here(path || "/");
		if (page instanceof Promise) this.showLater(page);
		else this.show(page);
	}

	/** A page whose module is fetched when it is opened: what most visits do not need is not in the way of the others. */
	async showLater(coming) {
		const waiting = { node: message("Loading …"), stream: "class=agent" };
		this.show(waiting);
		const page = await coming.catch((e) => ({ node: message(`The page could not be loaded: ${e.message}`) }));
		if (this.page === waiting) this.show(page);
	}

	show(page) {
		this.page = page;
		this.header.bar.hidden = !page.ranged;
		this.header.showRange();
		this.main.replaceChildren(page.node);
		scrollTo(0, 0);
		this.live.want(page.stream ?? null);
		this.keepAddress();
		page.start?.();
	}

	/** The range stays in the address of pages that show one, without a new entry in the history. */
	keepAddress() {
		const path = this.path || "/";
		history.replaceState(null, "", this.page?.ranged ? `#${path}?${this.range}` : `#${path}`);
	}
}

function decode(part) {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}

const message = (...content) => el("div", { class: "page" }, el("p", { class: "message" }, ...content));

const notFound = (path) => ({ node: message(`There is no page “${path}”. `, el("a", { href: "#/" }, "Overview")) });

async function start() {
	const token = takeToken();
	if (token) await signIn(token);
	const [schema, host, { role }] = await Promise.all([Schema.load(), get("/api/v1/host"), get("/api/v1/session")]);
	new App(schema, host, role);
}

start().catch((e) => {
	if (e.status === 401) return;
	document
		.getElementById("main")
		.replaceChildren(
			el(
				"p",
				{ class: "message" },
				`The agent does not answer as it should: ${e.message}. `,
				el("button", { type: "button", on: { click: () => location.reload() } }, "Try again"),
			),
		);
});
