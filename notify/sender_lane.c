/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/sender_lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "notify/sender_impl.h"
#include "notify/sender_outcome.h"
#include "notify/sender_trouble.h"

enum {
	/* The longest sleep: the clock may be set forward meanwhile. */
	LOOK_AGAIN_MS = 60 * 1000,
	/* No provider is believed for longer, and no clock. */
	NOT_BEFORE_MAX_MS = 24 * 3600 * 1000,
	READ_AGAIN_MS = 10 * 1000,
	/* In quiet hours each look goes over all that is held: once for all that comes in a second. */
	QUIET_LOOK_MS = 1000,
};

static void go_on(struct lane *l);

static void on_timer(void *user)
{
	struct lane *l = user;

	if (l->phase == LANE_PICTURE) {
		l->sender->o.pictures->cancel(l->picture);
		l->picture = NULL;
		lane_send(l, NULL, 0);
		return;
	}
	go_on(l);
}

/* Says what the lane does, and wakes it then; 0: when something comes. */
void lane_wait(struct lane *l, const char *doing, int64_t until_ms, int64_t now_ms)
{
	int64_t wait = until_ms - now_ms;

	if (l->doing != doing)
		sender_changed(l->sender);
	l->doing = doing;
	l->next_ms = until_ms;
	if (until_ms)
		loop_timer_after(l->timer, wait < 0               ? 0
					   : wait < LOOK_AGAIN_MS ? wait
								  : LOOK_AGAIN_MS);
	else
		loop_timer_stop(l->timer);
}

/* The memory is about the address it was learnt for. */
static void check_memory(struct lane *l)
{
	char of[sizeof(l->state.memory_of)];

	(void)str_copy(of, sizeof(of), l->channel.n_to ? l->channel.to[0] : "");
	if (strcmp(of, l->state.memory_of) != 0)
		memset(&l->state.memory, 0, sizeof(l->state.memory));
	(void)str_copy(l->state.memory_of, sizeof(l->state.memory_of), of);
}

struct lane *lane_new(struct sender *s, const struct channel *c)
{
	struct lane *l = calloc(1, sizeof(*l));
	struct err e = {""};

	if (!l)
		abort();
	l->sender = s;
	l->name = str_dup(c->name);
	l->channel = *c;
	l->doing = "idle";
	l->timer = loop_timer_new(s->o.loop, on_timer, l);
	if (spool_load_channel(s->o.spool, c->name, &l->state, &e) < 0)
		trouble_database(l, &e);
	check_memory(l);
	return l;
}

static void stop(struct lane *l)
{
	transport_cancel(l->call);
	l->call = NULL;
	if (l->picture)
		l->sender->o.pictures->cancel(l->picture);
	l->picture = NULL;
	if (l->phase == LANE_SETTLING)
		return;
	batch_done(&l->batch);
	l->phase = LANE_READY;
	l->plain = false;
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	stop(l);
	if (l->phase == LANE_SETTLING)
		lane_settle(l);
	batch_done(&l->batch);
	loop_timer_free(l->timer);
	free(l->name);
	free(l);
}

void lane_configure(struct lane *l, const struct channel *c)
{
	stop(l);
	l->channel = *c;
	l->limit = 0;
	check_memory(l);
	lane_hurry(l);
}

void lane_hurry(struct lane *l)
{
	l->retry_ms = 0;
	l->broken = false;
	if (l->phase == LANE_READY)
		l->next_ms = 0;
}

void lane_shift(struct lane *l, int64_t by_ms)
{
	if (l->state.not_before_ms)
		l->state.not_before_ms += by_ms;
	if (l->retry_ms)
		l->retry_ms += by_ms;
	if (l->next_ms)
		l->next_ms += by_ms;
}

bool lane_remember(struct lane *l, const struct channel_memory *m)
{
	if (!m->to[0] || strcmp(m->to, l->state.memory.to) == 0)
		return false;
	l->state.memory = *m;
	return true;
}

/* What quiet hours let through; all of it outside of them, when *end_ms is 0. */
static enum severity passing(const struct lane *l, int64_t now_ms, int64_t *end_ms)
{
	int s = SEVERITY_INFO;

	*end_ms = 0;
	for (; s <= SEVERITY_CRITICAL; s++) {
		int64_t until = channel_quiet_until(&l->channel, (enum severity)s, now_ms);

		if (!until)
			break;
		if (!*end_ms || until * 1000 < *end_ms)
			*end_ms = until * 1000;
	}
	return (enum severity)s;
}

/* Nothing that may go waits. */
static void rest(struct lane *l, int64_t quiet_end_ms, int64_t now_ms)
{
	uint64_t held = 0;
	int64_t oldest;

	if (quiet_end_ms)
		(void)spool_count_waiting(l->sender->o.spool, l->name, &held, &oldest, NULL);
	l->looked_ms = now_ms;
	if (held)
		lane_wait(l, "quiet", quiet_end_ms, now_ms);
	else
		lane_wait(l, l->broken ? "broken" : "idle", 0, now_ms);
}

/* Until when the channel must be left alone; a time no one can mean is forgotten. */
static int64_t blocked_until(struct lane *l, int64_t now_ms)
{
	if (l->state.not_before_ms > now_ms + NOT_BEFORE_MAX_MS)
		l->state.not_before_ms = 0;
	if (l->retry_ms > now_ms + NOT_BEFORE_MAX_MS)
		l->retry_ms = 0;
	return l->state.not_before_ms > l->retry_ms ? l->state.not_before_ms : l->retry_ms;
}

