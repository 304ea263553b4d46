/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent backup doctor`: what stores, tools, databases and keys of backups lack.
 */
#include <errno.h>
#include <string.h>

#include "agent/backup_local.h"
#include "agent/cmd.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/message.h"

enum { STATE_COLUMNS = 8, INDENT = 8 };

struct findings {
	json_t *list;
	json_t *jobs; /* as the running agent has them; NULL */
	size_t failed, warnings;
};

static bool is_warning(const json_t *check)
{
	return json_is_true(json_object_get(check, "warning"));
}

/* One of this command's own. */
static void add(struct findings *f, const char *job, const char *what, const char *text,
	const char *warning_cure)
{
	_cleanup_(free_p) char *whole = str_format("backup %s: %s", job, what);
	json_t *one = json_pack("{s:s, s:b, s:s}", "what", whole, "ok", 1, "text", text);

	if (warning_cure) {
		(void)json_object_set_new(one, "warning", json_true());
		(void)json_object_set_new(one, "cure", json_string(warning_cure));
		f->warnings++;
	}
	(void)json_array_append_new(f->list, one);
}

static void on_says(void *user, json_t *says)
{
	struct findings *f = user;
	const json_t *one;
	size_t i;

	if (strcmp(json_view_text(says, "type"), "check") != 0)
		return;
	(void)json_object_del(says, "type");
	/* Several jobs share a store. */
	json_array_foreach(f->list, i, one) if (json_equal(one, says)) return;
	(void)json_array_append(f->list, says);
	f->failed += !json_is_true(json_object_get(says, "ok"));
}

static void add_finding(const struct term *t, const json_t *check, struct buf *out)
{
	bool ok = json_is_true(json_object_get(check, "ok"));
	const char *text = json_view_text(check, "text"), *cure = json_view_text(check, "cure");
	_cleanup_(free_p) char *line =
		str_format("%s%s%s", json_view_text(check, "what"), *text ? ": " : "", text);

	term_style(t, is_warning(check) ? TERM_YELLOW : ok ? TERM_GREEN : TERM_RED, out);
	term_add(out, is_warning(check) ? "warning" : ok ? "ok" : "failed", STATE_COLUMNS);
	term_style(t, TERM_PLAIN, out);
	term_add_wrapped(out, line, t->columns - INDENT, INDENT);
	buf_addc(out, '\n');
	/* What works may still have a better way. */
	if (!*cure)
		return;
	buf_addf(out, "%*s", INDENT, "");
	term_style(t, TERM_BOLD, out);
	buf_adds(out, "-> ");
	term_style(t, TERM_PLAIN, out);
	term_add_wrapped(out, cure, t->columns - INDENT - 3, INDENT + 3);
	buf_addc(out, '\n');
}

static int print_findings(const struct command_call *c, const struct findings *f)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4 << 20);
	struct term t = term_detect();
	const json_t *check;
	size_t i;
	json_t *all;
	int r;

	if (c->flags[FLAG_JSON]) {
		all = json_pack("{s:O}", "checks", f->list);
		r = cmd_print_json(all);
		json_decref(all);
		return r;
	}
	if (t.columns < 40)
		t.columns = 40;
	json_array_foreach(f->list, i, check) add_finding(&t, check, &out);
	buf_addf(&out, "\nok: %zu, warnings: %zu, failed: %zu\n",
		json_array_size(f->list) - f->failed - f->warnings, f->warnings, f->failed);
	return cmd_print(&out);
}

static const json_t *find_job(const json_t *jobs, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(
		jobs, i, one) if (strcmp(json_view_text(one, "name"), name) == 0) return one;
	return NULL;
}

/* The last good run and the next one, as the running agent has them. */
static void add_history(struct findings *f, const json_t *job)
{
	const char *name = json_view_text(job, "name");
	int64_t last_ms = json_view_int(job, "last_success_ms"), now_ms = clock_wall_ms();
	int64_t next_ms = json_view_int(job, "next_ms");
	char last[64] = "never", next[64] = "by hand";
	_cleanup_(free_p) char *text = NULL;
	bool overdue = json_is_true(json_object_get(job, "overdue"));

	if (last_ms)
		message_time(last, sizeof(last), last_ms, now_ms);
	if (next_ms)
		message_time(next, sizeof(next), next_ms, now_ms);
	text = str_format("last good: %s; next: %s%s", last, next, overdue ? "; OVERDUE" : "");
	add(f, name, "runs", text,
		overdue || !last_ms ? "agent backup now makes one, or says what is in the way"
		: !next_ms          ? "set schedule, unless something else calls agent backup now"
				    : NULL);
}

static void add_place(struct findings *f, const struct backup_job *job)
{
	if (backup_job_is_on_this_disk(job))
		add(f, job->name, "stores",
			"only on this server's own disk: what takes the server takes the backups, "
			"too",
			"add a store that is somewhere else: stores in agent.conf(5)");
}

/* Of the running agent; without one there is no history. New reference, or NULL. */
static json_t *ask_jobs(const struct backup_local *l)
{
	_cleanup_(client_close_p) struct client *client = NULL;
	json_t *reply, *jobs = NULL;
	struct err e;

	if (client_open(l->state, &client, &e) < 0 ||
		client_call(client, json_pack("{s:s}", "op", "backup.jobs"), &reply, &e) < 0)
		return NULL;
	jobs = json_incref(json_object_get(reply, "jobs"));
	json_decref(reply);
	return jobs;
}

static int examine(struct backup_local *l, const struct backup_job *job, struct findings *f)
{
	const struct backup_local_run run = {
		.what = "check", .job = job, .says = on_says, .user = f};
	json_t *result = NULL;
	struct err e;
	int r = backup_local_run(l, &run, &result, &e);

	if (r == 0 && !json_is_true(json_object_get(result, "ok")) && !f->failed)
		r = err_set(&e, EIO, "%s", json_view_text(result, "error"));
	json_decref(result);
	if (r == 0 && job) {
		const json_t *known = find_job(f->jobs, job->name);

		add_place(f, job);
		if (known)
			add_history(f, known);
	}
	return r < 0 ? cmd_fail(r, &e) : 0;
}

int cmd_backup_doctor(const struct command_call *c)
{
	struct findings f = {.list = json_array()};
	const struct backup_job *job = NULL;
	struct backup_local l;
	struct err e;
	int r = backup_local_open(c, &l);

	if (r != 0)
		return r;
	if (c->n_args && backup_config_find(l.backups, c->args[0], &job, &e) < 0)
		r = cmd_fail(-ENOENT, &e);
	if (r == 0)
		f.jobs = ask_jobs(&l);
	for (size_t i = 0; r == 0 && i < l.backups->n_jobs; i++)
		if (!job || job == &l.backups->jobs[i])
			r = examine(&l, &l.backups->jobs[i], &f);
	if (r == 0 && l.backups->n_jobs == 0)
		r = examine(&l, NULL, &f);
	if (r == 0)
		r = print_findings(c, &f);
	backup_local_done(&l);
	json_decref(f.list);
	json_decref(f.jobs);
	return r == 0 && f.failed ? COMMAND_FAILED : r;
}
