/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands pre, post and on_failure of a job: run on this host without a shell, with what is known about the
 * backup in their environment.
 */
#ifndef BACKUP_HOOK_H
#define BACKUP_HOOK_H

#include <stdint.h>

#include "backup/job.h"
#include "base/err.h"

struct hook {
	const char *what; /* "pre" */
	const struct job_list *command; /* empty: nothing is run */
	int64_t deadline_ms;
	const char *job, *id;
	const char *status; /* "running", "ok", "partial", "failed", "cancelled" */
	int64_t bytes; /* stored */
	const char *error; /* "" when there is none */
};

/* 0 also when there is none. Environment: BACKUP_JOB, BACKUP_ID, BACKUP_STATUS, BACKUP_BYTES, BACKUP_ERROR. */
int hook_run(const struct hook *h, struct err *e);

#endif
