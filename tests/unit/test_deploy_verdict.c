/* SPDX-License-Identifier: Apache-2.0
 *
 * Was the new version good for the server: numbers before and after, and what is said of them.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploy_verdict.h"
#include "base/str.h"

enum { VALUES = 30, MIB = 1 << 20 };

static struct deploy_verdict_input in;
static struct deploy_verdict v;
static double values[2][DEPLOY_VERDICT_FIGURES][VALUES];

static void set(enum deploy_verdict_figure f, double before, double after)
{
	for (size_t i = 0; i < VALUES; i++) {
		values[0][f][i] = before;
		values[1][f][i] = after;
	}
}

static void setup(void)
{
	in = (struct deploy_verdict_input){.is_first = false};
	for (size_t f = 0; f < DEPLOY_VERDICT_FIGURES; f++) {
		set((enum deploy_verdict_figure)f, NAN, NAN);
		in.before[f] = (struct deploy_verdict_values){values[0][f], VALUES, 0};
		in.after[f] = (struct deploy_verdict_values){values[1][f], VALUES, 0};
	}
	set(DEPLOY_VERDICT_CPU, 12.1, 12.1);
	set(DEPLOY_VERDICT_MEMORY, 210.0 * MIB, 214.0 * MIB);
}

static void judge(enum deploy_verdict_grade grade, const char *text)
{
	deploy_verdict_judge(&in, &v);
	ck_assert_str_eq(v.text, text);
	ck_assert_str_eq(deploy_verdict_grade_name(v.grade), deploy_verdict_grade_name(grade));
}

#define UNPROBED " Error rate and latency are not measured (health.path is what is asked for them)."

START_TEST(numbers_are_said_with_their_change)
{
	set(DEPLOY_VERDICT_CPU, 12.1, 25.3);
	judge(DEPLOY_VERDICT_WORSE,
		"CPU 12.1 % -> 25.3 % (+109 %), memory 210 MiB -> 214 MiB (+2 %)." UNPROBED);
}
END_TEST

START_TEST(probes_bring_error_rate_and_latency)
{
	set(DEPLOY_VERDICT_ERRORS, 0, 0);
	set(DEPLOY_VERDICT_LATENCY, 0.0042, 0.012);
	judge(DEPLOY_VERDICT_GOOD, "CPU 12.1 % -> 12.1 % (+0 %), memory 210 MiB -> 214 MiB (+2 %), "
				   "error rate 0 % -> 0 %, "
				   "latency 4.2 ms -> 12 ms (+186 %).");
	/* Two of thirty. */
	values[1][DEPLOY_VERDICT_ERRORS][3] = values[1][DEPLOY_VERDICT_ERRORS][9] = 100;
	judge(DEPLOY_VERDICT_WORSE, "CPU 12.1 % -> 12.1 % (+0 %), memory 210 MiB -> 214 MiB (+2 "
				    "%), error rate 0 % -> 6.7 "
				    "%, "
				    "latency 4.2 ms -> 12 ms (+186 %).");
}
END_TEST

static const struct {
	enum deploy_verdict_figure figure;
	double before, after;
	bool worse;
} limits[] = {
	{DEPLOY_VERDICT_CPU, 12, 17, false}, /* less than a tenth of a core more */
	{DEPLOY_VERDICT_CPU, 0.1, 9, false},
	{DEPLOY_VERDICT_CPU, 100, 140, false}, /* less than half as much again */
	{DEPLOY_VERDICT_CPU, 100, 160, true},
	{DEPLOY_VERDICT_CPU, 0, 11, true},
	{DEPLOY_VERDICT_CPU, 50, 10, false},
	{DEPLOY_VERDICT_MEMORY, 20.0 * MIB, 60.0 * MIB, false},
	{DEPLOY_VERDICT_MEMORY, 200.0 * MIB, 251.0 * MIB, false},
	{DEPLOY_VERDICT_MEMORY, 200.0 * MIB, 300.0 * MIB, true},
	{DEPLOY_VERDICT_ERRORS, 0, 3.4, false}, /* one probe */
	{DEPLOY_VERDICT_ERRORS, 2, 7.1, true},
	{DEPLOY_VERDICT_LATENCY, 0.001, 0.049, false},
	{DEPLOY_VERDICT_LATENCY, 0.2, 0.31, true},
	{DEPLOY_VERDICT_DISK, 0, 0.5 * MIB, false},
	{DEPLOY_VERDICT_DISK, 1.0 * MIB, 3.0 * MIB, true},
	{DEPLOY_VERDICT_NETWORK, 1.0 * MIB, 300.0 * MIB, false}, /* it is used more */
	{DEPLOY_VERDICT_PROCESSES, 10, 25, false},
	{DEPLOY_VERDICT_PROCESSES, 10, 40, true},
	{DEPLOY_VERDICT_RESTARTS, 0, 1.0 / VALUES, true},
	{DEPLOY_VERDICT_RESTARTS, 2.0 / VALUES, 2.0 / VALUES, false},
	{DEPLOY_VERDICT_OOM_KILLS, 0, 1.0 / VALUES, true},
	{DEPLOY_VERDICT_OOM_KILLS, NAN, 1.0 / VALUES, true},
};

