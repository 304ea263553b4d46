/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cron.h"
#include "tests/unit/effort.h"

static void use_zone(const char *zone)
{
	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
}

static void use_utc(void)
{
	use_zone("UTC");
}

static struct cron parse_ok(const char *text)
{
	struct cron c;
	struct err e = {""};

	ck_assert_msg(cron_parse(text, &c, &e) == 0, "%s: %s", text, e.msg);
	return c;
}

/* "2026-03-29 01:30" in the zone in use; `after_change`: the second of two such times. */
static time_t at(const char *text)
{
	struct tm tm = {.tm_isdst = -1};
	time_t t;

	ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M", &tm));
	tm.tm_isdst = -1;
	t = mktime(&tm);
	ck_assert_int_ne(t, -1);
	return t;
}

/* The next run as text with the zone's short name, "none" without one. */
static const char *next(const struct cron *c, time_t after)
{
	static char text[64];
	time_t t = cron_next(c, after);
	struct tm tm;

	if (t == -1)
		return "none";
	ck_assert_int_gt(t, after);
	ck_assert_ptr_nonnull(localtime_r(&t, &tm));
	ck_assert_int_eq(tm.tm_sec, 0);
	ck_assert_uint_gt(strftime(text, sizeof(text), "%Y-%m-%d %H:%M %Z", &tm), 0);
	return text;
}

/* The first runs after a time, one after the other. */
static void expect_runs(
	const char *zone, const char *schedule, const char *after, const char *const *runs)
{
	struct cron c = parse_ok(schedule);
	time_t t;

	use_zone(zone);
	t = at(after);
	for (; *runs; runs++) {
		ck_assert_str_eq(next(&c, t), *runs);
		t = cron_next(&c, t);
	}
}

#define RUNS(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static const struct {
	const char *schedule, *after, *next;
} simple[] = {
	{"* * * * *", "2026-01-01 00:00", "2026-01-01 00:01 UTC"},
	{"0 3 * * *", "2026-01-01 03:00", "2026-01-02 03:00 UTC"},
	{"0 3 * * *", "2026-01-01 02:59", "2026-01-01 03:00 UTC"},
	{"*/15 * * * *", "2026-12-31 23:50", "2027-01-01 00:00 UTC"},
	{"5-59/20 4 * * *", "2026-01-01 04:05", "2026-01-01 04:25 UTC"},
	{"1,2,30-32 0 * * *", "2026-01-01 00:02", "2026-01-01 00:30 UTC"},
	{"0 0 1 * *", "2026-01-15 00:00", "2026-02-01 00:00 UTC"},
	{"0 0 31 * *", "2026-01-31 00:00", "2026-03-31 00:00 UTC"},
	{"0 0 29 2 *", "2026-01-01 00:00", "2028-02-29 00:00 UTC"},
	{"0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00 UTC"}, /* 2100 is no leap year */
	{"0 0 30 2 *", "2026-01-01 00:00", "none"},
	{"0 0 31 4,6,9,11 *", "2026-01-01 00:00", "none"},
	{"*/5 * 30 2 *", "2026-01-01 00:00", "none"},
	{"0 12 * * 1", "2026-11-21 00:00", "2026-11-23 12:00 UTC"},
	{"0 12 * * 0", "2026-11-21 00:00", "2026-11-22 12:00 UTC"},
	{"0 12 * * 7", "2026-11-21 00:00", "2026-11-22 12:00 UTC"},
	{"0 12 * * mon-fri", "2026-11-21 00:00", "2026-11-23 12:00 UTC"},
	{"0 12 * * Sat-Sun", "2026-11-23 00:00", "2026-11-28 12:00 UTC"},
	{"0 12 * * 5-7", "2026-11-21 13:00", "2026-11-22 12:00 UTC"},
	{"0 0 1 JAN *", "2026-01-01 00:00", "2027-01-01 00:00 UTC"},
	{"0 0 1 feb,dec *", "2026-02-01 00:00", "2026-12-01 00:00 UTC"},
	/* Both day fields restricted: either matches. 2026-11-13 is a Friday. */
	{"0 0 13 * 5", "2026-11-01 00:00", "2026-11-06 00:00 UTC"},
	{"0 0 13 * 1", "2026-11-10 00:00", "2026-11-13 00:00 UTC"},
	/* One of them starts with '*': both must match. */
	{"0 0 */2 * 1", "2026-11-01 00:00", "2026-11-09 00:00 UTC"},
	{"0 0 13 * */5", "2026-11-01 00:00", "2026-11-13 00:00 UTC"},
	{"@hourly", "2026-01-01 00:30", "2026-01-01 01:00 UTC"},
	{"@daily", "2026-01-01 00:00", "2026-01-02 00:00 UTC"},
	{"@weekly", "2026-11-21 00:00", "2026-11-22 00:00 UTC"},
	{"@monthly", "2026-01-01 00:00", "2026-02-01 00:00 UTC"},
	{"@yearly", "2026-01-01 00:00", "2027-01-01 00:00 UTC"},
	{"\t @Daily", "2026-01-01 00:00", "2026-01-02 00:00 UTC"},
	{"  0\t3  *   * *  ", "2026-01-01 00:00", "2026-01-01 03:00 UTC"},
	{"59 23 31 12 *", "1969-12-31 23:59", "1970-12-31 23:59 UTC"},
	{"0 0 1 1 *", "1960-06-01 00:00", "1961-01-01 00:00 UTC"},
};

