// SPDX-License-Identifier: Apache-2.0
// What fires now, the worst first, and what may fire soon. Rows stay the same nodes while their numbers change, so that
// nothing moves away under a click.

import { acknowledge, silence } from "/assets/alertactions.js";
import { get } from "/assets/api.js";
import {
	badge,
	hrefOf,
	kindOf,
	literal,
	severityBadge,
	since,
	stateBadge,
	valueText,
	withCode,
} from "/assets/alertwords.js";
import { el, setText } from "/assets/dom.js";

export function alertList(ctx, reload) {
	return new AlertList(ctx, reload);
}

class AlertList {
	constructor(ctx, reload) {
		this.ctx = ctx;
		this.reload = reload;
		this.rows = new Map();
		this.firing = el("ul", { class: "alert-list", "aria-label": "Firing now" });
		this.pending = el("ul", { class: "alert-list" });
		this.pendingPart = el(
			"section",
			{ hidden: true },
			el("h3", { class: "section" }, "May fire soon"),
			el("p", { class: "small lead" }, "Over a limit, but not yet for long enough to tell anybody."),
			this.pending,
		);
		this.fine = el(
			"div",
			{ class: "card fine", hidden: true },
			el("p", { class: "fine-word" }, "Nothing is wrong."),
			el(
				"p",
				{ class: "small" },
				"All ",
				el("a", { href: "#/alerts/rules" }, "rules"),
				" are checked with every sample. What was wrong before is in the ",
				el("a", { href: "#/alerts/history" }, "history"),
				".",
			),
		);
		this.untold = el(
			"p",
			{ class: "card untold", hidden: true },
			"No channel is configured: nobody is told, alerts are shown here only. ",
			el("a", { href: "#/alerts/channels" }, "How to add one"),
		);
		this.node = el(
			"div",
			{ class: ctx.admin ? "can-act" : null },
			this.untold,
			this.fine,
			this.firing,
			this.pendingPart,
		);
	}

	async load(signal) {
		const [{ alerts }, { channels }] = await Promise.all([
			get("/api/v1/alerts", signal),
			get("/api/v1/channels", signal),
		]);
		this.untold.hidden = channels.length > 0;
		const pending = alerts.filter((a) => a.state === "pending");
		this.count = alerts.length;
		this.fine.hidden = alerts.length > pending.length;
		this.pendingPart.hidden = pending.length === 0;
		const keep = new Set(alerts.map((a) => this.keyOf(a)));
		for (const [key, row] of this.rows) {
			if (keep.has(key)) continue;
			row.node.remove();
			this.rows.delete(key);
		}
		this.arrange(
			this.firing,
			alerts.filter((a) => a.state !== "pending"),
		);
		this.arrange(this.pending, pending);
	}

	/** One that is pending has no id yet. */
	keyOf = (a) => JSON.stringify([a.rule, a.class, a.entity, a.metric]);

	arrange(list, alerts) {
		let at = list.firstChild;
		for (const a of alerts) {
			const key = this.keyOf(a);
			if (!this.rows.has(key)) this.rows.set(key, new Row(this));
			const { node } = this.rows.get(key);
			this.rows.get(key).show(a);
			if (node === at) at = at.nextSibling;
			else list.insertBefore(node, at);
		}
	}

	/** Values change with each sample. */
	loadsEachSample() {
		return this.count > 0;
	}
}

class Row {
	constructor(list) {
		this.list = list;
		this.badges = el("span", { class: "badges" });
		this.title = el("a", { class: "alert-title" });
		this.value = el("span", { class: "num" });
		this.limit = el("span", {});
		this.since = el("span", {});
		this.rule = el("code", {});
		this.doc = el("p", { class: "small doc" });
		this.notes = el("ul", { class: "notes" });
		this.node = el(
			"li",
			{ class: "card alert" },
			el(
				"div",
				{ class: "alert-main" },
				el("div", { class: "alert-head" }, this.badges, this.title),
				this.doc,
				this.notes,
			),
			el(
				"dl",
				{ class: "alert-facts" },
				el("div", {}, el("dt", {}, "Now"), el("dd", {}, this.value)),
				el("div", {}, el("dt", {}, "Limit"), el("dd", {}, this.limit)),
				el("div", {}, el("dt", {}, "Since"), el("dd", {}, this.since)),
				el("div", {}, el("dt", {}, "Rule"), el("dd", {}, this.rule)),
			),
			list.ctx.admin && this.buttons(),
		);
	}

	buttons() {
		this.ack = el(
			"button",
			{ type: "button", on: { click: () => acknowledge(this.alert, this.list.reload) } },
			"Acknowledge",
		);
		const quiet = el(
			"button",
			{
				type: "button",
				on: {
					click: () => {
						const { rule, class: cls, entity } = this.alert;
						silence({ rule: literal(rule), entity: literal(`${cls}/${entity}`) }, this.list.reload);
					},
				},
			},
			"Silence…",
		);
		return el("div", { class: "alert-buttons" }, this.ack, quiet);
	}

	show(a) {
		this.alert = a;
		const same = JSON.stringify(a);
		if (same === this.shown) return;
		this.shown = same;
		this.node.dataset.kind = kindOf(a.level);
		this.node.classList.toggle("calm", Boolean(a.acknowledged_by || a.muted));
		this.badges.replaceChildren(severityBadge(a.level), ...[stateBadge(a.state)].filter(Boolean));
		setText(this.title, a.title || `${a.class} ${a.entity}: ${a.rule}`);
		this.title.href = hrefOf(a.class, a.entity);
		setText(this.value, valueText(a.value, a.unit));
		setText(this.limit, a.limit || "–");
		this.since.replaceChildren(since(a.since_ms, this.list.ctx.range.now(), "for"));
		setText(this.rule, a.rule);
		this.doc.replaceChildren(...withCode(a.doc ?? ""));
		this.notes.replaceChildren(...this.notesOf(a));
		if (this.ack) this.ack.hidden = a.state === "pending" || Boolean(a.acknowledged_by);
	}

	notesOf(a) {
		const why = (text) => (text ? `: ${text}` : "");
		return [
			a.acknowledged_by &&
				el("li", {}, badge("off", "acknowledged"), ` by ${a.acknowledged_by}${why(a.acknowledged_reason)}`),
			a.muted && el("li", {}, badge("off", "muted"), ` nobody is told${why(a.muted)}`),
			a.worst === "critical" && a.level !== "critical" && el("li", {}, "It was critical before."),
		].filter(Boolean);
	}
}
