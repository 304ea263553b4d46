// SPDX-License-Identifier: Apache-2.0
// What an admin can do with an app: deploy, roll back, cancel. Each asks first and says what will serve afterwards.

import { get, post } from "/assets/api.js";
import { message, whatNodes } from "/assets/deployhistory.js";
import { shortCommit, strategyText, versionName, versionsBefore } from "/assets/deploywords.js";
import { field, openDialog } from "/assets/dialog.js";
import { el } from "/assets/dom.js";
import { clock } from "/assets/units.js";

const LOOKED_AT = 200; // deploys among which versions to go back to are looked for

const path = (app, what) => `/api/v1/apps/${encodeURIComponent(app.name)}/${what}`;

/** What becomes of what is under way when another deploy is asked for. */
function queueNodes(app) {
	const d = app.current;
	if (!d) return null;
	const text =
		d.state === "queued"
			? `Deploy ${d.id} (${versionName(d)}) waits; this one takes its place.`
			: `Deploy ${d.id} (${versionName(d)}) is under way; this one begins when that has ended.`;
	return el("p", { class: "dialog-note" }, text);
}

const servesText = (d) => [versionName(d), message(d)].filter(Boolean).join(" ");

/** `done` gets the number of the deploy that was made. */
export function askToDeploy(app, done) {
	const byImage = app.build === "image";
	const ref = el("input", { type: "text", placeholder: app.branch, maxlength: "255", autocapitalize: "off", spellcheck: "false" });
	const commit = el("input", { type: "text", maxlength: "64", autocapitalize: "off", spellcheck: "false" });
	const image = el("input", { type: "text", maxlength: "511", autocapitalize: "off", spellcheck: "false" });
	const fields = byImage
		? [field("Image", image, "Empty: the image of the configuration")]
		: [
				field("Branch or tag", ref, `Empty: ${app.branch}`),
				field("Commit", commit, "Empty: the newest of it"),
			];
	openDialog({
		title: `Deploy ${app.name}?`,
		action: "Deploy",
		content: [
			...fields,
			el("p", {}, `Then ${strategyText(app.strategy)}. If anything fails, what serves now serves on.`),
			app.serves && el("p", { class: "small" }, `Serves now: ${servesText(app.serves)}`),
			queueNodes(app),
		].filter(Boolean),
		submit: async () => {
			const body = {};
			for (const [name, input] of Object.entries(byImage ? { image } : { ref, commit }))
				if (input.value.trim()) body[name] = input.value.trim();
			const answer = await post(path(app, "deploy"), body);
			done(answer.deploy, answer.duplicate ? `Deploy ${answer.deploy} is the very same already.` : "");
		},
	});
}

/** `to`: a deploy whose version is wanted; null: one is chosen in the dialog. */
export async function askToRollBack(app, to, done) {
	const { versions, usual } = await candidates(app, to);
	if (!versions.length) throw new Error("There is no version to go back to.");
	const select = el(
		"select",
		{},
		versions.map((d) =>
			el("option", { value: String(d.id) }, [`deploy ${d.id}`, shortCommit(d.commit), message(d)].filter(Boolean).join(" · ")),
		),
	);
	const after = el("div", { class: "will-serve" });
	const chosen = () => versions.find((d) => String(d.id) === select.value);
	const show = () => {
		const d = chosen();
		after.replaceChildren(
			el("p", { class: "small" }, "Then this version serves:"),
			...whatNodes(d),
			el("p", { class: "small" }, `It was deployed ${clock(d.ended_ms / 1000)}.`),
		);
	};
	select.value = String((usual ?? versions[0]).id);
	select.addEventListener("change", show);
	show();
	openDialog({
		title: `Roll ${app.name} back?`,
		action: "Roll back",
		content: [
			versions.length > 1 && field("Version", select),
			after,
			app.serves && el("p", { class: "small" }, `Serves now: ${servesText(app.serves)}`),
			el("p", {}, "Nothing is built: it is started, probed and gets the requests, as with any deploy. Changes of a database are not undone."),
			queueNodes(app),
		].filter(Boolean),
		submit: async () => {
			const { deploy } = await post(path(app, "rollback"), { to: chosen().id });
			done(deploy, "");
		},
	});
}

async function candidates(app, to) {
	if (to) return { versions: [to], usual: to };
	const { deploys } = await get(`/api/v1/deploys?${new URLSearchParams({ app: app.name, limit: LOOKED_AT })}`);
	return versionsBefore(deploys);
}

export function askToCancel(d, app, done) {
	const waiting = d.state === "queued";
	const serves = app.serves ? `${servesText(app.serves)} serves on.` : "Nothing serves yet.";
	openDialog({
		title: `Cancel deploy ${d.id}?`,
		action: "Cancel the deploy",
		dismiss: "Let it go on",
		content: [
			el("p", { class: "about" }, servesText(d)),
			el("p", {}, waiting ? `It only waits. ${serves}` : `All its processes are ended and the new version is removed. ${serves}`),
		],
		submit: async () => {
			await post(`/api/v1/deploys/${d.id}/cancel`, {});
			done();
		},
	});
}
