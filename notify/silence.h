/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is not to be told what for a while: silences (set by hand, stored), maintenance windows
 * (configured, a schedule) and swaps of the deploy engine (in memory). Pure but for the table of
 * silences.
 */
#ifndef NOTIFY_SILENCE_H
#define NOTIFY_SILENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cron.h"
#include "base/db.h"
#include "base/err.h"
#include "notify/rule.h"

enum {
	SILENCES_MAX = 500,
	SILENCE_PATTERN_MAX = 300, /* bytes: a class and the longest key */
	SILENCE_REASON_MAX = 500, /* bytes; longer ones are cut */
	MAINTENANCE_MAX = 50,
	SWAPS_MAX = 100, /* at once; past that the one that ends first is forgotten */
};

struct silence {
	int64_t id;
	/* Patterns as for str_matches_any(); "*", "" and NULL for all. */
	char *rule;
	char *entity; /* over "CLASS/KEY" or KEY alone */
	int64_t from_ms, until_ms;
	char *reason;
	char *by; /* who set it: "root", "web admin 192.0.2.1" */
};

/* "maintenance" of the configuration. */
struct maintenance {
	const char *name; /* borrowed */
	struct cron schedule; /* local time */
	int64_t duration_ms; /* at most a week */
	struct rule_patterns rules, entities; /* none: all */
};

struct silences;

/* Loads what is stored; forgets what has ended. */
int silences_new(struct db *db, int64_t now_ms, struct silences **out, struct err *e);
void silences_free(struct silences *s);
DEFINE_CLEANUP(struct silences *, silences_free);

/* Stored before it returns. -EINVAL: no duration, over a year, a pattern too long; -ENOSPC:
 * SILENCES_MAX. */
int silences_add(struct silences *s, const struct silence *one, int64_t *out_id, struct err *e);
/* -ENOENT. */
int silences_remove(struct silences *s, int64_t id, struct err *e);
size_t silences_count(const struct silences *s);
const struct silence *silences_at(const struct silences *s, size_t i);

/* Replaces the maintenance windows (copied; those past MAINTENANCE_MAX are left out). One is active
 * from each start of its schedule until start + duration. A list of patterns that only excludes
 * ("!shop*") means all others. */
void silences_set_maintenance(struct silences *s, const struct maintenance *list, size_t n);
struct maintenance_status {
	const char *name; /* borrowed until the next silences_set_maintenance() */
	bool active;
	int64_t until_ms; /* end of the active one; 0 */
	int64_t next_ms; /* next start; 0: none within 8 years */
};
/* Returns how many were filled. */
size_t silences_maintenance(
	struct silences *s, int64_t now_ms, struct maintenance_status *out, size_t max);

/* The deploy engine is replacing that container: until then, or the next call for it (until_ms 0:
 * it is done), nothing is told about it, its further containers (KEY.2) and the one of the version that leaves (KEY@ID)
 * being gone, restarting, unhealthy or without values. */
void silences_swap(struct silences *s, const char *entity_key, int64_t until_ms);

/* Whether a swap brings that about by itself: a container that is gone, restarting, unhealthy or without values, an
 * app that does not answer. */
bool silences_is_swaps_doing(const struct rule *r);

/* Why nothing is told about it now: the reason of a silence ("silenced" without one), "maintenance: NAME", "a new version is
 * being started"; NULL when it is told. Borrowed until the next call that changes something.
 * Cheap: called for alerts that are not ok only. */
const char *silences_reason(struct silences *s, const struct rule *r, const char *class_name,
	const char *entity_key, int64_t now_ms);
/* Removes what has ended. Returns whether something did. */
bool silences_expire(struct silences *s, int64_t now_ms);

#define SILENCE_SCHEMA                                                                             \
	"CREATE TABLE silence(id INTEGER PRIMARY KEY, rule TEXT NOT NULL, entity TEXT NOT NULL,"   \
	" from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, reason TEXT NOT NULL,"              \
	" by_whom TEXT NOT NULL);"

#endif
