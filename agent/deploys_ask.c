/* SPDX-License-Identifier: Apache-2.0
 *
 * What people and webhooks ask of deploys: a new one, a return, an end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploys_internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "deploy-hooks/delivery.h"
#include "deploy-hooks/queue.h"

/* Writes both rows, and takes the new one into the queue. */
static int add(struct deploys *s, struct deploy *d, struct deploys_work *superseded,
	struct deploys_accepted *out, struct err *e)
{
	struct deploy *old = superseded ? superseded->d : NULL;
	struct deploys_work *w;
	int r;

	if (old)
		deploy_end(old, DEPLOY_SUPERSEDED, d->queued_ms);
	r = deploy_runs_add(s->runs, d, old, e);
	if (r < 0) {
		if (old) {
			old->state = DEPLOY_QUEUED;
			old->ended_ms = 0;
		}
		return r;
	}
	w = deploys_work_new(s, d);
	*out = (struct deploys_accepted){DEPLOYS_QUEUED, d->id, superseded ? superseded->d->id : 0};
	if (s->o.on_change)
		s->o.on_change(s->o.user, w->d);
	if (superseded)
		deploys_ended(superseded);
	deploys_kick(s);
	return 0;
}

static int accept_one(
	struct deploys *s, struct deploy *d, struct deploys_accepted *out, struct err *e)
{
	struct deploy_list alike = {NULL, 0};
	const struct deploy *which = NULL;
	struct deploys_work *superseded = NULL;
	enum queue_verdict v;
	int r = deploy_runs_alike(s->runs, d, d->queued_ms, &alike, e);

	if (r < 0)
		return r;
	v = queue_judge((const struct deploy *const *)alike.deploys, alike.n, d,
		DEPLOYS_WAITING_MAX, &which);
	if (v == QUEUE_SUPERSEDE)
		superseded = deploys_find(s, which->id);
	if (superseded)
		queue_take_over(d, superseded->d);
	if (v == QUEUE_DUPLICATE) {
		*out = (struct deploys_accepted){DEPLOYS_DUPLICATE, which->id, 0};
		r = 1;
	} else if (v == QUEUE_FULL) {
		r = err_set(
			e, EAGAIN, "%d deploys wait already; ask again later", DEPLOYS_WAITING_MAX);
	}
	deploy_list_done(&alike);
	return r != 0 ? r : add(s, d, superseded, out, e);
}

/* 1: it is a duplicate; else as deploys_accept(). */
static int check_and_accept(
	struct deploys *s, struct deploy *d, struct deploys_accepted *out, struct err *e)
{
	const struct deploy_app *a;
	int r = deploy_config_find(s->config, d->app, &a, e);

	if (r < 0)
		return r;
	if (s->closing)
		return err_set(e, EAGAIN, "the agent is stopping");
	d->queued_ms = clock_wall_ms();
	/* Only registries and people name images; what is built has a source. */
	if (!*d->ref && !*d->new.image && !a->source)
		return err_set(e, EINVAL,
			"app %s has no source: set apps.%s.source, or deploy an image", a->name,
			a->name);
	return accept_one(s, d, out, e);
}

int deploys_accept(struct deploys *s, struct deploy *d, struct deploys_accepted *out, struct err *e)
{
	int r = check_and_accept(s, d, out, e);

	if (r != 0)
		deploy_free(d);
	return r < 0 ? r : 0;
}

static struct deploy *by_hand(const char *app, const char *trigger, const char *by)
{
	struct deploy *d = deploy_new(app);

	(void)str_copy(d->trigger, sizeof(d->trigger), trigger);
	delivery_text(d->by, sizeof(d->by), by ? by : "", by ? strlen(by) : 0);
	return d;
}

/* "main" is a branch, "v1.2" is one too: tags are named whole, refs/tags/v1.2. */
static int set_ref(struct deploy *d, const char *ref, struct err *e)
{
	_cleanup_(free_p) char *whole =
		str_starts(ref, "refs/") ? str_dup(ref) : str_format("refs/heads/%s", ref);

	if (!delivery_ref_is_valid(whole))
		return err_set(e, EINVAL,
			"\"%s\" is no branch or tag: give main, refs/heads/main or "
			"refs/tags/v1.2",
			ref);
	(void)str_copy(d->ref, sizeof(d->ref), whole);
	return 0;
}

