// SPDX-License-Identifier: Apache-2.0
// The table of containers, or of services: live in place, sortable by each column, with a filter.

import { entities, series } from "/assets/api.js";
import { el, setText } from "/assets/dom.js";
import { SPARK_POINTS, SPARK_SPAN, Sparkline } from "/assets/sparkline.js";
import { badge, healthOf, stateOf } from "/assets/state.js";
import { Table } from "/assets/table.js";
import { Bar } from "/assets/tiles.js";
import { duration, format } from "/assets/units.js";

const LINES_MOST = 400; // sparklines that are fetched; more rows have none until samples come
const value = (e, metric) => (e.live === false ? null : (e.values?.[metric] ?? null));
const rate = (v) => (v === null ? "–" : v < 1 ? "0" : format(v, "bytes_per_second"));

/* Sort keys are numbers or text; null is always last. */
const COLUMNS = [
	{ id: "name", title: "Name", key: (e) => e.key.toLowerCase(), up: true },
	{ id: "state", title: "State", key: (e) => `${stateOf(e).text} ${healthOf(e)?.text ?? ""}`, up: true },
	{
		id: "cpu",
		title: "CPU",
		key: (e) => value(e, "cpu_used_percent"),
		doc: "100 % is one core; the line is the last hour",
	},
	{
		id: "memory",
		title: "Memory",
		key: (e) => value(e, "memory_used_bytes"),
		doc: "The bar is the share of its limit; the line is the last hour",
	},
	{
		id: "net",
		title: "Network",
		key: (e) => sum(e, "network_received_bytes_per_second", "network_sent_bytes_per_second"),
	},
	{ id: "disk", title: "Disk", key: (e) => sum(e, "disk_read_bytes_per_second", "disk_written_bytes_per_second") },
	{ id: "processes", title: "Procs", key: (e) => value(e, "processes"), doc: "Processes and threads" },
	{
		id: "restarts",
		title: "Restarts",
		key: (e) => number(e.labels?.restarts) ?? value(e, "restarts"),
		only: "container",
	},
	{ id: "age", title: "Age", key: (e) => value(e, "age_seconds") },
	{ id: "image", title: "Image", key: (e) => e.labels?.image ?? "", up: true, only: "container" },
];

const number = (text) => (text === undefined || text === "" ? null : Number(text));

function sum(e, a, b) {
	const x = value(e, a);
	const y = value(e, b);
	return x === null && y === null ? null : (x ?? 0) + (y ?? 0);
}

export function cgroupTable(ctx, cls) {
	return new CgroupTable(ctx, cls);
}

class CgroupTable {
	constructor(ctx, cls) {
		this.ctx = ctx;
		this.cls = cls;
		this.stream = `class=${cls}`;
		this.table = new Table({
			columns: COLUMNS.filter((c) => !c.only || c.only === cls),
			sort: "cpu",
			caption: cls === "container" ? "Containers" : "Services",
			row: (e) => this.row(e),
			fill: (cells, e) => this.fill(cells, e),
			text: (e) => `${e.key} ${e.labels?.image ?? ""} ${stateOf(e).text} ${healthOf(e)?.text ?? ""}`,
		});
		this.gone = el("input", { type: "checkbox", id: "show-gone", on: { change: () => this.refresh() } });
		this.filter = el("input", {
			type: "search",
			id: "filter",
			placeholder: "Filter by name, image, state",
			"aria-label": "Filter",
			autocomplete: "off",
			spellcheck: "false",
			on: { input: () => this.refresh() },
		});
		this.goneLabel = el("span", {}, "Show gone");
		this.note = el("p", { class: "message", hidden: true });
		this.node = el(
			"div",
			{ class: "page containers" },
			el(
				"header",
				{ class: "page-head" },
				el("h2", {}, cls === "container" ? "Containers" : "Services"),
				el("div", { class: "tools" }, this.filter, el("label", { class: "check" }, this.gone, this.goneLabel)),
			),
			this.table.node,
			this.note,
		);
		this.all = new Map();
	}

	async start() {
		this.abort = new AbortController();
		try {
			await this.load();
		} catch (e) {
			if (!this.abort.signal.aborted) this.say(`Could not be loaded: ${e.message}`);
		}
	}

	async load() {
		const now = await entities([this.cls], this.abort.signal);
		this.all = new Map(now.entities.map((e) => [e.key, e]));
		this.lastTime = now.time;
		this.refresh();
		await this.loadLines();
	}

	async loadLines() {
		const names = [...this.all.values()].filter((e) => e.live !== false).map((e) => `${e.class}/${e.key}`);
		const to = this.ctx.range.now();
		const list = await series(
			{
				entities: names.slice(0, LINES_MOST),
				metrics: ["cpu_used_percent", "memory_used_bytes"],
				from: to - SPARK_SPAN,
				to,
				points: SPARK_POINTS,
				how: "average",
			},
			this.abort.signal,
		).catch(() => []);
		for (const s of list) {
			const cells = this.table.cells(s.entity.slice(this.cls.length + 1));
			cells?.cpuLine.load(s, 0, to);
			cells?.memoryLine.load(s, 1, to);
		}
	}

