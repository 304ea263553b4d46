/* SPDX-License-Identifier: Apache-2.0
 *
 * A cgroup v2 for one hook, below one that was delegated to the agent: what a build takes is bounded, and none of its
 * processes can leave. Source: kernel Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef AGENT_DEPLOY_CGROUP_H
#define AGENT_DEPLOY_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct deploy_cgroup_limits { /* 0: none */
	uint64_t memory_max_bytes;
	unsigned pids_max;
	unsigned cpu_weight; /* 1 to 10000; others have 100 */
};

/* Makes PARENT/NAME and sets what can be set; *out is its path, owned by the caller. 1: it is there, but *e names a limit whose
 * controller was not delegated. */
int deploy_cgroup_new(const char *parent, const char *name,
	const struct deploy_cgroup_limits *limits, char **out, struct err *e);
/* Whether a process is in it, or in one below. One that cannot be read has none. */
bool deploy_cgroup_is_populated(const char *path);
/* To all processes in it and below; returns to how many. SIGKILL reaches those too that are forked meanwhile, on kernels that can. */
size_t deploy_cgroup_signal(const char *path, int signo);
/* How often the kernel ended one because of memory_max_bytes. */
uint64_t deploy_cgroup_oom_kills(const char *path);
/* With those below; -EBUSY while there are processes. One that is gone is fine. */
int deploy_cgroup_remove(const char *path, struct err *e);

#endif
