/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs whose rows could not be written, because the disk is full: they are kept here and written as soon as it works. Else
 * a run that ended well would be under way for ever, and interrupted at the next start.
 */
#include "agent/backups_internal.h"
#include "agent/json_view.h"

/* None is begun while the disk is full: there are not more than those that were accepted before. */
enum { UNSAVED_MAX = BACKUPS_QUEUE_MAX + 1 };

static size_t find(const struct backups *b, int64_t id)
{
	size_t i = 0;

	while (i < json_array_size(b->unsaved) &&
		json_view_int(json_array_get(b->unsaved, i), "run") != id)
		i++;
	return i;
}

static int store(struct backups *b, const json_t *run)
{
	struct err e;
	int r = backup_runs_store(b->runs, run, &e);

	if (r < 0)
		problem_set(
			b->o.problems, "backup.runs", "runs of backups cannot be kept: %s", e.msg);
	return r;
}

void backups_store(struct backups *b, json_t *run)
{
	int r = store(b, run);

	(void)json_array_remove(b->unsaved, find(b, json_view_int(run, "run")));
	if (r < 0) {
		(void)json_array_append(b->unsaved, run);
		if (json_array_size(b->unsaved) > UNSAVED_MAX)
			(void)json_array_remove(b->unsaved, 0);
	}
	backups_store_again(b);
}

void backups_store_again(struct backups *b)
{
	while (json_array_size(b->unsaved) && store(b, json_array_get(b->unsaved, 0)) == 0)
		(void)json_array_remove(b->unsaved, 0);
	if (!json_array_size(b->unsaved))
		problem_clear(b->o.problems, "backup.runs");
}

const json_t *backups_unsaved(const struct backups *b, int64_t id)
{
	return json_array_get(b->unsaved, find(b, id));
}
