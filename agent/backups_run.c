/* SPDX-License-Identifier: Apache-2.0
 *
 * A run as a JSON object: how it begins, what its worker's words change, how it ends. Pure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/backups_internal.h"
#include "agent/json_view.h"
#include "backup/engine.h"
#include "base/child.h"
#include "base/str.h"

enum { N_SIZES = 2, WARNINGS_MAX = 100, DECIDED_MAX = 5000, RATE_MS = 1000 };

static void set_text(json_t *run, const char *name, const char *value)
{
	(void)json_object_set_new(run, name, json_string(value ? value : ""));
}

static void set_int(json_t *run, const char *name, int64_t value)
{
	(void)json_object_set_new(run, name, json_integer((json_int_t)value));
}

static bool goes_to(const struct backup_job *j, const char *store)
{
	const json_t *one;
	size_t i;

	json_array_foreach(
		j->stores, i, one) if (strcmp(json_view_text(one, "name"), store) == 0) return true;
	return false;
}

bool backups_can_drill(const struct backup_job *j)
{
	const struct engine *engine = engine_find(j->engine);

	return engine && engine->drill_begin;
}

int backups_check_request(
	const struct backup_job *job, const struct backups_request *q, struct err *e)
{
	static const struct {
		const char *what;
		bool backup, store, dry_run; /* may be given */
	} known[] = {{"backup", false, false, false}, {"drill", true, true, false},
		{"prune", false, true, true}, {"verify", true, true, false}};
	size_t i = 0;

	while (i < ARRAY_LEN(known) && strcmp(known[i].what, q->what) != 0)
		i++;
	if (i == ARRAY_LEN(known))
		return err_set(e, EINVAL, "what must be backup, verify, drill or prune");
	if (q->backup && !known[i].backup)
		return err_set(e, EINVAL, "backup goes with verify and drill only");
	if (q->store && !known[i].store)
		return err_set(e, EINVAL, "store goes with verify, drill and prune only");
	if (q->dry_run && !known[i].dry_run)
		return err_set(e, EINVAL, "dry_run goes with prune only");
	if (strcmp(q->what, "drill") == 0 && !backups_can_drill(job))
		return err_set(e, EINVAL, "engine %s has no drill", job->engine);
	if (q->store && !goes_to(job, q->store))
		return err_set(e, ENOENT, "%s does not go to a store \"%s\"", q->job, q->store);
	return 0;
}

json_t *backups_run_new(const struct backups_request *q, int64_t now_ms)
{
	json_t *asked = json_object();
	json_t *run = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:i, s:i, s:i, s:s, s:s, s:i, "
				"s:i, s:i, s:i, s:i, s:s, s:s, s:[], s:[], s:o}",
		"job", q->job, "what", q->what, "trigger", q->trigger, "by", q->by, "state",
		"waiting", "partial", 0, "queued_ms", (json_int_t)now_ms, "started_ms", 0,
		"ended_ms", 0, "duration_ms", 0, "stage", "", "member", "", "plain_bytes", 0,
		"stored_bytes", 0, "expected_bytes", 0, "rate_bytes", 0, "left_ms", -1, "backup",
		"", "error", "", "warnings", "stores", "asked", asked);

	if (!run)
		abort(); /* what comes from a request is UTF-8 */
	if (q->backup)
		set_text(asked, "backup", q->backup);
	if (q->store)
		set_text(asked, "store", q->store);
	if (q->dry_run)
		(void)json_object_set_new(asked, "dry_run", json_true());
	return run;
}

/* Smoothed over several looks: a dump comes in gusts. */
static void measure_rate(struct backups_active *a, int64_t bytes, int64_t mono_ms)
{
	int64_t took_ms = mono_ms - a->rate_ms;
	double now;

	if (!a->rate_ms || bytes < a->rate_from_bytes) {
		a->rate_bytes = 0;
	} else if (took_ms < RATE_MS) {
		return;
	} else {
		now = (double)(bytes - a->rate_from_bytes) * 1000 / (double)took_ms;
		a->rate_bytes = a->rate_bytes > 0 ? 0.7 * a->rate_bytes + 0.3 * now : now;
	}
	a->rate_ms = mono_ms;
	a->rate_from_bytes = bytes;
}

static int64_t left_ms(const struct backups_active *a, int64_t done, int64_t expected)
{
	if (a->rate_bytes <= 0 || expected <= done)
		return -1;
	return (int64_t)((double)(expected - done) * 1000 / a->rate_bytes);
}

