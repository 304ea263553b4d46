/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent backup show`: a job with its last runs, one run, or one backup with what is in it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/backup_bar.h"
#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/fields.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "backup/counts.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/message.h"

enum { REFRESH_MS = 120 * 1000 };

static void add_bytes(const struct term *t, const char *name, json_int_t bytes, struct buf *out)
{
	char text[64] = "";

	if (bytes)
		str_human_bytes(text, sizeof(text), (double)bytes);
	fields_text(t, name, text, out);
}

/* Of what is no counts, nothing. */
static void describe_counts(const json_t *j, struct buf *out)
{
	struct counts counts = {.n_items = 0};
	struct err e;

	if (counts_from_json(j, &counts, &e) == 0)
		counts_describe(&counts, out);
}

static void add_run(struct columns *table, const json_t *run)
{
	const char *state = json_view_text(run, "state"), *error = json_view_text(run, "error");
	bool partial = json_is_true(json_object_get(run, "partial"));
	char number[32], at[64], took[48], size[TERM_VALUE_MAX];
	const char *cells[] = {number, json_view_text(run, "what"),
		partial                           ? "in part"
		: strcmp(state, "timed_out") == 0 ? "timed out"
						  : state,
		at, took, size, *error ? error : json_view_text(run, "backup")};

	(void)snprintf(number, sizeof(number), "%lld", (long long)json_view_int(run, "run"));
	message_time(at, sizeof(at), json_view_int(run, "queued_ms"), clock_wall_ms());
	str_human_duration(took, sizeof(took), json_view_int(run, "duration_ms") / 1000);
	term_bytes(size, sizeof(size), (double)json_view_int(run, "stored_bytes"));
	columns_row(
		table, cells, ARRAY_LEN(cells), 2, partial ? TERM_RED : backup_state_style(state));
}

static void add_runs(const struct term *t, const json_t *runs, struct buf *out)
{
	static const char *const heads[] = {
		">RUN", "WHAT", "STATE", "WHEN", ">TOOK", ">STORED", "RESULT", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	const json_t *run;
	size_t i;

	json_array_foreach(runs, i, run) add_run(table, run);
	buf_addc(out, '\n');
	if (json_array_size(runs))
		columns_print(table, t, out);
	else
		buf_adds(out, "No runs yet.\n");
}

static void add_job(const struct term *t, const json_t *job, struct buf *out)
{
	_cleanup_(buf_done) struct buf stores = BUF_INIT(1000);

	json_view_join(job, "stores", &stores);
	fields_text(t, "Job", json_view_text(job, "name"), out);
	fields_text(t, "Engine", json_view_text(job, "engine"), out);
	fields_text(t, "Of", json_view_text(job, "source"), out);
	fields_text(t, "Stores", buf_str(&stores), out);
	fields_text(t, "Encrypted", json_is_true(json_object_get(job, "encrypted")) ? "yes" : "no",
		out);
	fields_text(t, "Keeps", json_view_text(job, "keep"), out);
	fields_text(t, "Schedule",
		*json_view_text(job, "schedule") ? json_view_text(job, "schedule") : "by hand",
		out);
	fields_time(t, "Next", json_view_int(job, "next_ms"), out);
	fields_time(t, "Last good", json_view_int(job, "last_success_ms"), out);
	add_bytes(t, "Size", json_view_int(job, "last_plain_bytes"), out);
	add_bytes(t, "Stored", json_view_int(job, "last_size_bytes"), out);
	fields_time(
		t, "Verified", json_view_int(json_object_get(job, "last_verify"), "ended_ms"), out);
	fields_time(
		t, "Drilled", json_view_int(json_object_get(job, "last_drill"), "ended_ms"), out);
	fields_time(t, json_is_true(json_object_get(job, "overdue")) ? "OVERDUE" : "Overdue at",
		json_view_int(job, "overdue_ms"), out);
	fields_text(t, "Set in", json_view_text(job, "origin"), out);
}

static int show_job(const struct command_call *c, const json_t *job)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(16 << 20);
	struct term t = term_detect();
	json_t *request = json_pack("{s:s, s:O, s:i}", "op", "backup.runs", "job",
		       json_object_get(job, "name"), "limit", 20),
	       *reply;
	int r = cmd_set_limit(c, request);

	if (r != 0) {
		json_decref(request);
		return r;
	}
	r = cmd_ask(c, request, &reply);
	if (r != 0)
		return r;
	if (c->flags[FLAG_JSON]) {
		(void)json_object_set(reply, "job", (json_t *)(uintptr_t)job);
		r = cmd_print_reply(reply);
	} else {
		add_job(&t, job, &out);
		add_runs(&t, json_object_get(reply, "runs"), &out);
		r = cmd_print(&out);
	}
	json_decref(reply);
	return r;
}

static void add_member(struct columns *table, const json_t *m)
{
	_cleanup_(buf_done) struct buf counts = BUF_INIT(2000);
	const char *title = json_view_text(m, "title");
	char plain[TERM_VALUE_MAX], stored[TERM_VALUE_MAX];
	const char *cells[] = {*title ? title : json_view_text(m, "name"),
		json_view_text(m, "format"), plain, stored, NULL};

	term_bytes(plain, sizeof(plain), (double)json_view_int(m, "plain_bytes"));
	term_bytes(stored, sizeof(stored), (double)json_view_int(m, "stored_bytes"));
	describe_counts(json_object_get(m, "counts"), &counts);
	cells[4] = buf_str(&counts);
	columns_row(table, cells, ARRAY_LEN(cells), 0, TERM_PLAIN);
}

static void add_backup(const struct term *t, const json_t *b, struct buf *out)
{
	static const char *const heads[] = {"MEMBER", "FORMAT", ">PLAIN", ">STORED", "HOLDS", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	const json_t *one;
	char took[64];
	size_t i;

	str_human_duration(took, sizeof(took),
		(json_view_int(b, "ended_ms") - json_view_int(b, "started_ms")) / 1000);
	fields_text(t, "Backup", json_view_text(b, "id"), out);
	fields_text(t, "Job", json_view_text(b, "job"), out);
	fields_text(t, "Host", json_view_text(b, "host"), out);
	fields_text(t, "Store", json_view_text(b, "store"), out);
	fields_time(t, "Made", json_view_int(b, "started_ms"), out);
	fields_text(t, "Took", took, out);
	fields_text(
		t, "Encrypted", json_is_true(json_object_get(b, "encrypted")) ? "yes" : "no", out);
	fields_time(t, "Verified", json_view_int(b, "verified_ms"), out);
	fields_time(t, "Drilled", json_view_int(b, "drilled_ms"), out);
	fields_time(t, "BAD since", json_view_int(b, "bad_ms"), out);
	fields_text(t, "Why bad", json_view_text(b, "bad_why"), out);
	json_array_foreach(json_object_get(b, "warnings"), i, one)
		fields_text(t, "Warning", json_string_value(one), out);
	json_array_foreach(json_object_get(b, "members"), i, one) add_member(table, one);
	buf_addc(out, '\n');
	columns_print(table, t, out);
	buf_addc(out, '\n');
}

/* All stores' copies of one; the beginning of its id will do. */
static int show_backup(const struct command_call *c, const char *job, const char *id)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	_cleanup_(client_close_p) struct client *client = NULL;
	_cleanup_(buf_done) struct buf out = BUF_INIT(16 << 20);
	json_t *reply, *one, *found = json_array();
	struct term t = term_detect();
	struct err e;
	size_t i;
	int r = client_open(state, &client, &e);

	if (r == 0)
		r = client_call_within(client,
			json_pack("{s:s, s:o, s:b}", "op", "backup.list", "job", cmd_text(job),
				"refresh", 1),
			REFRESH_MS, &reply, &e);
	if (r < 0) {
		json_decref(found);
		return cmd_fail(r, &e);
	}
	json_array_foreach(json_object_get(reply, "backups"), i,
		one) if (str_starts(json_view_text(one, "id"), id))
	{
		(void)json_array_append(found, one);
		add_backup(&t, one, &out);
	}
	if (json_array_size(found) == 0) {
		(void)err_set(&e, ENOENT, "there is no backup \"%s\" of %s; agent backup list %s",
			id, job, job);
		r = cmd_fail(-ENOENT, &e);
	} else {
		r = c->flags[FLAG_JSON] ? cmd_print_json(found) : cmd_print(&out);
	}
	json_decref(found);
	json_decref(reply);
	return r;
}

/* NOT_FOUND: then it may be the beginning of a backup's id. */
enum { NOT_FOUND = -1 };

static int show_run(const struct command_call *c, uint64_t number)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	_cleanup_(client_close_p) struct client *client = NULL;
	_cleanup_(buf_done) struct buf out = BUF_INIT(16 << 20);
	struct term t = term_detect();
	json_t *reply;
	struct err e;
	int r = client_open(state, &client, &e);

	if (r == 0)
		r = client_call(client,
			json_pack("{s:s, s:I}", "op", "backup.run", "run", (json_int_t)number),
			&reply, &e);
	if (r == -EREMOTEIO)
		return NOT_FOUND;
	if (r < 0)
		return cmd_fail(r, &e);
	if (c->flags[FLAG_JSON]) {
		r = cmd_print_reply(reply);
	} else {
		backup_bar_end(&t, json_object_get(reply, "run"), &out);
		r = cmd_print(&out);
	}
	json_decref(reply);
	return r;
}

int cmd_backup_show(const struct command_call *c)
{
	json_t *reply, *job, *found = NULL;
	uint64_t number;
	size_t i;
	int r;

	if (c->n_args == 0)
		return cmd_usage(c, "which job? Its name (agent backup)");
	if (c->n_args > 1 && strlen(c->args[1]) < 10 &&
		str_to_u64(c->args[1], &number, NULL) == 0 && number > 0) {
		r = show_run(c, number);
		if (r != NOT_FOUND)
			return r;
	}
	if (c->n_args > 1)
		return show_backup(c, c->args[0], c->args[1]);
	r = cmd_ask(c, json_pack("{s:s}", "op", "backup.jobs"), &reply);
	if (r != 0)
		return r;
	json_array_foreach(json_object_get(reply, "jobs"), i,
		job) if (strcmp(json_view_text(job, "name"), c->args[0]) == 0) found = job;
	if (found) {
		r = show_job(c, found);
	} else {
		(void)fprintf(stderr,
			"agent: there is no backup job \"%s\" (agent backup lists them)\n",
			c->args[0]);
		r = COMMAND_FAILED;
	}
	json_decref(reply);
	return r;
}
