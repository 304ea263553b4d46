/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a v2 cgroup: kernel Documentation/admin-guide/cgroup-v2.rst.
 */
#include <math.h>

#include "collectors/cgroup_reader.h"
#include "collectors/cgroup_text.h"

#define METRICS(...) ((const unsigned char[]){__VA_ARGS__, CGROUP_METRICS})

static void parse_cpu_stat(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	double usage = NAN, user = NAN, system = NAN, throttled = NAN;
	const struct cgroup_key keys[] = {
		CGROUP_KEY("usage_usec", &usage),
		CGROUP_KEY("user_usec", &user),
		CGROUP_KEY("system_usec", &system),
		CGROUP_KEY("nr_periods", &n->v[CGROUP_cpu_periods_per_second]),
		CGROUP_KEY("nr_throttled", &n->v[CGROUP_cpu_throttled_periods_per_second]),
		CGROUP_KEY("throttled_usec", &throttled),
	};

	(void)r;
	(void)cgroup_flat_keyed(text, keys, ARRAY_LEN(keys));
	n->v[CGROUP_cpu_used_percent] = usage / 1e6;
	n->v[CGROUP_cpu_user_percent] = user / 1e6;
	n->v[CGROUP_cpu_system_percent] = system / 1e6;
	n->v[CGROUP_cpu_throttled_seconds_per_second] = throttled / 1e6;
}

static void parse_memory_current(
	struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)r;
	(void)cgroup_number(text, &n->v[CGROUP_memory_usage_bytes]);
}

static void parse_memory_stat(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	const struct cgroup_key keys[] = {
		CGROUP_KEY("anon", &n->v[CGROUP_memory_anon_bytes]),
		CGROUP_KEY("file", &n->v[CGROUP_memory_file_bytes]),
		CGROUP_KEY("inactive_file", &n->inactive_file_bytes),
	};

	(void)r;
	(void)cgroup_flat_keyed(text, keys, ARRAY_LEN(keys));
}

static void parse_swap(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)r;
	(void)cgroup_number(text, &n->v[CGROUP_memory_swap_bytes]);
}

static void parse_memory_events(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	const struct cgroup_key key = CGROUP_KEY("oom_kill", &n->v[CGROUP_oom_kills]);

	(void)r;
	(void)cgroup_flat_keyed(text, &key, 1);
}

static void parse_io_stat(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	struct cgroup_io io;

	cgroup_io_stat(text, block_device_counts, &r->devices, &io);
	n->v[CGROUP_disk_read_bytes_per_second] = io.read_bytes;
	n->v[CGROUP_disk_written_bytes_per_second] = io.written_bytes;
	n->v[CGROUP_disk_reads_per_second] = io.reads;
	n->v[CGROUP_disk_writes_per_second] = io.writes;
}

static void parse_pids(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)r;
	(void)cgroup_number(text, &n->v[CGROUP_processes]);
}

static void parse_cpu_pressure(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)r;
	(void)cgroup_pressure_some(text, &n->v[CGROUP_pressure_cpu_some_percent]);
}

static void parse_memory_pressure(
	struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)r;
	(void)cgroup_pressure_some(text, &n->v[CGROUP_pressure_memory_some_percent]);
}

static void parse_io_pressure(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)r;
	(void)cgroup_pressure_some(text, &n->v[CGROUP_pressure_io_some_percent]);
}

static const char no_cpu[] = "the cpu controller is off for it";
static const char no_memory[] =
	"the memory controller is off for it (boot with cgroup_enable=memory, or delegate it)";
static const char no_swap[] = "swap is not accounted by this kernel";
static const char no_oom[] = "this kernel does not count OOM kills of a cgroup";
static const char no_io[] = "the io controller is off for it";
static const char no_pids[] = "the pids controller is off for it";
static const char no_pressure[] = "this kernel does not measure pressure";

static const struct cgroup_source sources[] = {
	{CGROUP_CPU, {"cpu.stat"}, parse_cpu_stat, no_cpu,
		METRICS(CGROUP_cpu_used_percent, CGROUP_cpu_user_percent, CGROUP_cpu_system_percent,
			CGROUP_cpu_periods_per_second, CGROUP_cpu_throttled_periods_per_second,
			CGROUP_cpu_throttled_seconds_per_second),
		no_cpu},
	{CGROUP_MEMORY, {"memory.current"}, parse_memory_current, no_memory,
		METRICS(CGROUP_memory_usage_bytes), NULL},
	{CGROUP_MEMORY, {"memory.stat"}, parse_memory_stat, no_memory,
		METRICS(CGROUP_memory_anon_bytes, CGROUP_memory_file_bytes), NULL},
	{CGROUP_MEMORY, {"memory.swap.current"}, parse_swap, no_swap,
		METRICS(CGROUP_memory_swap_bytes), NULL},
	{CGROUP_MEMORY, {"memory.events"}, parse_memory_events, no_memory,
		METRICS(CGROUP_oom_kills), no_oom},
	{CGROUP_BLKIO, {"io.stat"}, parse_io_stat, no_io,
		METRICS(CGROUP_disk_read_bytes_per_second, CGROUP_disk_written_bytes_per_second,
			CGROUP_disk_reads_per_second, CGROUP_disk_writes_per_second),
		NULL},
	{CGROUP_PIDS, {"pids.current"}, parse_pids, no_pids, METRICS(CGROUP_processes), NULL},
	{CGROUP_CPU, {"cpu.pressure"}, parse_cpu_pressure, no_pressure,
		METRICS(CGROUP_pressure_cpu_some_percent), NULL},
	{CGROUP_MEMORY, {"memory.pressure"}, parse_memory_pressure, no_pressure,
		METRICS(CGROUP_pressure_memory_some_percent), NULL},
	{CGROUP_BLKIO, {"io.pressure"}, parse_io_pressure, no_pressure,
		METRICS(CGROUP_pressure_io_some_percent), NULL},
};

static void take_smaller(double v, double *least)
{
	if (v < *least)
		*least = v;
}

static void read_limits(struct cgroup_reader *r, const char *path, struct cgroup_limits *l)
{
	double v;

	if (cgroup_read_once(r, CGROUP_CPU, path, "cpu.max") > 0 && cgroup_cpu_max(r->text, &v))
		take_smaller(v, &l->cpu_quota_cores);
	if (cgroup_read_once(r, CGROUP_MEMORY, path, "memory.max") > 0 &&
		cgroup_number(r->text, &v))
		take_smaller(v, &l->memory_bytes);
	if (cgroup_read_once(r, CGROUP_PIDS, path, "pids.max") > 0 && cgroup_number(r->text, &v))
		take_smaller(v, &l->processes);
	if (cgroup_read_once(r, CGROUP_CPUSET, path, "cpuset.cpus.effective") > 0 &&
		cgroup_cpu_list_count(r->text) > 0)
		take_smaller(cgroup_cpu_list_count(r->text), &l->cpuset_cores);
}

static void finish(struct cgroup_numbers *n)
{
	(void)n;
}

const struct cgroup_version cgroup_v2 = {
	.sources = sources,
	.n_sources = ARRAY_LEN(sources),
	.oom_file = "memory.events",
	.limits = read_limits,
	.finish = finish,
};
