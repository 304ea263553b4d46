/* SPDX-License-Identifier: Apache-2.0
 *
 * The hooks of one stage of a deploy, one after the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploy_secrets.h"
#include "agent/deploys_internal.h"
#include "base/clock.h"
#include "base/str.h"
#include "deploy-hooks/deploy_stages.h"

enum { LINE_SIZE = 400, WHY_SIZE = 1000, PROBE_MARGIN_MS = 10 * 1000 };

static void tell_log(struct deploys_work *w)
{
	const struct deploys_options *o = &w->deploys->o;
	uint64_t size = w->log ? deploy_log_size(w->log) : 0;

	if (size == w->told_size || !o->on_log)
		return;
	w->told_size = size;
	o->on_log(o->user, w->d->id, size);
}

void deploys_on_news(void *work)
{
	struct deploys_work *w = work;

	tell_log(w);
	if (w->hooks.run)
		loop_timer_after(w->news, DEPLOYS_LOG_NEWS_MS);
}

static void hooks_done(struct deploys_work *w, enum hook_verdict v, const char *why)
{
	hook_list_done(&w->hooks.list);
	tell_log(w);
	w->hooks.done(w, v, why);
}

static void run_one(struct deploys_work *w);

/* "build: exit status 1: npm ERR! missing script: build" */
static void explain(
	struct deploys_work *w, enum hook_verdict v, const char *what, char *to, size_t size)
{
	const char *stage = w->hooks.stage->name;
	char line[LINE_SIZE];

	*to = '\0';
	if (v == HOOK_DONE)
		return;
	deploys_last_line(w, stage, line, sizeof(line));
	if (v == HOOK_SKIP)
		(void)snprintf(to, size, "%s: %s", stage, *line ? line : "nothing to do");
	else
		(void)snprintf(to, size, "%s: %s%s%s", stage, what, *line ? ": " : "", line);
}

/* What it answered; a wrong answer is a failure. */
static enum hook_verdict take_results(
	struct deploys_work *w, const struct deploy_hook_outcome *o, struct err *e)
{
	struct deploys_hooks *h = &w->hooks;
	int r;

	if (o->verdict != HOOK_DONE)
		return o->verdict;
	if (strcmp(h->verb, "status") == 0)
		r = hook_status(o->results, o->results_len, &h->seen, e);
	else
		r = hook_results(h->stage, o->results, o->results_len, w->d, e);
	return r < 0 ? HOOK_FAILED : HOOK_DONE;
}

static bool goes_on(const struct hook_stage *stage, enum hook_verdict v)
{
	if (stage->role == HOOK_OBSERVER)
		return true;
	/* A gate with nothing to say lets pass; but the filter's word is that there is nothing to deploy. */
	return stage->role == HOOK_GATE &&
	       (v == HOOK_DONE || (v == HOOK_SKIP && strcmp(stage->name, "filter") != 0));
}

static void on_hook(void *user, const struct deploy_hook_outcome *o)
{
	struct deploys_work *w = user;
	struct deploys_hooks *h = &w->hooks;
	char why[WHY_SIZE];
	struct err e = {""};
	enum hook_verdict v = take_results(w, o, &e);

	h->run = NULL;
	loop_timer_stop(w->news);
	explain(w, v, *e.msg ? e.msg : o->why, why, sizeof(why));
	if (goes_on(h->stage, v) && !w->cancelled_by) {
		h->at++;
		run_one(w);
		return;
	}
	hooks_done(w, v, why);
}

/* How long the hook has. 0: the time of the whole deploy is over. */
static int64_t deadline_of(const struct deploys_work *w, const struct deploy_app *a)
{
	const struct hook_stage *stage = w->hooks.stage;
	enum deploy_state state = w->d->state;
	int64_t own_ms = stage->deadline_ms, left_ms;

	if (strcmp(stage->name, "build") == 0 && a->build_deadline_ms)
		own_ms = a->build_deadline_ms;
	if (strcmp(stage->name, "start") == 0 && a->start_deadline_ms)
		own_ms = a->start_deadline_ms;
	if (strcmp(stage->name, "probe") == 0 && a->health_deadline_ms)
		own_ms = a->health_deadline_ms + PROBE_MARGIN_MS; /* the hook says why */
	if (state > DEPLOY_ROUTING || strcmp(w->hooks.verb, "apply") != 0)
		return own_ms;
	left_ms = w->d->started_ms + a->deadline_ms - clock_wall_ms();
	if (left_ms <= 0)
		return 0;
	return left_ms < own_ms ? left_ms : own_ms;
}

/* Names of the containers a rollback may need, by spaces; the caller's. */
static char *versions_kept(const struct deploys_work *w, const struct deploy_app *a)
{
	struct deploy_list done = {NULL, 0};
	struct buf b = BUF_INIT(64 * 1024);

	if (*w->d->new.container)
		buf_adds(&b, w->d->new.container);
	if (deploy_runs_done(w->deploys->runs, a->name, a->keep + 1, &done, NULL) == 0)
		for (size_t i = 0; i < done.n; i++)
			if (*done.deploys[i]->new.container)
				buf_addf(&b, "%s%s", b.len ? " " : "",
					done.deploys[i]->new.container);
	deploy_list_done(&done);
	return buf_take(&b);
}

