/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows from the end of a run: events, the story of its job, the ping, a new look at the catalogue.
 */
#include <string.h>

#include "agent/backup_events.h"
#include "agent/backups_internal.h"
#include "agent/json_view.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

static void tell(struct backups *b, struct event *ev)
{
	struct err e;

	/* That it could not be told changes nothing about the run. */
	if (b->o.on_event(b->o.user, ev, &e) < 0)
		log_error("backup: %s", e.msg);
}

/* The last good backup but this run. */
static json_t *last_good_before(struct backups *b, const json_t *run)
{
	struct backup_runs_query q = {.job = json_view_text(run, "job"),
		.what = "backup",
		.before = json_view_int(run, "run"),
		.limit = BACKUP_RUNS_LISTED_MAX};
	json_t *list, *one, *found = NULL;
	size_t i;

	if (backup_runs_list(b->runs, &q, &list, NULL) < 0)
		return NULL;
	json_array_foreach(list, i,
		one) if (!found && strcmp(json_view_text(one, "state"), "done") == 0) found =
		json_incref(one);
	json_decref(list);
	return found;
}

/* But that old ones stay, which is an event of its own. New reference. */
static json_t *warnings_of(const json_t *run)
{
	const char *prune = json_view_text(run, "prune_error");
	json_t *list = json_array(), *one;
	size_t i;

	json_array_foreach(json_object_get(run, "warnings"), i,
		one) if (!*prune || !strstr(json_string_value(one), prune))(void)
		json_array_append(list, one);
	return list;
}

/* What was odd is told once, not each night. */
static void tell_warnings(struct backups *b, const json_t *run, const json_t *before,
	const struct backup_event_facts *f)
{
	json_t *now = warnings_of(run), *then = warnings_of(before);

	if (json_array_size(now) && !json_equal(now, then))
		tell(b, backup_event_warning(run, now, f));
	json_decref(now);
	json_decref(then);
}

static void tell_good(struct backups *b, const struct backup_job *j, const json_t *run,
	const json_t *before, const struct backup_event_facts *f)
{
	const char *what = json_view_text(run, "what");
	const json_t *left = json_object_get(run, "not_removed");
	bool is_backup = strcmp(what, "backup") == 0;

	if (f->story_ms || (is_backup && j && j->notify_success) || strcmp(what, "verify") == 0 ||
		strcmp(what, "drill") == 0 || strcmp(what, "restore") == 0)
		tell(b, backup_event_good(run, f));
	if (is_backup)
		tell_warnings(b, run, before, f);
	if (json_array_size(left) || *json_view_text(run, "prune_error"))
		tell(b, backup_event_not_removed(run));
}

static void log_end(const json_t *run, bool good)
{
	const char *job = json_view_text(run, "job"), *what = json_view_text(run, "what");
	const char *state = json_view_text(run, "state");

	if (json_is_true(json_object_get(run, "partial")))
		state = "not in all stores";
	if (good)
		log_info("%s of %s: %s (run %lld)", what, job, state,
			(long long)json_view_int(run, "run"));
	else
		log_warning("%s of %s: %s (run %lld): %s", what, job, state,
			(long long)json_view_int(run, "run"), json_view_text(run, "error"));
}

/* A backup that some stores do not have is kept, and is a failure all the same. */
static bool went_well(const json_t *run)
{
	return strcmp(json_view_text(run, "state"), "done") == 0 &&
	       !json_is_true(json_object_get(run, "partial"));
}

void backups_ended(struct backups *b, json_t *run, const char *output)
{
	const char *job = json_view_text(run, "job"), *what = json_view_text(run, "what");
	const struct backup_job *j = backup_config_job(b->config, job);
	_cleanup_(buf_done) struct buf source = BUF_INIT(1000);
	json_t *before = last_good_before(b, run);
	bool good = went_well(run),
	     cancelled = strcmp(json_view_text(run, "state"), "cancelled") == 0;
	struct backup_event_facts f = {.last_good = before,
		.story_ms = backups_story(b, job, what),
		.output = output,
		.now_ms = clock_wall_ms()};

	if (j)
		backup_job_source(j, &source);
	f.source = buf_str(&source);
	log_end(run, good || cancelled);
	if (good) {
		tell_good(b, j, run, before, &f);
		if (f.story_ms)
			backups_set_story(b, job, what, 0);
	} else if (!cancelled) {
		tell(b, backup_event_failed(run, &f));
		if (!f.story_ms)
			backups_set_story(b, job, what, f.now_ms);
	}
	if (good && strcmp(what, "backup") == 0)
		backups_set_story(b, job, "overdue", 0);
	if (j && !cancelled && strcmp(what, "backup") == 0)
		backup_ping(b->pings, j, good);
	if (j && strcmp(what, "restore") != 0)
		backups_read_again(b, job);
	json_decref(before);
}

void backups_tell_overdue(struct backups *b, const struct backup_job *j, int64_t due_ms)
{
	_cleanup_(buf_done) struct buf source = BUF_INIT(1000);
	struct backup_event_facts f = {.now_ms = clock_wall_ms()};
	json_t *last = NULL;

	(void)backup_runs_last(b->runs, j->name, "backup", BACKUP_RUNS_GOOD, &last, NULL);
	backup_job_source(j, &source);
	f.source = buf_str(&source);
	f.last_good = last;
	tell(b, backup_event_overdue(j->name, due_ms, &f));
	backups_set_story(b, j->name, "overdue", f.now_ms);
	/* The next good one ends it. */
	if (!backups_story(b, j->name, "backup"))
		backups_set_story(b, j->name, "backup", f.now_ms);
	json_decref(last);
}
