/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent backup list`: what there is in the stores.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/backup_config.h"
#include "agent/backup_local.h"
#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/message.h"

enum { REFRESH_MS = 120 * 1000 };

/* What was read, of all jobs: {"backups": [..], "errors": [..]}. */
struct listing {
	json_t *backups, *errors;
};

static void listing_init(struct listing *l)
{
	*l = (struct listing){json_array(), json_array()};
}

static void listing_done(struct listing *l)
{
	json_decref(l->backups);
	json_decref(l->errors);
}

static void add_error(struct listing *l, const char *job, const char *store, const char *error)
{
	(void)json_array_append_new(l->errors,
		json_pack("{s:s, s:s, s:s}", "job", job, "store", store, "error", error));
}

static void take_reply(struct listing *l, const char *job, const json_t *reply)
{
	const json_t *one;
	size_t i;

	(void)json_array_extend(l->backups, json_object_get(reply, "backups"));
	json_array_foreach(json_object_get(reply, "errors"), i, one)
		add_error(l, job, json_view_text(one, "store"), json_view_text(one, "error"));
}

static int ask_job(struct client *client, const char *job, struct listing *l, struct err *e)
{
	json_t *reply;
	int r = client_call_within(client,
		json_pack(
			"{s:s, s:o, s:b}", "op", "backup.list", "job", cmd_text(job), "refresh", 1),
		REFRESH_MS, &reply, e);

	if (r < 0)
		return r;
	take_reply(l, job, reply);
	json_decref(reply);
	return 0;
}

static int ask_all(struct client *client, struct listing *l, struct err *e)
{
	json_t *reply, *job;
	size_t i;
	int r = client_call(client, json_pack("{s:s}", "op", "backup.jobs"), &reply, e);

	if (r < 0)
		return r;
	json_array_foreach(json_object_get(reply, "jobs"), i, job) if (r == 0) r =
		ask_job(client, json_view_text(job, "name"), l, e);
	json_decref(reply);
	return r;
}

struct saying {
	struct listing *listing;
	const char *job;
};

static void on_says(void *user, json_t *says)
{
	struct saying *s = user;
	const char *store = json_view_text(says, "store"),
		   *why = json_view_text(says, "broken_why");
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(says, "backups"), i, one)
	{
		(void)json_object_set_new(one, "store", json_string(store));
		(void)json_array_append(s->listing->backups, one);
	}
	if (*why)
		add_error(s->listing, s->job, store, why);
}

static void read_job(struct backup_local *local, const struct backup_job *job, struct listing *l)
{
	struct saying s = {l, job->name};
	const struct backup_local_run run = {
		.what = "list", .job = job, .says = on_says, .user = &s};
	json_t *result = NULL;
	const json_t *one;
	struct err e;
	size_t i, before = json_array_size(l->errors);

	if (backup_local_run(local, &run, &result, &e) < 0) {
		add_error(l, job->name, "", e.msg);
		return;
	}
	json_array_foreach(json_object_get(result, "stores"), i,
		one) if (!json_is_true(json_object_get(one, "ok")))
		add_error(l, job->name, json_view_text(one, "name"), json_view_text(one, "error"));
	if (!json_is_true(json_object_get(result, "ok")) && json_array_size(l->errors) == before)
		add_error(l, job->name, "", json_view_text(result, "error"));
	json_decref(result);
}

static int list_myself(const struct command_call *c, struct listing *l)
{
	struct backup_local local;
	const struct backup_job *job = NULL;
	struct err e;
	int r = backup_local_open(c, &local);

	if (r != 0)
		return r;
	if (c->n_args && backup_config_find(local.backups, c->args[0], &job, &e) < 0)
		r = cmd_fail(-ENOENT, &e);
	for (size_t i = 0; r == 0 && i < local.backups->n_jobs; i++)
		if (!job || job == &local.backups->jobs[i])
			read_job(&local, &local.backups->jobs[i], l);
	backup_local_done(&local);
	return r;
}

static int get_list(const struct command_call *c, struct listing *l)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	_cleanup_(client_close_p) struct client *client = NULL;
	struct err e;
	int r;

	if (c->flags[FLAG_CONFIG])
		return list_myself(c, l);
	r = client_open(state, &client, &e);
	if (r == -ESRCH)
		return list_myself(c, l);
	if (r == 0)
		r = c->n_args ? ask_job(client, c->args[0], l, &e) : ask_all(client, l, &e);
	return r < 0 ? cmd_fail(r, &e) : 0;
}

/* "drilled", "verified", "bad"; what is known to be worst or best about it. */
static const char *proof_of(const json_t *b, enum term_style *style)
{
	*style = TERM_GREEN;
	if (json_view_int(b, "bad_ms")) {
		*style = TERM_RED;
		return "BAD";
	}
	if (json_view_int(b, "drilled_ms"))
		return "drilled";
	if (json_view_int(b, "verified_ms"))
		return "verified";
	*style = TERM_PLAIN;
	return "unproved";
}

static void describe_members(const json_t *b, struct buf *out)
{
	const json_t *list = json_object_get(b, "members"), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *title = json_view_text(one, "title");

		buf_addf(out, "%s%s", i ? ", " : "", *title ? title : json_view_text(one, "name"));
	}
	if (json_is_true(json_object_get(b, "encrypted")))
		buf_adds(out, " (encrypted)");
}

static void add_row(struct columns *table, const json_t *b)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT(4000);
	char made[64], stored[TERM_VALUE_MAX], plain[TERM_VALUE_MAX];
	enum term_style style;
	const char *proof = proof_of(b, &style);
	const char *cells[] = {json_view_text(b, "job"), json_view_text(b, "id"),
		json_view_text(b, "store"), made, plain, stored, proof, NULL};

	message_time(made, sizeof(made), json_view_int(b, "started_ms"), clock_wall_ms());
	term_bytes(stored, sizeof(stored), (double)json_view_int(b, "stored_bytes"));
	term_bytes(plain, sizeof(plain), (double)json_view_int(b, "plain_bytes"));
	describe_members(b, &members);
	cells[7] = buf_str(&members);
	columns_row(table, cells, ARRAY_LEN(cells), 6, style);
	if (*json_view_text(b, "bad_why"))
		columns_note(table, "%s", json_view_text(b, "bad_why"));
}

static void print_errors(const struct listing *l)
{
	const json_t *one;
	size_t i;

	json_array_foreach(l->errors, i, one)
	{
		const char *store = json_view_text(one, "store");
		const char *error = json_view_text(one, "error");

		(void)fprintf(stderr, "agent: %s: %s%s%s%s\n", json_view_text(one, "job"),
			*store ? "store " : "", store, *store ? ": " : "",
			backup_store_error(store, error));
	}
}

static int print_listing(const struct listing *l)
{
	static const char *const heads[] = {
		"JOB", "BACKUP", "STORE", "MADE", ">PLAIN", ">STORED", "PROOF", "WHAT", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	struct term t = term_detect();
	const json_t *one;
	size_t i;

	json_array_foreach(l->backups, i, one) add_row(table, one);
	if (json_array_size(l->backups))
		columns_print(table, &t, &out);
	else if (json_array_size(l->errors) == 0)
		buf_adds(&out, "There are no backups yet.\n");
	return cmd_print(&out);
}

static int print_json(const struct listing *l)
{
	json_t *out = json_pack("{s:O, s:O}", "backups", l->backups, "errors", l->errors);
	int r = cmd_print_json(out);

	json_decref(out);
	return r;
}

static void keep_store(struct listing *l, const char *store)
{
	for (size_t i = json_array_size(l->backups); i-- > 0;)
		if (strcmp(json_view_text(json_array_get(l->backups, i), "store"), store) != 0)
			(void)json_array_remove(l->backups, i);
}

int cmd_backup_list(const struct command_call *c)
{
	_cleanup_(listing_done) struct listing l;
	int r;

	listing_init(&l);
	r = get_list(c, &l);
	if (r != 0)
		return r;
	if (c->flags[FLAG_STORE])
		keep_store(&l, c->flags[FLAG_STORE]);
	r = c->flags[FLAG_JSON] ? print_json(&l) : print_listing(&l);
	if (!c->flags[FLAG_JSON])
		print_errors(&l);
	return r == 0 && json_array_size(l.errors) ? COMMAND_FAILED : r;
}
