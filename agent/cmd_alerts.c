/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent alerts` and `agent alerts history`.
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

static enum term_style style_of(const char *level)
{
	if (strcmp(level, "critical") == 0)
		return TERM_RED;
	return strcmp(level, "warning") == 0 ? TERM_YELLOW : TERM_PLAIN;
}

/* What there is to say beyond that it fires. */
static void add_notes(struct columns *table, const json_t *a)
{
	const char *by = json_view_text(a, "acknowledged_by");
	const char *reason = json_view_text(a, "acknowledged_reason");
	const char *muted = json_view_text(a, "muted"), *limit = json_view_text(a, "limit");
	const char *state = json_view_text(a, "state");

	if (*limit)
		columns_note(table, "limit: %s", limit);
	if (strcmp(state, "clearing") == 0)
		columns_note(table, "about to be over");
	else if (strcmp(state, "no-data") == 0)
		columns_note(table, "no values at present");
	else if (strcmp(state, "flapping") == 0)
		columns_note(table, "comes and goes; told once until it is steady");
	if (*by)
		columns_note(table, "acknowledged by %s%s%s", by, *reason ? ": " : "", reason);
	if (*muted)
		columns_note(table, "not told: %s", muted);
}

void cmd_alerts_row(struct columns *table, const json_t *a, int64_t now_ms)
{
	bool pending = strcmp(json_view_text(a, "state"), "pending") == 0;
	const char *level = json_view_text(a, "level"), *worst = json_view_text(a, "worst");
	const char *shown = pending ? "pending" : strcmp(level, "info") == 0 ? worst : level;
	char id[32], since[64];
	const char *cells[] = {
		id, shown, since, json_view_text(a, "rule"), json_view_text(a, "title")};

	/* One that was not told yet has no number. */
	(void)snprintf(id, sizeof(id), "%lld", (long long)json_view_int(a, "id"));
	if (!json_view_int(a, "id"))
		(void)str_copy(id, sizeof(id), "-");
	str_human_duration(since, sizeof(since), (now_ms - json_view_int(a, "since_ms")) / 1000);
	columns_row(table, cells, ARRAY_LEN(cells), 1, pending ? TERM_DIM : style_of(shown));
	add_notes(table, a);
}

struct columns *cmd_alerts_table(void)
{
	static const char *const heads[] = {">ID", "LEVEL", "SINCE", "RULE", "WHAT", NULL};

	return columns_new(heads);
}

/* With nothing to report it is good to know that somebody looks. */
static void add_quiet(const struct term *t, const json_t *rules, struct buf *out)
{
	const json_t *rule;
	json_int_t watched = 0;
	size_t i, on = 0;

	json_array_foreach(json_object_get(rules, "rules"), i, rule)
	{
		watched += json_view_int(rule, "watched");
		on += json_is_true(json_object_get(rule, "enabled"));
	}
	term_style(t, TERM_GREEN, out);
	buf_adds(out, "No alerts.");
	term_style(t, TERM_PLAIN, out);
	buf_addf(out, " %zu rules watch %lld values (agent alerts rules).\n", on,
		(long long)watched);
}

static void add_alerts(const struct term *t, const json_t *reply, struct buf *out)
{
	_cleanup_(columns_free_p) struct columns *table = cmd_alerts_table();
	json_int_t firing = json_view_int(reply, "firing"),
		   pending = json_view_int(reply, "pending");
	const json_t *a;
	size_t i;

	json_array_foreach(json_object_get(reply, "alerts"), i, a)
		cmd_alerts_row(table, a, clock_wall_ms());
	columns_print(table, t, out);
	buf_addf(out, "\n%lld firing, %lld pending\n", (long long)firing, (long long)pending);
}

int cmd_alerts(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	struct term t = term_detect();
	json_t *reply, *rules;
	int r = cmd_ask(c, json_pack("{s:s}", "op", "alerts.list"), &reply);

	if (r != 0)
		return r;
	if (c->flags[FLAG_JSON]) {
		r = cmd_print_reply(reply);
	} else if (json_array_size(json_object_get(reply, "alerts"))) {
		add_alerts(&t, reply, &out);
		r = cmd_print(&out);
	} else {
		r = cmd_ask(c, json_pack("{s:s}", "op", "alerts.rules"), &rules);
		if (r == 0) {
			add_quiet(&t, rules, &out);
			r = cmd_print(&out);
			json_decref(rules);
		}
	}
	json_decref(reply);
	return r;
}

/* "ops sent, mail waiting" */
static void describe_deliveries(const json_t *event, struct buf *out)
{
	const json_t *list = json_object_get(event, "deliveries"), *d;
	size_t i;

	json_array_foreach(list, i, d) buf_addf(out, "%s%s %s", i ? ", " : "",
		json_view_text(d, "channel"), json_view_text(d, "state"));
}

static void add_event(struct columns *table, const json_t *event)
{
	_cleanup_(buf_done) struct buf told = BUF_INIT(4096);
	bool end = json_is_true(json_object_get(event, "is_end"));
	const char *severity = json_view_text(event, "severity");
	char at[64];
	const char *cells[] = {at, end ? "ok" : severity, json_view_text(event, "title")};

	message_time(at, sizeof(at), json_view_int(event, "time_ms"), clock_wall_ms());
	columns_row(table, cells, ARRAY_LEN(cells), 1, end ? TERM_GREEN : style_of(severity));
	describe_deliveries(event, &told);
	if (told.len)
		columns_note(table, "told: %s", buf_str(&told));
}

static int print_events(const json_t *events)
{
	static const char *const heads[] = {"TIME", "LEVEL", "WHAT", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	struct term t = term_detect();
	const json_t *event;
	size_t i;

	if (json_array_size(events) == 0) {
		buf_adds(&out, "Nothing has happened yet.\n");
		return cmd_print(&out);
	}
	json_array_foreach(events, i, event) add_event(table, event);
	columns_print(table, &t, &out);
	return cmd_print(&out);
}

int cmd_alerts_history(const struct command_call *c)
{
	json_t *request = json_pack("{s:s}", "op", "events.list"), *reply;
	int r = cmd_set_limit(c, request);

	if (r == 0)
		cmd_set_text(c, FLAG_ENTITY, request, "entity");
	if (r != 0) {
		json_decref(request);
		return r;
	}
	r = cmd_ask(c, request, &reply);
	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply)
				: print_events(json_object_get(reply, "events"));
	json_decref(reply);
	return r;
}
