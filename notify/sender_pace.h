/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast a channel may go: a token bucket for what the provider allows, and the waits after
 * failures. Pure; times are wall clock in milliseconds and may jump.
 */
#ifndef NOTIFY_SENDER_PACE_H
#define NOTIFY_SENDER_PACE_H

#include <stdint.h>

/* Messages that may follow each other at once before the rate holds, to people. To programs it is as
 * many as a minute allows: what follows is not merged, and the last of fifty should not be late. */
enum { PACE_BURST = 3 };

/* Zeroed: full. */
struct pace {
	double used; /* tokens that are not back yet */
	int64_t at_ms; /* as of then */
};

/* How long until the next message may go; 0: now. per_minute 0: no limit. `burst` at least 1. */
int64_t pace_wait_ms(struct pace *p, unsigned per_minute, unsigned burst, int64_t now_ms);
void pace_take(struct pace *p, unsigned per_minute, int64_t now_ms);

/* The wait after so many failures in a row (at least 1): CHANNEL_BACKOFF_MIN_MS, doubled each time
 * up to CHANNEL_BACKOFF_MAX_MS, less up to a tenth by `random`, so that servers that failed together
 * do not come back together. */
int64_t pace_backoff_ms(unsigned failures, uint32_t random);

#endif
