/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

int cmd_fail(int r, const struct err *e)
{
	(void)fprintf(stderr, "agent: %s\n", e->msg);
	return r == -ESRCH ? COMMAND_NOT_RUNNING : COMMAND_FAILED;
}

int cmd_ask(const struct command_call *c, json_t *request, json_t **reply)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	_cleanup_(client_close_p) struct client *client = NULL;
	struct err e;
	int r = client_open(state, &client, &e);

	if (r < 0)
		json_decref(request);
	else
		r = client_call(client, request, reply, &e);
	return r < 0 ? cmd_fail(r, &e) : 0;
}

int cmd_usage(const struct command_call *c, const char *fmt, ...)
{
	va_list ap;

	(void)fputs("agent: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\nTry: agent help %s\n", c->command->name);
	return COMMAND_USAGE;
}

json_t *cmd_text(const char *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(8 * strlen(s) + 16);
	json_t *value;

	buf_add_json_string(&b, s);
	value = json_loads(buf_str(&b), JSON_DECODE_ANY, NULL);
	return value ? value : json_string("");
}

void cmd_set_text(
	const struct command_call *c, enum command_flag flag, json_t *request, const char *name)
{
	if (c->flags[flag])
		(void)json_object_set_new(request, name, cmd_text(c->flags[flag]));
}

int cmd_set_limit(const struct command_call *c, json_t *request)
{
	const char *text = c->flags[FLAG_LIMIT];
	uint64_t n;

	if (!text)
		return 0;
	if (str_to_u64(text, &n, NULL) < 0 || n < 1 || n > 500)
		return cmd_usage(c, "--limit: %s is no number from 1 to 500", text);
	(void)json_object_set_new(request, "limit", json_integer((json_int_t)n));
	return 0;
}

static int write_out(const char *text, size_t n)
{
	if (fwrite(text, 1, n, stdout) == n && fflush(stdout) == 0)
		return COMMAND_DONE;
	(void)fprintf(stderr, "agent: write output: %s\n", err_text(-errno));
	return COMMAND_FAILED;
}

int cmd_print(const struct buf *b)
{
	return write_out(buf_str(b), b->len);
}

int cmd_print_json(const json_t *j)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64 << 20);
	_cleanup_(free_p) char *text =
		json_dumps(j, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));

	if (!text)
		abort(); /* what we made ourselves can be written */
	buf_adds(&b, text);
	buf_addc(&b, '\n');
	return cmd_print(&b);
}

int cmd_print_reply(json_t *reply)
{
	(void)json_object_del(reply, "id");
	(void)json_object_del(reply, "ok");
	return cmd_print_json(reply);
}

int cmd_completion(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);

	(void)c;
	command_completion(&b);
	return cmd_print(&b);
}
