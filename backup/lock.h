/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of a job at a time, whoever started it: flock(2) on STATE/backup/locks/JOB.lock. The kernel frees it
 * with the process, so that nothing is stuck after a kill.
 */
#ifndef BACKUP_LOCK_H
#define BACKUP_LOCK_H

#include "base/err.h"

/* Waits for as long as it takes; calls `waits` once when it has to. Returns the descriptor that holds it (close() frees
 * it), or a negative errno; -ECANCELED when a stop was requested meanwhile (stop.h). */
int lock_job(const char *state_dir, const char *job, void (*waits)(void *user), void *user,
	struct err *e);

#endif