static void take_progress(struct backups_active *a, const json_t *says, int64_t mono_ms)
{
	int64_t plain = json_view_int(says, "plain_bytes");
	int64_t expected = json_view_int(says, "expected_bytes");

	measure_rate(a, plain, mono_ms);
	set_int(a->run, "plain_bytes", plain);
	set_int(a->run, "stored_bytes", json_view_int(says, "stored_bytes"));
	set_int(a->run, "expected_bytes", expected);
	set_int(a->run, "rate_bytes", (int64_t)a->rate_bytes);
	set_int(a->run, "left_ms", left_ms(a, plain, expected));
}

/* Into the list of that name, at most so many. */
static void append(json_t *run, const char *name, json_t *value, size_t max)
{
	json_t *list = json_object_get(run, name);

	if (!list) {
		list = json_array();
		(void)json_object_set_new(run, name, list);
	}
	if (json_array_size(list) < max)
		(void)json_array_append_new(list, value);
	else
		json_decref(value);
}

static json_t *without_type(const json_t *says)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)says);

	(void)json_object_del(copy, "type");
	return copy;
}

static void take_removed(json_t *run, const json_t *says)
{
	if (json_is_true(json_object_get(says, "ok")))
		set_int(run, "removed", json_view_int(run, "removed") + 1);
	else if (!json_is_true(json_object_get(says, "retained")))
		append(run, "not_removed", without_type(says), WARNINGS_MAX);
}

void backups_run_says(struct backups_active *a, const json_t *says, int64_t mono_ms)
{
	const char *type = json_view_text(says, "type");

	if (strcmp(type, "progress") == 0) {
		take_progress(a, says, mono_ms);
	} else if (strcmp(type, "stage") == 0) {
		set_text(a->run, "stage", json_view_text(says, "stage"));
		set_text(a->run, "member", json_view_text(says, "member"));
		set_int(a->run, "left_ms", -1);
	} else if (strcmp(type, "warning") == 0) {
		append(a->run, "warnings", json_string(json_view_text(says, "text")), WARNINGS_MAX);
	} else if (strcmp(type, "decided") == 0) {
		if (json_is_true(json_object_get(json_object_get(a->run, "asked"), "dry_run")))
			append(a->run, "decided", without_type(says), DECIDED_MAX);
	} else if (strcmp(type, "removed") == 0) {
		take_removed(a->run, says);
	}
}

/* Why there is no result: the worker was ended. */
static void describe_death(json_t *run, const struct backup_outcome *o)
{
	char how[64];
	_cleanup_(free_p) char *text = NULL;

	child_describe(how, sizeof(how), o->status);
	text = str_format("interrupted: its worker ended early (%s)%s%s", how,
		*o->output ? ": " : "", o->output);
	(void)json_object_set_new(run, "error", json_stringn(text, strlen(text)));
	if (!json_object_get(run, "error"))
		set_text(run, "error", "interrupted: its worker ended early");
}

static void take_result(json_t *run, const json_t *result)
{
	static const char *const members[] = {"plain_bytes", "stored_bytes", "stores", "counts",
		"partial", "error", "prune_error"};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_t *v = json_object_get(result, members[i]);

		if (v && !json_is_null(v))
			(void)json_object_set(run, members[i], v);
		else if (i < N_SIZES) /* what was told on the way is no size */
			set_int(run, members[i], 0);
	}
	if (*json_view_text(result, "id"))
		set_text(run, "backup", json_view_text(result, "id"));
}

static const char *state_of(
	const struct backup_outcome *o, bool ok, bool cancelled, bool shutting_down)
{
	if (ok)
		return "done";
	if (o->timed_out)
		return "timed_out";
	if (cancelled)
		return "cancelled";
	return shutting_down ? "interrupted" : "failed";
}

/* What unwound when it was asked to stop says no more than that; who asked is worth more. */
static void name_canceller(json_t *run, const char *by)
{
	_cleanup_(free_p) char *text = str_format("cancelled by %s", by);

	if (strcmp(json_view_text(run, "error"), "stopped") == 0)
		set_text(run, "error", text);
}

void backups_run_end(json_t *run, const struct backup_outcome *o, const char *cancelled_by,
	bool shutting_down, int64_t now_ms)
{
	bool ok = o->result && json_is_true(json_object_get(o->result, "ok"));
	const char *state = state_of(o, ok, cancelled_by != NULL, shutting_down);

	if (o->result)
		take_result(run, o->result);
	else
		describe_death(run, o);
	if (strcmp(state, "timed_out") == 0)
		set_text(run, "error", "it took longer than its deadline and was ended");
	else if (strcmp(state, "interrupted") == 0)
		set_text(run, "error", "the agent was stopped in the middle of it");
	else if (strcmp(state, "cancelled") == 0)
		name_canceller(run, cancelled_by);
	set_text(run, "state", state);
	set_int(run, "ended_ms", now_ms);
	set_int(run, "duration_ms", now_ms - json_view_int(run, "started_ms"));
	set_int(run, "left_ms", -1);
	set_int(run, "rate_bytes", 0);
}
