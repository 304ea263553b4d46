/* SPDX-License-Identifier: Apache-2.0
 *
 * What the daemon last said of its backup jobs, or of its apps, for whoever asks often (GET /metrics): asked for again after an
 * event of theirs, a change of the configuration, or a minute. Pure.
 */
#ifndef AGENT_WEB_KEPT_LIST_H
#define AGENT_WEB_KEPT_LIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The daemon tells of runs, not of schedules; next_ms and what another change of the clock moves may be that old. */
enum { KEPT_LIST_FRESH_MS = 60 * 1000 };

/* All zero: nothing known. */
struct kept_list {
	json_t *list; /* NULL: not known */
	int64_t taken_ms;
};

/* The member of that name of an answer, shared with it. Times are monotonic. */
void kept_list_take(struct kept_list *k, const json_t *answer, const char *member, int64_t now_ms);
/* Whether `list` needs no new question. */
bool kept_list_is_fresh(const struct kept_list *k, int64_t now_ms);
void kept_list_forget(struct kept_list *k);

#endif
