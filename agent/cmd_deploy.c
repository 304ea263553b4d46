/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent deploy`: the apps, what serves, what is under way. `agent deploy list`: the deploys.
 */
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/deploy_words.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/message.h"

enum { OUT_MAX = 16 << 20 };

/* What is under way, else whether the newest went well. */
static void describe_state(const json_t *app, char *to, size_t size, enum term_style *style)
{
	const json_t *current = json_object_get(app, "current"),
		     *last = json_object_get(app, "last");
	const json_t *one = current ? current : last;

	*style = TERM_YELLOW;
	(void)str_copy(to, size, "new");
	if (!one)
		return;
	*style = deploy_words_style(one);
	deploy_words_state(one, to, size);
	if (strcmp(to, "done") == 0 || strcmp(to, "skipped") == 0)
		(void)str_copy(to, size, "ok");
}

static void note_current(struct columns *table, const json_t *current)
{
	_cleanup_(buf_done) struct buf what = BUF_INIT(1000);
	char waits[300], state[32];

	deploy_words_what(current, &what);
	deploy_words_waits(current, waits, sizeof(waits));
	deploy_words_state(current, state, sizeof(state));
	columns_note(table, "deploy %" JSON_INTEGER_FORMAT " is %s%s%s: %s",
		json_view_int(current, "id"), state, *waits ? ", " : "", waits, buf_str(&what));
}

static void note_last(struct columns *table, const json_t *last)
{
	const char *error = json_view_text(last, "error");
	char state[32];

	if (deploy_words_style(last) == TERM_RED) {
		deploy_words_state(last, state, sizeof(state));
		columns_note(table, "deploy %" JSON_INTEGER_FORMAT " %s%s: %s",
			json_view_int(last, "id"), strcmp(state, "rolled back") == 0 ? "was " : "",
			state, error);
	} else if (*error && strcmp(json_view_text(last, "state"), "done") == 0) {
		columns_note(table, "%s", error);
	}
}

void cmd_deploy_app_row(struct columns *table, const json_t *app)
{
	_cleanup_(buf_done) struct buf what = BUF_INIT(1000);
	const json_t *serves = json_object_get(app, "serves"), *last = json_object_get(app, "last");
	const json_t *current = json_object_get(app, "current");
	char state[32], number[32] = "-", since[64] = "-";
	enum term_style style;
	const char *cells[] = {json_view_text(app, "name"), state, number, since, "nothing yet"};

	describe_state(app, state, sizeof(state), &style);
	if (serves) {
		(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			json_view_int(serves, "id"));
		message_time(
			since, sizeof(since), json_view_int(serves, "ended_ms"), clock_wall_ms());
		deploy_words_what(serves, &what);
		cells[4] = buf_str(&what);
	}
	columns_row(table, cells, ARRAY_LEN(cells), 1, style);
	if (current)
		note_current(table, current);
	if (last)
		note_last(table, last);
}

struct columns *cmd_deploy_app_table(void)
{
	static const char *const heads[] = {"APP", "STATE", ">DEPLOY", "SINCE", "SERVES", NULL};

	return columns_new(heads);
}

bool cmd_deploy_app_is_news(const json_t *app)
{
	const json_t *last = json_object_get(app, "last");

	return json_object_get(app, "current") || (last && deploy_words_style(last) == TERM_RED);
}

static int print_apps(const json_t *apps)
{
	_cleanup_(columns_free_p) struct columns *table = cmd_deploy_app_table();
	_cleanup_(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	const struct term t = term_detect();
	const json_t *app;
	size_t i;

	if (json_array_size(apps) == 0)
		buf_adds(&out, "No apps are set up: there is no apps group in the configuration; "
			       "agent-deploy(8) has an example.\n");
	json_array_foreach(apps, i, app) cmd_deploy_app_row(table, app);
	if (json_array_size(apps))
		columns_print(table, &t, &out);
	return cmd_print(&out);
}

int cmd_deploy(const struct command_call *c)
{
	json_t *reply;
	int r = cmd_ask(c, json_pack("{s:s}", "op", "deploy.apps"), &reply);

	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply)
				: print_apps(json_object_get(reply, "apps"));
	json_decref(reply);
	return r;
}

struct columns *cmd_deploy_table(void)
{
	static const char *const heads[] = {
		">ID", "APP", "STATE", "WHEN", ">TOOK", "BY", "WHAT", NULL};

	return columns_new(heads);
}

static void note_row(struct columns *table, const json_t *deploy)
{
	json_int_t newer = json_view_int(deploy, "superseded_by"),
		   away_ms = json_view_int(deploy, "downtime_ms");
	char waits[300];

	deploy_words_waits(deploy, waits, sizeof(waits));
	if (*waits)
		columns_note(table, "%s", waits);
	if (newer)
		columns_note(table, "by deploy %" JSON_INTEGER_FORMAT, newer);
	if (*json_view_text(deploy, "error"))
		columns_note(table, "%s", json_view_text(deploy, "error"));
	if (away_ms > 0)
		columns_note(table, "the app was away for %" JSON_INTEGER_FORMAT " ms", away_ms);
	if (strcmp(json_view_text(deploy, "verdict_grade"), "worse") == 0)
		columns_note(table, "worse than before: %s", json_view_text(deploy, "verdict"));
}

void cmd_deploy_row(struct columns *table, const json_t *deploy)
{
	_cleanup_(buf_done) struct buf what = BUF_INIT(1000);
	int64_t from_ms = json_view_int(deploy, "started_ms"),
		to_ms = json_view_int(deploy, "ended_ms"), now_ms = clock_wall_ms();
	char number[32], state[32], at[64], took[64] = "-";
	const char *cells[] = {number, json_view_text(deploy, "app"), state, at, took,
		json_view_text(deploy, "by"), NULL};

	(void)snprintf(
		number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_view_int(deploy, "id"));
	deploy_words_state(deploy, state, sizeof(state));
	message_time(at, sizeof(at), json_view_int(deploy, "queued_ms"), now_ms);
	if (from_ms)
		deploy_words_took(took, sizeof(took), (to_ms ? to_ms : now_ms) - from_ms);
	deploy_words_what(deploy, &what);
	cells[6] = buf_str(&what);
	columns_row(table, cells, ARRAY_LEN(cells), 2, deploy_words_style(deploy));
	note_row(table, deploy);
}

static int print_deploys(const json_t *deploys)
{
	_cleanup_(columns_free_p) struct columns *table = cmd_deploy_table();
	_cleanup_(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	const struct term t = term_detect();
	const json_t *one;
	size_t i;

	json_array_foreach(deploys, i, one) cmd_deploy_row(table, one);
	if (json_array_size(deploys))
		columns_print(table, &t, &out);
	else
		buf_adds(&out, "No deploys yet.\n");
	return cmd_print(&out);
}

int cmd_deploy_list(const struct command_call *c)
{
	json_t *request = json_pack("{s:s}", "op", "deploy.list"), *reply;
	int r = cmd_set_limit(c, request);

	if (r != 0) {
		json_decref(request);
		return r;
	}
	if (c->n_args)
		(void)json_object_set_new(request, "app", cmd_text(c->args[0]));
	r = cmd_ask(c, request, &reply);
	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply)
				: print_deploys(json_object_get(reply, "deploys"));
	json_decref(reply);
	return r;
}
