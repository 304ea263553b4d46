/* SPDX-License-Identifier: Apache-2.0
 *
 * What a rule would have told about one entity: its samples go through the same window and the same
 * state machine as in the running agent. Pure.
 */
#ifndef AGENT_REPLAY_H
#define AGENT_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "notify/alert_machine.h"
#include "notify/rule.h"
#include "notify/window.h"

enum { REPLAY_EVENTS_MAX = 1000 };

/* One message. */
struct replay_event {
	int64_t time_ms;
	enum alert_action what;
	enum severity severity;
	double value; /* as the rule sees it: its window, its forecast */
	int64_t fired_ms;
	bool before; /* no message: it fires when the time that is looked at begins */
};

struct replay {
	const struct rule *rule;
	int64_t from_ms; /* what is earlier only prepares windows and states */
	struct window *window; /* NULL: none */
	struct alert_life life;
	bool begun; /* a sample at or after from_ms came */
	bool has_been; /* the entity was there at least once */
	struct replay_event *events; /* the first REPLAY_EVENTS_MAX */
	size_t n_events;
	size_t n_more;
	/* The value nearest to a limit or furthest beyond it, since from_ms. NaN: none. */
	double nearest;
	int64_t nearest_ms;
};

void replay_init(struct replay *r, const struct rule *rule, int64_t interval_ms, int64_t from_ms);
void replay_done(struct replay *r);

/* One sample of the rule's metric; NaN is unknown. `is_there`: the entity was measured then. Samples
 * in which the agent itself did not run are left out by the caller. */
void replay_sample(struct replay *r, int64_t time_ms, double value, bool is_there);

/* Whether `a` is nearer to the rule's limits, or further beyond them, than `b`. */
bool replay_is_nearer(const struct rule *r, double a, double b);
/* Whether somebody would now think that it fires. */
bool replay_is_firing(const struct replay *r);

#endif
