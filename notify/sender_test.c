/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent notify test`: one event past the spool, with what the provider really said.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/sender.h"
#include "notify/sender_impl.h"
#include "notify/sender_lane.h"

struct test_call {
	struct sender *sender;
	struct lane *lane; /* a reload ends all tests before lanes go */
	struct event *event;
	void *drawing; /* the handle of what draws the picture */
	struct buf picture; /* kept for a second try */
	struct transport_call *call;
	int64_t start_mono_ms;
	bool plain; /* in its second form */
	bool learnt; /* sent again to where the provider said */
	sender_test_fn done;
	void *user;
	struct test_call *next;
};

static int start(struct test_call *t, struct err *e);

static void test_free(struct test_call *t)
{
	if (t->drawing)
		t->sender->o.pictures->cancel(t->drawing);
	buf_done(&t->picture);
	transport_cancel(t->call);
	event_free(t->event);
	free(t);
}
DEFINE_CLEANUP(struct test_call *, test_free);

static void unlink_test(struct test_call *t)
{
	struct test_call **p = &t->sender->tests;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
}

static void finish(struct test_call *t, const struct answer *a, const struct verdict_of *v)
{
	struct sender_test_result r = {.sent = v->verdict == VERDICT_SENT,
		.took_ms = clock_mono_ms() - t->start_mono_ms,
		.answer = *a,
		.verdict = *v};
	struct lane *l = t->lane;

	unlink_test(t);
	t->done(t->user, &r);
	test_free(t);
	if (r.sent) {
		lane_hurry(l);
		lane_pump(l);
	}
}

static void fail(struct test_call *t, int error, const char *why)
{
	struct answer a = {.error = error, .message = why, .body = "", .retry_after_ms = -1};
	struct verdict_of v = {.verdict = VERDICT_REFUSED, .retry_after_ms = -1};

	(void)str_copy(v.why, sizeof(v.why), why);
	finish(t, &a, &v);
}

static void send_or_fail(struct test_call *t)
{
	struct err e = {""};
	int r = start(t, &e);

	if (r < 0)
		fail(t, r, e.msg);
}

/* Whether the provider named another address for the first time. */
static bool learns(struct test_call *t, const struct channel_memory *m)
{
	if (t->learnt || !lane_remember(t->lane, m))
		return false;
	(void)spool_store_channel(t->sender->o.spool, t->lane->name, &t->lane->state, NULL);
	return t->learnt = true;
}

/* The second form, or to the other address: once each. */
static bool goes_on(struct test_call *t, const struct verdict_of *v)
{
	bool learnt = learns(t, &v->memory);

	if (v->verdict == VERDICT_PLAIN && !t->plain)
		return t->plain = true;
	return v->verdict == VERDICT_RETRY && learnt;
}

/* Without secrets, and then, when none can be cut in half any more, no longer than is shown. */
static char *shown(const struct channel *c, const char *text)
{
	_cleanup_(free_p) char *whole = str_dup(text ? text : "");
	char *cut = malloc(CHANNEL_SHOWN_MAX + 1);

	if (!cut)
		abort();
	channel_redact(c, whole, strlen(whole) + 1);
	(void)str_copy(cut, CHANNEL_SHOWN_MAX + 1, whole);
	return cut;
}

static void on_answer(void *user, const struct answer *a)
{
	struct test_call *t = user;
	const struct channel *c = &t->lane->channel;
	struct verdict_of v = {.retry_after_ms = -1};
	_cleanup_(free_p) char *body = NULL, *message = NULL;
	struct answer clean = *a;

	t->call = NULL;
	c->type->judge(c, a, &v);
	if (goes_on(t, &v)) {
		send_or_fail(t);
		return;
	}
	body = shown(c, a->body);
	message = shown(c, a->message);
	clean.body = body;
	clean.message = message;
	finish(t, &clean, &v);
}

/* As with any other message, so that the way of pictures is tested too. */
static bool wants_picture(const struct test_call *t)
{
	const struct channel *c = &t->lane->channel;

	return t->sender->o.pictures && t->event->chart.class && c->pictures &&
	       (c->type->flags & CHANNEL_PICTURES);
}

static void on_picture(void *user, const char *png, size_t len)
{
	struct test_call *t = user;

	t->drawing = NULL;
	if (png)
		buf_add(&t->picture, png, len);
	send_or_fail(t);
}

static bool draw(struct test_call *t)
{
	const struct picture_source *p = t->sender->o.pictures;

	if (wants_picture(t))
		t->drawing = p->start(p->self, &t->event->chart, on_picture, t);
	return t->drawing != NULL;
}

static int start(struct test_call *t, struct err *e)
{
	const struct sender_options *o = &t->sender->o;
	const struct channel *c = &t->lane->channel;
	_cleanup_(outgoing_done) struct outgoing out;
	bool drawn = t->picture.len > 0 && !t->plain;
	char url[1024] = "";
	const struct message m = {.events = {t->event},
		.n = 1,
		.host = o->host,
		.url = o->url,
		.picture = drawn ? buf_str(&t->picture) : NULL,
		.picture_len = drawn ? t->picture.len : 0,
		.picture_url = url,
		.now_ms = sender_now(t->sender)};
	int r;

	if (wants_picture(t) && o->pictures->url && !t->plain)
		o->pictures->url(o->pictures->self, &t->event->chart, url, sizeof(url));
	outgoing_init(&out);
	r = c->type->build(c, &t->lane->state.memory, &m, t->plain, &out, e);
	if (r == 0)
		r = transport_start(o->loop, o->http, c, &out, on_answer, t, &t->call, e);
	if (r < 0)
		channel_redact(c, e->msg, sizeof(e->msg));
	return r;
}

/* The event goes through its JSON form, as those of the spool do: that is also a copy. */
static struct event *copy_event(const struct event *ev, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(EVENT_JSON_MAX);
	struct event *copy = NULL;

	event_to_json(ev, &b);
	return event_from_json(buf_str(&b), &copy, e) < 0 ? NULL : copy;
}

int sender_test(struct sender *s, const char *channel, const struct event *ev, sender_test_fn done,
	void *user, struct err *e)
{
	_cleanup_(test_free_p) struct test_call *t = NULL;
	struct lane *l = sender_lane(s, channel);
	struct err local = {""};
	int r;

	if (!l)
		return err_set(e, ENOENT, "there is no channel \"%.64s\"", channel);
	t = calloc(1, sizeof(*t));
	if (!t)
		abort();
	*t = (struct test_call){.sender = s,
		.lane = l,
		.event = copy_event(ev, e),
		.start_mono_ms = clock_mono_ms(),
		.done = done,
		.user = user};
	if (!t->event)
		return -EINVAL;
	buf_init(&t->picture, OUTGOING_BODY_MAX);
	r = draw(t) ? 0 : start(t, &local);
	if (r < 0)
		return err_set(e, -r, "channel \"%s\": %s", l->name, local.msg);
	t->next = s->tests;
	s->tests = TAKE_PTR(t);
	return 0;
}

void sender_end_tests(struct sender *s, const char *why)
{
	while (s->tests)
		fail(s->tests, -ECANCELED, why);
}
