/* SPDX-License-Identifier: Apache-2.0
 *
 * How right the clock is, as the kernel knows it: adjtimex(2), asked without changing anything.
 */
#ifndef COLLECTORS_CLOCK_H
#define COLLECTORS_CLOCK_H

#include <stdbool.h>
#include <sys/timex.h>

struct clock_quality {
	double offset_seconds; /* what the kernel still has to correct */
	bool synchronized;
};

/* `state` is what adjtimex() returned (TIME_OK to TIME_ERROR). */
struct clock_quality clock_judge(const struct timex *t, int state);

#endif
