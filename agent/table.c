/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/view.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/metric.h"

enum { VALUE_COLUMNS = 7, STATE_COLUMNS = 12, VALUES = 7 };

struct item {
	const json_t *entity;
	double rank;
};

/* Unknown counts as nothing when the other half is known. */
static double sum(const json_t *e, size_t a, size_t b)
{
	double x = view_value(e, a), y = view_value(e, b);

	return isnan(x) ? y : isnan(y) ? x : x + y;
}

static double rank_of(const json_t *e, enum table_sort by)
{
	switch (by) {
	case TABLE_CPU:
		return view_value(e, CGROUP_cpu_used_percent);
	case TABLE_MEMORY:
		return view_value(e, CGROUP_memory_used_bytes);
	case TABLE_NETWORK:
		return sum(e, CGROUP_network_received_bytes_per_second,
			CGROUP_network_sent_bytes_per_second);
	case TABLE_DISK:
		return sum(
			e, CGROUP_disk_read_bytes_per_second, CGROUP_disk_written_bytes_per_second);
	case TABLE_NAME:
		return 0;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	double p = isnan(x->rank) ? -1 : x->rank, q = isnan(y->rank) ? -1 : y->rank;

	if (p != q)
		return p < q ? 1 : -1;
	return strcmp(view_key(x->entity), view_key(y->entity));
}

size_t table_sorted(
	const json_t *entities, const char *class_name, enum table_sort by, const json_t ***out)
{
	size_t max = json_array_size(entities), n = 0, i;
	struct item *items = calloc(max + 1, sizeof(*items));
	const json_t **list = calloc(max + 1, sizeof(const json_t *));
	const json_t *e;

	if (!items || !list)
		abort();
	json_array_foreach(entities, i, e) if (view_is(e, class_name)) items[n++] =
		(struct item){e, rank_of(e, by)};
	qsort(items, n, sizeof(*items), compare);
	for (i = 0; i < n; i++)
		list[i] = items[i].entity;
	free(items);
	*out = list;
	return n;
}

static size_t name_columns(const struct term *t)
{
	return (t->columns < TABLE_COLUMNS_MIN ? TABLE_COLUMNS_MIN : t->columns) -
	       VALUES * VALUE_COLUMNS - STATE_COLUMNS;
}

/* A right-aligned heading, bold for the column sorted by. */
static void add_heading(const struct term *t, const char *text, bool bold, struct buf *out)
{
	if (bold)
		term_style(t, TERM_BOLD, out);
	term_add_right(out, text, VALUE_COLUMNS);
	if (bold) {
		term_style(t, TERM_PLAIN, out);
		term_style(t, TERM_DIM, out);
	}
}

void table_head(const struct term *t, const char *title, enum table_sort by, struct buf *out)
{
	term_style(t, TERM_DIM, out);
	term_add(out, title, name_columns(t));
	add_heading(t, "CPU", by == TABLE_CPU, out);
	add_heading(t, "MEMORY", by == TABLE_MEMORY, out);
	add_heading(t, "LIMIT", by == TABLE_MEMORY, out);
	add_heading(t, "NET IN", by == TABLE_NETWORK, out);
	add_heading(t, "OUT", by == TABLE_NETWORK, out);
	add_heading(t, "READ", by == TABLE_DISK, out);
	add_heading(t, "WRITE", by == TABLE_DISK, out);
	term_add(out, "  STATE", STATE_COLUMNS);
	term_style(t, TERM_PLAIN, out);
}

static enum term_style level(double v, double warn, double bad)
{
	return v >= bad ? TERM_RED : v >= warn ? TERM_YELLOW : TERM_PLAIN;
}

static void add_value(
	const struct term *t, const char *text, enum term_style style, struct buf *out)
{
	if (style != TERM_PLAIN)
		term_style(t, style, out);
	term_add_right(out, text, VALUE_COLUMNS);
	if (style != TERM_PLAIN)
		term_style(t, TERM_PLAIN, out);
}

static void add_rate(const struct term *t, const json_t *e, size_t metric, struct buf *out)
{
	char text[TERM_VALUE_MAX];

	term_bytes(text, sizeof(text), view_value(e, metric));
	add_value(t, text, TERM_PLAIN, out);
}

/* "unhealthy" says more than "running". */
static void add_state(const struct term *t, const json_t *e, bool fill, struct buf *out)
{
	const char *state = view_label(e, "state");
	double healthy = view_value(e, CGROUP_healthy);
	enum term_style style = TERM_PLAIN;

	if (!*state)
		state = view_is(e, "service") ? "active" : "running";
	if (strcmp(state, "running") == 0 && !isnan(healthy))
		state = healthy > 0 ? "healthy" : "unhealthy";
	if (strcmp(state, "running") == 0 || strcmp(state, "healthy") == 0)
		style = TERM_GREEN;
	else if (strcmp(state, "active") != 0)
		style = strcmp(state, "unhealthy") == 0 || strcmp(state, "dead") == 0 ? TERM_RED
										      : TERM_YELLOW;
	buf_adds(out, "  ");
	if (style != TERM_PLAIN)
		term_style(t, style, out);
	fill = fill || term_width_of(state) > STATE_COLUMNS - 2;
	term_add(out, state, fill ? STATE_COLUMNS - 2 : 0);
	if (style != TERM_PLAIN)
		term_style(t, TERM_PLAIN, out);
}

void table_row(const struct term *t, const json_t *e, bool selected, struct buf *out)
{
	struct term plain = *t;
	double cpu = view_value(e, CGROUP_cpu_used_percent);
	double cpu_of_limit = view_value(e, CGROUP_cpu_limit_used_percent);
	double of_limit = view_value(e, CGROUP_memory_used_percent);
	char text[TERM_VALUE_MAX];

	/* In the reversed line no other style may end it. */
	plain.colours = t->colours && !selected;
	if (selected)
		term_style(t, TERM_REVERSE, out);
	term_add(out, view_key(e), name_columns(t));
	term_percent(text, sizeof(text), cpu);
	add_value(&plain, text, level(cpu_of_limit, 80, 95), out);
	term_bytes(text, sizeof(text), view_value(e, CGROUP_memory_used_bytes));
	add_value(&plain, text, TERM_PLAIN, out);
	term_percent(text, sizeof(text), of_limit);
	add_value(&plain, text, level(of_limit, 80, 92), out);
	add_rate(&plain, e, CGROUP_network_received_bytes_per_second, out);
	add_rate(&plain, e, CGROUP_network_sent_bytes_per_second, out);
	add_rate(&plain, e, CGROUP_disk_read_bytes_per_second, out);
	add_rate(&plain, e, CGROUP_disk_written_bytes_per_second, out);
	add_state(&plain, e, selected, out);
	if (selected)
		term_style(t, TERM_PLAIN, out);
}

static void add_detail(struct buf *to, const char *name, const char *value)
{
	if (*value && strcmp(value, "-") != 0)
		buf_addf(to, "%s%s %s", to->len ? ", " : "", name, value);
}

void table_details(const struct term *t, const json_t *e, struct buf *out)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(4096);
	double age = view_value(e, CGROUP_age_seconds);
	char text[TERM_VALUE_MAX];

	add_detail(&line, "image", view_label(e, "image"));
	if (!isnan(age)) {
		str_human_duration(text, sizeof(text), (int64_t)age);
		add_detail(&line, "up", text);
	}
	term_number(text, sizeof(text), view_value(e, CGROUP_processes));
	add_detail(&line, "processes", text);
	term_bytes(text, sizeof(text), view_value(e, CGROUP_memory_limit_bytes));
	add_detail(&line, "memory limit", text);
	term_number(text, sizeof(text), view_value(e, CGROUP_cpu_limit_cores));
	add_detail(&line, "CPU limit", text);
	term_percent(text, sizeof(text), view_value(e, CGROUP_cpu_throttled_percent));
	add_detail(&line, "throttled", text);
	term_add(out, buf_str(&line), t->columns);
}
