/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
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
	c = (struct channel){.name = "am",
		.type = &channel_alertmanager,
		.url = "http://127.0.0.1:9093",
		.recoveries = true};
	ev = event_new(EVENT_ALERT_FIRING, SEVERITY_WARNING, "disk filesystem//");
	ev->id = 7;
	ev->time_ms = 1700000300000;
	ev->since_ms = 1700000000000;
	ev->value = 93.1;
	event_set(&ev->host, "web-1");
	event_set(&ev->rule, "disk");
	event_set(&ev->class, "filesystem");
	event_set(&ev->entity, "/");
	event_set(&ev->metric, "used_percent");
	event_set(&ev->link, "/#/host");
	event_title(ev, "Disk / is 93.1 %% full");
	event_text(ev, "Remove what is not needed.");
	event_fact(ev, "Limit", "above 90 %%");
	m = (struct message){.events = {ev},
		.n = 1,
		.host = "web-1",
		.url = "https://dash.example.com",
		.now_ms = 1700000301000};
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

static void build(void)
{
	outgoing_done(&out);
	ck_assert_msg(
		channel_alertmanager.build(&c, NULL, &m, false, &out, &err) == 0, "%s", err.msg);
	json_decref(body);
	body = json_loads(buf_str(&out.body), 0, NULL);
	ck_assert_msg(json_is_array(body), "%s", buf_str(&out.body));
}

static const char *text(size_t i, const char *group, const char *name)
{
	const json_t *j = json_array_get(body, i);

	return json_string_value(json_object_get(group ? json_object_get(j, group) : j, name));
}

START_TEST(an_alert_is_told_with_labels_and_words)
{
	build();
	ck_assert_uint_eq(json_array_size(body), 1);
	ck_assert_str_eq(text(0, "labels", "alertname"), "disk");
	ck_assert_str_eq(text(0, "labels", "severity"), "warning");
	ck_assert_str_eq(text(0, "labels", "instance"), "web-1");
	ck_assert_str_eq(text(0, "labels", "entity"), "filesystem//");
	ck_assert_str_eq(text(0, "labels", "class"), "filesystem");
	ck_assert_str_eq(text(0, "annotations", "summary"), "Disk / is 93.1 % full");
	ck_assert_str_eq(text(0, "annotations", "description"),
		"Remove what is not needed.\nLimit: above 90 %");
	ck_assert_str_eq(text(0, NULL, "startsAt"), "2023-11-14T22:13:20Z");
	ck_assert_str_eq(text(0, NULL, "generatorURL"), "https://dash.example.com/#/host");
}
END_TEST

/* Alertmanager ends an alert by itself when it is not told again. */
START_TEST(a_firing_alert_lives_for_a_week)
{
	build();
	ck_assert_str_eq(text(0, NULL, "endsAt"), "2023-11-21T22:18:21Z");
}
END_TEST

static json_t *labels_of(size_t i)
{
	return json_object_get(json_array_get(body, i), "labels");
}

/* The labels are all that it knows an alert by. */
START_TEST(the_recovery_has_the_labels_of_the_alert_and_ends_it)
{
	json_t *fired;

	build();
	fired = json_deep_copy(labels_of(0));
	free(ev->kind);
	ev->kind = str_dup(EVENT_ALERT_RECOVERED);
	ev->is_end = true;
	ev->id = 8;
	ev->value = 50;
	ev->duration_ms = 300000;
	event_title(ev, "Disk / is fine again");
	build();
	ck_assert_uint_eq(json_array_size(body), 1);
	ck_assert(json_equal(fired, labels_of(0)));
	ck_assert_str_eq(text(0, NULL, "startsAt"), "2023-11-14T22:13:20Z");
	ck_assert_str_eq(text(0, NULL, "endsAt"), "2023-11-14T22:18:20Z");
	json_decref(fired);
}
END_TEST

START_TEST(the_end_of_what_got_worse_ends_both)
{
	ev->severity = SEVERITY_CRITICAL;
	ev->is_end = true;
	build();
	ck_assert_uint_eq(json_array_size(body), 2);
	ck_assert_str_eq(text(0, "labels", "severity"), "warning");
	ck_assert_str_eq(text(1, "labels", "severity"), "critical");
	ck_assert_str_eq(text(0, NULL, "endsAt"), text(1, NULL, "endsAt"));
}
END_TEST

/* Or it would refuse the alert. */
START_TEST(the_start_is_never_after_the_end)
{
	ev->since_ms = ev->time_ms + 5000;
	ev->is_end = true;
	build();
	ck_assert_str_eq(text(0, NULL, "startsAt"), text(0, NULL, "endsAt"));
}
END_TEST

