/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "notify/quiet.h"

static struct quiet_span span(const char *text)
{
	struct quiet_span s;
	struct err e = {""};

	ck_assert_msg(quiet_parse(text, &s, &e) == 0, "%s", e.msg);
	return s;
}

static void zone(const char *name)
{
	ck_assert_int_eq(setenv("TZ", name, 1), 0);
	tzset();
}

/* "2026-11-21 22:30" of the local time; the first such moment when there are two. */
static time_t at(const char *text)
{
	struct tm tm = {.tm_isdst = -1};

	ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M", &tm));
	tm.tm_isdst = -1;
	return mktime(&tm);
}

static void check_until(const char *spans, const char *when, const char *end)
{
	struct quiet_span s = span(spans);
	time_t until = quiet_until(&s, 1, at(when));

	if (end)
		ck_assert_msg(until == at(end), "%s at %s: %lld, not %s", spans, when,
			(long long)until, end);
	else
		ck_assert_msg(until == 0, "%s at %s: %lld", spans, when, (long long)until);
}

START_TEST(what_people_write_is_read)
{
	struct quiet_span s = span("22:00-07:30");

	ck_assert_uint_eq(s.days, 0x7f);
	ck_assert_int_eq(s.from_minute, 22 * 60);
	ck_assert_int_eq(s.to_minute, 7 * 60 + 30);
	s = span("  sat,Sun   0:00 - 24:00 ");
	ck_assert_uint_eq(s.days, 0x41);
	ck_assert_int_eq(s.from_minute, 0);
	ck_assert_int_eq(s.to_minute, 1440);
	ck_assert_uint_eq(span("mon-fri 20:00-08:00").days, 0x3e);
	ck_assert_uint_eq(span("fri-mon,wed 20:00-08:00").days, 0x6b);
}
END_TEST

START_TEST(nonsense_is_refused_with_an_example)
{
	static const char *const texts[] = {"", " ", "22:00", "22-07", "22:00-", "22:00-25:00",
		"22:60-07:00", "24:00-07:00", "22:0-07:00", "22:00-07:00x", "moo 22:00-07:00",
		"mon22:00-07:00", "mon- 22:00-07:00", "mon, 22:00-07:00", "22:00-07:00 mon",
		"022:00-07:00", "-1:00-07:00", "mon", "24:01-07:00", "12:00-24:01"};
	struct quiet_span s = {0xaa, 1, 2};
	struct err e;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		e.msg[0] = '\0';
		ck_assert_msg(quiet_parse(texts[i], &s, &e) == -EINVAL, "%s", texts[i]);
		ck_assert_ptr_nonnull(strstr(e.msg, "\"22:00-07:00\""));
	}
	ck_assert_int_eq(s.days, 0xaa); /* untouched */
}
END_TEST

START_TEST(a_night_goes_over_midnight)
{
	zone("UTC");
	check_until("22:00-07:00", "2026-11-21 21:59", NULL);
	check_until("22:00-07:00", "2026-11-21 22:00", "2026-11-22 07:00");
	check_until("22:00-07:00", "2026-11-22 06:59", "2026-11-22 07:00");
	check_until("22:00-07:00", "2026-11-22 07:00", NULL);
}
END_TEST

START_TEST(seconds_do_not_move_the_end)
{
	struct quiet_span s = span("22:00-07:00");

	zone("UTC");
	ck_assert_int_eq(quiet_until(&s, 1, at("2026-11-21 23:10") + 59), at("2026-11-22 07:00"));
	ck_assert_int_eq(quiet_until(&s, 1, at("2026-11-21 22:00") - 1), 0);
}
END_TEST

START_TEST(the_day_is_that_of_the_beginning)
{
	zone("UTC");
	/* 2026-11-20 is a Friday. */
	check_until("fri 22:00-07:00", "2026-11-20 06:00", NULL);
	check_until("fri 22:00-07:00", "2026-11-20 23:00", "2026-11-21 07:00");
	check_until("fri 22:00-07:00", "2026-11-21 03:00", "2026-11-21 07:00");
	check_until("fri 22:00-07:00", "2026-11-21 23:00", NULL);
	check_until("sat 00:00-24:00", "2026-11-21 12:00", "2026-11-22 00:00");
	check_until("sat 12:00-12:00", "2026-11-22 11:00", "2026-11-22 12:00");
}
END_TEST

