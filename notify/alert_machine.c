/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/alert_machine.h"

#include <string.h>

static const char *const names[ALERT_STATES] = {
	[ALERT_OK] = "ok",
	[ALERT_PENDING] = "pending",
	[ALERT_FIRING] = "firing",
	[ALERT_CLEARING] = "clearing",
	[ALERT_NO_DATA] = "no-data",
	[ALERT_FLAPPING] = "flapping",
};

const char *alert_state_name(enum alert_state s)
{
	return names[s];
}

bool alert_state_from(const char *name, enum alert_state *out)
{
	for (int i = 0; i < ALERT_STATES; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*out = (enum alert_state)i;
		return true;
	}
	return false;
}

/* The rows of the table: the states, and flapping once for each side it can be on. `level` tells
 * which: there is one on the bad side, none on the good. */
enum place { OK, PENDING, FIRING, CLEARING, NO_DATA, FLAP_BAD, FLAP_GOOD, PLACES };

/* How long one must have been in a place. */
enum wait { NEVER, FOR, TWICE_FOR, CLEAR_FOR, NODATA, HOLD };

/* Be in `stay`; having been there for `wait`, go on to `then`. */
struct cell {
	enum place stay;
	enum wait wait;
	enum place then;
};

#define STAY(place)                                                                                \
	{                                                                                          \
		place, NEVER, place                                                                \
	}

/* Below the limit, but not clear of it, and no value at all: a value near its limit or a sample
 * that failed does not begin the wait anew, but it does not go on for ever. */
static const struct cell table[PLACES][READINGS] =
	{
		[OK] =
			{
				[READING_UNKNOWN] = STAY(OK),
				[READING_CLEAR] = STAY(OK),
				[READING_BETWEEN] = STAY(OK),
				[READING_WARNING] = {PENDING, FOR, FIRING},
				[READING_CRITICAL] = {PENDING, FOR, FIRING},
			},
		[PENDING] =
			{
				[READING_UNKNOWN] = {PENDING, TWICE_FOR, OK},
				[READING_CLEAR] = STAY(OK),
				[READING_BETWEEN] = {PENDING, TWICE_FOR, OK},
				[READING_WARNING] = {PENDING, FOR, FIRING},
				[READING_CRITICAL] = {PENDING, FOR, FIRING},
			},
		[FIRING] =
			{
				[READING_UNKNOWN] = {NO_DATA, NODATA, OK},
				[READING_CLEAR] = {CLEARING, CLEAR_FOR, OK},
				[READING_BETWEEN] = STAY(FIRING),
				[READING_WARNING] = STAY(FIRING),
				[READING_CRITICAL] = STAY(FIRING),
			},
		[CLEARING] =
			{
				[READING_UNKNOWN] = {NO_DATA, NODATA, OK},
				[READING_CLEAR] = {CLEARING, CLEAR_FOR, OK},
				[READING_BETWEEN] = STAY(FIRING),
				[READING_WARNING] = STAY(FIRING),
				[READING_CRITICAL] = STAY(FIRING),
			},
		[NO_DATA] =
			{
				[READING_UNKNOWN] = {NO_DATA, NODATA, OK},
				[READING_CLEAR] = {CLEARING, CLEAR_FOR, OK},
				[READING_BETWEEN] = STAY(FIRING),
				[READING_WARNING] = STAY(FIRING),
				[READING_CRITICAL] = STAY(FIRING),
			},
		[FLAP_BAD] =
			{
				[READING_UNKNOWN] = {FLAP_BAD, HOLD, NO_DATA},
				[READING_CLEAR] = STAY(FLAP_GOOD),
				[READING_BETWEEN] = {FLAP_BAD, HOLD, FIRING},
				[READING_WARNING] = {FLAP_BAD, HOLD, FIRING},
				[READING_CRITICAL] = {FLAP_BAD, HOLD, FIRING},
			},
		[FLAP_GOOD] =
			{
				[READING_UNKNOWN] = {FLAP_GOOD, HOLD, OK},
				[READING_CLEAR] = {FLAP_GOOD, HOLD, OK},
				[READING_BETWEEN] = {FLAP_GOOD, HOLD, OK},
				[READING_WARNING] = STAY(FLAP_BAD),
				[READING_CRITICAL] = STAY(FLAP_BAD),
			},
};

