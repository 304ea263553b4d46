/* SPDX-License-Identifier: Apache-2.0
 *
 * The maintenance windows of silence.h.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "notify/silence_parts.h"

static char **copy_patterns(const struct rule_patterns *p, size_t *n)
{
	char **list = p->n ? calloc(p->n, sizeof(*list)) : NULL;

	if (p->n && !list)
		abort();
	for (size_t i = 0; i < p->n; i++)
		list[i] = str_dup(p->list[i]);
	*n = p->n;
	return list;
}

static void free_patterns(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void silence_free_maintenance(struct silences *s)
{
	for (size_t i = 0; i < s->n_windows; i++) {
		struct silence_window *w = &s->windows[i];

		free(w->name);
		free(w->reason);
		free_patterns(w->rules, w->n_rules);
		free_patterns(w->entities, w->n_entities);
	}
	s->n_windows = 0;
}

void silences_set_maintenance(struct silences *s, const struct maintenance *list, size_t n)
{
	silence_free_maintenance(s);
	for (size_t i = 0; i < n && s->n_windows < MAINTENANCE_MAX; i++) {
		struct silence_window *w = &s->windows[s->n_windows++];

		*w = (struct silence_window){
			.name = str_dup(list[i].name),
			.reason = str_format("maintenance: %s", list[i].name),
			.schedule = list[i].schedule,
			.duration_ms = list[i].duration_ms,
			.asked_s = INT64_MIN,
		};
		w->rules = copy_patterns(&list[i].rules, &w->n_rules);
		w->entities = copy_patterns(&list[i].entities, &w->n_entities);
	}
}

static int64_t floor_s(int64_t ms)
{
	return ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
}

/* The first start whose window is not over yet. */
static time_t first_start(const struct silence_window *w, int64_t now_ms)
{
	return cron_next(&w->schedule, (time_t)floor_s(now_ms - w->duration_ms));
}

static bool is_active(const struct silence_window *w, int64_t now_ms)
{
	time_t start = first_start(w, now_ms);

	return start != -1 && start <= (time_t)floor_s(now_ms);
}

/* In order the first pattern that matches either text decides. */
static bool covers(char **list, size_t n, const char *a, const char *b)
{
	bool only_negative = true;

	for (size_t i = 0; i < n; i++) {
		bool negative = list[i][0] == '!';
		const char *pattern = list[i] + negative;

		if (fnmatch(pattern, a, 0) == 0 || (b && fnmatch(pattern, b, 0) == 0))
			return !negative;
		only_negative = only_negative && negative;
	}
	return only_negative;
}

bool silence_window_covers(struct silence_window *w, const char *rule, const char *key,
	const char *full, int64_t now_ms)
{
	int64_t now_s = floor_s(now_ms);

	if (w->asked_s != now_s) {
		w->was_active = is_active(w, now_ms);
		w->asked_s = now_s;
	}
	return w->was_active && covers(w->rules, w->n_rules, rule, NULL) &&
	       covers(w->entities, w->n_entities, key, full);
}

/* The last start of those that are active at the same time. */
static int64_t active_until_ms(const struct silence_window *w, int64_t now_ms)
{
	time_t now = (time_t)floor_s(now_ms), last = 0;

	for (time_t t = first_start(w, now_ms); t != -1 && t <= now; t = cron_next(&w->schedule, t))
		last = t;
	return (int64_t)last * 1000 + w->duration_ms;
}

size_t silences_maintenance(
	struct silences *s, int64_t now_ms, struct maintenance_status *out, size_t max)
{
	size_t n = s->n_windows < max ? s->n_windows : max;

	for (size_t i = 0; i < n; i++) {
		const struct silence_window *w = &s->windows[i];
		time_t next = cron_next(&w->schedule, (time_t)floor_s(now_ms));

		out[i] = (struct maintenance_status){
			.name = w->name,
			.active = is_active(w, now_ms),
			.next_ms = next == -1 ? 0 : (int64_t)next * 1000,
		};
		if (out[i].active)
			out[i].until_ms = active_until_ms(w, now_ms);
	}
	return n;
}
