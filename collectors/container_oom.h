/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts the OOM kills of each cgroup of the table, also of those that die of one between two
 * samples. The kernel announces (cgroup_oom.h); what counts is that the cgroup's own count rose,
 * or, where an announced cgroup vanished before its count could be read, that it vanished. Internal
 * to containers.c.
 */
#ifndef COLLECTORS_CONTAINER_OOM_H
#define COLLECTORS_CONTAINER_OOM_H

#include "base/loop.h"
#include "collectors/cgroup_oom.h"
#include "collectors/container_table.h"

struct container_oom;

/* NULL `loop`, or a system without announcements: the counts of the samples are all there is.
 * Never fails. */
struct container_oom *container_oom_new(
	struct loop *loop, struct cgroup_reader *reader, struct container_table *table);
void container_oom_free(struct container_oom *o);

/* Once per sample, for each live item: watches it if it is not watched yet. */
void container_oom_watch(struct container_oom *o, struct container_item *item);

/* The cgroup is gone: takes in what was announced. v1 announces the removal itself too, a moment later: one more
 * announcement than that is a kill, so the eventfd is kept until container_oom_finish(). */
void container_oom_ended(struct container_item *item);
/* Whether that moment has not passed yet. */
bool container_oom_is_undecided(const struct container_item *item, int64_t now_ns);
/* Settles the count of an ended cgroup and watches it no more. Fine for any item. */
void container_oom_finish(struct container_item *item);

/* OOM kills that no sample has shown yet. */
double container_oom_pending(const struct container_item *item);

/* Puts the total for the entity into the numbers just read, and notes it as shown. */
void container_oom_report(struct container_item *item, struct cgroup_numbers *numbers);

#endif
