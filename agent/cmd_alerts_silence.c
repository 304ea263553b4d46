/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent alerts ack|silence|silences|unsilence`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/message.h"

/* Asks, and prints the answer as JSON or by `print`. */
static int ask_and_print(
	const struct command_call *c, json_t *request, int (*print)(const json_t *reply))
{
	json_t *reply;
	int r = cmd_ask(c, request, &reply);

	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply) : print(reply);
	json_decref(reply);
	return r;
}

static int print_acknowledged(const json_t *reply)
{
	json_int_t n = json_view_int(reply, "acknowledged");
	_cleanup_(buf_done) struct buf b = BUF_INIT(256);

	buf_addf(&b, "%lld alert%s acknowledged\n", (long long)n, n == 1 ? "" : "s");
	return cmd_print(&b);
}

int cmd_alerts_ack(const struct command_call *c)
{
	json_t *request;
	uint64_t id;

	if (c->n_args == 0)
		return cmd_usage(c, "which alert? Its number, or a rule");
	request = json_pack("{s:s}", "op", "alerts.ack");
	if (c->n_args == 1 && str_to_u64(c->args[0], &id, NULL) == 0)
		(void)json_object_set_new(request, "alert", json_integer((json_int_t)id));
	else
		(void)json_object_set_new(request, "rule", cmd_text(c->args[0]));
	if (c->n_args > 1)
		(void)json_object_set_new(request, "entity", cmd_text(c->args[1]));
	cmd_set_text(c, FLAG_REASON, request, "reason");
	return ask_and_print(c, request, print_acknowledged);
}

static int print_silenced(const json_t *reply)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(256);
	long long id = (long long)json_view_int(reply, "silence");

	buf_addf(&b, "silence %lld; to end it earlier: agent alerts unsilence %lld\n", id, id);
	return cmd_print(&b);
}

int cmd_alerts_silence(const struct command_call *c)
{
	const char *time = c->flags[FLAG_FOR];
	json_t *request;
	int64_t ms;
	struct err e;

	if (!c->flags[FLAG_RULE] && !c->flags[FLAG_ENTITY])
		return cmd_usage(c, "which alerts? --rule or --entity is missing");
	if (!time)
		return cmd_usage(c, "for how long? --for is missing");
	if (str_to_duration_ms(time, &ms, &e) < 0)
		return cmd_usage(c, "--for: %s", e.msg);
	if (ms < 1000)
		return cmd_usage(c, "--for: %s is too short", time);
	request =
		json_pack("{s:s, s:I}", "op", "alerts.silence", "seconds", (json_int_t)(ms / 1000));
	cmd_set_text(c, FLAG_RULE, request, "rule");
	cmd_set_text(c, FLAG_ENTITY, request, "entity");
	cmd_set_text(c, FLAG_REASON, request, "reason");
	return ask_and_print(c, request, print_silenced);
}

static int print_unsilenced(const json_t *reply)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64);

	(void)reply;
	buf_adds(&b, "ended\n");
	return cmd_print(&b);
}

int cmd_alerts_unsilence(const struct command_call *c)
{
	uint64_t id;

	if (c->n_args == 0 || str_to_u64(c->args[0], &id, NULL) < 0 || id > INT64_MAX)
		return cmd_usage(c, "which silence? Its number (agent alerts silences)");
	return ask_and_print(c,
		json_pack("{s:s, s:I}", "op", "alerts.unsilence", "silence", (json_int_t)id),
		print_unsilenced);
}

static void add_silence(struct columns *table, const json_t *s, int64_t now_ms)
{
	const char *reason = json_view_text(s, "reason");
	char id[32], left[64];
	const char *cells[] = {id, json_view_text(s, "rule"), json_view_text(s, "entity"), left,
		json_view_text(s, "by"), *reason ? reason : "-"};

	(void)snprintf(id, sizeof(id), "%lld", (long long)json_view_int(s, "id"));
	str_human_duration(left, sizeof(left), (json_view_int(s, "until_ms") - now_ms) / 1000);
	columns_row(table, cells, ARRAY_LEN(cells), COLUMNS_MAX, TERM_PLAIN);
}

static void add_window(struct columns *table, const json_t *m, int64_t now_ms)
{
	bool active = json_is_true(json_object_get(m, "active"));
	json_int_t until_ms = json_view_int(m, "until_ms"), next_ms = json_view_int(m, "next_ms");
	char end[64] = "-", next[64] = "never";
	const char *cells[] = {json_view_text(m, "name"), active ? "active" : "waiting", end, next};

	if (active)
		message_time(end, sizeof(end), until_ms, now_ms);
	if (next_ms)
		message_time(next, sizeof(next), next_ms, now_ms);
	columns_row(table, cells, ARRAY_LEN(cells), 1, active ? TERM_YELLOW : TERM_PLAIN);
}

static int print_silences(const json_t *reply)
{
	static const char *const heads[] = {">ID", "RULE", "ENTITY", "STILL", "BY", "REASON", NULL};
	static const char *const window_heads[] = {"MAINTENANCE", "STATE", "UNTIL", "NEXT", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	_cleanup_(columns_free_p) struct columns *windows = columns_new(window_heads);
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	const json_t *silences = json_object_get(reply, "silences"), *one;
	const json_t *maintenance = json_object_get(reply, "maintenance");
	struct term t = term_detect();
	int64_t now_ms = clock_wall_ms();
	size_t i;

	json_array_foreach(silences, i, one) add_silence(table, one, now_ms);
	json_array_foreach(maintenance, i, one) add_window(windows, one, now_ms);
	if (json_array_size(silences))
		columns_print(table, &t, &out);
	else
		buf_adds(&out, "Nothing is silenced.\n");
	if (json_array_size(maintenance)) {
		buf_addc(&out, '\n');
		columns_print(windows, &t, &out);
	}
	return cmd_print(&out);
}

int cmd_alerts_silences(const struct command_call *c)
{
	return ask_and_print(c, json_pack("{s:s}", "op", "alerts.silences"), print_silences);
}
