// SPDX-License-Identifier: Apache-2.0
// One app: what serves, what is under way with its steps, what is wrong, and what opens below: its log and its history. Nodes
// stay the same while their contents change, so that nothing moves away under a click.

import { hrefOf, since, withCode } from "/assets/alertwords.js";
import { askToCancel, askToDeploy, askToRollBack } from "/assets/deployactions.js";
import { DeployHistory, whatNodes } from "/assets/deployhistory.js";
import { DeployLog } from "/assets/deploylog.js";
import { StepRow } from "/assets/deploysteps.js";
import { appBadges, canCancel, isWaiting, stepText, strategyText, tookMs, tookText, troubleOf, waitText } from "/assets/deploywords.js";
import { el, setAttr, setText } from "/assets/dom.js";
import { replaceContent } from "/assets/plaintable.js";

const CONTAINERS = new Set(["docker", "compose", "swarm"]); // what these start is measured under the name of the app

let number = 0;

export class DeployApp {
	/** `reload` fetches all apps again. */
	constructor(ctx, name, reload, signal) {
		Object.assign(this, { ctx, name, reload, signal });
		this.id = `app-${++number}`;
		this.badges = el("span", { class: "badges" });
		this.about = el("p", { class: "small app-about" });
		this.toggleButton = el(
			"button",
			{ type: "button", class: "job-name", "aria-expanded": "false", "aria-controls": this.id, on: { click: () => this.toggle() } },
			name,
		);
		this.serves = el("div", { class: "app-serves" });
		this.trouble = el("div", { class: "troubles" });
		this.current = new Current(ctx, this);
		this.status = el("p", { class: "action-status", role: "status" });
		this.logPlace = el("div", {});
		this.history = new DeployHistory(ctx, name, signal, {
			log: (d) => this.showLog(d.id, true),
			rollback: ctx.admin && ((d) => this.rollBack(d)),
		});
		this.facts = el("p", { class: "small app-facts" });
		this.below = el("div", { class: "app-below", id: this.id, hidden: true }, this.facts, this.history.node);
		this.node = el(
			"section",
			{ class: "card app", "aria-label": `App ${name}` },
			el("header", { class: "app-head" }, el("h3", {}, this.toggleButton), this.badges, this.about, this.buttons()),
			this.serves,
			this.status,
			this.trouble,
			this.current.node,
			this.logPlace,
			this.below,
		);
	}

	buttons() {
		if (!this.ctx.admin) return null;
		this.deployButton = el("button", { type: "button", class: "primary", on: { click: () => this.deploy() } }, "Deploy…");
		this.backButton = el("button", { type: "button", on: { click: () => this.rollBack(null) } }, "Roll back…");
		return el("div", { class: "app-buttons" }, this.deployButton, this.backButton);
	}

	show(app, now) {
		this.app = app;
		const text = JSON.stringify({ ...app, current: app.current?.state });
		if (text !== this.shown) {
			this.shown = text;
			this.showHead();
			this.showServes(now);
			this.showTrouble(now);
		}
		if (this.backButton) this.backButton.hidden = !app.can_rollback;
		this.current.show(app.current ?? null, now);
		this.history.serving(app.serves);
	}

	showHead() {
		const { app } = this;
		this.badges.replaceChildren(...appBadges(app));
		const way = [app.build, app.swap, app.route !== "none" && app.route].filter(Boolean).join(" → ");
		setText(this.about, [app.source, app.branch && app.source && `branch ${app.branch}`, way].filter(Boolean).join(" · "));
		const facts = [
			strategyText(app.strategy),
			app.webhook ? `deliveries of ${app.webhook} at ${location.origin}/deploy/${app.name}` : "no webhook",
			`configured in ${app.origin}`,
		];
		const text = facts.join("; ").replace(/^./, (c) => c.toUpperCase());
		const measured = CONTAINERS.has(app.swap) && app.serves?.new?.container;
		replaceContent(
			this.facts,
			`${text}. `,
			measured && el("a", { href: hrefOf("container", app.name), "data-focus": "charts" }, "Charts of its container"),
		);
	}

