// SPDX-License-Identifier: Apache-2.0
// Deploys that are under way or went wrong, as a strip on the overview. Nothing is shown when there is nothing to say.

import { badge, refreshTimes, since } from "/assets/alertwords.js";
import { get } from "/assets/api.js";
import { deployState, troubleOf, versionName } from "/assets/deploywords.js";
import { el } from "/assets/dom.js";
import { replaceContent } from "/assets/plaintable.js";

const SHOWN = 4;

/** What there is to say of an app: a deploy and its [kind, text], or null. */
function wordOf(app) {
	const trouble = troubleOf(app);
	if (app.current) return { d: app.current, state: deployState(app.current) };
	return trouble && { d: trouble.deploy, state: deployState(trouble.deploy) };
}

export class DeployStrip {
	constructor(ctx) {
		this.ctx = ctx;
		this.node = el("section", { class: "firing deploy-strip", "aria-label": "Deploys", hidden: true });
	}

	async load(signal) {
		let apps;
		try {
			({ apps } = await get("/api/v1/apps", signal));
		} catch {
			return; // the next event tries again
		}
		this.show(apps.map((app) => ({ app, ...wordOf(app) })).filter((w) => w.d));
	}

	show(words) {
		const text = JSON.stringify(words.map(({ d, state }) => [d.id, state]));
		if (text === this.shown) return;
		this.shown = text;
		this.node.hidden = words.length === 0;
		this.node.dataset.kind = words.some(({ state }) => state[0] === "bad") ? "bad" : "off";
		const rest = words.length - SHOWN;
		replaceContent(
			this.node,
			el(
				"ul",
				{},
				words.slice(0, SHOWN).map((w) => this.row(w)),
			),
			rest > 0 && el("a", { class: "small", href: "#/deploys" }, `and ${rest} more`),
		);
	}

	row({ app, d, state }) {
		const at = d.ended_ms || d.started_ms || d.queued_ms;
		return el(
			"li",
			{ "data-kind": state[0] },
			badge(...state),
			el(
				"a",
				{ href: `#/deploys/${encodeURIComponent(app.name)}`, "data-focus": `deploy-${app.name}` },
				`Deploy of ${app.name}`,
			),
			el("span", { class: "small" }, [versionName(d), d.subject].filter(Boolean).join(" "), " · ", since(at, this.ctx.range.now())),
		);
	}

	tick() {
		refreshTimes(this.node, this.ctx.range.now());
	}
}
