/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of an alert, as tests tell it.
 */
#ifndef TESTS_UNIT_ALERT_STORY_H
#define TESTS_UNIT_ALERT_STORY_H

#include <stdint.h>
#include <string.h>

#include "notify/alert_machine.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, STEP = 20 * SECOND };

static const int64_t start_ms = 1700000000000;

#define U READING_UNKNOWN
#define C READING_CLEAR
#define B READING_BETWEEN
#define W READING_WARNING
#define X READING_CRITICAL

/* > 90 warning, clear < 80; > 97 critical, clear < 95. */
static const struct rule plain = {
	.warning = {LIMIT_ABOVE, 90},
	.warning_clear = {LIMIT_BELOW, 80},
	.critical = {LIMIT_ABOVE, 97},
	.critical_clear = {LIMIT_BELOW, 95},
	.recovery = true,
	.exceeds_above = 90,
	.exceeds_below = -1e300,
};

static inline struct rule rule_with(int64_t for_ms, int64_t clear_for_ms, int64_t repeat_ms)
{
	struct rule r = plain;

	r.for_ms = for_ms;
	r.clear_for_ms = clear_for_ms;
	r.repeat_ms = repeat_ms;
	return r;
}

/* A life as its owner leads it, with a diary of what was told. */
struct story {
	struct rule rule;
	struct alert_life life;
	int64_t now_ms;
	bool muted;
	char told[256]; /* one letter each: F R(eminder) r(ecovered) ~(flapping) g(one) */
};

static inline struct story begin(struct rule r)
{
	return (struct story){.rule = r, .now_ms = start_ms};
}

static inline enum alert_action step(struct story *s, enum rule_reading v)
{
	static const char letters[] = "-FRr~g";
	enum alert_action tell;
	size_t n = strlen(s->told);

	(void)alert_machine_step(&s->life, &s->rule, v, s->now_ms, s->muted, &tell);
	s->now_ms += STEP;
	if (tell != ALERT_TELL_NOTHING && n + 1 < sizeof(s->told))
		s->told[n] = letters[tell];
	return tell;
}

/* The same reading for that long. */
static inline void go(struct story *s, enum rule_reading v, int64_t ms)
{
	for (int64_t t = 0; t < ms; t += STEP)
		(void)step(s, v);
}

static inline void value(struct story *s, double v)
{
	(void)step(s, rule_judge(&s->rule, v, s->life.level));
}

#endif
