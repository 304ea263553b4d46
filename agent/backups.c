/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/backups_internal.h"
#include "agent/json_view.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

static void set_text(json_t *run, const char *name, const char *value)
{
	(void)json_object_set_new(run, name, json_string(value));
}

void backups_changed(struct backups *b, const json_t *run, const json_t *says)
{
	if (b->o.on_change)
		b->o.on_change(b->o.user, run, says);
}

static void tell_waiters(struct backups *b, const json_t *run)
{
	struct backups_waiter **at = &b->waiters;

	while (*at) {
		struct backups_waiter *w = *at;

		if (w->run != json_view_int(run, "run")) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->done(w->user, run);
		free(w);
	}
}

/* Takes the run over. */
static void end_run(struct backups *b, json_t *run, const char *output)
{
	backups_store(b, run);
	backups_ended(b, run, output);
	backups_changed(b, run, NULL);
	tell_waiters(b, run);
	json_decref(run);
	loop_timer_after(b->kick, 0);
}

static void on_says(void *user, json_t *says)
{
	struct backups *b = user;

	backups_run_says(&b->active, says, clock_mono_ms());
	backups_changed(b, b->active.run, says);
}

static void on_done(void *user, const struct backup_outcome *o)
{
	struct backups *b = user;
	struct backups_active a = b->active;

	b->active = (struct backups_active){0};
	backups_run_end(a.run, o, *a.cancelled_by ? a.cancelled_by : NULL, a.shutting_down,
		clock_wall_ms());
	end_run(b, a.run, o->output);
}

/* A run that could not even be begun. Takes it over. */
static void fail_run(struct backups *b, json_t *run, const char *state, const char *why)
{
	set_text(run, "state", state);
	set_text(run, "error", why);
	(void)json_object_set_new(run, "ended_ms", json_integer((json_int_t)clock_wall_ms()));
	end_run(b, run, "");
}

static json_t *order_for(
	struct backups *b, const json_t *run, const struct backup_job *job, struct err *e)
{
	const json_t *asked = json_object_get(run, "asked");
	const char *id = json_view_text(asked, "backup"), *store = json_view_text(asked, "store");
	struct backup_last last;
	struct backup_order_options o = {.what = json_view_text(run, "what"),
		.run = json_view_int(run, "run"),
		.job = job,
		.store = *store ? store : NULL,
		.state_dir = b->o.state_dir,
		.dry_run = json_is_true(json_object_get(asked, "dry_run"))};
	json_t *order = NULL;

	if (backup_runs_figures(b->runs, job->name, &last, e) < 0)
		return NULL;
	o.last = &last;
	if (*id)
		o.restore = json_pack("{s:s}", "id", id);
	(void)backup_order_new(b->config, &o, &order, e);
	return order;
}

static void start_run(struct backups *b, json_t *run)
{
	const struct backup_job *job;
	struct backup_worker_options o = {.argv = b->o.worker_argv,
		.polite = true,
		.says = on_says,
		.done = on_done,
		.user = b};
	json_t *order = NULL;
	struct err e;
	int r = backup_config_find(b->config, json_view_text(run, "job"), &job, &e);

	if (r == 0)
		order = order_for(b, run, job, &e);
	if (order) {
		o.order = order;
		o.deadline_ms = job->deadline_ms;
		/* Committed first: killed between the two, it must not be begun a second time. */
		set_text(run, "state", "running");
		(void)json_object_set_new(
			run, "started_ms", json_integer((json_int_t)clock_wall_ms()));
		backups_store(b, run);
		r = backup_worker_start(b->o.loop, &o, &b->active.worker, &e);
		json_decref(order);
	}
	if (!order || r < 0) {
		fail_run(b, run, "failed", e.msg);
		return;
	}
	b->active.run = run;
	backups_changed(b, run, NULL);
}

/* Somebody waits for it. */
static bool is_by_hand(const json_t *run)
{
	const char *trigger = json_view_text(run, "trigger");

	return strcmp(trigger, "command") == 0 || strcmp(trigger, "api") == 0;
}

