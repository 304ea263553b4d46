/* SPDX-License-Identifier: Apache-2.0
 *
 * The plans of alerts_parts.h: which rules look at an entity, and the windows they share.
 */
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

static struct plan *plan_alloc(size_t n_slots, size_t n_windows)
{
	size_t slots = n_slots * sizeof(struct plan_slot);
	struct plan *p = calloc(1, sizeof(*p) + slots + n_windows * sizeof(struct plan_window));

	if (!p)
		abort();
	p->windows = (struct plan_window *)((char *)(p + 1) + slots);
	return p;
}

static int32_t window_of(struct plan *p, const struct rule *r)
{
	size_t i = 0;

	if (!has_window(r))
		return NO_WINDOW;
	while (i < p->n_windows &&
		(p->windows[i].metric != r->metric || p->windows[i].how != r->how ||
			p->windows[i].length_ms != r->window_ms))
		i++;
	if (i == p->n_windows)
		p->windows[p->n_windows++] = (struct plan_window){
			.length_ms = r->window_ms, .metric = (uint32_t)r->metric, .how = r->how};
	return (int32_t)i;
}

static void add_rules(struct alerts *a, struct plan *p, const struct entity *e, bool plain)
{
	for (size_t i = 0; i < a->rules->n; i++) {
		const struct rule *r = &a->rules->rules[i];

		if (r->class != e->class || is_plain(r) != plain || !rule_watches(r, e))
			continue;
		p->slots[p->n_slots++] =
			(struct plan_slot){.rule = r->number, .window = window_of(p, r)};
	}
}

/* One with room for all rules of the class. */
static struct plan *make(struct alerts *a, const struct entity *e)
{
	size_t n = 0;
	struct plan *p;

	for (size_t i = 0; i < a->rules->n; i++)
		n += a->rules->rules[i].class == e->class;
	p = plan_alloc(n, n);
	add_rules(a, p, e, true);
	p->n_plain = p->n_slots;
	add_rules(a, p, e, false);
	return p;
}

/* The windows follow from the slots. */
static bool is_same(const struct plan *a, const struct plan *b)
{
	return a->n_slots == b->n_slots && a->n_plain == b->n_plain &&
	       memcmp(a->slots, b->slots, a->n_slots * sizeof(a->slots[0])) == 0;
}

static struct plan *find(struct alerts *a, const struct plan *like)
{
	struct plan *p = a->plans;

	while (p && !is_same(p, like))
		p = p->next;
	return p;
}

/* A copy without the room that was not needed. */
static struct plan *keep(struct alerts *a, const struct plan *like)
{
	struct plan *p = plan_alloc(like->n_slots, like->n_windows);

	p->n_slots = like->n_slots;
	p->n_plain = like->n_plain;
	p->n_windows = like->n_windows;
	memcpy(p->slots, like->slots, like->n_slots * sizeof(like->slots[0]));
	memcpy(p->windows, like->windows, like->n_windows * sizeof(like->windows[0]));
	p->next = a->plans;
	a->plans = p;
	return p;
}

struct plan *plan_get(struct alerts *a, const struct entity *e)
{
	_cleanup_(free_p) struct plan *new = make(a, e);
	struct plan *p = find(a, new);

	if (!p)
		p = keep(a, new);
	p->n_users++;
	return p;
}

void plan_put(struct alerts *a, struct plan *p)
{
	struct plan **at = &a->plans;

	if (--p->n_users)
		return;
	while (!p->is_old && *at != p)
		at = &(*at)->next;
	if (!p->is_old)
		*at = p->next;
	free(p);
}
