/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent top`: the live table in the terminal, redrawn at each sample the agent pushes and at each
 * key.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/cmd.h"
#include "agent/host_view.h"
#include "agent/screen.h"
#include "agent/table.h"
#include "agent/term.h"
#include "agent/view.h"
#include "base/cleanup.h"
#include "base/str.h"

struct top {
	struct client *client;
	struct screen screen;
	json_t *host; /* answer of the operation `host` */
	json_t *sample; /* the last one, NULL before the first */
	enum table_sort sort;
	bool services;
	bool paused;
	/* key of the entity, so that it stays when the order changes; "" the first */
	char selected[512];
	size_t scroll; /* first row shown */
	size_t page; /* rows of the table on the screen, of the last drawing */
};

static const struct {
	int key;
	enum table_sort sort;
} sort_keys[] = {{'c', TABLE_CPU}, {'m', TABLE_MEMORY}, {'n', TABLE_NETWORK}, {'d', TABLE_DISK},
	{'a', TABLE_NAME}};

static const char *shown_class(const struct top *top)
{
	return top->services ? "service" : "container";
}

static const json_t *entities_of(const struct top *top)
{
	return json_object_get(top->sample, "entities");
}

/* Place of the selected one in the list; the first when it is gone. */
static size_t selected_index(const struct top *top, const json_t *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(view_key(list[i]), top->selected) == 0)
			return i;
	return 0;
}

static void draw_rows(
	struct top *top, const struct term *t, const json_t *const *list, size_t n, struct buf *out)
{
	size_t at = selected_index(top, list, n);

	if (at < top->scroll)
		top->scroll = at;
	if (at >= top->scroll + top->page)
		top->scroll = at - top->page + 1;
	if (n <= top->page)
		top->scroll = 0;
	else if (top->scroll > n - top->page)
		top->scroll = n - top->page;
	for (size_t i = 0; i < top->page; i++) {
		if (top->scroll + i < n)
			table_row(t, list[top->scroll + i], top->scroll + i == at, out);
		buf_addc(out, '\n');
	}
}

static void draw_title(const struct top *top, const struct term *t, size_t n, struct buf *out)
{
	char title[64];

	(void)snprintf(title, sizeof(title), "%zu %s%s", n, shown_class(top), n == 1 ? "" : "S");
	for (char *p = title; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	table_head(t, title, top->sort, out);
	buf_addc(out, '\n');
}

static void draw_foot(const struct top *top, const struct term *t, struct buf *out)
{
	static const char keys[] =
		"q quit  sort: c CPU m memory n net d disk a name  Tab services  p pause";
	time_t now = (time_t)json_integer_value(json_object_get(top->sample, "time"));
	char when[32] = "";
	struct tm tm;

	if (top->sample && localtime_r(&now, &tm))
		(void)strftime(when, sizeof(when), "%H:%M:%S", &tm);
	term_style(t, TERM_DIM, out);
	term_add(out, top->paused ? "paused; p goes on" : keys, t->columns - 9);
	term_add_right(out, when, 9);
	term_style(t, TERM_PLAIN, out);
}

/* Problems in one line: the text of the first, and how many more. */
static size_t draw_problems(const struct top *top, const struct term *t, struct buf *out)
{
	const json_t *problems = json_object_get(top->host, "problems");
	const json_t *first = json_array_get(problems, 0);
	const char *text = json_string_value(json_object_get(first, "text"));
	_cleanup_(free_p) char *line = NULL;
	size_t n = json_array_size(problems);

	if (!n)
		return 0;
	line = n > 1 ? str_format("! %s (and %zu more: agent status)", text ? text : "", n - 1)
		     : str_format("! %s", text ? text : "");
	term_style(t, TERM_YELLOW, out);
	term_add(out, line, t->columns);
	term_style(t, TERM_PLAIN, out);
	buf_addc(out, '\n');
	return 1;
}

static int draw(struct top *top, struct err *e)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(16 << 20);
	struct term t = term_detect();
	const json_t **list = NULL;
	size_t n, used = 1;

	if (t.columns < HOST_VIEW_COLUMNS_MIN)
		t.columns = HOST_VIEW_COLUMNS_MIN; /* the terminal cuts */
	host_view_title(&t, top->host, time(NULL), &out);
	used += host_view_lines(&t, top->host, view_first(entities_of(top), "host"), &out);
	used += draw_problems(top, &t, &out);
	if (t.rows >= 24) {
		buf_addc(&out, '\n');
		used++;
	}
	n = table_sorted(entities_of(top), shown_class(top), top->sort, &list);
	draw_title(top, &t, n, &out);
	used += 3; /* the heading, details, foot */
	top->page = t.rows > used ? t.rows - used : 1;
	draw_rows(top, &t, list, n, &out);
	term_style(&t, TERM_DIM, &out);
	if (n)
		table_details(&t, list[selected_index(top, list, n)], &out);
	term_style(&t, TERM_PLAIN, &out);
	buf_addc(&out, '\n');
	draw_foot(top, &t, &out);
	free(list);
	return screen_draw(&out, e);
}

static void move_selection(struct top *top, int key)
{
	const json_t **list;
	size_t n = table_sorted(entities_of(top), shown_class(top), top->sort, &list);
	size_t at = selected_index(top, list, n),
	       step = key == KEY_UP || key == KEY_DOWN ? 1 : top->page;

	if (key == KEY_HOME)
		at = 0;
	else if (key == KEY_END)
		at = n ? n - 1 : 0;
	else if (key == KEY_UP || key == KEY_PAGE_UP)
		at = at > step ? at - step : 0;
	else
		at = n && at + step >= n ? n - 1 : at + step;
	if (n)
		(void)str_copy(top->selected, sizeof(top->selected), view_key(list[at]));
	free(list);
}

/* False when the key means the end. */
static bool take_key(struct top *top, int key)
{
	if (key == 'q' || key == 'Q' || key == 3)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(sort_keys); i++)
		if (key == sort_keys[i].key)
			top->sort = sort_keys[i].sort;
	if (key == 'p' || key == ' ')
		top->paused = !top->paused;
	if (key == '\t') {
		top->services = !top->services;
		top->selected[0] = '\0';
	}
	if (key == 'k')
		key = KEY_UP;
	if (key == 'j')
		key = KEY_DOWN;
	if (key >= KEY_UP && key <= KEY_END)
		move_selection(top, key);
	return true;
}

/* All samples that are here; the last one counts. Problems may have changed with it. */
static int take_samples(struct top *top, struct err *e)
{
	json_t *message, *host;
	bool any = false;
	int r;

	while ((r = client_event(top->client, 0, &message, e)) == CLIENT_EVENT) {
		const char *event = json_string_value(json_object_get(message, "event"));

		if (event && strcmp(event, "sample") == 0 && !top->paused) {
			json_decref(top->sample);
			top->sample = message;
			any = true;
		} else {
			json_decref(message);
		}
	}
	if (r == 0 && any) {
		r = client_call(top->client, json_pack("{s:s}", "op", "host"), &host, e);
		if (r == 0) {
			json_decref(top->host);
			top->host = host;
		}
	}
	return r == -EINTR ? 0 : r;
}

static int subscribe(struct top *top, struct err *e)
{
	json_t *reply;
	int r = client_call(top->client, json_pack("{s:s}", "op", "host"), &top->host, e);

	if (r == 0)
		r = client_call(top->client,
			json_pack("{s:s, s:[s,s,s]}", "op", "latest", "classes", "host",
				"container", "service"),
			&top->sample, e);
	if (r < 0 && r != -EREMOTEIO) /* refused before the first sample */
		return r;
	r = client_call(top->client,
		json_pack("{s:s, s:[s,s,s]}", "op", "sample.subscribe", "classes", "host",
			"container", "service"),
		&reply, e);
	if (r == 0)
		json_decref(reply);
	return r;
}

static int live(struct top *top, struct err *e)
{
	int r = screen_enter(&top->screen, e), key = 0;

	top->screen.wake_fd = client_fd(top->client);
	if (r == 0)
		r = draw(top, e);
	while (r == 0) {
		r = screen_wait(&top->screen, &key, e);
		if (r == SCREEN_END || (r == SCREEN_KEY && !take_key(top, key)))
			return 0;
		if (r == SCREEN_WAKE)
			r = take_samples(top, e);
		if (r >= 0)
			r = draw(top, e);
	}
	return r;
}

/* One line of JSON a sample, until the reader or the agent goes. */
static int stream(struct top *top, struct err *e)
{
	json_t *message;
	int r;

	while ((r = client_event(top->client, 600000, &message, e)) >= 0) {
		json_t *out;
		char *text;

		if (r == CLIENT_NOTHING)
			continue;
		out = json_pack("{s:O?, s:o}", "time", json_object_get(message, "time"), "entities",
			view_named(json_object_get(message, "entities")));
		text = json_dumps(out, JSON_COMPACT | JSON_REAL_PRECISION(12));
		r = text && puts(text) >= 0 && fflush(stdout) == 0 ? 0 : err_sys(e, "write output");
		free(text);
		json_decref(out);
		json_decref(message);
		if (r < 0)
			break;
	}
	return r;
}

int cmd_top(const struct command_call *c)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	struct top top = {.screen = {.signal_fd = -1}};
	struct err e;
	int r = client_open(state, &top.client, &e);

	if (r == 0)
		r = subscribe(&top, &e);
	if (r == 0)
		r = c->flags[FLAG_JSON] ? stream(&top, &e) : live(&top, &e);
	screen_leave(&top.screen);
	json_decref(top.host);
	json_decref(top.sample);
	client_close(top.client);
	if (r == -ENOTTY)
		(void)err_set(&e, ENOTTY,
			"top needs a terminal; for programs: agent top --json, agent status "
			"--json");
	return r < 0 ? cmd_fail(r, &e) : COMMAND_DONE;
}
