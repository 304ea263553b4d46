// SPDX-License-Identifier: Apache-2.0
// What happened: every event, newest first, by kind and entity, with what became of its messages.

import { badge, deliveryBadge, entityText, eventKind, hrefOfEvent, partsOf, withCode } from "/assets/alertwords.js";
import { entities, get } from "/assets/api.js";
import { el } from "/assets/dom.js";
import { plainTable, replaceContent } from "/assets/plaintable.js";
import { clock, duration } from "/assets/units.js";

const PAGE = 50;
const AROUND = 1800; // seconds of the chart before and after an event
const KINDS = [
	["", "All kinds"],
	["alert.firing,alert.flapping", "Alerts that fired"],
	["alert.recovered", "Recoveries"],
	["alert.*", "Alerts, all"],
	["backup.*", "Backups"],
	["message", "Messages of your own"],
];

/** `cls` and `key`: only of this entity, at first. */
export function alertHistory(ctx, reload, cls, key) {
	return new AlertHistory(ctx, reload, cls && key ? `${cls}/${key}` : "");
}

class AlertHistory {
	constructor(ctx, reload, entity) {
		this.ctx = ctx;
		this.reload = reload;
		this.events = [];
		this.open = new Set(); // ids of the events whose details are shown
		const change = { change: () => this.filter() };
		this.kind = el(
			"select",
			{ "aria-label": "Kind", on: change },
			KINDS.map(([value, text]) => el("option", { value }, text)),
		);
		this.names = el("datalist", { id: "history-entities" });
		this.entity = el("input", {
			type: "search",
			placeholder: "Only of CLASS/NAME",
			"aria-label": "Entity",
			list: "history-entities",
			value: entity,
			autocomplete: "off",
			spellcheck: "false",
			on: { ...change, focus: () => this.offerNames() },
		});
		this.list = el("div", {});
		this.more = el("button", { type: "button", hidden: true, on: { click: () => this.older() } }, "Older");
		this.node = el(
			"div",
			{},
			el("div", { class: "tools filters" }, this.kind, this.entity, this.names),
			this.list,
			el("p", { class: "more" }, this.more),
		);
	}

	async offerNames() {
		if (this.names.children.length) return;
		const all = await entities([]).catch(() => ({ entities: [] }));
		this.names.replaceChildren(...all.entities.map((e) => el("option", { value: `${e.class}/${e.key}` })));
	}

	query(before) {
		const q = new URLSearchParams({ limit: PAGE });
		if (this.kind.value) q.set("kinds", this.kind.value);
		if (this.entity.value.trim()) q.set("entity", this.entity.value.trim());
		if (before) q.set("before", before);
		return `/api/v1/events?${q}`;
	}

	filter() {
		this.events = [];
		this.reload();
	}

	/** The newest; those of the pages before stay. */
	async load(signal) {
		const query = this.query();
		const { events } = await get(query, signal);
		if (query !== this.query()) return; // another filter was chosen meanwhile
		const oldest = events.length ? events[events.length - 1].id : 0;
		const kept = events.length < PAGE ? [] : this.events.filter((e) => e.id < oldest);
		if (!kept.length) this.more.hidden = events.length < PAGE;
		this.events = [...events, ...kept];
		this.show();
	}

	async older() {
		this.more.disabled = true;
		try {
			const { events } = await get(this.query(this.events[this.events.length - 1].id));
			this.events.push(...events);
			this.more.hidden = events.length < PAGE;
			this.show();
		} finally {
			this.more.disabled = false;
		}
	}

	show() {
		const text = JSON.stringify(this.events);
		if (text === this.shown) return;
		this.shown = text;
		const filtered = this.kind.value || this.entity.value.trim();
		if (!this.events.length) {
			const empty = filtered ? "Nothing like this happened." : "Nothing happened yet.";
			replaceContent(this.list, el("p", { class: "card message" }, empty));
			return;
		}
		replaceContent(this.list, plainTable({ caption: "Events", columns: this.columns(), rows: this.events }));
	}

	columns() {
		return [
			{ id: "what", title: "What", cell: (ev) => this.what(ev) },
			{ id: "kind", title: "Kind", cell: (ev) => badge(eventKind(ev).kind, eventKind(ev).text, ev.kind) },
			{ id: "where", title: "Where", cell: (ev) => this.where(ev) },
			{ id: "time", title: "When", cell: (ev) => clock(ev.time_ms / 1000) },
			{ id: "told", title: "Told", cell: (ev) => this.told(ev) },
		];
	}

	what(ev) {
		const facts = [
			...(ev.duration_ms ? [{ name: "Lasted", value: duration(ev.duration_ms / 1000) }] : []),
			...(ev.facts ?? []),
		];
		if (!ev.text && !facts.length) return ev.title;
		const row = ({ name, value }) => [el("dt", {}, name), el("dd", {}, value)];
		return el(
			"details",
			{ open: this.open.has(ev.id), on: { toggle: (e) => this.toggled(ev.id, e.target.open) } },
			el("summary", { "data-focus": `event-${ev.id}` }, ev.title),
			ev.text && el("p", { class: "event-text" }, withCode(ev.text)),
			facts.length && el("dl", { class: "event-facts" }, facts.flatMap(row)),
		);
	}

	toggled(id, open) {
		if (open) this.open.add(id);
		else this.open.delete(id);
	}

	/** The chart of then. */
	where(ev) {
		if (!ev.entity) return "–";
		const at = ev.time_ms / 1000;
		const to = Math.min(Math.round(at + AROUND), Math.round(this.ctx.range.now()));
		const from = Math.round((ev.since_ms || ev.time_ms) / 1000 - AROUND);
		const [cls, key] = partsOf(ev.entity);
		return el("a", { href: hrefOfEvent(ev, `from=${from}&to=${to}`), title: ev.entity }, entityText(cls, key));
	}

	told(ev) {
		const list = ev.deliveries ?? [];
		if (!list.length) return el("span", { class: "small" }, "nobody");
		return el(
			"span",
			{ class: "told" },
			list.map((d) => el("span", {}, deliveryBadge(d.state), " ", d.channel)),
		);
	}
}
