// SPDX-License-Identifier: Apache-2.0
// What nobody is told about for a while: silences, which are set here, and maintenance windows of the configuration.

import { silence } from "/assets/alertactions.js";
import { badge, since } from "/assets/alertwords.js";
import { get, remove } from "/assets/api.js";
import { el } from "/assets/dom.js";
import { openDialog } from "/assets/dialog.js";
import { plainTable, replaceContent } from "/assets/plaintable.js";
import { clock } from "/assets/units.js";

const EXAMPLE = `maintenance = {
  nightly = { schedule = "0 3 * * *"; duration = "1h"; entities = ["container/shop-*"]; };
};`;

export function silences(ctx, reload) {
	return new Silences(ctx, reload);
}

class Silences {
	constructor(ctx, reload) {
		this.ctx = ctx;
		this.reload = reload;
		this.rules = [];
		const add = () => silence({ rules: this.rules }, reload);
		this.list = el("div", {});
		this.windows = el("div", {});
		this.node = el(
			"div",
			{},
			el(
				"div",
				{ class: "part-head" },
				el("h3", {}, "Silences"),
				ctx.admin && el("button", { type: "button", id: "add-silence", on: { click: add } }, "Add a silence…"),
			),
			this.list,
			el("h3", { class: "section" }, "Maintenance windows"),
			this.windows,
			el(
				"details",
				{ class: "card how" },
				el("summary", {}, "How to add a maintenance window"),
				el("p", {}, "In /etc/agent/agent.conf:"),
				el("pre", {}, EXAMPLE),
			),
		);
	}

	async load(signal) {
		const [answer, { rules }] = await Promise.all([
			get("/api/v1/silences", signal),
			this.rules.length ? { rules: null } : get("/api/v1/alerts/rules", signal),
		]);
		if (rules) this.rules = rules.map((r) => r.name);
		const text = JSON.stringify(answer);
		if (text === this.loaded) return;
		this.loaded = text;
		this.showSilences(answer.silences);
		this.showWindows(answer.maintenance ?? []);
	}

	showSilences(rows) {
		const now = this.ctx.range.now();
		const columns = [
			{ id: "what", title: "Rule", cell: (s) => el("code", {}, s.rule) },
			{ id: "entity", title: "Entity", cell: (s) => el("code", {}, s.entity) },
			{
				id: "until",
				title: "Ends",
				cell: (s) => [since(s.until_ms, now), el("p", { class: "small" }, clock(s.until_ms / 1000))],
			},
			{ id: "reason", title: "Reason", cell: (s) => s.reason || "–" },
			{ id: "by", title: "Set by", cell: (s) => [s.by, el("p", { class: "small" }, since(s.from_ms, now))] },
			...(this.ctx.admin ? [{ id: "do", title: "", cell: (s) => this.button(s) }] : []),
		];
		replaceContent(
			this.list,
			rows.length
				? plainTable({ caption: "Silences", columns, rows })
				: el("p", { class: "card message" }, "Nothing is silenced: everybody is told everything."),
		);
	}

	button(s) {
		const click = () =>
			openDialog({
				title: "End this silence",
				action: "End it now",
				content: el(
					"p",
					{},
					"Alerts of ",
					el("code", {}, s.rule),
					" on ",
					el("code", {}, s.entity),
					" are told again.",
				),
				submit: async () => {
					await remove(`/api/v1/silences/${s.id}`);
					this.reload();
				},
			});
		return el("button", { type: "button", "data-focus": `silence-${s.id}`, on: { click } }, "End…");
	}

	showWindows(rows) {
		const columns = [
			{ id: "what", title: "Name", cell: (m) => el("b", {}, m.name) },
			{
				id: "state",
				title: "State",
				cell: (m) => (m.active ? badge("warn", "active now") : badge("off", "not now")),
			},
			{
				id: "until",
				title: "When",
				cell: (m) =>
					m.active
						? `until ${clock(m.until_ms / 1000)}`
						: m.next_ms > 0
							? `next ${clock(m.next_ms / 1000)}`
							: "never again",
			},
		];
		replaceContent(
			this.windows,
			rows.length
				? plainTable({ caption: "Maintenance windows", columns, rows })
				: el("p", { class: "card message" }, "None is configured."),
		);
	}
}
