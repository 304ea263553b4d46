/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "collectors/clock_guard.h"

#define HOUR (3600 * 1000LL)
#define WALL 1795000000000LL

static struct clock_guard g;
static int64_t jump;

/* One sample each 20 s from boot time `from`, the wall clock off by `off`; returns how many
 * samples may be stored. */
static int run(int64_t from, int n, int64_t off, bool synchronized)
{
	int stored = 0;

	for (int i = 0; i < n; i++)
		stored += clock_guard_check(
			&g, WALL + from + i * 20000 + off, from + i * 20000, synchronized, &jump);
	return stored;
}

START_TEST(steady_clock_and_small_corrections_store_always)
{
	clock_guard_init(&g, 0, WALL, 0);
	ck_assert_int_eq(run(0, 10, 0, false), 10);
	ck_assert_int_eq(run(200000, 10, -5000, false), 10);
	ck_assert_int_eq(run(400000, 10, 10 * 60000, false), 10);
}
END_TEST

START_TEST(jump_back_is_held_until_it_is_steady_for_five_minutes)
{
	clock_guard_init(&g, 0, WALL, 0);
	run(0, 1, 0, false);
	ck_assert_int_eq(run(20000, 15, -HOUR, false), 0);
	ck_assert_int_le(jump, -HOUR + 1000);
	ck_assert_int_eq(run(320000, 5, -HOUR, false), 5);
}
END_TEST

START_TEST(jump_forward_is_held_until_the_clock_is_synchronized)
{
	clock_guard_init(&g, 0, WALL, 0);
	run(0, 1, 0, false);
	ck_assert_int_eq(run(20000, 3, 24 * HOUR, false), 0);
	ck_assert_int_eq(run(80000, 3, 24 * HOUR, true), 3);
}
END_TEST

START_TEST(jump_that_is_taken_back_leaves_no_trace)
{
	clock_guard_init(&g, 0, WALL, 0);
	run(0, 1, 0, false);
	ck_assert_int_eq(run(20000, 3, 24 * HOUR, false), 0);
	ck_assert_int_eq(run(80000, 3, 0, false), 3);
	ck_assert_int_eq(run(140000, 1, 24 * HOUR, false), 0);
}
END_TEST

START_TEST(clock_that_keeps_jumping_stays_held)
{
	clock_guard_init(&g, 0, WALL, 0);
	run(0, 1, 0, false);
	for (int i = 1; i < 40; i++)
		ck_assert_int_eq(run(i * 20000, 1, -HOUR * i, false), 0);
}
END_TEST

START_TEST(start_before_the_last_stored_sample_is_a_jump_back)
{
	clock_guard_init(&g, WALL, WALL - 24 * HOUR, 0);
	ck_assert_int_eq(run(0, 3, -24 * HOUR, false), 0);
	ck_assert_int_eq(run(60000, 1, 0, false), 1);
	clock_guard_init(&g, WALL, WALL + 1000 * HOUR, 0); /* the server was off for a while */
	ck_assert_int_eq(run(0, 1, 1000 * HOUR, false), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("clock_guard");
	TCase *t = tcase_create("clock_guard");
	SRunner *sr;
	int failed;

	tcase_add_test(t, steady_clock_and_small_corrections_store_always);
	tcase_add_test(t, jump_back_is_held_until_it_is_steady_for_five_minutes);
	tcase_add_test(t, jump_forward_is_held_until_the_clock_is_synchronized);
	tcase_add_test(t, jump_that_is_taken_back_leaves_no_trace);
	tcase_add_test(t, clock_that_keeps_jumping_stays_held);
	tcase_add_test(t, start_before_the_last_stored_sample_is_a_jump_back);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
