/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits as people write them ("> 90", "<= 5G", "< 24h", "> +-100ms") and values as people read
 * them ("93.1 %", "1.2 GiB", "12m 5s"), both in the unit of a metric. Pure.
 */
#ifndef NOTIFY_LIMIT_H
#define NOTIFY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "collectors/metric.h"

enum limit_op {
	LIMIT_NONE,
	LIMIT_ABOVE,
	LIMIT_AT_LEAST,
	LIMIT_BELOW,
	LIMIT_AT_MOST,
	LIMIT_BEYOND, /* further from 0 than the value, on either side: "> +-100ms" */
	LIMIT_WITHIN, /* its opposite: "< +-100ms" */
};

struct limit {
	enum limit_op op; /* LIMIT_NONE: never holds */
	double value; /* in the metric's unit */
};

enum { LIMIT_TEXT_MAX = 64 };

/* "OP NUMBER": > >= < <=, then a number, which may carry a unit: % for percentages, sizes (k M G T)
 * for bytes and bytes per second ("10M", "10M/s"), durations (ms s m h d w) for seconds. "" is
 * LIMIT_NONE. "+-" (or "±") after the operator means on either side of 0. -EINVAL says what was
 * expected for that unit. */
int limit_parse(const char *text, enum metric_unit unit, struct limit *out, struct err *e);
/* Just the number: "100", "5G", "24h". */
int limit_parse_value(const char *text, enum metric_unit unit, double *out, struct err *e);

/* False for NaN. */
static inline bool limit_holds(const struct limit *l, double v)
{
	switch (l->op) {
	case LIMIT_ABOVE:
		return v > l->value;
	case LIMIT_AT_LEAST:
		return v >= l->value;
	case LIMIT_BELOW:
		return v < l->value;
	case LIMIT_AT_MOST:
		return v <= l->value;
	case LIMIT_BEYOND:
		return v > l->value || v < -l->value;
	case LIMIT_WITHIN:
		return v <= l->value && v >= -l->value;
	case LIMIT_NONE:
		break;
	}
	return false;
}
/* Whether the limit is one upwards (> >=), or outwards. */
bool limit_is_upwards(const struct limit *l);
/* Holds just where *l does not: "> 90" -> "<= 90". LIMIT_NONE stays. */
struct limit limit_opposite(const struct limit *l);

/* The value for people: at most 3 significant decimals, with its unit; "unknown" for NaN. */
void limit_print_value(char *to, size_t size, double v, enum metric_unit unit);
/* "above 90 %", "below 24h". "" for LIMIT_NONE. */
void limit_print(char *to, size_t size, const struct limit *l, enum metric_unit unit);

#endif
