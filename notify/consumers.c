/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/consumers.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "notify/limit.h"

enum { CONSUMERS_SHOWN = 3, NO_METRIC = -1 };

/* What of theirs stands for a metric: one of their metrics, or the sum of two. The first row that
 * fits is taken. */
static const struct row {
	const struct entity_class *class;
	const char *metrics; /* shell pattern */
	const char *what;
	int a, b;
} rows[] = {
	{&class_host, "memory_*", "memory", CGROUP_memory_used_bytes, NO_METRIC},
	{&class_host, "pressure_memory_*", "memory", CGROUP_memory_used_bytes, NO_METRIC},
	{&class_host, "oom_kills", "memory", CGROUP_memory_used_bytes, NO_METRIC},
	{&class_host, "major_faults_*", "memory", CGROUP_memory_used_bytes, NO_METRIC},
	{&class_host, "swap_*", "swap", CGROUP_memory_swap_bytes, NO_METRIC},
	{&class_host, "cpu_iowait_percent", "disk use", CGROUP_disk_read_bytes_per_second,
		CGROUP_disk_written_bytes_per_second},
	{&class_host, "cpu_*", "CPU", CGROUP_cpu_used_percent, NO_METRIC},
	{&class_host, "load*", "CPU", CGROUP_cpu_used_percent, NO_METRIC},
	{&class_host, "processes_running", "CPU", CGROUP_cpu_used_percent, NO_METRIC},
	{&class_host, "pressure_cpu_*", "CPU", CGROUP_cpu_used_percent, NO_METRIC},
	{&class_core, "*", "CPU", CGROUP_cpu_used_percent, NO_METRIC},
	{&class_host, "pressure_io_*", "disk use", CGROUP_disk_read_bytes_per_second,
		CGROUP_disk_written_bytes_per_second},
	{&class_host, "processes_blocked", "disk use", CGROUP_disk_read_bytes_per_second,
		CGROUP_disk_written_bytes_per_second},
	{&class_host, "processes_total", "processes", CGROUP_processes, NO_METRIC},
	{&class_host, "disk_read_*", "disk reads", CGROUP_disk_read_bytes_per_second, NO_METRIC},
	{&class_host, "disk_written_*", "disk writes", CGROUP_disk_written_bytes_per_second,
		NO_METRIC},
	{&class_disk, "read*", "disk reads", CGROUP_disk_read_bytes_per_second, NO_METRIC},
	{&class_disk, "writ*", "disk writes", CGROUP_disk_written_bytes_per_second, NO_METRIC},
	{&class_disk, "*", "disk use", CGROUP_disk_read_bytes_per_second,
		CGROUP_disk_written_bytes_per_second},
	{&class_host, "network_received_*", "received", CGROUP_network_received_bytes_per_second,
		NO_METRIC},
	{&class_host, "network_sent_*", "sent", CGROUP_network_sent_bytes_per_second, NO_METRIC},
	{&class_interface, "received_*", "received", CGROUP_network_received_bytes_per_second,
		NO_METRIC},
	{&class_interface, "sent_*", "sent", CGROUP_network_sent_bytes_per_second, NO_METRIC},
};

static const struct row *row_of(const struct entity_class *c, size_t metric)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].class == c && fnmatch(rows[i].metrics, c->metrics[metric].name, 0) == 0)
			return &rows[i];
	return NULL;
}

/* An unknown half counts as nothing. */
static double use_of(const struct entity *e, const struct row *row)
{
	double a = e->values[row->a], b = row->b == NO_METRIC ? 0 : e->values[row->b];

	return (a > 0 ? a : 0) + (b > 0 ? b : 0);
}

struct consumer {
	const struct entity *entity;
	double use;
};

/* Keeps the list sorted, the greatest first. Returns its new length. */
static size_t take(struct consumer *top, size_t n, const struct entity *e, double use)
{
	size_t i = n < CONSUMERS_SHOWN ? n : CONSUMERS_SHOWN - 1;

	if (n == CONSUMERS_SHOWN && use <= top[i].use)
		return n;
	for (; i > 0 && top[i - 1].use < use; i--)
		top[i] = top[i - 1];
	top[i] = (struct consumer){e, use};
	return n < CONSUMERS_SHOWN ? n + 1 : n;
}

static size_t find_top(const struct registry *r, const struct row *row, struct consumer *top)
{
	size_t n = 0;

	for (const struct entity *e = registry_first(r); e; e = e->next) {
		double use;

		if (e->class != &class_container && e->class != &class_service)
			continue;
		use = use_of(e, row);
		if (use > 0)
			n = take(top, n, e, use);
	}
	return n;
}

/* "cron" for the service "cron.service". */
static void add_name(struct buf *b, const struct entity *e)
{
	size_t n = strlen(e->key);

	if (e->class == &class_service && str_ends(e->key, ".service"))
		n -= strlen(".service");
	buf_add(b, e->key, n);
}

void consumers_add_fact(
	struct event *ev, const struct registry *r, const struct entity_class *c, size_t metric)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(CONSUMERS_SHOWN * (ENTITY_KEY_MAX + 100));
	const struct row *row = row_of(c, metric);
	struct consumer top[CONSUMERS_SHOWN];
	char name[EVENT_FACT_NAME_MAX], value[LIMIT_TEXT_MAX];
	size_t n = row ? find_top(r, row, top) : 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		limit_print_value(
			value, sizeof(value), top[i].use, class_container.metrics[row->a].unit);
		buf_adds(&b, i ? ", " : "");
		add_name(&b, top[i].entity);
		buf_addf(&b, " %s", value);
	}
	(void)snprintf(name, sizeof(name), "Top %s", row->what);
	event_fact(ev, name, "%s", buf_str(&b));
}
