/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/sender_outcome.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "notify/sender_impl.h"
#include "notify/sender_trouble.h"

enum {
	RETRY_AFTER_MIN_MS = 1000,
	RETRY_AFTER_MAX_MS = 24 * 3600 * 1000,
	SETTLE_AGAIN_MS = 5 * 1000,
	/* So many messages refused one after the other are no accident of one event. */
	REFUSED_IN_ROW_MAX = 3,
};

static void apply(struct lane *l, const struct verdict_of *v);

static void forget_message(struct lane *l)
{
	batch_done(&l->batch);
	l->phase = LANE_READY;
	l->plain = false;
	l->error[0] = '\0';
}

static void on_answer(void *user, const struct answer *a)
{
	struct lane *l = user;
	struct verdict_of v = {.retry_after_ms = -1};

	l->call = NULL;
	l->channel.type->judge(&l->channel, a, &v);
	apply(l, &v);
}

static int build(struct lane *l, const char *png, size_t len, struct outgoing *out, struct err *e)
{
	const struct sender_options *o = &l->sender->o;
	const struct event_chart *chart = batch_chart(&l->batch);
	char url[1024] = "";
	struct batch_dress dress = {.host = o->host,
		.url = o->url,
		.picture = png,
		.picture_len = len,
		.picture_url = url,
		.plain = l->plain,
		.down_ms = l->state.last_failed_ms,
		.now_ms = sender_now(l->sender)};

	if (chart && o->pictures && o->pictures->url && l->channel.pictures)
		o->pictures->url(o->pictures->self, chart, url, sizeof(url));
	return batch_build(&l->batch, &l->channel, &l->state.memory, &dress, out, e);
}

/* The program is not there, or the address is none: nothing that passes by itself. Else this server
 * is short of something. */
static enum verdict verdict_of_start(int r)
{
	return r == -ENOENT || r == -EINVAL || r == -EACCES || r == -ENOEXEC ? VERDICT_BROKEN
									     : VERDICT_RETRY;
}

void lane_send(struct lane *l, const char *png, size_t len)
{
	_cleanup_(outgoing_done) struct outgoing out;
	struct verdict_of v = {.retry_after_ms = -1};
	struct err e = {""};
	int r;

	outgoing_init(&out);
	r = build(l, png, len, &out, &e);
	batch_unload(&l->batch);
	if (r < 0) {
		channel_redact(&l->channel, e.msg, sizeof(e.msg));
		lane_refused(l, e.msg);
		return;
	}
	pace_take(&l->pace, lane_per_minute(l), sender_now(l->sender));
	r = transport_start(l->sender->o.loop, l->sender->o.http, &l->channel, &out, on_answer, l,
		&l->call, &e);
	if (r < 0) {
		v.verdict = verdict_of_start(r);
		channel_why(&l->channel, &v, "%s", e.msg);
		apply(l, &v);
		return;
	}
	l->phase = LANE_SENDING;
	lane_wait(l, "sending", 0, 0);
}

static int store_settled(struct lane *l, int64_t now_ms, struct err *e)
{
	struct spool *spool = l->sender->o.spool;
	int r = spool_begin(spool, e), c;

	if (r < 0)
		return r;
	r = spool_settle(
		spool, l->batch.results, l->batch.n, l->error[0] ? l->error : NULL, now_ms, e);
	if (r == 0)
		r = spool_store_channel(spool, l->name, &l->state, e);
	c = spool_commit(spool, r < 0 ? NULL : e);
	return r < 0 ? r : c;
}

void lane_settle(struct lane *l)
{
	int64_t now_ms = sender_now(l->sender);
	struct err e = {""};

	l->phase = LANE_SETTLING;
	if (store_settled(l, now_ms, &e) < 0) {
		trouble_database(l, &e);
		lane_wait(l, "waiting", now_ms + SETTLE_AGAIN_MS, now_ms);
		return;
	}
	trouble_database_over(l);
	forget_message(l);
	sender_changed(l->sender);
	lane_wait(l, "idle", now_ms, now_ms);
}

/* An attempt that settles nothing. Without the database there is nothing that must be kept: it goes
 * on waiting as it was. */
static void store_failed(struct lane *l, const char *why, int64_t now_ms)
{
	struct spool *spool = l->sender->o.spool;
	_cleanup_(free_p) int64_t *ids = calloc(l->batch.n + 1, sizeof(*ids));
	struct err e = {""};
	int r = spool_begin(spool, &e), c;

	if (!ids)
		abort();
	for (size_t i = 0; i < l->batch.n; i++)
		ids[i] = l->batch.results[i].id;
	if (r == 0) {
		r = spool_failed(spool, ids, l->batch.n, why, now_ms, &e);
		if (r == 0)
			r = spool_store_channel(spool, l->name, &l->state, &e);
		c = spool_commit(spool, r < 0 ? NULL : &e);
		r = r < 0 ? r : c;
	}
	if (r < 0)
		trouble_database(l, &e);
	else
		trouble_database_over(l);
}

