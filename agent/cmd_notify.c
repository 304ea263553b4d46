/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent notify channels` and `agent notify log`.
 */
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/message.h"

/* "3m 5s ago", "never". */
static void describe_past(char *to, size_t size, json_int_t ms, int64_t now_ms)
{
	char text[64];

	str_human_duration(text, sizeof(text), (now_ms - ms) / 1000);
	(void)snprintf(to, size, ms ? "%s ago" : "never", text);
}

static enum term_style style_of(const char *doing, bool failing)
{
	if (strcmp(doing, "broken") == 0)
		return TERM_RED;
	return failing ? TERM_YELLOW : TERM_GREEN;
}

static void add_channel(struct columns *table, const json_t *c, int64_t now_ms)
{
	const char *doing = json_view_text(c, "doing"), *error = json_view_text(c, "last_error");
	json_int_t failures = json_view_int(c, "failures"), next_ms = json_view_int(c, "next_ms");
	json_int_t waiting = json_view_int(c, "waiting");
	char queued[32], sent[80], failed[80], next[64];
	const char *cells[] = {json_view_text(c, "name"), json_view_text(c, "type"), doing, queued,
		json_view_text(c, "min_severity"), sent};

	(void)snprintf(queued, sizeof(queued), "%lld", (long long)waiting);
	describe_past(sent, sizeof(sent), json_view_int(c, "last_sent_ms"), now_ms);
	columns_row(table, cells, ARRAY_LEN(cells), 2, style_of(doing, failures > 0));
	if (failures) {
		describe_past(failed, sizeof(failed), json_view_int(c, "last_failed_ms"), now_ms);
		columns_note(table, "failed %lld time%s in a row, last %s: %s", (long long)failures,
			failures == 1 ? "" : "s", failed, error);
	}
	if (waiting && next_ms > now_ms) {
		str_human_duration(next, sizeof(next), (next_ms - now_ms) / 1000);
		columns_note(table, "next message in %s", next);
	}
}

static int print_channels(const json_t *reply)
{
	static const char *const heads[] = {
		"CHANNEL", "TYPE", "STATE", ">WAITING", "FROM", "LAST SENT", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	const json_t *list = json_object_get(reply, "channels"), *one;
	struct term t = term_detect();
	size_t i;

	if (json_array_size(list) == 0) {
		buf_adds(&out,
			"No channel is set up, so alerts are shown here and on the dashboard "
			"only.\n"
			"One is a few lines of agent.conf: see EXAMPLES in agent.conf(5).\n");
		return cmd_print(&out);
	}
	json_array_foreach(list, i, one) add_channel(table, one, clock_wall_ms());
	columns_print(table, &t, &out);
	return cmd_print(&out);
}

int cmd_notify_channels(const struct command_call *c)
{
	json_t *reply;
	int r = cmd_ask(c, json_pack("{s:s}", "op", "notify.channels"), &reply);

	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply) : print_channels(reply);
	json_decref(reply);
	return r;
}

static enum term_style style_of_state(const char *state)
{
	if (strcmp(state, "sent") == 0)
		return TERM_GREEN;
	if (strcmp(state, "refused") == 0 || strcmp(state, "expired") == 0)
		return TERM_RED;
	return strcmp(state, "waiting") == 0 ? TERM_YELLOW : TERM_DIM;
}

static void add_delivery(struct columns *table, const json_t *d, int64_t now_ms)
{
	const char *state = json_view_text(d, "state"), *error = json_view_text(d, "error");
	json_int_t attempts = json_view_int(d, "attempts");
	char at[64];
	const char *cells[] = {at, json_view_text(d, "channel"), state, json_view_text(d, "title")};

	message_time(at, sizeof(at), json_view_int(d, "time_ms"), now_ms);
	columns_row(table, cells, ARRAY_LEN(cells), 2, style_of_state(state));
	if (*error)
		columns_note(table, "%lld attempt%s: %s", (long long)attempts,
			attempts == 1 ? "" : "s", error);
}

static int print_log(const json_t *reply)
{
	static const char *const heads[] = {"TIME", "CHANNEL", "STATE", "WHAT", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	const json_t *list = json_object_get(reply, "deliveries"), *one;
	struct term t = term_detect();
	size_t i;

	if (json_array_size(list) == 0) {
		buf_adds(&out, "Nothing was sent yet.\n");
		return cmd_print(&out);
	}
	json_array_foreach(list, i, one) add_delivery(table, one, clock_wall_ms());
	columns_print(table, &t, &out);
	return cmd_print(&out);
}

int cmd_notify_log(const struct command_call *c)
{
	json_t *request = json_pack("{s:s}", "op", "notify.log"), *reply;
	int r = cmd_set_limit(c, request);

	if (r != 0) {
		json_decref(request);
		return r;
	}
	cmd_set_text(c, FLAG_CHANNEL, request, "channel");
	r = cmd_ask(c, request, &reply);
	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply) : print_log(reply);
	json_decref(reply);
	return r;
}
