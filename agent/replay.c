/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/replay.h"

#include <math.h>
#include <stdlib.h>

void replay_init(struct replay *r, const struct rule *rule, int64_t interval_ms, int64_t from_ms)
{
	*r = (struct replay){.rule = rule, .from_ms = from_ms, .nearest = NAN};
	if (rule->how != WINDOW_LAST)
		r->window = window_new(rule->how, rule->window_ms, interval_ms);
}

void replay_done(struct replay *r)
{
	window_free(r->window);
	free(r->events);
	*r = (struct replay){.rule = NULL};
}

bool replay_is_firing(const struct replay *r)
{
	return r->life.told != SEVERITY_INFO && r->life.state != ALERT_OK &&
	       r->life.state != ALERT_PENDING;
}

static void add_event(struct replay *r, const struct replay_event *ev)
{
	if (r->n_events == REPLAY_EVENTS_MAX) {
		r->n_more++;
		return;
	}
	if (!r->events) {
		r->events = calloc(REPLAY_EVENTS_MAX, sizeof(*r->events));
		if (!r->events)
			abort();
	}
	r->events[r->n_events++] = *ev;
}

/* What the rule compares, as rule_judge() wants it. */
static double measure(struct replay *r, int64_t time_ms, double value, bool is_there)
{
	if (r->window)
		window_add(r->window, time_ms, value);
	switch (r->rule->type) {
	case RULE_FORECAST:
		return window_seconds_until(r->window, time_ms, r->rule->target);
	case RULE_GONE:
		return is_there;
	case RULE_MISSING:
		return value;
	default:
		return r->window ? window_value(r->window, time_ms) : value;
	}
}

/* How far in the direction of the limits. */
static double badness(const struct rule *r, double v)
{
	const struct limit *l = r->warning.op != LIMIT_NONE ? &r->warning : &r->critical;

	if (l->op == LIMIT_BEYOND)
		return fabs(v);
	return limit_is_upwards(l) ? v : -v;
}

bool replay_is_nearer(const struct rule *r, double a, double b)
{
	return badness(r, a) > badness(r, b);
}

static void note_nearest(struct replay *r, int64_t time_ms, double v)
{
	if (isnan(v) || r->rule->type == RULE_MISSING || r->rule->type == RULE_GONE)
		return;
	if (!isnan(r->nearest) && !replay_is_nearer(r->rule, v, r->nearest))
		return;
	r->nearest = v;
	r->nearest_ms = time_ms;
}

static struct replay_event event_now(
	const struct replay *r, int64_t time_ms, enum alert_action what, double v)
{
	const struct alert_life *l = &r->life;

	return (struct replay_event){
		.time_ms = time_ms,
		.what = what,
		.severity = what == ALERT_TELL_FIRING || what == ALERT_TELL_REMINDER ? l->level
										     : l->worst,
		.value = v,
		.fired_ms = l->fired_ms,
	};
}

/* The first sample that counts: what fires already was told before. */
static void begin(struct replay *r, int64_t time_ms, double v)
{
	struct replay_event ev;

	if (r->begun)
		return;
	r->begun = true;
	if (!replay_is_firing(r))
		return;
	ev = event_now(r, time_ms, ALERT_TELL_FIRING, v);
	ev.before = true;
	add_event(r, &ev);
}

void replay_sample(struct replay *r, int64_t time_ms, double value, bool is_there)
{
	double v = measure(r, time_ms, value, is_there);
	struct replay_event ev;
	enum alert_action tell;

	if (time_ms >= r->from_ms)
		begin(r, time_ms, v);
	r->has_been = r->has_been || is_there;
	/* What never was there is not gone. */
	if ((r->rule->type == RULE_GONE || r->rule->type == RULE_MISSING) && !r->has_been)
		return;
	(void)alert_machine_step(
		&r->life, r->rule, rule_judge(r->rule, v, r->life.level), time_ms, false, &tell);
	if (time_ms < r->from_ms)
		return;
	note_nearest(r, time_ms, v);
	if (tell == ALERT_TELL_NOTHING)
		return;
	ev = event_now(r, time_ms, tell, v);
	add_event(r, &ev);
}
