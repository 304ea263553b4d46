// SPDX-License-Identifier: Apache-2.0
// What an admin does about alerts: acknowledge one, silence some for a while.

import { post } from "/assets/api.js";
import { field, openDialog } from "/assets/dialog.js";
import { el } from "/assets/dom.js";

const REASON_MAX = 500;
const PATTERN_MAX = 200;
const SPANS = [
	[3600, "1 hour"],
	[4 * 3600, "4 hours"],
	[86400, "1 day"],
	[7 * 86400, "1 week"],
];
const UNITS = [
	[60, "minutes"],
	[3600, "hours"],
	[86400, "days"],
];

const reasonInput = () =>
	el("input", {
		name: "reason",
		maxlength: REASON_MAX,
		placeholder: "For others, and for you tomorrow",
		autocomplete: "off",
	});

/** {reason: text}, or nothing when there is none. */
const reasonOf = (input) => (input.value.trim() ? { reason: input.value.trim() } : {});

/** `done` is called after it happened. */
export function acknowledge(alert, done) {
	const reason = reasonInput();
	return openDialog({
		title: "Acknowledge",
		action: "Acknowledge",
		content: [
			el("p", { class: "about" }, alert.title),
			el("p", { class: "small" }, "There are no reminders until it is over. The end is told as usual."),
			field("Reason (optional)", reason),
		],
		async submit() {
			await post("/api/v1/alerts/ack", { alert: alert.id, ...reasonOf(reason) });
			done();
		},
	});
}

function spanFields() {
	const number = el("input", {
		type: "number",
		name: "number",
		min: "1",
		max: "9999",
		value: "2",
		"aria-label": "Number",
	});
	const unit = el(
		"select",
		{ name: "unit", "aria-label": "Unit" },
		UNITS.map(([seconds, name]) => el("option", { value: seconds, selected: seconds === 3600 }, name)),
	);
	const own = el("span", { class: "own" }, number, unit);
	const radio = (value, text, checked) =>
		el("label", { class: "choice" }, el("input", { type: "radio", name: "span", value, checked }), text);
	const node = el(
		"fieldset",
		{},
		el("legend", {}, "For how long"),
		SPANS.map(([seconds, text], i) => radio(seconds, text, i === 0)),
		el("span", { class: "choice" }, radio("own", "for"), own),
	);
	own.addEventListener("input", () => (node.querySelector("[value=own]").checked = true));
	return {
		node,
		seconds() {
			const picked = node.querySelector(":checked").value;
			return picked === "own" ? Math.round(Number(number.value) * Number(unit.value)) : Number(picked);
		},
	};
}

/** `rule` and `entity` are patterns to begin with; `rules` the names to choose from. */
export function silence({ rule = "*", entity = "*", rules = [] }, done) {
	const pattern = (name, value, list) =>
		el("input", {
			name,
			value,
			required: true,
			maxlength: PATTERN_MAX,
			list,
			autocomplete: "off",
			spellcheck: "false",
		});
	const ruleInput = pattern("rule", rule, "silence-rules");
	const entityInput = pattern("entity", entity);
	const reason = reasonInput();
	const span = spanFields();
	return openDialog({
		title: "Silence",
		action: "Silence",
		content: [
			el("p", { class: "small" }, "Nobody is told about these alerts for a while. They are still shown here."),
			field("Rule", ruleInput, "* stands for any text: disk* fits all rules whose name begins so"),
			el(
				"datalist",
				{ id: "silence-rules" },
				rules.map((name) => el("option", { value: name })),
			),
			field("Entity", entityInput, "As CLASS/NAME, or the name alone: container/shop-*"),
			span.node,
			field("Reason (optional)", reason),
		],
		async submit() {
			await post("/api/v1/silences", {
				rule: ruleInput.value.trim(),
				entity: entityInput.value.trim(),
				seconds: span.seconds(),
				...reasonOf(reason),
			});
			done();
		},
	});
}
