// SPDX-License-Identifier: Apache-2.0
// All that is measured, class by class: the way to the page of a disk, an interface, a sensor. Containers and services have
// tables of their own.

import { entities } from "/assets/api.js";
import { el, setText } from "/assets/dom.js";
import { clock, format } from "/assets/units.js";

/* What is said about an entity beside its name. */
const SUMMARY = {
	host: ["cpu_used_percent", "memory_used_percent", "load1"],
	core: ["used_percent"],
	filesystem: ["used_percent", "available_bytes", "inodes_used_percent"],
	disk: ["busy_percent", "read_bytes_per_second", "written_bytes_per_second"],
	interface: ["received_bytes_per_second", "sent_bytes_per_second", "up"],
	sensor: ["temperature_celsius"],
	app: ["up", "latency_seconds"],
	agent: ["cpu_used_percent", "memory_resident_bytes"],
};
const ELSEWHERE = new Set(["container", "service"]);
const ORDER = Object.keys(SUMMARY);
const COLUMNS = 3;

export function entitiesPage(ctx) {
	return new EntitiesPage(ctx);
}

class EntitiesPage {
	constructor({ schema }) {
		this.schema = schema;
		this.place = (c) => ORDER.indexOf(c.name) + 1 || ORDER.length;
		this.classes = schema.classes
			.filter((c) => !ELSEWHERE.has(c.name))
			.sort((a, b) => this.place(a) - this.place(b));
		this.stream = this.classes.map((c) => `class=${encodeURIComponent(c.name)}`).join("&");
		this.sections = new Map();
		this.list = el("div", { class: "classes" });
		this.note = el("p", { class: "message" }, "Loading …");
		this.node = el(
			"div",
			{ class: "page entities" },
			el("header", { class: "page-head" }, el("h2", {}, "All that is measured")),
			this.list,
			this.note,
		);
	}

	async start() {
		this.abort = new AbortController();
		try {
			this.sample(
				await entities(
					this.classes.map((c) => c.name),
					this.abort.signal,
				),
			);
			setText(this.note, "Containers and services have pages of their own.");
		} catch (e) {
			if (!this.abort.signal.aborted) setText(this.note, `Could not be loaded: ${e.message}`);
		}
	}

	sample(detail) {
		for (const e of detail.entities) {
			const section = this.section(e.class);
			if (section) this.fill(section, e);
		}
	}

	section(name) {
		const c = this.schema.class(name);
		if (!c || ELSEWHERE.has(name)) return null;
		if (!this.sections.has(name)) this.sections.set(name, this.makeSection(c));
		return this.sections.get(name);
	}

	makeSection(c) {
		const metrics = (
			SUMMARY[c.name] ??
			c.metrics
				.filter((m) => m.stored)
				.slice(0, COLUMNS)
				.map((m) => m.name)
		)
			.map((name) => this.schema.metric(c.name, name))
			.filter(Boolean);
		const body = el("tbody");
		const node = el(
			"section",
			{ class: "card" },
			el("h3", {}, c.plural),
			el("p", { class: "small" }, c.doc),
			el(
				"div",
				{ class: "scroll" },
				el(
					"table",
					{ class: "plain" },
					el(
						"thead",
						{},
						el(
							"tr",
							{},
							el("th", { scope: "col" }, "Name"),
							metrics.map((m) => el("th", { scope: "col", title: m.doc }, m.title)),
						),
					),
					body,
				),
			),
		);
		this.list.append(node);
		return { metrics, body, rows: new Map() };
	}

	fill({ metrics, body, rows }, e) {
		if (!rows.has(e.key)) {
			const cells = metrics.map(() => el("td"));
			const href = `#/entity/${e.class}/${encodeURIComponent(e.key)}`;
			const node = el("tr", {}, el("th", { scope: "row" }, el("a", { href, title: e.key }, e.key)), cells);
			rows.set(e.key, { node, cells });
			body.append(node);
		}
		const { node, cells } = rows.get(e.key);
		const gone = e.live === false;
		node.classList.toggle("gone", gone);
		cells.forEach((td, i) => setText(td, gone ? "" : format(e.values?.[metrics[i].name], metrics[i].unit)));
		if (gone) setText(cells[0], `gone since ${e.last_seen ? clock(e.last_seen) : "some time"}`);
	}

	resume() {
		this.start();
	}

	destroy() {
		this.abort?.abort();
	}
}
