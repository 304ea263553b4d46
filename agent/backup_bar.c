/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_bar.h"

#include <stdio.h>
#include <string.h>

#include "agent/backup_config.h"
#include "agent/json_view.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { STAGE_WIDTH = 10, BAR_MIN = 10, BAR_MAX = 40, NAME_MAX_WIDTH = 20 };

enum term_style backup_state_style(const char *state)
{
	if (strcmp(state, "done") == 0)
		return TERM_GREEN;
	if (strcmp(state, "waiting") == 0 || strcmp(state, "running") == 0)
		return TERM_PLAIN;
	return strcmp(state, "cancelled") == 0 ? TERM_YELLOW : TERM_RED;
}

/* What it is doing, in a word. */
static const char *doing(const json_t *run)
{
	const char *state = json_view_text(run, "state"), *stage = json_view_text(run, "stage");

	if (strcmp(state, "waiting") == 0)
		return "waiting";
	return *stage ? stage : "starting";
}

/* Whether bytes move in this step. */
static bool has_figures(const json_t *run)
{
	static const char *const stages[] = {"dump", "download", "check", "restore"};

	for (size_t i = 0; i < ARRAY_LEN(stages); i++)
		if (strcmp(stages[i], json_view_text(run, "stage")) == 0)
			return true;
	return false;
}

/* "512M of 1.2G  87M/s  8s left", with `gap` in between. */
static void add_figures(const json_t *run, const char *gap, struct buf *out)
{
	double plain = (double)json_view_int(run, "plain_bytes");
	double expected = (double)json_view_int(run, "expected_bytes");
	json_int_t rate = json_view_int(run, "rate_bytes"), left = json_view_int(run, "left_ms");
	char text[TERM_VALUE_MAX], total[TERM_VALUE_MAX];

	if (plain <= 0 || !has_figures(run))
		return;
	term_bytes(text, sizeof(text), plain);
	term_bytes(total, sizeof(total), expected);
	buf_addf(out, "%s%s", gap, text);
	if (expected > plain)
		buf_addf(out, " of %s", total);
	if (rate > 0) {
		term_rate(text, sizeof(text), (double)rate);
		buf_addf(out, "%s%s", gap, text);
	}
	if (left >= 0) {
		char duration[64];

		str_human_duration(duration, sizeof(duration), (left + 999) / 1000);
		buf_addf(out, "%s%s left", gap, duration);
	}
}

/* NaN: not known. */
static double percent_of(const json_t *run)
{
	double plain = (double)json_view_int(run, "plain_bytes");
	double expected = (double)json_view_int(run, "expected_bytes");

	/* What was expected comes from the run before; more than all is no news. */
	return expected > 0 && plain <= expected ? 100 * plain / expected : -1;
}

void backup_bar(const struct term *t, const json_t *run, struct buf *out)
{
	_cleanup_(buf_done) struct buf figures = BUF_INIT(256);
	const char *job = json_view_text(run, "job");
	size_t name = term_width_of(job) < NAME_MAX_WIDTH ? term_width_of(job) : NAME_MAX_WIDTH;
	size_t used = name + 2 + STAGE_WIDTH, room;
	double percent = percent_of(run);

	add_figures(run, "  ", &figures);
	term_style(t, TERM_BOLD, out);
	term_add(out, job, name);
	term_style(t, TERM_PLAIN, out);
	buf_adds(out, "  ");
	term_add(out, doing(run), STAGE_WIDTH);
	room = t->columns > used + figures.len + 8 ? t->columns - used - figures.len - 8 : 0;
	if (percent >= 0 && has_figures(run) && room >= BAR_MIN) {
		term_bar(t, percent, room < BAR_MAX ? room : BAR_MAX, 101, 101, out);
		buf_addf(out, " %3.0f%%", percent);
	}
	room = t->columns > used + 1 ? t->columns - used - 1 : 0;
	if (figures.len <= room)
		buf_adds(out, buf_str(&figures));
}

void backup_bar_words(const json_t *run, struct buf *out)
{
	const char *member = json_view_text(run, "member");

	buf_addf(out, "%s: %s%s%s", json_view_text(run, "job"), doing(run), *member ? " of " : "",
		member);
	add_figures(run, ", ", out);
}

static void add_stores(const json_t *run, struct buf *out)
{
	const json_t *list = json_object_get(run, "stores"), *one;
	const char *between = " in ";
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (!json_is_true(json_object_get(one, "ok")))
			continue;
		buf_addf(out, "%s%s", between, json_view_text(one, "name"));
		between = ", ";
	}
}

static void add_sizes(const json_t *run, struct buf *out)
{
	json_int_t plain = json_view_int(run, "plain_bytes");
	json_int_t stored = json_view_int(run, "stored_bytes");
	char text[64];

	if (!plain)
		return;
	str_human_bytes(text, sizeof(text), (double)plain);
	buf_addf(out, ": %s", text);
	str_human_bytes(text, sizeof(text), (double)stored);
	if (stored)
		buf_addf(out, ", stored as %s", text);
	add_stores(run, out);
}

