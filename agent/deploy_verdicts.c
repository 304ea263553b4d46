/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_verdicts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploy_verdict_read.h"
#include "agent/json_view.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum {
	DUE_MAX = 300,
	LOOK_BACK = 3, /* deploys of an app that may still be without one after a start */
	NEIGHBOURS = 50, /* deploys of the app looked at for what came before and after */
	AGAIN_MS = 60 * 1000, /* the wall clock may be set; a full disk may get room */
};

struct due {
	int64_t id, due_ms;
};

struct deploy_verdicts {
	struct deploy_verdicts_options o;
	const struct deploy_config *config;
	struct loop_timer *timer;
	bool look_back; /* for what is due from before the start, or of an app that is new */
	struct due due[DUE_MAX];
	size_t n_due;
};

static int64_t after_ms(const struct deploy_verdicts *v)
{
	return v->o.after_ms ? v->o.after_ms : DEPLOY_VERDICT_AFTER_MS;
}

static void add(struct deploy_verdicts *v, const struct deploy *d)
{
	int64_t due_ms = d->ended_ms + after_ms(v);

	if (d->state != DEPLOY_DONE || d->verdict_ms || v->n_due == DUE_MAX ||
		clock_wall_ms() - due_ms > DEPLOY_VERDICT_LATE_MS)
		return;
	for (size_t i = 0; i < v->n_due; i++)
		if (v->due[i].id == d->id)
			return;
	v->due[v->n_due++] = (struct due){d->id, due_ms};
}

static void look_back(struct deploy_verdicts *v)
{
	struct err e;

	for (size_t i = 0; i < v->config->n_apps; i++) {
		struct deploy_list list = {NULL, 0};

		if (deploy_runs_done(v->o.runs, v->config->apps[i].name, LOOK_BACK, &list, &e) < 0)
			log_warning("verdicts of deploys: %s", e.msg);
		for (size_t k = 0; k < list.n; k++)
			add(v, list.deploys[k]);
		deploy_list_done(&list);
	}
	v->look_back = false;
}

/* What else happened to the app around this deploy. */
struct neighbours {
	int64_t previous_ms, next_ms;
	bool newer; /* one that serves now, or is under way: nothing is put back */
};

static bool changed_what_serves(const json_t *run, enum deploy_state s)
{
	enum deploy_strategy strategy = DEPLOY_START_FIRST;

	(void)deploy_strategy_find(json_view_text(run, "strategy"), &strategy);
	return s == DEPLOY_DONE || s == DEPLOY_ROLLED_BACK || s == DEPLOY_BROKEN ||
	       deploy_state_touches(s, strategy);
}

static void look_at(struct neighbours *n, const struct deploy *d, const json_t *run)
{
	int64_t id = json_view_int(run, "id"), started_ms = json_view_int(run, "started_ms");
	enum deploy_state s;

	if (id == d->id || deploy_state_find(json_view_text(run, "state"), &s) < 0)
		return;
	if (id > d->id && (s == DEPLOY_DONE || !deploy_state_is_end(s)))
		n->newer = true;
	if (!changed_what_serves(run, s))
		return;
	if (id < d->id && json_view_int(run, "ended_ms") > n->previous_ms)
		n->previous_ms = json_view_int(run, "ended_ms");
	if (id > d->id && (!n->next_ms || started_ms < n->next_ms))
		n->next_ms = started_ms;
}

static int find_neighbours(
	struct deploy_verdicts *v, const struct deploy *d, struct neighbours *out, struct err *e)
{
	const struct deploy_runs_query q = {.app = d->app, .limit = NEIGHBOURS};
	json_t *list = NULL;
	const json_t *run;
	size_t i;
	int r = deploy_runs_list(v->o.runs, &q, &list, e);

	*out = (struct neighbours){0, 0, false};
	json_array_foreach(list, i, run) look_at(out, d, run);
	json_decref(list);
	return r;
}

static void judge(struct deploy_verdicts *v, const struct deploy *d, const struct neighbours *n,
	struct deploy_verdict *out)
{
	const struct deploy_app *a = deploy_config_app(v->config, d->app);
	struct deploy_verdict_times t =
		deploy_verdict_times(d, after_ms(v), n->previous_ms, n->next_ms);
	struct deploy_verdict_data data;
	struct deploy_verdict_input in = {
		.is_first = !deploy_has_old(d),
		.was_cut = t.was_cut,
		.cpu_limit_percent = a ? a->rollback_cpu_percent : 0,
		.memory_limit_percent = a ? a->rollback_memory_percent : 0,
	};

	deploy_verdict_read(&v->o, d, &t, &data);
	for (size_t f = 0; f < DEPLOY_VERDICT_FIGURES; f++) {
		in.before[f] = (struct deploy_verdict_values){data.values[0][f], data.n[0][f], 0};
		in.after[f] = (struct deploy_verdict_values){data.values[1][f], data.n[1][f], 0};
	}
	deploy_verdict_judge(&in, out);
	deploy_verdict_data_done(&data);
}

