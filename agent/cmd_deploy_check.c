/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent deploy check`: which file serves each stage, and what is wrong. `agent deploy now --dry-run`: what would be done.
 */
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "deploy-hooks/hook.h"

enum { OUT_MAX = 16 << 20 };

static int ask(const struct command_call *c, json_t **reply)
{
	return cmd_ask(c,
		json_pack("{s:s, s:o}", "op", "deploy.check", "app", cmd_text(c->args[0])), reply);
}

static bool is_driver(const json_t *row)
{
	return strcmp(json_view_text(row, "role"), "driver") == 0;
}

static void add_row(struct columns *table, const json_t *row)
{
	const char *problem = json_view_text(row, "problem"), *path = json_view_text(row, "path");
	const char *name = json_view_text(row, "name"), *note = json_view_text(row, "note");
	bool mine = json_is_true(json_object_get(row, "override"));
	const char *cells[] = {json_view_text(row, "stage"), *name ? name : "-",
		*problem ? "WRONG"
		: *name  ? "ok"
			 : "-",
		mine    ? "yours"
		: *path ? "shipped"
			: "",
		*path      ? path
		: *problem ? ""
			   : "nothing is done"};

	columns_row(table, cells, ARRAY_LEN(cells), 2, *problem ? TERM_RED : TERM_GREEN);
	if (*problem)
		columns_note(table, "%s", problem);
	if (*note)
		columns_note(table, "%s", note);
}

static int print_check(const struct command_call *c, const json_t *reply)
{
	static const char *const heads[] = {"STAGE", "HOOK", "STATE", "FROM", "FILE", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	_cleanup_(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	json_int_t problems = json_view_int(reply, "problems");
	const struct term t = term_detect();
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(reply, "stages"), i, row) add_row(table, row);
	columns_print(table, &t, &out);
	buf_addc(&out, '\n');
	if (problems)
		buf_addf(&out, "%" JSON_INTEGER_FORMAT " problem%s: a deploy of %s would fail\n",
			problems, problems == 1 ? "" : "s", c->args[0]);
	else
		buf_addf(&out, "%s can be deployed\n", c->args[0]);
	return cmd_print(&out);
}

int cmd_deploy_check(const struct command_call *c)
{
	json_t *reply;
	int r;

	if (c->n_args == 0)
		return cmd_usage(c, "which app? Its name (agent deploy)");
	r = ask(c, &reply);
	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply) : print_check(c, reply);
	if (r == 0 && json_view_int(reply, "problems"))
		r = COMMAND_FAILED;
	json_decref(reply);
	return r;
}

/* One stage of the plan, when something would be done in it. */
static void add_step(const struct term *t, const json_t *row, struct buf *out)
{
	const char *name = json_view_text(row, "name"), *problem = json_view_text(row, "problem");
	/* What follows a semicolon is for who writes one. */
	const struct hook_stage *stage = hook_stage_find(json_view_text(row, "stage"));

	if (!*name && !*problem)
		return;
	term_style(t, TERM_BOLD, out);
	term_add(out, json_view_text(row, "stage"), 0);
	term_style(t, TERM_PLAIN, out);
	buf_addf(out, " by %s%s\n  ", name,
		json_is_true(json_object_get(row, "override")) ? ", a hook of yours" : "");
	if (stage)
		buf_addf(out, "%.*s", (int)strcspn(stage->doc, ";."), stage->doc);
	buf_addc(out, '\n');
	if (!*problem)
		return;
	buf_adds(out, "  ");
	term_style(t, TERM_RED, out);
	term_add_wrapped(out, problem, t->columns > 30 ? t->columns - 2 : 28, 2);
	term_style(t, TERM_PLAIN, out);
	buf_addc(out, '\n');
}

static void add_version(const struct command_call *c, const json_t *app, struct buf *out)
{
	const char *ref = c->flags[FLAG_REF], *commit = c->flags[FLAG_COMMIT];

	term_add(out, ref ? ref : json_view_text(app, "branch"), 0);
	if (commit) {
		buf_adds(out, " at ");
		term_add(out, commit, 0);
	} else {
		buf_adds(out, ", the newest commit");
	}
}

static void add_plan(const struct command_call *c, const struct term *t, const json_t *app,
	const json_t *check, struct buf *out)
{
	bool away = strcmp(json_view_text(app, "strategy"), "recreate") == 0;
	const json_t *row;
	size_t i;

	buf_addf(out, "Nothing is done now. A deploy of %s (", c->args[0]);
	add_version(c, app, out);
	buf_adds(out, ") would do this:\n\n");
	json_array_foreach(json_object_get(check, "stages"), i,
		row) if (is_driver(row) || *json_view_text(row, "name")) add_step(t, row, out);
	buf_adds(out, away ? "\nThe old version is stopped before the new one starts: the app is "
			     "away in between, and it is said for how long.\n"
			   : "\nThe new version starts beside the old one and gets the requests "
			     "once it is healthy: none is lost.\n");
	if (json_view_int(check, "problems"))
		buf_addf(out, "It would fail: %" JSON_INTEGER_FORMAT " of these cannot be done.\n",
			json_view_int(check, "problems"));
}

/* The app of that name; NULL: there is none. A new reference. */
static int ask_app(const struct command_call *c, json_t **out)
{
	json_t *reply, *app;
	size_t i;
	int r = cmd_ask(c, json_pack("{s:s}", "op", "deploy.apps"), &reply);

	if (r != 0)
		return r;
	*out = NULL;
	json_array_foreach(json_object_get(reply, "apps"), i,
		app) if (strcmp(json_view_text(app, "name"), c->args[0]) == 0) *out =
		json_incref(app);
	json_decref(reply);
	return 0;
}

int cmd_deploy_plan(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	const struct term t = term_detect();
	json_t *check, *app = NULL;
	int r = ask(c, &check);

	if (r != 0)
		return r;
	r = ask_app(c, &app);
	if (r == 0 && c->flags[FLAG_JSON]) {
		(void)json_object_set(check, "app", app);
		r = cmd_print_reply(check);
	} else if (r == 0) {
		add_plan(c, &t, app, check, &out);
		r = cmd_print(&out);
	}
	if (r == 0 && json_view_int(check, "problems"))
		r = COMMAND_FAILED;
	json_decref(check);
	json_decref(app);
	return r;
}
