/* SPDX-License-Identifier: Apache-2.0
 *
 * Which backups are kept. Pure: takes a list and the time, returns a verdict for each. As restic's policies:
 * the newest of each of the last N days (weeks, months, years) that have one, and the last N; times in the
 * time zone of the process. Only backups of one job and one host may be passed in.
 */
#ifndef BACKUP_RETENTION_H
#define BACKUP_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct retention_policy {
	int last, daily, weekly, monthly, yearly; /* all 0: everything is kept */
	int64_t min_age_ms; /* younger ones are kept in any case */
};

struct retention_item {
	const char *id;
	int64_t time_ms; /* when it began */
	bool is_good; /* whole, and no verification of it failed */
	bool is_verified; /* read back and found right */
	bool is_locked; /* the store must keep it (object lock) until locked_until_ms */
	int64_t locked_until_ms;
	/* Result */
	bool keep;
	const char *why; /* "last 3", "monthly", "newest good one", "no policy"; static text */
};

/* Fills keep and why. `items` in any order. Kept in any case: the newest good one, the newest verified one, what is
 * locked. Bad ones do not count towards any number and go when a newer good one exists.
 * -EINVAL, with everything kept: a policy that would remove all good ones. */
int retention_decide(const struct retention_policy *p, struct retention_item *items, size_t n,
	int64_t now_ms, struct err *e);

#endif
