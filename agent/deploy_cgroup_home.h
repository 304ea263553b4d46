/* SPDX-License-Identifier: Apache-2.0
 *
 * Where cgroups of hooks are made: below the agent's own, if it was delegated (`Delegate=yes` in its unit). A cgroup with
 * processes in it cannot hand controllers on, so the agent itself moves one down first:
 *
 *   agent.service/            handed over by systemd, then empty
 *     agent                   the daemon and all it starts but hooks
 *     hooks/hook-...          one for each hook that runs
 *
 * What the environment says in AGENT_MEMORY_HIGH, AGENT_MEMORY_MAX and AGENT_TASKS_MAX, in the kernel's form ("768M"), becomes
 * the limits of `agent`.
 *
 * Sources: systemd's CGROUP_DELEGATION.md; kernel Documentation/admin-guide/cgroup-v2.rst, "No Internal Process Constraint".
 */
#ifndef AGENT_DEPLOY_CGROUP_HOME_H
#define AGENT_DEPLOY_CGROUP_HOME_H

#include "base/err.h"

/* Once, at the start, before other processes of ours run. `root` and `own` say where the hierarchy is mounted and which cgroup is ours:
 * NULL: as this system has them. *out is the folder for deploy_hook_run_options.cgroup, owned by the caller.
 * -ENOTSUP: it was not delegated, or there is no cgroup v2; hooks then run without. */
int deploy_cgroup_home(const char *root, const char *own, char **out, struct err *e);

#endif