/* One that went back already is not turned round again. */
static bool puts_back(
	const struct deploy *d, const struct neighbours *n, const struct deploy_verdict *verdict)
{
	return *verdict->over_limit && !d->rollback_of && deploy_has_old(d) && !n->newer;
}

static void put_back(
	struct deploy_verdicts *v, const struct deploy *d, const struct deploy_verdict *verdict)
{
	_cleanup_(free_p) char *by =
		str_format("the verdict on deploy %" PRId64 ": %s", d->id, verdict->over_limit);
	struct err e;

	if (v->o.rollback(v->o.user, d->app, by, &e) < 0)
		log_warning("deploy %" PRId64 " of %s: %s, but the version before could not be put "
			    "back: %s",
			d->id, d->app, verdict->over_limit, e.msg);
}

static void tell(struct deploy_verdicts *v, const struct deploy *d,
	const struct deploy_verdict *verdict, bool rolls_back)
{
	struct event *ev = deploy_verdict_event(d, verdict, rolls_back);
	struct err e;

	if (ev && v->o.on_event(v->o.user, ev, &e) < 0)
		log_warning(
			"the verdict on deploy %" PRId64 " is told to nobody: %s", d->id, e.msg);
}

/* Written before it is told or anything is done: a crash neither repeats a message nor turns a version round twice. */
static int give(struct deploy_verdicts *v, struct deploy *d, struct err *e)
{
	struct deploy_verdict verdict;
	struct neighbours n;
	bool rolls_back;
	int r = find_neighbours(v, d, &n, e);

	if (r < 0)
		return r;
	judge(v, d, &n, &verdict);
	d->verdict_ms = clock_wall_ms();
	(void)str_copy(d->verdict_grade, sizeof(d->verdict_grade),
		deploy_verdict_grade_name(verdict.grade));
	(void)str_copy(d->verdict, sizeof(d->verdict), verdict.text);
	r = deploy_runs_store(v->o.runs, d, e);
	if (r < 0)
		return r;
	rolls_back = puts_back(d, &n, &verdict);
	v->o.on_change(v->o.user, d);
	tell(v, d, &verdict, rolls_back);
	if (rolls_back)
		put_back(v, d, &verdict);
	return 0;
}

/* Whether it is settled. */
static bool settle(struct deploy_verdicts *v, int64_t id)
{
	_cleanup_(deploy_free_p) struct deploy *d = NULL;
	struct err e;
	int r = deploy_runs_get(v->o.runs, id, &d, &e);

	if (r == 0 && !d->verdict_ms)
		r = give(v, d, &e);
	if (r < 0)
		log_warning("the verdict on deploy %" PRId64 ": %s", id, e.msg);
	return r == 0 || r == -ENOENT;
}

static void arm(struct deploy_verdicts *v)
{
	int64_t now_ms = clock_wall_ms(), wait_ms = AGAIN_MS;

	if (!v->n_due) {
		loop_timer_stop(v->timer);
		return;
	}
	for (size_t i = 0; i < v->n_due; i++)
		if (v->due[i].due_ms - now_ms < wait_ms)
			wait_ms = v->due[i].due_ms - now_ms;
	loop_timer_after(v->timer, wait_ms > 0 ? wait_ms : 0);
}

/* One a turn: others want their turn too. */
static void on_timer(void *user)
{
	struct deploy_verdicts *v = user;
	int64_t now_ms = clock_wall_ms();

	if (v->look_back)
		look_back(v);
	for (size_t i = 0; i < v->n_due; i++) {
		struct due one = v->due[i];

		if (one.due_ms > now_ms)
			continue;
		v->due[i] = v->due[--v->n_due];
		if (!settle(v, one.id)) {
			one.due_ms = now_ms + AGAIN_MS;
			v->due[v->n_due++] = one;
		}
		break;
	}
	arm(v);
}

struct deploy_verdicts *deploy_verdicts_new(
	const struct deploy_verdicts_options *o, const struct deploy_config *c)
{
	struct deploy_verdicts *v = calloc(1, sizeof(*v));

	if (!v)
		abort();
	v->o = *o;
	v->timer = loop_timer_new(o->loop, on_timer, v);
	deploy_verdicts_configure(v, c);
	return v;
}

void deploy_verdicts_free(struct deploy_verdicts *v)
{
	if (!v)
		return;
	loop_timer_free(v->timer);
	free(v);
}

void deploy_verdicts_configure(struct deploy_verdicts *v, const struct deploy_config *c)
{
	v->config = c;
	v->look_back = true;
	loop_timer_after(v->timer, 0);
}

void deploy_verdicts_ended(struct deploy_verdicts *v, const struct deploy *d)
{
	add(v, d);
	arm(v);
}
