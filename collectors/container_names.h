/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives every cgroup of the table its name, the key of its entity, from what the engines say, and
 * finds the stopped containers that are to be shown. Done when something changed, not in each
 * sample. Internal to containers.c.
 */
#ifndef COLLECTORS_CONTAINER_NAMES_H
#define COLLECTORS_CONTAINER_NAMES_H

#include "collectors/collector.h"
#include "collectors/container_keys.h"
#include "collectors/container_table.h"
#include "collectors/runtime.h"

struct container_names {
	/* Known to an engine, without a cgroup, owner of their name. Valid until the runtime
	 * changes. */
	const struct container_info **stopped;
	size_t n_stopped, cap_stopped;
	struct container_claim *claims;
	size_t n_claims, cap_claims;
};

/* Sets info and stable of one item, as far as they are known now. */
void container_names_learn(struct container_item *item, const struct runtime *r);

/* Sets stable, key, info, hidden and heir of every item. Patterns are matched against the stable
 * name. */
void container_names_settle(struct container_names *n, struct container_table *t,
	const struct runtime *r, const struct patterns *containers,
	const struct patterns *services);
void container_names_done(struct container_names *n);

#endif
