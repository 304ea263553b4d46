/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/str.h"
#include "notify/channel_types.h"

static struct channel c;
static struct event *ev;
static struct message m;
static struct outgoing out;
static struct err err;

static void setup(void)
{
	c = (struct channel){.name = "hook",
		.type = &channel_webhook,
		.url = "https://ops.example.com/hook",
		.secret = "correct horse"};
	ev = event_new("alert.firing", SEVERITY_CRITICAL, "disk filesystem//");
	ev->id = 7;
	ev->time_ms = 1700000000123;
	ev->value = 97.25;
	event_set(&ev->host, "web-1");
	event_title(ev, "Disk / is 97.2 %% full");
	m = (struct message){.events = {ev},
		.n = 1,
		.host = "web-1",
		.url = "",
		.picture_url = "",
		.delivery_id = 99,
		.now_ms = 1700000005999};
	outgoing_init(&out);
	err.msg[0] = '\0';
}

static void teardown(void)
{
	event_free(ev);
	outgoing_done(&out);
}

static void build(void)
{
	outgoing_done(&out);
	ck_assert_msg(channel_webhook.build(&c, NULL, &m, false, &out, &err) == 0, "%s", err.msg);
}

/* The value of a header that is there at most once; NULL: it is not. */
static const char *header(const char *name)
{
	const char *found = NULL;

	for (size_t i = 0; i < out.n_headers; i++) {
		if (!str_starts(out.headers[i], name) || out.headers[i][strlen(name)] != ':')
			continue;
		ck_assert_ptr_null(found);
		found = out.headers[i] + strlen(name) + 2;
	}
	return found;
}

START_TEST(the_event_is_posted_as_it_is_stored)
{
	_cleanup_(buf_done) struct buf json = BUF_INIT(EVENT_JSON_MAX);

	build();
	event_to_json(ev, &json);
	ck_assert_int_eq(out.transport, TRANSPORT_HTTP);
	ck_assert_ptr_null(out.method);
	ck_assert_str_eq(out.url, c.url);
	ck_assert_str_eq(buf_str(&out.body), json.data);
	ck_assert_str_eq(header("Content-Type"), "application/json");
	ck_assert_str_eq(header("X-Agent-Event"), "alert.firing");
}
END_TEST

START_TEST(the_delivery_has_a_name_that_survives_retries)
{
	_cleanup_(free_p) char *first = NULL;

	build();
	first = str_dup(header("X-Agent-Delivery"));
	m.now_ms += 60000;
	build();
	ck_assert_str_eq(header("X-Agent-Delivery"), first);
	m.delivery_id++;
	build();
	ck_assert_str_ne(header("X-Agent-Delivery"), first);
}
END_TEST

/* Computed as notify/README.md tells a receiver to. */
START_TEST(the_signature_covers_time_and_body)
{
	_cleanup_(free_p) char *text = NULL;
	char hex[HASH_SHA256_HEX_SIZE];

	build();
	ck_assert_str_eq(header("X-Agent-Timestamp"), "1700000005");
	text = str_format("%s.%s", header("X-Agent-Timestamp"), buf_str(&out.body));
	hash_hmac_sha256_hex(hex, "correct horse", 13, text, strlen(text));
	ck_assert(str_starts(header("X-Agent-Signature"), "sha256="));
	ck_assert_str_eq(header("X-Agent-Signature") + 7, hex);
	for (size_t i = 0; i < out.n_headers; i++)
		ck_assert_ptr_null(strstr(out.headers[i], "correct horse"));
}
END_TEST

START_TEST(without_a_secret_there_is_no_signature)
{
	c.secret = NULL;
	build();
	ck_assert_ptr_null(header("X-Agent-Signature"));
	ck_assert_ptr_nonnull(header("X-Agent-Timestamp"));
}
END_TEST

START_TEST(a_template_makes_the_body_and_its_type)
{
	c.template = "{{severity}} on {{host}}: {{title}}";
	c.content_type = "text/plain; charset=utf-8";
	build();
	ck_assert_str_eq(buf_str(&out.body), "critical on web-1: Disk / is 97.2 % full");
	ck_assert_str_eq(header("Content-Type"), "text/plain; charset=utf-8");
	c.template = "{\"text\":\"{{title}}\"}";
	c.content_type = NULL;
	build();
	ck_assert_str_eq(buf_str(&out.body), "{\"text\":\"Disk / is 97.2 % full\"}");
	ck_assert_str_eq(header("Content-Type"), "application/json");
}
END_TEST

START_TEST(a_line_end_never_reaches_a_header)
{
	free(ev->kind);
	ev->kind = str_dup("message\r\nX-Evil: 1");
	build();
	for (size_t i = 0; i < out.n_headers; i++) {
		ck_assert_ptr_null(strpbrk(out.headers[i], "\r\n"));
		ck_assert(!str_starts(out.headers[i], "X-Evil"));
	}
}
END_TEST

START_TEST(wrong_settings_are_found_when_they_are_loaded)
{
	static const struct {
		const char *url, *template, *type, *says;
	} cases[] = {
		{"https://x/", NULL, NULL, NULL},
		{"http://127.0.0.1/", "{\"a\":\"{{title}}\"}", NULL, NULL},
		{"http://127.0.0.1/", "a={{title}}", "application/x-www-form-urlencoded", NULL},
		{NULL, NULL, NULL, "channel \"hook\": url is missing"},
		{"ftp://x/", NULL, NULL, "channel \"hook\": url must begin with"},
		{"https://x/", "{{nonsense}}", "text/plain",
			"channel \"hook\": template, line 1: {{nonsense}} is not known"},
		{"https://x/", "{{title}}", NULL,
			"channel \"hook\": template, line 1: not JSON when filled in"},
		{"https://x/", "x", "image/png",
			"channel \"hook\": content_type \"image/png\" is not known"},
		{"https://x/", NULL, "text/plain",
			"channel \"hook\": content_type is for a template"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		c.url = cases[i].url;
		c.template = cases[i].template;
		c.content_type = cases[i].type;
		err.msg[0] = '\0';
		ck_assert_msg(channel_check(&c, &err) == (cases[i].says ? -EINVAL : 0), "%zu: %s",
			i, err.msg);
		if (cases[i].says)
			ck_assert_msg(str_starts(err.msg, cases[i].says), "%s", err.msg);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("webhook");
	TCase *tc = tcase_create("webhook");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_event_is_posted_as_it_is_stored);
	tcase_add_test(tc, the_delivery_has_a_name_that_survives_retries);
	tcase_add_test(tc, the_signature_covers_time_and_body);
	tcase_add_test(tc, without_a_secret_there_is_no_signature);
	tcase_add_test(tc, a_template_makes_the_body_and_its_type);
	tcase_add_test(tc, a_line_end_never_reaches_a_header);
	tcase_add_test(tc, wrong_settings_are_found_when_they_are_loaded);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