/* It is sent, so the channel has not failed; but somebody has to mend an address. */
static void note_partly(struct lane *l, const char *why, int64_t now_ms)
{
	(void)str_copy(l->error, sizeof(l->error), why);
	(void)str_copy(l->state.last_error, sizeof(l->state.last_error), why);
	trouble_refused(l, now_ms);
}

static void on_sent(struct lane *l, const struct verdict_of *v)
{
	int64_t now_ms = sender_now(l->sender);

	l->state.failures = 0;
	l->state.not_before_ms = 0;
	l->state.last_sent_ms = now_ms;
	l->retry_ms = 0;
	l->broken = false;
	l->limit = 0;
	l->refused_in_row = 0;
	l->given_up = 0;
	trouble_over(l);
	if (v->partly)
		note_partly(l, v->why, now_ms);
	lane_settle(l);
}

static void note_failure(struct lane *l, const char *why, int64_t now_ms)
{
	l->state.last_failed_ms = now_ms;
	(void)str_copy(l->state.last_error, sizeof(l->state.last_error), why);
}

/* The provider's own wait is kept over a restart; ours is not. */
static int64_t plan_retry(struct lane *l, const struct verdict_of *v, int64_t now_ms)
{
	int64_t wait = v->retry_after_ms;

	if (wait >= 0) {
		if (wait < RETRY_AFTER_MIN_MS)
			wait = RETRY_AFTER_MIN_MS;
		if (wait > RETRY_AFTER_MAX_MS)
			wait = RETRY_AFTER_MAX_MS;
		return l->state.not_before_ms = now_ms + wait;
	}
	wait = l->broken ? CHANNEL_BACKOFF_MAX_MS
			 : pace_backoff_ms(l->state.failures, sender_random(l->sender));
	return l->retry_ms = now_ms + wait;
}

static void on_failed(struct lane *l, const struct verdict_of *v)
{
	int64_t now_ms = sender_now(l->sender), until;

	l->broken = v->verdict == VERDICT_BROKEN;
	l->state.failures++;
	note_failure(l, v->why, now_ms);
	until = plan_retry(l, v, now_ms);
	store_failed(l, v->why, now_ms);
	forget_message(l);
	trouble_failing(l);
	sender_changed(l->sender);
	lane_wait(l, l->broken ? "broken" : "waiting", until, now_ms);
}

/* Again at once, in another way: nobody is told. */
static void again(struct lane *l, const char *why)
{
	int64_t now_ms = sender_now(l->sender);

	store_failed(l, why, now_ms);
	forget_message(l);
	lane_wait(l, "waiting", now_ms, now_ms);
}

void lane_refused(struct lane *l, const char *why)
{
	int64_t now_ms = sender_now(l->sender);

	if (l->batch.n > 1 && l->refused_in_row < REFUSED_IN_ROW_MAX) {
		l->limit = l->batch.n / 2;
		again(l, why);
		return;
	}
	for (size_t i = 0; i < l->batch.n; i++)
		l->batch.results[i].state = DELIVERY_REFUSED;
	(void)str_copy(l->error, sizeof(l->error), why);
	l->limit = 0;
	l->refused_in_row++;
	l->state.failures = 0; /* it was answered */
	l->broken = false;
	note_failure(l, why, now_ms);
	trouble_over(l);
	trouble_refused(l, now_ms);
	lane_settle(l);
}

static void send_plain(struct lane *l)
{
	struct err e = {""};
	int r;

	l->plain = true;
	r = batch_load(&l->batch, l->sender->o.spool, &e);
	if (r == 0)
		lane_send(l, NULL, 0);
	else
		again(l, e.msg);
}

static void apply(struct lane *l, const struct verdict_of *v)
{
	bool learnt = lane_remember(l, &v->memory);

	switch (v->verdict) {
	case VERDICT_SENT:
		on_sent(l, v);
		break;
	case VERDICT_RETRY:
		if (learnt)
			again(l, v->why);
		else
			on_failed(l, v);
		break;
	case VERDICT_BROKEN:
		on_failed(l, v);
		break;
	case VERDICT_PLAIN:
		if (!l->plain) {
			send_plain(l);
			break;
		}
		/* fall through */
	case VERDICT_REFUSED:
		lane_refused(l, v->why);
		break;
	}
}
