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
	return catalogue_pick(list, r->o->restore.id, r->o->restore.at, clock_wall_ms(), out, e);
}

static void take(struct run *r, struct chosen *c, struct run_store *s, const struct manifest *m)
{
	c->store = s;
	c->manifest = m;
	(void)str_copy(r->id, sizeof(r->id), m->id);
}

int read_choose_in(struct run *r, struct run_store *s, struct chosen *c, struct err *e)
{
	const struct manifest *m;
	int result = pick(r, s, c, &m, e);

	if (result == 0)
		take(r, c, s, m);
	return result;
}

int read_choose(struct run *r, struct chosen *c, struct err *e)
{
	struct err last = {"no store can be read"};
	int result = -ENOENT;

	for (struct run_store *s = r->stores; s < r->stores + r->n_stores; s++) {
		const struct manifest *m;
		int one = s->failed ? s->failed : pick(r, s, c, &m, &last);

		if (one == 0 && (!c->manifest || m->started_ms > c->manifest->started_ms))
			take(r, c, s, m);
		/* What a readable store says is worth more than that another cannot be read. */
		if (one < 0 && (result == -ENOENT || one == -ENOENT)) {
			result = one;
			*e = s->failed ? s->error : last;
		}
	}
	return c->manifest ? 0 : result;
}

void read_chosen_done(struct chosen *c)
{
	for (size_t i = 0; i < RUN_STORES_MAX; i++)
		catalogue_list_done(&c->lists[i]);
}
