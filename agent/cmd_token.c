/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent token show` and `agent token rotate`.
 */
#include <stdio.h>

#include "agent/cmd.h"

static int ask_token(const struct command_call *c, const char *op)
{
	const char *role = c->flags[FLAG_VIEWER] ? "viewer" : "admin";
	const char *token;
	json_t *reply;
	int r = cmd_ask(c, json_pack("{s:s, s:s}", "op", op, "role", role), &reply);

	if (r != 0)
		return r;
	token = json_string_value(json_object_get(reply, "token"));
	if (c->flags[FLAG_JSON]) {
		json_t *out = json_pack("{s:s, s:s}", "role", role, "token", token ? token : "");

		r = cmd_print_json(out);
		json_decref(out);
	} else if (!token || printf("%s\n", token) < 0 || fflush(stdout) != 0) {
		r = COMMAND_FAILED;
	}
	json_decref(reply);
	return r;
}

int cmd_token_show(const struct command_call *c)
{
	return ask_token(c, "token.show");
}

int cmd_token_rotate(const struct command_call *c)
{
	return ask_token(c, "token.rotate");
}
