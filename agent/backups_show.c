/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs and runs as the operations show them.
 */
#include <string.h>

#include "agent/backups_internal.h"
#include "agent/json_view.h"
#include "base/clock.h"
#include "base/str.h"

static void set_text(json_t *to, const char *name, const char *value)
{
	(void)json_object_set_new(to, name, json_stringn(value, strlen(value)));
}

static void set_int(json_t *to, const char *name, int64_t value)
{
	(void)json_object_set_new(to, name, json_integer((json_int_t)value));
}

/* Without what is for the daemon alone. */
static json_t *shown(const json_t *run)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)run);

	(void)json_object_del(copy, "asked");
	return copy;
}

/* How the job stands is what its last run came to, also while the next one is under way. */
static void add_last(
	struct backups *b, json_t *to, const char *job, const char *what, const char *name)
{
	json_t *run;

	if (backup_runs_last(b->runs, job, what, BACKUP_RUNS_ENDED, &run, NULL) < 0)
		return;
	(void)json_object_set_new(to, name, shown(run));
	json_decref(run);
}

static void add_good(struct backups *b, json_t *to, const char *job)
{
	json_t *run = NULL;

	(void)backup_runs_last(b->runs, job, "backup", BACKUP_RUNS_GOOD, &run, NULL);
	set_int(to, "last_success_ms", json_view_int(run, "started_ms"));
	set_int(to, "last_size_bytes", json_view_int(run, "stored_bytes"));
	set_int(to, "last_plain_bytes", json_view_int(run, "plain_bytes"));
	set_int(to, "last_duration_ms", json_view_int(run, "duration_ms"));
	json_decref(run);
}

static void add_words(json_t *to, const struct backup_job *j)
{
	_cleanup_(buf_done) struct buf source = BUF_INIT(2000);
	_cleanup_(buf_done) struct buf keep = BUF_INIT(500);
	const char *schedule = json_view_text(j->settings, "schedule");

	backup_job_source(j, &source);
	backup_job_keep(j, &keep);
	set_text(to, "name", j->name);
	set_text(to, "engine", j->engine);
	set_text(to, "source", buf_str(&source));
	(void)json_object_set(to, "stores", json_object_get(j->settings, "stores"));
	set_text(to, "schedule", schedule);
	(void)json_object_set_new(to, "encrypted", json_boolean(j->encrypted));
	(void)json_object_set_new(to, "can_drill", json_boolean(backups_can_drill(j)));
	set_text(to, "keep", buf_str(&keep));
	(void)json_object_set_new(to, "same_disk", json_boolean(backup_job_is_on_this_disk(j)));
	set_text(to, "origin", j->origin ? j->origin : "");
}

static int64_t next_ms(struct backups *b, const struct backup_job *j, int64_t now_ms)
{
	struct schedule_verdict v;

	if (!j->has_schedule[BACKUP_RUN])
		return 0;
	v = schedule_look(&j->schedule[BACKUP_RUN],
		backup_runs_number(b->runs, j->name, "handled.backup"), now_ms);
	return v.due ? now_ms : v.next_ms;
}

static json_t *job_of(struct backups *b, const struct backup_job *j, int64_t now_ms)
{
	json_t *to = json_object();
	int64_t overdue_ms = backups_overdue_ms(b, j, now_ms);
	const json_t *run;
	size_t i, waiting = 0;

	add_words(to, j);
	set_int(to, "next_ms", next_ms(b, j, now_ms));
	add_last(b, to, j->name, "backup", "last");
	add_good(b, to, j->name);
	add_last(b, to, j->name, "verify", "last_verify");
	add_last(b, to, j->name, "drill", "last_drill");
	set_int(to, "overdue_ms", overdue_ms);
	(void)json_object_set_new(to, "overdue", json_boolean(overdue_ms && now_ms >= overdue_ms));
	if (b->active.run && strcmp(json_view_text(b->active.run, "job"), j->name) == 0)
		(void)json_object_set_new(to, "running", shown(b->active.run));
	json_array_foreach(b->queue, i, run) waiting +=
		strcmp(json_view_text(run, "job"), j->name) == 0;
	set_int(to, "waiting", (int64_t)waiting);
	return to;
}

json_t *backups_jobs(struct backups *b)
{
	json_t *list = json_array();
	int64_t now_ms = clock_wall_ms();

	for (size_t i = 0; i < b->config->n_jobs; i++)
		(void)json_array_append_new(list, job_of(b, &b->config->jobs[i], now_ms));
	return list;
}

/* The one under way is newer than its row. */
static json_t *fresh(struct backups *b, json_t *run)
{
	const json_t *active = b->active.run;
	const json_t *unsaved = backups_unsaved(b, json_view_int(run, "run"));
	bool is_active = active && json_view_int(active, "run") == json_view_int(run, "run");

	return shown(is_active ? active : unsaved ? unsaved : run);
}

int backups_run(struct backups *b, int64_t id, json_t **out, struct err *e)
{
	json_t *run;
	int r = backup_runs_get(b->runs, id, &run, e);

	if (r < 0)
		return r;
	*out = fresh(b, run);
	json_decref(run);
	return 0;
}

int backups_list_runs(
	struct backups *b, const struct backup_runs_query *q, json_t **out, struct err *e)
{
	json_t *list, *run;
	size_t i;
	int r = backup_runs_list(b->runs, q, &list, e);

	if (r < 0)
		return r;
	*out = json_array();
	json_array_foreach(list, i, run)(void) json_array_append_new(*out, fresh(b, run));
	json_decref(list);
	return 0;
}

int backups_report(struct backups *b, const char *job, const char *what, const json_t *result,
	int64_t started_ms, const char *by, int64_t *run, struct err *e)
{
	const struct backups_request q = {.job = job, .what = what, .trigger = "command", .by = by};
	const struct backup_outcome o = {.result = result, .output = ""};
	int64_t now_ms = clock_wall_ms();
	json_t *new = backups_run_new(&q, started_ms);
	bool cancelled = strcmp(json_view_text(result, "code"), "cancelled") == 0;
	int r;

	set_int(new, "started_ms", started_ms);
	backups_run_end(new, &o, cancelled ? by : NULL, false, now_ms);
	r = backup_runs_add(b->runs, new, e);
	if (r == 0) {
		*run = json_view_int(new, "run");
		backups_ended(b, new, "");
		backups_changed(b, new, NULL);
	}
	json_decref(new);
	return r;
}
