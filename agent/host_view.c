/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/host_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/view.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/metric.h"

enum { NAME_COLUMNS = 9, PERCENT_COLUMNS = 7 };

struct limits {
	double warn, bad;
};

static const struct limits cpu_limits = {80, 95};
static const struct limits memory_limits = {80, 92};
static const struct limits swap_limits = {50, 80};
static const struct limits space_limits = {80, 90};

static size_t bar_columns(const struct term *t)
{
	return t->columns >= 100 ? 30 : 20;
}

static const char *text_of(const json_t *host, const char *name)
{
	const char *s = json_string_value(json_object_get(host, name));

	return s ? s : "";
}

void host_view_title(const struct term *t, const json_t *host, int64_t now, struct buf *out)
{
	_cleanup_(buf_done) struct buf rest = BUF_INIT(2048);
	const char *name = text_of(host, "hostname");
	json_int_t boot = json_integer_value(json_object_get(host, "boot_time"));
	size_t n = term_width_of(name);
	char up[64];

	buf_addf(&rest, "%s, %s", text_of(host, "os"), text_of(host, "kernel"));
	if (boot > 0) {
		str_human_duration(up, sizeof(up), now - boot);
		buf_addf(&rest, ", up %s", up);
	}
	term_style(t, TERM_BOLD, out);
	term_add(out, name, n < t->columns / 2 ? n : t->columns / 2);
	term_style(t, TERM_PLAIN, out);
	buf_adds(out, "  ");
	n = n < t->columns / 2 ? n : t->columns / 2;
	n = t->columns - n - 2;
	term_add(out, buf_str(&rest), term_width_of(buf_str(&rest)) < n ? 0 : n);
	buf_addc(out, '\n');
}

/* "Memory   ######..............  31.0%  1.2G of 3.9G" */
static void add_bar_line(const struct term *t, const char *name, double percent,
	const struct limits *l, const char *rest, struct buf *out)
{
	size_t used = NAME_COLUMNS + 1 + bar_columns(t) + PERCENT_COLUMNS + 2;
	char text[TERM_VALUE_MAX];

	term_add(out, name, NAME_COLUMNS);
	buf_addc(out, ' ');
	term_bar(t, percent, bar_columns(t), l->warn, l->bad, out);
	term_percent(text, sizeof(text), percent);
	term_add_right(out, text, PERCENT_COLUMNS);
	buf_adds(out, "  ");
	if (term_width_of(rest) + used <= t->columns)
		term_add(out, rest, 0);
	else
		term_add(out, rest, t->columns - used);
	buf_addc(out, '\n');
}

static void add_text_line(const struct term *t, const char *name, const char *rest, struct buf *out)
{
	size_t room = t->columns - NAME_COLUMNS - 1;

	term_add(out, name, NAME_COLUMNS);
	buf_addc(out, ' ');
	term_add(out, rest, term_width_of(rest) <= room ? 0 : room);
	buf_addc(out, '\n');
}

static void cpu_line(const struct term *t, const json_t *host, const json_t *e, struct buf *out)
{
	static const struct {
		const char *name;
		size_t metric;
	} parts[] = {{"user", HOST_cpu_user_percent}, {"system", HOST_cpu_system_percent},
		{"wait", HOST_cpu_iowait_percent}, {"steal", HOST_cpu_steal_percent}};
	_cleanup_(buf_done) struct buf b = BUF_INIT(512);
	json_int_t cores = json_integer_value(json_object_get(host, "cpu_cores"));
	char text[TERM_VALUE_MAX];

	if (cores > 0)
		buf_addf(&b, "%lld core%s", (long long)cores, cores == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		double v = view_value(e, parts[i].metric);

		/* The rarer ones only when there is something to see. */
		if (isnan(v) || (i >= 2 && v < 0.05))
			continue;
		term_percent(text, sizeof(text), v);
		buf_addf(&b, "%s%s %s", b.len ? ", " : "", parts[i].name, text);
	}
	add_bar_line(t, "CPU", view_value(e, HOST_cpu_used_percent), &cpu_limits, buf_str(&b), out);
}

static void memory_line(const struct term *t, const json_t *e, struct buf *out)
{
	char used[TERM_VALUE_MAX], total[TERM_VALUE_MAX], left[TERM_VALUE_MAX], text[128];

	term_bytes(used, sizeof(used), view_value(e, HOST_memory_used_bytes));
	term_bytes(total, sizeof(total), view_value(e, HOST_memory_total_bytes));
	term_bytes(left, sizeof(left), view_value(e, HOST_memory_available_bytes));
	(void)snprintf(text, sizeof(text), "%s of %s, %s available", used, total, left);
	add_bar_line(
		t, "Memory", view_value(e, HOST_memory_used_percent), &memory_limits, text, out);
}

