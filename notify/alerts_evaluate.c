/* SPDX-License-Identifier: Apache-2.0
 *
 * One sample: every slot of every watch is asked whether its value is over a limit; only those that
 * are, and those that have a record, go through the state machine.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "notify/alerts_parts.h"

enum { MISSING_SAMPLES = 2 };

static bool is_cgroup(const struct entity_class *c)
{
	return c == &class_container || c == &class_service;
}

/* Upwards the greatest value is the worst, downwards the least. */
static bool is_worse(const struct rule *r, double v, double than)
{
	const struct limit *l = r->warning.op == LIMIT_NONE ? &r->critical : &r->warning;

	if (l->op == LIMIT_BEYOND)
		return fabs(v) > fabs(than);
	return limit_is_upwards(l) ? v > than : v < than;
}

static void note_value(struct record *rec, double v, enum rule_reading reading)
{
	struct alert *al = &rec->pub;

	if (isnan(v))
		return;
	al->value = v;
	if (reading < READING_WARNING)
		return;
	if (isnan(al->worst_value) || is_worse(al->rule, v, al->worst_value))
		al->worst_value = v;
}

/* Copied, because what it is borrowed from may go before the next sample. */
static void note_muted(struct alerts *a, struct record *rec)
{
	struct alert *al = &rec->pub;
	const char *reason =
		silences_reason(a->silences, al->rule, al->class_name, al->entity, a->now_ms);

	if (reason && al->muted && strcmp(reason, al->muted) == 0)
		return;
	free(al->muted);
	al->muted = str_dup(reason);
}

static void drop_acknowledgement(struct record *rec)
{
	struct alert *al = &rec->pub;

	if (al->life.acknowledged || !al->acknowledged_by)
		return;
	free(al->acknowledged_by);
	free(al->acknowledged_reason);
	al->acknowledged_by = NULL;
	al->acknowledged_reason = NULL;
	rec->changed = true;
}

static void tell(struct alerts *a, const struct record *rec, const struct alert_life *before,
	enum alert_action action)
{
	struct alert_telling t = {rec, *before, action};

	if (action != ALERT_TELL_NOTHING)
		alerts_add_event(a, alert_event(a, &t), rec->pub.rule);
}

/* One step of one alert; the record may be gone afterwards. */
static void step(struct alerts *a, struct record *rec, enum rule_reading reading, double v)
{
	struct alert_life *life = &rec->pub.life, before = *life;
	enum alert_action action;

	note_value(rec, v, reading);
	note_muted(a, rec);
	if (alert_machine_step(
		    life, rec->pub.rule, reading, a->now_ms, rec->pub.muted != NULL, &action))
		rec->changed = true;
	drop_acknowledgement(rec);
	tell(a, rec, &before, action);
	if (life->state == ALERT_OK)
		rec->pub.worst_value = NAN;
	if (alert_machine_is_over(life, a->now_ms))
		record_end(a, rec);
}

/* The record of a slot, made when there is none. */
static struct record *record_of(
	struct alerts *a, struct watch *w, size_t slot, const struct rule *r)
{
	struct record *rec = watch_record(w, slot);

	if (rec)
		return rec;
	rec = record_new(a, w->entity->class, w->entity->key);
	if (!rec)
		return NULL;
	rec->pub.rule = r;
	rec->rule_name = str_dup(r->name);
	rec->metric = r->metric;
	record_attach(a, rec, w, slot);
	return rec;
}

/* That it goes is what it is there for. */
static bool is_meant_to_go(const struct watch *w, const struct rule *r)
{
	return w->entity->passing && silences_is_swaps_doing(r);
}

static void step_slot(
	struct alerts *a, struct watch *w, size_t slot, const struct rule *r, double v)
{
	struct record *rec = is_meant_to_go(w, r) ? NULL : record_of(a, w, slot, r);

	if (rec)
		step(a, rec, rule_judge(r, v, rec->pub.life.level), v);
}

/* 1 while it is there and runs, as rule_judge() wants it. What never ran while we looked is not
 * gone. */
static double presence(struct watch *w)
{
	const struct entity *e = w->entity;
	double running = is_cgroup(e->class) ? e->values[CGROUP_running] : 1;

	if (running > 0)
		w->has_lived = true;
	return w->has_lived || !(running <= 0) ? running : NAN;
}

static double special_value(
	const struct alerts *a, struct watch *w, const struct plan_slot *slot, const struct rule *r)
{
	switch (r->type) {
	case RULE_FORECAST:
		if (slot->window == NO_WINDOW || w->windows[slot->window].is_empty)
			return NAN;
		return window_seconds_until(w->windows[slot->window].window, a->now_ms, r->target);
	case RULE_GONE:
		return presence(w);
	default:
		return w->entity->values[r->metric];
	}
}

