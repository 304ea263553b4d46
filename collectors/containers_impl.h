/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of containers.h: its state, and the half of it that finds cgroups. Internal to
 * containers*.c.
 */
#ifndef COLLECTORS_CONTAINERS_IMPL_H
#define COLLECTORS_CONTAINERS_IMPL_H

#include "collectors/cgroup_watch.h"
#include "collectors/container_names.h"
#include "collectors/container_oom.h"
#include "collectors/container_table.h"
#include "collectors/containers.h"
#include "collectors/runtime.h"

struct containers {
	struct loop *loop; /* NULL: the cgroup tree is walked in each sample */
	struct containers_options options;
	struct problems *problems;
	struct cgroup_tree tree;
	struct cgroup_reader reader;
	struct cgroup_numbers numbers; /* of the one that is being read */
	struct container_table table;
	struct cgroup_watch *watch;
	struct container_oom *oom;
	struct runtime *runtime;
	unsigned runtime_version; /* as of the last settling of names */
	bool names_changed, networks_changed;
	bool too_many;
	uint64_t host_ns;
	unsigned samples, scans;
	struct container_names names;
	char *hooks_cgroup; /* inside the tree; NULL: none */
};

/* Opens the cgroup trees and begins to watch them. Without any: 0, and a problem. */
int containers_open(struct containers *c, struct err *e);

/* Once per sample: brings the table up to date. What ended since the last sample stays in it,
 * marked, if it has OOM kills to show. */
void containers_find(struct containers *c);

/* A cgroup is gone: kept until the next sample. */
void containers_end(struct containers *c, struct container_item *item);
void containers_drop(struct containers *c, struct container_item *item);

#endif
