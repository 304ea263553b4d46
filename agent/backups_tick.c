/* SPDX-License-Identifier: Apache-2.0
 *
 * What the clock brings about: runs that are due, jobs that are overdue, the daily sweep.
 */
#include <string.h>

#include "agent/backups_internal.h"
#include "agent/json_view.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static bool is_queued(const struct backups *b, const char *job, const char *what)
{
	const json_t *run = b->active.run;
	size_t i;

	if (run && strcmp(json_view_text(run, "job"), job) == 0 &&
		strcmp(json_view_text(run, "what"), what) == 0)
		return true;
	json_array_foreach(
		b->queue, i, run) if (strcmp(json_view_text(run, "job"), job) == 0 &&
				      strcmp(json_view_text(run, "what"), what) == 0) return true;
	return false;
}

static void enqueue_due(struct backups *b, const struct backup_job *j, const char *what, bool late)
{
	const struct backups_request q = {.job = j->name,
		.what = what,
		.trigger = late ? "catch-up" : "schedule",
		.by = "schedule"};
	struct err e;

	/* One that has not even begun, or not ended, is enough. */
	if (is_queued(b, j->name, what)) {
		log_warning("%s of %s: the one before is still under way; this one is left out",
			what, j->name);
		return;
	}
	if (backups_enqueue(b, backups_run_new(&q, clock_wall_ms()), &e) < 0)
		problem_set(b->o.problems, "backup.queue", "%s of %s could not be queued: %s", what,
			j->name, e.msg);
	else
		problem_clear(b->o.problems, "backup.queue");
}

static char *handled_name(enum backup_what w)
{
	return str_format("handled.%s", backup_what_name(w));
}

/* What is due is queued before it counts as handled. Returns when it starts next; 0: never. */
static int64_t look_at(
	struct backups *b, const struct backup_job *j, enum backup_what w, int64_t now_ms)
{
	_cleanup_(free_p) char *name = handled_name(w);
	int64_t handled_ms = backup_runs_number(b->runs, j->name, name);
	struct schedule_verdict v;
	struct err e;

	if (!j->has_schedule[w])
		return 0;
	v = schedule_look(&j->schedule[w], handled_ms, now_ms);
	if (v.due)
		enqueue_due(b, j, backup_what_name(w), v.late);
	else if (v.late)
		log_info("%s of %s was missed and is left out (catch_up = false)",
			backup_what_name(w), j->name);
	if (v.handled_ms != handled_ms &&
		backup_runs_set_number(b->runs, j->name, name, v.handled_ms, &e) < 0)
		log_error("backup: %s", e.msg);
	return v.next_ms;
}

int64_t backups_overdue_ms(struct backups *b, const struct backup_job *j, int64_t now_ms)
{
	int64_t base_ms = backups_last_good_ms(b, j->name);

	if (!base_ms)
		base_ms = backup_runs_number(b->runs, j->name, "first_seen");
	return schedule_overdue_ms(j->has_schedule[BACKUP_RUN] ? &j->schedule[BACKUP_RUN] : NULL,
		j->overdue_ms, base_ms ? base_ms : now_ms, now_ms);
}

/* A run under way has its own deadline. */
static void look_whether_overdue(struct backups *b, const struct backup_job *j, int64_t now_ms)
{
	int64_t due_ms = backups_overdue_ms(b, j, now_ms);
	bool running = b->active.run &&
		       strcmp(json_view_text(b->active.run, "job"), j->name) == 0 &&
		       strcmp(json_view_text(b->active.run, "what"), "backup") == 0;

	if (due_ms && now_ms >= due_ms && !running && !backups_story(b, j->name, "overdue"))
		backups_tell_overdue(b, j, due_ms);
}

static void see_first(struct backups *b, const struct backup_job *j, int64_t now_ms)
{
	int64_t first_ms = backup_runs_number(b->runs, j->name, "first_seen");
	struct err e;

	if (first_ms && first_ms <= now_ms + SCHEDULE_CLOCK_MS)
		return;
	if (backup_runs_set_number(b->runs, j->name, "first_seen", now_ms, &e) < 0)
		log_error("backup: %s", e.msg);
}

void backups_tick(void *user)
{
	struct backups *b = user;
	int64_t now_ms = clock_wall_ms(), wait_ms = BACKUPS_TICK_MS;

	backups_store_again(b);
	for (size_t i = 0; i < b->config->n_jobs; i++) {
		const struct backup_job *j = &b->config->jobs[i];

		see_first(b, j, now_ms);
		for (enum backup_what w = 0; w < BACKUP_WHATS; w++) {
			int64_t next_ms = look_at(b, j, w, now_ms);

			if (next_ms && next_ms - now_ms < wait_ms)
				wait_ms = next_ms - now_ms;
		}
		look_whether_overdue(b, j, now_ms);
	}
	if (b->config->n_jobs && (!b->swept_ms || now_ms - b->swept_ms > DAY_MS ||
					 b->swept_ms > now_ms + SCHEDULE_CLOCK_MS)) {
		b->swept_ms = now_ms;
		backups_sweep(b);
	}
	loop_timer_after(b->tick, wait_ms > 0 ? wait_ms : 0);
}
