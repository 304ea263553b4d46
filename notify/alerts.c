/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/alerts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "notify/alerts_parts.h"

static void *grown(void *list, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return list;
	*room = *room ? *room * 2 : 16;
	list = realloc(list, *room * size);
	if (!list)
		abort();
	return list;
}

int alerts_new(struct db *db, const struct alerts_options *o, struct rule_set *rules,
	struct silences *silences, struct alerts **out, struct err *e)
{
	struct alerts *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		abort();
	a->db = db;
	a->options = *o;
	a->rules = rules;
	a->silences = silences;
	r = alerts_load(a, e);
	if (r < 0) {
		alerts_free(a);
		return err_wrap(e, r, "alerts");
	}
	*out = a;
	return 0;
}

static void event_done(struct alerts_event *ev)
{
	event_free(ev->event);
	for (size_t i = 0; i < ev->n_channels; i++)
		free(ev->channels[i]);
	free(ev->channels);
}

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	while (a->watches)
		watch_free(a, a->watches);
	for (size_t i = 0; i < a->n_records; i++)
		record_free(a->records[i]);
	for (size_t i = 0; i < a->n_ended; i++)
		record_free(a->ended[i]);
	for (size_t i = 0; i < a->n_events; i++)
		event_done(&a->events[i]);
	db_finalize(a->upsert);
	db_finalize(a->remove);
	rule_set_free(a->rules);
	free(a->records);
	free(a->ended);
	free(a->events);
	free(a);
}

const struct rule *alerts_find_rule(
	const struct rule_set *set, const char *name, const struct entity_class *c, size_t metric)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->rules[i].class == c && set->rules[i].metric == metric &&
			strcmp(set->rules[i].name, name) == 0)
			return &set->rules[i];
	return NULL;
}

/* Takes the records off the watches and gives them the new rules. */
static void change_rules(struct alerts *a, const struct rule_set *rules)
{
	for (size_t i = a->n_records; i > 0; i--) {
		struct record *rec = a->records[i - 1];
		const struct entity_class *c = entity_class_find(rec->pub.class_name);
		bool had_rule = rec->pub.rule != NULL;

		rec->was_here = rec->watch != NULL;
		record_detach(a, rec);
		rec->pub.rule = alerts_find_rule(rules, rec->rule_name, c, rec->metric);
		if (!rec->pub.rule && had_rule)
			record_end(a, rec);
	}
}

/* Those in use stay with their users until these are made anew. */
static void forget_plans(struct alerts *a)
{
	for (struct plan *p = a->plans, *next; p; p = next) {
		next = p->next;
		p->next = NULL;
		p->is_old = true;
	}
	a->plans = NULL;
}

/* Ends those whose rule does not watch their entity any more. */
static void end_unwatched(struct alerts *a)
{
	for (size_t i = a->n_records; i > 0; i--)
		if (a->records[i - 1]->was_here && !a->records[i - 1]->watch)
			record_end(a, a->records[i - 1]);
}

void alerts_set_rules(struct alerts *a, struct rule_set *rules)
{
	struct rule_set *old = a->rules;

	change_rules(a, rules);
	a->rules = rules;
	forget_plans(a); /* the numbers in them are those of the old rules */
	for (struct watch *w = a->watches, *next; w; w = next) {
		next = w->next;
		watch_make(a, w->entity);
	}
	end_unwatched(a);
	rule_set_free(old);
}

const struct rule_set *alerts_rules(const struct alerts *a)
{
	return a->rules;
}

struct record *record_new(struct alerts *a, const struct entity_class *c, const char *entity)
{
	struct record *rec;

	if (a->n_records >= ALERTS_MAX)
		return NULL;
	rec = calloc(1, sizeof(*rec));
	if (!rec)
		abort();
	rec->pub.class_name = c->name;
	rec->pub.entity = str_dup(entity);
	rec->pub.value = NAN;
	rec->pub.worst_value = NAN;
	a->records = grown(a->records, a->n_records, &a->records_room, sizeof(*a->records));
	rec->index = a->n_records;
	a->records[a->n_records++] = rec;
	a->n_away++;
	return rec;
}

