/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that came of a program which a worker started. The engines have no call to end an exec, and with Docker a dump goes on
 * when nobody reads it any more; on this host the kernel ends only the program itself when the worker is killed, not what that has
 * started. So each gets a mark in its environment, by which all that came of it is found in this host's /proc, also long after. A
 * process is signalled only while it is held by a pidfd, and of a container only when it is in that one's cgroup.
 */
#ifndef BACKUP_CONTAINER_PROCESSES_H
#define BACKUP_CONTAINER_PROCESSES_H

#include <stddef.h>

enum { CONTAINER_MARK_SIZE = 33 };
#define CONTAINER_MARK_NAME "AGENT_EXEC"

/* A new mark: random hex digits. */
void container_mark_new(char to[CONTAINER_MARK_SIZE]);

/* Instead of a container's id: programs of this host. */
#define CONTAINER_NONE "0"

/* Sends `signo` (0: only counts) to each process of the mark. Returns how many there are. Zombies do not count. */
size_t container_signal(const char *container_id, const char *mark, int signo);

/* TERM, then KILL after RUNNING_GRACE_MS. Returns how many are left: 0 when it worked. `found` (may be NULL): how many there were. */
size_t container_end(const char *container_id, const char *mark, size_t *found);

#endif