static enum place place_of(const struct alert_life *life)
{
	static const enum place places[ALERT_STATES] = {
		[ALERT_OK] = OK,
		[ALERT_PENDING] = PENDING,
		[ALERT_FIRING] = FIRING,
		[ALERT_CLEARING] = CLEARING,
		[ALERT_NO_DATA] = NO_DATA,
		[ALERT_FLAPPING] = FLAP_BAD,
	};

	if (life->state == ALERT_FLAPPING && life->level == SEVERITY_INFO)
		return FLAP_GOOD;
	return places[life->state];
}

static enum alert_state state_of(enum place p)
{
	static const enum alert_state states[PLACES] = {
		[OK] = ALERT_OK,
		[PENDING] = ALERT_PENDING,
		[FIRING] = ALERT_FIRING,
		[CLEARING] = ALERT_CLEARING,
		[NO_DATA] = ALERT_NO_DATA,
		[FLAP_BAD] = ALERT_FLAPPING,
		[FLAP_GOOD] = ALERT_FLAPPING,
	};

	return states[p];
}

static int64_t wait_ms(enum wait w, const struct rule *r)
{
	switch (w) {
	case FOR:
		return r->for_ms;
	case TWICE_FOR:
		return 2 * r->for_ms;
	case CLEAR_FOR:
		return r->clear_for_ms;
	case NODATA:
		return ALERT_NODATA_MS;
	case HOLD:
		return ALERT_FLAP_HOLD_MS;
	case NEVER:
		break;
	}
	return INT64_MAX;
}

static enum place next_place(
	const struct alert_life *life, const struct rule *r, enum rule_reading v, int64_t now_ms)
{
	enum place from = place_of(life);
	const struct cell *c = &table[from][v];
	int64_t been_ms = c->stay == from ? now_ms - life->entered_ms : 0;

	return been_ms >= wait_ms(c->wait, r) ? c->then : c->stay;
}

/* Over and done with: nothing of an earlier story is left but when it fired. */
static void begin_story(struct alert_life *life, int64_t now_ms)
{
	life->since_ms = now_ms;
	life->fired_ms = 0;
	life->worst = life->told = SEVERITY_INFO;
	life->acknowledged = false;
}

/* Returns whether it fires so often that it is flapping. */
static bool count_fire(struct alert_life *life, int64_t now_ms)
{
	int64_t oldest;

	memmove(life->fires + 1, life->fires, sizeof(life->fires) - sizeof(*life->fires));
	life->fires[0] = life->fired_ms = now_ms;
	oldest = life->fires[ALERT_FLAP_COUNT - 1];
	return oldest && now_ms - oldest <= ALERT_FLAP_WITHIN_MS;
}

static void set_level(
	struct alert_life *life, const struct rule *r, enum place to, enum rule_reading v)
{
	if (to == OK || to == FLAP_GOOD)
		life->level = SEVERITY_INFO;
	else if (v == READING_CRITICAL)
		life->level = SEVERITY_CRITICAL;
	else if (v == READING_WARNING)
		life->level = SEVERITY_WARNING;
	else if (v != READING_UNKNOWN && r->warning.op != LIMIT_NONE)
		life->level = SEVERITY_WARNING; /* it has left critical at least */
	if (to == OK || to == PENDING || life->level <= life->worst)
		return;
	life->worst = life->level;
	life->acknowledged = false;
}

static void enter(struct alert_life *life, enum place from, enum place to, int64_t now_ms)
{
	if (from == OK)
		begin_story(life, now_ms);
	/* What was told of flapping says nothing of a state that lasts. */
	if (state_of(from) == ALERT_FLAPPING && to == FIRING && !life->acknowledged)
		life->told = SEVERITY_INFO;
	if (to == OK)
		life->acknowledged = false;
	life->entered_ms = now_ms;
}

