/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells at once when a cgroup may have run out of memory, because one that dies of it takes its
 * counters along: on v2 by inotify on memory.events, on v1 by an eventfd registered at
 * memory.oom_control through cgroup.event_control. Both also fire for other reasons (a limit was
 * touched; the cgroup was removed): the callee looks at the count. Sources: kernel
 * Documentation/admin-guide/cgroup-v2.rst (memory.events), cgroup-v1/memory.rst section 10.
 */
#ifndef COLLECTORS_CGROUP_OOM_H
#define COLLECTORS_CGROUP_OOM_H

#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "collectors/cgroup.h"

struct cgroup_oom;
struct cgroup_oom_watch;

/* `signals`: how often it was announced since the last call; on v2 at least 1. May remove the
 * watch. */
typedef void (*cgroup_oom_fn)(void *user, uint64_t signals);

/* 0, or -errno where the system offers no such thing (the caller goes on without). The tree
 * stays the caller's. */
int cgroup_oom_new(
	struct loop *loop, const struct cgroup_tree *tree, struct cgroup_oom **out, struct err *e);
void cgroup_oom_free(struct cgroup_oom *o); /* after all its watches were removed */

/* NULL when this cgroup cannot be watched. */
struct cgroup_oom_watch *cgroup_oom_add(
	struct cgroup_oom *o, const char *path, cgroup_oom_fn fn, void *user);
void cgroup_oom_remove(struct cgroup_oom_watch *w); /* NULL is fine */

/* Calls back now for what was announced of this cgroup (on v2: of any) and not yet told. */
void cgroup_oom_drain(struct cgroup_oom_watch *w);

#endif