START_TEST(the_next_run_is_found)
{
	struct cron c = parse_ok(simple[_i].schedule);

	ck_assert_str_eq(next(&c, at(simple[_i].after)), simple[_i].next);
}
END_TEST

START_TEST(seconds_of_the_start_do_not_matter)
{
	struct cron every = parse_ok("* * * * *"), fixed = parse_ok("0 3 * * *");
	time_t t = at("2026-01-01 02:59");

	for (int s = 0; s < 60; s++) {
		ck_assert_str_eq(next(&every, t + s), "2026-01-01 03:00 UTC");
		ck_assert_str_eq(next(&fixed, t + s), "2026-01-01 03:00 UTC");
	}
	ck_assert_str_eq(next(&every, t + 60), "2026-01-01 03:01 UTC");
	ck_assert_str_eq(next(&fixed, t + 60), "2026-01-02 03:00 UTC");
}
END_TEST

static const struct {
	const char *schedule, *about;
} bad[] = {
	{"", "fields"},
	{"   ", "fields"},
	{"* * * *", "4 fields"},
	{"* * * * * *", "6 fields"},
	{"60 * * * *", "minute: \"60\" is not 0 to 59"},
	{"* 24 * * *", "hour: \"24\""},
	{"* * 0 * *", "day of month: \"0\" is not 1 to 31"},
	{"* * 32 * *", "day of month"},
	{"* * * 0 *", "month"},
	{"* * * 13 *", "month"},
	{"* * * foo *", "month: \"foo\" is not 1 to 12, jan to dec"},
	{"* * * january *", "month"},
	{"* * * * 8", "day of week: \"8\" is not 0 to 7, sun to sat"},
	{"* * * jan mon-", "day of week"},
	{"jan * * * *", "minute"},
	{"5-1 * * * *", "minute: \"5-1\""},
	{"*/0 * * * *", "minute"},
	{"*/ * * * *", "minute"},
	{"5/15 * * * *", "minute"},
	{"1,,2 * * * *", "minute"},
	{",1 * * * *", "minute"},
	{"1, * * * *", "minute"},
	{"-1 * * * *", "minute"},
	{"1-2-3 * * * *", "minute"},
	{"** * * * *", "minute"},
	{"*-5 * * * *", "minute"},
	{"1.5 * * * *", "minute"},
	{"0000000000000000000000001 * * * *", "minute"},
	{"99999999999999999999 * * * *", "minute"},
	{"@reboot", "@reboot"},
	{"@", "@hourly"},
	{"@daily now", "@daily now"},
	{"0 3 * * *\n", "day of week"},
};

START_TEST(a_mistake_is_named)
{
	struct cron c, before;
	struct err e = {""};

	memset(&c, 0x55, sizeof(c));
	before = c;
	ck_assert_int_eq(cron_parse(bad[_i].schedule, &c, &e), -EINVAL);
	ck_assert_msg(strstr(e.msg, bad[_i].about), "%s: %s", bad[_i].schedule, e.msg);
	ck_assert_mem_eq(&c, &before, sizeof(c)); /* untouched */
}
END_TEST

