/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_numbers.h"

#include <math.h>
#include <string.h>

static const char no_limit[] = "no limit is set";
static const char first_read[] = "a rate needs a second sample";
static const char jumped[] = "the kernel's counter jumped";

void cgroup_numbers_init(struct cgroup_numbers *n)
{
	for (size_t i = 0; i < CGROUP_METRICS; i++)
		n->v[i] = NAN;
	memset(n->missing, 0, sizeof(n->missing));
	n->inactive_file_bytes = NAN;
	n->cpu_quota_cores = NAN;
}

void cgroup_numbers_missing(struct cgroup_numbers *n, enum cgroup_metric m, const char *reason)
{
	if (isnan(n->v[m]))
		n->missing[m] = reason;
}

/* As `docker stats` does it: usage less inactive_file, never below 0. */
static void derive_memory(struct cgroup_numbers *n)
{
	double usage = n->v[CGROUP_memory_usage_bytes];
	double used = usage - n->inactive_file_bytes;

	if (!isnan(used)) {
		n->v[CGROUP_memory_used_bytes] = used > 0 ? used : 0;
		return;
	}
	cgroup_numbers_missing(n, CGROUP_memory_used_bytes,
		n->missing[isnan(usage) ? CGROUP_memory_usage_bytes : CGROUP_memory_file_bytes]);
}

void cgroup_numbers_derive(struct cgroup_numbers *n)
{
	double limit = n->v[CGROUP_memory_limit_bytes];

	derive_memory(n);
	if (limit > 0)
		n->v[CGROUP_memory_used_percent] = n->v[CGROUP_memory_used_bytes] / limit * 100;
	cgroup_numbers_missing(n, CGROUP_memory_limit_bytes, no_limit);
	cgroup_numbers_missing(n, CGROUP_memory_used_percent,
		limit > 0 ? n->missing[CGROUP_memory_used_bytes]
			  : n->missing[CGROUP_memory_limit_bytes]);
	cgroup_numbers_missing(n, CGROUP_cpu_limit_cores, no_limit);
	cgroup_numbers_missing(n, CGROUP_processes_limit, no_limit);
}

static void clamp_cpu(struct entity *e, enum cgroup_metric m, unsigned cpus)
{
	double most = 100.0 * cpus;

	if (!cpus || isnan(e->values[m]) || e->values[m] <= most)
		return;
	if (e->values[m] <= 2 * most) {
		e->values[m] = most;
		return;
	}
	e->values[m] = NAN;
	entity_missing(e, m, jumped);
}

static void report_limit_shares(const struct cgroup_numbers *n, struct entity *e)
{
	double cores = n->v[CGROUP_cpu_limit_cores];
	double periods = entity_increase(e, CGROUP_cpu_periods_per_second);
	double throttled = entity_increase(e, CGROUP_cpu_throttled_periods_per_second);

	if (cores > 0)
		entity_gauge(e, CGROUP_cpu_limit_used_percent,
			entity_value(e, CGROUP_cpu_used_percent) / cores);
	if (isnan(entity_value(e, CGROUP_cpu_limit_used_percent)))
		entity_missing(e, CGROUP_cpu_limit_used_percent,
			cores > 0 ? e->missing[CGROUP_cpu_used_percent] : no_limit);
	if (isnan(n->cpu_quota_cores))
		entity_missing(e, CGROUP_cpu_throttled_percent, no_limit);
	else if (periods > 0 || throttled >= 0)
		/* Without a period in which it ran, nothing was throttled. */
		entity_gauge(e, CGROUP_cpu_throttled_percent,
			periods > 0 ? fmin(throttled / periods * 100, 100) : 0);
	else
		entity_missing(
			e, CGROUP_cpu_throttled_percent, e->missing[CGROUP_cpu_periods_per_second]);
}

void cgroup_numbers_report(const struct cgroup_numbers *n, unsigned cpus, struct entity *e)
{
	for (size_t m = 0; m < CGROUP_METRICS; m++) {
		if (isnan(n->v[m])) {
			if (n->missing[m])
				entity_missing(e, m, n->missing[m]);
		} else if (e->class->metrics[m].kind == METRIC_GAUGE) {
			entity_gauge(e, m, n->v[m]);
		} else {
			entity_counter(e, m, n->v[m]);
			if (isnan(e->values[m]))
				entity_missing(e, m, first_read);
		}
	}
	clamp_cpu(e, CGROUP_cpu_used_percent, cpus);
	clamp_cpu(e, CGROUP_cpu_user_percent, cpus);
	clamp_cpu(e, CGROUP_cpu_system_percent, cpus);
	report_limit_shares(n, e);
}
