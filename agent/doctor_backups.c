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
#include "base/str.h"

/* What is wrong with a job; "" when nothing is. */
static void describe(const json_t *job, struct buf *out)
{
	const json_t *last = json_object_get(job, "last");
	const char *name = json_view_text(job, "name"), *state = json_view_text(last, "state");
	bool over = *state && strcmp(state, "done") != 0 && strcmp(state, "running") != 0 &&
		    strcmp(state, "cancelled") != 0;

	if (json_is_true(json_object_get(job, "overdue")))
		buf_addf(out, "%s%s is overdue", out->len ? "; " : "", name);
	else if (over)
		buf_addf(out, "%s%s: %s", out->len ? "; " : "", name,
			*json_view_text(last, "error") ? json_view_text(last, "error") : state);
}

static void judge(const json_t *jobs, struct doctor_finding *f)
{
	_cleanup_(buf_done) struct buf bad = BUF_INIT(400);
	const json_t *job;
	size_t i, n = json_array_size(jobs), new = 0;
	char first[128] = "";

	json_array_foreach(jobs, i, job)
	{
		size_t before = bad.len;

		describe(job, &bad);
		if (bad.len > before && !*first)
			(void)snprintf(first, sizeof(first),
				"agent backup doctor %.64s looks for the cause.",
				json_view_text(job, "name"));
		new += !json_view_int(job, "last_success_ms");
	}
	if (bad.len)
		doctor_fault(f, DOCTOR_FAILED, first, "%s", buf_str(&bad));
	else if (new)
		doctor_fault(f, DOCTOR_WARNING, "agent backup now makes one.",
			"%zu of %zu job%s ha%s no backup yet", new, n, n == 1 ? "" : "s",
			new == 1 ? "s" : "ve");
	else
		doctor_ok(f, "%zu job%s, none failed or overdue", n, n == 1 ? "" : "s");
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
