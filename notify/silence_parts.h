/* SPDX-License-Identifier: Apache-2.0
 *
 * What silence.c and silence_window.c share: the silences at work, and maintenance windows as times.
 */
#ifndef NOTIFY_SILENCE_PARTS_H
#define NOTIFY_SILENCE_PARTS_H

#include "notify/silence.h"

/* A maintenance window, copied. */
struct silence_window {
	char *name;
	char *reason; /* "maintenance: NAME" */
	struct cron schedule;
	int64_t duration_ms;
	char **rules, **entities;
	size_t n_rules, n_entities;
	/* The answer for one second: a sample asks it for each alert. */
	int64_t asked_s;
	bool was_active;
};

struct silence_swap {
	char *key;
	int64_t until_ms;
};

struct silences {
	struct db *db;
	struct silence list[SILENCES_MAX]; /* by id */
	size_t n;
	struct silence_window windows[MAINTENANCE_MAX];
	size_t n_windows;
	struct silence_swap swaps[SWAPS_MAX];
	size_t n_swaps;
};

/* Whether the pattern fits either text (b may be NULL); "!" in front: neither. */
bool silence_matches(const char *pattern, const char *a, const char *b);
void silence_free_maintenance(struct silences *s);
/* `full` is CLASS/KEY. */
bool silence_window_covers(struct silence_window *w, const char *rule, const char *key,
	const char *full, int64_t now_ms);

#endif