START_TEST(what_is_worse_is_worth_a_word_to_somebody)
{
	set(limits[_i].figure, limits[_i].before, limits[_i].after);
	deploy_verdict_judge(&in, &v);
	ck_assert_int_eq(v.numbers[limits[_i].figure].worse, limits[_i].worse);
	ck_assert_int_eq(v.grade, limits[_i].worse ? DEPLOY_VERDICT_WORSE : DEPLOY_VERDICT_GOOD);
}
END_TEST

START_TEST(small_things_are_said_when_they_moved)
{
	set(DEPLOY_VERDICT_DISK, 1000, 1100);
	set(DEPLOY_VERDICT_NETWORK, 1000, 5120);
	set(DEPLOY_VERDICT_RESTARTS, 0, 0);
	values[1][DEPLOY_VERDICT_RESTARTS][7] = 2;
	judge(DEPLOY_VERDICT_WORSE, "CPU 12.1 % -> 12.1 % (+0 %), memory 210 MiB -> 214 MiB (+2 "
				    "%), network 1000 B/s -> 5.0 "
				    "KiB/s (+412 %), restarts 0 -> 2." UNPROBED);
}
END_TEST

START_TEST(what_is_not_known_is_said_to_be_so)
{
	set(DEPLOY_VERDICT_CPU, NAN, NAN);
	set(DEPLOY_VERDICT_MEMORY, NAN, NAN);
	judge(DEPLOY_VERDICT_UNKNOWN, "Nothing of it was measured long enough." UNPROBED);
	set(DEPLOY_VERDICT_CPU, NAN, 3);
	set(DEPLOY_VERDICT_MEMORY, NAN, 1.5 * MIB);
	judge(DEPLOY_VERDICT_UNKNOWN,
		"CPU 3.0 %, memory 1.5 MiB. What it used before was not measured long "
		"enough." UNPROBED);
	in.is_first = true;
	set(DEPLOY_VERDICT_CPU, 50, 3); /* of whatever had the name */
	judge(DEPLOY_VERDICT_UNKNOWN, "CPU 3.0 %, memory 1.5 MiB. There was no version before to "
				      "compare it with." UNPROBED);
	in.is_first = false;
	in.was_cut = true;
	in.after[DEPLOY_VERDICT_CPU].n = DEPLOY_VERDICT_VALUES_MIN - 1;
	in.after[DEPLOY_VERDICT_MEMORY].n = DEPLOY_VERDICT_VALUES_MIN - 1;
	judge(DEPLOY_VERDICT_UNKNOWN,
		"Nothing of it was measured long enough." UNPROBED
		" It was looked at for less than ten minutes: another deploy began.");
}
END_TEST

START_TEST(holes_and_columns_do_not_change_a_mean)
{
	static double rows[6][2] = {{1, 10}, {1, NAN}, {1, 20}, {1, NAN}, {1, 30}, {1, NAN}};

	in.after[DEPLOY_VERDICT_CPU] = (struct deploy_verdict_values){&rows[0][1], 6, 2};
	deploy_verdict_judge(&in, &v);
	ck_assert_double_eq(v.numbers[DEPLOY_VERDICT_CPU].after, 20);
}
END_TEST

START_TEST(a_limit_of_the_app_is_exceeded_only_by_what_counts)
{
	in.cpu_limit_percent = 50;
	set(DEPLOY_VERDICT_CPU, 20, 42);
	deploy_verdict_judge(&in, &v);
	ck_assert_str_eq(
		v.over_limit, "CPU rose by 110 %, more than rollback_if.cpu_percent = 50 allows");
	set(DEPLOY_VERDICT_CPU, 1, 3);
	deploy_verdict_judge(&in, &v);
	ck_assert_str_eq(v.over_limit, "");
	in.cpu_limit_percent = 200;
	set(DEPLOY_VERDICT_CPU, 20, 42);
	deploy_verdict_judge(&in, &v);
	ck_assert_str_eq(v.over_limit, "");
	/* Less than what counts as worse by itself, but the app says so. */
	in.memory_limit_percent = 10;
	set(DEPLOY_VERDICT_CPU, 1, 1);
	set(DEPLOY_VERDICT_MEMORY, 500.0 * MIB, 600.0 * MIB);
	deploy_verdict_judge(&in, &v);
	ck_assert(!v.numbers[DEPLOY_VERDICT_MEMORY].worse);
	ck_assert_int_eq(v.grade, DEPLOY_VERDICT_WORSE);
	ck_assert_ptr_nonnull(strstr(v.over_limit, "memory rose by 20 %"));
	in.is_first = true;
	deploy_verdict_judge(&in, &v);
	ck_assert_str_eq(v.over_limit, "");
}
END_TEST

