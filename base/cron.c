/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cron.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

enum { DAY_S = 86400, SEARCH_DAYS = 8 * 366 };

/* Beyond the year 9999 no calendar of ours needs to work. */
static const time_t TIME_MAX = 253402300799;

struct field {
	const char *name;
	unsigned min, max;
	/* Three letters each, the first stands for `min`; NULL: numbers only. */
	const char *names;
	const char *expected;
};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const struct field fields[FIELDS] = {
	[MINUTE] = {"minute", 0, 59, NULL, "0 to 59"},
	[HOUR] = {"hour", 0, 23, NULL, "0 to 23"},
	[DAY] = {"day of month", 1, 31, NULL, "1 to 31"},
	[MONTH] = {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", "1 to 12, jan to dec"},
	[WEEKDAY] = {"day of week", 0, 7, "sunmontuewedthufrisat", "0 to 7, sun to sat"},
};

static const struct {
	const char *name, *meaning;
} nicknames[] = {
	{"@annually", "0 0 1 1 *"},
	{"@daily", "0 0 * * *"},
	{"@hourly", "0 * * * *"},
	{"@midnight", "0 0 * * *"},
	{"@monthly", "0 0 1 * *"},
	{"@weekly", "0 0 * * 0"},
	{"@yearly", "0 0 1 1 *"},
};

/* A piece of the schedule's text. */
struct span {
	const char *at, *end;
};

static int bad(const struct field *f, struct span s, struct err *e)
{
	return err_set(e, EINVAL, "%s: \"%.*s\" is not %s, a range a-b, a list a,b or a step */n",
		f->name, (int)(s.end - s.at < 40 ? s.end - s.at : 40), s.at, f->expected);
}

/* Digits, at most three of them, or a name. Moves s->at behind it. */
static bool take_value(const struct field *f, struct span *s, unsigned *out)
{
	const char *start = s->at;
	unsigned v = 0;

	while (s->at < s->end && s->at - start < 3 && *s->at >= '0' && *s->at <= '9')
		v = v * 10 + (unsigned)(*s->at++ - '0');
	if (s->at > start) {
		*out = v;
		return true;
	}
	if (!f->names || s->end - s->at < 3)
		return false;
	for (unsigned i = 0; f->names[3 * i]; i++) {
		if (strncasecmp(s->at, f->names + 3 * (size_t)i, 3) != 0)
			continue;
		s->at += 3;
		*out = f->min + i;
		return true;
	}
	return false;
}

static bool take_char(struct span *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* One member of a list: "7", "1-5" or "*", the last two with or without a step behind a slash. */
static int parse_item(const struct field *f, struct span item, uint64_t *bits, struct err *e)
{
	struct span s = item;
	unsigned low = f->min, high = f->max, step = 1;
	bool many = take_char(&s, '*');

	if (!many) {
		if (!take_value(f, &s, &low))
			return bad(f, item, e);
		high = low;
		many = take_char(&s, '-');
		if (many && !take_value(f, &s, &high))
			return bad(f, item, e);
		/* "sat-sun": the week may end with Sunday. */
		if (many && f == &fields[WEEKDAY] && high == 0 && low > 0)
			high = 7;
	}
	if (many && take_char(&s, '/') && (!take_value(&fields[MINUTE], &s, &step) || step == 0))
		return bad(f, item, e);
	if (s.at != s.end || low < f->min || high > f->max || low > high)
		return bad(f, item, e);
	for (unsigned v = low; v <= high; v += step)
		*bits |= (uint64_t)1 << v;
	return 0;
}

static int parse_field(const struct field *f, struct span s, uint64_t *bits, struct err *e)
{
	*bits = 0;
	for (;;) {
		const char *comma = memchr(s.at, ',', (size_t)(s.end - s.at));
		struct span item = {s.at, comma ? comma : s.end};
		int r = parse_item(f, item, bits, e);

		if (r < 0 || !comma)
			return r;
		s.at = comma + 1;
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int split(const char *text, struct span spans[FIELDS], struct err *e)
{
	const char *p = text;
	int n = 0;

	for (;;) {
		while (is_blank(*p))
			p++;
		if (!*p)
			break;
		if (n < FIELDS)
			spans[n].at = p;
		while (*p && !is_blank(*p))
			p++;
		if (n < FIELDS)
			spans[n].end = p;
		n++;
	}
	if (n == FIELDS)
		return 0;
	return err_set(e, EINVAL,
		"\"%.60s\" has %d fields, not 5: minute, hour, day of month, month, day of week",
		text, n);
}

static int expand_nickname(const char **text, struct err *e)
{
	if (**text != '@')
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(nicknames); i++) {
		if (strcasecmp(*text, nicknames[i].name) != 0)
			continue;
		*text = nicknames[i].meaning;
		return 0;
	}
	return err_set(
		e, EINVAL, "\"%.60s\" is not @hourly, @daily, @weekly, @monthly or @yearly", *text);
}

int cron_parse(const char *text, struct cron *out, struct err *e)
{
	struct span spans[FIELDS];
	uint64_t bits[FIELDS];
	int r;

	text += strspn(text, " \t");
	r = expand_nickname(&text, e);
	if (r == 0)
		r = split(text, spans, e);
	for (int i = 0; r == 0 && i < FIELDS; i++)
		r = parse_field(&fields[i], spans[i], &bits[i], e);
	if (r < 0)
		return r;
	*out = (struct cron){
		.minutes = bits[MINUTE],
		.hours = (uint32_t)bits[HOUR],
		.days = (uint32_t)bits[DAY],
		.months = (uint16_t)bits[MONTH],
		.weekdays = (uint8_t)((bits[WEEKDAY] & 0x7f) | bits[WEEKDAY] >> 7),
		.any_day = *spans[DAY].at == '*',
		.any_weekday = *spans[WEEKDAY].at == '*',
		.every_hour = *spans[MINUTE].at == '*' || *spans[HOUR].at == '*',
	};
	return 0;
}

static bool has(uint64_t bits, int n)
{
	return bits >> n & 1;
}

static bool matches_day(const struct cron *c, const struct tm *tm)
{
	bool day = has(c->days, tm->tm_mday), weekday = has(c->weekdays, tm->tm_wday);

	if (!has(c->months, tm->tm_mon + 1))
		return false;
	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

/* Local times are handled as the number timegm() gives for them: "local seconds". */
static long offset_at(time_t t)
{
	struct tm tm;

	return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

/* The first time at which the local clock shows `local` or, where it never does, jumps over it. */
static time_t first_showing(time_t local)
{
	time_t low = local - DAY_S, high, t;
	long before = offset_at(low);

	high = t = local - before;
	if (offset_at(t) == before)
		return t;
	t = local - offset_at(high);
	if (t + offset_at(t) == local)
		return t;
	while (high - low > 1) {
		t = low + (high - low) / 2;
		if (offset_at(t) == before)
			low = t;
		else
			high = t;
	}
	return high;
}

/* Fixed times of day: each day's times in order, each at the first moment the clock shows it. */
static time_t next_fixed(const struct cron *c, time_t after)
{
	time_t day = after + offset_at(after);
	struct tm tm;

	day -= (day % DAY_S + DAY_S) % DAY_S;
	for (int i = 0; i <= SEARCH_DAYS; i++, day += DAY_S) {
		if (!gmtime_r(&day, &tm) || !matches_day(c, &tm))
			continue;
		for (int minute = 0; minute < 24 * 60; minute++) {
			time_t t;

			if (!has(c->hours, minute / 60) || !has(c->minutes, minute % 60))
				continue;
			t = first_showing(day + minute * 60);
			if (t > after)
				return t;
		}
	}
	return -1;
}

/* Hourly and more frequent ones: whenever the clock shows a time that matches, twice in the hour
 * that comes twice. */
static time_t next_by_clock(const struct cron *c, time_t after)
{
	time_t end = after + (time_t)SEARCH_DAYS * DAY_S;
	struct tm tm;

	for (time_t t = after + 1; t <= end;) {
		time_t local, tomorrow;

		if (!localtime_r(&t, &tm))
			return -1;
		if (tm.tm_sec) {
			t += 60 - tm.tm_sec;
			continue;
		}
		if (!matches_day(c, &tm)) {
			local = t + tm.tm_gmtoff;
			tomorrow = first_showing(local - (local % DAY_S + DAY_S) % DAY_S + DAY_S);
			t = tomorrow > t ? tomorrow : t + 60;
			continue;
		}
		if (has(c->hours, tm.tm_hour) && has(c->minutes, tm.tm_min))
			return t;
		t += 60;
	}
	return -1;
}

time_t cron_next(const struct cron *c, time_t after)
{
	if (after < -TIME_MAX || after > TIME_MAX)
		return -1;
	return c->every_hour ? next_by_clock(c, after) : next_fixed(c, after);
}
