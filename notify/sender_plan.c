/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/sender_plan.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Indexes of deliveries. */
struct order {
	const struct spool_delivery *d;
	uint16_t *at;
	size_t n;
};

_Static_assert(SPOOL_BATCH_MAX <= UINT16_MAX, "an index has 16 bits");

static void order_done(struct order *o)
{
	free(o->at);
}

static void order_init(struct order *o, const struct spool_delivery *d, size_t room)
{
	o->d = d;
	o->n = 0;
	o->at = calloc(room, sizeof(*o->at));
	if (!o->at)
		abort();
}

static int by_story(const void *a, const void *b, void *deliveries)
{
	const struct spool_delivery *d = deliveries;
	uint16_t i = *(const uint16_t *)a, k = *(const uint16_t *)b;
	int r = strcmp(d[i].key, d[k].key);

	return r ? r : i - k;
}

static int rank(const struct spool_delivery *d)
{
	return d->is_end ? -1 : (int)d->severity;
}

static int by_weight(const void *a, const void *b, void *deliveries)
{
	const struct spool_delivery *d = deliveries;
	uint16_t i = *(const uint16_t *)a, k = *(const uint16_t *)b;
	int r = rank(&d[k]) - rank(&d[i]);

	return r ? r : k - i;
}

static int by_age(const void *a, const void *b, void *deliveries)
{
	(void)deliveries;
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void order_sort(struct order *o, int (*compare)(const void *, const void *, void *))
{
	qsort_r(o->at, o->n, sizeof(*o->at), compare, (void *)(uintptr_t)o->d);
}

/* In an order by story: whether the one at `i` is the newest of its story. Without a key each is a
 * story of its own. */
static bool is_newest(const struct order *o, size_t i)
{
	const char *key = o->d[o->at[i]].key;

	return i + 1 == o->n || !*key || strcmp(key, o->d[o->at[i + 1]].key) != 0;
}

static void newest_of_each(const struct order *stories, struct order *out)
{
	for (size_t i = 0; i < stories->n; i++)
		if (is_newest(stories, i))
			out->at[out->n++] = stories->at[i];
}

static void choose_full(struct order *newest, struct delivery_result *fates, struct plan *out)
{
	order_sort(newest, by_weight);
	if (newest->n > MESSAGE_EVENTS_MAX)
		newest->n = MESSAGE_EVENTS_MAX;
	order_sort(newest, by_age);
	for (size_t i = 0; i < newest->n; i++) {
		fates[newest->at[i]].state = DELIVERY_SENT;
		out->full[out->n_full++] = newest->at[i];
	}
}

/* The earlier ones of a story share the fate of its newest: that comes last. */
static void mark_earlier(
	const struct order *stories, struct delivery_result *fates, struct plan *out)
{
	enum delivery_state newest = DELIVERY_COUNTED;

	for (size_t i = stories->n; i-- > 0;) {
		struct delivery_result *fate = &fates[stories->at[i]];

		if (is_newest(stories, i))
			newest = fate->state;
		else if (newest == DELIVERY_SENT)
			fate->state = DELIVERY_COLLAPSED;
		out->n_collapsed += fate->state == DELIVERY_COLLAPSED;
		out->n_counted += fate->state == DELIVERY_COUNTED;
	}
}

static void merge(const struct spool_delivery *d, struct delivery_result *fates, struct plan *out)
{
	_cleanup_(order_done) struct order stories = {0}, newest = {0};

	order_init(&stories, d, out->n);
	order_init(&newest, d, out->n);
	for (stories.n = 0; stories.n < out->n; stories.n++)
		stories.at[stories.n] = (uint16_t)stories.n;
	order_sort(&stories, by_story);
	newest_of_each(&stories, &newest);
	choose_full(&newest, fates, out);
	mark_earlier(&stories, fates, out);
}

static void take_oldest(struct delivery_result *fates, struct plan *out)
{
	for (size_t i = 0; i < out->n; i++) {
		fates[i].state = DELIVERY_SENT;
		out->full[out->n_full++] = i;
	}
}

void plan_make(const struct spool_delivery *d, size_t n, unsigned flags,
	struct delivery_result *fates, struct plan *out)
{
	bool merged = !(flags & (CHANNEL_EACH | CHANNEL_BATCH));

	assert(n > 0 && n <= SPOOL_BATCH_MAX);
	memset(out, 0, sizeof(*out));
	out->n = n;
	if (flags & CHANNEL_EACH)
		out->n = 1;
	else if (!merged && n > MESSAGE_EVENTS_MAX)
		out->n = MESSAGE_EVENTS_MAX;
	for (size_t i = 0; i < out->n; i++)
		fates[i] = (struct delivery_result){d[i].id, DELIVERY_COUNTED};
	if (merged)
		merge(d, fates, out);
	else
		take_oldest(fates, out);
}
