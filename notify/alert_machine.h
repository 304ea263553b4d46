/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of an alert as a table: state x what the rule says now -> next state and what to do.
 * Pure: it gets the time and gives back what follows; knows nothing of channels or the database.
 *
 *   ok -> pending (`for`) -> firing -> clearing (`clear_for`) -> ok
 *   firing -> no-data while the value is unknown; gives up after ALERT_NODATA_MS
 *   flapping: fired ALERT_FLAP_COUNT times within ALERT_FLAP_WITHIN_MS; told once, then silent until
 *   it has stayed on one side for ALERT_FLAP_HOLD_MS
 */
#ifndef NOTIFY_ALERT_MACHINE_H
#define NOTIFY_ALERT_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "notify/rule.h"
#include "notify/severity.h"

enum alert_state {
	ALERT_OK,
	ALERT_PENDING,
	ALERT_FIRING,
	ALERT_CLEARING,
	ALERT_NO_DATA,
	ALERT_FLAPPING,
	ALERT_STATES,
};

enum {
	ALERT_NODATA_MS = 10 * 60 * 1000,
	ALERT_FLAP_COUNT = 4,
	ALERT_FLAP_WITHIN_MS = 60 * 60 * 1000,
	ALERT_FLAP_HOLD_MS = 30 * 60 * 1000,
};

/* What there is to tell after a step. */
enum alert_action {
	ALERT_TELL_NOTHING,
	ALERT_TELL_FIRING, /* new, or worse than what was told */
	ALERT_TELL_REMINDER,
	ALERT_TELL_RECOVERED,
	ALERT_TELL_FLAPPING,
	ALERT_TELL_GONE, /* over because there are no values any more */
};

/* Everything the table works on. Times are wall clock in milliseconds; 0: never. Zeroed: ok. */
struct alert_life {
	enum alert_state state;
	/* Now, worst since it fired, and last told: SEVERITY_INFO is none. */
	enum severity level, worst, told;
	/* Over the limit since (the start of pending). These two and `worst` stay after the end, so
	 * that a message can say how long it lasted, until it begins again. */
	int64_t since_ms;
	int64_t fired_ms;
	int64_t entered_ms; /* this state */
	int64_t told_ms; /* the last message of any kind */
	int64_t fires[ALERT_FLAP_COUNT]; /* the last times it fired, newest first */
	bool acknowledged; /* no reminders; gone with the recovery or when it gets worse */
};

const char *alert_state_name(enum alert_state s); /* "ok" "pending" ... "no-data" "flapping" */
bool alert_state_from(const char *name, enum alert_state *out);

/* One sample. `muted` (a silence, maintenance, a swap under way): states go on, nothing is told;
 * what is still true when it ends is told then. A recovery is told only when the firing was, and
 * the rule wants it. Getting better is silent, and so is getting worse up to what was told last;
 * a reminder tells the level of now.
 * Returns whether *life changed in a way that must be stored; *tell is set always. */
bool alert_machine_step(struct alert_life *life, const struct rule *r, enum rule_reading v,
	int64_t now_ms, bool muted, enum alert_action *tell);

/* Whether the life can be forgotten: it is ok, and the last times it fired are too long ago to count
 * for flapping. Until then a life that is ok must be kept, or the third firing in a quarter of an
 * hour would look like the first. */
bool alert_machine_is_over(const struct alert_life *life, int64_t now_ms);

#endif
