// SPDX-License-Identifier: Apache-2.0
// Deploys as marks on charts: when a version got the requests, with its commit.

import { get } from "/assets/api.js";
import { isBad, versionName } from "/assets/deploywords.js";

const MOST = 200;
const COLOR = 5;

/** When the requests went to the new version, in Unix seconds; null: they never did. */
export function switchedAt(d) {
	const routes = (d.stages ?? []).filter((s) => s.stage === "route" && s.verb === "apply" && s.ended_ms > 0);
	const last = routes.filter((s) => s.state === "done" || s.state === "skipped").at(-1);
	return last ? last.ended_ms / 1000 : null;
}

/** Marks as of eventmarks.js for the charts of `entity` "CLASS/KEY": of one app, or of all (null); [] when they cannot be had. */
export async function deployMarks(entity, app, signal) {
	const q = new URLSearchParams({ limit: MOST });
	if (app !== null) q.set("app", app);
	try {
		const { deploys } = await get(`/api/v1/deploys?${q}`, signal);
		return deploys.filter((d) => switchedAt(d) !== null).map((d) => mark(d, entity));
	} catch {
		return []; // the charts are true without them
	}
}

const mark = (d, entity) => ({
	time: switchedAt(d),
	title: [`${d.app} ${versionName(d)}`, d.subject].filter(Boolean).join(" "),
	text: versionName(d),
	label: isBad(d) ? "deploy, rolled back" : "deploy",
	color: isBad(d) ? "bad" : COLOR,
	entity,
	metric: "",
});
