/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "notify/window.h"

#define UNKNOWN ((double)NAN)

enum { STEP_MS = 20000, MINUTE_MS = 60000, HOUR_MS = 3600000 };

static const int64_t start_ms = 1700000000123;

/* Samples with a little delay now and then, as real ones have. */
static int64_t sample_ms(int i)
{
	return start_ms + (int64_t)i * STEP_MS + i * 7 % 13;
}

static double value_at(const struct window *w, int i)
{
	return window_value(w, sample_ms(i));
}

/* A sequence whose shape has rises, falls, gaps and repeats. */
static double wave(int i)
{
	if (i % 17 == 5 || (i > 300 && i < 345))
		return UNKNOWN;
	return 50 + 40 * sin(i * 0.37) + i % 7;
}

/* What the definition says, over the last n samples. */
static double naive(enum window_how how, int last, int n)
{
	double sum = 0, most = -INFINITY, least = INFINITY, first = UNKNOWN, end = UNKNOWN;
	int known = 0;

	for (int i = last - n + 1; i <= last; i++) {
		double v = i < 0 ? UNKNOWN : wave(i);

		if (isnan(v))
			continue;
		known++;
		sum += v;
		most = fmax(most, v);
		least = fmin(least, v);
		first = isnan(first) ? v : first;
		end = v;
	}
	if (!known)
		return UNKNOWN;
	switch (how) {
	case WINDOW_AVERAGE:
		return sum / known;
	case WINDOW_MAXIMUM:
		return most;
	case WINDOW_MINIMUM:
		return least;
	case WINDOW_SUM:
		return sum;
	default:
		return end - first;
	}
}

static const enum window_how all[] = {
	WINDOW_AVERAGE, WINDOW_MAXIMUM, WINDOW_MINIMUM, WINDOW_SUM, WINDOW_CHANGE};

START_TEST(a_window_agrees_with_its_definition)
{
	enum { N = 30 };
	_cleanup_(window_free_p) struct window *w = window_new(all[_i], N * STEP_MS, STEP_MS);
	int n = all[_i] == WINDOW_CHANGE ? N + 1 : N;
	int full_from = n, compared = 0;

	for (int i = 0; i < 1000; i++) {
		double expected, v;

		window_add(w, sample_ms(i), wave(i));
		v = value_at(w, i);
		if (i == 345) /* after the long gap it has to fill again */
			full_from = i + n;
		if (all[_i] != WINDOW_SUM && (i < full_from || (i > 300 && i < 345)))
			continue;
		expected = naive(all[_i], i, n);
		if (isnan(expected))
			ck_assert_msg(isnan(v), "sample %d: %g", i, v);
		else
			ck_assert_msg(fabs(v - expected) < 1e-9, "sample %d: %.12g, not %.12g", i,
				v, expected);
		compared++;
	}
	ck_assert_int_gt(compared, 880);
}
END_TEST

START_TEST(a_window_says_nothing_before_it_is_full)
{
	_cleanup_(window_free_p) struct window *w =
		window_new(WINDOW_AVERAGE, 10 * MINUTE_MS, STEP_MS);

	for (int i = 0; i < 29; i++) {
		window_add(w, sample_ms(i), 99);
		ck_assert_msg(isnan(value_at(w, i)), "after %d samples", i + 1);
	}
	window_add(w, sample_ms(29), 99);
	ck_assert_double_eq(value_at(w, 29), 99);
}
END_TEST

START_TEST(a_sum_counts_at_once)
{
	_cleanup_(window_free_p) struct window *w = window_new(WINDOW_SUM, 10 * MINUTE_MS, STEP_MS);

	window_add(w, sample_ms(0), UNKNOWN);
	ck_assert(isnan(value_at(w, 0)));
	window_add(w, sample_ms(1), 1);
	window_add(w, sample_ms(2), 0);
	window_add(w, sample_ms(3), 2);
	ck_assert_double_eq(value_at(w, 3), 3);
	/* The first one leaves after ten minutes. */
	for (int i = 4; i <= 30; i++)
		window_add(w, sample_ms(i), 0);
	ck_assert_double_eq(value_at(w, 30), 3);
	window_add(w, sample_ms(31), 0);
	ck_assert_double_eq(value_at(w, 31), 2);
}
END_TEST