	showServes(now) {
		const { app } = this;
		const d = app.serves;
		const address = app.domain && (app.domain.startsWith("http://") ? app.domain : `https://${app.domain}`);
		replaceContent(
			this.serves,
			el(
				"p",
				{ class: "small serves-title" },
				d ? ["Serves for ", since(d.ended_ms, now, "for")] : "Nothing serves yet",
				address && [" at ", el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, app.domain)],
			),
			d && whatNodes(d),
		);
	}

	showTrouble(now) {
		const t = troubleOf(this.app);
		replaceContent(
			this.trouble,
			t &&
				el(
					"section",
					{ class: "trouble", "data-kind": t.kind },
					el("h4", {}, t.title, " ", since(t.deploy.ended_ms, now)),
					t.deploy.error && el("p", { class: "error-text deploy-error" }, t.deploy.error),
					t.advice && el("p", { class: "advice" }, withCode(t.advice)),
					el(
						"button",
						{ type: "button", "data-focus": "trouble-log", on: { click: () => this.showLog(t.deploy.id, true) } },
						`Log of deploy ${t.deploy.id}`,
					),
				),
		);
	}

	tick(now) {
		this.current.tick(now);
	}

	/** The newest word on one of its deploys; whether the list of apps must be fetched for it. */
	news(d) {
		const known = this.app?.current;
		if (this.below.hidden === false) this.history.news(d);
		if (!known || known.id !== d.id || known.state !== d.state) return true;
		this.app.current = { ...known, ...d };
		this.current.show(this.app.current, this.ctx.range.now());
		return false;
	}

	deploy() {
		askToDeploy(this.app, (id, text) => this.begun(id, text || `Deploy ${id} was asked for.`));
	}

	async rollBack(d) {
		setText(this.status, "");
		try {
			await askToRollBack(this.app, d, (id) => this.begun(id, `Deploy ${id} goes back.`));
		} catch (e) {
			setText(this.status, e.message);
		}
	}

	begun(id, text) {
		setText(this.status, text);
		this.showLog(id);
		this.reload();
	}

	cancel(d) {
		askToCancel(d, this.app, () => this.reload());
	}

	/** `scroll`: the button that was pressed may be far below. */
	showLog(id, scroll = false) {
		if (this.log?.id !== id || this.log.over) {
			this.log?.destroy();
			this.log = new DeployLog(id);
			this.log.id = id;
			const close = el("button", { type: "button", "aria-label": "Close the log", on: { click: () => this.closeLog() } }, "Close");
			this.log.node.querySelector(".log-tools").append(close);
			this.logPlace.replaceChildren(this.log.node);
		}
		if (!scroll) return;
		this.log.node.scrollIntoView({ block: "nearest" });
		this.log.box.focus({ preventScroll: true });
	}

	closeLog() {
		const inside = this.log?.node.contains(document.activeElement);
		this.log?.destroy();
		this.log = null;
		if (inside) this.toggleButton.focus();
	}

	toggle(open = this.below.hidden) {
		setAttr(this.toggleButton, "aria-expanded", String(open));
		this.below.hidden = !open;
		if (open) this.history.load();
	}

	resume() {
		if (!this.below.hidden) this.history.load();
	}

	destroy() {
		this.log?.destroy();
		this.node.remove();
	}
}

/** What is under way, or waits. */
class Current {
	constructor(ctx, owner) {
		this.ctx = ctx;
		this.what = el("div", { class: "current-what" });
		this.took = el("span", { class: "small num" });
		this.say = el("p", { class: "small current-say" });
		this.steps = new StepRow("Steps of the deploy");
		this.logButton = el("button", { type: "button", on: { click: () => owner.showLog(this.deploy.id, true) } }, "Log");
		this.cancel = ctx.admin && el("button", { type: "button", on: { click: () => owner.cancel(this.deploy) } }, "Cancel…");
		this.node = el(
			"div",
			{ class: "current", hidden: true },
			this.what,
			el("div", { class: "current-tools" }, this.took, this.logButton, this.cancel),
			this.steps.node,
			this.say,
		);
	}

	show(d, now) {
		this.node.hidden = d === null;
		if (d && this.deploy?.id !== d.id) this.what.replaceChildren(...whatNodes(d));
		if (d && this.deploy?.subject !== d.subject) this.what.replaceChildren(...whatNodes(d));
		this.deploy = d;
		if (d) this.tick(now);
	}

	tick(now) {
		const d = this.deploy;
		if (!d) return;
		const waits = isWaiting(d);
		const ms = tookMs(d, now);
		this.steps.node.hidden = waits;
		this.logButton.hidden = waits;
		if (this.cancel) this.cancel.hidden = !canCancel(d);
		if (!waits) this.steps.show(d, now);
		setText(this.took, ms === null ? "" : tookText(Math.floor(ms / 1000) * 1000));
		setText(this.say, waits ? waitText(d) : stepText(d, now));
		this.say.hidden = this.say.textContent === "";
	}
}
