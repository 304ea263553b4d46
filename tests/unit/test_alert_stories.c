/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/alert_story.h"

START_TEST(muted_states_go_on_and_nothing_is_told)
{
	struct story s = begin(rule_with(0, 0, HOUR));

	s.muted = true;
	go(&s, W, 3 * HOUR);
	ck_assert_int_eq(s.life.state, ALERT_FIRING);
	ck_assert_str_eq(s.told, "");
	s.muted = false;
	(void)step(&s, W); /* still true */
	ck_assert_str_eq(s.told, "F");
	(void)step(&s, C);
	ck_assert_str_eq(s.told, "Fr");
}
END_TEST

START_TEST(what_came_and_went_while_muted_is_never_told)
{
	struct story s = begin(rule_with(0, 10 * MINUTE, HOUR));

	s.muted = true;
	(void)step(&s, X);
	go(&s, C, 5 * MINUTE);
	s.muted = false; /* while it is clearing */
	go(&s, C, 10 * MINUTE);
	ck_assert_int_eq(s.life.state, ALERT_OK);
	ck_assert_str_eq(s.told, "");
}
END_TEST

START_TEST(worse_while_muted_is_told_afterwards)
{
	struct story s = begin(rule_with(0, 0, 0));

	(void)step(&s, W);
	s.muted = true;
	(void)step(&s, X);
	ck_assert_str_eq(s.told, "F");
	s.muted = false;
	(void)step(&s, X);
	ck_assert_str_eq(s.told, "FF");
}
END_TEST

START_TEST(a_rule_without_recovery_ends_in_silence)
{
	struct story s = begin(rule_with(0, 10 * MINUTE, 6 * HOUR));

	s.rule.recovery = false;
	(void)step(&s, X);
	go(&s, C, HOUR);
	ck_assert_int_eq(s.life.state, ALERT_OK);
	ck_assert_str_eq(s.told, "F");
	/* The container that was killed lived three seconds. */
	(void)step(&s, X);
	go(&s, U, HOUR);
	ck_assert_int_eq(s.life.state, ALERT_OK);
	ck_assert_str_eq(s.told, "FF");
}
END_TEST

START_TEST(values_that_stay_away_end_it)
{
	struct story s = begin(rule_with(0, 5 * MINUTE, HOUR));

	(void)step(&s, W);
	go(&s, U, 10 * MINUTE);
	ck_assert_int_eq(s.life.state, ALERT_NO_DATA);
	ck_assert_str_eq(s.told, "F");
	(void)step(&s, U);
	ck_assert_int_eq(s.life.state, ALERT_OK);
	ck_assert_str_eq(s.told, "Fg");
}
END_TEST

START_TEST(a_gap_in_the_values_is_no_recovery)
{
	struct story s = begin(rule_with(0, 0, 0));

	(void)step(&s, W);
	go(&s, U, 9 * MINUTE);
	(void)step(&s, W);
	go(&s, U, 9 * MINUTE);
	(void)step(&s, B);
	ck_assert_int_eq(s.life.state, ALERT_FIRING);
	ck_assert_str_eq(s.told, "F");
}
END_TEST

/* The promise: a value that wobbles around its limit for an hour sends two messages. */

static void wobble(struct story *s, int64_t ms)
{
	static const double values[] = {91, 89, 90.5, 88, 92, 87, 93, 89.5, 86, 90.1};

	for (int64_t t = 0; t < ms; t += STEP)
		value(s, values[t / STEP % 10]);
}

START_TEST(an_hour_of_wobbling_sends_two_messages)
{
	struct story s = begin(rule_with((int64_t)_i * MINUTE, 2 * MINUTE, 12 * HOUR));

	wobble(&s, HOUR);
	for (int i = 0; i < 60; i++)
		value(&s, 70);
	ck_assert_str_eq(s.told, "Fr");
}
END_TEST

/* Right across both limits, each few minutes, for hours: told three times with its end, then once
 * more that it comes and goes, and when it is over. */
START_TEST(crossing_both_limits_for_hours_is_flapping)
{
	struct story s = begin(rule_with(0, 0, HOUR));

	for (int i = 0; i < 36; i++) {
		go(&s, W, 5 * MINUTE);
		go(&s, C, 5 * MINUTE);
	}
	ck_assert_int_eq(s.life.state, ALERT_FLAPPING);
	ck_assert_str_eq(s.told, "FrFrFr~");
	go(&s, C, 30 * MINUTE);
	ck_assert_int_eq(s.life.state, ALERT_OK);
	ck_assert_str_eq(s.told, "FrFrFr~r");
}
END_TEST

START_TEST(flapping_that_stays_bad_is_told)
{
	struct story s = begin(rule_with(0, 0, 0));

	for (int i = 0; i < 10; i++) {
		go(&s, W, MINUTE);
		go(&s, C, MINUTE);
	}
	go(&s, W, 30 * MINUTE + STEP);
	ck_assert_int_eq(s.life.state, ALERT_FIRING);
	ck_assert_str_eq(s.told, "FrFrFr~F");
	(void)step(&s, C);
	ck_assert_str_eq(s.told, "FrFrFr~Fr");
}
END_TEST

START_TEST(seldom_is_not_flapping)
{
	struct story s = begin(rule_with(0, 0, 0));

	for (int i = 0; i < 10; i++) {
		go(&s, W, 5 * MINUTE);
		go(&s, C, 25 * MINUTE);
	}
	ck_assert_str_eq(s.told, "FrFrFrFrFrFrFrFrFrFr");
}
END_TEST

START_TEST(flapping_while_muted_is_told_afterwards)
{
	struct story s = begin(rule_with(0, 0, 0));

	s.muted = true;
	for (int i = 0; i < 10; i++) {
		(void)step(&s, W);
		(void)step(&s, C);
	}
	s.muted = false;
	(void)step(&s, W);
	(void)step(&s, C);
	ck_assert_str_eq(s.told, "~");
}
END_TEST

static Suite *alert_stories_suite(void)
{
	Suite *s = suite_create("alert_stories");
	TCase *tc = tcase_create("alert_stories");

	tcase_add_test(tc, muted_states_go_on_and_nothing_is_told);
	tcase_add_test(tc, what_came_and_went_while_muted_is_never_told);
	tcase_add_test(tc, worse_while_muted_is_told_afterwards);
	tcase_add_test(tc, a_rule_without_recovery_ends_in_silence);
	tcase_add_test(tc, values_that_stay_away_end_it);
	tcase_add_test(tc, a_gap_in_the_values_is_no_recovery);
	tcase_add_loop_test(tc, an_hour_of_wobbling_sends_two_messages, 0, 6);
	tcase_add_test(tc, crossing_both_limits_for_hours_is_flapping);
	tcase_add_test(tc, flapping_that_stays_bad_is_told);
	tcase_add_test(tc, seldom_is_not_flapping);
	tcase_add_test(tc, flapping_while_muted_is_told_afterwards);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(alert_stories_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
