/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploys_internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "deploy-hooks/queue.h"

struct deploys_work *deploys_work_make(struct deploys *s, struct deploy *d)
{
	struct deploys_work *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->deploys = s;
	w->d = d;
	w->timer = loop_timer_new(s->o.loop, deploys_on_timer, w);
	w->news = loop_timer_new(s->o.loop, deploys_on_news, w);
	return w;
}

struct deploys_work *deploys_work_new(struct deploys *s, struct deploy *d)
{
	struct deploys_work *w = deploys_work_make(s, d), **at = &s->works;

	while (*at && (*at)->d->id < d->id)
		at = &(*at)->next;
	w->next = *at;
	*at = w;
	return w;
}

void deploys_work_free(struct deploys_work *w)
{
	struct deploys_work **at = &w->deploys->works;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	deploys_abandon_hooks(w);
	loop_timer_free(w->timer);
	loop_timer_free(w->news);
	deploy_log_close(w->log);
	deploy_free(w->previous);
	deploy_free(w->d);
	free(w->cancelled_by);
	for (struct deploys_waiter *x = w->waiters, *next; x; x = next) {
		next = x->next;
		free(x);
	}
	free(w);
}

struct deploys_work *deploys_find(const struct deploys *s, int64_t id)
{
	for (struct deploys_work *w = s->works; w; w = w->next)
		if (w->d->id == id)
			return w;
	return NULL;
}

const struct deploy **deploys_open_records(const struct deploys *s, size_t *n)
{
	const struct deploy **list;
	size_t max = 1;

	for (const struct deploys_work *w = s->works; w; w = w->next)
		max++;
	list = calloc(max, sizeof(*list));
	if (!list)
		abort();
	*n = 0;
	for (const struct deploys_work *w = s->works; w; w = w->next)
		if (!deploy_state_is_end(w->d->state))
			list[(*n)++] = w->d;
	return list;
}

/* NULL when it may begin; else it waits for that. */
static bool has_room(struct deploys *s, struct deploys_work *w)
{
	int64_t disk = INT64_MAX, memory = INT64_MAX;
	char free_text[32], need_text[32];
	const char *what;

	*w->waits_for = '\0';
	if (w->d->rollback_of || !s->o.room)
		return true;
	s->o.room(s->o.user, &disk, &memory);
	if (disk < s->config->disk_free_bytes) {
		what = "disk";
		str_human_bytes(free_text, sizeof(free_text), (double)disk);
		str_human_bytes(need_text, sizeof(need_text), (double)s->config->disk_free_bytes);
	} else if (memory == 0) {
		(void)str_copy(w->waits_for, sizeof(w->waits_for),
			"memory: programs stand still for want of it");
		return false;
	} else if (memory < s->config->memory_free_bytes) {
		what = "memory";
		str_human_bytes(free_text, sizeof(free_text), (double)memory);
		str_human_bytes(need_text, sizeof(need_text), (double)s->config->memory_free_bytes);
	} else {
		return true;
	}
	(void)snprintf(w->waits_for, sizeof(w->waits_for), "%s: %s are free, a build needs %s",
		what, free_text, need_text);
	return false;
}

static void give_up_waiting(struct deploys_work *w, const char *why)
{
	struct deploys *s = w->deploys;
	struct err e = {""};

	(void)str_copy(w->d->error, sizeof(w->d->error), why);
	deploy_end(w->d, DEPLOY_CANCELLED, clock_wall_ms());
	if (deploy_runs_store(s->runs, w->d, &e) < 0)
		log_warning("deploy %lld: %s", (long long)w->d->id, e.msg);
	deploys_ended(w);
}

/* Those whose app is gone from the configuration do not wait for ever. */
static void drop_orphans(struct deploys *s)
{
	for (struct deploys_work *w = s->works, *next; w; w = next) {
		next = w->next;
		if (w->d->state == DEPLOY_QUEUED && !w->uncommitted && !deploys_app_of(w))
			give_up_waiting(w, "the app is no longer in the configuration");
	}
}

/* `w` may be gone then. */
static void begin(struct deploys_work *w)
{
	struct deploys *s = w->deploys;
	const struct deploy_app *a = deploys_app_of(w);

	deploy_free(w->previous);
	w->previous = deploys_serving(s, w->d->app);
	memset(&w->d->old, 0, sizeof(w->d->old));
	if (w->previous)
		w->d->old = w->previous->new;
	w->d->strategy = a->strategy;
	w->d->watch_ms = a->watch_ms;
	w->d->drain_ms = a->drain_ms;
	deploys_event(w, MACHINE_BEGIN, NULL);
}

