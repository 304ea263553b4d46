/* SPDX-License-Identifier: Apache-2.0
 *
 * A sliding window over one metric of one entity: average, maximum, minimum, sum, change or a
 * straight line through its values. Made for many at once: fixed memory (at most WINDOW_SLOTS
 * slots, long windows have wider ones), a constant and small cost per sample. Unknown values leave
 * gaps; they are never counted as 0. Pure.
 */
#ifndef NOTIFY_WINDOW_H
#define NOTIFY_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { WINDOW_SLOTS = 60 };

enum window_how {
	WINDOW_LAST, /* no window: the value itself */
	WINDOW_AVERAGE,
	WINDOW_MAXIMUM,
	WINDOW_MINIMUM,
	WINDOW_SUM,
	WINDOW_CHANGE, /* last known value less the first known one */
	WINDOW_LINE, /* seconds until a value is reached, see window_seconds_until() */
};

struct window;

/* Never NULL (aborts without memory). */
struct window *window_new(enum window_how how, int64_t length_ms, int64_t interval_ms);
void window_free(struct window *w); /* NULL is fine */
DEFINE_CLEANUP(struct window *, window_free);

/* A value (NaN: unknown) read at that time; times never go back (an older one is ignored). Also
 * used to fill a new window with stored history. */
void window_add(struct window *w, int64_t now_ms, double v);

/* The value over the window that ends now. NaN until the known samples span the whole length (SUM:
 * at once, so that the second restart in a window counts although the container is young), and
 * when none of them is known. */
double window_value(const struct window *w, int64_t now_ms);

/* Of WINDOW_LINE: seconds from now until the last known value, moving on along the line (least
 * squares), reaches `target`. The line is the flatter of two: through the whole window and through
 * its last sixth, so that what was written once and is over by now is no trend. INFINITY when it
 * leads away from the target or is flat; 0 when the target was reached within the window; NaN when
 * the window is not full or too few slots are known (5, and 3 of the last sixth). */
double window_seconds_until(const struct window *w, int64_t now_ms, double target);

#endif
