/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of alerts.h share. A plan is a list of rules, and of the windows that they need;
 * entities that the same rules watch share one. Each entity has a struct watch (its `watcher`) with
 * the windows themselves. A record is an alert that is not ok, or was a moment ago; it outlives its
 * watch when the entity goes.
 */
#ifndef NOTIFY_ALERTS_PARTS_H
#define NOTIFY_ALERTS_PARTS_H

#include "notify/alerts.h"

struct watch;

struct record {
	struct alert pub; /* first: the struct alert that others see */
	struct watch *watch; /* NULL: the entity is not here */
	size_t slot; /* of the watch */
	size_t index; /* in the list of records */
	/* Its rule by name, for records whose rule is not known (pub.rule NULL). */
	char *rule_name;
	size_t metric;
	bool changed; /* since it was last stored */
	bool written; /* in a transaction that is not committed yet */
	bool in_db;
	bool was_here; /* had a watch before the rules changed */
};

enum { NO_WINDOW = -1 };

struct plan_slot {
	uint32_t rule; /* number */
	int32_t window; /* NO_WINDOW: the value itself */
};

struct plan_window {
	int64_t length_ms;
	uint32_t metric;
	enum window_how how;
};

struct plan {
	struct plan *next;
	size_t n_users;
	bool is_old; /* of rules that were replaced; in no list */
	size_t n_windows, n_slots;
	size_t n_plain; /* the slots up to here are of type value and change */
	struct plan_window *windows;
	struct plan_slot slots[];
};

struct watch_window {
	struct window *window;
	double value; /* of this sample; not of WINDOW_LINE */
	bool is_empty; /* waits for its history */
};

struct watch {
	struct entity *entity;
	struct watch *next, **at; /* list of all */
	struct plan *plan;
	struct record **records; /* per slot; NULL until there is one */
	size_t n_records;
	unsigned labelled; /* of the entity, when this was made */
	bool has_lived; /* for rules of type gone */
	double memory_bytes, memory_limit_bytes; /* of containers and services: last known */
	struct watch_window windows[];
};

struct alerts_event {
	struct event *event;
	char **channels;
	size_t n_channels;
};

struct alerts {
	struct db *db;
	struct alerts_options options;
	struct rule_set *rules;
	struct silences *silences;
	struct watch *watches;
	struct plan *plans;
	struct record **records;
	size_t n_records, records_room;
	size_t n_away; /* records without a watch */
	struct record **ended; /* still in the database */
	size_t n_ended, ended_room;
	struct alerts_event *events;
	size_t n_events, events_room;
	/* Of this sample. */
	const struct registry *registry;
	int64_t now_ms;
	int64_t first_ms; /* of the first sample; 0: none yet */
	unsigned n_fills;
	struct db_stmt *upsert, *remove;
};

/* alerts.c */
/* NULL when there are ALERTS_MAX. Takes over nothing. */
struct record *record_new(struct alerts *a, const struct entity_class *c, const char *entity);
void record_free(struct record *rec);
/* Forgets it; its row goes with the next alerts_store(). */
void record_end(struct alerts *a, struct record *rec);
void record_attach(struct alerts *a, struct record *rec, struct watch *w, size_t slot);
void record_detach(struct alerts *a, struct record *rec);
const struct rule *alerts_find_rule(
	const struct rule_set *set, const char *name, const struct entity_class *c, size_t metric);
/* Takes over the event. */
void alerts_add_event(struct alerts *a, struct event *event, const struct rule *r);
/* Firing, clearing, no-data or flapping. */
bool alert_is_firing(const struct alert *al);

/* alerts_plan.c */
/* The plan of all rules that watch the entity. Give it back with plan_put(). */
struct plan *plan_get(struct alerts *a, const struct entity *e);
void plan_put(struct alerts *a, struct plan *p);

/* alerts_watch.c */
/* The record of a slot, or NULL. */
static inline struct record *watch_record(const struct watch *w, size_t slot)
{
	return w->n_records ? w->records[slot] : NULL;
}
/* Makes the entity's watch, or makes it anew: windows and records are kept. Records whose rule does
 * not watch the entity any more are left without a watch. */
void watch_make(struct alerts *a, struct entity *e);
void watch_free(struct alerts *a, struct watch *w); /* the entity's `watcher` is left as it is */
/* This sample's values, into the windows. */
void watch_feed(struct alerts *a, struct watch *w);

/* alerts_store.c */
int alerts_load(struct alerts *a, struct err *e);
/* Whether it must be written now. */
bool record_is_due(const struct alerts *a, const struct record *rec);

/* alerts_event.c */
struct alert_telling {
	const struct record *record;
	struct alert_life before; /* before this step */
	enum alert_action action;
};
struct event *alert_event(const struct alerts *a, const struct alert_telling *t);

/* alerts_phrase.c */
/* "Disk / is 93.1 % full", or, when it is over, "Disk / is back to 71 %". */
void alert_phrase(const struct alert *al, bool is_here, bool is_over, struct buf *out);

#endif
