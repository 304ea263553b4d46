// SPDX-License-Identifier: Apache-2.0
// The tiles on top of the overview: what the server does now, each with a bar or the line of the last hour.

import { el, setAttr, setText } from "/assets/dom.js";
import { Sparkline } from "/assets/sparkline.js";
import { clock, duration, format } from "/assets/units.js";

const WARN = 90;
const BAD = 97;

/** "" , "warn" or "bad": the class of a share in percent. */
export const level = (percent) => (percent >= BAD ? "bad" : percent >= WARN ? "warn" : "");

/** A thin bar for a share in percent. */
export class Bar {
	/** `levels`: near 100 % it warns by its colour. */
	constructor(levels = true) {
		this.levels = levels;
		this.inner = el("i", {});
		this.node = el("span", { class: "bar", "aria-hidden": "true" }, this.inner);
	}

	set(percent) {
		this.node.classList.toggle("off", percent === null || percent === undefined);
		this.inner.style.width = `${Math.min(Math.max(percent ?? 0, 0), 100)}%`;
		setAttr(this.inner, "class", this.levels ? level(percent) : "");
	}
}

/* Each row: label, metric of the line, least top of the line, and what is said about the values v of the host. */
const TILES = [
	{
		label: "CPU",
		spark: "cpu_used_percent",
		least: 20,
		bar: (v) => v.cpu_used_percent,
		main: (v) => format(v.cpu_used_percent, "percent"),
		sub: (v) => [cores(v.cpu_cores), v.cpu_steal_percent >= 1 && `steal ${format(v.cpu_steal_percent, "percent")}`],
	},
	{
		label: "Memory",
		spark: "memory_used_percent",
		least: 100,
		bar: (v) => v.memory_used_percent,
		main: (v) => format(v.memory_used_percent, "percent"),
		sub: (v) => [`${format(v.memory_used_bytes, "bytes")} of ${format(v.memory_total_bytes, "bytes")}`],
	},
	{
		label: "Swap",
		spark: "swap_used_percent",
		least: 100,
		bar: (v) => v.swap_used_percent,
		main: (v) => (v.swap_total_bytes === 0 ? "none" : format(v.swap_used_percent, "percent")),
		sub: (v) => [
			v.swap_total_bytes === 0
				? "no swap space"
				: `${format(v.swap_used_bytes, "bytes")} of ${format(v.swap_total_bytes, "bytes")}`,
		],
	},
	{
		label: "Load",
		spark: "load1",
		least: 1,
		bar: (v) => (v.load1 === null ? null : (100 * v.load1) / (v.cpu_cores || 1)),
		main: (v) => fixed(v.load1),
		sub: (v) => [`5 min ${fixed(v.load5)}`, `15 min ${fixed(v.load15)}`],
	},
	{
		label: "Network",
		spark: "network_received_bytes_per_second",
		least: 10240,
		main: (v) => format(v.network_received_bytes_per_second, "bytes_per_second"),
		after: "in",
		sub: (v) => [`${format(v.network_sent_bytes_per_second, "bytes_per_second")} out`],
	},
	{
		label: "Disks",
		spark: "disk_written_bytes_per_second",
		least: 10240,
		main: (v) => format(v.disk_written_bytes_per_second, "bytes_per_second"),
		after: "written",
		sub: (v) => [`${format(v.disk_read_bytes_per_second, "bytes_per_second")} read`],
	},
	{
		label: "Pressure",
		needs: "pressure_cpu_some_percent",
		spark: "pressure_io_some_percent",
		least: 20,
		main: (v) =>
			format(
				most(v.pressure_cpu_some_percent, v.pressure_memory_some_percent, v.pressure_io_some_percent),
				"percent",
			),
		sub: (v, missing) => [
			missing.pressure_cpu_some_percent
				? "not measured by this kernel"
				: `CPU ${whole(v.pressure_cpu_some_percent)} · mem ${whole(v.pressure_memory_some_percent)} · I/O ${whole(v.pressure_io_some_percent)}`,
		],
		title: "Share of the time in which some task had to wait",
	},
	{
		label: "Uptime",
		main: (v) => duration(v.uptime_seconds),
		sub: (v) => [v.boot_time_seconds && `since ${clock(v.boot_time_seconds)}`],
	},
	{
		label: "Updates",
		needs: "updates_pending",
		main: (v) => (v.updates_pending === null ? "–" : v.updates_pending === 0 ? "none" : format(v.updates_pending)),
		sub: (v, missing) => [
			missing.updates_pending && v.updates_pending === null ? "not known" : null,
			v.security_updates_pending > 0 && `${v.security_updates_pending} for security`,
			v.reboot_required >= 1 && "reboot pending",
		],
		level: (v) => (v.security_updates_pending > 0 || v.reboot_required >= 1 ? "warn" : ""),
	},
];

