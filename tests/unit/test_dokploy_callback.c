/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "notify/channel_types.h"

static struct channel c;
static struct event *ev;
static struct message m;
static struct outgoing out;
static struct err err;
static json_t *body;

static void setup(void)
{
	c = (struct channel){.name = "dokploy",
		.type = &channel_dokploy,
		.url = "https://dokploy.example.com/api/trpc/notification.receiveNotification",
		.secret = "metrics-token",
		.recoveries = true};
	ev = event_new(EVENT_ALERT_FIRING, SEVERITY_WARNING, "cpu host/");
	ev->time_ms = 1700000000123;
	ev->value = 91.2;
	ev->limit = 85;
	event_set(&ev->class, "host");
	event_set(&ev->metric, "cpu_used_percent");
	event_title(ev, "CPU is 91.2 %% busy");
	m = (struct message){
		.events = {ev}, .n = 1, .host = "web-1", .url = "", .now_ms = 1700000005000};
	outgoing_init(&out);
	err.msg[0] = '\0';
	body = NULL;
}

static void teardown(void)
{
	event_free(ev);
	outgoing_done(&out);
	json_decref(body);
}

/* The object inside {"json": ...}. */
static json_t *build(void)
{
	outgoing_done(&out);
	ck_assert_msg(channel_dokploy.build(&c, NULL, &m, false, &out, &err) == 0, "%s", err.msg);
	json_decref(body);
	body = json_loads(buf_str(&out.body), 0, NULL);
	ck_assert_ptr_nonnull(body);
	ck_assert_uint_eq(json_object_size(body), 1);
	return json_object_get(body, "json");
}

static const char *text(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	ck_assert_msg(s, "no text %s", name);
	return s;
}

START_TEST(the_body_is_that_of_its_own_monitoring)
{
	json_t *j = build();

	ck_assert_str_eq(out.url, c.url);
	ck_assert_uint_eq(json_object_size(j), 7);
	ck_assert_str_eq(text(j, "ServerType"), "Dokploy");
	ck_assert_str_eq(text(j, "Type"), "CPU");
	ck_assert_double_eq_tol(json_number_value(json_object_get(j, "Value")), 91.2, 1e-9);
	ck_assert_double_eq_tol(json_number_value(json_object_get(j, "Threshold")), 85, 1e-9);
	ck_assert_str_eq(text(j, "Message"), "CPU usage (91.20%) exceeded threshold (85.00%)");
	ck_assert_str_eq(text(j, "Timestamp"), "2023-11-14T22:13:20Z");
	ck_assert_str_eq(text(j, "Token"), "metrics-token");
	ck_assert_uint_eq(out.n_headers, 1);
	ck_assert_str_eq(out.headers[0], "Content-Type: application/json");
}
END_TEST

START_TEST(memory_and_a_remote_server_have_their_names)
{
	json_t *j;

	c.server_type = "Remote";
	event_set(&ev->metric, "memory_used_percent");
	j = build();
	ck_assert_str_eq(text(j, "ServerType"), "Remote");
	ck_assert_str_eq(text(j, "Type"), "Memory");
}
END_TEST

START_TEST(only_what_it_knows_is_delivered)
{
	ck_assert(channel_wants(&c, ev));
	event_set(&ev->metric, "memory_used_percent");
	ck_assert(channel_wants(&c, ev));
	event_set(&ev->metric, "load1");
	ck_assert(!channel_wants(&c, ev));
	ck_assert_int_eq(channel_dokploy.build(&c, NULL, &m, false, &out, &err), -EINVAL);
	event_set(&ev->metric, "cpu_used_percent");
	event_set(&ev->class, "container");
	ck_assert(!channel_wants(&c, ev));
	event_set(&ev->class, "host");
	ev->value = NAN;
	ck_assert(!channel_wants(&c, ev));
	ev->value = 50;
	ev->is_end = true;
	ck_assert(!channel_wants(&c, ev));
}
END_TEST

/* A person asked for it, and wants to see it arrive. */
START_TEST(a_test_looks_like_something_it_takes)
{
	struct event *test = event_new(EVENT_TEST, SEVERITY_INFO, "");
	json_t *j;

	event_title(test, "A test from \"web-1\"");
	m.events[0] = test;
	j = build();
	ck_assert_str_eq(text(j, "Type"), "CPU");
	ck_assert_str_eq(text(j, "Message"), "A test from \"web-1\"");
	ck_assert(json_is_number(json_object_get(j, "Value")));
	event_free(test);
}
END_TEST

START_TEST(a_wrong_token_is_the_channels_fault)
{
	struct answer a = {.status = 400,
		.body = "{\"error\":{\"json\":{\"message\":\"Token not found\",\"code\":-32600}}}",
		.retry_after_ms = -1};
	struct verdict_of v;

	channel_dokploy.judge(&c, &a, &v);
	ck_assert_int_eq(v.verdict, VERDICT_BROKEN);
	ck_assert_ptr_nonnull(strstr(v.why, "Token not found"));
	a.body = "{\"error\":{\"json\":{\"message\":\"Invalid enum value\"}}}";
	channel_dokploy.judge(&c, &a, &v);
	ck_assert_int_eq(v.verdict, VERDICT_REFUSED);
	a.status = 200;
	channel_dokploy.judge(&c, &a, &v);
	ck_assert_int_eq(v.verdict, VERDICT_SENT);
}
END_TEST

START_TEST(settings_are_checked)
{
	c.server_type = "remote";
	ck_assert_int_eq(channel_check(&c, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "expected Dokploy or Remote"));
	c.server_type = NULL;
	ck_assert_int_eq(channel_check(&c, &err), 0);
	c.secret = NULL;
	ck_assert_int_eq(channel_check(&c, &err), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dokploy_callback");
	TCase *tc = tcase_create("dokploy_callback");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_body_is_that_of_its_own_monitoring);
	tcase_add_test(tc, memory_and_a_remote_server_have_their_names);
	tcase_add_test(tc, only_what_it_knows_is_delivered);
	tcase_add_test(tc, a_test_looks_like_something_it_takes);
	tcase_add_test(tc, a_wrong_token_is_the_channels_fault);
	tcase_add_test(tc, settings_are_checked);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
