// SPDX-License-Identifier: Apache-2.0
// The channels: what each does, a test of each, and what was sent where.

import { badge, channelState, DELIVERY_STATES, deliveryBadge, severityBadge } from "/assets/alertwords.js";
import { get, post } from "/assets/api.js";
import { el, setText } from "/assets/dom.js";
import { plainTable, replaceContent } from "/assets/plaintable.js";
import { clock, duration } from "/assets/units.js";

const PAGE = 50;
const EXAMPLE = `url = "https://vps1.example.com:4500";       # for the links in messages
channels = {
  ops  = { type = "slack"; url_file = "/etc/agent/slack.url"; };
  mail = {
    type   = "email";
    server = "mail.example.com:587";  user = "agent";  password_file = "/etc/agent/mail.password";
    from   = "agent@example.com";     to   = ["you@example.com"];
    min_severity = "warning";
  };
};`;

export function channels(ctx, reload) {
	return new Channels(ctx, reload);
}

class Channels {
	constructor(ctx, reload) {
		this.ctx = ctx;
		this.cards = new Map();
		this.list = el("div", { class: "channel-list" });
		this.none = el(
			"div",
			{ class: "card how none", hidden: true },
			el("p", {}, "No channel is configured: alerts are shown here only."),
			howTo(),
		);
		this.deliveries = new Deliveries(reload);
		this.how = el("details", { class: "card how" }, el("summary", {}, "How to add a channel"), howTo());
		this.node = el("div", {}, this.none, this.list, this.deliveries.node, this.how);
	}

	async load(signal) {
		const [{ channels: all }] = await Promise.all([get("/api/v1/channels", signal), this.deliveries.load(signal)]);
		this.none.hidden = all.length > 0;
		this.how.hidden = all.length === 0;
		this.deliveries.node.hidden = all.length === 0 && this.deliveries.isEmpty();
		this.deliveries.offer(all.map((c) => c.name));
		const names = new Set(all.map((c) => c.name));
		for (const [name, card] of this.cards) {
			if (names.has(name)) continue;
			card.node.remove();
			this.cards.delete(name);
		}
		for (const c of all) this.card(c).show(c);
		this.tick(this.ctx.range.now());
	}

	card(c) {
		if (!this.cards.has(c.name)) {
			this.cards.set(c.name, new ChannelCard(c.name, this.ctx));
			this.list.append(this.cards.get(c.name).node);
		}
		return this.cards.get(c.name);
	}

	tick(now) {
		for (const card of this.cards.values()) card.tick(now);
	}
}

const howTo = () => [
	el("p", {}, "In /etc/agent/agent.conf:"),
	el("pre", {}, EXAMPLE),
	el(
		"p",
		{},
		"Then ",
		el("code", {}, "agent config check"),
		", ",
		el("code", {}, "agent config reload"),
		", and a test message from here or by ",
		el("code", {}, "agent notify test ops"),
		". Types: alertmanager, command, discord, dokploy, email, gotify, ntfy, slack, teams, telegram, webhook; the manual page agent.conf(5) has their options.",
	),
];

class ChannelCard {
	constructor(name, ctx) {
		this.name = name;
		this.state = el("span", { class: "state-text" });
		this.sign = el("i", { class: "state-dot", "aria-hidden": "true" });
		this.type = el("span", { class: "small" });
		this.facts = el("p", { class: "small" });
		this.result = el("div", { class: "test-result", role: "status" });
		this.button =
			ctx.admin && el("button", { type: "button", on: { click: () => this.test() } }, "Send test message");
		this.node = el(
			"section",
			{ class: "card channel", "aria-label": name },
			el("header", {}, el("h3", {}, name), this.type, this.button),
			el("p", { class: "channel-state" }, this.sign, this.state),
			this.facts,
			this.result,
		);
	}

	show(c) {
		this.channel = c;
		setText(this.type, c.type);
		const facts = [
			c.min_severity &&
				c.min_severity !== "info" &&
				`only ${c.min_severity}${c.min_severity === "warning" ? " and worse" : ""}`,
			c.origin,
		];
		setText(this.facts, facts.filter(Boolean).join(" · "));
	}

	tick(now) {
		const { kind, text } = channelState(this.channel, now);
		this.node.dataset.kind = kind;
		setText(this.state, text);
	}

	async test() {
		this.button.disabled = true;
		setText(this.result, "Sending … a slow provider may take a minute.");
		try {
			this.tell(await post(`/api/v1/channels/${encodeURIComponent(this.name)}/test`, {}));
		} catch (e) {
			this.result.replaceChildren(badge("bad", "not sent"), ` ${e.message}`);
		}
		this.button.disabled = false;
	}

