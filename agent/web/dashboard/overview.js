// SPDX-License-Identifier: Apache-2.0
// The overview: tiles, the charts of the host, its disks and filesystems, and the busiest containers.

import { entities, series } from "/assets/api.js";
import { BackupStrip } from "/assets/backupstrip.js";
import { ChartGroup } from "/assets/chartgroup.js";
import { deployMarks, switchedAt } from "/assets/deploymarks.js";
import { DeployStrip } from "/assets/deploystrip.js";
import { el } from "/assets/dom.js";
import { eventMarks } from "/assets/eventmarks.js";
import { FiringStrip } from "/assets/firing.js";
import { GROUPS } from "/assets/groups.js";
import { specOf } from "/assets/specs.js";
import { SPARK_POINTS, SPARK_SPAN } from "/assets/sparkline.js";
import { Tiles } from "/assets/tiles.js";
import { TopList } from "/assets/top.js";

const CLASSES = ["host", "filesystem", "disk", "container"];
const MANY = 8; // lines in one chart
const NOTHING = { values: {}, missing: {} };

export function overview(ctx) {
	return new Overview(ctx);
}

class Overview {
	constructor(ctx) {
		this.ctx = ctx;
		this.ranged = true;
		this.stream = CLASSES.map((c) => `class=${c}`).join("&");
		this.host = NOTHING;
		this.containers = [];
		this.group = new ChartGroup(ctx);
		this.tiles = new Tiles(ctx.interval);
		this.firing = new FiringStrip(ctx);
		this.deploys = new DeployStrip(ctx);
		this.backups = new BackupStrip(ctx);
		this.top = [
			new TopList({
				title: "Containers by CPU",
				metric: "cpu_used_percent",
				unit: "percent",
			}),
			new TopList({
				title: "Containers by memory",
				metric: "memory_used_bytes",
				unit: "bytes",
			}),
		];
		this.grid = el("div", { class: "charts" });
		this.node = el(
			"div",
			{ class: "page overview" },
			el("h2", { class: "sr" }, "Overview"),
			this.firing.node,
			this.deploys.node,
			this.backups.node,
			this.tiles.node,
			this.grid,
		);
	}

	async start() {
		this.abort = new AbortController();
		this.alerts();
		this.deploys.load(this.abort.signal);
		this.backups.load(this.abort.signal);
		let now;
		try {
			now = await entities(CLASSES, this.abort.signal);
		} catch (e) {
			if (!this.abort.signal.aborted)
				this.grid.replaceChildren(el("p", { class: "message" }, `Could not be loaded: ${e.message}`));
			return;
		}
		this.known = now.entities;
		this.sample(now);
		this.grid.replaceChildren(...this.charts());
		this.group.load();
		this.loadLines();
	}

	charts() {
		const host = (id) => {
			const group = GROUPS.host.find((g) => g.id === id);
			const spec = specOf(this.ctx.schema, "host", "host", group, () => this.host);
			return spec && this.group.add({ ...spec, href: "#/entity/host/host" });
		};
		return [
			host("cpu"),
			this.top[0].node,
			host("memory"),
			this.top[1].node,
			host("load"),
			host("pressure"),
			host("network"),
			host("disk"),
			this.each("disk", "disk-busy", "Disks busy", [["busy_percent", ""]], { minTop: 10 }),
			this.each(
				"disk",
				"disk-latency",
				"Disk latency",
				[
					["read_latency_seconds", "read"],
					["write_latency_seconds", "write"],
				],
				{ minTop: 0.002 },
			),
			this.each("filesystem", "filesystems", "Filesystems used", [["used_percent", ""]], { top: 100 }),
		].filter(Boolean);
	}

	/** One line for each metric of each entity of a class: those with the largest values now, when they are many. */
	each(cls, id, title, metrics, options) {
		const { schema } = this.ctx;
		const rows = metrics.filter(([m]) => schema.stored(cls, m));
		const all = this.known.filter((e) => e.class === cls && e.live !== false);
		if (!rows.length || !all.length) return null;
		const size = (e) => e.values?.[rows[0][0]] ?? -1;
		const some = [...all].sort((a, b) => size(b) - size(a)).slice(0, Math.floor(MANY / rows.length));
		const single = some.length === 1 && rows.length > 1;
		return this.group.add({
			...options,
			id,
			title: some.length < all.length ? `${title} (${some.length} of ${all.length})` : title,
			href: some.length === 1 ? `#/entity/${cls}/${encodeURIComponent(some[0].key)}` : "#/entities",
			unit: schema.metric(cls, rows[0][0]).unit,
			series: some
				.flatMap((e) =>
					rows.map(([metric, what], i) => ({
						entity: `${cls}/${e.key}`,
						metric,
						label: single ? what : [e.key, what].filter(Boolean).join(" "),
						band: some.length * rows.length <= 2,
						doc: schema.metric(cls, metric).doc,
						i,
					})),
				)
				.map((s, i) => ({ ...s, color: i })),
		});
	}

	async loadLines() {
		const now = this.ctx.range.now();
		try {
			const [line] = await series(
				{
					entities: ["host/host"],
					metrics: this.tiles.metrics.filter((m) => this.ctx.schema.stored("host", m)),
					from: now - SPARK_SPAN,
					to: now,
					points: SPARK_POINTS,
					how: "average",
				},
				this.abort.signal,
			);
			if (line) this.tiles.load(line, now);
		} catch {
			// The tiles have their numbers; the lines grow from live samples.
		}
	}

	sample(detail) {
		const of = (cls) => detail.entities.filter((e) => e.class === cls && e.live !== false);
		const host = of("host")[0];
		if (host) {
			this.host = { values: host.values ?? {}, missing: host.missing ?? this.host.missing };
			this.tiles.host(this.host.values, this.host.missing);
			this.tiles.live(detail.time, this.host.values);
		}
		this.tiles.filesystems(of("filesystem"));
		this.firing.tick();
		this.deploys.tick();
		this.backups.tick();
		this.top.forEach((t) => t.show(of("container")));
		this.group.sample(detail);
	}

	async alerts() {
		this.firing.load(this.abort.signal);
		const { signal } = this.abort;
		const marks = await Promise.all([eventMarks(null, signal), deployMarks("host/host", null, signal)]);
		this.group.setEvents(marks.flat());
	}

	deploy({ deploy }) {
		this.deploys.load(this.abort.signal);
		if (switchedAt(deploy) !== null) this.alerts();
	}

	backup({ run }) {
		this.backups.news(run, this.abort.signal);
	}

	resume() {
		this.alerts();
		this.deploys.load(this.abort.signal);
		this.backups.load(this.abort.signal);
		this.group.load();
		this.loadLines();
	}

	repaint() {
		this.group.repaint();
	}

	destroy() {
		this.abort?.abort();
		this.group.destroy();
	}
}
