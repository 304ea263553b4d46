/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/quiet.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { DAY_MINUTES = 24 * 60, DAYS = 7, AHEAD_MAX_S = DAYS * 24 * 3600, ALL_DAYS = 0x7f };

static const char day_names[DAYS][4] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static bool take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

static bool take_day(const char **p, unsigned *out)
{
	for (unsigned i = 0; i < DAYS; i++) {
		if (strncasecmp(*p, day_names[i], 3) != 0)
			continue;
		*p += 3;
		*out = i;
		return true;
	}
	return false;
}

/* "sat,sun" or "mon-fri"; a range may go over the end of the week. */
static bool take_days(const char **p, uint8_t *days)
{
	*days = 0;
	do {
		unsigned first, last;

		if (!take_day(p, &first))
			return false;
		last = first;
		if (take_char(p, '-') && !take_day(p, &last))
			return false;
		for (unsigned d = first;; d = (d + 1) % DAYS) {
			*days |= (uint8_t)(1u << d);
			if (d == last)
				break;
		}
	} while (take_char(p, ','));
	return true;
}

/* One or two digits. */
static bool take_number(const char **p, int *out)
{
	const char *start = *p;

	*out = 0;
	while (*p - start < 2 && **p >= '0' && **p <= '9')
		*out = *out * 10 + (*(*p)++ - '0');
	return *p > start;
}

static bool take_time(const char **p, int *minute_of_day)
{
	int hour, minute;
	const char *colon;

	if (!take_number(p, &hour))
		return false;
	colon = *p;
	if (!take_char(p, ':') || !take_number(p, &minute) || *p - colon != 3)
		return false;
	*minute_of_day = hour * 60 + minute;
	return minute < 60 && *minute_of_day <= DAY_MINUTES;
}

static void skip_blanks(const char **p)
{
	*p += strspn(*p, " \t");
}

static bool parse(const char *p, struct quiet_span *s)
{
	s->days = ALL_DAYS;
	skip_blanks(&p);
	if (*p < '0' || *p > '9') {
		if (!take_days(&p, &s->days) || (*p != ' ' && *p != '\t'))
			return false;
		skip_blanks(&p);
	}
	if (!take_time(&p, &s->from_minute) || s->from_minute == DAY_MINUTES)
		return false;
	skip_blanks(&p);
	if (!take_char(&p, '-'))
		return false;
	skip_blanks(&p);
	if (!take_time(&p, &s->to_minute))
		return false;
	skip_blanks(&p);
	return !*p;
}

int quiet_parse(const char *text, struct quiet_span *out, struct err *e)
{
	struct quiet_span s;

	if (!parse(text, &s))
		return err_set(e, EINVAL,
			"\"%.60s\" is no time span such as \"22:00-07:00\", \"sat,sun "
			"00:00-24:00\" or "
			"\"mon-fri 20:00-08:00\"",
			text);
	*out = s;
	return 0;
}

/* Minutes that the span goes on at that moment of the local week; 0: it is not in it. */
static int minutes_left(const struct quiet_span *s, int weekday, int minute)
{
	bool overnight = s->to_minute <= s->from_minute;
	int yesterday = (weekday + DAYS - 1) % DAYS;
	int left = 0;

	if (overnight && (s->days >> yesterday & 1) && minute < s->to_minute)
		left = s->to_minute - minute;
	if ((s->days >> weekday & 1) && minute >= s->from_minute) {
		int today = s->to_minute + (overnight ? DAY_MINUTES : 0) - minute;

		if (today > left)
			left = today;
	}
	return left;
}

static int longest_left(const struct quiet_span *spans, size_t n, const struct tm *tm)
{
	int left = 0;

	for (size_t i = 0; i < n; i++) {
		int one = minutes_left(&spans[i], tm->tm_wday, tm->tm_hour * 60 + tm->tm_min);

		if (one > left)
			left = one;
	}
	return left;
}

/* Spans are followed from end to end. Where the clocks are changed before an end, that end is not so
 * many minutes away as the local time says: there it goes minute by minute. */
time_t quiet_until(const struct quiet_span *spans, size_t n, time_t t)
{
	time_t end = t;

	while (end - t < AHEAD_MAX_S) {
		struct tm now, then;
		time_t next;
		int left;

		if (!localtime_r(&end, &now))
			return 0;
		left = longest_left(spans, n, &now);
		if (left == 0)
			return end == t ? 0 : end;
		next = end - now.tm_sec + (time_t)left * 60;
		if (!localtime_r(&next, &then) || then.tm_gmtoff != now.tm_gmtoff)
			next = end - now.tm_sec + 60;
		end = next;
	}
	return t + AHEAD_MAX_S;
}