static int64_t group_until(
	const struct lane *l, const struct spool_delivery *oldest, int64_t now_ms)
{
	if (l->channel.type->flags & (CHANNEL_EACH | CHANNEL_BATCH))
		return 0;
	/* Made by a clock that was set back since. */
	if (oldest->time_ms > now_ms)
		return 0;
	return oldest->time_ms + l->channel.group_ms;
}

unsigned lane_per_minute(const struct lane *l)
{
	return l->channel.per_minute ? l->channel.per_minute : l->channel.type->per_minute;
}

static unsigned burst(const struct lane *l)
{
	if (!(l->channel.type->flags & (CHANNEL_EACH | CHANNEL_BATCH)))
		return PACE_BURST;
	return lane_per_minute(l) > PACE_BURST ? lane_per_minute(l) : PACE_BURST;
}

/* Whether the oldest may go now; else it waits, and says for what. */
static bool may_go(struct lane *l, const struct spool_delivery *oldest, int64_t now_ms)
{
	int64_t until = blocked_until(l, now_ms);

	if (until > now_ms) {
		lane_wait(l, l->broken ? "broken" : "waiting", until, now_ms);
		return false;
	}
	until = group_until(l, oldest, now_ms);
	if (until > now_ms) {
		lane_wait(l, "grouping", until, now_ms);
		return false;
	}
	until = now_ms + pace_wait_ms(&l->pace, lane_per_minute(l), burst(l), now_ms);
	if (until > now_ms) {
		lane_wait(l, "rate", until, now_ms);
		return false;
	}
	return true;
}

static void on_picture(void *user, const char *png, size_t len)
{
	struct lane *l = user;

	l->picture = NULL;
	lane_send(l, png, len);
}

/* The message is sent when the picture is there. Returns whether there is to be one. */
static bool draw(struct lane *l)
{
	const struct picture_source *p = l->sender->o.pictures;
	const struct event_chart *chart = batch_chart(&l->batch);

	if (!p || !chart || !l->channel.pictures || !(l->channel.type->flags & CHANNEL_PICTURES))
		return false;
	l->picture = p->start(p->self, chart, on_picture, l);
	if (!l->picture)
		return false;
	l->phase = LANE_PICTURE;
	lane_wait(l, "sending", 0, 0);
	loop_timer_after(l->timer, CHANNEL_PICTURE_MS);
	return true;
}

static void cannot_read(struct lane *l, const struct err *e, int64_t now_ms)
{
	batch_done(&l->batch);
	trouble_database(l, e);
	lane_wait(l, "waiting", now_ms + READ_AGAIN_MS, now_ms);
}

static void begin(struct lane *l, enum severity from, int64_t now_ms)
{
	struct sender *s = l->sender;
	struct err e = {""};
	int r = batch_take(&l->batch, s->o.spool, &l->channel, from,
		l->limit ? l->limit : SPOOL_BATCH_MAX, &e);

	if (r > 0)
		r = batch_load(&l->batch, s->o.spool, &e);
	if (r == -ENOENT)
		lane_refused(l, e.msg);
	else if (r < 0)
		cannot_read(l, &e, now_ms);
	else if (l->batch.n && !draw(l))
		lane_send(l, NULL, 0);
}

static void look(struct lane *l)
{
	int64_t now_ms = sender_now(l->sender), quiet_end_ms;
	enum severity from = passing(l, now_ms, &quiet_end_ms);
	struct spool_delivery oldest;
	struct err e = {""};
	int r = spool_waiting(l->sender->o.spool, l->name, from, &oldest, 1, &e);

	if (r < 0)
		cannot_read(l, &e, now_ms);
	else if (r == 0)
		rest(l, quiet_end_ms, now_ms);
	else if (may_go(l, &oldest, now_ms))
		begin(l, from, now_ms);
}

/* New events change nothing about a wait, but for quiet hours, which they may pass. */
static bool waits(const struct lane *l, int64_t now_ms)
{
	return l->next_ms > now_ms && strcmp(l->doing, "quiet") != 0;
}

static bool looked_just_now(const struct lane *l, int64_t now_ms)
{
	return l->phase == LANE_READY && l->next_ms > now_ms && now_ms >= l->looked_ms &&
	       now_ms < l->looked_ms + QUIET_LOOK_MS;
}

static void go_on(struct lane *l)
{
	int64_t now_ms = sender_now(l->sender);

	if (l->phase == LANE_PICTURE || l->phase == LANE_SENDING)
		return;
	if (waits(l, now_ms))
		lane_wait(l, l->doing, l->next_ms, now_ms);
	else if (looked_just_now(l, now_ms))
		loop_timer_after(l->timer, QUIET_LOOK_MS);
	else if (l->phase == LANE_SETTLING)
		lane_settle(l);
	else
		look(l);
}

void lane_pump(struct lane *l)
{
	go_on(l);
}

void lane_expire(struct lane *l)
{
	int64_t now_ms = sender_now(l->sender);
	struct err e = {""};
	int n;

	trouble_forget(l, now_ms);
	if (l->batch.n)
		return; /* what is under way may yet arrive */
	n = spool_expire(l->sender->o.spool, l->name, now_ms, &e);
	if (n < 0)
		trouble_database(l, &e);
	if (n <= 0)
		return;
	log_warning("channel \"%s\": given up: %d", l->name, n);
	l->given_up += (uint64_t)n;
	trouble_failing(l);
	sender_changed(l->sender);
}

void lane_retire(struct lane *l)
{
	stop(l);
	trouble_gone(l);
}
