/* SPDX-License-Identifier: Apache-2.0
 *
 * What was read of one cgroup, whichever version of cgroups it came from: a value per metric of the
 * table (counters as totals, in the unit the metric's row scales from), and where there is none,
 * why. Put into an entity in one place.
 */
#ifndef COLLECTORS_CGROUP_NUMBERS_H
#define COLLECTORS_CGROUP_NUMBERS_H

#include <stddef.h>

#include "collectors/entity.h"

struct cgroup_numbers {
	double v[CGROUP_METRICS]; /* NaN: unknown */
	const char *missing[CGROUP_METRICS]; /* static storage, or NULL */
	/* cache that can be dropped at once; not part of memory_used_bytes */
	double inactive_file_bytes;
	double cpu_quota_cores; /* the limit that throttles; NaN: none */
};

void cgroup_numbers_init(struct cgroup_numbers *n);
/* No value, for this reason; a value already there stays. */
void cgroup_numbers_missing(struct cgroup_numbers *n, enum cgroup_metric m, const char *reason);

/* Fills in what follows from other values: memory_used_bytes and memory_used_percent. */
void cgroup_numbers_derive(struct cgroup_numbers *n);

/* Hands all to the entity, then the percentages that need rates (CPU used of limit, throttled).
 * After entity_read_at(). A CPU rate above that of all `cpus` (0: not known) is cut to it, an
 * absurd one is unknown: a kernel whose counter jumps must raise no alarm. */
void cgroup_numbers_report(const struct cgroup_numbers *n, unsigned cpus, struct entity *e);

#endif
