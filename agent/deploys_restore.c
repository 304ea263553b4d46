/* SPDX-License-Identifier: Apache-2.0
 *
 * After a reboot, or when somebody loads his own rules anew, the switch is empty and the router leads nowhere, though the
 * containers run: at the start, and every few minutes, the route of each app is looked at, and laid again where it does
 * not lead to the version that serves.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploys_internal.h"
#include "base/str.h"

enum { AGAIN_MS = 30 * 1000, EVERY_MS = 5 * 60 * 1000 };

struct deploys_restore {
	struct deploys *s;
	struct deploys_work *work; /* in no list: the deploy that serves; NULL between two */
	struct loop_timer *timer;
	size_t at; /* of the apps */
	bool again; /* not all was seen */
};

/* One at a time: whose work it is. */
static struct deploys_restore *restore_of(const struct deploys_work *w)
{
	return w->deploys->restore;
}

static char *problem_key(const struct deploys_work *w)
{
	return str_format("deploys.route.%s", w->d->app);
}

static void app_done(struct deploys_work *w, const char *problem)
{
	struct deploys_restore *x = restore_of(w);
	struct problems *problems = w->deploys->o.problems;
	_cleanup_(free_p) char *key = problem_key(w);

	if (problem) {
		problem_set(problems, key,
			"the router may not lead to %s: %s; agent deploy rollback or now lays it "
			"again",
			w->d->app, problem);
		x->again = true;
	} else {
		problem_clear(problems, key);
	}
	x->at++;
	loop_timer_after(x->timer, 0); /* the work is freed from the loop */
}

static void on_routed(struct deploys_work *w, enum hook_verdict v, const char *why)
{
	app_done(w, v == HOOK_DONE || v == HOOK_SKIP ? NULL : why);
}

static void on_runs(struct deploys_work *w, enum hook_verdict v, const char *why)
{
	if (v == HOOK_DONE && w->hooks.seen == RECOVERY_NEW)
		deploys_run_hooks(w, "route", "apply", on_routed);
	else
		app_done(w, v == HOOK_DONE ? "the version that should serve does not run" : why);
}

static void on_seen(struct deploys_work *w, enum hook_verdict v, const char *why)
{
	if (v == HOOK_SKIP || (v == HOOK_DONE && (w->hooks.seen == RECOVERY_NEW ||
							 w->hooks.seen == RECOVERY_UNKNOWN)))
		app_done(w, NULL);
	else if (v == HOOK_DONE)
		deploys_run_hooks(w, "start", "status", on_runs);
	else
		app_done(w, why);
}

static bool has_work(const struct deploys *s, const char *app)
{
	for (const struct deploys_work *w = s->works; w; w = w->next)
		if (strcmp(w->d->app, app) == 0)
			return true;
	return false;
}

/* The deploy that serves; NULL: nothing to look at. */
static struct deploys_work *work_of(struct deploys *s, const struct deploy_app *a)
{
	struct deploy *d;

	if (has_work(s, a->name) || !deploy_app_hook(a, "route"))
		return NULL;
	d = deploys_serving(s, a->name);
	return d ? deploys_work_make(s, d) : NULL;
}

static void on_timer(void *user)
{
	struct deploys_restore *x = user;
	struct deploys *s = x->s;
	struct err e = {""};

	if (x->work) {
		_cleanup_(free_p) char *app = str_dup(x->work->d->app);

		deploys_work_free(x->work);
		deploys_tidy(s, app); /* the folder its hooks were in */
		deploys_kick(s);
	}
	x->work = NULL;
	while (x->at < s->config->n_apps && !x->work) {
		x->work = work_of(s, &s->config->apps[x->at]);
		if (!x->work)
			x->at++;
	}
	if (x->work) {
		x->work->step.stage = "route";
		if (deploys_make_folders(x->work, &e) < 0)
			app_done(x->work, e.msg);
		else
			deploys_run_hooks(x->work, "route", "status", on_seen);
	} else {
		loop_timer_after(x->timer, x->again ? AGAIN_MS : EVERY_MS);
		x->at = 0;
		x->again = false;
	}
}

bool deploys_is_restoring(const struct deploys *s, const char *app)
{
	return s->restore && s->restore->work && strcmp(s->restore->work->d->app, app) == 0;
}

void deploys_restore_begin(struct deploys *s)
{
	struct deploys_restore *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	x->s = s;
	x->timer = loop_timer_new(s->o.loop, on_timer, x);
	s->restore = x;
	loop_timer_after(x->timer, 0);
}

void deploys_restore_end(struct deploys *s)
{
	if (!s->restore)
		return;
	if (s->restore->work)
		deploys_work_free(s->restore->work);
	loop_timer_free(s->restore->timer);
	free(s->restore);
	s->restore = NULL;
}
