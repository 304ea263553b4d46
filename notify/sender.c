/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/sender.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "notify/sender_impl.h"
#include "notify/sender_lane.h"
#include "notify/sender_trouble.h"

/* Less is a clock being trimmed. */
enum { SET_BACK_MS = 1000 };

int sender_new(const struct sender_options *o, struct sender **out, struct err *e)
{
	struct sender *s = calloc(1, sizeof(*s));

	(void)e;
	if (!s)
		abort();
	s->o = *o;
	if (!s->o.now_ms)
		s->o.now_ms = clock_wall_ms;
	s->last_now_ms = s->o.now_ms();
	s->random = (uint32_t)clock_mono_ns() | 1;
	*out = s;
	return 0;
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	sender_end_tests(s, "the agent ends");
	for (size_t i = 0; i < s->n_lanes; i++)
		lane_free(TAKE_PTR(s->lanes[i]));
	free(s->lanes);
	free(s);
}

int64_t sender_now(struct sender *s)
{
	int64_t now_ms = s->o.now_ms();

	if (now_ms < s->last_now_ms - SET_BACK_MS)
		for (size_t i = 0; i < s->n_lanes; i++)
			if (s->lanes[i]) /* not so in the middle of a reload */
				lane_shift(s->lanes[i], now_ms - s->last_now_ms);
	s->last_now_ms = now_ms;
	return now_ms;
}

/* Xorshift (Marsaglia 2003): only spreads waits. */
uint32_t sender_random(struct sender *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 17;
	s->random ^= s->random << 5;
	return s->random;
}

void sender_changed(struct sender *s)
{
	if (s->o.on_change)
		s->o.on_change(s->o.user);
}

struct lane *sender_lane(struct sender *s, const char *channel)
{
	for (size_t i = 0; i < s->n_lanes; i++)
		if (s->lanes[i] && strcmp(s->lanes[i]->name, channel) == 0)
			return s->lanes[i];
	return NULL;
}

/* Takes the lane of that name out of the old list; NULL: there is none. */
static struct lane *take_lane(struct sender *s, const char *name)
{
	for (size_t i = 0; i < s->n_lanes; i++) {
		struct lane *l = s->lanes[i];

		if (!l || strcmp(l->name, name) != 0)
			continue;
		s->lanes[i] = NULL;
		return l;
	}
	return NULL;
}

static void retire_rest(struct sender *s)
{
	for (size_t i = 0; i < s->n_lanes; i++) {
		struct lane *l = TAKE_PTR(s->lanes[i]);

		if (l)
			lane_retire(l);
		lane_free(l);
	}
	free(s->lanes);
	s->lanes = NULL;
	s->n_lanes = 0;
}

/* What waits for channels that are gone is given up at once. */
static void expire_others(struct sender *s)
{
	_cleanup_(free_p) const char **names = calloc(s->n_lanes + 1, sizeof(*names));
	struct err e = {""};
	int r;

	if (!names)
		abort();
	for (size_t i = 0; i < s->n_lanes; i++)
		names[i] = s->lanes[i]->name;
	r = spool_expire_others(s->o.spool, names, s->n_lanes, sender_now(s), &e);
	if (r > 0)
		log_warning("given up, waiting for channels that are not there any more: %d", r);
	else if (r < 0)
		log_warning("messages for channels that are gone: %s", e.msg);
}

void sender_set_channels(
	struct sender *s, const struct channel *list, size_t n, const char *host, const char *url)
{
	struct lane **lanes = calloc(n + 1, sizeof(struct lane *));

	if (!lanes)
		abort();
	sender_end_tests(s, "the configuration was read again");
	s->o.host = host;
	s->o.url = url;
	for (size_t i = 0; i < n; i++) {
		lanes[i] = take_lane(s, list[i].name);
		if (lanes[i])
			lane_configure(lanes[i], &list[i]);
		else
			lanes[i] = lane_new(s, &list[i]);
	}
	retire_rest(s);
	s->lanes = lanes;
	s->n_lanes = n;
	expire_others(s);
	sender_changed(s);
	sender_wake(s);
}

void sender_wake(struct sender *s)
{
	for (size_t i = 0; i < s->n_lanes; i++)
		lane_pump(s->lanes[i]);
}

void sender_expire(struct sender *s)
{
	for (size_t i = 0; i < s->n_lanes; i++)
		lane_expire(s->lanes[i]);
}

size_t sender_status(struct sender *s, struct sender_status *out, size_t max)
{
	size_t n = s->n_lanes < max ? s->n_lanes : max;

	for (size_t i = 0; i < n; i++) {
		const struct lane *l = s->lanes[i];

		out[i] = (struct sender_status){.channel = &l->channel,
			.doing = l->doing,
			.next_ms = l->next_ms,
			.state = l->state};
		(void)spool_count_waiting(
			s->o.spool, l->name, &out[i].waiting, &out[i].oldest_ms, NULL);
	}
	return n;
}
