// SPDX-License-Identifier: Apache-2.0
// All rules: what they look at, their limits, and how they stand.

import { silence } from "/assets/alertactions.js";
import { badge, kindOf, literal, withCode } from "/assets/alertwords.js";
import { get } from "/assets/api.js";
import { el, setText } from "/assets/dom.js";
import { plainTable, replaceContent } from "/assets/plaintable.js";
import { duration } from "/assets/units.js";

export function alertRules(ctx, reload) {
	return new AlertRules(ctx, reload);
}

class AlertRules {
	constructor(ctx, reload) {
		this.ctx = ctx;
		this.reload = reload;
		this.rules = [];
		this.worst = new Map(); // by rule
		this.filter = el("input", {
			type: "search",
			placeholder: "Filter by name, metric, text",
			"aria-label": "Filter",
			autocomplete: "off",
			spellcheck: "false",
			on: { input: () => this.show() },
		});
		this.count = el("span", { class: "small" });
		this.list = el("div", {});
		this.node = el(
			"div",
			{},
			el("div", { class: "tools filters" }, this.filter, this.count),
			this.list,
			el(
				"details",
				{ class: "card how" },
				el("summary", {}, "How to change a rule, or add one"),
				el(
					"p",
					{},
					"In /etc/agent/agent.conf; a rule with the name of a built-in one changes just what it sets:",
				),
				el("pre", {}, EXAMPLE),
				el(
					"p",
					{},
					"Then ",
					el("code", {}, "agent config check"),
					" and ",
					el("code", {}, "agent config reload"),
					".",
				),
			),
		);
	}

	async load(signal) {
		const [{ rules }, { alerts }] = await Promise.all([
			get("/api/v1/alerts/rules", signal),
			get("/api/v1/alerts", signal),
		]);
		for (const a of alerts.reverse()) this.worst.set(a.rule, a.level);
		const text = JSON.stringify(rules);
		if (text === this.loaded) return;
		this.loaded = text;
		this.rules = rules;
		this.show();
	}

	show() {
		const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
		const text = (r) => `${r.name} ${r.metric} ${r.doc} ${r.type} ${r.enabled ? "" : "off"}`.toLowerCase();
		const rows = this.rules.filter((r) => words.every((w) => text(r).includes(w)));
		const off = this.rules.filter((r) => !r.enabled).length;
		setText(this.count, `${this.rules.length} rules${off ? `, ${off} off` : ""}`);
		replaceContent(
			this.list,
			rows.length
				? plainTable({ caption: "Rules", columns: this.columns(), rows })
				: el("p", { class: "card message" }, "No rule matches."),
		);
	}

	columns() {
		return [
			{ id: "what", title: "Rule", cell: (r) => this.what(r) },
			{ id: "state", title: "State", cell: (r) => stateOf(r, this.worst.get(r.name)) },
			{ id: "limits", title: "Limits", cell: (r) => limitsOf(r) },
			{ id: "watched", title: "Watches", cell: (r) => this.watches(r) },
			...(this.ctx.admin ? [{ id: "do", title: "", cell: (r) => this.button(r) }] : []),
		];
	}

	what(r) {
		return [
			el("b", {}, r.name),
			r.doc && el("p", { class: "small" }, withCode(r.doc)),
			!r.builtin && el("p", { class: "small" }, r.origin),
			r.builtin && r.origin !== "built in" && el("p", { class: "small" }, `changed in ${r.origin}`),
		].filter(Boolean);
	}

	watches(r) {
		const some = [...(r.entities ?? []), ...(r.labels ?? [])].filter((p) => p !== "*");
		return [
			el("code", {}, r.metric),
			el(
				"p",
				{ class: "small" },
				!r.enabled ? "off" : r.watched === 1 ? "1 entity" : `${r.watched} entities`,
				some.length > 0 && ` of ${some.join(", ")}`,
			),
		];
	}

	button(r) {
		if (!r.enabled) return "";
		const click = () =>
			silence({ rule: literal(r.name), rules: this.rules.map((x) => x.name) }, () => {
				location.hash = "#/alerts/silences";
			});
		return el("button", { type: "button", "data-focus": `rule-${r.name}`, on: { click } }, "Silence…");
	}
}

const EXAMPLE = `rules = {
  disk = { warning = "> 80"; };           # the built-in rule, another limit
  swap = { enabled = false; };            # not this one
  shop = {                                # one of your own
    metric   = "container.memory_used_percent";
    entities = ["shop-*"];
    warning  = "> 80";  critical = "> 95";  for = "5m";
  };
};`;

function stateOf(r, worst) {
	if (!r.enabled) return badge("off", "off");
	if (r.firing > 0) return badge(kindOf(worst), `${r.firing} firing`);
	if (r.pending > 0) return badge("warn", `${r.pending} pending`);
	return badge("good", "ok");
}

const time = (ms) => duration(ms / 1000);

function limitsOf(r) {
	const clear = (text) => (text ? `over when ${text}` : null);
	const line = (kind, limit, end) => limit && el("p", { title: clear(end) }, badge(kind, limit));
	const how = [
		r.how && r.how !== "last" && r.window_ms > 0 && `${r.how} of ${time(r.window_ms)}`,
		r.type === "change" && `change within ${time(r.window_ms)}`,
		r.type === "forecast" && `forecast from ${time(r.window_ms)}`,
		r.type === "missing" && "when the value is unknown",
		r.type === "gone" && "when it is gone or not running",
		r.for_ms > 0 && `for ${time(r.for_ms)}`,
		r.repeat_ms > 0 && `again each ${time(r.repeat_ms)}`,
	].filter(Boolean);
	return [
		line("warn", r.warning, r.clear),
		line("bad", r.critical, r.critical_clear),
		how.length > 0 && el("p", { class: "small" }, how.join(", ")),
	].filter(Boolean);
}
