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
#include "base/str.h"

enum { STATE_COLUMNS = 8, INDENT = 8 };

struct findings {
	json_t *list;
	size_t failed;
};

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

	term_style(t, ok ? TERM_GREEN : TERM_RED, out);
	term_add(out, ok ? "ok" : "failed", STATE_COLUMNS);
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
	buf_addf(&out, "\nok: %zu, failed: %zu\n", json_array_size(f->list) - f->failed, f->failed);
	return cmd_print(&out);
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
	return r < 0 ? cmd_fail(r, &e) : 0;
}

int cmd_backup_doctor(const struct command_call *c)
{
	struct findings f = {json_array(), 0};
	const struct backup_job *job = NULL;
	struct backup_local l;
	struct err e;
	int r = backup_local_open(c, &l);

	if (r != 0)
		return r;
	if (c->n_args && backup_config_find(l.backups, c->args[0], &job, &e) < 0)
		r = cmd_fail(-ENOENT, &e);
	for (size_t i = 0; r == 0 && i < l.backups->n_jobs; i++)
		if (!job || job == &l.backups->jobs[i])
			r = examine(&l, &l.backups->jobs[i], &f);
	if (r == 0 && l.backups->n_jobs == 0)
		r = examine(&l, NULL, &f);
	if (r == 0)
		r = print_findings(c, &f);
	backup_local_done(&l);
	json_decref(f.list);
	return r == 0 && f.failed ? COMMAND_FAILED : r;
}