/* Europe/Berlin 2026: 29 March 02:00 -> 03:00, 25 October 03:00 -> 02:00. */
START_TEST(a_time_that_does_not_exist_runs_after_the_gap)
{
	expect_runs("Europe/Berlin", "30 2 * * *", "2026-03-28 00:00",
		RUNS("2026-03-28 02:30 CET", "2026-03-29 03:00 CEST", "2026-03-30 02:30 CEST"));
	/* Several of them make one run, and one at the end of the gap is the same run. */
	expect_runs("Europe/Berlin", "0,20,40 2,3 * * *", "2026-03-28 12:00",
		RUNS("2026-03-29 03:00 CEST", "2026-03-29 03:20 CEST", "2026-03-29 03:40 CEST",
			"2026-03-30 02:00 CEST"));
	expect_runs("Europe/Berlin", "30 2 29 3 *", "2026-01-01 00:00",
		RUNS("2026-03-29 03:00 CEST", "2027-03-29 02:30 CEST"));
	/* America/New_York 2026: 8 March 02:00 -> 03:00. */
	expect_runs("America/New_York", "15 2 * * *", "2026-03-07 12:00",
		RUNS("2026-03-08 03:00 EDT", "2026-03-09 02:15 EDT"));
}
END_TEST

START_TEST(a_time_that_comes_twice_runs_the_first_time)
{
	expect_runs("Europe/Berlin", "30 2 * * *", "2026-10-24 12:00",
		RUNS("2026-10-25 02:30 CEST", "2026-10-26 02:30 CET"));
	expect_runs("Europe/Berlin", "0 2,3 * * *", "2026-10-24 12:00",
		RUNS("2026-10-25 02:00 CEST", "2026-10-25 03:00 CET", "2026-10-26 02:00 CET"));
	/* 1 November 02:00 -> 01:00. */
	expect_runs("America/New_York", "30 1 * * *", "2026-10-31 12:00",
		RUNS("2026-11-01 01:30 EDT", "2026-11-02 01:30 EST"));
}
END_TEST

START_TEST(a_start_within_the_second_pass_does_not_run_it_again)
{
	struct cron c = parse_ok("30 2 * * *");

	use_zone("Europe/Berlin");
	/* 02:10 CET, 40 minutes after 02:30 CEST */
	ck_assert_str_eq(next(&c, at("2026-10-25 03:00") - 50 * 60), "2026-10-26 02:30 CET");
}
END_TEST

START_TEST(frequent_schedules_follow_the_real_hours)
{
	expect_runs("Europe/Berlin", "0 * * * *", "2026-03-29 00:30",
		RUNS("2026-03-29 01:00 CET", "2026-03-29 03:00 CEST", "2026-03-29 04:00 CEST"));
	expect_runs("Europe/Berlin", "0 * * * *", "2026-10-25 00:30",
		RUNS("2026-10-25 01:00 CEST", "2026-10-25 02:00 CEST", "2026-10-25 02:00 CET",
			"2026-10-25 03:00 CET"));
	expect_runs("America/New_York", "*/30 1 * * *", "2026-11-01 00:00",
		RUNS("2026-11-01 01:00 EDT", "2026-11-01 01:30 EDT", "2026-11-01 01:00 EST",
			"2026-11-01 01:30 EST", "2026-11-02 01:00 EST"));
	expect_runs(
		"Europe/Berlin", "*/30 2 * * *", "2026-03-28 12:00", RUNS("2026-03-30 02:00 CEST"));
}
END_TEST

/* What the schedule means, minute by minute: the slow way, independent of how cron_next() gets
 * there. */
