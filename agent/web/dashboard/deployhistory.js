// SPDX-License-Identifier: Apache-2.0
// What was deployed of an app: what, by whom and why, how it went, how long each step took, and what the measurements said.

import { clock } from "/assets/units.js";
import { get } from "/assets/api.js";
import {
	deployBadge,
	downtimeText,
	hasEnded,
	isBad,
	refText,
	stepsOf,
	stepsText,
	tookMs,
	tookText,
	verdictBadge,
	verdictText,
	versionName,
	whoText,
} from "/assets/deploywords.js";
import { el } from "/assets/dom.js";
import { plainTable, replaceContent } from "/assets/plaintable.js";

const PAGE = 10;

export const message = (d) => d.subject || (d.new?.image && !d.commit ? d.new.image : "") || "";

/** What it is of, who wanted it: for the history and for what serves. */
export function whatNodes(d) {
	const by = [d.author && d.author !== d.by && `written by ${d.author}`, whoText(d)].filter(Boolean).join("; ");
	const of = [`deploy ${d.id}`, refText(d.ref), by].filter(Boolean).join(" · ");
	return [
		el("span", { class: "deploy-what" }, el("code", { title: d.commit || null }, versionName(d)), " ", message(d)),
		el("p", { class: "small" }, d.rollback_of > 0 ? `back to deploy ${d.rollback_of} · ${of}` : of),
	];
}

/** How long each step took, as a bar. */
function stepsBar(d, now) {
	const steps = stepsOf(d, now).filter((s) => s.ms > 0);
	const sum = steps.reduce((n, s) => n + s.ms, 0);
	if (!sum) return null;
	return el(
		"div",
		{ class: "steps-bar", role: "img", "aria-label": stepsText(d, now), title: stepsText(d, now) },
		steps.map((s) => {
			const i = el("i", { "data-state": s.state });
			i.style.flexGrow = Math.max(s.ms / sum, 0.01).toFixed(4);
			return i;
		}),
	);
}

const versionText = (v) => [v?.image || v?.digest, v?.container, v?.address].filter(Boolean).join(" · ");

export class DeployHistory {
	/** act: {log(deploy), rollback(deploy)}; rollback only for those who may. */
	constructor(ctx, name, signal, act) {
		Object.assign(this, { ctx, name, signal, act });
		this.rows = [];
		this.opened = new Set();
		this.list = el("div", {}, el("p", { class: "small" }, "Loading …"));
		this.more = el("button", { type: "button", hidden: true, on: { click: () => this.older() } }, "Older");
		this.node = el(
			"section",
			{ class: "deploy-history" },
			el("h3", { class: "section" }, "History"),
			this.list,
			el("p", { class: "more" }, this.more),
		);
	}

	query(before) {
		const q = new URLSearchParams({ app: this.name, limit: PAGE });
		if (before) q.set("before", before);
		return `/api/v1/deploys?${q}`;
	}

	/** The newest; those of the pages before stay. */
	async load() {
		let deploys;
		try {
			({ deploys } = await get(this.query(), this.signal));
		} catch (e) {
			if (!this.signal.aborted)
				replaceContent(this.list, el("p", { class: "error-text" }, `Could not be loaded: ${e.message}`));
			this.shown = null;
			return;
		}
		const oldest = deploys.at(-1)?.id ?? 0;
		const kept = deploys.length < PAGE ? [] : this.rows.filter((d) => d.id < oldest);
		if (!kept.length) this.more.hidden = deploys.length < PAGE;
		this.rows = [...deploys, ...kept];
		this.show();
	}

	async older() {
		this.more.disabled = true;
		try {
			const { deploys } = await get(this.query(this.rows.at(-1).id), this.signal);
			this.rows.push(...deploys);
			this.more.hidden = deploys.length < PAGE;
			this.show();
		} finally {
			this.more.disabled = false;
		}
	}

	/** The newest word on one of its deploys. */
	news(d) {
		const i = this.rows.findIndex((r) => r.id === d.id);
		if (i >= 0) this.rows[i] = d;
		else if (!this.rows.length || d.id > this.rows[0].id) this.rows.unshift(d);
		this.show();
	}

	/** `d`: the deploy that serves, or null. */
	serving(d) {
		const id = d?.id ?? 0;
		if (id === this.servingId) return;
		this.servingId = id;
		this.servingVersion = d?.rollback_of || id; // the deploy that made it
		this.shown = null;
		this.show();
	}

	show() {
		const text = JSON.stringify(this.rows);
		if (text === this.shown) return;
		this.shown = text;
		replaceContent(
			this.list,
			this.rows.length
				? plainTable({ caption: `Deploys of ${this.name}`, columns: this.columns(), rows: this.rows })
				: el("p", { class: "small" }, "Nothing was deployed yet."),
		);
	}

	columns() {
		const now = this.ctx.range.now();
		return [
			{ id: "what", title: "Deploy", cell: (d) => [...whatNodes(d), ...this.outcome(d), this.detail(d, now)].filter(Boolean) },
			{ id: "kind", title: "State", cell: (d) => this.state(d) },
			{ id: "time", title: "Began", cell: (d) => clock((d.started_ms || d.queued_ms) / 1000) },
			{
				id: "took",
				title: "Took",
				cell: (d) => {
					const ms = tookMs(d, now);
					return ms === null ? "–" : [hasEnded(d) ? tookText(ms) : "…", hasEnded(d) && stepsBar(d, now)];
				},
			},
			{ id: "down", title: "Away", cell: (d) => downtimeText(d) ?? "–" },
			{ id: "act", title: "Actions", cell: (d) => this.actions(d) },
		];
	}

	state(d) {
		const serves = d.id === this.servingId && el("span", { class: "badge good" }, "serves");
		return el("span", { class: "badges" }, deployBadge(d), serves, verdictBadge(d));
	}

	outcome(d) {
		const list = [];
		if (d.error) list.push(el("p", { class: isBad(d) ? "error-text deploy-error" : "small deploy-error" }, d.error));
		if (d.verdict) list.push(el("p", { class: `small verdict ${d.verdict_grade}` }, `Ten minutes later: ${verdictText(d)}`));
		return list;
	}

	detail(d, now) {
		const facts = [
			["Steps", stepsText(d, now)],
			["Commit", d.commit],
			["New version", versionText(d.new)],
			["Version before", versionText(d.old)],
		].filter(([, v]) => v);
		if (!facts.length) return null;
		const toggle = (e) => (e.target.open ? this.opened.add(d.id) : this.opened.delete(d.id));
		return el(
			"details",
			{ open: this.opened.has(d.id), on: { toggle } },
			el("summary", { "data-focus": `detail-${d.id}` }, "More"),
			el(
				"dl",
				{ class: "deploy-facts" },
				facts.map(([title, v]) => el("div", {}, el("dt", {}, title), el("dd", {}, v))),
			),
		);
	}

	actions(d) {
		const name = versionName(d);
		const make = (what, text, label, f) =>
			el("button", { type: "button", "data-focus": `${what}-${d.id}`, "aria-label": label, on: { click: f } }, text);
		const canGoBack = this.act.rollback && d.state === "done" && d.id !== this.servingVersion && !d.rollback_of;
		return el(
			"span",
			{ class: "row-actions" },
			d.started_ms > 0 && make("log", "Log", `Log of deploy ${d.id}`, () => this.act.log(d)),
			canGoBack && make("back", "Roll back to it…", `Roll back to ${name} of deploy ${d.id}`, () => this.act.rollback(d)),
		);
	}
}
