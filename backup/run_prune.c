/* SPDX-License-Identifier: Apache-2.0
 *
 * Retention: which backups go, by itself (`prune`, also as a dry run) and after each good backup.
 */
#include "backup/run.h"

#include <errno.h>

#include "base/clock.h"

struct prune {
	struct run *r;
	struct run_store *s;
	int64_t removed;
	int failed;
	struct err error; /* the first */
};

static void decided(void *user, const struct manifest *m, bool keep, const char *why)
{
	const struct prune *p = user;

	report_line(p->r->report, "decided",
		json_pack("{s:s, s:s, s:b, s:s}", "store", p->s->name, "id", m->id, "keep", keep,
			"why", why));
}

static void removed(void *user, const struct manifest *m, int result, const struct err *e)
{
	struct prune *p = user;
	/* A lock of the store's own, that we did not ask for: a later prune has it. */
	bool retained = result == -EBUSY;

	report_line(p->r->report, "removed",
		json_pack("{s:s, s:s, s:b, s:b, s:o}", "store", p->s->name, "id", m->id, "ok",
			result == 0, "retained", retained, "error",
			report_text(result < 0 ? e->msg : "")));
	if (result == 0)
		p->removed++;
	else if (!p->failed && !retained) {
		p->failed = result;
		p->error = *e;
	}
}

static bool keeps_all(const struct retention_policy *k)
{
	return !k->last && !k->daily && !k->weekly && !k->monthly && !k->yearly;
}

int run_prune_store(struct run *r, struct run_store *s, struct err *e)
{
	struct prune p = {.r = r, .s = s};
	const struct prune_report report = {decided, removed, &p};
	int result;

	/* Saves reading the store's list after each backup. */
	if (keeps_all(&r->job->keep) && !r->o->dry_run)
		return 0;
	report_stage(r->report, "prune", NULL, s->name);
	result = catalogue_prune(s->store, r->o->state, r->job->name, r->o->host, &r->job->keep,
		r->o->dry_run, clock_wall_ms(), &report, e);
	json_object_set_new(r->result, "removed",
		json_integer(
			p.removed + json_integer_value(json_object_get(r->result, "removed"))));
	if (result == 0 && p.failed) {
		*e = p.error;
		return p.failed;
	}
	return result;
}

int run_prune(struct run *r, struct err *e)
{
	int result = run_lock(r, e);

	if (result == 0)
		result = run_open_any_stores(r, r->o->restore.store, e);
	if (result < 0)
		return result;
	for (size_t i = 0; i < r->n_stores; i++) {
		struct run_store *s = &r->stores[i];

		if (s->failed)
			continue;
		result = run_prune_store(r, s, e);
		if (result == 0 && !r->o->dry_run)
			result = run_list_store(r, s, e);
		if (result < 0)
			(void)run_store_fail(r, s, result, e);
	}
	return run_stores_result(r, e);
}
