/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's own problems as events: what has stood for OWN_PROBLEM_MS is told once, and its end
 * when it has been gone for as long. What was told is read back from the events themselves, so a
 * restart neither repeats it nor forgets its end. Left out are problems of channels (a message about
 * a channel that does not work would go over channels) and hints about the configuration.
 */
#ifndef NOTIFY_OWN_PROBLEMS_H
#define NOTIFY_OWN_PROBLEMS_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/problem.h"
#include "notify/event.h"

enum { OWN_PROBLEM_MS = 10 * 60 * 1000 };

struct own_problems;

int own_problems_new(struct db *db, int64_t now_ms, struct own_problems **out, struct err *e);
void own_problems_free(struct own_problems *o); /* NULL is fine */
DEFINE_CLEANUP(struct own_problems *, own_problems_free);

/* What there is now. At each sample. */
void own_problems_look(struct own_problems *o, const struct problems *p, int64_t now_ms);
/* The next event to be stored, the caller's; NULL: none. The same again until own_problems_told(). */
struct event *own_problems_next(struct own_problems *o, int64_t now_ms);
void own_problems_told(struct own_problems *o);

#endif
