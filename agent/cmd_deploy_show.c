/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent deploy show`: one deploy with its stages, or an app with its last deploys.
 */
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/deploy_target.h"
#include "agent/deploy_words.h"
#include "agent/fields.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

enum { OUT_MAX = 16 << 20, LISTED = 10 };

static void add_deploy(
	const struct term *t, const char *name, const json_t *deploy, struct buf *out)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(2000);

	if (!deploy)
		return;
	buf_addf(&text, "deploy %" JSON_INTEGER_FORMAT ": ", json_view_int(deploy, "id"));
	deploy_words_what(deploy, &text);
	fields_text(t, name, buf_str(&text), out);
}

/* "shop:12, container shop-12 at 172.17.0.3:8080". */
static void add_version(
	const struct term *t, const char *name, const json_t *version, struct buf *out)
{
	const char *container = json_view_text(version, "container");
	const char *address = json_view_text(version, "address");
	_cleanup_(free_p) char *text = str_format("%s%s%s%s%s%s", json_view_text(version, "image"),
		*container && *json_view_text(version, "image") ? ", " : "",
		*container ? "container " : "", container, *address ? " at " : "", address);

	fields_text(t, name, text, out);
	fields_text(t, "Digest", json_view_text(version, "digest"), out);
}

static void add_stage(struct columns *table, const json_t *stage)
{
	const char *state = json_view_text(stage, "state");
	int64_t to_ms = json_view_int(stage, "ended_ms");
	char took[64], tries[32];
	const char *cells[] = {deploy_words_stage(stage), state, took, tries};

	deploy_words_took(took, sizeof(took),
		(to_ms ? to_ms : clock_wall_ms()) - json_view_int(stage, "started_ms"));
	(void)snprintf(
		tries, sizeof(tries), "%" JSON_INTEGER_FORMAT, json_view_int(stage, "attempts"));
	columns_row(table, cells, ARRAY_LEN(cells), 1,
		strcmp(state, "failed") == 0 ? TERM_RED
		: strcmp(state, "done") == 0 ? TERM_GREEN
					     : TERM_PLAIN);
}

static void add_stages(const struct term *t, const json_t *deploy, struct buf *out)
{
	static const char *const heads[] = {"STAGE", "STATE", ">TOOK", "TRIES", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	const json_t *stages = json_object_get(deploy, "stages"), *one;
	size_t i, n = 0;

	json_array_foreach(stages, i, one) if (!deploy_words_is_nothing(one))
	{
		add_stage(table, one);
		n++;
	}
	if (n) {
		buf_addc(out, '\n');
		columns_print(table, t, out);
	}
}

static void add_times(const struct term *t, const json_t *deploy, struct buf *out)
{
	int64_t from_ms = json_view_int(deploy, "started_ms"),
		to_ms = json_view_int(deploy, "ended_ms");
	json_int_t away_ms = json_view_int(deploy, "downtime_ms");
	char took[64] = "", away[64] = "";

	if (from_ms && to_ms)
		deploy_words_took(took, sizeof(took), to_ms - from_ms);
	if (away_ms > 0)
		(void)snprintf(away, sizeof(away), "%" JSON_INTEGER_FORMAT " ms", away_ms);
	fields_time(t, "Asked for", json_view_int(deploy, "queued_ms"), out);
	fields_time(t, "Began", from_ms, out);
	fields_time(t, "Ended", to_ms, out);
	fields_text(t, "Took", took, out);
	fields_text(t, "Away for", away, out);
}

static void add_whole(const struct term *t, const json_t *deploy, struct buf *out)
{
	_cleanup_(buf_done) struct buf what = BUF_INIT(2000), who = BUF_INIT(1000);
	char number[32], state[32], waits[300];

	(void)snprintf(
		number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_view_int(deploy, "id"));
	deploy_words_state(deploy, state, sizeof(state));
	deploy_words_waits(deploy, waits, sizeof(waits));
	deploy_words_what(deploy, &what);
	deploy_words_who(deploy, &who);
	fields_text(t, "Deploy", number, out);
	fields_text(t, "App", json_view_text(deploy, "app"), out);
	fields_text(t, "State", state, out);
	fields_text(t, "Waits", waits, out);
	fields_text(t, "What", buf_str(&what), out);
	fields_text(t, "Commit", json_view_text(deploy, "commit"), out);
	fields_text(t, "Author", json_view_text(deploy, "author"), out);
	fields_text(t, "Asked by", buf_str(&who), out);
	add_times(t, deploy, out);
	add_version(t, "Version", json_object_get(deploy, "new"), out);
	add_version(t, "Before", json_object_get(deploy, "old"), out);
	fields_text(t, "Reason", json_view_text(deploy, "error"), out);
	fields_text(t, "Verdict", json_view_text(deploy, "verdict"), out);
	add_stages(t, deploy, out);
}

static int show_deploy(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	const struct term t = term_detect();
	json_t *deploy;
	int r = deploy_target(c, &deploy);

	if (r != 0)
		return r;
	if (c->flags[FLAG_JSON]) {
		r = cmd_print_json(deploy);
	} else {
		add_whole(&t, deploy, &out);
		r = cmd_print(&out);
	}
	json_decref(deploy);
	return r;
}

static void add_app(const struct term *t, const json_t *app, struct buf *out)
{
	bool away = strcmp(json_view_text(app, "strategy"), "recreate") == 0;

	fields_text(t, "App", json_view_text(app, "name"), out);
	fields_text(t, "Source", json_view_text(app, "source"), out);
	fields_text(t, "Branch", json_view_text(app, "branch"), out);
	fields_text(t, "Build", json_view_text(app, "build"), out);
	fields_text(t, "Run by", json_view_text(app, "swap"), out);
	fields_text(t, "Routed by", json_view_text(app, "route"), out);
	fields_text(t, "Domain", json_view_text(app, "domain"), out);
	fields_text(t, "Webhook",
		*json_view_text(app, "webhook") ? json_view_text(app, "webhook") : "none", out);
	fields_text(t, "Swap",
		away ? "the old version stops before the new one starts: the app is away in between"
		     : "the new version starts beside the old one: no request is lost",
		out);
	add_deploy(t, "Serves", json_object_get(app, "serves"), out);
	add_version(t, "Version", json_object_get(json_object_get(app, "serves"), "new"), out);
	add_deploy(t, "Under way", json_object_get(app, "current"), out);
	fields_text(t, "Rollback",
		json_is_true(json_object_get(app, "can_rollback"))
			? "agent deploy rollback puts the version before back"
			: "there is no version to go back to",
		out);
	fields_text(t, "Set in", json_view_text(app, "origin"), out);
}

static void add_history(const struct term *t, const json_t *deploys, struct buf *out)
{
	_cleanup_(columns_free_p) struct columns *table = cmd_deploy_table();
	const json_t *one;
	size_t i;

	json_array_foreach(deploys, i, one) cmd_deploy_row(table, one);
	buf_addc(out, '\n');
	if (json_array_size(deploys))
		columns_print(table, t, out);
	else
		buf_adds(out, "No deploys yet.\n");
}

static int show_app(const struct command_call *c, const json_t *app)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(OUT_MAX);
	const struct term t = term_detect();
	json_t *request = json_pack("{s:s, s:O, s:i}", "op", "deploy.list", "app",
		       json_object_get(app, "name"), "limit", LISTED),
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
		(void)json_object_set(reply, "app", (json_t *)(uintptr_t)app);
		r = cmd_print_reply(reply);
	} else {
		add_app(&t, app, &out);
		add_history(&t, json_object_get(reply, "deploys"), &out);
		r = cmd_print(&out);
	}
	json_decref(reply);
	return r;
}

int cmd_deploy_show(const struct command_call *c)
{
	json_t *reply, *app, *found = NULL;
	size_t i;
	int r;

	if (c->n_args == 0)
		return cmd_usage(c, "which? The name of an app, or the number of a deploy");
	if (deploy_target_number(c->args[0]))
		return show_deploy(c);
	r = cmd_ask(c, json_pack("{s:s}", "op", "deploy.apps"), &reply);
	if (r != 0)
		return r;
	json_array_foreach(json_object_get(reply, "apps"), i,
		app) if (strcmp(json_view_text(app, "name"), c->args[0]) == 0) found = app;
	if (found) {
		r = show_app(c, found);
	} else {
		(void)fprintf(stderr, "agent: there is no app \"%s\" (agent deploy lists them)\n",
			c->args[0]);
		r = COMMAND_FAILED;
	}
	json_decref(reply);
	return r;
}
