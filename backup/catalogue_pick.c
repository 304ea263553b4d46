/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backup/catalogue.h"
#include "base/str.h"

enum { WHEN_SIZE = 64 };

static const char *when(const struct manifest *m, char to[WHEN_SIZE])
{
	time_t seconds = (time_t)(m->started_ms / 1000);
	struct tm t;
	size_t n = 0;

	if (localtime_r(&seconds, &t))
		n = strftime(to, WHEN_SIZE, "%Y-%m-%d %H:%M", &t);
	(void)snprintf(to + n, WHEN_SIZE - n, " (%.30s)", m->id);
	return to;
}

/* Last millisecond of the local day that is `back` days before now. */
static int64_t end_of_day(int64_t now_ms, int back)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm t;

	if (!localtime_r(&seconds, &t))
		return now_ms;
	t.tm_mday -= back;
	t.tm_hour = 23;
	t.tm_min = t.tm_sec = 59;
	t.tm_isdst = -1;
	return (int64_t)mktime(&t) * 1000 + 999;
}

/* Each form, and how long what it names lasts: 03:00 is over at 03:00:59. */
static const struct form {
	const char *format;
	int seconds;
	bool is_utc;
} forms[] = {
	{"%Y-%m-%d", 0, false},
	{"%Y-%m-%d %H:%M", 59, false},
	{"%Y-%m-%dT%H:%M", 59, false},
	{"%Y-%m-%d %H:%M:%S", 0, false},
	{"%Y-%m-%dT%H:%M:%S", 0, false},
	{"%Y-%m-%dT%H:%M:%SZ", 0, true},
};

static bool parse_form(const struct form *f, const char *text, int64_t *out_ms)
{
	struct tm t = {.tm_isdst = -1};
	const char *end = strptime(text, f->format, &t);
	bool has_time = strchr(f->format, 'H') != NULL;
	time_t seconds;
	int day;

	if (!end || *end || t.tm_year < 70)
		return false;
	if (!has_time) {
		t.tm_hour = 23;
		t.tm_min = t.tm_sec = 59;
	}
	day = t.tm_mday;
	seconds = f->is_utc ? timegm(&t) : mktime(&t);
	if (t.tm_mday != day) /* the 31st of April */
		return false;
	*out_ms = ((int64_t)seconds + f->seconds) * 1000 + 999;
	return true;
}

int catalogue_parse_time(const char *text, int64_t now_ms, int64_t *out_ms, struct err *e)
{
	int64_t ago_ms;

	if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
		*out_ms = end_of_day(now_ms, *text == 'y');
		return 0;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (parse_form(&forms[i], text, out_ms))
			return 0;
	if (str_to_duration_ms(text, &ago_ms, NULL) < 0 || ago_ms < 0)
		return err_set(e, EINVAL,
			"\"%s\" is no time; write it as 2026-11-21, \"2026-11-21 03:00\", "
			"yesterday, or 3d for three days ago",
			text);
	*out_ms = now_ms - ago_ms;
	return 0;
}

static int pick_id(
	const struct catalogue_list *l, const char *id, const struct manifest **out, struct err *e)
{
	const struct manifest *found = NULL;
	char a[WHEN_SIZE], b[WHEN_SIZE];

	for (size_t i = 0; i < l->n; i++) {
		const struct manifest *m = l->items[i];

		if (!str_starts(m->id, id))
			continue;
		if (found)
			return err_set(e, EINVAL, "id %s is not clear: %s and %s begin so", id,
				when(found, a), when(m, b));
		found = m;
	}
	if (!found)
		return err_set(e, ENOENT, "there is no backup with id %s; the newest is %s", id,
			when(l->items[0], a));
	if (found->is_incomplete)
		return err_set(
			e, EBADMSG, "backup %s cannot be restored: %s", found->id, found->bad_why);
	*out = found;
	return 0;
}

/* Whether the host has made any, good or bad, by then. */
static bool has_own(const struct catalogue_list *l, const char *host, int64_t until_ms)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->items[i]->host, host) == 0 && l->items[i]->started_ms <= until_ms)
			return true;
	return false;
}

static const struct manifest *newest_good(
	const struct catalogue_list *l, const char *host, int64_t until_ms)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct manifest *m = l->items[i];

		if (m->started_ms <= until_ms && !m->bad_ms &&
			(!host || strcmp(m->host, host) == 0))
			return m;
	}
	return NULL;
}

/* Why there is none: nothing is that old, or all is bad. */
static int no_good_one(const struct catalogue_list *l, const char *at, const char *host,
	int64_t until_ms, struct err *e)
{
	const struct manifest *newest = NULL;
	char text[WHEN_SIZE];

	for (size_t i = 0; i < l->n && !newest; i++)
		if (l->items[i]->started_ms <= until_ms &&
			(!host || strcmp(l->items[i]->host, host) == 0))
			newest = l->items[i];
	if (!newest)
		return err_set(e, ENOENT, "there is no backup from %s or before; the oldest is %s",
			at, when(l->items[l->n - 1], text));
	return err_set(e, ENOENT, "there is no good backup%s%s; the newest, %s, is bad: %s",
		at ? " from before " : "", at ? at : "", when(newest, text),
		newest->bad_why ? newest->bad_why : "?");
}

int catalogue_pick(const struct catalogue_list *l, const char *id, const char *at, const char *host,
	int64_t now_ms, const struct manifest **out, struct err *e)
{
	int64_t until_ms = INT64_MAX;
	const struct manifest *m;
	int r = at && !id ? catalogue_parse_time(at, now_ms, &until_ms, e) : 0;

	if (r < 0)
		return r;
	if (l->n == 0 && l->broken)
		return err_set(e, ENOENT, "there is no backup that can be read: %s", l->broken_why);
	if (l->n == 0)
		return err_set(e, ENOENT, "there is no backup");
	if (id && *id)
		return pick_id(l, id, out, e);
	if (!has_own(l, host, until_ms))
		host = NULL;
	m = newest_good(l, host, until_ms);
	if (!m)
		return no_good_one(l, at, host, until_ms, e);
	*out = m;
	return 0;
}
