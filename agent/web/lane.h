/* SPDX-License-Identifier: Apache-2.0
 *
 * How many may do something at a time: the others wait in the order they came, up to a bound. Pure.
 */
#ifndef AGENT_WEB_LANE_H
#define AGENT_WEB_LANE_H

#include <stdbool.h>

typedef void (*lane_fn)(void *user);

/* Zeroed, but for the bounds, to begin with. */
struct lane {
	unsigned max, max_waiting;
	unsigned in, waiting;
	struct lane_place *first, *last; /* of those that wait */
};

/* Of one that is in or waits; zeroed to begin with, and part of the owner's. */
struct lane_place {
	struct lane *lane; /* NULL: neither */
	bool waits;
	lane_fn fn;
	void *user;
	struct lane_place *prev, *next;
};

/* Calls fn when it is its turn, perhaps at once. False: too many wait, and nothing was done. */
bool lane_enter(struct lane *l, struct lane_place *p, lane_fn fn, void *user);
/* It is done, or does not want to wait any more: the next one's turn, from within. Nothing when it is neither. */
void lane_leave(struct lane_place *p);

#endif
