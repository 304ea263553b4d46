/* SPDX-License-Identifier: Apache-2.0
 *
 * Which backup is read, and from which store.
 */
#include <errno.h>
#include <string.h>

#include "backup/run_read.h"
#include "base/clock.h"
#include "base/str.h"

static int pick(struct run *r, struct run_store *s, struct chosen *c, const struct manifest **out,
	struct err *e)
{
	struct catalogue_list *list = &c->lists[s - r->stores];
	int result;

	if (!list->items) {
		result = catalogue_read(s->store, r->o->state, r->job->name, list, e);
		if (result < 0)
			return run_store_fail(r, s, result, e);
		if (list->broken)
			report_warning(r->report, "store %s: %zu manifests cannot be read: %s",
				s->name, list->broken, list->broken_why);
	}
	return catalogue_pick(
		list, r->o->restore.id, r->o->restore.at, r->o->host, clock_wall_ms(), out, e);
}

static void take(struct run *r, struct chosen *c, struct run_store *s, const struct manifest *m)
{
	c->store = s;
	c->manifest = m;
	(void)str_copy(r->id, sizeof(r->id), m->id);
}

static void tell_host(struct run *r, const struct manifest *m)
{
	if (strcmp(m->host, r->o->host) != 0)
		report_warning(r->report, "backup %s was made by another host, %s", m->id, m->host);
}

/* Own ones before others, then the newer one. */
static bool is_better(const struct run *r, const struct manifest *a, const struct manifest *b)
{
	bool own_a = strcmp(a->host, r->o->host) == 0, own_b = strcmp(b->host, r->o->host) == 0;

	return own_a != own_b ? own_a : a->started_ms > b->started_ms;
}

int read_choose_in(struct run *r, struct run_store *s, struct chosen *c, struct err *e)
{
	const struct manifest *m;
	int result = pick(r, s, c, &m, e);

	if (result < 0)
		return result;
	take(r, c, s, m);
	tell_host(r, m);
	return 0;
}

int read_choose(struct run *r, struct chosen *c, struct err *e)
{
	struct err last = {"no store can be read"};
	int result = -ENOENT;

	for (struct run_store *s = r->stores; s < r->stores + r->n_stores; s++) {
		const struct manifest *m;
		int one = s->failed ? s->failed : pick(r, s, c, &m, &last);

		if (one == 0 && (!c->manifest || is_better(r, m, c->manifest)))
			take(r, c, s, m);
		/* What a readable store says is worth more than that another cannot be read. */
		if (one < 0 && (result == -ENOENT || one == -ENOENT)) {
			result = one;
			*e = s->failed ? s->error : last;
		}
	}
	if (!c->manifest)
		return result;
	tell_host(r, c->manifest);
	return 0;
}

void read_chosen_done(struct chosen *c)
{
	for (size_t i = 0; i < RUN_STORES_MAX; i++)
		catalogue_list_done(&c->lists[i]);
}
