/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs of this host for a worker, which blocks where the daemon has base/child.h. Started without a shell: own process
 * group, default signals, empty signal mask, no descriptors but the three. The kernel kills the program when the worker dies
 * (prctl(2), PR_SET_PDEATHSIG), which posix_spawn(3) cannot ask for: hence fork and exec, with only async-signal-safe calls
 * between them. What the program itself has started is not reached by that; its pipes end, though.
 */
#ifndef BACKUP_PROCESS_H
#define BACKUP_PROCESS_H

#include "backup/running.h"

enum {
	/* A program that has ended but left its stdout open to another one is waited for so long. */
	PROCESS_LEFT_OPEN_MS = 5000,
};

/* -ENOENT: no such program, -EPERM: another user without being root. The environment is PATH, HOME, LANG=C.UTF-8 and what the
 * command adds. */
int process_start(const struct running_options *o, struct running **out, struct err *e);

/* Whether it is found in PATH (or is a path to a program). */
bool process_has(const char *program);

#endif
