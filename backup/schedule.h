/* SPDX-License-Identifier: Apache-2.0
 *
 * When a job runs, and when it should have. Pure: schedules are values, the time is given; times are wall clock, in the
 * time zone of the process. What has been dealt with is one number, `handled_ms`: every scheduled time up to it had
 * its run, or was passed over. So one run makes up for all that were missed.
 */
#ifndef BACKUP_SCHEDULE_H
#define BACKUP_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cron.h"

enum {
	/* Later than this after its time a run was missed, not just delayed. */
	SCHEDULE_LATE_MS = 5 * 60 * 1000,
	/* What was handled further in the future than this was handled by a clock that was wrong. */
	SCHEDULE_CLOCK_MS = 60 * 60 * 1000,
	SCHEDULE_OVERDUE_MIN_MS = 60 * 60 * 1000,
};

struct schedule {
	struct cron cron;
	int64_t jitter_ms; /* each start is put off by up to this */
	const char *key; /* what the put-off depends on, beside the time: host and job */
	bool catch_up; /* missed ones are made up for */
};

struct schedule_verdict {
	bool due; /* start now */
	bool late; /* it was missed: the server was off, or the clock was set forward */
	int64_t handled_ms; /* the new one */
	int64_t next_ms; /* when it starts next after that; 0: never */
};

/* handled_ms 0: the schedule is new, nothing before now counts. */
struct schedule_verdict schedule_look(const struct schedule *s, int64_t handled_ms, int64_t now_ms);

/* How long the start at that scheduled time is put off: the same for the same key and time. */
int64_t schedule_put_off_ms(const struct schedule *s, int64_t slot_ms);

/* When a job whose last good backup began at that time becomes overdue (never had one: when it was first seen); 0: never.
 * `limit_ms` is the option overdue, 0 when it is not set; s NULL: there is no schedule. */
int64_t schedule_overdue_ms(
	const struct schedule *s, int64_t limit_ms, int64_t last_good_ms, int64_t now_ms);

#endif
