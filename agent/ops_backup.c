/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations backup.*: jobs, runs, what is in the stores.
 */
#include <errno.h>
#include <string.h>

#include "agent/backup_daemon.h"
#include "agent/control.h"
#include "agent/daemon_parts.h"
#include "agent/json_view.h"
#include "agent/ops.h"
#include "agent/reply.h"
#include "agent/system_default.h"
#include "base/clock.h"

enum { LIMIT = 50, TEXT_MAX = 64 * 1024 * 1024 };

static struct backups *backups_of(const struct control_call *c)
{
	return backup_daemon_backups(c->daemon->backups);
}

/* NULL for what is absent. */
static const char *optional(const struct control_call *c, const char *name)
{
	const char *s = request_text(c, name);

	return *s ? s : NULL;
}

int op_backup_jobs(const struct control_call *c, struct err *e)
{
	json_t *jobs = backups_jobs(backups_of(c));
	char zone[64];

	(void)e;
	system_default("timezone", zone, sizeof(zone)); /* $TZ is what the option says */
	reply_json(c->reply, "jobs", jobs);
	reply_text(c->reply, "timezone", zone);
	reply_int(c->reply, "running", (int64_t)backups_running(backups_of(c)));
	json_decref(jobs);
	return 0;
}

int op_backup_runs(const struct control_call *c, struct err *e)
{
	struct backup_runs_query q = {.job = optional(c, "job"), .what = optional(c, "what")};
	int64_t limit;
	json_t *runs;
	int r = request_int(c, "limit", 1, BACKUP_RUNS_LISTED_MAX, LIMIT, &limit, e);

	if (r == 0)
		r = request_int(c, "before", 1, INT64_MAX, 0, &q.before, e);
	if (r < 0)
		return r;
	q.limit = (size_t)limit;
	r = backups_list_runs(backups_of(c), &q, &runs, e);
	if (r < 0)
		return r;
	reply_json(c->reply, "runs", runs);
	json_decref(runs);
	return 0;
}

static int run_number(const struct control_call *c, int64_t *out, struct err *e)
{
	int r = request_int(c, "run", 1, INT64_MAX, 0, out, e);

	return r == 0 && !*out ? err_set(e, EINVAL, "run is missing: its number") : r;
}

int op_backup_run(const struct control_call *c, struct err *e)
{
	json_t *run;
	int64_t id;
	int r = run_number(c, &id, e);

	if (r == 0)
		r = backups_run(backups_of(c), id, &run, e);
	if (r < 0)
		return r;
	reply_json(c->reply, "run", run);
	json_decref(run);
	return 0;
}

int op_backup_start(const struct control_call *c, struct err *e)
{
	char by[128];
	struct backups_request q = {.job = request_text(c, "job"),
		.what = optional(c, "what"),
		.trigger = c->is_web ? "api" : "command",
		.by = by,
		.backup = optional(c, "backup"),
		.store = optional(c, "store"),
		.dry_run = json_is_true(json_object_get(c->request, "dry_run"))};
	int64_t run;
	int r;

	if (!*q.job)
		return err_set(e, EINVAL, "job is missing: its name");
	if (!q.what)
		q.what = "backup";
	request_by(c, by, sizeof(by));
	r = backups_start(backups_of(c), &q, &run, e);
	if (r == 0)
		reply_int(c->reply, "run", run);
	return r;
}

static void on_cancelled(void *user, const json_t *run)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);

	reply_json(&b, "run", run);
	control_later_done(user, 0, NULL, &b);
}

int op_backup_cancel(const struct control_call *c, struct err *e)
{
	struct control_later *later;
	char by[128];
	int64_t id;
	int r = run_number(c, &id, e);

	if (r < 0)
		return r;
	later = control_later(c, e);
	if (!later)
		return -EAGAIN;
	request_by(c, by, sizeof(by));
	r = backups_cancel(backups_of(c), id, by, on_cancelled, later, e);
	if (r != 0)
		control_later_drop(later);
	if (r == BACKUPS_CANCELLED)
		return op_backup_run(c, e);
	return r < 0 ? r : CONTROL_LATER;
}

static void add_catalogue(struct buf *b, const json_t *catalogue)
{
	reply_json(b, "backups", json_object_get(catalogue, "backups"));
	reply_int(b, "time_ms", json_view_int(catalogue, "time_ms"));
	reply_json(b, "errors", json_object_get(catalogue, "errors"));
}

static void on_listed(void *user, const json_t *catalogue)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);

	add_catalogue(&b, catalogue);
	control_later_done(user, 0, NULL, &b);
}

static int refresh(const struct control_call *c, const char *job, struct err *e)
{
	struct control_later *later = control_later(c, e);
	int r;

	if (!later)
		return -EAGAIN;
	r = backups_refresh(backups_of(c), job, on_listed, later, e);
	if (r < 0)
		control_later_drop(later);
	return r < 0 ? r : CONTROL_LATER;
}

int op_backup_list(const struct control_call *c, struct err *e)
{
	const char *job = request_text(c, "job");
	json_t *catalogue;
	int r;

	if (!*job)
		return err_set(e, EINVAL, "job is missing: its name");
	if (json_is_true(json_object_get(c->request, "refresh")))
		return refresh(c, job, e);
	r = backups_catalogue(backups_of(c), job, &catalogue, e);
	if (r < 0)
		return r;
	add_catalogue(c->reply, catalogue);
	json_decref(catalogue);
	return 0;
}

int op_backup_subscribe(const struct control_call *c, struct err *e)
{
	int64_t run;
	int r = request_int(c, "run", 1, INT64_MAX, 0, &run, e);

	if (r == 0)
		control_subscribe_backup(c->peer, run);
	return r;
}

int op_backup_unsubscribe(const struct control_call *c, struct err *e)
{
	(void)e;
	control_unsubscribe_backup(c->peer);
	return 0;
}

int op_backup_report(const struct control_call *c, struct err *e)
{
	const char *job = request_text(c, "job"), *what = request_text(c, "what");
	const json_t *result = json_object_get(c->request, "result");
	int64_t started_ms, run;
	char by[128];
	int r = request_int(c, "started_ms", 1, INT64_MAX, clock_wall_ms(), &started_ms, e);

	if (r < 0)
		return r;
	if (!*job || strcmp(what, "restore") != 0 || !json_is_object(result))
		return err_set(e, EINVAL, "job, what (\"restore\") and result must be given");
	request_by(c, by, sizeof(by));
	r = backups_report(backups_of(c), job, what, result, started_ms, by, &run, e);
	if (r == 0)
		reply_int(c->reply, "run", run);
	return r;
}
