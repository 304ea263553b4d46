/* SPDX-License-Identifier: Apache-2.0
 *
 * The watches of alerts_parts.h: an entity's windows, and its alerts.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "notify/alerts_parts.h"

static struct watch *watch_new(struct alerts *a, struct entity *e)
{
	struct plan *p = plan_get(a, e);
	struct watch *w = calloc(1, sizeof(*w) + p->n_windows * sizeof(w->windows[0]));

	if (!w)
		abort();
	w->entity = e;
	w->labelled = e->labelled;
	w->plan = p;
	w->memory_bytes = NAN;
	w->memory_limit_bytes = NAN;
	return w;
}

static void new_window(struct alerts *a, struct watch *w, size_t i)
{
	const struct plan_window *p = &w->plan->windows[i];

	w->windows[i] = (struct watch_window){
		.window = window_new(p->how, p->length_ms, a->options.interval_ms),
		.value = NAN,
		.is_empty = true,
	};
}

/* The same window of the old one; NULL when it had none. */
static struct watch_window *find_window(struct watch *old, const struct plan_window *p)
{
	for (size_t i = 0; old && i < old->plan->n_windows; i++) {
		const struct plan_window *q = &old->plan->windows[i];

		if (q->metric == p->metric && q->how == p->how && q->length_ms == p->length_ms)
			return &old->windows[i];
	}
	return NULL;
}

static void make_windows(struct alerts *a, struct watch *w, struct watch *old)
{
	for (size_t i = 0; i < w->plan->n_windows; i++) {
		struct watch_window *from = find_window(old, &w->plan->windows[i]);

		if (!from) {
			new_window(a, w, i);
			continue;
		}
		w->windows[i] = *from;
		from->window = NULL;
	}
}

static void attach_record(struct alerts *a, struct watch *w, struct record *rec)
{
	for (size_t i = 0; i < w->plan->n_slots; i++) {
		if (&a->rules->rules[w->plan->slots[i].rule] != rec->pub.rule)
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
	for (size_t i = 0; w->n_records && i < w->plan->n_slots; i++)
		if (w->records[i])
			record_detach(a, w->records[i]);
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
	detach_records(a, w);
	for (size_t i = 0; i < w->plan->n_windows; i++)
		window_free(w->windows[i].window);
	unlink_watch(w);
	plan_put(a, w->plan);
	free(w->records);
	free(w);
}

void watch_make(struct alerts *a, struct entity *e)
{
	struct watch *w = watch_new(a, e), *old = e->watcher;

	make_windows(a, w, old);
	if (old) {
		w->has_lived = old->has_lived;
		w->memory_bytes = old->memory_bytes;
		w->memory_limit_bytes = old->memory_limit_bytes;
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
	for (size_t i = 0; i < w->plan->n_slots; i++)
		if (w->plan->slots[i].window == (int32_t)window && watch_record(w, i))
			return true;
	return false;
}

/* What is stored goes in first: a window does not take values that are older than what it has.
 * Returns whether that is done. */
static bool fill(struct alerts *a, const struct watch *w, size_t i)
{
	const struct plan_window *p = &w->plan->windows[i];
	const struct alerts_options *o = &a->options;

	if (!o->history || !w->entity->class->metrics[p->metric].ds)
		return true;
	if (p->length_ms < ALERTS_HISTORY_MS && !has_record(w, i))
		return true;
	/* A sum says something before its window is full, so it does not wait. */
	if (a->n_fills == ALERTS_FILLS)
		return p->how == WINDOW_SUM;
	a->n_fills++;
	o->history(o->user, w->entity, p->metric, p->length_ms, add_history, w->windows[i].window);
	return true;
}

void watch_feed(struct alerts *a, struct watch *w)
{
	const double *values = w->entity->values;

	for (size_t i = 0; i < w->plan->n_windows; i++) {
		const struct plan_window *p = &w->plan->windows[i];
		struct watch_window *wd = &w->windows[i];

		/* Windows lie all over the memory: fetched ahead, they cost half. */
		if (i + 4 < w->plan->n_windows) {
			__builtin_prefetch(wd[4].window);
			__builtin_prefetch((const char *)wd[4].window + 64);
			__builtin_prefetch((const char *)wd[4].window + 128);
		}
		if (wd->is_empty && !fill(a, w, i))
			continue;
		wd->is_empty = false;
		window_add(wd->window, a->now_ms, values[p->metric]);
		if (p->how != WINDOW_LINE)
			wd->value = window_value(wd->window, a->now_ms);
	}
}
