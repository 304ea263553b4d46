// SPDX-License-Identifier: Apache-2.0
// What fires now as a strip above other pages: the overview has all of it, the page of an entity its own. Nothing is
// shown when nothing fires.

import { hrefOf, kindOf, refreshTimes, severityBadge, since } from "/assets/alertwords.js";
import { get } from "/assets/api.js";
import { el } from "/assets/dom.js";
import { replaceContent } from "/assets/plaintable.js";

const SHOWN = 4;

export class FiringStrip {
	/** `entity` "CLASS/KEY": only of this one; it needs no link to itself. */
	constructor(ctx, entity = null) {
		this.ctx = ctx;
		this.entity = entity;
		this.node = el("section", { class: "firing", "aria-label": "Firing now", hidden: true });
	}

	async load(signal) {
		let all;
		try {
			({ alerts: all } = await get("/api/v1/alerts", signal));
		} catch {
			return; // the next event tries again; the badge in the navigation tells
		}
		const mine = (a) => this.entity === null || `${a.class}/${a.entity}` === this.entity;
		this.show(all.filter((a) => a.state !== "pending" && mine(a)));
	}

	show(alerts) {
		this.node.hidden = alerts.length === 0;
		this.node.dataset.kind = kindOf(alerts[0]?.level);
		const rest = alerts.length - SHOWN;
		replaceContent(
			this.node,
			el(
				"ul",
				{},
				alerts.slice(0, SHOWN).map((a) => this.row(a)),
			),
			(rest > 0 || this.entity !== null) &&
				el("a", { class: "small", href: "#/alerts" }, rest > 0 ? `and ${rest} more` : "All alerts"),
		);
	}

	row(a) {
		const calm = a.acknowledged_by ? "acknowledged" : a.muted ? "muted" : null;
		const title = a.title || a.rule;
		return el(
			"li",
			{ "data-kind": kindOf(a.level), class: calm ? "calm" : null },
			severityBadge(a.level),
			this.entity === null
				? el("a", { href: hrefOf(a.class, a.entity), "data-focus": `firing-${a.id}` }, title)
				: el("span", {}, title),
			el("span", { class: "small" }, since(a.since_ms, this.ctx.range.now(), "for"), calm && ` · ${calm}`),
		);
	}

	tick() {
		refreshTimes(this.node, this.ctx.range.now());
	}
}
