/* SPDX-License-Identifier: Apache-2.0
 *
 * When a backup runs, when it has been missed, and when it is overdue.
 */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "backup/schedule.h"

static const int64_t minute = 60 * 1000, hour = 3600 * 1000, day = 24 * 3600 * 1000;

static struct schedule at(const char *cron)
{
	struct schedule s = {.key = "vps1 shop", .catch_up = true};

	ck_assert_int_eq(cron_parse(cron, &s.cron, NULL), 0);
	return s;
}

static void zone(const char *name)
{
	(void)setenv("TZ", name, 1);
	tzset();
}

/* Wall clock in the process's zone. */
static int64_t local(int month, int mday, int hh, int mm)
{
	struct tm tm = {.tm_year = 126,
		.tm_mon = month - 1,
		.tm_mday = mday,
		.tm_hour = hh,
		.tm_min = mm,
		.tm_isdst = -1};

	return (int64_t)mktime(&tm) * 1000;
}

START_TEST(a_new_schedule_begins_with_its_next_time)
{
	struct schedule s = at("0 3 * * *");
	int64_t now = local(11, 21, 12, 0);
	struct schedule_verdict v = schedule_look(&s, 0, now);

	ck_assert(!v.due && !v.late);
	ck_assert_int_eq(v.handled_ms, now);
	ck_assert_int_eq(v.next_ms, local(11, 22, 3, 0));
}
END_TEST

START_TEST(it_is_due_at_its_time_and_only_once)
{
	struct schedule s = at("0 3 * * *");
	int64_t handled = local(11, 21, 12, 0), now = local(11, 22, 3, 0);
	struct schedule_verdict v = schedule_look(&s, handled, now - 1);

	ck_assert(!v.due);
	v = schedule_look(&s, handled, now + 200);
	ck_assert(v.due && !v.late);
	ck_assert_int_eq(v.next_ms, local(11, 23, 3, 0));
	v = schedule_look(&s, v.handled_ms, now + 400);
	ck_assert(!v.due);
}
END_TEST

START_TEST(row_29_what_was_missed_while_the_server_was_off_is_made_up_for_once)
{
	struct schedule s = at("0 3 * * *");
	int64_t now = local(11, 26, 9, 17); /* four nights later */
	struct schedule_verdict v = schedule_look(&s, local(11, 22, 3, 0), now);

	ck_assert(v.due && v.late);
	ck_assert_int_eq(v.handled_ms, now);
	ck_assert_int_eq(v.next_ms, local(11, 27, 3, 0));
	ck_assert(!schedule_look(&s, v.handled_ms, now + minute).due);
}
END_TEST

START_TEST(without_catch_up_what_was_missed_is_left_out)
{
	struct schedule s = at("0 3 * * *");
	int64_t now = local(11, 26, 9, 17);
	struct schedule_verdict v;

	s.catch_up = false;
	v = schedule_look(&s, local(11, 22, 3, 0), now);
	ck_assert(!v.due && v.late);
	ck_assert_int_eq(v.next_ms, local(11, 27, 3, 0));
	/* A moment late is not missed. */
	v = schedule_look(&s, local(11, 26, 3, 0), local(11, 27, 3, 0) + 20 * 1000);
	ck_assert(v.due && !v.late);
}
END_TEST

START_TEST(the_start_is_put_off_by_the_same_time_for_the_same_job_and_night)
{
	struct schedule s = at("0 3 * * *"), other = s;
	int64_t slot = local(11, 22, 3, 0), off, nights = 0;

	s.jitter_ms = other.jitter_ms = 30 * minute;
	other.key = "vps2 shop";
	off = schedule_put_off_ms(&s, slot);
	ck_assert(off >= 0 && off < 30 * minute);
	ck_assert_int_eq(schedule_put_off_ms(&s, slot), off);
	ck_assert_int_ne(schedule_put_off_ms(&other, slot), off);
	for (int i = 0; i < 200; i++) /* spread over the whole time */
		nights += schedule_put_off_ms(&s, slot + i * day) < 15 * minute;
	ck_assert(nights > 60 && nights < 140);
	ck_assert_int_eq(schedule_look(&s, slot - hour, slot - minute).next_ms, slot + off);
	ck_assert(!schedule_look(&s, slot - hour, slot + off - 1).due);
	ck_assert(schedule_look(&s, slot - hour, slot + off).due);
}
END_TEST

START_TEST(a_clock_set_back_neither_repeats_nor_stops_it)
{
	struct schedule s = at("0 3 * * *");
	int64_t ran = local(11, 22, 3, 0) + 100;
	struct schedule_verdict v = schedule_look(&s, ran, ran - 10 * 1000);

	ck_assert(!v.due);
	ck_assert_int_eq(v.next_ms, local(11, 23, 3, 0));
	/* It ran when the clock stood in 2030: that must not silence it for four years. */
	v = schedule_look(&s, ran + 4 * 365 * day, ran);
	ck_assert_int_eq(v.next_ms, local(11, 23, 3, 0));
	ck_assert(schedule_look(&s, v.handled_ms, local(11, 23, 3, 0)).due);
}
END_TEST

