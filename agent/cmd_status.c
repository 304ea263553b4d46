/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent status`: the server, what fires, its containers and what is wrong, on one screen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/columns.h"
#include "agent/host_view.h"
#include "agent/json_view.h"
#include "agent/table.h"
#include "agent/term.h"
#include "agent/view.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

enum { FILESYSTEMS_MAX = 4, ROWS_MIN = 10, ALERTS_MAX = 5, BACKUPS_MAX = 3, APPS_MAX = 3 };

struct status {
	json_t *host;
	json_t *latest; /* NULL before the first sample */
	json_t *alerts;
	json_t *backups;
	json_t *deploys;
};

static void status_done(struct status *s)
{
	json_decref(s->host);
	json_decref(s->latest);
	json_decref(s->alerts);
	json_decref(s->backups);
	json_decref(s->deploys);
}

static int get_status(const struct command_call *c, struct status *s)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	_cleanup_(client_close_p) struct client *client = NULL;
	struct err e;
	int r = client_open(state, &client, &e);

	if (r == 0)
		r = client_call(client, json_pack("{s:s}", "op", "host"), &s->host, &e);
	if (r == 0)
		r = client_call(client, json_pack("{s:s}", "op", "alerts.list"), &s->alerts, &e);
	if (r == 0)
		r = client_call(client, json_pack("{s:s}", "op", "backup.jobs"), &s->backups, &e);
	if (r == 0)
		r = client_call(client, json_pack("{s:s}", "op", "deploy.apps"), &s->deploys, &e);
	if (r < 0)
		return cmd_fail(r, &e);
	r = client_call(client,
		json_pack("{s:s, s:[s,s,s,s]}", "op", "latest", "classes", "host", "filesystem",
			"container", "service"),
		&s->latest, &e);
	/* Refused in the first second of its life. */
	return r < 0 && r != -EREMOTEIO ? cmd_fail(r, &e) : 0;
}

static int print_json(const struct status *s)
{
	json_t *out = json_object();
	int r;

	(void)json_object_del(s->host, "id");
	(void)json_object_del(s->host, "ok");
	(void)json_object_set(out, "host", s->host);
	(void)json_object_set(out, "alerts", json_object_get(s->alerts, "alerts"));
	(void)json_object_set(out, "backups", json_object_get(s->backups, "jobs"));
	(void)json_object_set(out, "apps", json_object_get(s->deploys, "apps"));
	(void)json_object_set_new(
		out, "entities", view_named(json_object_get(s->latest, "entities")));
	r = cmd_print_json(out);
	json_decref(out);
	return r;
}

/* As many rows as the screen has left, and at least some; all of them into a pipe. */
static void add_table(const struct term *t, const json_t *entities, const char *class_name,
	const char *title, size_t room, struct buf *out)
{
	const json_t **list;
	size_t n = table_sorted(entities, class_name, TABLE_CPU, &list);
	size_t shown = n <= room ? n : room > ROWS_MIN ? room - 1 : ROWS_MIN;

	if (n) {
		buf_addc(out, '\n');
		table_head(t, title, TABLE_CPU, out);
		buf_addc(out, '\n');
	}
	for (size_t i = 0; i < n && i < shown; i++) {
		table_row(t, list[i], false, out);
		buf_addc(out, '\n');
	}
	if (shown < n)
		buf_addf(out, "and %zu more: agent top, or agent status --json\n", n - shown);
	free(list);
}

/* What fires; what only waits for its time to pass is no news yet. */
static void add_alerts(const struct term *t, const json_t *alerts, struct buf *out)
{
	_cleanup_(columns_free_p) struct columns *table = cmd_alerts_table();
	const json_t *a;
	size_t i, n = 0;

	json_array_foreach(alerts, i, a)
	{
		if (strcmp(json_view_text(a, "state"), "pending") == 0)
			continue;
		if (n++ < ALERTS_MAX)
			cmd_alerts_row(table, a, clock_wall_ms());
	}
	if (!n)
		return;
	buf_addc(out, '\n');
	columns_print(table, t, out);
	if (n > ALERTS_MAX)
		buf_addf(out, "and %zu more: agent alerts\n", n - ALERTS_MAX);
	buf_addc(out, '\n');
}

/* Only those that need somebody; that the others are well is a line. */
static void add_backups(const struct term *t, const json_t *jobs, struct buf *out)
{
	_cleanup_(columns_free_p) struct columns *table = cmd_backup_table();
	const json_t *job;
	size_t i, bad = 0, n = json_array_size(jobs);

	json_array_foreach(jobs, i, job)
	{
		if (!cmd_backup_is_bad(job))
			continue;
		if (bad++ < BACKUPS_MAX)
			cmd_backup_row(table, job);
	}
	if (!n)
		return;
	buf_addc(out, '\n');
	if (bad)
		columns_print(table, t, out);
	if (bad > BACKUPS_MAX)
		buf_addf(out, "and %zu more: agent backup\n", bad - BACKUPS_MAX);
	if (!bad)
		buf_addf(out, "Backups: %zu job%s, none failed or overdue (agent backup)\n", n,
			n == 1 ? "" : "s");
}

/* Those that are being deployed, or whose last deploy went wrong. */
static void add_apps(const struct term *t, const json_t *apps, struct buf *out)
{
	_cleanup_(columns_free_p) struct columns *table = cmd_deploy_app_table();
	size_t i, news = 0, n = json_array_size(apps);
	const json_t *app;

	json_array_foreach(apps, i, app)
	{
		if (!cmd_deploy_app_is_news(app))
			continue;
		if (news++ < APPS_MAX)
			cmd_deploy_app_row(table, app);
	}
	if (!n)
		return;
	buf_addc(out, '\n');
	if (news)
		columns_print(table, t, out);
	if (news > APPS_MAX)
		buf_addf(out, "and %zu more: agent deploy\n", news - APPS_MAX);
	if (!news)
		buf_addf(out, "Deploys: %zu app%s, none failed or under way (agent deploy)\n", n,
			n == 1 ? "" : "s");
}

static void add_problems(const struct term *t, const json_t *problems, struct buf *out)
{
	const json_t *p;
	char since[64];
	size_t i;

	buf_addc(out, '\n');
	if (json_array_size(problems) == 0) {
		term_style(t, TERM_GREEN, out);
		buf_adds(out, "No problems.");
		term_style(t, TERM_PLAIN, out);
		buf_addc(out, '\n');
		return;
	}
	term_style(t, TERM_BOLD, out);
	buf_adds(out, "Problems");
	term_style(t, TERM_PLAIN, out);
	buf_adds(out, " (agent doctor tells more)\n");
	json_array_foreach(problems, i, p)
	{
		const char *text = json_string_value(json_object_get(p, "text"));
		json_int_t from = json_integer_value(json_object_get(p, "since"));
		_cleanup_(free_p) char *line = NULL;

		str_human_duration(since, sizeof(since), time(NULL) - (time_t)from);
		line = str_format("%s (since %s)", text ? text : "", since);
		term_style(t, TERM_YELLOW, out);
		buf_adds(out, "  ! ");
		term_style(t, TERM_PLAIN, out);
		term_add_wrapped(out, line, t->columns - 4, 4);
		buf_addc(out, '\n');
	}
}

static size_t count_lines(const struct buf *b)
{
	size_t n = 0;

	for (const char *p = buf_str(b); *p; p++)
		n += *p == '\n';
	return n;
}

static void draw(const struct term *t, bool whole, const struct status *s, struct buf *out)
{
	const json_t *entities = json_object_get(s->latest, "entities");
	const json_t *host = view_first(entities, "host");
	_cleanup_(buf_done) struct buf problems = BUF_INIT(1 << 20);
	size_t room = SIZE_MAX, used;

	host_view_title(t, s->host, time(NULL), out);
	add_alerts(t, json_object_get(s->alerts, "alerts"), out);
	add_backups(t, json_object_get(s->backups, "jobs"), &problems);
	add_apps(t, json_object_get(s->deploys, "apps"), &problems);
	add_problems(t, json_object_get(s->host, "problems"), &problems);
	if (!host) {
		buf_adds(out, "The first sample is not complete yet.\n");
	} else {
		(void)host_view_lines(t, s->host, host, out);
		(void)host_view_filesystems(t, entities, FILESYSTEMS_MAX, out);
	}
	used = count_lines(out) + count_lines(&problems) + 3;
	if (!whole)
		room = t->rows > used ? t->rows - used : 0;
	if (view_count(entities, "container"))
		add_table(t, entities, "container", "CONTAINER", room, out);
	else if (host)
		add_table(t, entities, "service", "SERVICE (no containers)", room, out);
	buf_add(out, buf_str(&problems), problems.len);
}

int cmd_status(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(64 << 20);
	_cleanup_(status_done) struct status s = {.host = NULL};
	struct term t = term_detect();
	int r = get_status(c, &s);

	if (r != 0)
		return r;
	if (c->flags[FLAG_JSON])
		return print_json(&s);
	if (t.columns < HOST_VIEW_COLUMNS_MIN)
		t.columns = HOST_VIEW_COLUMNS_MIN;
	draw(&t, !isatty(STDOUT_FILENO), &s, &out);
	return cmd_print(&out);
}
