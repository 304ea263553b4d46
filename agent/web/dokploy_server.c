/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/cpuinfo.h"
#include "agent/web/dokploy_history.h"
#include "agent/web/dokploy_record.h"
#include "agent/web/handlers.h"
#include "agent/web/latest.h"
#include "base/fs.h"
#include "base/str.h"

enum { CPUINFO_BYTES_MAX = 1024 * 1024 };

/* Between the daemon's first answer and its second. */
struct state {
	struct call *call;
	struct dokploy_facts facts;
	char *os, *kernel, *architecture;
};

static double total_of(const json_t *entity, size_t metric)
{
	return latest_number(entity, "totals", metric);
}

/* Interfaces that only carry what another one carries too. */
static bool is_internal(const char *name)
{
	static const char *const prefixes[] = {
		"br-", "cali", "cni", "docker", "flannel", "lo", "tap", "veth", "virbr"};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(name, prefixes[i]))
			return true;
	return false;
}

static double sum_of_interfaces(const json_t *answer, size_t metric)
{
	const json_t *list = json_object_get(answer, "entities");
	double sum = NAN;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		double v;

		if (latest_class(e) != &class_interface || is_internal(latest_key(e)))
			continue;
		v = total_of(e, metric);
		if (isfinite(v))
			sum = isfinite(sum) ? sum + v : v;
	}
	return sum;
}

enum server_column {
	CPU,
	MEMORY_PERCENT,
	MEMORY_USED,
	MEMORY_TOTAL,
	UPTIME,
	RECEIVED,
	SENT,
	COLUMNS
};
static const char *const server_columns[COLUMNS] = {"cpu_used_percent", "memory_used_percent",
	"memory_used_bytes", "memory_total_bytes", "uptime_seconds",
	"network_received_bytes_per_second", "network_sent_bytes_per_second"};

/* The rows of "/" beside those of the host; both files have the same steps, but not always the
 * same beginning. */
static void fill_disk(struct dokploy_server *list, size_t n, const struct rrd_series *disk)
{
	for (size_t i = 0; i < n; i++) {
		int64_t at = disk->n_points ? (list[i].at - disk->start) / disk->step_seconds : -1;

		list[i].disk_percent = list[i].disk_total_bytes = NAN;
		if (at < 0 || at >= (int64_t)disk->n_points)
			continue;
		list[i].disk_percent = disk->values[(size_t)at * 2];
		list[i].disk_total_bytes = disk->values[(size_t)at * 2 + 1];
	}
}

static struct dokploy_server *server_list(const struct rrd_series *s, const json_t *answer)
{
	struct dokploy_server *list = calloc(s->n_points ? s->n_points : 1, sizeof(*list));
	const size_t stride = sizeof(*list) / sizeof(double);

	if (!list)
		abort();
	for (size_t i = 0; i < s->n_points; i++) {
		const double *v = s->values + i * COLUMNS;

		list[i] = (struct dokploy_server){.at = s->start + (time_t)i * s->step_seconds,
			.cpu_percent = v[CPU],
			.memory_percent = v[MEMORY_PERCENT],
			.memory_used_bytes = v[MEMORY_USED],
			.memory_total_bytes = v[MEMORY_TOTAL],
			.uptime_seconds = v[UPTIME]};
	}
	_Static_assert(sizeof(*list) % sizeof(double) == 0, "the records are walked in doubles");
	if (s->n_points == 0)
		return list;
	dokploy_accumulate(s->values + RECEIVED, s->n_points, COLUMNS, (double)s->step_seconds,
		sum_of_interfaces(answer, INTERFACE_received_bytes_per_second),
		&list[0].received_bytes, stride);
	dokploy_accumulate(s->values + SENT, s->n_points, COLUMNS, (double)s->step_seconds,
		sum_of_interfaces(answer, INTERFACE_sent_bytes_per_second), &list[0].sent_bytes,
		stride);
	return list;
}

static void add_server_records(struct buf *b, const struct state *s, const json_t *answer)
{
	static const char *const disk_columns[] = {"used_percent", "size_bytes"};
	struct rrd_series host = {0}, disk = {0};
	struct dokploy_server *list;
	bool any = false;

	if (dokploy_history(s->call, &class_host, "host", server_columns, COLUMNS, &host) < 0)
		return;
	(void)dokploy_history(s->call, &class_filesystem, "/", disk_columns, 2, &disk);
	list = server_list(&host, answer);
	fill_disk(list, host.n_points, &disk);
	for (size_t i = dokploy_history_first(s->call, &host); i < host.n_points; i++) {
		/* The agent did not run then. */
		if (isnan(list[i].cpu_percent) && isnan(list[i].memory_percent))
			continue;
		buf_adds(b, any ? "," : "");
		dokploy_server_record(b, &s->facts, &list[i]);
		any = true;
	}
	free(list);
	rrd_series_done(&host);
	rrd_series_done(&disk);
}

static void on_server_latest(struct call *c, const json_t *answer)
{
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);

	buf_addc(&b, '[');
	add_server_records(&b, c->state, answer);
	buf_addc(&b, ']');
	call_json(c, &b);
}

static void state_free(void *user)
{
	struct state *s = user;

	free(s->os);
	free(s->kernel);
	free(s->architecture);
	free(s);
}

/* Read once: the kernel takes its time for it on a machine with many cores. */
static const struct cpuinfo *cpuinfo(void)
{
	static struct cpuinfo info;
	struct buf text = BUF_INIT(CPUINFO_BYTES_MAX);

	if (info.cores == 0) {
		(void)fs_read(AT_FDCWD, "/proc/cpuinfo", &text, NULL);
		cpuinfo_parse(buf_str(&text), &info);
		buf_done(&text);
	}
	return &info;
}

static char *text_of(const json_t *answer, const char *name)
{
	return str_dup(json_string_value(json_object_get(answer, name)));
}

static void on_host(struct call *c, const json_t *answer)
{
	const struct cpuinfo *cpu = cpuinfo();
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	c->state = s;
	c->free_state = state_free;
	s->call = c;
	s->os = text_of(answer, "os");
	s->kernel = text_of(answer, "kernel");
	s->architecture = text_of(answer, "architecture");
	s->facts = (struct dokploy_facts){cpu->model, cpu->cores, cpu->physical_cores, cpu->mhz,
		s->os, s->kernel, s->architecture};
	call_ask(c,
		json_pack("{s:s, s:b, s:[s]}", "op", "latest", "totals", 1, "classes", "interface"),
		on_server_latest);
}

void dokploy_server_get(struct call *c)
{
	call_ask(c, json_pack("{s:s}", "op", "host"), on_host);
}
