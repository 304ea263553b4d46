/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a v1 cgroup, each in the tree of its controller: kernel
 * Documentation/admin-guide/cgroup-v1/ cpuacct.rst, memory.rst, blkio-controller.rst, pids.rst and
 * Documentation/scheduler/sched-bwc.rst.
 */
#include <math.h>

#include "collectors/cgroup_reader.h"
#include "collectors/cgroup_text.h"

#define METRICS(...) ((const unsigned char[]){__VA_ARGS__, CGROUP_METRICS})

enum { TICKS_PER_SECOND = 100 }; /* USER_HZ, part of the kernel's interface */

static void parse_usage(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	double ns;

	(void)r;
	if (!cgroup_number(text, &ns))
		return;
	n->v[CGROUP_cpu_used_percent] = ns / 1e9;
}

static void parse_cpuacct_stat(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	double user = NAN, system = NAN;
	const struct cgroup_key keys[] = {CGROUP_KEY("user", &user), CGROUP_KEY("system", &system)};

	(void)r;
	(void)cgroup_flat_keyed(text, keys, ARRAY_LEN(keys));
	n->v[CGROUP_cpu_user_percent] = user / TICKS_PER_SECOND;
	n->v[CGROUP_cpu_system_percent] = system / TICKS_PER_SECOND;
}

static void parse_cpu_stat(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	double throttled_ns = NAN;
	const struct cgroup_key keys[] = {
		CGROUP_KEY("nr_periods", &n->v[CGROUP_cpu_periods_per_second]),
		CGROUP_KEY("nr_throttled", &n->v[CGROUP_cpu_throttled_periods_per_second]),
		CGROUP_KEY("throttled_time", &throttled_ns),
	};

	(void)r;
	(void)cgroup_flat_keyed(text, keys, ARRAY_LEN(keys));
	n->v[CGROUP_cpu_throttled_seconds_per_second] = throttled_ns / 1e9;
}

static void parse_memory_usage(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)r;
	(void)cgroup_number(text, &n->v[CGROUP_memory_usage_bytes]);
}

/* The keys with total_ count the cgroups below too. */
static void parse_memory_stat(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	const struct cgroup_key keys[] = {
		CGROUP_KEY("total_rss", &n->v[CGROUP_memory_anon_bytes]),
		CGROUP_KEY("total_cache", &n->v[CGROUP_memory_file_bytes]),
		CGROUP_KEY("total_swap", &n->v[CGROUP_memory_swap_bytes]),
		CGROUP_KEY("total_inactive_file", &n->inactive_file_bytes),
	};

	(void)r;
	(void)cgroup_flat_keyed(text, keys, ARRAY_LEN(keys));
}

static void parse_oom_control(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	const struct cgroup_key key = CGROUP_KEY("oom_kill", &n->v[CGROUP_oom_kills]);

	(void)r;
	(void)cgroup_flat_keyed(text, &key, 1);
}

static void parse_io_bytes(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)cgroup_blkio(text, block_device_counts, &r->devices,
		&n->v[CGROUP_disk_read_bytes_per_second],
		&n->v[CGROUP_disk_written_bytes_per_second]);
}

static void parse_io_requests(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)cgroup_blkio(text, block_device_counts, &r->devices,
		&n->v[CGROUP_disk_reads_per_second], &n->v[CGROUP_disk_writes_per_second]);
}

static void parse_pids(struct cgroup_reader *r, const char *text, struct cgroup_numbers *n)
{
	(void)r;
	(void)cgroup_number(text, &n->v[CGROUP_processes]);
}

static const char no_cpuacct[] = "it has no cpuacct cgroup";
static const char no_cpu[] = "it has no cpu cgroup";
static const char no_memory[] = "it has no memory cgroup (boot with cgroup_enable=memory)";
static const char no_oom[] = "this kernel does not count OOM kills of a cgroup";
static const char no_blkio[] = "it has no blkio cgroup";
static const char no_io[] = "this kernel counts disk traffic of v1 cgroups only under the bfq "
			    "scheduler; cgroup v2 counts it";
static const char no_pids[] = "it has no pids cgroup";
static const char no_pressure[] = "pressure of containers needs cgroup v2";
static const char no_swap[] = "swap is not accounted by this kernel";

/* The scheduler in charge counts (bfq, cfq), else the throttling layer does, or nobody; the
 * files of all are always there. */
#define IO_BYTES                                                                                   \
	{                                                                                          \
		"blkio.bfq.io_service_bytes_recursive", "blkio.io_service_bytes_recursive",        \
			"blkio.throttle.io_service_bytes_recursive",                               \
			"blkio.throttle.io_service_bytes"                                          \
	}
#define IO_REQUESTS                                                                                \
	{                                                                                          \
		"blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive",                  \
			"blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced"       \
	}