START_TEST(a_clock_set_forward_makes_one_run)
{
	struct schedule s = at("0 * * * *");
	int64_t now = local(11, 22, 3, 10);
	struct schedule_verdict v = schedule_look(&s, now, now + 400 * day);

	ck_assert(v.due && v.late);
	ck_assert(!schedule_look(&s, v.handled_ms, now + 400 * day + minute).due);
}
END_TEST

START_TEST(the_hour_that_comes_twice_has_one_run_and_the_one_that_is_left_out_too)
{
	struct schedule s = at("30 2 * * *");
	struct schedule_verdict v;
	int64_t first;

	zone("Europe/Berlin");
	/* 25 October 2026: 02:30 is there twice. */
	v = schedule_look(&s, local(10, 24, 12, 0), local(10, 24, 12, 0));
	first = v.next_ms;
	v = schedule_look(&s, v.handled_ms, first);
	ck_assert(v.due);
	ck_assert(!schedule_look(&s, v.handled_ms, first + hour).due);
	ck_assert_int_eq(v.next_ms, local(10, 26, 2, 30));
	/* 29 March 2026: there is none; it runs when the gap is over. */
	v = schedule_look(&s, local(3, 28, 12, 0), local(3, 28, 12, 0));
	ck_assert_int_eq(v.next_ms, local(3, 29, 3, 0));
	zone("UTC");
}
END_TEST

START_TEST(a_date_that_never_comes_is_never)
{
	struct schedule s = at("0 0 30 2 *");

	ck_assert_int_eq(schedule_look(&s, 0, local(11, 22, 3, 0)).next_ms, 0);
	ck_assert_int_eq(schedule_overdue_ms(&s, 0, local(11, 22, 3, 0), local(11, 22, 3, 0)), 0);
}
END_TEST

START_TEST(row_29_a_job_is_overdue_a_quarter_of_its_period_after_a_run_is_missing)
{
	struct schedule daily = at("0 3 * * *"), hourly = at("0 * * * *");
	int64_t last = local(11, 22, 3, 0) + 500, now = local(11, 25, 0, 0);

	ck_assert_int_eq(schedule_overdue_ms(&daily, 0, last, now), local(11, 23, 9, 0));
	ck_assert_int_eq(schedule_overdue_ms(&hourly, 0, last, now), local(11, 22, 5, 0));
	/* One made by hand in between changes nothing about the next night. */
	ck_assert_int_eq(
		schedule_overdue_ms(&daily, 0, local(11, 22, 14, 0), now), local(11, 23, 9, 0));
	daily.jitter_ms = 30 * minute;
	ck_assert_int_eq(schedule_overdue_ms(&daily, 0, last, now), local(11, 23, 9, 30));
}
END_TEST

START_TEST(the_option_says_how_old_the_last_one_may_get)
{
	struct schedule s = at("0 3 * * *");
	int64_t last = local(11, 22, 3, 0), now = local(11, 25, 0, 0);

	ck_assert_int_eq(schedule_overdue_ms(&s, 26 * hour, last, now), last + 26 * hour);
	ck_assert_int_eq(schedule_overdue_ms(NULL, 26 * hour, last, now), last + 26 * hour);
	/* By hand only, and nothing said: never. */
	ck_assert_int_eq(schedule_overdue_ms(NULL, 0, last, now), 0);
	/* One that seems to come from the future counts from now. */
	ck_assert_int_eq(schedule_overdue_ms(&s, hour, now + 365 * day, now), now + hour);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("schedule");
	TCase *tc = tcase_create("schedule");
	SRunner *sr = srunner_create(s);
	int failed;

	zone("UTC");
	tcase_add_test(tc, a_new_schedule_begins_with_its_next_time);
	tcase_add_test(tc, it_is_due_at_its_time_and_only_once);
	tcase_add_test(tc, row_29_what_was_missed_while_the_server_was_off_is_made_up_for_once);
	tcase_add_test(tc, without_catch_up_what_was_missed_is_left_out);
	tcase_add_test(tc, the_start_is_put_off_by_the_same_time_for_the_same_job_and_night);
	tcase_add_test(tc, a_clock_set_back_neither_repeats_nor_stops_it);
	tcase_add_test(tc, a_clock_set_forward_makes_one_run);
	tcase_add_test(tc, the_hour_that_comes_twice_has_one_run_and_the_one_that_is_left_out_too);
	tcase_add_test(tc, a_date_that_never_comes_is_never);
	tcase_add_test(tc, row_29_a_job_is_overdue_a_quarter_of_its_period_after_a_run_is_missing);
	tcase_add_test(tc, the_option_says_how_old_the_last_one_may_get);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
