/* SPDX-License-Identifier: Apache-2.0
 *
 * Protects history from a wrong clock. RRD files cannot go back in time, and a jump far forward
 * would overwrite all of their rows with "unknown". So a suspicious jump (back by a minute, forward
 * by an hour) holds storing until the clock is confirmed: the kernel says it is synchronized, or it
 * has stayed as it is for 5 minutes. A jump that is taken back meanwhile leaves no trace. Pure: the
 * caller reads the clocks.
 */
#ifndef COLLECTORS_CLOCK_GUARD_H
#define COLLECTORS_CLOCK_GUARD_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CLOCK_GUARD_BACK_MS = 60 * 1000,
	CLOCK_GUARD_FORWARD_MS = 3600 * 1000,
	CLOCK_GUARD_CONFIRM_MS = 300 * 1000,
};

struct clock_guard {
	bool known;
	int64_t offset_ms; /* wall - boot time, as last accepted */
	bool holding;
	int64_t held_offset_ms; /* the offset being waited for */
	int64_t held_since_ms; /* boot time */
};

/* What the clock was when history was last written, before this start: only a jump back can be
 * told. 0: no history. */
void clock_guard_init(
	struct clock_guard *g, int64_t last_stored_wall_ms, int64_t wall_ms, int64_t boot_ms);

/* Once per sample. True: store. False: hold; *out_jump_ms is how far the clock is off what was
 * expected. */
bool clock_guard_check(struct clock_guard *g, int64_t wall_ms, int64_t boot_ms, bool synchronized,
	int64_t *out_jump_ms);

#endif