static void message_by_hand(const char *key)
{
	event_free(ev);
	ev = event_new(EVENT_MESSAGE, SEVERITY_INFO, key);
	ev->id = 12;
	ev->time_ms = 1700000300000;
	event_title(ev, "Hello");
	m.events[0] = ev;
	build();
}

START_TEST(a_message_by_hand_is_an_alert_of_its_own_that_ends)
{
	message_by_hand("");
	ck_assert_str_eq(text(0, "labels", "alertname"), "message");
	ck_assert_str_eq(text(0, "labels", "event"), "12");
	ck_assert_ptr_null(text(0, "labels", "entity"));
	ck_assert_ptr_null(text(0, "annotations", "description")); /* nothing to say */
	ck_assert_ptr_null(text(0, NULL, "generatorURL"));
	ck_assert_str_eq(text(0, NULL, "endsAt"), "2023-11-14T23:18:21Z");
}
END_TEST

START_TEST(a_story_by_hand_is_ended_by_its_key_whatever_its_severity)
{
	message_by_hand("migration");
	ck_assert_str_eq(text(0, "labels", "key"), "migration");
	ck_assert_ptr_null(text(0, "labels", "event"));
	ev->is_end = true;
	build();
	ck_assert_uint_eq(json_array_size(body), 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(text(i, "labels", "key"), "migration");
		ck_assert_str_eq(text(i, "labels", "severity"), severity_name((enum severity)i));
	}
}
END_TEST

START_TEST(several_alerts_go_in_one_request)
{
	struct event *other = event_new(EVENT_ALERT_FIRING, SEVERITY_CRITICAL, "cpu host/");

	event_set(&other->rule, "cpu");
	event_set(&other->class, "host");
	m.events[1] = other;
	m.n = 2;
	build();
	ck_assert_uint_eq(json_array_size(body), 2);
	ck_assert_str_eq(text(1, "labels", "alertname"), "cpu");
	event_free(other);
}
END_TEST

START_TEST(the_largest_events_still_fit_in_one_request)
{
	_cleanup_(free_p) char *quotes = malloc(EVENT_TEXT_MAX + 1);

	ck_assert_ptr_nonnull(quotes);
	memset(quotes, '"', EVENT_TEXT_MAX);
	quotes[EVENT_TEXT_MAX] = '\0';
	event_text(ev, "%s", quotes);
	event_title(ev, "%s", quotes);
	event_set(&ev->entity, quotes);
	ev->is_end = true;
	ev->severity = SEVERITY_CRITICAL;
	m.n = MESSAGE_EVENTS_MAX;
	for (size_t i = 0; i < m.n; i++)
		m.events[i] = ev;
	build();
	ck_assert_uint_eq(json_array_size(body), 2 * MESSAGE_EVENTS_MAX);
}
END_TEST

START_TEST(the_address_may_be_written_in_any_usual_way)
{
	static const char *const urls[] = {
		"http://am:9093", "http://am:9093/", "http://am:9093/api/v2/alerts"};

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		c.url = urls[i];
		build();
		ck_assert_str_eq(out.url, "http://am:9093/api/v2/alerts");
	}
	c.url = "https://example.com/alertmanager/";
	build();
	ck_assert_str_eq(out.url, "https://example.com/alertmanager/api/v2/alerts");
}
END_TEST

START_TEST(a_login_of_a_proxy_in_front_is_sent)
{
	build();
	ck_assert_uint_eq(out.n_headers, 1);
	c.secret = "s3cret";
	build();
	ck_assert_str_eq(out.headers[1], "Authorization: Bearer s3cret");
	c.user = "agent";
	build();
	ck_assert_str_eq(out.headers[1], "Authorization: Basic YWdlbnQ6czNjcmV0");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("alertmanager");
	TCase *tc = tcase_create("alertmanager");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_alert_is_told_with_labels_and_words);
	tcase_add_test(tc, a_firing_alert_lives_for_a_week);
	tcase_add_test(tc, the_recovery_has_the_labels_of_the_alert_and_ends_it);
	tcase_add_test(tc, the_end_of_what_got_worse_ends_both);
	tcase_add_test(tc, the_start_is_never_after_the_end);
	tcase_add_test(tc, a_message_by_hand_is_an_alert_of_its_own_that_ends);
	tcase_add_test(tc, a_story_by_hand_is_ended_by_its_key_whatever_its_severity);
	tcase_add_test(tc, several_alerts_go_in_one_request);
	tcase_add_test(tc, the_largest_events_still_fit_in_one_request);
	tcase_add_test(tc, the_address_may_be_written_in_any_usual_way);
	tcase_add_test(tc, a_login_of_a_proxy_in_front_is_sent);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