START_TEST(gaps_are_not_zero)
{
	_cleanup_(window_free_p) struct window *w =
		window_new(WINDOW_AVERAGE, 10 * MINUTE_MS, STEP_MS);

	for (int i = 0; i < 60; i++)
		window_add(w, sample_ms(i), i % 3 ? UNKNOWN : 80);
	ck_assert_double_eq(value_at(w, 59), 80);
	for (int i = 60; i < 90; i++)
		window_add(w, sample_ms(i), UNKNOWN);
	ck_assert(isnan(value_at(w, 89)));
}
END_TEST

/* A container that was off for an hour: its first busy sample is no average of ten minutes. */
START_TEST(after_a_long_gap_it_fills_anew)
{
	_cleanup_(window_free_p) struct window *w =
		window_new(WINDOW_AVERAGE, 10 * MINUTE_MS, STEP_MS);
	int i;

	for (i = 0; i < 60; i++)
		window_add(w, sample_ms(i), 10);
	for (; i < 200; i++)
		window_add(w, sample_ms(i), UNKNOWN);
	window_add(w, sample_ms(i), 100);
	ck_assert(isnan(value_at(w, i)));
	for (i++; i < 230; i++)
		window_add(w, sample_ms(i), 100);
	ck_assert_double_eq(value_at(w, i - 1), 100);
	/* The same when nobody asked meanwhile. */
	window_add(w, sample_ms(i + 500), 100);
	ck_assert(isnan(value_at(w, i + 500)));
}
END_TEST

START_TEST(a_value_that_is_asked_for_late_has_left)
{
	_cleanup_(window_free_p) struct window *w =
		window_new(WINDOW_MAXIMUM, 10 * MINUTE_MS, STEP_MS);

	for (int i = 0; i < 60; i++)
		window_add(w, sample_ms(i), i == 45 ? 100 : 1);
	ck_assert_double_eq(value_at(w, 59), 100);
	ck_assert_double_eq(value_at(w, 74), 100);
	ck_assert_double_eq(value_at(w, 75), 1);
	ck_assert(isnan(value_at(w, 89)));
	ck_assert(isnan(value_at(w, 100000)));
}
END_TEST

START_TEST(long_windows_have_wider_slots)
{
	_cleanup_(window_free_p) struct window *w =
		window_new(WINDOW_MAXIMUM, 24 * HOUR_MS, STEP_MS);
	const int day = 24 * HOUR_MS / STEP_MS;

	for (int i = 0; i < day; i++)
		window_add(w, sample_ms(i), i == 10 ? 100 : 1);
	ck_assert_double_eq(value_at(w, day - 1), 100);
	/* Within one slot of 24 minutes after its time is up, it is gone. */
	for (int i = day; i < day + 10 + 72; i++)
		window_add(w, sample_ms(i), 1);
	ck_assert_double_eq(value_at(w, day + 81), 1);
}
END_TEST

START_TEST(rounding_does_not_pile_up)
{
	_cleanup_(window_free_p) struct window *w =
		window_new(WINDOW_AVERAGE, 10 * MINUTE_MS, STEP_MS);
	int i;

	for (i = 0; i < 100000; i++)
		window_add(w, sample_ms(i), i % 2 ? 1e15 : 0.1);
	for (; i < 100060; i++)
		window_add(w, sample_ms(i), 0.1);
	ck_assert_double_eq_tol(value_at(w, i - 1), 0.1, 1e-12);
}
END_TEST

START_TEST(nothing_endless_gets_in)
{
	_cleanup_(window_free_p) struct window *w = window_new(WINDOW_SUM, MINUTE_MS, STEP_MS);

	window_add(w, sample_ms(0), (double)INFINITY);
	window_add(w, sample_ms(1), -(double)INFINITY);
	window_add(w, sample_ms(2), 5);
	ck_assert_double_eq(value_at(w, 2), 5);
}
END_TEST

