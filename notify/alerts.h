/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules at work: evaluates a rule set over all entities at each sample, keeps the alert of each
 * (rule, entity) that is not ok, and hands out events. Alerts are stored (table alert) together
 * with the events they made, in the caller's transaction: a crash neither repeats a message nor
 * loses a recovery. Costs a few nanoseconds for each rule and entity that is ok.
 */
#ifndef NOTIFY_ALERTS_H
#define NOTIFY_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/db.h"
#include "base/err.h"
#include "collectors/entity.h"
#include "notify/alert_machine.h"
#include "notify/event.h"
#include "notify/rule.h"
#include "notify/silence.h"

enum {
	ALERTS_MAX = 20000, /* at once; more are not looked at */
	ALERTS_EVENTS_MAX = 2000, /* not yet stored; then the oldest reminders and the like go */
	/* An entity that a rule of type gone or missing has told of is given up after this. */
	ALERTS_GONE_MS = 24 * 3600 * 1000,
	/* Windows as long as this, and those of alerts that were stored, are filled from history. */
	ALERTS_HISTORY_MS = 30 * 60 * 1000,
	ALERTS_FILLS = 20, /* at most so many in a sample */
	/* What is over its limit for less than this is not written to the disk. */
	ALERTS_PENDING_MS = 60 * 1000,
};

struct alerts;

struct alert {
	int64_t id; /* in the database; 0: not stored yet */
	const struct rule *rule;
	const char *class_name; /* static */
	char *entity; /* key */
	struct alert_life life;
	double value; /* last one that was known; NaN: never */
	double worst_value; /* since it is over the limit; NaN */
	char *acknowledged_by; /* NULL: not */
	char *acknowledged_reason;
	char *muted; /* why nothing is told, as of the last sample; NULL */
};

struct alerts_options {
	const char *host; /* name of this server; borrowed */
	int64_t interval_ms;
	/* Stored values of a metric, oldest first, to fill a long window after a start; calls
	 * `add` for each. May be NULL. */
	void (*history)(void *user, const struct entity *e, size_t metric, int64_t span_ms,
		void (*add)(void *window, int64_t time_ms, double v), void *window);
	void *user;
};

/* Takes over the rule set. Alerts that were stored and whose rule or entity is unknown now wait
 * for it; without it for ALERT_NODATA_MS they end. */
int alerts_new(struct db *db, const struct alerts_options *o, struct rule_set *rules,
	struct silences *silences, struct alerts **out, struct err *e);
/* The registry may be gone by now; one that is not cannot be evaluated by another struct alerts. */
void alerts_free(struct alerts *a); /* NULL is fine */
/* A reload: alerts of rules with the same name and metric go on; those of rules that are gone or
 * off end without a message. Takes over. Texts of rules are no longer valid afterwards. Not within
 * a transaction that alerts_store() was called in. */
void alerts_set_rules(struct alerts *a, struct rule_set *rules);
const struct rule_set *alerts_rules(const struct alerts *a);

/* One sample. Between registry_sweep() and the next registry_begin(). */
void alerts_evaluate(struct alerts *a, const struct registry *r, int64_t now_ms);
/* An entity is leaving the registry (registry_gone_fn): before alerts_evaluate() of that sample. */
void alerts_entity_gone(struct alerts *a, struct entity *e);

/* What the samples since the last alerts_stored() brought. */
bool alerts_has_changes(const struct alerts *a);
size_t alerts_n_events(const struct alerts *a);
struct event *alerts_event_at(const struct alerts *a, size_t i); /* to be given its id */
/* Channels the rule of that event is for; n 0: as the channels say. */
struct rule_patterns alerts_event_channels(const struct alerts *a, size_t i);
/* Writes changed alerts, inside the caller's transaction. */
int alerts_store(struct alerts *a, struct err *e);
/* The transaction was committed: forgets changes and events. Without this call they are offered
 * again after the next sample. */
void alerts_stored(struct alerts *a);

/* Not ok now, worst and oldest first. Pending ones are included. */
size_t alerts_list(const struct alerts *a, const struct alert **out, size_t max);
/* How many rules x entities are watched, and how many alerts fire (firing, clearing, no-data,
 * flapping). */
size_t alerts_watched(const struct alerts *a, const char *rule_name);
size_t alerts_firing(const struct alerts *a, const char *rule_name); /* NULL: all */

/* What it is about, in words: "Disk / is 93.1 % full". */
void alert_title(const struct alert *al, struct buf *out);
/* "above 90 % for 5m": the limit it is over, or was; "" for rules without one. */
void alert_limit(const struct alert *al, struct buf *out);

/* Acknowledges every firing alert that fits: by id (not 0), else by patterns for rule and entity.
 * Stored before it returns. Returns how many; -ENOENT when none fits. Patterns as
 * in struct silence; NULL: all. */
int alerts_acknowledge(struct alerts *a, int64_t id, const char *rule, const char *entity,
	const char *by, const char *reason, struct err *e);

#define ALERTS_SCHEMA                                                                              \
	"CREATE TABLE alert(id INTEGER PRIMARY KEY, rule TEXT NOT NULL, class TEXT NOT NULL,"      \
	" entity TEXT NOT NULL, metric TEXT NOT NULL, state TEXT NOT NULL, level INTEGER NOT "     \
	"NULL,"                                                                                    \
	" worst INTEGER NOT NULL, told INTEGER NOT NULL, since_ms INTEGER NOT NULL,"               \
	" fired_ms INTEGER NOT NULL, entered_ms INTEGER NOT NULL, told_ms INTEGER NOT NULL,"       \
	" fires TEXT NOT NULL, value REAL, worst_value REAL, acknowledged_by TEXT,"                \
	" acknowledged_reason TEXT,"                                                               \
	" UNIQUE(rule, class, entity, metric));"

#endif
