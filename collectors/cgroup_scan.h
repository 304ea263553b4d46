/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the cgroup tree and calls back for each container, service and folder (cgroup_path.h) below
 * a path. What comes or goes meanwhile may or may not be reported. Bounded in depth by
 * CGROUP_DEPTH_MAX.
 */
#ifndef COLLECTORS_CGROUP_SCAN_H
#define COLLECTORS_CGROUP_SCAN_H

#include "collectors/cgroup.h"
#include "collectors/cgroup_path.h"

/* `path` is inside the tree ("" is its root) and valid during the call. A folder (and a service,
 * which may hold containers) is reported before what is in it. */
typedef void (*cgroup_found_fn)(void *user, const char *path, const struct cgroup_name *name);

void cgroup_scan(const struct cgroup_tree *t, const char *path, cgroup_found_fn fn, void *user);

#endif
