/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent alerts rules`.
 */
#include <stdio.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/str.h"

static void add_time(struct buf *b, const json_t *rule, const char *name, const char *words)
{
	json_int_t ms = json_view_int(rule, name);
	char text[32];

	if (!ms)
		return;
	str_from_duration_ms(text, sizeof(text), ms);
	buf_addf(b, "%s%s", words, text);
}

/* "filesystem.used_percent, average of 5m" */
static void describe_metric(const json_t *rule, struct buf *b)
{
	const char *type = json_view_text(rule, "type"), *how = json_view_text(rule, "how");

	buf_adds(b, json_view_text(rule, "metric"));
	if (strcmp(type, "forecast") == 0) {
		buf_addf(b, ", time until %s", json_view_text(rule, "target"));
		add_time(b, rule, "window_ms", " at the pace of the last ");
	} else if (strcmp(type, "change") == 0) {
		add_time(b, rule, "window_ms", ", change within ");
	} else if (strcmp(type, "missing") == 0) {
		buf_adds(b, " is unknown");
	} else if (strcmp(type, "gone") == 0) {
		buf_adds(b, ": its owner is gone");
	} else if (json_view_int(rule, "window_ms")) {
		buf_addf(b, ", %s", how);
		add_time(b, rule, "window_ms", " of ");
	}
}

/* "warning above 90 %", "warning when yes". */
static void add_limit(struct buf *b, const char *level, const char *limit)
{
	bool boolean = strcmp(limit, "yes") == 0 || strcmp(limit, "no") == 0;

	if (*limit)
		buf_addf(b, "%s%s %s%s", b->len ? ", " : "", level, boolean ? "when " : "", limit);
}

static void describe_limits(const json_t *rule, struct buf *b)
{
	add_limit(b, "warning", json_view_text(rule, "warning"));
	add_limit(b, "critical", json_view_text(rule, "critical"));
	if (!b->len)
		buf_adds(b, json_view_text(rule, "severity"));
	add_time(b, rule, "for_ms", b->len ? ", for " : "for ");
	add_time(b, rule, "repeat_ms", "; again every ");
}

static void note_list(
	struct columns *table, const json_t *rule, const char *name, const char *words)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64 * 1024);

	json_view_join(rule, name, &b);
	if (b.len && strcmp(buf_str(&b), "*") != 0)
		columns_note(table, "%s %s", words, buf_str(&b));
}

static void add_rule(struct columns *table, const json_t *rule)
{
	_cleanup_(buf_done) struct buf metric = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf limits = BUF_INIT(4096);
	bool on = json_is_true(json_object_get(rule, "enabled"));
	json_int_t firing = json_view_int(rule, "firing"), pending = json_view_int(rule, "pending");
	const char *origin = json_view_text(rule, "origin");
	char state[64], watched[32];
	const char *cells[] = {json_view_text(rule, "name"), state, watched, NULL};

	(void)snprintf(state, sizeof(state), "%s", on ? "ok" : "off");
	if (firing)
		(void)snprintf(state, sizeof(state), "%lld firing", (long long)firing);
	else if (pending)
		(void)snprintf(state, sizeof(state), "%lld pending", (long long)pending);
	(void)snprintf(watched, sizeof(watched), "%lld", (long long)json_view_int(rule, "watched"));
	describe_metric(rule, &metric);
	cells[3] = buf_str(&metric);
	columns_row(table, cells, ARRAY_LEN(cells), 1,
		firing    ? TERM_RED
		: pending ? TERM_YELLOW
		: on      ? TERM_GREEN
			  : TERM_DIM);
	describe_limits(rule, &limits);
	if (limits.len)
		columns_note(table, "%s", buf_str(&limits));
	note_list(table, rule, "entities", "only");
	note_list(table, rule, "labels", "with labels");
	note_list(table, rule, "channels", "to");
	if (strcmp(origin, "built in") != 0)
		columns_note(table, "%s", origin);
}

int cmd_alerts_rules(const struct command_call *c)
{
	static const char *const heads[] = {"RULE", "STATE", ">WATCHED", "WHAT AND WHEN", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	struct term t = term_detect();
	json_t *reply, *rule;
	size_t i;
	int r = cmd_ask(c, json_pack("{s:s}", "op", "alerts.rules"), &reply);

	if (r != 0)
		return r;
	if (c->flags[FLAG_JSON]) {
		r = cmd_print_reply(reply);
	} else {
		json_array_foreach(json_object_get(reply, "rules"), i, rule) add_rule(table, rule);
		columns_print(table, &t, &out);
		r = cmd_print(&out);
	}
	json_decref(reply);
	return r;
}
