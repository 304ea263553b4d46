/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent backup now`, and what else is done by a run of the daemon: verify, drill, prune.
 */
#include <stdio.h>
#include <string.h>

#include "agent/backup_follow.h"
#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"

DEFINE_CLEANUP(struct backup_follow *, backup_follow_free);

static json_t *request_for(const char *job, const char *what)
{
	return json_pack("{s:o, s:s}", "job", cmd_text(job), "what", what);
}

static int start_all(struct backup_follow *f)
{
	json_t *reply, *job;
	size_t i;
	int r = backup_follow_ask(f, json_pack("{s:s}", "op", "backup.jobs"), &reply);

	if (r != 0)
		return r;
	if (json_array_size(json_object_get(reply, "jobs")) == 0) {
		(void)fputs("agent: no backups are set up: there is no databases group in the "
			    "configuration; agent.conf(5) has an example\n",
			stderr);
		r = COMMAND_FAILED;
	}
	json_array_foreach(json_object_get(reply, "jobs"), i, job) if (r == 0) r =
		backup_follow_start(f, request_for(json_view_text(job, "name"), "backup"));
	json_decref(reply);
	return r;
}

int cmd_backup_now(const struct command_call *c)
{
	_cleanup_(backup_follow_free_p) struct backup_follow *f = NULL;
	int r = backup_follow_open(c, &f);

	if (r == 0 && c->n_args == 0)
		r = start_all(f);
	for (size_t i = 0; i < c->n_args && r == 0; i++)
		r = backup_follow_start(f, request_for(c->args[i], "backup"));
	if (r != 0)
		return r;
	return c->flags[FLAG_DETACH] ? backup_follow_detach(f) : backup_follow_wait(f);
}

/* One run of what is about one backup. */
static int run_one(const struct command_call *c, const char *what, struct backup_follow **out)
{
	json_t *request;
	int r;

	if (c->n_args == 0)
		return cmd_usage(c, "which job? Its name (agent backup)");
	r = backup_follow_open(c, out);
	if (r != 0)
		return r;
	request = request_for(c->args[0], what);
	if (c->n_args > 1)
		(void)json_object_set_new(request, "backup", cmd_text(c->args[1]));
	cmd_set_text(c, FLAG_STORE, request, "store");
	if (c->flags[FLAG_DRY_RUN])
		(void)json_object_set_new(request, "dry_run", json_true());
	r = backup_follow_start(*out, request);
	if (r != 0)
		return r;
	return c->flags[FLAG_DETACH] ? backup_follow_detach(*out) : backup_follow_wait(*out);
}

int cmd_backup_drill(const struct command_call *c)
{
	_cleanup_(backup_follow_free_p) struct backup_follow *f = NULL;

	return run_one(c, "drill", &f);
}

int cmd_backup_verify(const struct command_call *c)
{
	_cleanup_(backup_follow_free_p) struct backup_follow *f = NULL;

	return run_one(c, "verify", &f);
}

/* What is kept and why. */
static int print_decided(const json_t *run)
{
	static const char *const heads[] = {"BACKUP", "STORE", "", "WHY", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	_cleanup_(buf_done) struct buf out = BUF_INIT(16 << 20);
	const json_t *list = json_object_get(run, "decided"), *one;
	struct term t = term_detect();
	size_t i, gone = 0;

	json_array_foreach(list, i, one)
	{
		bool keep = json_is_true(json_object_get(one, "keep"));
		const char *cells[] = {json_view_text(one, "id"), json_view_text(one, "store"),
			keep ? "keep" : "remove", json_view_text(one, "why")};

		gone += !keep;
		columns_row(table, cells, ARRAY_LEN(cells), 2, keep ? TERM_GREEN : TERM_YELLOW);
	}
	columns_print(table, &t, &out);
	buf_addf(&out, "\n%zu kept, %zu would be removed\n", json_array_size(list) - gone, gone);
	return cmd_print(&out);
}

int cmd_backup_prune(const struct command_call *c)
{
	_cleanup_(backup_follow_free_p) struct backup_follow *f = NULL;
	bool dry = c->flags[FLAG_DRY_RUN] && !c->flags[FLAG_JSON] && !c->flags[FLAG_DETACH];
	int r = run_one(c, "prune", &f);

	return r == 0 && dry ? print_decided(backup_follow_run(f, 0)) : r;
}
