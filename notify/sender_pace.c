/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/sender_pace.h"

#include <math.h>

#include "notify/sender.h"

enum { MINUTE_MS = 60 * 1000 };

/* A clock set back brings no tokens and takes none. */
static void refill(struct pace *p, unsigned per_minute, int64_t now_ms)
{
	if (now_ms > p->at_ms)
		p->used -= (double)(now_ms - p->at_ms) * per_minute / MINUTE_MS;
	if (p->used < 0)
		p->used = 0;
	p->at_ms = now_ms;
}

int64_t pace_wait_ms(struct pace *p, unsigned per_minute, unsigned burst, int64_t now_ms)
{
	if (per_minute == 0)
		return 0;
	refill(p, per_minute, now_ms);
	if (p->used <= burst - 1.0)
		return 0;
	/* What is left of a millisecond by rounding does not count. */
	return (int64_t)ceil((p->used - (burst - 1.0)) * MINUTE_MS / per_minute - 1e-6);
}

void pace_take(struct pace *p, unsigned per_minute, int64_t now_ms)
{
	refill(p, per_minute, now_ms);
	p->used += 1;
}

int64_t pace_backoff_ms(unsigned failures, uint32_t random)
{
	int64_t wait = CHANNEL_BACKOFF_MIN_MS;

	while (failures-- > 1 && wait < CHANNEL_BACKOFF_MAX_MS)
		wait *= 2;
	if (wait > CHANNEL_BACKOFF_MAX_MS)
		wait = CHANNEL_BACKOFF_MAX_MS;
	return wait - random % (uint32_t)(wait / 10);
}
