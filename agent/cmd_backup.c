/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent backup`: the jobs, when each was last good and when it runs next.
 */
#include <stdio.h>
#include <string.h>

#include "agent/backup_bar.h"
#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/message.h"

static void describe_next(const json_t *job, char *to, size_t size)
{
	int64_t next_ms = json_view_int(job, "next_ms");

	if (json_object_get(job, "running"))
		(void)str_copy(to, size, "running");
	else if (json_view_int(job, "waiting"))
		(void)str_copy(to, size, "waiting");
	else if (next_ms)
		message_time(to, size, next_ms, clock_wall_ms());
	else
		(void)str_copy(to, size, "by hand");
}

static void describe_last(const json_t *job, char *to, size_t size)
{
	int64_t last_ms = json_view_int(job, "last_success_ms");
	char ago[48];

	if (!last_ms) {
		(void)str_copy(to, size, "never");
		return;
	}
	str_human_duration(ago, sizeof(ago), (clock_wall_ms() - last_ms) / 1000);
	(void)snprintf(to, size, "%s ago", ago);
}

/* "ok", or what is wrong, the worst first. */
static const char *verdict_of(const json_t *job, enum term_style *style)
{
	const json_t *last = json_object_get(job, "last");
	const char *state = json_view_text(last, "state");

	*style = TERM_RED;
	if (json_is_true(json_object_get(job, "overdue")))
		return "overdue";
	if (json_is_true(json_object_get(last, "partial")))
		return "in part";
	if (!last) {
		*style = TERM_YELLOW;
		return "new";
	}
	*style = backup_state_style(state);
	return strcmp(state, "done") == 0        ? "ok"
	       : strcmp(state, "timed_out") == 0 ? "timed out"
						 : state;
}

static void add_notes(struct columns *table, const json_t *job, const char *verdict)
{
	_cleanup_(buf_done) struct buf stores = BUF_INIT(1000);
	const json_t *last = json_object_get(job, "last");
	const json_t *verify = json_object_get(job, "last_verify");
	const json_t *drill = json_object_get(job, "last_drill");

	json_view_join(job, "stores", &stores);
	columns_note(table, "to %s%s, keeps %s", buf_str(&stores),
		json_is_true(json_object_get(job, "encrypted")) ? ", encrypted" : "",
		json_view_text(job, "keep"));
	if (strcmp(verdict, "ok") != 0 && *json_view_text(last, "error"))
		columns_note(table, "%s", json_view_text(last, "error"));
	if (strcmp(json_view_text(verify, "state"), "failed") == 0)
		columns_note(table, "verification failed: %s", json_view_text(verify, "error"));
	if (strcmp(json_view_text(drill, "state"), "failed") == 0)
		columns_note(table, "trial restore failed: %s", json_view_text(drill, "error"));
}

void cmd_backup_row(struct columns *table, const json_t *job)
{
	char last[80], next[64], size[TERM_VALUE_MAX];
	enum term_style style;
	const char *verdict = verdict_of(job, &style);
	const char *cells[] = {json_view_text(job, "name"), verdict, last, size, next,
		json_view_text(job, "source")};

	describe_last(job, last, sizeof(last));
	describe_next(job, next, sizeof(next));
	term_bytes(size, sizeof(size), (double)json_view_int(job, "last_size_bytes"));
	if (!json_view_int(job, "last_success_ms"))
		(void)str_copy(size, sizeof(size), "-");
	columns_row(table, cells, ARRAY_LEN(cells), 1, style);
	add_notes(table, job, verdict);
}

struct columns *cmd_backup_table(void)
{
	static const char *const heads[] = {
		"JOB", "STATE", "LAST GOOD", ">SIZE", "NEXT", "OF", NULL};

	return columns_new(heads);
}

bool cmd_backup_is_bad(const json_t *job)
{
	enum term_style style;

	(void)verdict_of(job, &style);
	return style == TERM_RED;
}

static int print_jobs(const json_t *jobs)
{
	_cleanup_(columns_free_p) struct columns *table = cmd_backup_table();
	_cleanup_(buf_done) struct buf out = BUF_INIT(16 << 20);
	struct term t = term_detect();
	const json_t *job;
	size_t i;

	if (json_array_size(jobs) == 0)
		buf_adds(&out, "No backups are set up: there is no databases group in the "
			       "configuration; agent.conf(5) has an example.\n");
	json_array_foreach(jobs, i, job) cmd_backup_row(table, job);
	if (json_array_size(jobs))
		columns_print(table, &t, &out);
	return cmd_print(&out);
}

int cmd_backup(const struct command_call *c)
{
	json_t *reply;
	int r = cmd_ask(c, json_pack("{s:s}", "op", "backup.jobs"), &reply);

	if (r != 0)
		return r;
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply)
				: print_jobs(json_object_get(reply, "jobs"));
	json_decref(reply);
	return r;
}
