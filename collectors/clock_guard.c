/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/clock_guard.h"

void clock_guard_init(
	struct clock_guard *g, int64_t last_stored_wall_ms, int64_t wall_ms, int64_t boot_ms)
{
	*g = (struct clock_guard){0};
	if (last_stored_wall_ms > wall_ms) {
		g->known = true;
		g->offset_ms = last_stored_wall_ms - boot_ms;
	}
}

static bool is_suspicious(int64_t jump_ms)
{
	return jump_ms <= -CLOCK_GUARD_BACK_MS || jump_ms >= CLOCK_GUARD_FORWARD_MS;
}

static bool is_near(int64_t a, int64_t b)
{
	return !is_suspicious(a - b) && !is_suspicious(b - a);
}

bool clock_guard_check(struct clock_guard *g, int64_t wall_ms, int64_t boot_ms, bool synchronized,
	int64_t *out_jump_ms)
{
	int64_t offset = wall_ms - boot_ms;

	*out_jump_ms = g->known ? offset - g->offset_ms : 0;
	if (!is_suspicious(*out_jump_ms))
		goto accept;
	if (!g->holding || !is_near(offset, g->held_offset_ms)) {
		g->holding = true;
		g->held_since_ms = boot_ms;
	}
	g->held_offset_ms = offset;
	if (!synchronized && boot_ms - g->held_since_ms < CLOCK_GUARD_CONFIRM_MS)
		return false;
accept:
	g->known = true;
	g->holding = false;
	g->offset_ms = offset;
	return true;
}