START_TEST(time_that_goes_back_a_little_is_ignored)
{
	_cleanup_(window_free_p) struct window *w = window_new(WINDOW_AVERAGE, MINUTE_MS, STEP_MS);

	for (int i = 0; i < 10; i++)
		window_add(w, sample_ms(i), 10);
	window_add(w, sample_ms(8), 1000);
	ck_assert_double_eq(value_at(w, 9), 10);
}
END_TEST

START_TEST(a_clock_that_was_set_back_far_begins_anew)
{
	_cleanup_(window_free_p) struct window *w = window_new(WINDOW_AVERAGE, MINUTE_MS, STEP_MS);

	for (int i = 1000; i < 1010; i++)
		window_add(w, sample_ms(i), 10);
	for (int i = 0; i < 3; i++)
		window_add(w, sample_ms(i), 50);
	ck_assert_double_eq(value_at(w, 2), 50);
}
END_TEST

START_TEST(without_a_window_it_is_the_value)
{
	_cleanup_(window_free_p) struct window *w = window_new(WINDOW_LAST, 0, STEP_MS);

	window_add(w, sample_ms(0), 5);
	ck_assert_double_eq(value_at(w, 0), 5);
	window_add(w, sample_ms(1), 6);
	ck_assert_double_eq(value_at(w, 1), 6);
	window_add(w, sample_ms(2), UNKNOWN);
	ck_assert(isnan(value_at(w, 2)));
}
END_TEST

START_TEST(a_sample_off_its_time_costs_no_value)
{
	_cleanup_(window_free_p) struct window *w = window_new(WINDOW_SUM, 10 * MINUTE_MS, STEP_MS);

	for (int i = 0; i < 300; i++) {
		window_add(w, sample_ms(i) + (i % 2 ? 9000 : -9000), 1);
		if (i >= 31)
			ck_assert_double_eq_tol(
				window_value(w, sample_ms(i) + (i % 2 ? 9000 : -9000)), 30, 1.5);
	}
}
END_TEST

/* A line. */

static struct window *line_new(void)
{
	return window_new(WINDOW_LINE, 6 * HOUR_MS, STEP_MS);
}

enum { PER_HOUR = HOUR_MS / STEP_MS };

/* `hours` of samples that go on from sample `from`; percent per hour. Returns the next sample. */
static int fill(struct window *w, int from, double hours, double begin, double per_hour)
{
	int n = (int)(hours * PER_HOUR);

	for (int i = 0; i < n; i++)
		window_add(w, sample_ms(from + i), begin + per_hour * i / PER_HOUR);
	return from + n;
}

static double until(const struct window *w, int next, double target)
{
	return window_seconds_until(w, sample_ms(next - 1), target);
}

START_TEST(a_steady_growth_is_foretold)
{
	_cleanup_(window_free_p) struct window *w = line_new();
	int next = fill(w, 0, 7, 20, 5); /* 55 % by now, 45 % to go at 5 % per hour */

	ck_assert_double_eq_tol(until(w, next, 100), 9 * 3600, 60);
	/* The other way round: what is left. */
	window_free(w);
	w = line_new();
	next = fill(w, 0, 7, 80, -5);
	ck_assert_double_eq_tol(until(w, next, 0), 9 * 3600, 60);
}
END_TEST

START_TEST(a_line_that_leads_away_or_nowhere_takes_for_ever)
{
	_cleanup_(window_free_p) struct window *w = line_new();
	int next = fill(w, 0, 7, 90, -2);

	ck_assert(isinf(until(w, next, 100)));
	window_free(w);
	w = line_new();
	next = fill(w, 0, 7, 90, 0);
	ck_assert(isinf(until(w, next, 100)));
}
END_TEST

START_TEST(what_is_there_already_takes_no_time)
{
	_cleanup_(window_free_p) struct window *w = line_new();
	int next = fill(w, 0, 7, 65, 5);

	next = fill(w, next, 1, 100, 0);
	ck_assert_double_eq(until(w, next, 100), 0);
	window_free(w);
	w = line_new();
	next = fill(w, 0, 7, 60, 5); /* 95, through 80 within the window */
	ck_assert_double_eq(until(w, next, 80), 0);
}
END_TEST

