/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the cgroup hierarchy of this machine is. Three kinds exist: v1 (one tree per controller,
 * some of them joint, such as cpu,cpuacct), v2 (one tree for all) and hybrid (v1 trees with the
 * numbers, beside a v2 tree without controllers that only systemd uses). The kind is read from
 * /proc/self/mountinfo, never guessed from versions. Sources: proc_pid_mountinfo(5); kernel
 * Documentation/admin-guide/cgroup-v1/cgroups.rst, cgroup-v2.rst; systemd
 * docs/CGROUP_DELEGATION.md.
 */
#ifndef COLLECTORS_CGROUP_H
#define COLLECTORS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

enum { CGROUP_PATH_MAX = 1024 }; /* bytes of a path inside a tree; deeper cgroups are left out */

enum cgroup_mode { CGROUP_MODE_NONE, CGROUP_MODE_V1, CGROUP_MODE_V2, CGROUP_MODE_HYBRID };

/* The trees numbers are read from. On v2 there is only CGROUP_UNIFIED. */
enum cgroup_controller {
	CGROUP_BLKIO,
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_CPUSET,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_UNIFIED,
	CGROUP_CONTROLLERS,
};

/* What mountinfo says. */
struct cgroup_layout {
	enum cgroup_mode mode;
	char mounts[CGROUP_CONTROLLERS][256]; /* mount point; "" when it is not mounted */
};

/* Pure. Takes the text apart in place. Other lines than those of cgroup mounts are ignored,
 * malformed ones too. */
void cgroup_layout_parse(char *mountinfo, struct cgroup_layout *out);

/* The same, opened. Embedded; zeroed memory is not valid, cgroup_tree_init() makes it so. */
struct cgroup_tree {
	enum cgroup_mode mode;
	int dirs[CGROUP_CONTROLLERS]; /* O_PATH descriptors of the roots; -1: not there */
	/* Only a part of the tree can be seen: this process runs in a container with a cgroup
	 * namespace of its own. */
	bool partial;
};

void cgroup_tree_init(struct cgroup_tree *t);
void cgroup_tree_done(struct cgroup_tree *t);

/* Finds and opens the hierarchy. Mount points under /sys are opened below sys_fd, others below
 * root_fd, so that a recorded tree or the /host folders of a container work. When `live` and
 * mountinfo cannot be read, statfs(2) of /sys/fs/cgroup decides. Without any cgroup mount: 0 and
 * CGROUP_MODE_NONE. */
int cgroup_tree_open(
	struct cgroup_tree *t, int root_fd, int proc_fd, int sys_fd, bool live, struct err *e);

/* The tree that is walked to find cgroups: the unified one, else memory, pids, cpuacct or cpu.
 * -1 without one. */
int cgroup_tree_walk_fd(const struct cgroup_tree *t);
/* The tree a controller's files are in: the unified one on v2. -1: this machine has no such
 * controller. */
int cgroup_tree_fd(const struct cgroup_tree *t, enum cgroup_controller c);

const char *cgroup_mode_name(enum cgroup_mode m); /* "none", "v1", "v2", "hybrid" */

#endif
