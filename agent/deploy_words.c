/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/command.h"
#include "agent/json_view.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "deploy-hooks/deploy.h"

enum {
	COMMIT_SHOWN = 8,
	NOTHING_MS = 100, /* whoever does not want to wait sets the time to 0 */
};

static enum deploy_state state_of(const json_t *deploy)
{
	enum deploy_state s = DEPLOY_QUEUED;

	(void)deploy_state_find(json_view_text(deploy, "state"), &s);
	return s;
}

static void add_ref(const char *ref, struct buf *out)
{
	if (str_starts(ref, "refs/heads/"))
		term_add(out, ref + strlen("refs/heads/"), 0);
	else if (str_starts(ref, "refs/tags/")) {
		buf_adds(out, "tag ");
		term_add(out, ref + strlen("refs/tags/"), 0);
	} else
		term_add(out, ref, 0);
}

void deploy_words_version(const json_t *deploy, struct buf *out)
{
	const char *ref = json_view_text(deploy, "ref"), *commit = json_view_text(deploy, "commit");
	const char *image = json_view_text(json_object_get(deploy, "new"), "image");

	add_ref(ref, out);
	if (*commit)
		buf_addf(out, "%s%.*s", *ref ? " " : "", COMMIT_SHOWN, commit);
	if (*ref || *commit)
		return;
	if (*image) {
		buf_adds(out, "image ");
		term_add(out, image, 0);
	} else {
		buf_adds(out, "the newest");
	}
}

void deploy_words_what(const json_t *deploy, struct buf *out)
{
	json_int_t back = json_view_int(deploy, "rollback_of");
	const char *subject = json_view_text(deploy, "subject");

	if (back)
		buf_addf(out, "back to deploy %" JSON_INTEGER_FORMAT ": ", back);
	deploy_words_version(deploy, out);
	if (*subject) {
		buf_addc(out, ' ');
		term_add(out, subject, 0);
	}
}

void deploy_words_who(const json_t *deploy, struct buf *out)
{
	static const char *const ways[][2] = {{"webhook", "by a webhook"},
		{"command", "on the command line"}, {"api", "through the API"},
		{"push", "by git push"}, {"recovery", "by itself"}};
	const char *by = json_view_text(deploy, "by"), *trigger = json_view_text(deploy, "trigger");
	const char *way = trigger;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		if (strcmp(trigger, ways[i][0]) == 0)
			way = ways[i][1];
	term_add(out, by, 0);
	if (*by && *way)
		buf_addc(out, ' ');
	term_add(out, way, 0);
}

void deploy_words_state(const json_t *deploy, char *to, size_t size)
{
	const char *state = json_view_text(deploy, "state");

	(void)str_copy(to, size, strcmp(state, "queued") == 0 ? "waiting" : state);
	for (char *p = strchr(to, '_'); p; p = strchr(p, '_'))
		*p = ' ';
}

enum term_style deploy_words_style(const json_t *deploy)
{
	switch (state_of(deploy)) {
	case DEPLOY_DONE:
		return TERM_GREEN;
	case DEPLOY_FAILED:
	case DEPLOY_ROLLED_BACK:
	case DEPLOY_BROKEN:
		return TERM_RED;
	case DEPLOY_SUPERSEDED:
	case DEPLOY_CANCELLED:
	case DEPLOY_REMOVING:
	case DEPLOY_RETURNING:
		return TERM_YELLOW;
	default:
		return TERM_PLAIN;
	}
}

bool deploy_words_is_over(const json_t *deploy)
{
	return deploy_state_is_end(state_of(deploy));
}

void deploy_words_took(char *to, size_t size, int64_t ms)
{
	if (ms < 1000)
		(void)snprintf(to, size, "%" PRId64 "ms", ms > 0 ? ms : 0);
	else if (ms < 9950)
		(void)snprintf(to, size, "%.1fs", (double)ms / 1000);
	else
		str_human_duration(to, size, (ms + 500) / 1000);
}

/* Stages of the way back have the names of those they undo. */
const char *deploy_words_stage(const json_t *stage)
{
	static const char *const undone[][2] = {{"route", "back to the old version"},
		{"start", "removing the new version"}, {"stop", "starting the old version again"}};
	const char *name = json_view_text(stage, "stage");

	for (size_t i = 0; i < ARRAY_LEN(undone); i++)
		if (strcmp(json_view_text(stage, "verb"), "revert") == 0 &&
			strcmp(name, undone[i][0]) == 0)
			return undone[i][1];
	return name;
}

bool deploy_words_is_nothing(const json_t *stage)
{
	int64_t took_ms = json_view_int(stage, "ended_ms") - json_view_int(stage, "started_ms");

	return json_is_true(json_object_get(stage, "nothing")) ||
	       (!*json_view_text(stage, "verb") && took_ms < NOTHING_MS);
}

