/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/queue.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool waits(const struct deploy *d)
{
	return d->state == DEPLOY_QUEUED;
}

static bool runs(const struct deploy *d)
{
	return !waits(d) && !deploy_state_is_end(d->state);
}

/* Whether it stands for what it was asked for: it will be so, or it is. */
static bool counts(const struct deploy *d)
{
	return !deploy_state_is_end(d->state) || deploy_state_is_good(d->state);
}

/* One delivery may be of several refs, each a deploy. */
static bool is_same_delivery(const struct deploy *a, const struct deploy *b)
{
	return *a->delivery && same(a->delivery, b->delivery) && same(a->provider, b->provider) &&
	       same(a->ref, b->ref) && (*a->ref || same(a->new.image, b->new.image)) &&
	       (counts(a) || a->state == DEPLOY_SUPERSEDED);
}

static bool is_same_content(const struct deploy *a, const struct deploy *b)
{
	if (*b->ref)
		return *b->commit && same(a->commit, b->commit);
	return *b->new.digest &&same(a->new.digest, b->new.digest);
}

/* Deliveries of two pushes may overtake each other. Who goes back to an earlier commit says that it was forced, or comes from
 * the commit that is there. */
static bool comes_late(const struct deploy *newer, const struct deploy *new)
{
	bool is_forced = json_is_true(json_object_get(new->document, "forced"));
	bool is_recent = !deploy_state_is_end(newer->state) ||
			 new->queued_ms - newer->queued_ms < QUEUE_LATE_MS;

	return is_recent && !is_forced &&
	       *new->commit &&*new->before &&same(newer->before, new->commit) &&
	       !same(new->before, newer->commit);
}

static const struct deploy *duplicate(
	const struct deploy *const *deploys, size_t n, const struct deploy *new)
{
	const struct deploy *newest = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct deploy *d = deploys[i];

		if (!same(d->app, new->app))
			continue;
		if (is_same_delivery(d, new))
			return d;
		if (counts(d) && same(d->ref, new->ref) && (!newest || d->id > newest->id))
			newest = d;
	}
	if (newest && (is_same_content(newest, new) || (*new->ref &&comes_late(newest, new))))
		return newest;
	return NULL;
}

enum queue_verdict queue_judge(const struct deploy *const *deploys, size_t n,
	const struct deploy *new, size_t max_waiting, const struct deploy **which)
{
	size_t waiting = 0;
	const struct deploy *d = same(new->trigger, "webhook") ? duplicate(deploys, n, new) : NULL;

	if (d) {
		*which = d;
		return QUEUE_DUPLICATE;
	}
	for (size_t i = 0; i < n; i++) {
		if (!waits(deploys[i]))
			continue;
		if (same(deploys[i]->app, new->app)) {
			*which = deploys[i];
			return QUEUE_SUPERSEDE;
		}
		waiting++;
	}
	return waiting < max_waiting ? QUEUE_ADD : QUEUE_FULL;
}

void queue_take_over(struct deploy *new, const struct deploy *superseded)
{
	if (*new->commit && same(new->ref, superseded->ref) &&
		same(new->before, superseded->commit))
		memcpy(new->before, superseded->before, sizeof(new->before));
}

static bool is_build(const struct deploy *d)
{
	return runs(d) && !d->rollback_of && d->state != DEPLOY_WATCHING &&
	       d->state != DEPLOY_DRAINING;
}

static bool app_is_busy(const struct deploy *const *open, size_t n, const char *app)
{
	for (size_t i = 0; i < n; i++)
		if (runs(open[i]) && same(open[i]->app, app))
			return true;
	return false;
}

const struct deploy *queue_next(const struct deploy *const *open, size_t n, size_t max_builds)
{
	const struct deploy *next = NULL;
	size_t builds = 0;

	for (size_t i = 0; i < n; i++)
		builds += is_build(open[i]);
	for (size_t i = 0; i < n; i++) {
		const struct deploy *d = open[i];

		if (waits(d) && (d->rollback_of || builds < max_builds) &&
			(!next || d->id < next->id) && !app_is_busy(open, n, d->app))
			next = d;
	}
	return next;
}

const struct deploy *queue_newer(const struct deploy *const *open, size_t n, const struct deploy *d)
{
	for (size_t i = 0; i < n; i++)
		if (waits(open[i]) && open[i]->id > d->id && same(open[i]->app, d->app))
			return open[i];
	return NULL;
}

size_t queue_position(const struct deploy *const *open, size_t n, const struct deploy *d)
{
	size_t before = 0;

	if (!waits(d))
		return 0;
	for (size_t i = 0; i < n; i++)
		before += waits(open[i]) && open[i]->id < d->id;
	return before + 1;
}
