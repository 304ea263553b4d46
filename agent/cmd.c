/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

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

int cmd_completion(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);

	(void)c;
	command_completion(&b);
	return cmd_print(&b);
}
