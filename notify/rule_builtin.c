/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/rule.h"

#define MINUTES(n) ((int64_t)(n)*60 * 1000)
#define HOURS(n) MINUTES((n)*60)
#define DAYS(n) HOURS((n)*24)

#define ROW(enabled_, recovery_)                                                                   \
	.origin = "built in", .is_builtin = true, .enabled = (enabled_), .recovery = (recovery_)
#define STATE ROW(1, 1) /* lasts, and its end is told */
#define EVENT ROW(1, 0) /* happened; there is no end worth telling */

/* Meant for a small server with a few side projects: a busy one is left in peace (windows, `for`), a
 * message is worth getting up for or at least worth reading, and nobody hears twice of one cause:
 *   - a killed container is told by oom_kill, a killed service by service_oom_kill; host.oom_kills
 *     counts the same kills again and has no rule;
 *   - CPU pressure says on one core what cpu says, and has none either;
 *   - swap in use is harmless when nothing is read back, so traffic counts, not the amount. */
const struct rule_settings rules_builtin[] = {
	{
		STATE,
		.name = "app_down",
		.metric = "app.up",
		.critical = "< 1",
		.for_ms = MINUTES(2),
		.clear_for_ms = MINUTES(1),
		.repeat_ms = HOURS(6),
		.doc = "The app does not answer with 2xx at health.path. Look at the last lines of "
		       "its "
		       "container; `agent deploy rollback APP` brings the version before back.",
	},
	{
		STATE,
		.name = "clock_offset",
		.metric = "host.clock_offset_seconds",
		.warning = "> +-100ms",
		.clear = "< +-50ms",
		.for_ms = MINUTES(10),
		.clear_for_ms = MINUTES(10),
		.doc = "The clock is wrong: logins with one-time codes, certificates and uploads "
		       "to S3 fail. Look at `timedatectl` or `chronyc tracking`.",
	},
	{
		STATE,
		.name = "clock_unsynchronized",
		.metric = "host.clock_synchronized",
		.warning = "< 1",
		.for_ms = HOURS(2),
		.clear_for_ms = MINUTES(10),
		.doc = "No time service keeps the clock right, so it drifts. Install chrony or "
		       "systemd-timesyncd, or let port 123/udp out.",
	},
	{
		/* A job that is done, `docker run --rm` and a container stopped by hand look the
		 * same as one that crashed. */
		ROW(0, 1),
		.name = "container_gone",
		.type = "gone",
		.metric = "container.running",
		.severity = "critical",
		.for_ms = MINUTES(1),
		.doc = "A container stopped or was removed. Off unless switched on, best with "
		       "`entities` for those that must always run: a job that is done looks the "
		       "same.",
	},
	{
		STATE,
		.name = "container_memory",
		.metric = "container.memory_used_percent",
		.how = "average",
		.window_ms = MINUTES(10),
		.warning = "> 95",
		.clear = "< 85",
		.clear_for_ms = MINUTES(5),
		.repeat_ms = DAYS(1),
		.doc = "The container is at its memory limit; the kernel kills it when it needs "
		       "more. Raise the limit or look for a leak.",
	},
	{
		STATE,
		.name = "cpu",
		.metric = "host.cpu_used_percent",
		.how = "average",
		.window_ms = MINUTES(10),
		.warning = "> 90",
		.clear = "< 75",
		.for_ms = MINUTES(5),
		.clear_for_ms = MINUTES(5),
		.repeat_ms = DAYS(1),
		.doc = "The server has had no CPU time to spare for a quarter of an hour. Look "
		       "which container takes it; limit that one or get a larger server.",
	},
	{
		STATE,
		.name = "disk",
		.metric = "filesystem.used_percent",
		.warning = "> 90",
		.clear = "< 85",
		.critical = "> 97",
		.critical_clear = "< 95",
		.for_ms = MINUTES(2),
		.clear_for_ms = MINUTES(2),
		.repeat_ms = HOURS(12),
		.doc = "The disk is nearly full; databases stop when it is. Look for old images "
		       "(`docker system prune`), logs and backups.",
	},
	{
		STATE,
		.name = "disk_forecast",
		.type = "forecast",
		.metric = "filesystem.used_percent",
		.window_ms = HOURS(6),
		.target = "100",
		.warning = "< 24h",
		.clear = "> 48h",
		.critical = "< 4h",
		.critical_clear = "> 8h",
		.for_ms = HOURS(1),
		.clear_for_ms = MINUTES(30),
		.repeat_ms = HOURS(12),
		.doc = "At the pace of the last six hours the disk will be full soon. Find what "
		       "grows (`du -xh / | sort -h | tail`) while there is room.",
	},
	{
		EVENT,
		.name = "disk_read_only",
		/* One that is read-only by intention has always been so. */
		.type = "change",
		.metric = "filesystem.read_only",
		.window_ms = MINUTES(10),
		.critical = "> 0",
		.doc = "A filesystem could be written and is read-only now: the kernel does that "
		       "when a disk fails. Look at `dmesg`; save what matters.",
	},
	{
		STATE,
		.name = "inodes",
		.metric = "filesystem.inodes_used_percent",
		.warning = "> 90",
		.clear = "< 85",
		.critical = "> 97",
		.critical_clear = "< 95",
		.for_ms = MINUTES(2),
		.clear_for_ms = MINUTES(2),
		.repeat_ms = HOURS(12),
		.doc = "The filesystem can hold hardly any more files, though there may be space. "
		       "Look for folders with very many small ones: sessions, caches, mail.",
	},
	{
		STATE,
		.name = "memory",
		.metric = "host.memory_used_percent",
		.how = "average",
		.window_ms = MINUTES(10),
		.warning = "> 92",
		.clear = "< 87",
		.critical = "> 97",
		.critical_clear = "< 94",
		.clear_for_ms = MINUTES(5),
		.repeat_ms = DAYS(1),
		.doc = "Programs hold nearly all memory; soon the kernel kills one of them. Look "
		       "which container grew; limit it, add swap or get a larger server.",
	},
	{
		EVENT,
		.name = "oom_kill",
		.metric = "container.oom_kills",
		.critical = "> 0",
		.clear_for_ms = MINUTES(10),
		.repeat_ms = HOURS(6),
		.doc = "The kernel killed a process of this container for lack of memory. Raise "
		       "its limit or look for a leak; told again only if it keeps happening.",
	},
	{
		STATE,
		.name = "pressure_io",
		.metric = "host.pressure_io_full_percent",
		.how = "average",
		.window_ms = MINUTES(30),
		.warning = "> 60",
		.clear = "< 40",
		.clear_for_ms = MINUTES(10),
		.repeat_ms = DAYS(1),
		.doc = "For half an hour everything has mostly waited for the disk. Look which "
		       "container reads or writes, and whether the provider throttles.",
	},
	{
		STATE,
		.name = "pressure_memory",
		.metric = "host.pressure_memory_full_percent",
		.how = "average",
		.window_ms = MINUTES(5),
		.warning = "> 15",
		.clear = "< 5",
		.critical = "> 50",
		.critical_clear = "< 25",
		.clear_for_ms = MINUTES(5),
		.repeat_ms = DAYS(1),
		.doc = "Programs stand still because memory is short and is fetched from disk "
		       "again "
		       "and again. Stop or limit what grew, or get a larger server.",
	},
	{
		EVENT,
		.name = "reboot_pending",
		.metric = "host.reboot_required",
		.warning = "> 0",
		.for_ms = DAYS(1),
		.doc = "An update, mostly of the kernel, takes effect only after a reboot. Reboot "
		       "at a quiet time.",
	},
	{
		STATE,
		.name = "restart_loop",
		.metric = "container.restarts",
		.how = "sum",
		.window_ms = MINUTES(10),
		.critical = "> 3",
		.critical_clear = "< 1",
		.repeat_ms = HOURS(6),
		.doc = "The container crashes and is started again and again. Look at its last "
		       "lines: `docker logs --tail 50 NAME`.",
	},
	{
		EVENT,
		.name = "service_oom_kill",
		.metric = "service.oom_kills",
		.critical = "> 0",
		.clear_for_ms = MINUTES(10),
		.repeat_ms = HOURS(6),
		.doc = "The kernel killed a process of this service for lack of memory. Look at "
		       "`journalctl -u NAME`; told again only if it keeps happening.",
	},
	{
		STATE,
		.name = "swap",
		.metric = "host.swap_in_bytes_per_second",
		.how = "average",
		.window_ms = MINUTES(10),
		.warning = "> 5M",
		.clear = "< 1M",
		.clear_for_ms = MINUTES(5),
		.repeat_ms = DAYS(1),
		.doc = "Memory is read back from swap all the time, which slows everything down. "
		       "Look which container grew; limit it or get more memory.",
	},
	{
		STATE,
		.name = "temperature",
		.metric = "sensor.temperature_celsius",
		.how = "average",
		.window_ms = MINUTES(10),
		.warning = "> 90",
		.clear = "< 80",
		.critical = "> 100",
		.critical_clear = "< 90",
		.clear_for_ms = MINUTES(5),
		.repeat_ms = DAYS(1),
		.doc = "A part of the server is so hot that it slows down or switches off. Look at "
		       "fans and dust.",
	},
	{
		STATE,
		.name = "unhealthy",
		.metric = "container.healthy",
		.critical = "< 1",
		.for_ms = MINUTES(1),
		.clear_for_ms = MINUTES(1),
		.repeat_ms = HOURS(6),
		.doc = "The container's own health check fails. `docker inspect NAME` shows what "
		       "it "
		       "answered, `docker logs NAME` why.",
	},
};

const size_t rules_builtin_count = sizeof(rules_builtin) / sizeof(*rules_builtin);
