/* SPDX-License-Identifier: Apache-2.0
 *
 * The start of a program: everything that needs memory is made before the fork, the child only makes system calls. Internal to
 * process.c.
 */
#ifndef BACKUP_PROCESS_SPAWN_H
#define BACKUP_PROCESS_SPAWN_H

#include <sys/types.h>

#include "backup/place.h"
#include "base/buf.h"
#include "base/err.h"

/* The program's path into `out`: -ENOENT when it is not in PATH. */
int process_find(const char *program, struct buf *out, struct err *e);

/* Starts it as the leader of a group of its own, with these as its three first descriptors (they stay the caller's; -1:
 * /dev/null). `mark` (NULL: none) goes into its environment (container_processes.h). The new process writes its pid_t to `tell` (-1:
 * nowhere) before it becomes the program. */
int process_spawn(const struct place_command *c, const char *mark, const int fds[3], int tell,
	pid_t *pid, struct err *e);

#endif
