/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <jansson.h>

#include "base/wire.h"
#include "tests/unit/spool_case.h"

static const int64_t now = 1800000000000;

static void refuse_second(const char *error)
{
	struct delivery_result result = {2, DELIVERY_REFUSED};
	struct err e = {""};

	ck_assert_msg(spool_settle(spool, &result, 1, error, now, &e) == 0, "%s", e.msg);
}

/* The list as the API wraps it. */
static json_t *list(bool events, struct spool_query q, size_t max)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(max), all = BUF_INIT(max + 100);
	struct err e = {""};
	json_t *j;
	int r = events ? spool_list_events(spool, &q, &b, &e)
		       : spool_list_deliveries(spool, &q, &b, &e);

	ck_assert_msg(r == 0, "%s", e.msg);
	ck_assert(!b.overflow);
	buf_addf(&all, "{\"list\":[%s]}", buf_str(&b));
	j = wire_parse(all.data, all.len, &e);
	ck_assert_msg(j != NULL, "%s", e.msg);
	return j;
}

static const char *text(json_t *j, size_t i, const char *name)
{
	json_t *one = json_array_get(json_object_get(j, "list"), i);

	return json_string_value(json_object_get(one, name));
}

static int64_t number(json_t *j, size_t i, const char *name)
{
	json_t *one = json_array_get(json_object_get(j, "list"), i);

	return json_integer_value(json_object_get(one, name));
}

static size_t length(json_t *j)
{
	return json_array_size(json_object_get(j, "list"));
}

static void add_three(void)
{
	struct event *ev = an_event("a", now, SEVERITY_WARNING);

	event_set(&ev->class, "filesystem");
	event_set(&ev->entity, "/");
	(void)add_event_for(ev, "mail", "chat", NULL);
	ev = event_new(EVENT_MESSAGE, SEVERITY_INFO, "");
	event_title(ev, "tea \"is\" ready");
	(void)add_event_for(ev, NULL);
	ev = event_new(EVENT_ALERT_RECOVERED, SEVERITY_WARNING, "a");
	event_set(&ev->class, "filesystem");
	event_set(&ev->entity, "/");
	(void)add_event_for(ev, "mail", NULL);
}

START_TEST(events_are_listed_newest_first)
{
	json_t *j;

	add_three();
	refuse_second("no");
	j = list(true, (struct spool_query){.limit = 10}, 100000);
	ck_assert_uint_eq(length(j), 3);
	ck_assert_str_eq(text(j, 0, "kind"), "alert.recovered");
	ck_assert_int_eq(number(j, 1, "id"), 2);
	ck_assert_str_eq(text(j, 1, "title"), "tea \"is\" ready");
	ck_assert_str_eq(text(j, 2, "entity"), "filesystem//");
	json_t *d = json_object_get(json_array_get(json_object_get(j, "list"), 2), "deliveries");
	ck_assert_uint_eq(json_array_size(d), 2);
	ck_assert_str_eq(
		json_string_value(json_object_get(json_array_get(d, 1), "channel")), "chat");
	ck_assert_str_eq(
		json_string_value(json_object_get(json_array_get(d, 1), "state")), "refused");
	json_decref(j);
}
END_TEST

START_TEST(events_are_found_by_page_kind_and_entity)
{
	json_t *j;

	add_three();
	j = list(true, (struct spool_query){.limit = 1, .before_id = 3}, 100000);
	ck_assert_uint_eq(length(j), 1);
	ck_assert_int_eq(number(j, 0, "id"), 2);
	json_decref(j);
	j = list(true, (struct spool_query){.limit = 10, .kinds = "alert.*,!alert.recovered"},
		100000);
	ck_assert_uint_eq(length(j), 2); /* the first pattern that fits decides */
	json_decref(j);
	j = list(true, (struct spool_query){.limit = 10, .kinds = "!alert.recovered"}, 100000);
	ck_assert_uint_eq(length(j), 2);
	ck_assert_int_eq(number(j, 0, "id"), 2);
	json_decref(j);
	j = list(true, (struct spool_query){.limit = 10, .entity = "filesystem//"}, 100000);
	ck_assert_uint_eq(length(j), 2);
	json_decref(j);
}
END_TEST

START_TEST(a_list_that_does_not_fit_ends_earlier)
{
	json_t *j;

	add_three();
	j = list(true, (struct spool_query){.limit = 10}, 450);
	ck_assert_uint_ge(length(j), 1);
	ck_assert_uint_lt(length(j), 3);
	json_decref(j);
}
END_TEST

START_TEST(deliveries_are_listed_with_what_became_of_them)
{
	struct spool_query wrong = {.limit = 10, .state = "lost"};
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
	struct err e = {""};
	json_t *j;

	add_three();
	refuse_second("no \"such\" chat");
	j = list(false, (struct spool_query){.limit = 10}, 100000);
	ck_assert_uint_eq(length(j), 3);
	ck_assert_int_eq(number(j, 0, "id"), 3);
	ck_assert_str_eq(text(j, 0, "state"), "waiting");
	ck_assert_int_eq(number(j, 1, "event_id"), 1);
	ck_assert_str_eq(text(j, 1, "title"), "a at 1800000000000");
	ck_assert_str_eq(text(j, 1, "severity"), "warning");
	ck_assert_str_eq(text(j, 1, "kind"), "alert.firing");
	ck_assert_str_eq(text(j, 1, "channel"), "chat");
	ck_assert_str_eq(text(j, 1, "state"), "refused");
	ck_assert_str_eq(text(j, 1, "error"), "no \"such\" chat");
	ck_assert_int_eq(number(j, 1, "attempts"), 1);
	ck_assert_int_eq(number(j, 1, "settled_ms"), now);
	json_decref(j);
	j = list(false, (struct spool_query){.limit = 10, .channel = "mail"}, 100000);
	ck_assert_uint_eq(length(j), 2);
	json_decref(j);
	j = list(false, (struct spool_query){.limit = 10, .state = "refused"}, 100000);
	ck_assert_uint_eq(length(j), 1);
	json_decref(j);
	j = list(false, (struct spool_query){.limit = 10, .before_id = 2}, 100000);
	ck_assert_uint_eq(length(j), 1);
	ck_assert_int_eq(number(j, 0, "id"), 1);
	json_decref(j);
	ck_assert_int_eq(spool_list_deliveries(spool, &wrong, &b, &e), -EINVAL);
}
END_TEST

static Suite *list_suite(void)
{
	Suite *s = suite_create("spool_list");
	TCase *tc = tcase_create("spool_list");

	tcase_add_checked_fixture(tc, spool_case_setup, spool_case_teardown);
	tcase_add_test(tc, events_are_listed_newest_first);
	tcase_add_test(tc, events_are_found_by_page_kind_and_entity);
	tcase_add_test(tc, a_list_that_does_not_fit_ends_earlier);
	tcase_add_test(tc, deliveries_are_listed_with_what_became_of_them);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(list_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