const cores = (n) => n && `${n} ${n === 1 ? "core" : "cores"}`;
const fixed = (v) => (v === null || v === undefined ? "–" : v.toFixed(2));
const whole = (v) => (v === null || v === undefined ? "–" : `${v.toFixed(0)} %`);
const most = (...list) => list.reduce((a, v) => (v === null || v === undefined ? a : Math.max(a ?? v, v)), null);

class Tile {
	constructor(row, interval) {
		this.row = row;
		this.main = el("strong", {}, "–");
		this.sub = el("span", { class: "tile-sub" });
		this.bar = row.bar ? new Bar() : null;
		this.spark = row.spark ? new Sparkline(interval, row.least) : null;
		this.node = el(
			"section",
			{ class: "card tile", "aria-label": row.label },
			el("h3", {}, row.label),
			el("span", { class: "tile-main" }, this.main, row.after && el("small", {}, ` ${row.after}`)),
			this.sub,
			this.bar?.node,
			this.spark?.node,
		);
	}

	set(values, missing) {
		setText(this.main, this.row.main(values));
		setText(this.sub, this.row.sub(values, missing).filter(Boolean).join(" · "));
		this.bar?.set(this.row.bar(values));
		this.node.title = missing[this.row.needs] ?? this.row.title ?? "";
		this.node.classList.toggle("warn", this.row.level?.(values, missing) === "warn");
	}
}

export class Tiles {
	constructor(interval) {
		this.tiles = TILES.map((row) => new Tile(row, interval));
		this.space = el("div", { class: "rows" });
		this.spaceRows = new Map();
		this.none = el("span", { class: "tile-sub", hidden: true }, "no filesystem is watched");
		this.node = el(
			"div",
			{ class: "tiles" },
			this.tiles.map((t) => t.node),
			el(
				"section",
				{ class: "card tile wide", "aria-label": "Disk space" },
				el("h3", {}, "Disk space"),
				this.none,
				this.space,
			),
		);
	}

	/** Metrics of the host whose last hour the tiles want. */
	get metrics() {
		return [...new Set(TILES.map((t) => t.spark).filter(Boolean))];
	}

	load(series, now) {
		for (const tile of this.tiles) {
			const i = series.metrics.indexOf(tile.row.spark);
			if (i >= 0) tile.spark.load(series, i, now);
		}
	}

	host(values, missing) {
		const v = new Proxy(values, { get: (o, name) => o[name] ?? null });
		for (const tile of this.tiles) tile.set(v, missing ?? {});
	}

	live(time, values) {
		for (const tile of this.tiles) tile.spark?.append(time, values[tile.row.spark] ?? null);
	}

	filesystems(list) {
		const seen = new Set(list.map((e) => e.key));
		for (const [key, row] of this.spaceRows) {
			if (seen.has(key)) continue;
			row.node.remove();
			this.spaceRows.delete(key);
		}
		for (const e of list) this.spaceRow(e);
		this.none.hidden = list.length > 0;
	}

	spaceRow({ key, values }) {
		let row = this.spaceRows.get(key);
		if (!row) {
			row = { bar: new Bar(), text: el("span", { class: "num" }), percent: el("span", { class: "num strong" }) };
			row.node = el(
				"a",
				{ class: "row", href: `#/entity/filesystem/${encodeURIComponent(key)}`, title: key },
				el("span", { class: "name" }, key),
				row.bar.node,
				row.percent,
				row.text,
			);
			this.spaceRows.set(key, row);
			this.space.append(row.node);
		}
		row.bar.set(values.used_percent);
		setText(row.percent, format(values.used_percent, "percent"));
		setText(row.text, `${format(values.available_bytes, "bytes")} free`);
	}
}
