// SPDX-License-Identifier: Apache-2.0
// The backups of a job that are in its stores, as the manifests there say.

import { badge, since } from "/assets/alertwords.js";
import { get } from "/assets/api.js";
import { countsText, storeErrorText } from "/assets/backupwords.js";
import { el, setText } from "/assets/dom.js";
import { plainTable, replaceContent } from "/assets/plaintable.js";
import { clock, format } from "/assets/units.js";

const SHOWN = 7;
const FIRST_MS = 500;
const TRIES = 7; // a minute in all

export class BackupList {
	/** `verify` begins a verification of {backup, store}; `shown` is called when what there is became known. */
	constructor(ctx, name, signal, { verify, shown }) {
		Object.assign(this, { ctx, name, signal, verify, shown });
		this.all = false;
		this.read = el("span", { class: "small" });
		this.again = el("button", { type: "button", on: { click: () => this.load(true) } }, "Read the stores again");
		this.errors = el("div", { role: "alert" });
		this.list = el("div", {}, el("p", { class: "small" }, "Loading …"));
		this.more = el("button", { type: "button", hidden: true, on: { click: () => this.showAll() } });
		this.node = el(
			"section",
			{ class: "in-stores" },
			el(
				"div",
				{ class: "part-head" },
				el("h3", {}, "Backups in the stores"),
				el("span", { class: "read" }, this.read, " ", this.again),
			),
			this.errors,
			this.list,
			el("p", { class: "more" }, this.more),
		);
	}

	/** Something was done with the stores at that time; the agent looks into them again by itself, a moment later. */
	expect(ms) {
		this.wanted = ms;
		this.tries = 0;
	}

	async load(refresh = false) {
		if (this.asking) return;
		this.asking = refresh;
		const path = `/api/v1/backups/jobs/${encodeURIComponent(this.name)}`;
		if (refresh) {
			this.again.disabled = true;
			replaceContent(this.read, "Reading, which may take a minute …");
		}
		try {
			this.show(await get(refresh ? `${path}?refresh=true` : path, this.signal));
		} catch (e) {
			if (this.signal.aborted) return;
			replaceContent(this.errors, el("p", { class: "error-text" }, `Could not be read: ${e.message}`));
			replaceContent(this.read, "");
		}
		this.again.disabled = false;
		this.asking = false;
		this.loadLater();
	}

	/** Nobody has read the stores yet: now is the time. What is older than what was done is looked at once more. */
	loadLater() {
		if (this.answer?.time_ms === 0 && !this.asked) {
			this.asked = true;
			this.load(true);
		} else if (this.answer?.time_ms < this.wanted && this.tries < TRIES) {
			clearTimeout(this.timer);
			this.timer = setTimeout(() => this.signal.aborted || this.load(), FIRST_MS * 2 ** this.tries++);
		}
	}

	show(answer) {
		this.answer = answer;
		const now = this.ctx.range.now();
		replaceContent(
			this.read,
			...(answer.time_ms > 0 ? ["as read ", since(answer.time_ms, now)] : ["not read yet"]),
		);
		replaceContent(
			this.errors,
			(answer.errors ?? []).map((e) =>
				el("p", { class: "error-text" }, storeError(e)),
			),
		);
		this.showRows();
		this.shown();
	}

	/** All stores were read, and there is nothing. */
	isEmpty() {
		const { time_ms: read, backups, errors } = this.answer ?? {};
		return read > 0 && backups.length === 0 && !errors?.length;
	}

	showRows() {
		const { backups, time_ms: read } = this.answer;
		const groups = byId(backups);
		const rows = this.all ? groups : groups.slice(0, SHOWN);
		this.more.hidden = rows.length === groups.length;
		setText(this.more, `All ${groups.length}`);
		const text = JSON.stringify([rows, read > 0]);
		if (text === this.rowsShown) return;
		this.rowsShown = text;
		replaceContent(
			this.list,
			rows.length
				? plainTable({ caption: "Backups in the stores", columns: this.columns(), rows })
				: el("p", { class: "small" }, read > 0 ? "There is none yet." : "The stores were not read yet."),
		);
	}

	showAll() {
		this.all = true;
		this.showRows();
	}

	columns() {
		return [
			{
				id: "what",
				title: "Backup",
				cell: ([b]) =>
					[
						clock(b.started_ms / 1000),
						b.encrypted && [" ", badge("off", "encrypted")],
						el("p", { class: "small" }, el("code", {}, b.id)),
					].flat(),
			},
			{
				id: "bytes",
				title: "Size",
				cell: ([b]) => [
					format(b.stored_bytes, "bytes"),
					el("p", { class: "small" }, `${format(b.plain_bytes, "bytes")} dumped`),
				],
			},
			{ id: "contents", title: "Contents", cell: ([b]) => contents(b) },
			{ id: "copies", title: "Stored in", cell: (copies) => copies.map((b) => this.copy(b)) },
		];
	}

	copy(b) {
		const verify = {
			type: "button",
			"data-focus": `${b.id} ${b.store}`,
			"aria-label": `Verify the backup of ${clock(b.started_ms / 1000)} in ${b.store}`,
			on: { click: () => this.verify({ backup: b.id, store: b.store }) },
		};
		return el(
			"div",
			{ class: "copy" },
			el("span", { class: "copy-store" }, b.store),
			marks(b),
			this.ctx.admin && el("button", verify, "Verify"),
			b.bad_ms > 0 &&
				el("p", { class: "error-text" }, b.bad_why || "It is not what was stored: do not rely on it."),
		);
	}
}

const storeError = ({ store, error }) => `Store ${store} could not be read: ${storeErrorText(store, error)}`;

/** Copies of the same backup are one row. */
function byId(backups) {
	const groups = new Map();
	for (const b of backups) groups.set(b.id, [...(groups.get(b.id) ?? []), b]);
	return [...groups.values()];
}

/** What is in it, and what was noticed at the dump. */
function contents(b) {
	const members = b.members ?? [];
	const line = (m) => [members.length > 1 && (m.title || m.name), countsText(m.counts)].filter(Boolean).join(": ");
	const lines = members.map(line).filter(Boolean);
	const list =
		lines.length > 3
			? [
					el(
						"details",
						{},
						el("summary", {}, `${members.length} parts`),
						lines.map((l) => el("p", {}, l)),
					),
				]
			: lines.map((l) => el("p", {}, l));
	const warnings = (b.warnings ?? []).map((w) => el("p", { class: "run-warning" }, w));
	return list.length || warnings.length ? [...list, ...warnings] : "–";
}

function marks(b) {
	const at = (ms) => clock(ms / 1000);
	return el(
		"span",
		{ class: "badges" },
		b.bad_ms > 0 && badge("bad", "damaged", `Found ${at(b.bad_ms)}`),
		b.verified_ms > 0 && badge("good", "verified", `${at(b.verified_ms)}: read back, every byte as it was`),
		b.drilled_ms > 0 && badge("good", "drilled", `${at(b.drilled_ms)}: restored, and all was there`),
		!b.bad_ms &&
			!b.verified_ms &&
			!b.drilled_ms &&
			badge("off", "not checked", "Neither read back nor restored since it was made"),
	);
}
