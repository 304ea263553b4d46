/* SPDX-License-Identifier: Apache-2.0
 *
 * What the daemon last said of its backup jobs, for whoever asks often (GET /metrics): asked for again after an event of a
 * backup, a change of the configuration, or a minute. Pure.
 */
#ifndef AGENT_WEB_BACKUP_JOBS_H
#define AGENT_WEB_BACKUP_JOBS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The daemon tells of runs, not of schedules; next_ms and what another change of the clock moves may be that old. */
enum { BACKUP_JOBS_FRESH_MS = 60 * 1000 };

/* All zero: nothing known. */
struct backup_jobs {
	json_t *list; /* NULL: not known */
	int64_t taken_ms;
};

/* `jobs` of an answer to `backup.jobs`, shared with it. Times are monotonic. */
void backup_jobs_take(struct backup_jobs *b, const json_t *answer, int64_t now_ms);
/* Whether `list` needs no new question. */
bool backup_jobs_are_fresh(const struct backup_jobs *b, int64_t now_ms);
void backup_jobs_forget(struct backup_jobs *b);

#endif
