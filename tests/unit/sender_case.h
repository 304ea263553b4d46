/* SPDX-License-Identifier: Apache-2.0
 *
 * A sender in a test: a spool, a provider, a clock that stands still until it is moved, and channel
 * types that write down what a message is made of.
 *
 * A message as the provider gets it: "E id key severity end" for each event, then "M more collapsed
 * held plain picture to"; held: 1 by a failure, 2 by quiet hours.
 */
#ifndef TESTS_UNIT_SENDER_CASE_H
#define TESTS_UNIT_SENDER_CASE_H

#include <check.h>
#include <errno.h>
#include <inttypes.h>

#include "base/http_client.h"
#include "notify/sender.h"
#include "tests/unit/provider.h"
#include "tests/unit/spool_case.h"
#include "tests/unit/turns.h"

static struct loop *loop;
static struct http_client *http;
static struct problems *problems;
static struct sender *sender;
static int64_t fake_now;
static int n_problems_told; /* begun or ended */

static inline int64_t fake_clock(void)
{
	return fake_now;
}

static inline int fake_build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	out->transport = TRANSPORT_HTTP;
	out->url = strdup(c->url);
	for (size_t i = 0; i < m->n; i++) {
		const struct event *ev = m->events[i];

		if (strcmp(ev->title, "cannot be built") == 0)
			return err_set(e, EINVAL, "it cannot be built for %s", c->secret);
		buf_addf(&out->body, "E %" PRId64 " %s %d %d\n", ev->id, ev->key, (int)ev->severity,
			(int)ev->is_end);
	}
	buf_addf(&out->body, "M %" PRIu64 " %" PRIu64 " %d %d %zu %s%s%s\n", m->n_more,
		m->n_collapsed,
		m->held_since_ms == 0 ? 0
		: m->held_why         ? 2
				      : 1,
		plain, m->picture_len, memory->to[0] ? memory->to : "nowhere",
		m->picture_url[0] ? " " : "", m->picture_url);
	return 0;
}

/* 422: another form; 310: moved, the text says where to; 206: not to everybody. */
static inline void fake_judge(
	const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	channel_judge_http(a, out);
	channel_why(c, out, "%s", a->error ? a->message : a->body);
	if (a->status == 422)
		out->verdict = VERDICT_PLAIN;
	out->partly = a->status == 206;
	if (a->status == 310) {
		out->verdict = VERDICT_RETRY;
		(void)snprintf(out->memory.to, sizeof(out->memory.to), "%s", a->body);
	}
}

static const struct channel_type fake_chat = {.name = "chat",
	.flags = CHANNEL_PICTURES,
	.per_minute = 60,
	.build = fake_build,
	.judge = fake_judge};
static const struct channel_type fake_each = {.name = "each",
	.flags = CHANNEL_EACH,
	.per_minute = 100,
	.build = fake_build,
	.judge = fake_judge};
static const struct channel_type fake_batch = {
	.name = "batch", .flags = CHANNEL_BATCH, .build = fake_build, .judge = fake_judge};

/* A channel to the provider's path /NAME; group window 30 s for people. */
static inline struct channel channel_to(const char *name, const struct channel_type *type)
{
	static char urls[16][100];
	static unsigned next;
	char *url = urls[next++ % 16];

	(void)snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%d/%s", provider.port, name);
	return (struct channel){.name = name,
		.type = type,
		.url = url,
		.secret = "hunter2",
		.recoveries = true,
		.group_ms = 30000};
}

static inline void sender_case_start(void)
{
	struct sender_options o = {.loop = loop,
		.http = http,
		.spool = spool,
		.problems = problems,
		.host = "web-1",
		.url = "",
		.now_ms = fake_clock};
	struct err e = {""};

	ck_assert_msg(sender_new(&o, &sender, &e) == 0, "%s", e.msg);
}

static inline void on_problem(void *user, const char *key, const char *text)
{
	(void)user;
	(void)key;
	(void)text;
	n_problems_told++;
}

static inline void sender_case_setup(void)
{
	struct err e = {""};

	fake_now = 1800000000000;
	n_problems_told = 0;
	spool_case_setup();
	ck_assert_int_eq(loop_new(&loop, &e), 0);
	ck_assert_int_eq(http_client_new(loop, &http, &e), 0);
	problems = problems_new(on_problem, NULL);
	provider_start(loop);
	sender_case_start();
}

static inline void sender_case_teardown(void)
{
	sender_free(sender);
	http_client_free(http);
	provider_stop();
	loop_free(loop);
	problems_free(problems);
	spool_case_teardown();
}

/* As after kill -9: what was in memory is gone. */
static inline void sender_case_crash(void)
{
	spool_free(spool); /* so that nothing more can be stored */
	db_close(spool_db);
	spool_case_open();
	http_client_free(http);
	ck_assert_int_eq(http_client_new(loop, &http, NULL), 0);
}

static inline void use(const struct channel *list, size_t n)
{
	sender_set_channels(sender, list, n, "web-1", "");
}

/* Stores an event of now for channels (names, ended by NULL) and wakes the sender. */
#define RAISE(key, severity, ...)                                                                  \
	__extension__({                                                                            \
		int64_t raised_id_ =                                                               \
			add_event_for(an_event((key), fake_now, (severity)), __VA_ARGS__, NULL);   \
		sender_wake(sender);                                                               \
		raised_id_;                                                                        \
	})
#define RAISE_END(key, ...)                                                                        \
	__extension__({                                                                            \
		struct event *raised_ = an_event((key), fake_now, SEVERITY_WARNING);               \
		int64_t raised_id_;                                                                \
		raised_->is_end = true;                                                            \
		raised_id_ = add_event_for(raised_, __VA_ARGS__, NULL);                            \
		sender_wake(sender);                                                               \
		raised_id_;                                                                        \
	})

/* Moves the clock and lets everything happen that follows at once. */
static inline void pass(int64_t ms)
{
	fake_now += ms;
	sender_wake(sender);
}

static inline struct sender_status status_of(const char *channel)
{
	struct sender_status list[16];
	size_t n = sender_status(sender, list, 16);

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].channel->name, channel) == 0)
			return list[i];
	ck_abort_msg("no channel %s", channel);
}

static inline bool does(const char *channel, const char *what)
{
	return strcmp(status_of(channel).doing, what) == 0;
}

/* Until the provider has got so many messages and no channel sends any more. */
static inline bool all_quiet(void)
{
	struct sender_status list[16];
	size_t n = sender_status(sender, list, 16);

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].doing, "sending") == 0)
			return false;
	return true;
}
#define GOT(n)                                                                                     \
	do {                                                                                       \
		TURN_UNTIL(loop, provider.n_got >= (size_t)(n) && all_quiet());                    \
		turn_idle(loop);                                                                   \
		ck_assert_uint_eq(provider.n_got, (size_t)(n));                                    \
	} while (0)
/* The n-th message from the end, 1 the last. */
#define LAST(n) provider.got[provider.n_got - (n)]

static inline const struct problem *problem_of(const char *key)
{
	for (size_t i = 0; i < problems_count(problems); i++)
		if (strcmp(problems_at(problems, i)->key, key) == 0)
			return problems_at(problems, i);
	return NULL;
}

static inline int64_t count_state(const char *channel, enum delivery_state state)
{
	return db_ask("SELECT count(*) FROM delivery WHERE channel = '%s' AND state = %d", channel,
		(int)state);
}

#endif
