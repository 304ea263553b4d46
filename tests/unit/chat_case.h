/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of the chat channels: events and messages, easy and nasty, and what a channel makes
 * of them.
 */
#ifndef TESTS_UNIT_CHAT_CASE_H
#define TESTS_UNIT_CHAT_CASE_H

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/chat.h"

/* 2026-11-21 03:17:00 in Berlin. */
static const int64_t case_now_ms = 1795227420000;

static const char case_png[] = "\x89PNG\r\n\x1a\n\0\0picture";
/* What markup there is, in one line. */
static const char case_markup[] = "<!channel> & <b>x</b> *b* _i_ ~s~ `c` ```p``` @everyone <@1> "
				  ":fire: [l](http://x.y) ||q|| # \\";

static inline void case_setup(void)
{
	ck_assert_int_eq(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
}

static inline struct event *case_disk(void)
{
	struct event *ev = event_new(EVENT_ALERT_FIRING, SEVERITY_CRITICAL, "disk filesystem//");

	ev->time_ms = case_now_ms;
	ev->since_ms = case_now_ms - 300000;
	event_set(&ev->host, "web-1");
	event_title(ev, "Disk / is 97.2 %% full");
	event_text(ev, "Make room or add a disk.");
	event_fact(ev, "Limit", "above 90 %% for 5m");
	event_fact(ev, "Top", "shop_web 12 GiB");
	event_set(&ev->link, "/#/filesystem//");
	return ev;
}

static inline struct event *case_end(void)
{
	struct event *ev = event_new(EVENT_ALERT_RECOVERED, SEVERITY_CRITICAL, "memory host/");

	ev->time_ms = case_now_ms;
	ev->is_end = true;
	ev->duration_ms = 725000;
	event_title(ev, "Memory is back at 60 %%");
	return ev;
}

/* As much as an event can hold, of what is worst: `text` over and over. */
static inline struct event *case_large(const char *text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(200 * 1024);
	struct event *ev = event_new(EVENT_MESSAGE, SEVERITY_WARNING, "");

	while (b.len < 100 * 1024) {
		buf_adds(&b, text);
		if (b.len % 7 == 0)
			buf_addc(&b, '\n');
	}
	ev->time_ms = case_now_ms;
	event_title(ev, "%s", buf_str(&b));
	event_text(ev, "%s", buf_str(&b));
	for (int i = 0; i < EVENT_FACTS_MAX; i++)
		event_fact(ev, buf_str(&b), "%s", buf_str(&b));
	event_set(&ev->link, "/#/alerts");
	return ev;
}

/* Texts that a channel has to survive: markup, broken UTF-8, line ends, nothing but wide ones. */
static const char *const case_texts[] = {"<", "&", "*_`~", case_markup, "\xed\xa0\x80\xff",
	"\r\nBcc: x\r\n\r\n", "\U0001f525", "\u20ac", "\"\\", "@here ", ":fire:", "x", "\x01\x7f",
	" \n\t "};

static inline struct message case_message(const struct event *ev)
{
	struct message m = {.events = {ev},
		.n = 1,
		.host = "web-1",
		.url = "https://web-1.example.com:4500",
		.picture = case_png,
		.picture_len = sizeof(case_png) - 1,
		.picture_url = "https://web-1.example.com:4500/chart/x.png?sig=1",
		.delivery_id = 7,
		.now_ms = case_now_ms};

	return m;
}

/* Twenty times the same, with all that a message can say. */
static inline struct message case_list(const struct event *ev)
{
	struct message m = case_message(ev);

	for (m.n = 0; m.n < MESSAGE_EVENTS_MAX; m.n++)
		m.events[m.n] = ev;
	m.n_more = 1234;
	m.n_collapsed = 17;
	m.held_since_ms = case_now_ms - 3600000;
	m.held_why = "quiet hours";
	return m;
}

static inline void case_build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out)
{
	struct err e = {""};

	ck_assert_msg(channel_check(c, &e) == 0, "%s", e.msg);
	outgoing_init(out);
	ck_assert_msg(c->type->build(c, memory, m, plain, out, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(out->transport, TRANSPORT_HTTP);
	ck_assert_ptr_nonnull(out->url);
	ck_assert(!out->body.overflow);
	for (size_t i = 0; i < out->n_headers; i++)
		for (const char *p = out->headers[i]; *p; p++)
			ck_assert_msg((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f, "%s",
				out->headers[i]);
}

static inline const char *case_header(const struct outgoing *o, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < o->n_headers; i++)
		if (strncasecmp(o->headers[i], name, n) == 0 && o->headers[i][n] == ':')
			return o->headers[i] + n + 2;
	return NULL;
}

/* The body as JSON; to be released. */
static inline json_t *case_json(const struct outgoing *o)
{
	json_error_t error;
	json_t *j = json_loadb(o->body.data, o->body.len, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(j != NULL, "%s", error.text);
	ck_assert_str_eq(case_header(o, "Content-Type"), "application/json");
	return j;
}

/* The text at "a.0.b"; "" when there is none. */
static inline const char *case_text(const json_t *j, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, ".");
		_cleanup_(free_p) char *name = str_ndup(path, n);

		j = json_is_array(j) ? json_array_get(j, (size_t)atoi(name))
				     : json_object_get(j, name);
		path += n + (path[n] == '.');
	}
	return json_is_string(j) ? json_string_value(j) : "";
}

/* One field of a form (RFC 7578): its bytes and their number; NULL when there is none. */
static inline const char *case_field(const struct outgoing *o, const char *name, size_t *len)
{
	const char *type = case_header(o, "Content-Type"), *p = o->body.data;
	_cleanup_(free_p) char *mark = NULL, *head = str_format("; name=\"%s\"", name);
	const char *end = o->body.data + o->body.len;

	ck_assert(str_starts(type, "multipart/form-data; boundary="));
	mark = str_format("--%s", strchr(type, '=') + 1);
	ck_assert(strncmp(p, mark, strlen(mark)) == 0);
	while ((p = memmem(p, (size_t)(end - p), mark, strlen(mark)))) {
		const char *data = memmem(p, (size_t)(end - p), "\r\n\r\n", 4);
		const char *next =
			data ? memmem(data, (size_t)(end - data), mark, strlen(mark)) : NULL;

		if (!next)
			return NULL;
		if (memmem(p, (size_t)(data - p), head, strlen(head))) {
			*len = (size_t)(next - data) - 6;
			return data + 4;
		}
		p = next;
	}
	return NULL;
}

static inline struct verdict_of case_judge(const struct channel *c, long status, const char *body)
{
	struct answer a = {.status = status, .body = body, .retry_after_ms = -1};
	struct verdict_of v;

	memset(&v, 'x', sizeof(v));
	c->type->judge(c, &a, &v);
	return v;
}

/* Whatever the channel, no answer at all is a reason to try again. */
static inline void case_assert_retries(const struct channel *c)
{
	struct answer a = {
		.error = -ETIMEDOUT, .message = "timed out", .body = "", .retry_after_ms = -1};
	struct verdict_of v;

	c->type->judge(c, &a, &v);
	ck_assert_int_eq(v.verdict, VERDICT_RETRY);
	ck_assert_str_eq(v.why, "timed out");
	ck_assert_int_eq(case_judge(c, 500, "").verdict, VERDICT_RETRY);
	ck_assert_int_eq(case_judge(c, 503, "<html>").verdict, VERDICT_RETRY);
	a.error = 0;
	a.status = 429;
	a.retry_after_ms = 9000;
	c->type->judge(c, &a, &v);
	ck_assert_int_eq(v.verdict, VERDICT_RETRY);
	ck_assert_int_eq(v.retry_after_ms, 9000);
}

static inline int case_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, case_setup, NULL);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}

#endif
