// SPDX-License-Identifier: Apache-2.0
// All that is measured, class by class: the way to the page of a disk, an interface, a sensor.

import { get } from "/assets/api.js";
import { el } from "/assets/dom.js";
import { clock, format } from "/assets/units.js";

/* What is said about an entity beside its name. */
const SUMMARY = {
	host: ["cpu_used_percent", "memory_used_percent", "load1"],
	filesystem: ["used_percent", "available_bytes", "inodes_used_percent"],
	disk: ["busy_percent", "read_bytes_per_second", "written_bytes_per_second"],
	interface: ["received_bytes_per_second", "sent_bytes_per_second", "up"],
	sensor: ["temperature_celsius"],
	core: ["used_percent"],
	container: ["cpu_used_percent", "memory_used_bytes"],
	service: ["cpu_used_percent", "memory_used_bytes"],
	agent: ["cpu_used_percent", "memory_resident_bytes"],
};
const ORDER = ["host", "core", "filesystem", "disk", "interface", "sensor", "container", "service", "agent"];
const pathOf = (cls, key) => (cls === "container" || cls === "service" ? `#/${cls}/` : `#/entity/${cls}/`) + encodeURIComponent(key);

export function entitiesPage(ctx) {
	const node = el("div", { class: "page entities" }, el("header", { class: "page-head" }, el("h2", {}, "All that is measured")),
		el("p", { class: "message" }, "Loading …"));
	const abort = new AbortController();
	return {
		node,
		async start() {
			try {
				const { entities } = await get("/api/v1/entities", abort.signal);
				node.lastChild.replaceWith(el("div", { class: "classes" }, sections(ctx.schema, entities)));
			} catch (e) {
				if (!abort.signal.aborted) node.lastChild.textContent = `Could not be loaded: ${e.message}`;
			}
		},
		destroy: () => abort.abort(),
	};
}

function sections(schema, list) {
	const place = (c) => (ORDER.indexOf(c.name) + 1 || ORDER.length + 1);
	return [...schema.classes].sort((a, b) => place(a) - place(b)).map((c) => {
		const own = list.filter((e) => e.class === c.name);
		return own.length ? section(schema, c, own) : null;
	});
}

function section(schema, c, list) {
	const metrics = (SUMMARY[c.name] ?? c.metrics.filter((m) => m.stored).slice(0, 3).map((m) => m.name))
		.map((name) => schema.metric(c.name, name)).filter(Boolean);
	return el("section", { class: "card" }, el("h3", {}, c.plural, el("span", { class: "count" }, String(list.length))),
		el("p", { class: "small" }, c.doc),
		el("div", { class: "scroll" }, el("table", { class: "plain" },
			el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Name"), metrics.map((m) => el("th", { scope: "col" }, m.title)))),
			el("tbody", {}, list.map((e) => row(c, metrics, e))))));
}

function row(c, metrics, e) {
	const gone = e.live === false;
	return el("tr", { class: gone ? "gone" : null },
		el("th", { scope: "row" }, el("a", { href: pathOf(c.name, e.key), title: e.key }, e.key)),
		gone ? el("td", { colspan: metrics.length }, `gone since ${e.last_seen ? clock(e.last_seen) : "some time"}`)
			: metrics.map((m) => el("td", { title: e.missing?.[m.name] }, format(e.values?.[m.name], m.unit))));
}
