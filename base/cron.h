/* SPDX-License-Identifier: Apache-2.0
 *
 * Cron schedules as in crontab(5) of Vixie cron: five fields (minute hour day-of-month month
 * day-of-week), lists, ranges, steps, names (jan, mon), 0 and 7 for Sunday, and @hourly @daily
 * @weekly @monthly @yearly. As there, when both day fields are restricted either may match. A pure
 * value: no clock, no I/O.
 *
 * Daylight saving: a time that does not exist runs at the first minute after the gap; a time that
 * exists twice runs once, the first time; schedules with '*' in minute or hour run at every real
 * hour.
 */
#ifndef BASE_CRON_H
#define BASE_CRON_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

struct cron {
	uint64_t minutes; /* bit n: minute n */
	uint32_t hours;
	uint32_t days; /* bit 1 to 31 */
	uint16_t months; /* bit 1 to 12 */
	uint8_t weekdays; /* bit 0 to 6, Sunday 0 */
	bool any_day; /* day-of-month was '*' */
	bool any_weekday;
	bool every_hour; /* minute or hour was written with '*' */
};

/* -EINVAL with a message that names the field and what it may be. */
int cron_parse(const char *text, struct cron *out, struct err *e);

/* The first time strictly after `after` that the schedule names, in the time zone of the process
 * (tzset(3)), or -1 when there is none within 8 years ("0 0 30 2 *"). */
time_t cron_next(const struct cron *c, time_t after);

#endif