/* A rate needs a second sample; until then its value is not missing yet. */
static bool is_missing(
	const struct alerts *a, const struct watch *w, const struct rule *r, double v)
{
	return r->type == RULE_MISSING && isnan(v) &&
	       registry_sample(a->registry) - w->entity->first_seen >= MISSING_SAMPLES;
}

static void evaluate_special(struct alerts *a, struct watch *w)
{
	for (size_t i = w->plan->n_plain; i < w->plan->n_slots; i++) {
		const struct plan_slot *slot = &w->plan->slots[i];
		const struct rule *r = &a->rules->rules[slot->rule];
		double v = special_value(a, w, slot, r);

		if (watch_record(w, i) || rule_exceeds(r, v) || is_missing(a, w, r, v))
			step_slot(a, w, i, r, v);
	}
}

static void evaluate_watch(struct alerts *a, struct watch *w)
{
	const struct rule *rules = a->rules->rules;
	const double *values = w->entity->values;

	watch_feed(a, w);
	for (size_t i = 0; i < w->plan->n_plain; i++) {
		const struct plan_slot *slot = &w->plan->slots[i];
		const struct rule *r = &rules[slot->rule];
		double v = slot->window == NO_WINDOW ? values[r->metric]
						     : w->windows[slot->window].value;

		if (rule_exceeds(r, v) || watch_record(w, i))
			step_slot(a, w, i, r, v);
	}
	evaluate_special(a, w);
}

/* For the message about a container that was killed: what was known before. */
static void note_memory(struct watch *w)
{
	const double *values = w->entity->values;

	if (!is_cgroup(w->entity->class))
		return;
	if (!isnan(values[CGROUP_memory_used_bytes]))
		w->memory_bytes = values[CGROUP_memory_used_bytes];
	if (!isnan(values[CGROUP_memory_limit_bytes]))
		w->memory_limit_bytes = values[CGROUP_memory_limit_bytes];
}

static void evaluate_entity(struct alerts *a, struct entity *e)
{
	struct watch *w = e->watcher;

	if (!w || w->labelled != e->labelled)
		watch_make(a, e);
	w = e->watcher;
	if (!w->plan->n_slots)
		return;
	note_memory(w);
	evaluate_watch(a, w);
}

/* Not here for good: told once more, and forgotten. */
static void give_up(struct alerts *a, struct record *rec)
{
	if (rec->pub.life.told != SEVERITY_INFO && rec->pub.rule->recovery && !rec->pub.muted)
		tell(a, rec, &rec->pub.life, ALERT_TELL_GONE);
	record_end(a, rec);
}

static void step_away(struct alerts *a, struct record *rec)
{
	const struct alert *al = &rec->pub;
	const struct alert_life *l = &al->life;

	if (!al->rule) {
		if (a->now_ms - a->first_ms >= ALERT_NODATA_MS)
			record_end(a, rec);
	} else if (al->rule->type == RULE_GONE || al->rule->type == RULE_MISSING) {
		if (alert_is_firing(al) && a->now_ms - l->fired_ms >= ALERTS_GONE_MS)
			give_up(a, rec);
		else
			step(a, rec,
				rule_judge(
					al->rule, al->rule->type == RULE_GONE ? 0 : NAN, l->level),
				al->rule->type == RULE_GONE ? 0 : NAN);
	} else {
		step(a, rec, READING_UNKNOWN, NAN);
	}
}

void alerts_evaluate(struct alerts *a, const struct registry *r, int64_t now_ms)
{
	a->registry = r;
	a->now_ms = now_ms;
	a->n_fills = 0;
	if (!a->first_ms)
		a->first_ms = now_ms;
	for (struct entity *e = registry_first(r); e; e = e->next)
		evaluate_entity(a, e);
	for (size_t i = a->n_records; a->n_away && i > 0; i--)
		if (!a->records[i - 1]->watch)
			step_away(a, a->records[i - 1]);
	a->registry = NULL;
}

/* Also without a record, there is something to tell of what is gone or missing. */
static void leave(struct alerts *a, struct watch *w, size_t slot)
{
	const struct rule *r = &a->rules->rules[w->plan->slots[slot].rule];

	if (is_meant_to_go(w, r))
		return;
	if ((r->type == RULE_GONE && w->has_lived) || r->type == RULE_MISSING)
		(void)record_of(a, w, slot, r);
}

void alerts_entity_gone(struct alerts *a, struct entity *e)
{
	struct watch *w = e->watcher;

	if (!w)
		return;
	for (size_t i = w->plan->n_plain; i < w->plan->n_slots; i++)
		leave(a, w, i);
	watch_free(a, w);
	e->watcher = NULL;
}