static bool nothing_found_is_left(const struct deploys *s)
{
	for (const struct deploys_work *w = s->works; w; w = w->next)
		if (w->found)
			return false;
	return true;
}

/* The next that may begin: who waits for room holds up nobody who needs none. NULL: none. */
static struct deploys_work *next_to_begin(struct deploys *s)
{
	size_t n;
	_cleanup_(free_p) const struct deploy **open = deploys_open_records(s, &n);
	const struct deploy *d;

	while ((d = queue_next(open, n, s->config->max_builds))) {
		struct deploys_work *w = deploys_find(s, d->id);
		size_t i = 0;

		if (!w->uncommitted && !deploys_is_restoring(s, d->app) && has_room(s, w))
			return w;
		while (open[i] != d)
			i++;
		memmove(open + i, open + i + 1, (n - i - 1) * sizeof(*open));
		n--;
	}
	return NULL;
}

static void on_kick(void *user)
{
	struct deploys *s = user;
	struct deploys_work *w;

	if (!s->swept || s->closing || !nothing_found_is_left(s))
		return;
	drop_orphans(s);
	while ((w = next_to_begin(s)))
		begin(w);
}

static void on_tick(void *user)
{
	struct deploys *s = user;

	for (struct deploys_work *w = s->works, *next; w; w = next) {
		next = w->next;
		if (w->uncommitted)
			deploys_commit_again(w);
	}
	deploys_kick(s);
	if (s->works)
		loop_timer_after(s->tick, DEPLOYS_TICK_MS);
}

void deploys_kick(struct deploys *s)
{
	loop_timer_after(s->kick, 0);
	if (s->works && !loop_timer_is_running(s->tick))
		loop_timer_after(s->tick, DEPLOYS_TICK_MS);
}

static int load_open_ones(struct deploys *s, struct err *e)
{
	struct deploy_list open = {NULL, 0};
	int r = deploy_runs_open_ones(s->runs, &open, e);

	for (size_t i = 0; r == 0 && i < open.n; i++) {
		struct deploy *d = NULL;
		struct deploys_work *w;

		r = deploy_runs_get(s->runs, open.deploys[i]->id, &d, e); /* with its document */
		if (r < 0)
			break;
		w = deploys_work_new(s, d);
		w->found = d->state != DEPLOY_QUEUED;
	}
	deploy_list_done(&open);
	return r;
}

int deploys_new(const struct deploys_options *o, const struct deploy_config *c,
	struct deploys **out, struct err *e)
{
	struct deploys *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		abort();
	s->o = *o;
	s->config = c;
	s->tick = loop_timer_new(o->loop, on_tick, s);
	s->kick = loop_timer_new(o->loop, on_kick, s);
	r = deploy_runs_open(o->db, &s->runs, e);
	if (r == 0)
		r = load_open_ones(s, e);
	if (r < 0) {
		deploys_free(s);
		return r;
	}
	deploys_recover_begin(s);
	*out = s;
	return 0;
}

void deploys_free(struct deploys *s)
{
	if (!s)
		return;
	s->closing = true;
	deploys_restore_end(s);
	while (s->works)
		deploys_work_free(s->works);
	deploys_removals_end(s);
	loop_timer_free(s->tick);
	loop_timer_free(s->kick);
	loop_timer_free(s->sweep);
	deploy_runs_free(s->runs);
	free(s);
}

void deploys_configure(struct deploys *s, const struct deploy_config *c)
{
	s->config = c;
	deploys_kick(s);
}

size_t deploys_running(const struct deploys *s)
{
	size_t n = 0;

	for (const struct deploys_work *w = s->works; w; w = w->next)
		n += w->d->state != DEPLOY_QUEUED && !deploy_state_is_end(w->d->state);
	return n;
}

bool deploys_is_swapping(const struct deploys *s, const char *app)
{
	for (const struct deploys_work *w = s->works; w; w = w->next)
		if (strcmp(w->d->app, app) == 0 && w->d->state >= DEPLOY_STOPPING)
			return true;
	return false;
}

char *deploys_log_path(const struct deploys *s, const char *app, int64_t id)
{
	_cleanup_(free_p) char *name = str_format("%lld.log", (long long)id);

	return deploys_path(s, app, name);
}