static size_t first_in_line(const json_t *queue)
{
	const json_t *run;
	size_t i;

	json_array_foreach(queue, i, run)
	{
		if (is_by_hand(run))
			return i;
	}
	return 0;
}

static json_t *take_from_queue(struct backups *b, size_t i)
{
	json_t *run = json_incref(json_array_get(b->queue, i));

	(void)json_array_remove(b->queue, i);
	return run;
}

static void on_kick(void *user)
{
	struct backups *b = user;
	int64_t quiet_ms = b->o.quiet_until_ms - clock_mono_ms();
	size_t i = first_in_line(b->queue);

	if (b->closing || b->active.run || !json_array_size(b->queue))
		return;
	if (quiet_ms > 0 && !is_by_hand(json_array_get(b->queue, i)))
		loop_timer_after(b->kick, quiet_ms);
	else
		start_run(b, take_from_queue(b, i));
}

/* Takes the run over. */
int backups_enqueue(struct backups *b, json_t *run, struct err *e)
{
	int r = 0;

	if (json_array_size(b->queue) >= BACKUPS_QUEUE_MAX)
		r = err_set(e, EAGAIN, "%d runs are waiting already", BACKUPS_QUEUE_MAX);
	if (r == 0)
		r = backup_runs_add(b->runs, run, e);
	if (r == -ENOSPC) {
		struct err why = *e;

		(void)err_set(e, ENOSPC, "%s: free some space on this disk", why.msg);
	}
	if (r == 0) {
		(void)json_array_append(b->queue, run);
		backups_changed(b, run, NULL);
		loop_timer_after(b->kick, 0);
	}
	json_decref(run);
	return r;
}

int backups_start(struct backups *b, const struct backups_request *q, int64_t *run, struct err *e)
{
	const struct backup_job *job;
	json_t *new;
	int r = backup_config_find(b->config, q->job, &job, e);

	if (r == 0)
		r = backups_check_request(job, q, e);
	if (r < 0)
		return r;
	new = json_incref(backups_run_new(q, clock_wall_ms()));
	r = backups_enqueue(b, new, e);
	if (r == 0)
		*run = json_view_int(new, "run");
	json_decref(new);
	return r;
}

static int wait_for(struct backups *b, int64_t run, backups_run_fn done, void *user)
{
	struct backups_waiter *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	*w = (struct backups_waiter){run, done, user, b->waiters};
	b->waiters = w;
	return 0;
}

int backups_cancel(struct backups *b, int64_t run, const char *by, backups_run_fn done, void *user,
	struct err *e)
{
	_cleanup_(free_p) char *why = str_format("cancelled by %s before it began", by);
	const json_t *one;
	size_t i;

	if (b->active.run && json_view_int(b->active.run, "run") == run) {
		(void)str_copy(b->active.cancelled_by, sizeof(b->active.cancelled_by), by);
		backup_worker_stop(b->active.worker);
		return wait_for(b, run, done, user);
	}
	json_array_foreach(b->queue, i, one)
	{
		if (json_view_int(one, "run") != run)
			continue;
		fail_run(b, take_from_queue(b, i), "cancelled", why);
		return BACKUPS_CANCELLED;
	}
	return err_set(e, ENOENT, "run %lld is not under way", (long long)run);
}

int64_t backups_story(struct backups *b, const char *job, const char *what)
{
	_cleanup_(free_p) char *name = str_format("story.%s", what);

	return backup_runs_number(b->runs, job, name);
}

void backups_set_story(struct backups *b, const char *job, const char *what, int64_t since_ms)
{
	_cleanup_(free_p) char *name = str_format("story.%s", what);
	struct err e;

	if (backup_runs_set_number(b->runs, job, name, since_ms, &e) < 0)
		problem_set(
			b->o.problems, "backup.runs", "runs of backups cannot be kept: %s", e.msg);
}

