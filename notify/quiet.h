/* SPDX-License-Identifier: Apache-2.0
 *
 * Quiet hours: "22:00-07:00", with days in front when wanted ("sat,sun 00:00-24:00", "mon-fri
 * 20:00-08:00"; the day is that of the beginning). Local time of the process, so a change to
 * daylight saving moves them as it moves the people. Pure.
 */
#ifndef NOTIFY_QUIET_H
#define NOTIFY_QUIET_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

struct quiet_span {
	uint8_t days; /* bit 0 Sunday to bit 6 */
	int from_minute,
		to_minute; /* of the day; to <= from: into the next day; 1440 is midnight */
};

/* -EINVAL with what was expected. */
int quiet_parse(const char *text, struct quiet_span *out, struct err *e);
/* When the quiet time that `t` lies in ends (spans that touch are joined, at most a week ahead);
 * 0 when t is in none. */
time_t quiet_until(const struct quiet_span *spans, size_t n, time_t t);

#endif
