/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/retention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

/* Number of the period a time lies in; the newest of each is kept. */
struct period {
	const char *name;
	int (*number)(const struct tm *t);
};

static int day_number(const struct tm *t)
{
	return t->tm_year * 1000 + t->tm_yday;
}

/* ISO 8601: a week belongs to the year that its Thursday lies in. */
static int week_number(const struct tm *t)
{
	int weekday = (t->tm_wday + 6) % 7; /* Monday is 0 */
	struct tm thursday = *t;

	thursday.tm_mday += 3 - weekday;
	thursday.tm_hour = 12;
	thursday.tm_min = thursday.tm_sec = 0;
	thursday.tm_isdst = -1;
	if (mktime(&thursday) == (time_t)-1)
		return day_number(t);
	return thursday.tm_year * 1000 + thursday.tm_yday / 7;
}

static int month_number(const struct tm *t)
{
	return t->tm_year * 12 + t->tm_mon;
}

static int year_number(const struct tm *t)
{
	return t->tm_year;
}

static const struct period periods[] = {
	{"daily", day_number},
	{"weekly", week_number},
	{"monthly", month_number},
	{"yearly", year_number},
};

static void keep(struct retention_item *i, const char *why)
{
	if (i->keep)
		return;
	i->keep = true;
	i->why = why;
}

static int newest_first(const void *a, const void *b)
{
	const struct retention_item *x = *(struct retention_item *const *)a;
	const struct retention_item *y = *(struct retention_item *const *)b;

	if (x->time_ms != y->time_ms)
		return x->time_ms < y->time_ms ? 1 : -1;
	return -strcmp(x->id, y->id);
}

/* Good ones of the past, newest first; returns how many. A backup from the future was made with a wrong clock, or this one is
 * wrong: it is kept, and takes nobody's place. */
static size_t countable(
	struct retention_item *items, size_t n, int64_t now_ms, struct retention_item **out)
{
	size_t n_out = 0;

	for (size_t i = 0; i < n; i++)
		if (items[i].is_good && items[i].time_ms <= now_ms)
			out[n_out++] = &items[i];
	if (n_out)
		qsort(out, n_out, sizeof(struct retention_item *), newest_first);
	return n_out;
}

static void keep_periods(
	const struct period *p, int wanted, struct retention_item **good, size_t n_good)
{
	int last = 0, kept = 0;

	for (size_t i = 0; i < n_good && kept < wanted; i++) {
		time_t seconds = (time_t)(good[i]->time_ms / 1000);
		struct tm t;
		int number;

		if (!localtime_r(&seconds, &t))
			continue;
		number = p->number(&t);
		if (kept && number == last)
			continue;
		keep(good[i], p->name);
		last = number;
		kept++;
	}
}

static void keep_by_policy(
	const struct retention_policy *p, struct retention_item **good, size_t n_good)
{
	const int wanted[] = {p->daily, p->weekly, p->monthly, p->yearly};

	for (size_t i = 0; i < n_good && (int)i < p->last; i++)
		keep(good[i], "last");
	for (size_t i = 0; i < ARRAY_LEN(periods); i++)
		keep_periods(&periods[i], wanted[i], good, n_good);
}

/* What no policy may remove. */
static void keep_others(const struct retention_policy *p, struct retention_item *items, size_t n,
	struct retention_item **good, size_t n_good, int64_t now_ms)
{
	int64_t newest_good_ms = INT64_MIN;

	if (n_good)
		keep(good[0], "newest good one");
	for (size_t i = 0; i < n_good; i++)
		if (good[i]->is_verified) {
			keep(good[i], "newest verified one");
			break;
		}
	for (size_t i = 0; i < n; i++)
		if (items[i].is_good && items[i].time_ms > newest_good_ms)
			newest_good_ms = items[i].time_ms;
	for (size_t i = 0; i < n; i++) {
		struct retention_item *it = &items[i];

		if (it->is_locked && (it->locked_until_ms == 0 || it->locked_until_ms > now_ms))
			keep(it, "locked");
		if (it->time_ms > now_ms)
			keep(it, "from the future");
		if (it->time_ms > now_ms - p->min_age_ms)
			keep(it, "younger than min_age");
		if (!it->is_good && it->time_ms >= newest_good_ms)
			keep(it, "no newer good one");
		if (!it->keep)
			it->why = it->is_good ? "not in the policy" : "bad";
	}
}

static void keep_all(struct retention_item *items, size_t n, const char *why)
{
	for (size_t i = 0; i < n; i++) {
		items[i].keep = true;
		items[i].why = why;
	}
}

int retention_decide(const struct retention_policy *p, struct retention_item *items, size_t n,
	int64_t now_ms, struct err *e)
{
	_cleanup_(free_p) struct retention_item **good =
		calloc(n + 1, sizeof(struct retention_item *));
	size_t n_good;

	if (!good)
		abort();
	keep_all(items, n, "no policy");
	if (p->last < 0 || p->daily < 0 || p->weekly < 0 || p->monthly < 0 || p->yearly < 0 ||
		p->min_age_ms < 0)
		return err_set(e, EINVAL, "keep: a number is negative, nothing is removed");
	if (!p->last && !p->daily && !p->weekly && !p->monthly && !p->yearly)
		return 0;
	for (size_t i = 0; i < n; i++) {
		items[i].keep = false;
		items[i].why = NULL;
	}
	n_good = countable(items, n, now_ms, good);
	keep_by_policy(p, good, n_good);
	if (n_good && !good[0]->keep) {
		keep_all(items, n, "no policy");
		return err_set(e, EINVAL, "keep: the policy would remove all good backups");
	}
	keep_others(p, items, n, good, n_good, now_ms);
	return 0;
}
