/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that reads a restore takes the end of its input for the end of the backup, and may make it so: psql commits. When a worker
 * is killed (the kernel may choose it when memory runs out) its pipes close before the program hears of it. So a second
 * process keeps that pipe open and, when the worker is gone, ends the program first. Internal to process.c.
 */
#ifndef BACKUP_PROCESS_GUARD_H
#define BACKUP_PROCESS_GUARD_H

#include <sys/types.h>

#include "base/err.h"

struct process_guard {
	pid_t pid; /* 0: none */
	/* For pid_t values: the program's own, which it says itself before it does anything, and from process_guard_end() 0. Closes with the
	 * worker. */
	int tell;
};

/* Guards the writing end `input` of the pipe to a program that is yet to start, as the leader of a group. */
int process_guard_start(struct process_guard *g, int input, struct err *e);
/* It holds the input no longer. Also when there is none. */
void process_guard_end(struct process_guard *g);

#endif