static int start_hook(
	struct deploys_work *w, const struct deploy_app *a, int64_t deadline_ms, struct err *e)
{
	struct deploys *s = w->deploys;
	struct deploys_hooks *h = &w->hooks;
	_cleanup_(free_p) char *cache = deploys_path(s, a->name, "cache");
	_cleanup_(free_p) char *state = str_format("%s/deploys/.state", s->o.state_dir);
	_cleanup_(free_p) char *work = deploys_work_folder(w);
	_cleanup_(free_p) char *keep =
		strcmp(h->stage->name, "retire") == 0 ? versions_kept(w, a) : NULL;
	struct deploy_secrets secrets = {NULL, 0};
	struct deploy_hook_run_options o = {
		.path = h->list.files[h->at].path,
		.call = {.deploy = w->d,
			.stage = h->stage,
			.verb = h->verb,
			.workdir = work,
			.cache = cache,
			.hooks = s->o.shipped_hooks,
			.state = state,
			.keep = keep,
			.options = a->options},
		.previous = w->previous,
		.runtime_dir = s->o.runtime_dir,
		.cgroup = s->o.cgroup,
		.deadline_ms = deadline_ms,
		.log = w->log,
		.done = on_hook,
		.user = w,
	};
	int r = deploy_secrets_load(a, s->o.state_dir, h->stage->name, &secrets, e);

	if (h->stage->low_priority)
		o.limits = a->build_limits;
	o.secrets = secrets.list;
	o.n_secrets = secrets.n;
	if (r == 0)
		r = deploy_hook_run_start(s->o.loop, &o, &h->run, e);
	deploy_secrets_done(&secrets);
	return r;
}

static void run_one(struct deploys_work *w)
{
	struct deploys_hooks *h = &w->hooks;
	const struct deploy_app *a = deploys_app_of(w);
	char why[WHY_SIZE];
	struct err e = {""};
	int64_t deadline_ms;
	int r;

	if (h->at >= h->list.n) {
		hooks_done(w, HOOK_DONE, "");
		return;
	}
	deadline_ms = deadline_of(w, a);
	if (h->list.files[h->at].problem)
		r = err_set(&e, EINVAL, "%s", h->list.files[h->at].problem);
	else if (!deadline_ms)
		r = err_set(&e, ETIME, "the time of the whole deploy is over");
	else
		r = start_hook(w, a, deadline_ms, &e);
	if (r == 0) {
		loop_timer_after(w->news, DEPLOYS_LOG_NEWS_MS);
		return;
	}
	deploys_say(w, h->stage->name, "%s", e.msg);
	(void)snprintf(why, sizeof(why), "%s: %s", h->stage->name, e.msg);
	if (h->stage->role == HOOK_OBSERVER) {
		h->at++;
		run_one(w);
		return;
	}
	hooks_done(w, HOOK_FAILED, why);
}

/* 0: they are in the list. */
static int find_hooks(struct deploys_work *w, const struct deploy_app *a, struct err *e)
{
	struct deploys *s = w->deploys;
	struct deploys_hooks *h = &w->hooks;
	const char *const folders[] = {s->config->hooks_dir, s->o.shipped_hooks, NULL};
	const char *name;

	memset(&h->list, 0, sizeof(h->list));
	if (h->stage->role != HOOK_DRIVER)
		return hook_find_all(folders, h->stage->name, &h->list, e);
	name = deploy_app_hook(a, h->stage->name);
	/* An image that somebody names is there already, however the app's own are made. */
	if (strcmp(h->stage->name, "build") == 0 && !*w->d->ref && !*w->d->commit)
		name = "image";
	if (!name)
		return 0;
	h->list.files = calloc(1, sizeof(*h->list.files));
	if (!h->list.files)
		abort();
	h->list.n = 1;
	hook_find(folders, h->stage->name, name, &h->list.files[0]);
	if (!h->list.files[0].path && !h->list.files[0].problem)
		h->list.files[0].problem = str_format(
			"there is no hook %s/%s, neither in %s nor in %s (agent deploy check %s)",
			h->stage->name, name, s->config->hooks_dir, s->o.shipped_hooks, a->name);
	return 0;
}

void deploys_run_hooks(struct deploys_work *w, const char *stage, const char *verb,
	void (*done)(struct deploys_work *w, enum hook_verdict v, const char *why))
{
	struct deploys_hooks *h = &w->hooks;
	const struct deploy_app *a = deploys_app_of(w);
	struct err e = {""};
	bool is_status = strcmp(verb, "status") == 0;

	h->stage = hook_stage_find(stage);
	h->verb = is_status ? "status" : strcmp(verb, "revert") == 0 ? "revert" : "apply";
	h->done = done;
	h->at = 0;
	h->seen = RECOVERY_UNKNOWN;
	if (!a) {
		done(w, HOOK_FAILED, "the app is no longer in the configuration");
		return;
	}
	if (find_hooks(w, a, &e) < 0 || deploys_open_log(w, &e) < 0) {
		done(w, h->stage->role == HOOK_OBSERVER ? HOOK_DONE : HOOK_FAILED, e.msg);
		return;
	}
	if (!h->list.n) {
		hook_list_done(&h->list);
		if (!is_status)
			deploy_stages_nothing(w->d);
		done(w, is_status ? HOOK_SKIP : HOOK_DONE, "");
		return;
	}
	run_one(w);
}

void deploys_stop_hooks(struct deploys_work *w)
{
	if (w->hooks.run)
		deploy_hook_run_stop(w->hooks.run);
}

void deploys_abandon_hooks(struct deploys_work *w)
{
	deploy_hook_run_abandon(w->hooks.run);
	w->hooks.run = NULL;
	hook_list_done(&w->hooks.list);
}