static bool day_matches(const struct cron *c, const struct tm *tm)
{
	bool day = c->days >> tm->tm_mday & 1, weekday = c->weekdays >> tm->tm_wday & 1;

	if (!(c->months >> (tm->tm_mon + 1) & 1))
		return false;
	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

static bool matches(const struct cron *c, const struct tm *tm)
{
	return (c->minutes >> tm->tm_min & 1) && (c->hours >> tm->tm_hour & 1) &&
	       day_matches(c, tm);
}

/* A minute runs when the clock shows a match; for fixed times also for what it has jumped over
 * since it showed `shown`, and not for what it has shown before. No ck_assert in here: it is
 * called millions of times, and each one is a system call. */
static bool runs_at(const struct cron *c, const struct tm *now, time_t local, time_t shown)
{
	if (c->every_hour)
		return matches(c, now);
	if (local == shown + 60)
		return matches(c, now);
	for (time_t l = shown + 60; l <= local; l += 60) {
		struct tm tm;

		(void)gmtime_r(&l, &tm);
		if (matches(c, &tm))
			return true;
	}
	return false;
}

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
	"Australia/Lord_Howe", /* half an hour */
	"America/Sao_Paulo", /* at midnight */
	"America/St_Johns", /* one minute after midnight */
	"Pacific/Apia", /* left out 30 December 2011 */
	"Asia/Kathmandu"};

static const char *const schedules[] = {"30 2 * * *", "0 0 * * *", "59 23 * * *", "*/20 * * * *",
	"15 1-3 * * *", "0,30 0,23 * * *", "0 12 30 12 *", "7 * * * 0", "30 1 1-7 * 6"};

enum { SCHEDULES = sizeof(schedules) / sizeof(*schedules) };

START_TEST(two_years_agree_with_a_minute_by_minute_count)
{
	/* Eastern summer time still changed a minute after midnight in St. John's, Apia lost a day. */
	const time_t start = 1293840000, end = start + 2 * 365 * 86400;
	struct cron c[SCHEDULES];
	time_t expected[SCHEDULES], shown, local;
	struct tm tm;

	use_zone(zones[_i]);
	for (size_t i = 0; i < SCHEDULES; i++) {
		c[i] = parse_ok(schedules[i]);
		expected[i] = cron_next(&c[i], start);
	}
	(void)localtime_r(&start, &tm);
	shown = start + tm.tm_gmtoff;
	for (time_t t = start + 60; t < end; t += 60) {
		(void)localtime_r(&t, &tm);
		local = t + tm.tm_gmtoff;
		for (size_t i = 0; i < SCHEDULES; i++) {
			if (!runs_at(&c[i], &tm, local, shown))
				continue;
			ck_assert_msg(t == expected[i], "%s in %s: %ld, cron_next says %ld",
				schedules[i], zones[_i], (long)t, (long)expected[i]);
			expected[i] = cron_next(&c[i], t);
		}
		shown = local > shown ? local : shown;
	}
	for (size_t i = 0; i < SCHEDULES; i++)
		ck_assert_int_ge(expected[i], end);
}
END_TEST

START_TEST(far_ends_of_time_have_no_next_run)
{
	struct cron often = parse_ok("* * * * *"), seldom = parse_ok("0 0 1 1 *");
	const time_t ends[] = {INT64_MIN, INT64_MAX, INT64_MAX - 1};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		ck_assert_int_eq(cron_next(&often, ends[i]), -1);
		ck_assert_int_eq(cron_next(&seldom, ends[i]), -1);
	}
}
END_TEST

static Suite *cron_suite(void)
{
	Suite *s = suite_create("cron");
	TCase *tc = tcase_create("cron");

	tcase_add_checked_fixture(tc, use_utc, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, the_next_run_is_found, 0, (int)(sizeof(simple) / sizeof(*simple)));
	tcase_add_test(tc, seconds_of_the_start_do_not_matter);
	tcase_add_loop_test(tc, a_mistake_is_named, 0, (int)(sizeof(bad) / sizeof(*bad)));
	tcase_add_test(tc, a_time_that_does_not_exist_runs_after_the_gap);
	tcase_add_test(tc, a_time_that_comes_twice_runs_the_first_time);
	tcase_add_test(tc, a_start_within_the_second_pass_does_not_run_it_again);
	tcase_add_test(tc, frequent_schedules_follow_the_real_hours);
	tcase_add_loop_test(tc, two_years_agree_with_a_minute_by_minute_count, 0,
		effort((int)(sizeof(zones) / sizeof(*zones))));
	tcase_add_test(tc, far_ends_of_time_have_no_next_run);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(cron_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
