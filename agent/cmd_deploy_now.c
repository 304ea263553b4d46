/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent deploy now`, `image` and `rollback`, which begin one; `follow`, `log` and `cancel`, which are about one that is there.
 */
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/deploy_follow.h"
#include "agent/deploy_target.h"
#include "agent/deploy_words.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { CANCEL_MS = 600 * 1000 }; /* what a hook began is ended, and the old version put back */

/* What became of the request, and how to see the rest. */
static int say_accepted(const struct command_call *c, const json_t *reply)
{
	json_int_t id = json_view_int(reply, "deploy");
	json_int_t superseded = json_view_int(reply, "superseded");

	if (json_is_true(json_object_get(reply, "duplicate")))
		printf("Deploy %" JSON_INTEGER_FORMAT " of %s is that already.\n", id, c->args[0]);
	else
		printf("Deploy %" JSON_INTEGER_FORMAT " of %s is accepted.\n", id, c->args[0]);
	if (superseded)
		printf("Deploy %" JSON_INTEGER_FORMAT
		       ", which waited, is superseded by it: it never began.\n",
			superseded);
	if (!c->flags[FLAG_FOLLOW])
		printf("\"agent deploy follow %" JSON_INTEGER_FORMAT
		       "\" shows what becomes of it.\n",
			id);
	return fflush(stdout) == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

/* Takes the request over. */
static int begin(const struct command_call *c, json_t *request)
{
	json_t *reply;
	int64_t id;
	int r = cmd_ask(c, request, &reply);

	if (r != 0)
		return r;
	id = json_view_int(reply, "deploy");
	/* Followed: what is deployed stands in the first line of that. */
	if (!c->flags[FLAG_JSON] && (!c->flags[FLAG_FOLLOW] || json_view_int(reply, "superseded") ||
					    json_is_true(json_object_get(reply, "duplicate"))))
		r = say_accepted(c, reply);
	if (c->flags[FLAG_FOLLOW]) {
		json_decref(reply);
		return deploy_follow(c, id, DEPLOY_FOLLOW_STORY);
	}
	if (c->flags[FLAG_JSON])
		r = cmd_print_reply(reply);
	json_decref(reply);
	return r;
}

static json_t *request_for(const struct command_call *c, const char *op)
{
	return json_pack("{s:s, s:o}", "op", op, "app", cmd_text(c->args[0]));
}

int cmd_deploy_now(const struct command_call *c)
{
	json_t *request;

	if (c->n_args == 0)
		return cmd_usage(c, "which app? Its name (agent deploy)");
	if (c->flags[FLAG_DRY_RUN])
		return cmd_deploy_plan(c);
	request = request_for(c, "deploy.start");
	cmd_set_text(c, FLAG_REF, request, "ref");
	cmd_set_text(c, FLAG_COMMIT, request, "commit");
	cmd_set_text(c, FLAG_TRIGGER, request, "trigger");
	return begin(c, request);
}

int cmd_deploy_image(const struct command_call *c)
{
	json_t *request;

	if (c->n_args < 2)
		return cmd_usage(c, "which image of which app?");
	request = request_for(c, "deploy.start");
	(void)json_object_set_new(request, "image", cmd_text(c->args[1]));
	return begin(c, request);
}

int cmd_deploy_rollback(const struct command_call *c)
{
	const char *to = c->flags[FLAG_TO];
	json_t *request;

	if (c->n_args == 0)
		return cmd_usage(c, "which app? Its name (agent deploy)");
	if (to && !deploy_target_number(to))
		return cmd_usage(
			c, "--to: the number of a deploy (agent deploy list %s)", c->args[0]);
	request = request_for(c, "deploy.rollback");
	if (to)
		(void)json_object_set_new(
			request, "to", json_integer((json_int_t)deploy_target_number(to)));
	return begin(c, request);
}

/* Of one that is there already. */
static int watch(const struct command_call *c, enum deploy_follow_how how)
{
	json_t *deploy;
	int64_t id;
	int r = deploy_target(c, &deploy);

	if (r != 0)
		return r;
	id = json_view_int(deploy, "id");
	json_decref(deploy);
	return deploy_follow(c, id, how);
}

int cmd_deploy_follow(const struct command_call *c)
{
	return watch(c, DEPLOY_FOLLOW_STORY);
}

int cmd_deploy_log(const struct command_call *c)
{
	return watch(c, c->flags[FLAG_FOLLOW] ? DEPLOY_FOLLOW_LOG : DEPLOY_FOLLOW_LOG_ONCE);
}

static int print_cancelled(const json_t *deploy)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1 << 16);
	const struct term t = term_detect();

	deploy_words_end(&t, deploy, NULL, &out);
	return cmd_print(&out);
}

/* It may have come to another end before the request did. */
static int cancel(const struct command_call *c, const json_t *deploy)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	_cleanup_(client_close_p) struct client *client = NULL;
	json_t *reply;
	struct err e;
	int r = client_open(state, &client, &e);

	if (r == 0)
		r = client_call_within(client,
			json_pack("{s:s, s:O}", "op", "deploy.cancel", "deploy",
				json_object_get(deploy, "id")),
			CANCEL_MS, &reply, &e);
	if (r < 0)
		return cmd_fail(r, &e);
	deploy = json_object_get(reply, "deploy");
	r = c->flags[FLAG_JSON] ? cmd_print_json(deploy) : print_cancelled(deploy);
	if (r == 0 && strcmp(json_view_text(deploy, "state"), "cancelled") != 0)
		r = COMMAND_FAILED;
	json_decref(reply);
	return r;
}

int cmd_deploy_cancel(const struct command_call *c)
{
	char state[32];
	json_t *deploy;
	int r = deploy_target_open(c, &deploy);

	if (r != 0)
		return r;
	deploy_words_state(deploy, state, sizeof(state));
	if (!deploy_words_is_over(deploy) && !c->flags[FLAG_JSON])
		(void)fprintf(stderr,
			"cancelling deploy %" JSON_INTEGER_FORMAT " of %s, which is %s ...\n",
			json_view_int(deploy, "id"), json_view_text(deploy, "app"), state);
	r = cancel(c, deploy);
	json_decref(deploy);
	return r;
}
