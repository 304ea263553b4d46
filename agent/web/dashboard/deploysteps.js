// SPDX-License-Identifier: Apache-2.0
// The steps of a deploy as a row: those that are done with how long they took, the present one lit, those to come.

import { stepsOf, stepStateText, tookText } from "/assets/deploywords.js";
import { el, setAttr, setText } from "/assets/dom.js";

export class StepRow {
	constructor(label) {
		this.node = el("ol", { class: "steps", "aria-label": label });
		this.items = [];
	}

	/** Nodes stay while a deploy goes on: only what changed is touched. */
	show(d, now) {
		const steps = stepsOf(d, now);
		while (this.items.length > steps.length) this.items.pop().node.remove();
		while (this.items.length < steps.length) {
			const item = new Step();
			this.items.push(item);
			this.node.append(item.node);
		}
		steps.forEach((s, i) => this.items[i].show(s));
	}
}

class Step {
	constructor() {
		this.title = el("b", {});
		this.state = el("span", { class: "sr" });
		this.took = el("span", { class: "step-took num" });
		this.node = el("li", {}, this.title, this.state, this.took);
	}

	show(s) {
		setText(this.title, s.title);
		setText(this.state, ` ${stepStateText(s)} `);
		const took = s.ms === null || s.state === "skipped" ? "" : tookText(s.ms);
		setText(this.took, s.attempts > 1 ? `${took}, ${s.attempts} attempts` : took);
		setAttr(this.node, "data-state", s.state || "next");
		setAttr(this.node, "data-back", s.back ? "1" : null);
		setAttr(this.node, "aria-current", s.state === "running" ? "step" : null);
	}
}
