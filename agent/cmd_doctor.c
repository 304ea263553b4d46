/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent doctor`: all checks, by the running agent, or without one by this process.
 */
#include <errno.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/doctor.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { NAME_COLUMNS = 10, STATE_COLUMNS = 8 };

static json_t *finding(const char *name, const char *state, const char *text, const char *cure)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s}", "name", name, "state", state, "text", text, "cure", cure);
}

/* Checks by the agent itself: it sees what its own user may. */
static int by_agent(struct client *client, json_t **checks, struct err *e)
{
	json_t *reply;
	int r = client_call(client, json_pack("{s:s}", "op", "doctor"), &reply, e);

	if (r < 0)
		return r;
	*checks = json_incref(json_object_get(reply, "checks"));
	json_decref(reply);
	(void)json_array_insert_new(*checks, 0, finding("agent", "ok", "running", ""));
	return 0;
}

static void by_myself(const struct command_call *c, const char *state, json_t **checks)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
	_cleanup_(config_free_p) struct config *config = NULL;
	struct mistakes m = {NULL, 0, 0};
	struct doctor_context d = {.state_dir = state, .config_path = c->flags[FLAG_CONFIG]};

	if (config_load(d.config_path, NULL, 0, &config, &m) < 0) {
		mistakes_done(&m);
		(void)config_from_memory(&options_all, "", "", 0, &config, &m);
	}
	mistakes_done(&m);
	d.config = config;
	doctor_json(&d, &b);
	*checks = json_loads(buf_str(&b), 0, NULL);
	(void)json_array_insert_new(*checks, 0,
		finding("agent", "warning", "not running; this user's view of things follows",
			"systemctl start agent, or: agent run"));
}

static enum term_style style_of(const char *state)
{
	if (strcmp(state, "ok") == 0)
		return TERM_GREEN;
	return strcmp(state, "failed") == 0 ? TERM_RED : TERM_YELLOW;
}

static const char *text_of(const json_t *check, const char *name)
{
	const char *s = json_string_value(json_object_get(check, name));

	return s ? s : "";
}

static void add_check(const struct term *t, const json_t *check, struct buf *out)
{
	size_t indent = STATE_COLUMNS + NAME_COLUMNS;
	const char *cure = text_of(check, "cure");

	term_style(t, style_of(text_of(check, "state")), out);
	term_add(out, text_of(check, "state"), STATE_COLUMNS);
	term_style(t, TERM_PLAIN, out);
	term_add(out, text_of(check, "name"), NAME_COLUMNS);
	term_add_wrapped(out, text_of(check, "text"), t->columns - indent, indent);
	buf_addc(out, '\n');
	if (!*cure)
		return;
	buf_addf(out, "%*s", (int)indent, "");
	term_style(t, TERM_BOLD, out);
	buf_adds(out, "-> ");
	term_style(t, TERM_PLAIN, out);
	term_add_wrapped(out, cure, t->columns - indent - 3, indent + 3);
	buf_addc(out, '\n');
}

static size_t count_state(const json_t *checks, const char *state)
{
	const json_t *check;
	size_t i, n = 0;

	json_array_foreach(checks, i, check) n += strcmp(text_of(check, "state"), state) == 0;
	return n;
}

static int print_checks(const json_t *checks)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
	struct term t = term_detect();
	const json_t *check;
	size_t i;

	if (t.columns < 40)
		t.columns = 40;
	json_array_foreach(checks, i, check) add_check(&t, check, &b);
	buf_addf(&b, "\nok: %zu, warnings: %zu, failed: %zu\n", count_state(checks, "ok"),
		count_state(checks, "warning"), count_state(checks, "failed"));
	return cmd_print(&b);
}

int cmd_doctor(const struct command_call *c)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	_cleanup_(client_close_p) struct client *client = NULL;
	json_t *checks = NULL, *out;
	struct err e;
	int r = client_open(state, &client, &e);

	if (r == 0)
		r = by_agent(client, &checks, &e);
	if (r == -ESRCH)
		by_myself(c, state, &checks);
	else if (r < 0)
		return cmd_fail(r, &e);
	if (c->flags[FLAG_JSON]) {
		out = json_pack("{s:O}", "checks", checks);
		r = cmd_print_json(out);
		json_decref(out);
	} else {
		r = print_checks(checks);
	}
	if (count_state(checks, "failed"))
		r = COMMAND_FAILED;
	json_decref(checks);
	return r;
}