START_TEST(no_forecast_from_too_little)
{
	_cleanup_(window_free_p) struct window *w = line_new();
	int next = fill(w, 0, 5.9, 20, 5);

	ck_assert(isnan(until(w, next, 100)));
	next = fill(w, next, 0.2, 50, 5);
	ck_assert(isfinite(until(w, next, 100)));
	/* Two values far apart make no line. */
	window_free(w);
	w = line_new();
	window_add(w, sample_ms(0), 10);
	window_add(w, sample_ms(7 * PER_HOUR), 20);
	ck_assert(isnan(until(w, 7 * PER_HOUR + 1, 100)));
}
END_TEST

START_TEST(noise_does_not_hide_a_trend)
{
	_cleanup_(window_free_p) struct window *w = line_new();
	int n = 7 * PER_HOUR;

	for (int i = 0; i < n; i++)
		window_add(w, sample_ms(i), 20 + 5.0 * i / PER_HOUR + (i * 37 % 11 - 5) * 0.1);
	ck_assert_double_eq_tol(until(w, n, 100), 9 * 3600, 1800);
}
END_TEST

/* An archive is unpacked: 30 % in ten minutes, then quiet. An hour later nobody must be told that
 * the disk will be full in a few hours. */
START_TEST(a_step_is_no_trend)
{
	_cleanup_(window_free_p) struct window *w = line_new();
	int next = fill(w, 0, 7, 40, 0);
	int told = 0;

	next = fill(w, next, 1.0 / 6, 40, 180);
	for (int quarter = 0; quarter < 24; quarter++) {
		next = fill(w, next, 0.25, 70, 0);
		if (until(w, next, 100) < 86400)
			told = quarter + 1;
	}
	ck_assert_int_le(told, 4);
}
END_TEST

/* A log that runs wild after hours of quiet is seen well before the disk is full. */
START_TEST(a_sudden_growth_is_seen_in_time)
{
	_cleanup_(window_free_p) struct window *w = line_new();
	int next = fill(w, 0, 7, 40, 0);

	next = fill(w, next, 2, 40, 10); /* 4 more hours to go */
	ck_assert_double_lt(until(w, next, 100), 24.0 * 3600);
	ck_assert_double_ge(until(w, next, 100), 4 * 3600.0 - 60);
}
END_TEST

static Suite *window_suite(void)
{
	Suite *s = suite_create("window");
	TCase *tc = tcase_create("window");

	tcase_add_loop_test(
		tc, a_window_agrees_with_its_definition, 0, (int)(sizeof(all) / sizeof(*all)));
	tcase_add_test(tc, a_window_says_nothing_before_it_is_full);
	tcase_add_test(tc, a_sum_counts_at_once);
	tcase_add_test(tc, gaps_are_not_zero);
	tcase_add_test(tc, after_a_long_gap_it_fills_anew);
	tcase_add_test(tc, a_value_that_is_asked_for_late_has_left);
	tcase_add_test(tc, long_windows_have_wider_slots);
	tcase_add_test(tc, rounding_does_not_pile_up);
	tcase_add_test(tc, nothing_endless_gets_in);
	tcase_add_test(tc, time_that_goes_back_a_little_is_ignored);
	tcase_add_test(tc, a_clock_that_was_set_back_far_begins_anew);
	tcase_add_test(tc, without_a_window_it_is_the_value);
	tcase_add_test(tc, a_sample_off_its_time_costs_no_value);
	tcase_add_test(tc, a_steady_growth_is_foretold);
	tcase_add_test(tc, a_line_that_leads_away_or_nowhere_takes_for_ever);
	tcase_add_test(tc, what_is_there_already_takes_no_time);
	tcase_add_test(tc, no_forecast_from_too_little);
	tcase_add_test(tc, noise_does_not_hide_a_trend);
	tcase_add_test(tc, a_step_is_no_trend);
	tcase_add_test(tc, a_sudden_growth_is_seen_in_time);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(window_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
