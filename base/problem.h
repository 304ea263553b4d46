/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong right now and what to do about it: a small set of texts by key, shown by `agent
 * status`, the dashboard and the log (once when it appears, once when it is gone). A part that
 * fails sets its problem and goes on.
 */
#ifndef BASE_PROBLEM_H
#define BASE_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { PROBLEMS_MAX = 100 };

struct problem {
	char key[64]; /* "collector.disk", "store.full" */
	char text[512];
	time_t since;
};

struct problems;

/* `text` is NULL when the problem is gone. For the log. */
typedef void (*problem_change_fn)(void *user, const char *key, const char *text);

struct problems *problems_new(problem_change_fn fn, void *user); /* fn may be NULL */
void problems_free(struct problems *p);
/* Sets or changes; the same text again is silent. A change of text alone (a counter in it) is
 * not reported again. Past PROBLEMS_MAX new ones are dropped. */
void problem_set(struct problems *p, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void problem_clear(struct problems *p, const char *key);
size_t problems_count(const struct problems *p);
const struct problem *problems_at(const struct problems *p, size_t i);

#endif
