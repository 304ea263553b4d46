/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts what is known of a container or service into its entity. Internal to containers.c.
 */
#ifndef COLLECTORS_CONTAINER_REPORT_H
#define COLLECTORS_CONTAINER_REPORT_H

#include "collectors/collector.h"
#include "collectors/container_info.h"
#include "collectors/container_table.h"

/* The numbers just read; the OOM kills among them become those to show. */
void container_report_live(struct entity *e, struct container_item *item,
	struct cgroup_numbers *numbers, unsigned cpus, int64_t now_ns, int64_t wall_ms);

/* One whose cgroup is gone since the last sample, for its OOM kills. */
void container_report_ended(struct entity *e, struct container_item *item, int64_t now_ns);

/* A container that the engine knows and that has no processes, or none that can be seen here. */
void container_report_stopped(struct entity *e, const struct container_info *info, int64_t now_ns);

#endif