void record_free(struct record *rec)
{
	free(rec->pub.entity);
	free(rec->pub.acknowledged_by);
	free(rec->pub.acknowledged_reason);
	free(rec->pub.muted);
	free(rec->rule_name);
	free(rec);
}

void record_attach(struct alerts *a, struct record *rec, struct watch *w, size_t slot)
{
	if (!w->records)
		w->records = calloc(w->plan->n_slots, sizeof(struct record *));
	if (!w->records)
		abort();
	rec->watch = w;
	rec->slot = slot;
	w->records[slot] = rec;
	w->n_records++;
	a->n_away--;
}

void record_detach(struct alerts *a, struct record *rec)
{
	if (!rec->watch)
		return;
	rec->watch->records[rec->slot] = NULL;
	rec->watch->n_records--;
	rec->watch = NULL;
	a->n_away++;
}

void record_end(struct alerts *a, struct record *rec)
{
	struct record *last = a->records[a->n_records - 1];

	record_detach(a, rec);
	a->n_away--;
	a->records[rec->index] = last;
	last->index = rec->index;
	a->n_records--;
	if (!rec->in_db) {
		record_free(rec);
		return;
	}
	a->ended = grown(a->ended, a->n_ended, &a->ended_room, sizeof(*a->ended));
	a->ended[a->n_ended++] = rec;
}

bool alerts_has_changes(const struct alerts *a)
{
	if (a->n_events || a->n_ended)
		return true;
	for (size_t i = 0; i < a->n_records; i++)
		if (record_is_due(a, a->records[i]))
			return true;
	return false;
}

size_t alerts_n_events(const struct alerts *a)
{
	return a->n_events;
}

struct event *alerts_event_at(const struct alerts *a, size_t i)
{
	return a->events[i].event;
}

struct rule_patterns alerts_event_channels(const struct alerts *a, size_t i)
{
	return (struct rule_patterns){
		(const char *const *)a->events[i].channels, a->events[i].n_channels};
}

/* The first one that can be spared; a full list of firings loses the oldest. */
static void make_room(struct alerts *a)
{
	size_t i = 0;

	while (i < a->n_events && strcmp(a->events[i].event->kind, EVENT_ALERT_REMINDER) != 0)
		i++;
	if (i == a->n_events) {
		i = 0;
		log_warning("too many events wait for the database; lost: %s",
			a->events[i].event->title);
	}
	event_done(&a->events[i]);
	a->n_events--;
	memmove(&a->events[i], &a->events[i + 1], (a->n_events - i) * sizeof(a->events[0]));
}

void alerts_add_event(struct alerts *a, struct event *event, const struct rule *r)
{
	struct alerts_event *ev;

	if (a->n_events >= ALERTS_EVENTS_MAX)
		make_room(a);
	a->events = grown(a->events, a->n_events, &a->events_room, sizeof(*a->events));
	ev = &a->events[a->n_events++];
	*ev = (struct alerts_event){.event = event, .n_channels = r->n_channels};
	ev->channels = r->n_channels ? calloc(r->n_channels, sizeof(*ev->channels)) : NULL;
	if (r->n_channels && !ev->channels)
		abort();
	for (size_t i = 0; i < r->n_channels; i++)
		ev->channels[i] = str_dup(r->channels[i]);
}

void alerts_stored(struct alerts *a)
{
	for (size_t i = 0; i < a->n_events; i++)
		event_done(&a->events[i]);
	a->n_events = 0;
	for (size_t i = 0; i < a->n_ended; i++)
		record_free(a->ended[i]);
	a->n_ended = 0;
	for (size_t i = 0; i < a->n_records; i++) {
		struct record *rec = a->records[i];

		if (!rec->written)
			continue;
		rec->written = rec->changed = false;
		rec->in_db = true;
	}
}
