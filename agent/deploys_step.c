/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of machine.h: committed, then taken.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploys_internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "deploy-hooks/queue.h"

static void tell_change(struct deploys_work *w)
{
	const struct deploys_options *o = &w->deploys->o;

	if (o->on_change)
		o->on_change(o->user, w->d);
}

static void tell_end(struct deploys_work *w)
{
	const struct deploys_options *o = &w->deploys->o;

	if (w->told)
		return;
	w->told = true;
	if (o->on_end)
		o->on_end(o->user, w->d);
	while (w->waiters) {
		struct deploys_waiter *x = w->waiters;

		w->waiters = x->next;
		x->done(x->user, w->d);
		free(x);
	}
}

void deploys_ended(struct deploys_work *w)
{
	struct deploys *s = w->deploys;

	tell_change(w);
	tell_end(w);
	deploys_work_free(w);
	deploys_kick(s);
}

static void finish(struct deploys_work *w)
{
	struct deploys *s = w->deploys;
	_cleanup_(free_p) char *app = str_dup(w->d->app);

	tell_end(w);
	deploys_work_free(w);
	deploys_tidy(s, app); /* its source is nobody's now */
	deploys_kick(s);
}

static void on_stage(struct deploys_work *w, enum hook_verdict v, const char *why)
{
	static const enum machine_event events[] = {
		[HOOK_DONE] = MACHINE_STEP_DONE,
		[HOOK_AGAIN] = MACHINE_STEP_AGAIN,
		[HOOK_SKIP] = MACHINE_STEP_SKIP,
		[HOOK_FAILED] = MACHINE_STEP_FAILED,
	};

	deploys_event(w, events[v], why);
}

static void run_stage(struct deploys_work *w)
{
	const char *stage = w->step.stage;
	struct err e = {""};

	if (deploys_make_folders(w, &e) < 0) {
		deploys_event(w, MACHINE_STEP_FAILED, e.msg);
		return;
	}
	if (strcmp(stage, "filter") == 0 && !deploys_paths_match(w)) {
		deploys_event(w, MACHINE_STEP_SKIP, "none of the paths that matter has changed");
		return;
	}
	deploys_run_hooks(w, stage, w->step.verb, on_stage);
}

/* Run again after a crash; unless something newer waits, which is what people want by now. */
static void requeue(struct deploys_work *w)
{
	struct deploys *s = w->deploys;
	size_t n;
	_cleanup_(free_p) const struct deploy **open = deploys_open_records(s, &n);
	const struct deploy *newer = queue_newer(open, n, w->d);
	struct err e = {""};

	if (!newer) {
		deploys_kick(s);
		return;
	}
	w->d->superseded_by = newer->id;
	deploy_end(w->d, DEPLOY_SUPERSEDED, clock_wall_ms());
	if (deploy_runs_store(s->runs, w->d, &e) < 0)
		log_warning("deploy %" PRId64 ": %s", w->d->id, e.msg);
	deploys_ended(w);
}

static void go(struct deploys_work *w)
{
	const struct machine_step *step = &w->step;

	tell_change(w);
	if (deploy_state_is_end(step->state))
		tell_end(w);
	if (step->stage && step->wait_ms > 0)
		loop_timer_after(w->timer, step->wait_ms);
	else if (step->stage)
		run_stage(w);
	else if (deploy_state_is_end(step->state))
		finish(w);
	else if (step->state == DEPLOY_QUEUED)
		requeue(w);
	else if (step->state == DEPLOY_WATCHING)
		deploys_watch_begin(w);
	else
		loop_timer_after(w->timer, step->wait_ms);
}

void deploys_commit_again(struct deploys_work *w)
{
	struct deploys *s = w->deploys;
	struct err e = {""};

	if (deploy_runs_store(s->runs, w->d, &e) < 0) {
		problem_set(s->o.problems, "deploys.store",
			"deploy %" PRId64 " of %s waits before its next step, which cannot be "
			"written down: %s",
			w->d->id, w->d->app, e.msg);
		deploys_kick(s);
		return;
	}
	problem_clear(s->o.problems, "deploys.store");
	w->uncommitted = false;
	go(w);
}

void deploys_take(struct deploys_work *w, struct machine_step step)
{
	w->step = step;
	w->uncommitted = true;
	*w->waits_for = '\0';
	deploys_commit_again(w);
}

void deploys_event(struct deploys_work *w, enum machine_event ev, const char *why)
{
	struct machine_step step;

	if (w->cancelled_by && machine_can_cancel(w->d)) {
		ev = MACHINE_CANCEL;
		why = w->cancelled_by;
	}
	step = machine_next(w->d, ev, why, clock_wall_ms());
	if (!step.ignored)
		deploys_take(w, step);
}

/* A wait is over: for the next attempt, of the drain, between two looks. */
void deploys_on_timer(void *work)
{
	struct deploys_work *w = work;

	if (w->uncommitted || w->hooks.run)
		return;
	if (w->recovering)
		deploys_recover(w);
	else if (w->cancelled_by && machine_can_cancel(w->d))
		deploys_event(w, MACHINE_CANCEL, w->cancelled_by);
	else if (w->step.stage)
		run_stage(w);
	else if (w->d->state == DEPLOY_WATCHING)
		deploys_watch_look(w);
	else if (w->d->state == DEPLOY_DRAINING)
		deploys_event(w, MACHINE_DRAIN_OVER, NULL);
}