static size_t swap_line(const struct term *t, const json_t *e, struct buf *out)
{
	double size = view_value(e, HOST_swap_total_bytes);
	double in = view_value(e, HOST_swap_in_bytes_per_second);
	char used[TERM_VALUE_MAX], total[TERM_VALUE_MAX], rate[TERM_VALUE_MAX], text[128];

	if (!(size > 0))
		return 0;
	term_bytes(used, sizeof(used), view_value(e, HOST_swap_used_bytes));
	term_bytes(total, sizeof(total), size);
	term_rate(rate, sizeof(rate), in);
	(void)snprintf(text, sizeof(text), in > 0 ? "%s of %s, reading back %s" : "%s of %s", used,
		total, rate);
	add_bar_line(t, "Swap", view_value(e, HOST_swap_used_percent), &swap_limits, text, out);
	return 1;
}

static void load_line(const struct term *t, const json_t *e, struct buf *out)
{
	char one[TERM_VALUE_MAX], five[TERM_VALUE_MAX], fifteen[TERM_VALUE_MAX];
	char all[TERM_VALUE_MAX], running[TERM_VALUE_MAX], text[256];

	term_number(one, sizeof(one), view_value(e, HOST_load1));
	term_number(five, sizeof(five), view_value(e, HOST_load5));
	term_number(fifteen, sizeof(fifteen), view_value(e, HOST_load15));
	term_number(all, sizeof(all), view_value(e, HOST_processes_total));
	term_number(running, sizeof(running), view_value(e, HOST_processes_running));
	(void)snprintf(text, sizeof(text), "%s %s %s (1, 5, 15 minutes); %s processes, %s running",
		one, five, fifteen, all, running);
	add_text_line(t, "Load", text, out);
}

static size_t pressure_line(const struct term *t, const json_t *e, struct buf *out)
{
	char cpu[TERM_VALUE_MAX], memory[TERM_VALUE_MAX], io[TERM_VALUE_MAX], text[256];

	if (isnan(view_value(e, HOST_pressure_cpu_some_percent)))
		return 0;
	term_percent(cpu, sizeof(cpu), view_value(e, HOST_pressure_cpu_some_percent));
	term_percent(memory, sizeof(memory), view_value(e, HOST_pressure_memory_some_percent));
	term_percent(io, sizeof(io), view_value(e, HOST_pressure_io_some_percent));
	(void)snprintf(
		text, sizeof(text), "CPU %s, memory %s, disk %s of the time", cpu, memory, io);
	add_text_line(t, "Pressure", text, out);
	return 1;
}

static void traffic_line(const struct term *t, const char *name, const json_t *e,
	const char *in_name, size_t in, const char *out_name, size_t sent, struct buf *out)
{
	char a[TERM_VALUE_MAX], b[TERM_VALUE_MAX], text[128];

	term_rate(a, sizeof(a), view_value(e, in));
	term_rate(b, sizeof(b), view_value(e, sent));
	(void)snprintf(text, sizeof(text), "%s %s, %s %s", in_name, a, out_name, b);
	add_text_line(t, name, text, out);
}

size_t host_view_lines(const struct term *t, const json_t *host, const json_t *e, struct buf *out)
{
	size_t n = 5;

	cpu_line(t, host, e, out);
	memory_line(t, e, out);
	n += swap_line(t, e, out);
	load_line(t, e, out);
	n += pressure_line(t, e, out);
	traffic_line(t, "Network", e, "received", HOST_network_received_bytes_per_second, "sent",
		HOST_network_sent_bytes_per_second, out);
	traffic_line(t, "Disks", e, "read", HOST_disk_read_bytes_per_second, "written",
		HOST_disk_written_bytes_per_second, out);
	return n;
}

static int fuller(const void *a, const void *b)
{
	double x = view_value(*(const json_t *const *)a, FILESYSTEM_used_percent);
	double y = view_value(*(const json_t *const *)b, FILESYSTEM_used_percent);

	x = isnan(x) ? -1 : x;
	y = isnan(y) ? -1 : y;
	return (x < y) - (x > y);
}

static void filesystem_line(const struct term *t, const json_t *e, struct buf *out)
{
	char used[TERM_VALUE_MAX], size[TERM_VALUE_MAX], text[512];
	double space = view_value(e, FILESYSTEM_used_percent);
	double inodes = view_value(e, FILESYSTEM_inodes_used_percent);

	term_bytes(used, sizeof(used), view_value(e, FILESYSTEM_used_bytes));
	term_bytes(size, sizeof(size), view_value(e, FILESYSTEM_size_bytes));
	(void)snprintf(text, sizeof(text), "%s  %s of %s%s%s", view_key(e), used, size,
		inodes >= space_limits.warn ? ", few inodes left" : "",
		view_value(e, FILESYSTEM_read_only) > 0 ? ", read-only" : "");
	add_bar_line(t, "Space", space > inodes || isnan(inodes) ? space : inodes, &space_limits,
		text, out);
}

size_t host_view_filesystems(
	const struct term *t, const json_t *entities, size_t max, struct buf *out)
{
	const json_t **list = calloc(json_array_size(entities) + 1, sizeof(const json_t *));
	const json_t *e;
	size_t n = 0, i;

	if (!list)
		abort();
	json_array_foreach(entities, i, e) if (view_is(e, "filesystem")) list[n++] = e;
	qsort(list, n, sizeof(const json_t *), fuller);
	for (i = 0; i < n && i < max; i++)
		filesystem_line(t, list[i], out);
	free(list);
	return i;
}
