/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/backup_jobs.h"

void backup_jobs_take(struct backup_jobs *b, const json_t *answer, int64_t now_ms)
{
	backup_jobs_forget(b);
	b->list = json_incref(json_object_get(answer, "jobs"));
	b->taken_ms = now_ms;
}

bool backup_jobs_are_fresh(const struct backup_jobs *b, int64_t now_ms)
{
	return b->list && now_ms < b->taken_ms + BACKUP_JOBS_FRESH_MS;
}

void backup_jobs_forget(struct backup_jobs *b)
{
	json_decref(b->list);
	b->list = NULL;
}