START_TEST(the_stretches_are_of_one_version_each)
{
	struct deploy *d = deploy_new("shop");
	struct deploy_verdict_times t;
	const int64_t minute = 60000;

	d->started_ms = 100 * minute;
	d->ended_ms = 103 * minute;
	t = deploy_verdict_times(d, DEPLOY_VERDICT_AFTER_MS, 0, 0);
	ck_assert_int_eq(t.before_from_ms, 90 * minute);
	ck_assert_int_eq(t.before_to_ms, 100 * minute);
	ck_assert_int_eq(t.after_from_ms, 103 * minute);
	ck_assert_int_eq(t.after_to_ms, 113 * minute);
	ck_assert(!t.was_cut);
	t = deploy_verdict_times(d, DEPLOY_VERDICT_AFTER_MS, 95 * minute, 108 * minute);
	ck_assert_int_eq(t.before_from_ms, 95 * minute);
	ck_assert_int_eq(t.after_to_ms, 108 * minute);
	ck_assert(t.was_cut);
	t = deploy_verdict_times(d, DEPLOY_VERDICT_AFTER_MS, 101 * minute, 102 * minute);
	ck_assert_int_eq(t.before_from_ms, 100 * minute);
	ck_assert_int_eq(t.after_to_ms, 103 * minute);
	t = deploy_verdict_times(d, DEPLOY_VERDICT_AFTER_MS, 80 * minute, 120 * minute);
	ck_assert_int_eq(t.before_from_ms, 90 * minute);
	ck_assert(!t.was_cut);
	deploy_free(d);
}
END_TEST

static void expect_event(bool rolls_back, enum severity severity, const char *title)
{
	struct deploy *d = deploy_new("shop");
	struct event *ev;

	d->id = 12;
	str_copy(d->commit, sizeof(d->commit), "0d1a26e67d8f");
	deploy_verdict_judge(&in, &v);
	ev = deploy_verdict_event(d, &v, rolls_back);
	ck_assert_str_eq(ev->title, title);
	ck_assert_int_eq(ev->severity, severity);
	ck_assert_str_eq(ev->kind, "deploy.verdict");
	ck_assert_str_eq(ev->key, "deploy shop verdict");
	ck_assert(str_starts(ev->text, v.text));
	ck_assert_int_eq(strstr(ev->text, "agent deploy rollback shop") != NULL,
		severity == SEVERITY_WARNING && !rolls_back);
	event_free(ev);
	deploy_free(d);
}

START_TEST(it_is_told_with_the_numbers)
{
	struct deploy *d = deploy_new("shop");

	expect_event(false, SEVERITY_INFO, "shop is as good as before deploy 12");
	set(DEPLOY_VERDICT_CPU, 20, 42);
	set(DEPLOY_VERDICT_OOM_KILLS, 0, 1);
	expect_event(false, SEVERITY_WARNING, "shop is worse since deploy 12: CPU, OOM kills");
	in.cpu_limit_percent = 50;
	expect_event(true, SEVERITY_WARNING,
		"shop goes back to the version before deploy 12: CPU rose by 110 %, more than "
		"rollback_if.cpu_percent = 50 allows");
	expect_event(false, SEVERITY_WARNING,
		"shop since deploy 12: CPU rose by 110 %, more than rollback_if.cpu_percent = 50 "
		"allows");
	in.is_first = true;
	set(DEPLOY_VERDICT_OOM_KILLS, 0, 0);
	deploy_verdict_judge(&in, &v);
	ck_assert_ptr_null(deploy_verdict_event(d, &v, false));
	deploy_free(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_verdict");
	TCase *tc = tcase_create("deploy_verdict");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, numbers_are_said_with_their_change);
	tcase_add_test(tc, probes_bring_error_rate_and_latency);
	tcase_add_loop_test(tc, what_is_worse_is_worth_a_word_to_somebody, 0,
		(int)(sizeof(limits) / sizeof(*limits)));
	tcase_add_test(tc, small_things_are_said_when_they_moved);
	tcase_add_test(tc, what_is_not_known_is_said_to_be_so);
	tcase_add_test(tc, holes_and_columns_do_not_change_a_mean);
	tcase_add_test(tc, a_limit_of_the_app_is_exceeded_only_by_what_counts);
	tcase_add_test(tc, the_stretches_are_of_one_version_each);
	tcase_add_test(tc, it_is_told_with_the_numbers);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