static enum alert_action tell_end(
	const struct alert_life *life, const struct rule *r, enum place from, enum rule_reading v)
{
	if (life->told == SEVERITY_INFO || !r->recovery || from == PENDING || from == OK)
		return ALERT_TELL_NOTHING;
	return from == NO_DATA && v == READING_UNKNOWN ? ALERT_TELL_GONE : ALERT_TELL_RECOVERED;
}

static enum alert_action what_to_tell(const struct alert_life *life, const struct rule *r,
	enum place from, enum rule_reading v, int64_t now_ms)
{
	switch (life->state) {
	case ALERT_OK:
		return tell_end(life, r, from, v);
	case ALERT_FLAPPING:
		return life->told == SEVERITY_INFO ? ALERT_TELL_FLAPPING : ALERT_TELL_NOTHING;
	case ALERT_FIRING:
		if (life->level > life->told)
			return ALERT_TELL_FIRING;
		if (r->repeat_ms && !life->acknowledged && now_ms - life->told_ms >= r->repeat_ms)
			return ALERT_TELL_REMINDER;
		return ALERT_TELL_NOTHING;
	default:
		return ALERT_TELL_NOTHING;
	}
}

static void note_told(struct alert_life *life, enum alert_action tell, int64_t now_ms)
{
	if (tell == ALERT_TELL_NOTHING)
		return;
	life->told_ms = now_ms;
	if (tell == ALERT_TELL_FLAPPING)
		life->told = life->worst;
	else if (tell == ALERT_TELL_FIRING || tell == ALERT_TELL_REMINDER)
		life->told = life->level;
}

/* The clock was set back: what lies ahead of it happened just now. */
static void pull_back(int64_t *time_ms, int64_t now_ms)
{
	if (*time_ms > now_ms)
		*time_ms = now_ms;
}

static void pull_all_back(struct alert_life *life, int64_t now_ms)
{
	pull_back(&life->since_ms, now_ms);
	pull_back(&life->fired_ms, now_ms);
	pull_back(&life->entered_ms, now_ms);
	pull_back(&life->told_ms, now_ms);
	for (size_t i = 0; i < ALERT_FLAP_COUNT; i++)
		pull_back(&life->fires[i], now_ms);
}

static bool is_same(const struct alert_life *a, const struct alert_life *b)
{
	return a->state == b->state && a->level == b->level && a->worst == b->worst &&
	       a->told == b->told && a->since_ms == b->since_ms && a->fired_ms == b->fired_ms &&
	       a->entered_ms == b->entered_ms && a->told_ms == b->told_ms &&
	       memcmp(a->fires, b->fires, sizeof(a->fires)) == 0 &&
	       a->acknowledged == b->acknowledged;
}

bool alert_machine_step(struct alert_life *life, const struct rule *r, enum rule_reading v,
	int64_t now_ms, bool muted, enum alert_action *tell)
{
	struct alert_life before = *life;
	enum place from = place_of(life), to;

	pull_all_back(life, now_ms);
	to = next_place(life, r, v, now_ms);
	if (to != from)
		enter(life, from, to, now_ms);
	if (to == FIRING && (from == OK || from == PENDING) && count_fire(life, now_ms))
		to = FLAP_BAD;
	life->state = state_of(to);
	set_level(life, r, to, v);
	*tell = muted ? ALERT_TELL_NOTHING : what_to_tell(life, r, from, v, now_ms);
	note_told(life, *tell, now_ms);
	return !is_same(&before, life);
}

bool alert_machine_is_over(const struct alert_life *life, int64_t now_ms)
{
	return life->state == ALERT_OK &&
	       (!life->fires[0] || now_ms - life->fires[0] > ALERT_FLAP_WITHIN_MS);
}
