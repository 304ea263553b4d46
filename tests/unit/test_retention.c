/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/retention.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum { DAY = 86400, ITEMS_MAX = 64 };

static void set_zone(const char *zone)
{
	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
}

/* "2026-11-21 03:00" in the zone of the process. */
static int64_t at(const char *text)
{
	struct tm t = {.tm_isdst = -1};

	ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M", &t));
	return (int64_t)mktime(&t) * 1000;
}

/* One calendar: in words of "TIME", with "!" behind a bad one, "v" a verified one, "L" a locked one. What is expected: the times that
 * stay, in the order of the list. */
struct calendar {
	const char *title, *zone;
	struct retention_policy policy;
	const char *now;
	const char *times[16];
	const char *kept; /* a letter for each of the times: its reason, "." for removed */
};

static const struct calendar calendars[] = {
	{"the last two", "UTC", {.last = 2}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2026-11-20 03:00", "2026-11-19 03:00"}, "ll."},
	{"in any order", "UTC", {.last = 2}, "2026-11-21 12:00",
		{"2026-11-19 03:00", "2026-11-21 03:00", "2026-11-20 03:00"}, ".ll"},
	{"the newest of each day", "UTC", {.daily = 2}, "2026-11-21 12:00",
		{"2026-11-21 09:00", "2026-11-21 03:00", "2026-11-20 23:59", "2026-11-20 00:00",
			"2026-11-19 03:00"},
		"d.d.."},
	{"days without a backup do not count", "UTC", {.daily = 2}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2026-11-01 03:00", "2026-10-01 03:00"}, "dd."},
	{"days are those of the time zone", "Asia/Tokyo", {.daily = 2}, "2026-11-21 12:00",
		{"2026-11-21 00:10", "2026-11-20 23:50", "2026-11-19 12:00"}, "dd."},
	{"a day of 25 hours is one day", "Europe/Berlin", {.daily = 1}, "2026-10-26 12:00",
		{"2026-10-25 23:30", "2026-10-25 00:15"}, "d."},
	{"a day of 23 hours is one day", "Europe/Berlin", {.daily = 1}, "2026-03-30 12:00",
		{"2026-03-29 23:30", "2026-03-29 00:15"}, "d."},
	{"weeks begin on Monday", "UTC", {.weekly = 2}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2026-11-16 00:00", "2026-11-15 23:59", "2026-11-09 00:00",
			"2026-11-08 23:00"},
		"w.w.."},
	{"a week over New Year is one week", "UTC", {.weekly = 2}, "2027-01-04 12:00",
		{"2027-01-03 03:00", "2026-12-31 03:00", "2026-12-28 03:00", "2026-12-27 03:00"},
		"w..w"},
	{"a week with the change of clocks is one week", "Europe/Berlin", {.weekly = 2},
		"2026-11-02 12:00",
		{"2026-11-01 23:30", "2026-10-26 00:10", "2026-10-25 23:30", "2026-10-19 00:10"},
		"w.w."},
	{"months", "UTC", {.monthly = 3}, "2026-11-21 12:00",
		{"2026-11-01 00:00", "2026-10-31 23:59", "2026-10-01 00:00", "2026-01-31 03:00",
			"2025-12-31 03:00"},
		"mm.m."},
	{"years", "UTC", {.yearly = 2}, "2026-11-21 12:00",
		{"2026-01-01 00:00", "2025-12-31 23:59", "2025-01-01 00:00", "2024-12-31 03:00"},
		"yy.."},
	{"rules add up", "UTC", {.last = 1, .daily = 2, .monthly = 2}, "2026-11-21 12:00",
		{"2026-11-21 09:00", "2026-11-21 03:00", "2026-11-20 03:00", "2026-11-19 03:00",
			"2026-10-31 03:00", "2026-09-30 03:00"},
		"l.d.m."},
	{"bad ones do not count", "UTC", {.last = 2}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2026-11-20 03:00!", "2026-11-19 03:00", "2026-11-18 03:00"},
		"l.l."},
	{"bad ones stay until a good one is newer", "UTC", {.last = 1}, "2026-11-21 12:00",
		{"2026-11-21 03:00!", "2026-11-20 03:00!", "2026-11-19 03:00", "2026-11-18 03:00!"},
		"bbl."},
	{"all bad ones stay", "UTC", {.last = 1}, "2026-11-21 12:00",
		{"2026-11-21 03:00!", "2026-11-20 03:00!", "2026-11-19 03:00!"}, "bbb"},
	{"the newest verified one stays", "UTC", {.last = 1}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2026-11-20 03:00", "2026-11-19 03:00v", "2026-11-18 03:00v"},
		"l.v."},
	{"a verified one that is bad now is not it", "UTC", {.last = 1}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2026-11-20 03:00v!", "2026-11-19 03:00v"}, "l.v"},
	{"what is locked stays", "UTC", {.last = 1}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2026-11-20 03:00L", "2026-11-19 03:00"}, "lL."},
	{"young ones stay, bad or not", "UTC", {.last = 1, .min_age_ms = 36 * 3600 * 1000LL},
		"2026-11-21 12:00",
		{"2026-11-21 03:00", "2026-11-20 03:00", "2026-11-20 02:00!", "2026-11-19 23:00"},
		"laa."},
	{"min_age alone removes nothing", "UTC", {.min_age_ms = 1000}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2020-11-20 03:00"}, "nn"},
	{"no policy removes nothing", "UTC", {.last = 0}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2020-11-20 03:00!"}, "nn"},
	{"a clock in the past removes nothing", "UTC", {.last = 1}, "2020-01-01 00:00",
		{"2026-11-21 03:00", "2026-11-20 03:00", "2026-11-19 03:00"}, "fff"},
	{"one from the future takes nobody's place", "UTC", {.last = 1, .yearly = 1},
		"2026-11-21 12:00", {"2099-11-21 03:00", "2026-11-20 03:00", "2026-11-19 03:00"},
		"fl."},
	{"two of the same second", "UTC", {.last = 1}, "2026-11-21 12:00",
		{"2026-11-21 03:00", "2026-11-21 03:00"}, ".l"},
};

static char letter(const struct retention_item *i)
{
	static const struct {
		const char *why;
		char letter;
	} letters[] = {{"last", 'l'}, {"daily", 'd'}, {"weekly", 'w'}, {"monthly", 'm'},
		{"yearly", 'y'}, {"no newer good one", 'b'}, {"newest verified one", 'v'},
		{"locked", 'L'}, {"younger than min_age", 'a'}, {"no policy", 'n'},
		{"from the future", 'f'}, {"newest good one", 'g'}};

	ck_assert_ptr_nonnull(i->why);
	for (size_t n = 0; n < ARRAY_LEN(letters); n++)
		if (strcmp(letters[n].why, i->why) == 0)
			return letters[n].letter;
	return i->keep ? '?' : '.';
}

START_TEST(row_14_each_calendar_keeps_what_it_should)
{
	const struct calendar *c = &calendars[_i];
	struct retention_item items[ITEMS_MAX];
	char ids[ITEMS_MAX][8], kept[ITEMS_MAX];
	struct err e = {""};
	size_t n = 0;

	set_zone(c->zone);
	for (; c->times[n]; n++) {
		(void)snprintf(ids[n], sizeof(ids[n]), "id%zu", n);
		items[n] = (struct retention_item){.id = ids[n],
			.time_ms = at(c->times[n]),
			.is_good = !strchr(c->times[n], '!'),
			.is_verified = strchr(c->times[n], 'v') != NULL,
			.is_locked = strchr(c->times[n], 'L') != NULL,
			.locked_until_ms = at(c->now) + 1000};
	}
	ck_assert_int_eq(retention_decide(&c->policy, items, n, at(c->now), &e), 0);
	for (size_t i = 0; i < n; i++)
		kept[i] = letter(&items[i]);
	kept[n] = '\0';
	ck_assert_msg(strcmp(kept, c->kept) == 0, "%s: %s instead of %s", c->title, kept, c->kept);
}
END_TEST

START_TEST(the_hour_that_comes_twice_is_in_order)
{
	/* 2026-10-25 02:30 in Berlin, in summer time and an hour later in winter time. */
	const int64_t first = 1792888200000;
	struct retention_item items[] = {{.id = "a", .time_ms = first, .is_good = true},
		{.id = "b", .time_ms = first + 3600 * 1000, .is_good = true}};
	const struct retention_policy p = {.daily = 3};
	struct err e = {""};

	set_zone("Europe/Berlin");
	ck_assert_int_eq(retention_decide(&p, items, 2, first + DAY * 1000LL, &e), 0);
	ck_assert(!items[0].keep);
	ck_assert(items[1].keep);
}
END_TEST

START_TEST(a_lock_that_has_ended_keeps_nothing)
{
	struct retention_item items[] = {{.id = "a", .time_ms = 1000, .is_good = true},
		{.id = "b",
			.time_ms = 900,
			.is_good = true,
			.is_locked = true,
			.locked_until_ms = 5000},
		{.id = "c", .time_ms = 800, .is_good = true, .is_locked = true}};
	const struct retention_policy p = {.last = 1};
	struct err e = {""};

	ck_assert_int_eq(retention_decide(&p, items, 3, 6000, &e), 0);
	ck_assert(!items[1].keep);
	ck_assert(items[2].keep);
}
END_TEST

START_TEST(row_14_a_policy_that_would_remove_all_is_refused)
{
	struct retention_item items[] = {{.id = "a", .time_ms = 1000, .is_good = true},
		{.id = "b", .time_ms = 900, .is_good = false}};
	const struct retention_policy p = {.last = -1};
	struct err e = {""};

	ck_assert_int_eq(retention_decide(&p, items, 2, 6000, &e), -EINVAL);
	ck_assert(items[0].keep && items[1].keep);
	ck_assert_str_ne(e.msg, "");
}
END_TEST

START_TEST(nothing_is_decided_about_nothing)
{
	const struct retention_policy p = {.last = 1};
	struct err e = {""};

	ck_assert_int_eq(retention_decide(&p, NULL, 0, 6000, &e), 0);
}
END_TEST

/* Every hour for twenty years, in the worst order: a verdict in well under a second. */
START_TEST(many_are_no_burden)
{
	const size_t n = 20 * 365 * 24;
	struct retention_item *items = calloc(n, sizeof(*items));
	const struct retention_policy p = {
		.last = 24, .daily = 7, .weekly = 4, .monthly = 12, .yearly = 10};
	size_t kept = 0;
	struct err e = {""};

	set_zone("Europe/Berlin");
	ck_assert_ptr_nonnull(items);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct retention_item){.id = "x",
			.time_ms = 1200000000000 + (int64_t)i * 3600 * 1000,
			.is_good = true};
	ck_assert_int_eq(retention_decide(&p, items, n, 2200000000000, &e), 0);
	for (size_t i = 0; i < n; i++)
		kept += items[i].keep;
	ck_assert_uint_gt(kept, 24 + 6 + 3 + 11 + 9 - 5);
	ck_assert_uint_le(kept, 24 + 7 + 4 + 12 + 10);
	free(items);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("retention");
	TCase *tc = tcase_create("retention");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(
		tc, row_14_each_calendar_keeps_what_it_should, 0, (int)ARRAY_LEN(calendars));
	tcase_add_test(tc, the_hour_that_comes_twice_is_in_order);
	tcase_add_test(tc, a_lock_that_has_ended_keeps_nothing);
	tcase_add_test(tc, row_14_a_policy_that_would_remove_all_is_refused);
	tcase_add_test(tc, nothing_is_decided_about_nothing);
	tcase_add_test(tc, many_are_no_burden);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