START_TEST(spans_that_touch_are_one)
{
	struct quiet_span s[] = {
		span("mon-fri 20:00-08:00"), span("sat,sun 00:00-24:00"), span("sun 20:00-08:00")};

	zone("UTC");
	ck_assert_int_eq(quiet_until(s, 3, at("2026-11-20 21:00")), at("2026-11-23 08:00"));
	ck_assert_int_eq(quiet_until(s, 3, at("2026-11-20 19:59")), 0);
	ck_assert_int_eq(quiet_until(s, 0, at("2026-11-20 21:00")), 0);
}
END_TEST

START_TEST(always_quiet_ends_after_a_week_ahead)
{
	struct quiet_span s = span("00:00-24:00");
	time_t now;

	zone("UTC");
	now = at("2026-11-20 21:00");
	ck_assert_int_eq(quiet_until(&s, 1, now), now + 7 * 86400);
}
END_TEST

/* In Berlin 2026 the clock goes from 02:00 to 03:00 on 29 March, and from 03:00 back to 02:00 on 25
 * October. */
START_TEST(a_night_of_changed_clocks_ends_at_the_same_local_time)
{
	struct quiet_span s = span("22:00-07:00");

	zone("Europe/Berlin");
	check_until("22:00-07:00", "2026-03-28 23:00", "2026-03-29 07:00");
	check_until("22:00-07:00", "2026-10-24 23:00", "2026-10-25 07:00");
	ck_assert_int_eq(
		quiet_until(&s, 1, at("2026-03-28 22:00")) - at("2026-03-28 22:00"), 8 * 3600);
	ck_assert_int_eq(
		quiet_until(&s, 1, at("2026-10-24 22:00")) - at("2026-10-24 22:00"), 10 * 3600);
}
END_TEST

START_TEST(an_end_that_does_not_exist_is_when_the_clock_jumps_over_it)
{
	zone("Europe/Berlin");
	check_until("22:00-02:30", "2026-03-29 01:00", "2026-03-29 03:00");
}
END_TEST

START_TEST(a_beginning_that_does_not_exist_is_when_the_clock_jumps_over_it)
{
	zone("Europe/Berlin");
	check_until("02:30-05:00", "2026-03-29 01:59", NULL);
	check_until("02:30-05:00", "2026-03-29 03:00", "2026-03-29 05:00");
}
END_TEST

START_TEST(the_hour_that_comes_twice_is_quiet_twice)
{
	struct quiet_span s = span("02:00-03:00");
	time_t first;

	zone("Europe/Berlin");
	first = at("2026-10-25 01:30") + 1800;
	ck_assert_int_eq(quiet_until(&s, 1, first), first + 2 * 3600);
}
END_TEST

/* Whatever the zone and the day: what it says is the first minute that is in no span. */
START_TEST(the_end_is_the_first_minute_that_is_not_quiet)
{
	static const char *const texts[] = {
		"22:00-07:00", "sat,sun 00:00-24:00", "mon-fri 01:30-02:30", "02:15-02:45"};
	static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
		"Australia/Lord_Howe", "Asia/Kathmandu"};

	for (size_t z = 0; z < sizeof(zones) / sizeof(*zones); z++) {
		zone(zones[z]);
		for (size_t i = 0; i < 4; i++) {
			struct quiet_span s = span(texts[i]);
			time_t begin = at("2026-10-23 00:00");

			for (time_t t = begin; t < begin + 4 * 86400; t += 37 * 60) {
				time_t until = quiet_until(&s, 1, t), step = t;

				while (quiet_until(&s, 1, step) != 0)
					step += 60 - step % 60;
				ck_assert_int_eq(until ? until : t, step);
			}
		}
	}
}
END_TEST

static Suite *quiet_suite(void)
{
	Suite *s = suite_create("quiet");
	TCase *tc = tcase_create("quiet");

	tcase_add_test(tc, what_people_write_is_read);
	tcase_add_test(tc, nonsense_is_refused_with_an_example);
	tcase_add_test(tc, a_night_goes_over_midnight);
	tcase_add_test(tc, seconds_do_not_move_the_end);
	tcase_add_test(tc, the_day_is_that_of_the_beginning);
	tcase_add_test(tc, spans_that_touch_are_one);
	tcase_add_test(tc, always_quiet_ends_after_a_week_ahead);
	tcase_add_test(tc, a_night_of_changed_clocks_ends_at_the_same_local_time);
	tcase_add_test(tc, an_end_that_does_not_exist_is_when_the_clock_jumps_over_it);
	tcase_add_test(tc, a_beginning_that_does_not_exist_is_when_the_clock_jumps_over_it);
	tcase_add_test(tc, the_hour_that_comes_twice_is_quiet_twice);
	tcase_add_test(tc, the_end_is_the_first_minute_that_is_not_quiet);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(quiet_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
