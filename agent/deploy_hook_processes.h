/* SPDX-License-Identifier: Apache-2.0
 *
 * Which processes are a hook's, where it has no cgroup: those of its group, and those that still have its environment, whatever group
 * or session they made for themselves. One that clears its environment and its group cannot be found: for hooks
 * that run what strangers wrote there are cgroups.
 */
#ifndef AGENT_DEPLOY_HOOK_PROCESSES_H
#define AGENT_DEPLOY_HOOK_PROCESSES_H

#include <stddef.h>
#include <sys/types.h>

/* Sends the signal (0: none) to each that lives, and returns how many there are. `group` 0: by `mark` only, a text in the
 * environment that no other process has. Reads all of /proc: some milliseconds on a busy server. */
size_t deploy_hook_processes_signal(pid_t group, const char *mark, int signo);

#endif
