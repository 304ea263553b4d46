/* SPDX-License-Identifier: Apache-2.0
 *
 * The check of the backups: no store is asked, which `agent backup doctor` does.
 */
#include <stdio.h>
#include <string.h>

#include "agent/backups.h"
#include "agent/doctor_checks.h"
#include "agent/json_view.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/message.h"

struct tally {
	struct buf bad; /* their names */
	const char *first; /* of them */
	char why[200]; /* what is wrong with the first */
	size_t n_bad, n_new, n_here;
	const char *here; /* the first that is only on this disk */
	int64_t last_ms, next_ms; /* the oldest of the last good ones, the first of the next */
};

/* What is wrong with a job; NULL when nothing is. */
static const char *fault_of(const json_t *job)
{
	const json_t *last = json_object_get(job, "last");
	const char *state = json_view_text(last, "state"), *error = json_view_text(last, "error");

	if (json_is_true(json_object_get(job, "overdue")))
		return "overdue";
	if (!*state || strcmp(state, "done") == 0 || strcmp(state, "running") == 0 ||
		strcmp(state, "cancelled") == 0)
		return NULL;
	return *error ? error : state;
}

static void count(struct tally *t, const json_t *job)
{
	const char *name = json_view_text(job, "name"), *fault = fault_of(job);
	int64_t last_ms = json_view_int(job, "last_success_ms");
	int64_t next_ms = json_view_int(job, "next_ms");

	if (fault) {
		buf_addf(&t->bad, "%s%s", t->n_bad++ ? ", " : "", name);
		if (!t->first)
			(void)snprintf(t->why, sizeof(t->why), "%s", fault);
		t->first = t->first ? t->first : name;
	}
	t->n_new += !last_ms;
	if (last_ms && (!t->last_ms || last_ms < t->last_ms))
		t->last_ms = last_ms;
	if (next_ms && (!t->next_ms || next_ms < t->next_ms))
		t->next_ms = next_ms;
	if (json_is_true(json_object_get(job, "same_disk"))) {
		t->here = t->here ? t->here : name;
		t->n_here++;
	}
}

static void say_bad(const struct tally *t, size_t n, struct doctor_finding *f)
{
	_cleanup_(free_p) char *cure =
		str_format("agent backup doctor %.64s looks for the cause.", t->first);

	if (t->n_bad == 1)
		doctor_fault(f, DOCTOR_FAILED, cure, "%s: %s", t->first, t->why);
	else
		doctor_fault(f, DOCTOR_FAILED, cure, "%zu of %zu jobs are not well: %s; of %s: %s",
			t->n_bad, n, buf_str(&t->bad), t->first, t->why);
}

static void say_good(const struct tally *t, size_t n, struct doctor_finding *f)
{
	int64_t now_ms = clock_wall_ms();
	char ago[64], next[64] = "by hand";

	str_human_duration(ago, sizeof(ago), (now_ms - t->last_ms) / 1000);
	if (t->next_ms)
		message_time(next, sizeof(next), t->next_ms, now_ms);
	doctor_ok(f,
		"%zu job%s, none failed or overdue; the oldest good one is from %s ago, the next "
		"run %s",
		n, n == 1 ? "" : "s", ago, next);
}

static void judge(const json_t *jobs, struct doctor_finding *f)
{
	struct tally t = {.bad = BUF_INIT(300)};
	const json_t *job;
	size_t i, n = json_array_size(jobs);

	json_array_foreach(jobs, i, job) count(&t, job);
	if (t.n_bad)
		say_bad(&t, n, f);
	else if (t.n_new)
		doctor_fault(f, DOCTOR_WARNING, "agent backup now makes one.",
			"%zu of %zu job%s ha%s no backup yet", t.n_new, n, n == 1 ? "" : "s",
			t.n_new == 1 ? "s" : "ve");
	else if (t.n_here)
		doctor_fault(f, DOCTOR_WARNING,
			"Add a store that is somewhere else: stores in agent.conf(5).",
			"%s%s kept on this server's own disk only, and would be lost with it",
			t.here, t.n_here > 1 ? " and others are" : " is");
	else
		say_good(&t, n, f);
	buf_done(&t.bad);
}

void doctor_backups(const struct doctor_context *c, struct doctor_finding *f)
{
	size_t n = config_names(c->config, "databases", NULL, 0);
	json_t *jobs;

	if (n == 0) {
		doctor_ok(f, "none are set up");
	} else if (!c->backups) {
		doctor_ok(f, "%zu job%s set up", n, n == 1 ? "" : "s");
	} else {
		jobs = backups_jobs(c->backups);
		judge(jobs, f);
		json_decref(jobs);
	}
}
