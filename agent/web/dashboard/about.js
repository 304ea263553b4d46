// SPDX-License-Identifier: Apache-2.0
// About the agent: its version, what it costs, the ways to its data, and the reference of all metrics.

import { entities, signOut } from "/assets/api.js";
import { ChartGroup } from "/assets/chartgroup.js";
import { el } from "/assets/dom.js";
import { groupsOf, specOf } from "/assets/specs.js";
import { clock, duration, format } from "/assets/units.js";

const LINKS = [
	["/metrics", "Prometheus metrics, with the names of node_exporter and cAdvisor"],
	["/api/v1/host", "This server: system, archives, problems"],
	["/api/v1/entities", "All that is measured, with the values now"],
	["/api/v1/classes", "The metric tables below, for programs"],
	["/api/v1/openapi.json", "Description of the API (OpenAPI)"],
	["/health", "Health of the agent, open to all"],
];

export function about(ctx) {
	const group = new ChartGroup(ctx);
	const abort = new AbortController();
	let own = { values: {}, missing: {} };
	const costs = el("dl", { class: "facts" });
	const charts = el("div", { class: "charts" });
	const showCosts = () =>
		costs.replaceChildren(
			...(ctx.schema.class("agent")?.metrics ?? []).map((m) =>
				el("div", {}, el("dt", {}, m.title), el("dd", { title: m.doc }, format(own.values[m.name], m.unit))),
			),
		);
	const sample = (detail) => {
		own = { ...own, ...detail.entities.find((e) => e.class === "agent") };
		showCosts();
		group.sample(detail);
	};
	return {
		node: page(ctx, costs, charts),
		ranged: true,
		stream: "class=agent",
		sample,
		async start() {
			showCosts();
			const specs = groupsOf(ctx.schema, "agent")
				.map((g) => specOf(ctx.schema, "agent", "agent", g, () => own))
				.filter(Boolean);
			charts.replaceChildren(...specs.map((s) => group.add(s)));
			try {
				sample(await entities(["agent"], abort.signal));
			} catch {
				// The dashes stay.
			}
			group.load();
		},
		resume: () => group.load(),
		repaint: () => group.repaint(),
		destroy() {
			abort.abort();
			group.destroy();
		},
	};
}

function page(ctx, costs, charts) {
	const { host } = ctx;
	const facts = [
		["Version", host.version],
		["Sample every", duration(host.interval_seconds)],
		["Control groups", host.cgroup],
		["Processor", host.cpu_model],
		["Cores", host.cpu_cores],
		["Server started", host.boot_time && clock(host.boot_time)],
		...(host.archives ?? []).map((a) => [
			`History, each ${duration(a.row_seconds)}`,
			`for ${duration(a.span_seconds)}`,
		]),
	].filter(([, v]) => v !== undefined && v !== null && v !== "");
	return el(
		"div",
		{ class: "page about" },
		el(
			"header",
			{ class: "page-head" },
			el("h2", {}, "About this agent"),
			el("div", { class: "tools" }, el("button", { type: "button", on: { click: signOut } }, "Sign out")),
		),
		el(
			"dl",
			{ class: "facts" },
			facts.map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", { title: String(v) }, String(v)))),
		),
		el("h3", { class: "section" }, "What the agent itself costs"),
		costs,
		charts,
		el("h3", { class: "section" }, "Ways to the data"),
		el(
			"ul",
			{ class: "links card" },
			LINKS.map(([href, text]) =>
				el("li", {}, el("a", { href, target: "_blank", rel: "noopener" }, href), ` ${text}`),
			),
		),
		el("h3", { class: "section" }, "Metric reference"),
		ctx.schema.classes.map((c) => reference(c)),
	);
}

function reference(c) {
	return el(
		"details",
		{ class: "card reference" },
		el("summary", {}, el("b", {}, c.name), ` ${c.doc} `, el("span", { class: "count" }, `${c.metrics.length}`)),
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
						["Metric", "Unit", "What it is", "History"].map((t) => el("th", { scope: "col" }, t)),
					),
				),
				el(
					"tbody",
					{},
					c.metrics.map((m) =>
						el(
							"tr",
							{},
							el("th", { scope: "row" }, el("code", {}, `${c.name}.${m.name}`)),
							el("td", {}, m.unit.replaceAll("_", " ")),
							el("td", { class: "doc" }, m.doc),
							el("td", {}, m.stored ? "yes" : "now only"),
						),
					),
				),
			),
		),
	);
}