	/** The provider's real answer. */
	tell(r) {
		const took = r.took_ms >= 0 ? ` in ${duration(r.took_ms / 1000)}` : "";
		const quick = r.took_ms < 1000 ? ` in ${r.took_ms} ms` : took;
		const text = [
			r.sent ? `The provider took it${quick}` : r.why || "The provider did not take it",
			r.status > 0 && `status ${r.status}`,
		];
		this.result.replaceChildren(
			...[
				badge(r.sent ? "good" : "bad", r.sent ? "sent" : "not sent"),
				` ${text.filter(Boolean).join(", ")}. `,
				r.sent ? "Look whether it has arrived." : "",
				r.answer && (r.sent || !r.why?.includes(r.answer)) && el("pre", {}, r.answer),
			].filter(Boolean),
		);
	}
}

class Deliveries {
	constructor(reload) {
		this.rows = [];
		const change = { change: () => this.filter() };
		this.channel = el(
			"select",
			{ "aria-label": "Channel", on: change },
			el("option", { value: "" }, "All channels"),
		);
		this.state = el(
			"select",
			{ "aria-label": "State", on: change },
			el("option", { value: "" }, "All states"),
			DELIVERY_STATES.map((s) => el("option", { value: s }, deliveryBadge(s).textContent)),
		);
		this.reload = reload;
		this.list = el("div", {});
		this.more = el("button", { type: "button", hidden: true, on: { click: () => this.older() } }, "Older");
		this.node = el(
			"section",
			{ class: "deliveries" },
			el("h3", { class: "section" }, "What was sent"),
			el("div", { class: "tools filters" }, this.channel, this.state),
			this.list,
			el("p", { class: "more" }, this.more),
		);
	}

	isEmpty() {
		return this.rows.length === 0 && !this.channel.value && !this.state.value;
	}

	/** The channels to choose from. */
	offer(names) {
		const text = names.join("\n");
		if (text === this.offered) return;
		this.offered = text;
		const picked = this.channel.value;
		this.channel.replaceChildren(
			el("option", { value: "" }, "All channels"),
			...names.map((name) => el("option", { value: name, selected: name === picked }, name)),
		);
	}

	filter() {
		this.rows = [];
		this.reload();
	}

	query(before) {
		const q = new URLSearchParams({ limit: PAGE });
		if (this.channel.value) q.set("channel", this.channel.value);
		if (this.state.value) q.set("state", this.state.value);
		if (before) q.set("before", before);
		return `/api/v1/deliveries?${q}`;
	}

	async load(signal) {
		const query = this.query();
		const { deliveries } = await get(query, signal);
		if (query !== this.query()) return;
		const oldest = deliveries.length ? deliveries[deliveries.length - 1].id : 0;
		const kept = deliveries.length < PAGE ? [] : this.rows.filter((d) => d.id < oldest);
		if (!kept.length) this.more.hidden = deliveries.length < PAGE;
		this.rows = [...deliveries, ...kept];
		this.show();
	}

	async older() {
		this.more.disabled = true;
		try {
			const { deliveries } = await get(this.query(this.rows[this.rows.length - 1].id));
			this.rows.push(...deliveries);
			this.more.hidden = deliveries.length < PAGE;
			this.show();
		} finally {
			this.more.disabled = false;
		}
	}

	show() {
		const text = JSON.stringify(this.rows);
		if (text === this.shown) return;
		this.shown = text;
		if (!this.rows.length) {
			const filtered = this.channel.value || this.state.value;
			replaceContent(
				this.list,
				el("p", { class: "card message" }, filtered ? "Nothing of this kind." : "Nothing was sent yet."),
			);
			return;
		}
		replaceContent(this.list, plainTable({ caption: "Deliveries", columns: COLUMNS, rows: this.rows }));
	}
}

const COLUMNS = [
	{
		id: "what",
		title: "Message",
		cell: (d) => [d.title, d.error && el("p", { class: "small error-text" }, d.error)].filter(Boolean),
	},
	{ id: "kind", title: "Severity", cell: (d) => severityBadge(d.severity) },
	{ id: "channel", title: "Channel", cell: (d) => d.channel },
	{
		id: "state",
		title: "State",
		cell: (d) =>
			[deliveryBadge(d.state), d.attempts > 1 && el("span", { class: "small" }, ` ${d.attempts} tries`)].filter(
				Boolean,
			),
	},
	{ id: "time", title: "When", cell: (d) => clock(d.time_ms / 1000) },
];
