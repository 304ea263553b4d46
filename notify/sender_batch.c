/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/sender_batch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "notify/sender_plan.h"

/* A message that waited for less is no news to the reader. */
enum { HELD_MIN_MS = 5 * 60 * 1000 };

static void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

static void fill(struct batch *b, const struct spool_delivery *d, const struct plan *p)
{
	b->n = p->n;
	b->n_full = p->n_full;
	b->n_collapsed = p->n_collapsed;
	b->n_counted = p->n_counted;
	for (size_t i = 0; i < p->n_full; i++) {
		b->full[i].result = p->full[i];
		b->full[i].event_id = d[p->full[i]].event_id;
	}
	b->oldest_ms = d[0].time_ms;
	for (size_t i = 1; i < p->n; i++)
		if (d[i].time_ms < b->oldest_ms)
			b->oldest_ms = d[i].time_ms;
}

/* No more than can be used. */
static size_t room(const struct channel *c, size_t max)
{
	if (c->type->flags & CHANNEL_EACH)
		return 1;
	if (c->type->flags & CHANNEL_BATCH)
		return max < MESSAGE_EVENTS_MAX ? max : MESSAGE_EVENTS_MAX;
	return max;
}

int batch_take(struct batch *b, struct spool *spool, const struct channel *c, enum severity from,
	size_t max, struct err *e)
{
	_cleanup_(free_p) struct spool_delivery *d = NULL;
	struct plan plan;
	int r;

	assert(b->n == 0 && max > 0 && max <= SPOOL_BATCH_MAX);
	max = room(c, max);
	d = xcalloc(max, sizeof(*d));
	r = spool_waiting(spool, c->name, from, d, max, e);
	if (r <= 0)
		return r;
	b->results = xcalloc((size_t)r, sizeof(*b->results));
	plan_make(d, (size_t)r, c->type->flags, b->results, &plan);
	fill(b, d, &plan);
	return (int)b->n;
}

void batch_done(struct batch *b)
{
	batch_unload(b);
	free(b->results);
	memset(b, 0, sizeof(*b));
}

void batch_unload(struct batch *b)
{
	for (size_t i = 0; i < b->n_full; i++) {
		event_free(b->full[i].event);
		b->full[i].event = NULL;
	}
}

int batch_load(struct batch *b, struct spool *spool, struct err *e)
{
	size_t n = 0;

	batch_unload(b);
	for (size_t i = 0; i < b->n_full; i++) {
		int r = spool_event(spool, b->full[i].event_id, &b->full[i].event, e);

		if (r == -EBADMSG || r == -ENOENT) {
			b->results[b->full[i].result].state = DELIVERY_REFUSED;
			continue;
		}
		if (r < 0)
			return r;
		if (n != i) {
			b->full[n] = b->full[i];
			b->full[i].event = NULL;
		}
		n++;
	}
	b->n_full = n;
	return n ? 0 : err_set(e, ENOENT, "no event of the message can be read");
}

const struct event_chart *batch_chart(const struct batch *b)
{
	const struct event_chart *chart;

	if (b->n_full != 1 || b->n_counted || !b->full[0].event)
		return NULL;
	chart = &b->full[0].event->chart;
	return chart->class ? chart : NULL;
}

/* Since when it waited, when that is worth a word, and for what. */
static void add_wait(const struct batch *b, const struct channel *c,
	const struct batch_dress *dress, struct message *m)
{
	if (dress->now_ms - b->oldest_ms <= HELD_MIN_MS)
		return;
	if (b->oldest_ms > dress->down_ms) {
		if (!channel_quiet_until(c, SEVERITY_INFO, b->oldest_ms))
			return;
		m->held_why = "quiet hours";
	}
	m->held_since_ms = b->oldest_ms;
}

int batch_build(const struct batch *b, const struct channel *c, const struct channel_memory *memory,
	const struct batch_dress *dress, struct outgoing *out, struct err *e)
{
	struct message m = {.n = b->n_full,
		.n_more = b->n_counted,
		.n_collapsed = b->n_collapsed,
		.host = dress->host,
		.url = dress->url,
		.picture = dress->picture,
		.picture_len = dress->picture_len,
		.picture_url = dress->picture_url,
		.delivery_id = b->results[0].id,
		.now_ms = dress->now_ms};

	add_wait(b, c, dress, &m);
	for (size_t i = 0; i < b->n_full; i++)
		m.events[i] = b->full[i].event;
	return c->type->build(c, memory, &m, dress->plain, out, e);
}
