// SPDX-License-Identifier: Apache-2.0
// Deliveries of webhooks that were refused: who sent what, and why it was not taken. For admins: addresses are in it.

import { badge } from "/assets/alertwords.js";
import { get } from "/assets/api.js";
import { el } from "/assets/dom.js";
import { plainTable, replaceContent } from "/assets/plaintable.js";
import { clock } from "/assets/units.js";

const MOST = 50;
const COLUMNS = [
	{ id: "why", title: "Why", cell: (r) => r.why || "–" },
	{ id: "status", title: "Answer", cell: (r) => badge(r.status >= 500 ? "bad" : "warn", String(r.status)) },
	{ id: "app", title: "App", cell: (r) => r.app || "–" },
	{ id: "from", title: "From", cell: (r) => [r.peer, r.provider, r.event].filter(Boolean).join(" · ") || "–" },
	{ id: "time", title: "When", cell: (r) => clock(r.time_ms / 1000) },
];

export class RefusedList {
	constructor(signal) {
		this.signal = signal;
		this.summary = el("summary", {}, "Refused deliveries");
		this.list = el("div", {});
		this.node = el("details", { class: "card refused", hidden: true }, this.summary, this.list);
	}

	async load() {
		let refused;
		try {
			({ refused } = await get(`/api/v1/deploys/refused?limit=${MOST}`, this.signal));
		} catch {
			return; // the next turn tries again
		}
		const text = JSON.stringify(refused);
		if (text === this.shown) return;
		this.shown = text;
		this.node.hidden = refused.length === 0;
		this.summary.textContent = `Refused deliveries: ${refused.length === MOST ? `the last ${MOST}` : refused.length}`;
		replaceContent(this.list, plainTable({ caption: "Refused deliveries", columns: COLUMNS, rows: refused }));
	}
}