static void add_lines(
	const struct term *t, enum term_style style, const char *text, struct buf *out)
{
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		_cleanup_(free_p) char *line = str_ndup(p, strcspn(p, "\n"));

		buf_adds(out, "  ");
		term_style(t, style, out);
		term_add_wrapped(out, line, t->columns > 30 ? t->columns - 2 : 28, 2);
		term_style(t, TERM_PLAIN, out);
		buf_addc(out, '\n');
	}
}

void backup_bar_warning(const struct term *t, const char *job, const char *text, struct buf *out)
{
	term_style(t, TERM_BOLD, out);
	term_add(out, job, 0);
	term_style(t, TERM_YELLOW, out);
	buf_adds(out, "  warning");
	term_style(t, TERM_PLAIN, out);
	buf_addc(out, '\n');
	add_lines(t, TERM_YELLOW, text, out);
}

/* Whether the error of the run, or of a store, says it already. */
static bool is_said(const json_t *run, const char *text, bool in_stores)
{
	const json_t *one;
	size_t i;

	if (*json_view_text(run, "error") && strstr(json_view_text(run, "error"), text))
		return true;
	json_array_foreach(json_object_get(run, "stores"), i,
		one) if (in_stores && strcmp(json_view_text(one, "error"), text) == 0) return true;
	return false;
}

static void add_store_error(
	const struct term *t, const json_t *run, const json_t *store, bool in_part, struct buf *out)
{
	const char *name = json_view_text(store, "name"), *error = json_view_text(store, "error");
	_cleanup_(free_p) char *line =
		str_format("store %s: %s", name, backup_store_error(name, error));

	if (json_is_true(json_object_get(store, "ok")) || !*error)
		return;
	/* In part: the error of the run was not printed. */
	if (in_part || !is_said(run, error, false))
		add_lines(t, TERM_RED, line, out);
}

/* Stores that do not have it, and what was noticed. */
static void add_troubles(const struct term *t, const json_t *run, struct buf *out)
{
	bool in_part = json_is_true(json_object_get(run, "partial"));
	bool cancelled = strcmp(json_view_text(run, "state"), "cancelled") == 0 && !in_part;
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(run, "stores"), i, one) if (!cancelled)
		add_store_error(t, run, one, in_part, out);
	json_array_foreach(json_object_get(run, "warnings"), i,
		one) if (!is_said(run, json_string_value(one), true))
		add_lines(t, TERM_YELLOW, json_string_value(one), out);
	json_array_foreach(json_object_get(run, "not_removed"), i, one)
	{
		_cleanup_(free_p) char *line =
			str_format("%s in %s was not removed: %s", json_view_text(one, "id"),
				json_view_text(one, "store"), json_view_text(one, "error"));

		add_lines(t, TERM_YELLOW, line, out);
	}
}

void backup_bar_end(const struct term *t, const json_t *run, struct buf *out)
{
	const char *state = json_view_text(run, "state"), *stage = json_view_text(run, "stage");
	const char *id = json_view_text(run, "backup"), *what = json_view_text(run, "what");
	bool good = strcmp(state, "done") == 0;
	bool partial = json_is_true(json_object_get(run, "partial"));
	char took[64];

	str_human_duration(took, sizeof(took), json_view_int(run, "duration_ms") / 1000);
	term_style(t, TERM_BOLD, out);
	term_add(out, json_view_text(run, "job"), 0);
	term_style(t, TERM_PLAIN, out);
	buf_adds(out, "  ");
	if (*what && strcmp(what, "backup") != 0)
		buf_addf(out, "%s ", what);
	term_style(t, partial ? TERM_RED : backup_state_style(state), out);
	buf_adds(out, partial                           ? "done in part"
		      : strcmp(state, "timed_out") == 0 ? "timed out"
							: state);
	term_style(t, TERM_PLAIN, out);
	if (!good && !partial && *stage)
		buf_addf(out, " at %s", stage);
	if (json_view_int(run, "started_ms"))
		buf_addf(out, " %s %s", good ? "in" : "after", took);
	if (good || partial)
		add_sizes(run, out);
	if ((good || partial) && *id)
		buf_addf(out, " (%s)", id);
	if (json_view_int(run, "removed"))
		buf_addf(out, ", %lld old removed", (long long)json_view_int(run, "removed"));
	else if (good && strcmp(what, "prune") == 0 && !json_object_get(run, "decided"))
		buf_adds(out, ", nothing to remove");
	buf_addc(out, '\n');
	/* In part: the stores say why. */
	if (!good && !partial && strcmp(state, "cancelled") != 0)
		add_lines(t, TERM_RED, json_view_text(run, "error"), out);
	add_troubles(t, run, out);
}