static int set_image(struct deploy *d, const char *image, struct err *e)
{
	if (!*image || *image == '-' ||
		strspn(image, "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "0123456789._-/:@+") != strlen(image))
		return err_set(e, EINVAL, "\"%s\" is no name of an image", image);
	if (!str_copy(d->new.image, sizeof(d->new.image), image))
		return err_set(e, EINVAL, "the name of the image is too long");
	return 0;
}

static int set_what(struct deploy *d, const struct deploy_app *a, const struct deploys_request *q,
	struct err *e)
{
	if (q->image) {
		if (q->ref || q->commit)
			return err_set(e, EINVAL, "either an image or a ref with its commit");
		return set_image(d, q->image, e);
	}
	if (q->commit && !delivery_commit_is_valid(q->commit))
		return err_set(e, EINVAL, "\"%s\" is no commit: all 40 digits of it, in lower case",
			q->commit);
	if (q->commit)
		(void)str_copy(d->commit, sizeof(d->commit), q->commit);
	if (!a->source && !q->ref)
		return 0;
	return set_ref(d, q->ref ? q->ref : a->branch, e);
}

int deploys_start(struct deploys *s, const struct deploys_request *q, struct deploys_accepted *out,
	struct err *e)
{
	const struct deploy_app *a;
	struct deploy *d;
	int r = deploy_config_find(s->config, q->app, &a, e);

	if (r < 0)
		return r;
	d = by_hand(a->name, q->trigger, q->by);
	r = set_what(d, a, q, e);
	if (r < 0) {
		deploy_free(d);
		return r;
	}
	return deploys_accept(s, d, out, e);
}

/* The deploy that made the version which `d` is of. */
static int64_t origin_of(const struct deploy *d)
{
	return d->rollback_of ? d->rollback_of : d->id;
}

/* Of those that are done, newest first. */
static const struct deploy *version_before(const struct deploy_list *l, int64_t origin)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->deploys[i]->rollback_of && l->deploys[i]->id < origin)
			return l->deploys[i];
	return NULL;
}

static const struct deploy *version_of(const struct deploy_list *l, int64_t id)
{
	int64_t origin = id;

	for (size_t i = 0; i < l->n; i++)
		if (l->deploys[i]->id == id)
			origin = origin_of(l->deploys[i]);
	for (size_t i = 0; i < l->n; i++)
		if (l->deploys[i]->id == origin)
			return l->deploys[i];
	return NULL;
}

static int choose_version(const struct deploy_list *l, const char *app, int64_t to,
	const struct deploy **out, struct err *e)
{
	if (!l->n)
		return err_set(
			e, ENOENT, "no deploy of %s is done: there is nothing to go back to", app);
	*out = to ? version_of(l, to) : version_before(l, origin_of(l->deploys[0]));
	if (!*out && to)
		return err_set(e, ENOENT,
			"deploy %lld is not one of %s that is done (see agent deploy list %s)",
			(long long)to, app, app);
	if (!*out)
		return err_set(e, ENOENT, "%s has no version before the one that serves", app);
	if (origin_of(l->deploys[0]) == (*out)->id)
		return err_set(e, EINVAL, "the version of deploy %lld serves already",
			(long long)(*out)->id);
	return 0;
}

int deploys_rollback(struct deploys *s, const char *app, int64_t to, const char *by,
	const char *trigger, struct deploys_accepted *out, struct err *e)
{
	struct deploy_list done = {NULL, 0};
	const struct deploy_app *a;
	const struct deploy *version = NULL;
	struct deploy *d = NULL;
	int r = deploy_config_find(s->config, app, &a, e);

	if (r == 0)
		r = deploy_runs_done(s->runs, a->name, DEPLOY_RUNS_DONE_KEPT, &done, e);
	if (r == 0)
		r = choose_version(&done, a->name, to, &version, e);
	if (r == 0) {
		d = by_hand(a->name, trigger, by);
		d->rollback_of = version->id;
		d->new = version->new;
		(void)str_copy(d->ref, sizeof(d->ref), version->ref);
		(void)str_copy(d->commit, sizeof(d->commit), version->commit);
		(void)str_copy(d->author, sizeof(d->author), version->author);
		(void)str_copy(d->subject, sizeof(d->subject), version->subject);
	}
	deploy_list_done(&done);
	return r < 0 ? r : deploys_accept(s, d, out, e);
}

static void add_waiter(struct deploys_work *w, deploys_done_fn done, void *user)
{
	struct deploys_waiter *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	*x = (struct deploys_waiter){done, user, w->waiters};
	w->waiters = x;
}

static int cancel_waiting(struct deploys_work *w, const char *why, struct err *e)
{
	struct deploys *s = w->deploys;
	int r;

	(void)str_copy(w->d->error, sizeof(w->d->error), why);
	deploy_end(w->d, DEPLOY_CANCELLED, clock_wall_ms());
	r = deploy_runs_store(s->runs, w->d, e);
	if (r < 0) {
		w->d->state = DEPLOY_QUEUED;
		w->d->ended_ms = 0;
		return r;
	}
	deploys_ended(w);
	return DEPLOYS_CANCELLED;
}

int deploys_cancel(struct deploys *s, int64_t id, const char *by, deploys_done_fn done, void *user,
	struct err *e)
{
	struct deploys_work *w = deploys_find(s, id);
	_cleanup_(free_p) char *why = str_format("cancelled by %s", by);

	if (!w || deploy_state_is_end(w->d->state))
		return err_set(e, ENOENT, "no deploy %lld waits or is under way", (long long)id);
	if (w->d->state == DEPLOY_QUEUED && !w->uncommitted)
		return cancel_waiting(w, why, e);
	if (!machine_can_cancel(w->d))
		return err_set(e, EALREADY, "deploy %lld is %s: that is finished first",
			(long long)id, deploy_state_name(w->d->state));
	add_waiter(w, done, user);
	if (w->cancelled_by)
		return 0;
	w->cancelled_by = TAKE_PTR(why);
	if (w->hooks.run)
		deploys_stop_hooks(w);
	else if (!w->recovering && !w->found && !w->uncommitted)
		loop_timer_after(w->timer, 0); /* `done` is not called from in here */
	return 0;
}
