/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_client.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/http_answer.h"

START_TEST(a_stream_is_delivered_as_it_comes)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.url = url_of("/stream"), .on_data = on_data});
	TURN_UNTIL(loop, a.data_len == 6);
	ck_assert_str_eq(a.data, "event1");
	turn_idle(loop);
	ck_assert_int_eq(a.count, 0);
	http_request_cancel(a.request);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 0);
}
END_TEST

START_TEST(a_stream_keeps_no_body_and_has_no_bound)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.url = url_of("/flood"), .on_data = on_data});
	TURN_UNTIL(loop, a.data_len > 1000000);
	ck_assert_int_eq(a.count, 0);
	a.stop = true;
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, -ECANCELED);
	ck_assert_int_eq(a.status, 200);
	ck_assert_uint_eq(a.body_len, 0);
}
END_TEST

START_TEST(a_stream_that_ends_is_done)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.url = url_of("/chunked"), .on_data = on_data});
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, 0);
	ck_assert_uint_eq(a.data_len, 20);
}
END_TEST

/* In these, a callback runs while curl itself is running. */
START_TEST(a_request_may_cancel_itself_while_data_comes)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.url = url_of("/flood"), .on_data = on_data});
	a.cancel = a.request;
	TURN_UNTIL(loop, !a.cancel);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 0);
}
END_TEST

START_TEST(a_request_may_cancel_another_while_data_comes)
{
	struct answer a = {0}, other = {0};

	get(&other, "/hang");
	launch(&a, (struct http_request_options){.url = url_of("/chunked"), .on_data = on_data});
	a.cancel = other.request;
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, 0);
	turn_idle(loop);
	ck_assert_int_eq(other.count, 0);
}
END_TEST

START_TEST(a_request_may_start_another_while_data_comes)
{
	struct answer a = {0}, next = {0};

	launch(&a, (struct http_request_options){.url = url_of("/stream"), .on_data = on_data});
	a.start_next = &next;
	TURN_UNTIL(loop, next.count);
	ck_assert_int_eq(next.error, 0);
	http_request_cancel(a.request);
}
END_TEST

START_TEST(the_client_may_be_freed_while_data_comes)
{
	struct answer a = {0}, other = {0};

	get(&other, "/hang");
	launch(&a, (struct http_request_options){.url = url_of("/flood"), .on_data = on_data});
	a.free_client = true;
	TURN_UNTIL(loop, !client);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 0);
	ck_assert_int_eq(other.count, 0);
}
END_TEST

/* And in these at the end of a request. */
START_TEST(the_end_of_a_request_may_start_and_cancel_others)
{
	struct answer a = {0}, next = {0}, other = {0};

	get(&other, "/hang");
	get(&a, "/hello");
	a.start_next = &next;
	a.cancel = other.request;
	TURN_UNTIL(loop, next.count);
	ck_assert_int_eq(next.error, 0);
	turn_idle(loop);
	ck_assert_int_eq(other.count, 0);
}
END_TEST

START_TEST(cancelling_at_its_own_end_does_nothing)
{
	struct answer a = {0};

	get(&a, "/hello");
	a.cancel = a.request;
	TURN_UNTIL(loop, a.count);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 1);
}
END_TEST

START_TEST(the_client_may_be_freed_at_the_end_of_a_request)
{
	struct answer a = {0}, other = {0};

	get(&a, "/hello");
	get(&other, "/hang");
	a.free_client = true;
	TURN_UNTIL(loop, !client);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 1);
	ck_assert_int_eq(other.count, 0);
}
END_TEST

START_TEST(freeing_the_client_ends_what_is_under_way_and_leaves_nothing)
{
	int before = count_descriptors();
	struct answer a[10] = {{0}};

	for (int i = 0; i < 10; i++)
		get(&a[i], i % 2 ? "/hang" : "/stream");
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(loop_turn(loop, 20, NULL), 0);
	http_client_free(client);
	client = NULL;
	turn_idle(loop);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(a[i].count, 0);
	ck_assert_int_eq(count_descriptors(), before);
	http_client_free(NULL);
	http_request_cancel(NULL);
}
END_TEST

static int count_ended(const struct answer *a, int n)
{
	int ended = 0;

	for (int i = 0; i < n; i++)
		ended += a[i].count;
	return ended;
}

START_TEST(many_at_once_all_end)
{
	static struct answer a[100];

	memset(a, 0, sizeof(a));
	for (int i = 0; i < 100; i++)
		get(&a[i], i % 3 ? "/hello" : "/chunked");
	TURN_UNTIL(loop, count_ended(a, 100) == 100);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(a[i].error, 0);
	/* Few connections stay open for later. */
	ck_assert_int_lt(count_descriptors(), 30);
}
END_TEST

START_TEST(an_idle_client_does_not_wake_the_loop)
{
	struct answer a = {0};
	int64_t start_ms;

	get_to_the_end(&a, "/hello");
	start_ms = clock_mono_ms();
	ck_assert_int_eq(loop_turn(loop, 300, NULL), 0);
	ck_assert_int_ge(clock_mono_ms() - start_ms, 299);
}
END_TEST

static Suite *http_callbacks_suite(void)
{
	Suite *s = suite_create("http_callbacks");
	TCase *tc = tcase_create("http_callbacks");

	tcase_add_checked_fixture(tc, start_server, stop_server);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_stream_is_delivered_as_it_comes);
	tcase_add_test(tc, a_stream_keeps_no_body_and_has_no_bound);
	tcase_add_test(tc, a_stream_that_ends_is_done);
	tcase_add_test(tc, a_request_may_cancel_itself_while_data_comes);
	tcase_add_test(tc, a_request_may_cancel_another_while_data_comes);
	tcase_add_test(tc, a_request_may_start_another_while_data_comes);
	tcase_add_test(tc, the_client_may_be_freed_while_data_comes);
	tcase_add_test(tc, the_end_of_a_request_may_start_and_cancel_others);
	tcase_add_test(tc, cancelling_at_its_own_end_does_nothing);
	tcase_add_test(tc, the_client_may_be_freed_at_the_end_of_a_request);
	tcase_add_test(tc, freeing_the_client_ends_what_is_under_way_and_leaves_nothing);
	tcase_add_test(tc, many_at_once_all_end);
	tcase_add_test(tc, an_idle_client_does_not_wake_the_loop);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(http_callbacks_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