int64_t backups_last_good_ms(struct backups *b, const char *job)
{
	json_t *run;
	int64_t ms;

	if (backup_runs_last(b->runs, job, "backup", BACKUP_RUNS_GOOD, &run, NULL) < 0)
		return 0;
	ms = json_view_int(run, "started_ms");
	json_decref(run);
	return ms;
}

size_t backups_running(const struct backups *b)
{
	return b->active.run ? 1 : 0;
}

static void interrupt(struct backups *b, json_t *run)
{
	set_text(run, "error", "interrupted: the agent ended in the middle of it");
	fail_run(b, json_incref(run), "interrupted", json_view_text(run, "error"));
}

/* One that the schedule began is made again, once: nobody sits in front of it. */
static void make_again(struct backups *b, const struct backup_job *j)
{
	const struct backups_request q = {
		.job = j->name, .what = "backup", .trigger = "catch-up", .by = "schedule"};
	json_t *last;
	struct err e;

	if (!j->schedule[BACKUP_RUN].catch_up ||
		backup_runs_last(b->runs, j->name, "backup", BACKUP_RUNS_ANY, &last, NULL) < 0)
		return;
	if (strcmp(json_view_text(last, "state"), "interrupted") == 0 &&
		strcmp(json_view_text(last, "trigger"), "schedule") == 0 &&
		backups_enqueue(b, backups_run_new(&q, clock_wall_ms()), &e) < 0)
		log_error("backup of %s: %s", j->name, e.msg);
	json_decref(last);
}

/* What the daemon before this one left. */
static int take_over(struct backups *b, struct err *e)
{
	json_t *open, *run;
	size_t i;
	int r = backup_runs_open_ones(b->runs, &open, e);

	if (r < 0)
		return r;
	json_array_foreach(open, i, run)
	{
		if (strcmp(json_view_text(run, "state"), "running") == 0)
			interrupt(b, run);
		else
			(void)json_array_append(b->queue, run);
	}
	json_decref(open);
	for (i = 0; i < b->config->n_jobs; i++)
		make_again(b, &b->config->jobs[i]);
	return 0;
}

void backups_free(struct backups *b)
{
	int64_t until_ms = clock_mono_ms() + BACKUPS_STOP_MS;

	if (!b)
		return;
	b->closing = true;
	loop_timer_free(b->tick);
	b->tick = NULL;
	if (b->active.worker) {
		b->active.shutting_down = true;
		backup_worker_stop(b->active.worker);
	}
	while (b->active.worker && clock_mono_ms() < until_ms) {
		loop_resume(b->o.loop);
		if (loop_turn(b->o.loop, 100, NULL) < 0)
			break;
	}
	backup_worker_abandon(b->active.worker);
	backup_worker_abandon(b->sweeper);
	backups_readings_free(b);
	backup_pings_free(b->pings);
	while (b->waiters) {
		struct backups_waiter *w = b->waiters;

		b->waiters = w->next;
		free(w);
	}
	loop_timer_free(b->kick);
	if (b->runs)
		backups_store_again(b);
	json_decref(b->active.run);
	json_decref(b->queue);
	json_decref(b->unsaved);
	json_decref(b->catalogues);
	backup_runs_free(b->runs);
	free(b);
}

int backups_new(const struct backups_options *o, const struct backup_config *c,
	struct backups **out, struct err *e)
{
	struct backups *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		abort();
	b->o = *o;
	b->config = c;
	b->queue = json_array();
	b->unsaved = json_array();
	b->catalogues = json_object();
	b->tick = loop_timer_new(o->loop, backups_tick, b);
	b->kick = loop_timer_new(o->loop, on_kick, b);
	b->pings = backup_pings_new(o->loop, o->http, o->problems);
	r = backup_runs_open(o->db, &b->runs, e);
	if (r == 0)
		r = take_over(b, e);
	if (r < 0) {
		backups_free(b);
		return r;
	}
	loop_timer_after(b->tick, 0);
	loop_timer_after(b->kick, 0);
	*out = b;
	return 0;
}

void backups_configure(struct backups *b, const struct backup_config *c)
{
	b->config = c;
	loop_timer_after(b->tick, 0);
}
