/* SPDX-License-Identifier: Apache-2.0
 *
 * The watches of alerts_parts.h: which rules look at an entity, and the windows they share.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "notify/alerts_parts.h"

/* Rules whose reading is more than a comparison. */
static bool is_plain(const struct rule *r)
{
	return r->type == RULE_VALUE || r->type == RULE_CHANGE;
}

static bool has_window(const struct rule *r)
{
	return r->how != WINDOW_LAST && r->type != RULE_MISSING && r->type != RULE_GONE;
}

static bool is_windows_of(const struct watch_window *w, const struct rule *r)
{
	return w->metric == r->metric && w->how == r->how && w->length_ms == r->window_ms;
}

static struct watch *watch_alloc(size_t n_slots, size_t n_windows)
{
	size_t slots = n_slots * sizeof(struct watch_slot);
	struct watch *w = calloc(1, sizeof(*w) + slots + n_windows * sizeof(struct watch_window));

	if (!w)
		abort();
	w->windows = (struct watch_window *)((char *)(w + 1) + slots);
	w->memory_bytes = NAN;
	w->memory_limit_bytes = NAN;
	return w;
}

static uint32_t find_window(const struct watch *w, const struct rule *r)
{
	for (size_t i = 0; i < w->n_windows; i++)
		if (is_windows_of(&w->windows[i], r))
			return (uint32_t)i;
	return NO_WINDOW;
}

static uint32_t add_window(struct alerts *a, struct watch *w, const struct rule *r)
{
	struct watch_window *new = &w->windows[w->n_windows];

	*new = (struct watch_window){
		.window = window_new(r->how, r->window_ms, a->options.interval_ms),
		.value = NAN,
		.length_ms = r->window_ms,
		.metric = (uint32_t)r->metric,
		.how = r->how,
		.is_empty = true,
	};
	return (uint32_t)w->n_windows++;
}

static void add_slot(struct alerts *a, struct watch *w, const struct rule *r)
{
	uint32_t window = NO_WINDOW;

	if (has_window(r)) {
		window = find_window(w, r);
		if (window == NO_WINDOW)
			window = add_window(a, w, r);
	}
	w->slots[w->n_slots++] = (struct watch_slot){.rule = r->number, .window = window};
	a->n_watched[r->number]++;
}

static struct watch *watch_new(struct alerts *a, const struct entity *e)
{
	size_t n_slots = 0, n_windows = 0;
	struct watch *w;

	for (size_t i = 0; i < a->rules->n; i++) {
		if (!rule_watches(&a->rules->rules[i], e))
			continue;
		n_slots++;
		n_windows += has_window(&a->rules->rules[i]);
	}
	w = watch_alloc(n_slots, n_windows);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < a->rules->n; i++) {
			const struct rule *r = &a->rules->rules[i];

			if (is_plain(r) == (pass == 0) && rule_watches(r, e))
				add_slot(a, w, r);
		}
		if (pass == 0)
			w->n_plain = w->n_slots;
	}
	return w;
}

/* The windows of the old one that are still needed. */
static void take_windows(struct watch *w, struct watch *old)
{
	for (size_t i = 0; i < w->n_windows; i++) {
		struct watch_window *to = &w->windows[i];

		for (size_t j = 0; j < old->n_windows; j++) {
			struct watch_window *from = &old->windows[j];
			struct window *window = to->window;

			if (to->metric != from->metric || to->how != from->how ||
				to->length_ms != from->length_ms)
				continue;
			to->window = from->window;
			from->window = window;
			to->is_empty = from->is_empty;
		}
	}
}

static void attach_record(struct alerts *a, struct watch *w, struct record *rec)
{
	for (size_t i = 0; i < w->n_slots; i++) {
		if (&a->rules->rules[w->slots[i].rule] != rec->pub.rule)
			continue;
		record_attach(a, rec, w, i);
		return;
	}
}

static void attach_records(struct alerts *a, struct watch *w)
{
	const struct entity *e = w->entity;

	for (size_t i = 0; i < a->n_records && a->n_away; i++) {
		struct record *rec = a->records[i];

		if (!rec->watch && rec->pub.rule && rec->pub.class_name == e->class->name &&
			strcmp(rec->pub.entity, e->key) == 0)
			attach_record(a, w, rec);
	}
}

static void detach_records(struct alerts *a, struct watch *w)
{
	for (size_t i = 0; i < w->n_slots; i++)
		if (w->slots[i].record)
			record_detach(a, w->slots[i].record);
}

static void unlink_watch(struct watch *w)
{
	*w->at = w->next;
	if (w->next)
		w->next->at = w->at;
}

static void link_watch(struct alerts *a, struct watch *w)
{
	w->at = &a->watches;
	w->next = a->watches;
	if (w->next)
		w->next->at = &w->next;
	a->watches = w;
}

void watch_free(struct alerts *a, struct watch *w)
{
	for (size_t i = 0; i < w->n_slots; i++)
		a->n_watched[w->slots[i].rule]--;
	detach_records(a, w);
	for (size_t i = 0; i < w->n_windows; i++)
		window_free(w->windows[i].window);
	unlink_watch(w);
	free(w);
}

void watch_make(struct alerts *a, struct entity *e)
{
	struct watch *w = watch_new(a, e), *old = e->watcher;

	w->entity = e;
	w->labelled = e->labelled;
	if (old) {
		w->has_lived = old->has_lived;
		w->memory_bytes = old->memory_bytes;
		w->memory_limit_bytes = old->memory_limit_bytes;
		take_windows(w, old);
		watch_free(a, old);
	}
	link_watch(a, w);
	e->watcher = w;
	attach_records(a, w);
}

static void add_history(void *window, int64_t time_ms, double v)
{
	window_add(window, time_ms, v);
}

static bool has_record(const struct watch *w, size_t window)
{
	for (size_t i = 0; i < w->n_slots; i++)
		if (w->slots[i].window == window && w->slots[i].record)
			return true;
	return false;
}

/* What is stored goes in first: a window does not take values that are older than what it has.
 * Returns whether that is done. */
static bool fill(struct alerts *a, const struct watch *w, size_t i)
{
	const struct watch_window *wd = &w->windows[i];
	const struct alerts_options *o = &a->options;

	if (!o->history || !w->entity->class->metrics[wd->metric].ds)
		return true;
	if (wd->length_ms < ALERTS_HISTORY_MS && !has_record(w, i))
		return true;
	/* A sum says something before its window is full, so it does not wait. */
	if (a->n_fills == ALERTS_FILLS)
		return wd->how == WINDOW_SUM;
	a->n_fills++;
	o->history(o->user, w->entity, wd->metric, wd->length_ms, add_history, wd->window);
	return true;
}

void watch_feed(struct alerts *a, struct watch *w)
{
	const double *values = w->entity->values;

	for (size_t i = 0; i < w->n_windows; i++) {
		struct watch_window *wd = &w->windows[i];

		if (wd->is_empty && !fill(a, w, i))
			continue;
		wd->is_empty = false;
		window_add(wd->window, a->now_ms, values[wd->metric]);
		if (wd->how != WINDOW_LINE)
			wd->value = window_value(wd->window, a->now_ms);
	}
}