void deploy_words_waits(const json_t *deploy, char *to, size_t size)
{
	const char *why = json_view_text(deploy, "waits_for");
	json_int_t position = json_view_int(deploy, "position");

	if (*why)
		(void)snprintf(to, size, "%s", why);
	else if (state_of(deploy) != DEPLOY_QUEUED)
		(void)str_copy(to, size, "");
	else if (position > 1)
		(void)snprintf(to, size, "number %" JSON_INTEGER_FORMAT " in the queue", position);
	else
		(void)str_copy(to, size, "next in the queue");
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

static void add_deploy(const json_t *deploy, struct buf *out)
{
	buf_addf(out, "deploy %" JSON_INTEGER_FORMAT " (", json_view_int(deploy, "id"));
	deploy_words_version(deploy, out);
	buf_addc(out, ')');
}

/* Whether it gave back what it had taken. */
static bool came_back(const json_t *deploy, enum deploy_state end)
{
	enum deploy_state in = DEPLOY_QUEUED;
	enum deploy_strategy strategy = DEPLOY_START_FIRST;

	(void)deploy_state_find(json_view_text(deploy, "failed_in"), &in);
	(void)deploy_strategy_find(json_view_text(deploy, "strategy"), &strategy);
	return end == DEPLOY_ROLLED_BACK || deploy_state_touches(in, strategy);
}

static bool had_one(const json_t *deploy)
{
	const json_t *old = json_object_get(deploy, "old");

	return *json_view_text(old, "image") || *json_view_text(old, "container");
}

/* What one may rely on now, of one that is not done. */
static void add_still(
	const json_t *deploy, const json_t *serves, enum deploy_state end, struct buf *out)
{
	bool back = came_back(deploy, end);

	if (end == DEPLOY_SKIPPED || end == DEPLOY_SUPERSEDED)
		return;
	if (end == DEPLOY_BROKEN) {
		buf_adds(out, "; neither version serves: somebody must look");
	} else if (serves) {
		buf_adds(out, "; ");
		add_deploy(serves, out);
		buf_adds(out, back ? " serves again" : " serves, as before");
	} else if (back) {
		buf_adds(out, had_one(deploy) ? "; the version before serves again"
					      : "; nothing serves: there was no version before");
	} else {
		buf_adds(out, "; nothing that serves was changed");
	}
}

static void add_serves(
	const json_t *deploy, const json_t *serves, enum deploy_state end, struct buf *out)
{
	bool itself = !serves || json_view_int(serves, "id") == json_view_int(deploy, "id");

	if (end != DEPLOY_DONE) {
		add_still(deploy, serves, end, out);
		return;
	}
	buf_adds(out, ": ");
	add_deploy(itself ? deploy : serves, out);
	buf_adds(out, itself ? " serves" : " serves by now");
}

static void add_downtime(const json_t *deploy, struct buf *out)
{
	const json_t *ms = json_object_get(deploy, "downtime_ms");

	if (json_integer_value(ms) > 0)
		buf_addf(out, ", it was away for %" JSON_INTEGER_FORMAT " ms",
			json_integer_value(ms));
}

/* " in build after 12s". */
static void add_where(const json_t *deploy, enum deploy_state end, struct buf *out)
{
	int64_t from_ms = json_view_int(deploy, "started_ms");
	bool good = end == DEPLOY_DONE || end == DEPLOY_SKIPPED;
	const char *in = json_view_text(deploy, "failed_in");
	char took[64];

	if (!from_ms)
		return;
	deploy_words_took(took, sizeof(took), json_view_int(deploy, "ended_ms") - from_ms);
	if (!good && *in && strcmp(in, "queued") != 0)
		buf_addf(out, " while %s", in);
	buf_addf(out, " %s %s", good ? "in" : "after", took);
}

static void add_superseded(const json_t *deploy, struct buf *out)
{
	buf_addf(out, " by deploy %" JSON_INTEGER_FORMAT ", which is newer; it never began",
		json_view_int(deploy, "superseded_by"));
}

static void add_reasons(
	const struct term *t, const json_t *deploy, enum deploy_state end, struct buf *out)
{
	enum term_style style = deploy_words_style(deploy);
	char where[80];

	if (end == DEPLOY_SUPERSEDED)
		return;
	add_lines(
		t, end == DEPLOY_DONE ? TERM_YELLOW : style, json_view_text(deploy, "error"), out);
	if (end == DEPLOY_DONE || end == DEPLOY_SKIPPED || !json_view_int(deploy, "started_ms"))
		return;
	(void)snprintf(where, sizeof(where), "All of it: agent deploy log %" JSON_INTEGER_FORMAT,
		json_view_int(deploy, "id"));
	add_lines(t, TERM_PLAIN, where, out);
}

void deploy_words_end(
	const struct term *t, const json_t *deploy, const json_t *serves, struct buf *out)
{
	enum deploy_state end = state_of(deploy);
	char state[32];

	deploy_words_state(deploy, state, sizeof(state));
	term_style(t, TERM_BOLD, out);
	term_add(out, json_view_text(deploy, "app"), 0);
	term_style(t, TERM_PLAIN, out);
	buf_adds(out, "  ");
	term_style(t, deploy_words_style(deploy), out);
	buf_adds(out, end == DEPLOY_SKIPPED  ? "nothing to do"
		      : end == DEPLOY_BROKEN ? "BROKEN"
					     : state);
	term_style(t, TERM_PLAIN, out);
	if (end == DEPLOY_SUPERSEDED)
		add_superseded(deploy, out);
	else
		add_where(deploy, end, out);
	add_serves(deploy, serves, end, out);
	add_downtime(deploy, out);
	buf_addc(out, '\n');
	add_reasons(t, deploy, end, out);
}

int deploy_words_exit(const json_t *deploy)
{
	switch (state_of(deploy)) {
	case DEPLOY_DONE:
	case DEPLOY_SKIPPED:
		return COMMAND_DONE;
	case DEPLOY_ROLLED_BACK:
		return COMMAND_ROLLED_BACK;
	case DEPLOY_BROKEN:
		return COMMAND_BROKEN;
	case DEPLOY_SUPERSEDED:
	case DEPLOY_CANCELLED:
		return COMMAND_CANCELLED;
	default:
		return COMMAND_NOT_DEPLOYED;
	}
}
