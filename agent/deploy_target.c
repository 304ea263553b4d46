/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/deploy_words.h"
#include "agent/json_view.h"
#include "base/str.h"

enum { LOOKED_AT = 20 }; /* two of an app are open at most, and they are the newest */

int64_t deploy_target_number(const char *word)
{
	uint64_t n;

	return str_to_u64(word, &n, NULL) == 0 && n <= INT64_MAX ? (int64_t)n : 0;
}

static int ask_number(const struct command_call *c, int64_t id, json_t **out)
{
	json_t *reply;
	int r = cmd_ask(
		c, json_pack("{s:s, s:I}", "op", "deploy.get", "deploy", (json_int_t)id), &reply);

	if (r != 0)
		return r;
	*out = json_incref(json_object_get(reply, "deploy"));
	json_decref(reply);
	return 0;
}

static int ask_app(const struct command_call *c, json_t **list)
{
	json_t *reply;
	int r = cmd_ask(c,
		json_pack("{s:s, s:o, s:i}", "op", "deploy.list", "app", cmd_text(c->args[0]),
			"limit", LOOKED_AT),
		&reply);

	if (r != 0)
		return r;
	*list = json_incref(json_object_get(reply, "deploys"));
	json_decref(reply);
	return 0;
}

/* The open ones of a list that has the newest first: the older one is under way. */
static size_t open_ones(const json_t *list, json_t **running, json_t **newest)
{
	size_t i, n = 0;
	json_t *one;

	json_array_foreach(list, i, one) if (!deploy_words_is_over(one))
	{
		if (!n++)
			*newest = one;
		*running = one;
	}
	return n;
}

int deploy_target(const struct command_call *c, json_t **out)
{
	int64_t id = c->n_args ? deploy_target_number(c->args[0]) : 0;
	json_t *list, *found = NULL, *newest;
	int r;

	if (!c->n_args)
		return cmd_usage(c, "which deploy? Its number, or the name of the app");
	if (id)
		return ask_number(c, id, out);
	r = ask_app(c, &list);
	if (r != 0)
		return r;
	if (!open_ones(list, &found, &newest))
		found = json_array_get(list, 0);
	if (found) {
		*out = json_incref(found);
	} else {
		(void)fprintf(stderr,
			"agent: %s was not deployed yet; agent deploy now %s does it\n", c->args[0],
			c->args[0]);
		r = COMMAND_FAILED;
	}
	json_decref(list);
	return r;
}

int deploy_target_open(const struct command_call *c, json_t **out)
{
	json_t *list, *running = NULL, *newest = NULL;
	size_t n;
	int r;

	if (!c->n_args || deploy_target_number(c->args[0]))
		return deploy_target(c, out);
	r = ask_app(c, &list);
	if (r != 0)
		return r;
	n = open_ones(list, &running, &newest);
	if (n == 0)
		(void)fprintf(stderr, "agent: no deploy of %s waits or is under way\n", c->args[0]);
	else if (n > 1)
		(void)fprintf(stderr,
			"agent: deploy %" JSON_INTEGER_FORMAT
			" of %s is under way, and deploy %" JSON_INTEGER_FORMAT
			" waits: say which, by its number\n",
			json_view_int(running, "id"), c->args[0], json_view_int(newest, "id"));
	else
		*out = json_incref(running);
	json_decref(list);
	return n == 1 ? 0 : COMMAND_FAILED;
}
