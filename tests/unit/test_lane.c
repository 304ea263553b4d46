/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/lane.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct lane lane;
static struct lane_place a, b, c, d;
static char turns[16]; /* whose turn it was, in order */

static void setup(void)
{
	lane = (struct lane){.max = 1, .max_waiting = 2};
	memset(&a, 0, sizeof(a));
	b = c = d = a;
	memset(turns, 0, sizeof(turns));
}

static void on_turn(void *user)
{
	turns[strlen(turns)] = *(const char *)user;
}

static bool enter(struct lane_place *p, const char *name)
{
	return lane_enter(&lane, p, on_turn, (void *)(uintptr_t)name);
}

START_TEST(they_come_in_their_order)
{
	ck_assert(enter(&a, "a") && enter(&b, "b") && enter(&c, "c"));
	ck_assert_str_eq(turns, "a");
	lane_leave(&a);
	ck_assert_str_eq(turns, "ab");
	lane_leave(&b);
	lane_leave(&c);
	ck_assert_str_eq(turns, "abc");
	ck_assert(enter(&d, "d"));
	ck_assert_str_eq(turns, "abcd");
}
END_TEST

START_TEST(only_so_many_wait)
{
	ck_assert(enter(&a, "a") && enter(&b, "b") && enter(&c, "c"));
	ck_assert(!enter(&d, "d"));
	lane_leave(&d); /* it is nowhere */
	lane_leave(&a);
	ck_assert(enter(&d, "d"));
}
END_TEST

START_TEST(who_waits_may_leave)
{
	static struct lane_place *const who[] = {&b, &c};

	ck_assert(enter(&a, "a") && enter(&b, "b") && enter(&c, "c"));
	lane_leave(who[_i]);
	lane_leave(who[_i]); /* again: nothing */
	ck_assert(enter(&d, "d"));
	lane_leave(&a);
	lane_leave(who[!_i]);
	ck_assert_str_eq(turns, _i ? "abd" : "acd");
	lane_leave(&d);
	ck_assert_uint_eq(lane.in, 0);
	ck_assert_uint_eq(lane.waiting, 0);
}
END_TEST

static void leave_at_once(void *user)
{
	on_turn("x");
	lane_leave(user);
}

START_TEST(one_that_is_done_at_once_makes_room_at_once)
{
	ck_assert(enter(&a, "a"));
	ck_assert(lane_enter(&lane, &b, leave_at_once, &b));
	ck_assert(enter(&c, "c"));
	lane_leave(&a);
	ck_assert_str_eq(turns, "axc");
	ck_assert_uint_eq(lane.in, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lane");
	TCase *tc = tcase_create("lane");
	SRunner *runner = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, they_come_in_their_order);
	tcase_add_test(tc, only_so_many_wait);
	tcase_add_loop_test(tc, who_waits_may_leave, 0, 2);
	tcase_add_test(tc, one_that_is_done_at_once_makes_room_at_once);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