	refresh() {
		const list = [...this.all.values()];
		const gone = list.filter((e) => e.live === false).length;
		setText(this.goneLabel, `Show gone (${gone})`);
		// Services have the network of the server, but for those few that ask for one of their own.
		const net = list.some((e) => COLUMNS.find((c) => c.id === "net").key(e) !== null);
		this.table.node.classList.toggle("no-net", this.cls === "service" && !net);
		this.table.show(this.gone.checked ? list : list.filter((e) => e.live !== false), this.filter.value);
		const name = this.cls === "container" ? "containers" : "services";
		if (!list.length)
			this.say(
				`There are no ${name} on this server yet. They appear here by themselves a moment after they start.`,
			);
		else this.say(this.table.shown ? "" : `None of the ${list.length} ${name} matches.`);
	}

	say(text) {
		setText(this.note, text);
		this.note.hidden = !text;
	}

	row(e) {
		const c = {
			link: el("a", { href: `#/${this.cls}/${encodeURIComponent(e.key)}`, title: e.key }, e.key),
			state: el("span", { class: "badges" }),
			cpu: el("span", { class: "num" }),
			cpuLine: new Sparkline(this.ctx.interval, 5),
			memory: el("span", { class: "num" }),
			limit: el("span", { class: "small" }),
			bar: new Bar(),
			memoryLine: new Sparkline(this.ctx.interval, 1 << 20),
			down: el("span", { class: "num" }),
			up: el("span", { class: "num" }),
			read: el("span", { class: "num" }),
			written: el("span", { class: "num" }),
			processes: el("span", { class: "num" }),
			restarts: el("span", { class: "num" }),
			age: el("span", { class: "num" }),
			image: el("span", { class: "image" }),
		};
		c.net = el("div", { class: "pair" }, c.down, c.up);
		c.content = {
			name: [c.link],
			state: [c.state],
			cpu: [el("div", { class: "line" }, c.cpu, c.cpuLine.node)],
			memory: [
				el(
					"div",
					{ class: "line" },
					el("span", { class: "memory" }, c.memory, c.limit, c.bar.node),
					c.memoryLine.node,
				),
			],
			net: [c.net],
			disk: [el("div", { class: "pair" }, c.read, c.written)],
			processes: [c.processes],
			restarts: [c.restarts],
			age: [c.age],
			image: [c.image],
		};
		return c;
	}

	fill(c, e) {
		const v = (metric) => value(e, metric);
		const marks = [stateOf(e), healthOf(e)].map((b) => b?.text).join();
		if (c.marks !== marks) c.state.replaceChildren(badge(e));
		c.marks = marks;
		setText(c.cpu, format(v("cpu_used_percent"), "percent"));
		setText(c.memory, format(v("memory_used_bytes"), "bytes"));
		setText(c.limit, v("memory_limit_bytes") === null ? "" : ` of ${format(v("memory_limit_bytes"), "bytes")}`);
		c.bar.set(v("memory_limit_bytes") === null ? null : v("memory_used_percent"));
		setText(c.down, rate(v("network_received_bytes_per_second")));
		setText(c.up, rate(v("network_sent_bytes_per_second")));
		c.net.classList.toggle("unknown", v("network_received_bytes_per_second") === null);
		c.net.title = e.missing?.network_received_bytes_per_second ?? "";
		setText(c.read, rate(v("disk_read_bytes_per_second")));
		setText(c.written, rate(v("disk_written_bytes_per_second")));
		setText(c.processes, format(v("processes")));
		setText(c.restarts, format(COLUMNS.find((x) => x.id === "restarts").key(e)));
		setText(c.age, duration(v("age_seconds")));
		setText(c.image, e.labels?.image ?? "");
		c.image.title = e.labels?.image ?? "";
	}

	sample({ time, entities: list }) {
		const seen = new Set();
		for (const e of list) {
			if (e.class !== this.cls) continue;
			seen.add(e.key);
			this.all.set(e.key, { ...this.all.get(e.key), ...e });
		}
		for (const [key, e] of this.all) {
			if (!seen.has(key) && e.live !== false) this.all.set(key, { ...e, live: false, last_seen: this.lastTime });
		}
		this.lastTime = time;
		this.refresh();
		for (const key of seen) {
			const c = this.table.cells(key);
			const e = this.all.get(key);
			c?.cpuLine.append(time, value(e, "cpu_used_percent"));
			c?.memoryLine.append(time, value(e, "memory_used_bytes"));
		}
	}

	resume() {
		this.start();
	}

	destroy() {
		this.abort?.abort();
	}
}
