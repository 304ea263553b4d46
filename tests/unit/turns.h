/* SPDX-License-Identifier: Apache-2.0
 *
 * Running the event loop in a test until something has happened, with a deadline.
 */
#ifndef TESTS_UNIT_TURNS_H
#define TESTS_UNIT_TURNS_H

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/loop.h"

enum { TURNS_DEADLINE_MS = 40000 };

/* When something that has not happened by now never will; as much later as Check allows a test to take longer. */
static inline int64_t turns_end_ms(void)
{
	const char *times = getenv("CK_TIMEOUT_MULTIPLIER");

	return clock_mono_ms() + TURNS_DEADLINE_MS * (int64_t)(times ? atoi(times) : 1);
}

/* Turns until `condition` holds; fails the test at the deadline. */
#define TURN_UNTIL(loop, condition)                                                                \
	do {                                                                                       \
		int64_t turn_end_ms_ = turns_end_ms();                                             \
		while (!(condition)) {                                                             \
			ck_assert_msg(clock_mono_ms() < turn_end_ms_, "never: %s", #condition);    \
			ck_assert_int_eq(loop_turn((loop), 50, NULL), 0);                          \
		}                                                                                  \
	} while (0)

/* Runs what is due now, and nothing else. */
static inline void turn_idle(struct loop *l)
{
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(loop_turn(l, 0, NULL), 0);
}

#endif
