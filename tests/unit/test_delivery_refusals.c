/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/delivery_refusals.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/scratch.h"
#include "tests/unit/turns.h"

static struct loop *loop;
static struct db *db;
static struct delivery_refusals *refusals;
static struct err e;
static int64_t now_ms;

static void open_all(void)
{
	static const char *const schema[] = {DELIVERY_SCHEMA};

	ck_assert_int_ge(db_open(scratch_path("state.db"), schema, 1, &db, &e), 0);
	ck_assert_int_eq(delivery_refusals_open(loop, db, &refusals, &e), 0);
}

static void close_all(void)
{
	delivery_refusals_free(refusals);
	db_close(db);
}

static void setup(void)
{
	scratch_make();
	ck_assert_int_eq(loop_new(&loop, &e), 0);
	now_ms = 1700000000000;
	open_all();
}

static void teardown(void)
{
	close_all();
	loop_free(loop);
	scratch_remove();
}

static void note(const char *app, bool is_known, const char *peer, const char *why)
{
	const struct delivery_refusal r = {.app = app,
		.is_known = is_known,
		.peer = peer,
		.provider = "github",
		.event = "push",
		.status = 401,
		.why = why};

	delivery_refusals_note(refusals, &r, now_ms);
}

static json_t *list(size_t limit)
{
	json_t *j = NULL;

	ck_assert_msg(delivery_refusals_list(refusals, limit, &j, &e) == 0, "%s", e.msg);
	return j;
}

/* "APP PEER WHY COUNT" of each, with commas. */
static const char *told(void)
{
	static char text[4096];
	json_t *j = list(100);
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(j); i++) {
		const char *app, *peer, *why;
		json_int_t count;

		ck_assert_int_eq(json_unpack(json_array_get(j, i), "{s:s, s:s, s:s, s:I}", "app",
					 &app, "peer", &peer, "why", &why, "count", &count),
			0);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s %s %lld", i ? ", " : "",
			app, peer, why, (long long)count);
	}
	json_decref(j);
	return text;
}

START_TEST(the_newest_comes_first)
{
	note("shop", true, "192.0.2.1", "wrong");
	now_ms += 5;
	note("blog", true, "192.0.2.1", "wrong");
	ck_assert_str_eq(told(), "blog 192.0.2.1 wrong 1, shop 192.0.2.1 wrong 1");
	json_t *one = list(1);
	ck_assert_uint_eq(json_array_size(one), 1);
	ck_assert_int_eq(
		json_integer_value(json_object_get(json_array_get(one, 0), "time_ms")), now_ms);
	json_decref(one);
}
END_TEST

/* Whether they are written between them or not. */
START_TEST(of_one_sender_app_and_reason_there_is_one_row)
{
	for (int i = 0; i < 10; i++) {
		note("shop", true, "192.0.2.1", "wrong");
		if (_i)
			(void)told();
	}
	note("shop", true, "192.0.2.2", "wrong");
	note("shop", true, "192.0.2.1", "late");
	now_ms += 1;
	note("shop", true, "192.0.2.1", "wrong");
	ck_assert_str_eq(
		told(), "shop 192.0.2.1 wrong 11, shop 192.0.2.1 late 1, shop 192.0.2.2 wrong 1");
}
END_TEST

START_TEST(after_an_hour_there_is_a_new_one)
{
	note("shop", true, "192.0.2.1", "wrong");
	ck_assert_str_eq(told(), "shop 192.0.2.1 wrong 1");
	now_ms += DELIVERY_REFUSALS_MERGED_MS + 1;
	note("shop", true, "192.0.2.1", "wrong");
	ck_assert_str_eq(told(), "shop 192.0.2.1 wrong 1, shop 192.0.2.1 wrong 1");
}
END_TEST

START_TEST(who_tries_names_of_apps_gets_one_row_for_all)
{
	for (int i = 0; i < 300; i++) {
		char name[20];

		(void)snprintf(name, sizeof(name), "app%d", i);
		note(name, false, "192.0.2.1", "none");
		if (i % 7 == 0)
			(void)told();
	}
	ck_assert_str_eq(told(), "app299 192.0.2.1 none 300");
}
END_TEST

START_TEST(many_senders_push_out_the_oldest)
{
	json_t *j;

	for (int i = 0; i < 10 * DELIVERY_REFUSALS_PENDING; i++) {
		char peer[32];

		(void)snprintf(peer, sizeof(peer), "192.0.%d.%d", i / 250, i % 250);
		now_ms++;
		note("shop", true, peer, "wrong");
		if (i % DELIVERY_REFUSALS_PENDING == 0)
			(void)told();
	}
	j = list(DELIVERY_REFUSALS_KEPT * 2);
	ck_assert_uint_eq(json_array_size(j), DELIVERY_REFUSALS_KEPT);
	json_decref(j);
}
END_TEST

/* Between two writes there is only so much memory for it. */
START_TEST(a_flood_of_different_ones_is_bounded)
{
	json_t *j;

	for (int i = 0; i < 5000; i++) {
		char peer[32];

		(void)snprintf(peer, sizeof(peer), "192.0.%d.%d", i / 250, i % 250);
		note("shop", true, peer, "wrong");
	}
	j = list(DELIVERY_REFUSALS_KEPT);
	ck_assert_uint_eq(json_array_size(j), DELIVERY_REFUSALS_PENDING);
	json_decref(j);
}
END_TEST

START_TEST(they_are_written_by_themselves_and_at_the_end)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;

	note("shop", true, "192.0.2.1", "wrong");
	ck_assert_int_eq(db_prepare(db, "SELECT count(*) FROM refused_delivery", &s, &e), 0);
	do {
		ck_assert_int_eq(loop_turn(loop, 50, NULL), 0);
		db_reset(s);
		ck_assert_int_eq(db_step(s, &e), DB_ROW);
	} while (db_int(s, 0) == 0);
	db_finalize(s);
	s = NULL;
	note("blog", true, "192.0.2.1", "wrong");
	close_all();
	open_all();
	ck_assert_ptr_nonnull(strstr(told(), "shop"));
	ck_assert_ptr_nonnull(strstr(told(), "blog"));
}
END_TEST

START_TEST(bytes_of_strangers_are_made_into_text)
{
	char lengthy[1000];

	memset(lengthy, 'x', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	note("sh\x1b[31mop\xff\n", true, "192.0.2.1", lengthy);
	json_t *j = list(1), *one = json_array_get(j, 0);
	const char *app = json_string_value(json_object_get(one, "app"));

	ck_assert_ptr_nonnull(app);
	ck_assert_ptr_null(strpbrk(app, "\x1b\n\xff"));
	ck_assert_uint_eq(json_string_length(json_object_get(one, "why")), 299);
	json_decref(j);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("delivery_refusals");
	TCase *tc = tcase_create("delivery_refusals");
	SRunner *runner = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_newest_comes_first);
	tcase_add_loop_test(tc, of_one_sender_app_and_reason_there_is_one_row, 0, 2);
	tcase_add_test(tc, after_an_hour_there_is_a_new_one);
	tcase_add_test(tc, who_tries_names_of_apps_gets_one_row_for_all);
	tcase_add_test(tc, many_senders_push_out_the_oldest);
	tcase_add_test(tc, a_flood_of_different_ones_is_bounded);
	tcase_add_test(tc, they_are_written_by_themselves_and_at_the_end);
	tcase_add_test(tc, bytes_of_strangers_are_made_into_text);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
