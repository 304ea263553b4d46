/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/run_backup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backup/hook.h"
#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

enum { SHRINK_PERCENT = 50 };

static int hook(struct run *r, const char *what, const struct job_list *command, const char *status,
	int64_t bytes, const char *error, struct err *e)
{
	const struct hook h = {.what = what,
		.command = command,
		.deadline_ms = r->job->command_deadline_ms,
		.job = r->job->name,
		.id = r->id,
		.status = status,
		.bytes = bytes,
		.error = error};

	if (!command->n)
		return 0;
	report_stage(r->report, what, NULL, NULL);
	return hook_run(&h, e);
}

/* What runs before this one left when they were killed. Whatever comes of it, this run goes on. */
static void sweep_leftovers(struct run *r)
{
	struct store *stores[RUN_STORES_MAX];
	struct sweep_result swept = {.uploads = 0};
	struct err e = {""};
	size_t n = 0;

	for (size_t i = 0; i < r->n_stores; i++)
		if (r->stores[i].store)
			stores[n++] = r->stores[i].store;
	if (journal_sweep(r->o->state, stores, n, NULL, 0, clock_wall_ms(), &swept, &e) < 0)
		report_warning(r->report, "leftovers of a run before: %s", e.msg);
}

static int lock_and_journal(struct run *r, struct err *e)
{
	int result = run_lock(r, e);

	if (result == 0) {
		r->started_ms = clock_wall_ms();
		backup_id_new(r->id, r->started_ms);
		result = journal_new(r->o->state, r->job->name, r->id, &r->journal, e);
	}
	if (result == -ENOSPC) {
		struct err why = *e;

		(void)err_set(e, ENOSPC, "%s: free some space on this disk", why.msg);
	}
	return result;
}

/* Everything that can be known to be wrong before anything is done. */
static int begin(struct run *r, struct err *e)
{
	int result = lock_and_journal(r, e);

	if (result == 0)
		result = run_open_stores(r, e);
	if (result < 0)
		return result;
	sweep_leftovers(r);
	report_stage(r->report, "probe", NULL, NULL);
	result = run_open_engine(r, e);
	return result < 0 ? result : copies_begin(r, e);
}

static int check_total(struct run *r, const struct backup_totals *t, struct err *e)
{
	int64_t median = r->o->last.median_bytes;
	char have[32], usual[32];
	_cleanup_(free_p) char *text = NULL;

	if (t->plain_bytes < r->job->min_bytes)
		return err_set(e, ENODATA,
			"the dump has %" PRId64 " bytes, less than min_size (%" PRId64 ")",
			t->plain_bytes, r->job->min_bytes);
	if (t->plain_bytes >= median / 100 * SHRINK_PERCENT)
		return 0;
	str_human_bytes(have, sizeof(have), (double)t->plain_bytes);
	str_human_bytes(usual, sizeof(usual), (double)median);
	text = str_format("only %s, less than half of the last backups (%s)", have, usual);
	run_warn(r, text);
	return 0;
}

static int dump_all(
	struct run *r, const struct engine_info *info, struct backup_totals *t, struct err *e)
{
	int result = 0;

	t->expected_bytes = r->o->last.plain_bytes ? r->o->last.plain_bytes : info->size_bytes;
	if (!info->n_members)
		return err_set(e, ENODATA, "there is nothing to back up");
	for (size_t i = 0; i < info->n_members && result == 0; i++)
		result = backup_member(r, &info->members[i], t, e);
	return result < 0 ? result : check_total(r, t, e);
}

static int make(struct run *r, struct backup_totals *t, struct err *e)
{
	struct engine_info info = {.size_bytes = 0};
	int result = begin(r, e);

	if (result == 0)
		result = r->engine->probe(&r->call, &info, e);
	if (result == 0) {
		copies_versions(r, &info);
		result = hook(r, "pre", &r->job->pre, "running", 0, "", e);
	}
	if (result == 0)
		result = dump_all(r, &info, t, e);
	if (result == 0)
		result = stop_check(e);
	if (result == 0)
		result = copies_commit(r, e);
	free(info.members);
	return result;
}

static void after_failure(
	struct run *r, int result, const struct backup_totals *t, const struct err *e)
{
	bool partial = json_is_true(json_object_get(r->result, "partial"));
	struct err hook_error = {""};

	if (hook(r, "on_failure", &r->job->on_failure,
		    partial                ? "partial"
		    : result == -ECANCELED ? "cancelled"
					   : "failed",
		    t->stored_bytes, e->msg, &hook_error) < 0)
		report_warning(r->report, "%s", hook_error.msg);
}

/* Old backups go only after a new one is there, store by store. */
static void look_after(struct run *r, struct run_store *s)
{
	struct err e = {""};

	if (run_prune_store(r, s, &e) < 0) {
		report_warning(r->report, "store %s: old backups could not be removed: %s", s->name,
			e.msg);
		json_object_set_new(r->result, "prune_error", report_text(e.msg));
	}
	if (run_list_store(r, s, &e) < 0)
		report_warning(r->report, "store %s: %s", s->name, e.msg);
}

static void after_success(struct run *r, const struct backup_totals *t)
{
	struct err e = {""};

	if (hook(r, "post", &r->job->post, "ok", t->stored_bytes, "", &e) < 0)
		report_warning(r->report, "%s", e.msg);
}

/* Nothing of a failed run, or of its failed copies, stays; what could not be removed is left to the sweep. */
static void clean_up(struct run *r)
{
	if (copies_discard(r) && r->journal) {
		journal_done(r->journal);
		r->journal = NULL;
	}
}

int run_backup(struct run *r, struct err *e)
{
	struct backup_totals t = {.plain_bytes = 0};
	struct err first = {""};
	int result = make(r, &t, e), stores;

	/* From here on a stop would only leave things behind. */
	stop_hold(true);
	clean_up(r);
	stores = run_stores_result(r, &first);
	if (result == 0 && stores < 0) {
		result = stores;
		*e = first;
	}
	json_object_set_new(
		r->result, "partial", json_boolean(result < 0 && copies_any_committed(r)));
	json_object_set_new(r->result, "plain_bytes", json_integer(t.plain_bytes));
	json_object_set_new(r->result, "stored_bytes", json_integer(t.stored_bytes));
	json_object_set_new(r->result, "counts", counts_to_json(&t.counts));
	if (result < 0)
		after_failure(r, result, &t, e);
	else
		after_success(r, &t);
	stop_hold(false);
	for (size_t i = 0; i < r->n_stores; i++)
		if (r->stores[i].committed && !stop_requested())
			look_after(r, &r->stores[i]);
	return result;
}