static const struct cgroup_source sources[] = {
	{CGROUP_CPUACCT, {"cpuacct.usage"}, parse_usage, no_cpuacct,
		METRICS(CGROUP_cpu_used_percent), NULL},
	{CGROUP_CPUACCT, {"cpuacct.stat"}, parse_cpuacct_stat, no_cpuacct,
		METRICS(CGROUP_cpu_user_percent, CGROUP_cpu_system_percent), NULL},
	{CGROUP_CPU, {"cpu.stat"}, parse_cpu_stat, no_cpu,
		METRICS(CGROUP_cpu_periods_per_second, CGROUP_cpu_throttled_periods_per_second,
			CGROUP_cpu_throttled_seconds_per_second),
		NULL},
	{CGROUP_MEMORY, {"memory.usage_in_bytes"}, parse_memory_usage, no_memory,
		METRICS(CGROUP_memory_usage_bytes), NULL},
	{CGROUP_MEMORY, {"memory.stat"}, parse_memory_stat, no_memory,
		METRICS(CGROUP_memory_anon_bytes, CGROUP_memory_file_bytes), NULL},
	{CGROUP_MEMORY, {"memory.oom_control"}, parse_oom_control, no_oom,
		METRICS(CGROUP_oom_kills), no_oom},
	{CGROUP_BLKIO, IO_BYTES, parse_io_bytes, no_blkio,
		METRICS(CGROUP_disk_read_bytes_per_second, CGROUP_disk_written_bytes_per_second),
		NULL},
	{CGROUP_BLKIO, IO_REQUESTS, parse_io_requests, no_blkio,
		METRICS(CGROUP_disk_reads_per_second, CGROUP_disk_writes_per_second), NULL},
	{CGROUP_PIDS, {"pids.current"}, parse_pids, no_pids, METRICS(CGROUP_processes), NULL},
};

static void take_smaller(double v, double *least)
{
	if (v < *least)
		*least = v;
}

static bool read_number(struct cgroup_reader *r, enum cgroup_controller c, const char *path,
	const char *name, double *v)
{
	return cgroup_read_once(r, c, path, name) > 0 && cgroup_number(r->text, v);
}

/* No limit is 9223372036854771712, which is above the memory of any machine; a quota of -1 is no
 * number here. */
static void read_limits(struct cgroup_reader *r, const char *path, struct cgroup_limits *l)
{
	double quota, period, v;

	if (read_number(r, CGROUP_CPU, path, "cpu.cfs_quota_us", &quota) &&
		read_number(r, CGROUP_CPU, path, "cpu.cfs_period_us", &period) && period > 0)
		take_smaller(quota / period, &l->cpu_quota_cores);
	if (read_number(r, CGROUP_MEMORY, path, "memory.limit_in_bytes", &v) && v < 0x1p62)
		take_smaller(v, &l->memory_bytes);
	if (read_number(r, CGROUP_PIDS, path, "pids.max", &v))
		take_smaller(v, &l->processes);
	if (cgroup_read_once(r, CGROUP_CPUSET, path, "cpuset.effective_cpus") > 0 &&
		cgroup_cpu_list_count(r->text) > 0)
		take_smaller(cgroup_cpu_list_count(r->text), &l->cpuset_cores);
}

/* The files that have lines of devices at the root, where all traffic of the machine is. */
static int choose_variant(struct cgroup_reader *r)
{
	static const char *const files[] = IO_BYTES;
	double read, written;

	if (cgroup_tree_fd(r->tree, CGROUP_BLKIO) < 0)
		return 0;
	for (size_t v = 0; v < ARRAY_LEN(files); v++)
		if (cgroup_read_once(r, CGROUP_BLKIO, "", files[v]) > 0 &&
			cgroup_blkio(r->text, block_device_counts, &r->devices, &read, &written) >
				0)
			return (int)v;
	return -1;
}

static void finish(struct cgroup_numbers *n)
{
	cgroup_numbers_missing(n, CGROUP_memory_swap_bytes,
		n->missing[CGROUP_memory_anon_bytes] ? n->missing[CGROUP_memory_anon_bytes]
						     : no_swap);
	cgroup_numbers_missing(n, CGROUP_pressure_cpu_some_percent, no_pressure);
	cgroup_numbers_missing(n, CGROUP_pressure_memory_some_percent, no_pressure);
	cgroup_numbers_missing(n, CGROUP_pressure_io_some_percent, no_pressure);
}

const struct cgroup_version cgroup_v1 = {
	.sources = sources,
	.n_sources = ARRAY_LEN(sources),
	.oom_file = "memory.oom_control",
	.choose_variant = choose_variant,
	.no_variant = no_io,
	.limits = read_limits,
	.finish = finish,
};
