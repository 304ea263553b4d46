/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/container_oom.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

enum {
	/* v1 announces before it kills: the count is looked at again, this often. */
	CHECK_AGAIN_MS = 20,
	CHECKS_MAX = 25,
	/* A cgroup that touches its limit all the time is announced up to 100 times a second.
	 * One that did so this often is watched again from the next sample on. */
	ANNOUNCED_MAX = 500,
};

/* Within this time the kernel announces that a cgroup of v1 was removed. */
static const int64_t removal_ns = 500000000;

struct container_oom {
	struct cgroup_oom *oom; /* NULL: none */
	struct loop_timer *timer;
	struct cgroup_reader *reader;
	struct container_table *table;
};

static bool is_v2(const struct container_oom *o)
{
	return o->reader->tree->mode == CGROUP_MODE_V2;
}

static bool exists(const struct container_oom *o, const struct container_item *item)
{
	return faccessat(cgroup_tree_walk_fd(o->reader->tree), item->cgroup.path, F_OK, 0) == 0;
}

/* True when the question is settled: the count rose, or the cgroup is gone. */
static bool check(struct container_oom *o, struct container_item *item)
{
	double kills;

	if (cgroup_read_oom_kills(o->reader, &item->cgroup, &kills)) {
		if (kills <= item->oom_kills)
			return false;
		item->oom_kills = kills;
		return true;
	}
	/* v2 announces other things too; whether it was a kill only the engine knows then. */
	if (!is_v2(o) && item->oom_uncounted)
		item->oom_kills++;
	else if (!is_v2(o) && !exists(o, item))
		item->oom_kills = fmax(item->oom_kills, 1);
	return true;
}

static void unwatch(struct container_item *item)
{
	if (!item->oom_watch)
		return;
	if (!is_v2(item->oom))
		item->oom->reader->kept--;
	cgroup_oom_remove(item->oom_watch);
	item->oom_watch = NULL;
}

static void announced(void *user, uint64_t signals)
{
	struct container_item *item = user;
	struct container_oom *o = item->oom;

	if (!exists(o, item)) {
		item->oom_signals_after_end += signals;
		return;
	}
	item->oom_announced = !check(o, item) && !is_v2(o);
	if (item->oom_announced) {
		item->oom_checks = 0;
		if (!loop_timer_is_running(o->timer))
			loop_timer_after(o->timer, CHECK_AGAIN_MS);
	}
	if (++item->oom_signals > ANNOUNCED_MAX)
		unwatch(item);
}

static void check_again(void *user)
{
	struct container_oom *o = user;
	bool more = false;

	for (struct container_item *i = o->table->first; i; i = i->next) {
		if (!i->oom_announced || i->ended)
			continue;
		i->oom_announced = !check(o, i) && ++i->oom_checks < CHECKS_MAX;
		more = more || i->oom_announced;
	}
	if (more)
		loop_timer_after(o->timer, CHECK_AGAIN_MS);
}

struct container_oom *container_oom_new(
	struct loop *loop, struct cgroup_reader *reader, struct container_table *table)
{
	struct container_oom *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->reader = reader;
	o->table = table;
	if (loop && cgroup_oom_new(loop, reader->tree, &o->oom, NULL) == 0)
		o->timer = loop_timer_new(loop, check_again, o);
	return o;
}

void container_oom_free(struct container_oom *o)
{
	if (!o)
		return;
	loop_timer_free(o->timer);
	cgroup_oom_free(o->oom);
	free(o);
}

/* An eventfd of v1 is a descriptor of the budget. */
static bool has_budget(const struct container_oom *o)
{
	return is_v2(o) || o->reader->kept < o->reader->kept_max;
}

void container_oom_watch(struct container_oom *o, struct container_item *item)
{
	double kills;

	item->oom_signals = 0;
	if (!o->oom || item->oom_watch || item->oom_tried || !has_budget(o))
		return;
	item->oom = o;
	item->oom_watch = cgroup_oom_add(o->oom, item->cgroup.path, announced, item);
	item->oom_tried = !item->oom_watch;
	if (!item->oom_watch)
		return;
	if (!is_v2(o))
		o->reader->kept++;
	if (cgroup_read_oom_kills(o->reader, &item->cgroup, &kills))
		item->oom_kills = kills;
	else
		item->oom_uncounted = !is_v2(o);
	/* What was killed before this program looked is no news. */
	if (!item->fresh)
		item->oom_shown = item->oom_carried + item->oom_kills;
}

void container_oom_ended(struct container_item *item)
{
	item->ended_ns = clock_mono_ns();
	if (!item->oom_watch)
		return;
	cgroup_oom_drain(item->oom_watch);
	/* One kill may be announced twice: that there was one is all that can be said now. */
	if (item->oom_announced)
		item->oom_kills = fmax(item->oom_kills, 1);
	if (item->oom_announced || is_v2(item->oom))
		unwatch(item);
	item->oom_announced = false;
}

bool container_oom_is_undecided(const struct container_item *item, int64_t now_ns)
{
	return item->oom_watch && item->oom_kills <= 0 && item->oom_signals_after_end == 1 &&
	       now_ns - item->ended_ns < removal_ns;
}

void container_oom_finish(struct container_item *item)
{
	if (!item->oom_watch)
		return;
	cgroup_oom_drain(item->oom_watch);
	if (item->oom_signals_after_end > 1)
		item->oom_kills = fmax(item->oom_kills, 1);
	item->oom_signals_after_end = 0;
	unwatch(item);
}

double container_oom_pending(const struct container_item *item)
{
	return item->oom_carried + item->oom_kills - item->oom_shown;
}

void container_oom_report(struct container_item *item, struct cgroup_numbers *numbers)
{
	double *v = &numbers->v[CGROUP_oom_kills];

	if (!isnan(*v))
		item->oom_kills = fmax(*v, item->oom_kills);
	else if (!item->oom_uncounted)
		return;
	*v = item->oom_carried + item->oom_kills;
	item->oom_shown = *v;
}
