/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells of cgroups as they appear and vanish: inotify on the folders of the cgroup tree in which
 * containers and services are found. Nothing is watched below a container, and no .mount, .socket
 * or .scope units are. What inotify may have missed (its queue overflowed, its watches ran out,
 * five minutes passed) is made up for by a walk through the whole tree.
 */
#ifndef COLLECTORS_CGROUP_WATCH_H
#define COLLECTORS_CGROUP_WATCH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"
#include "collectors/cgroup.h"
#include "collectors/cgroup_path.h"

enum {
	CGROUP_WATCHES_MAX = 4096, /* half of what older kernels allow a user (8192) */
	CGROUP_RESCAN_MS = 5 * 60 * 1000,
};

struct cgroup_watch;

struct cgroup_watch_events {
	/* Also for those already known. `fresh`: seen to appear, a moment ago; its counters
	 * began at 0. */
	void (*found)(void *user, const char *path, const struct cgroup_name *name, bool fresh);
	/* For any folder; the path may be unknown to the callee. */
	void (*gone)(void *user, const char *path);
	void *user;
};

/* The tree stays the caller's. Without `loop`, or where inotify cannot be had, every
 * cgroup_watch_poll() walks the tree. */
int cgroup_watch_new(struct loop *loop, const struct cgroup_tree *tree,
	const struct cgroup_watch_events *events, struct cgroup_watch **out, struct err *e);
void cgroup_watch_free(struct cgroup_watch *w);

/* Once per sample. Walks the tree when that is due: calls `found` for all that is there and
 * returns true, so that the caller can drop what was not found. */
bool cgroup_watch_poll(struct cgroup_watch *w);

/* NULL, or why new containers are found only by walking the tree (static storage): watches or
 * instances ran out. */
const char *cgroup_watch_trouble(const struct cgroup_watch *w);

#endif
