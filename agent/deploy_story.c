/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/deploy_line.h"
#include "agent/deploy_words.h"
#include "agent/deploys.h"
#include "agent/json_view.h"
#include "base/str.h"

static const json_t *stage_at(const json_t *deploy, size_t i)
{
	return json_array_get(json_object_get(deploy, "stages"), i);
}

static bool runs(const json_t *stage)
{
	return strcmp(json_view_text(stage, "state"), "running") == 0;
}

void deploy_story_wipe(struct deploy_story *s, struct buf *out)
{
	if (s->drawn)
		buf_adds(out, "\r\033[K");
	s->drawn = false;
}

static void add_styled(
	const struct deploy_story *s, enum term_style style, const char *text, struct buf *out)
{
	term_style(&s->term, style, out);
	term_add(out, text, 0);
	term_style(&s->term, TERM_PLAIN, out);
}

void deploy_story_begin(struct deploy_story *s, const json_t *deploy, struct buf *out)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4000);

	buf_addf(&text, "Deploy %" JSON_INTEGER_FORMAT " of %s: ", json_view_int(deploy, "id"),
		json_view_text(deploy, "app"));
	deploy_words_what(deploy, &text);
	buf_adds(&text, ", asked for by ");
	deploy_words_who(deploy, &text);
	if (s->live)
		term_add_wrapped(out, buf_str(&text), s->term.columns, 2);
	else
		buf_adds(out, buf_str(&text));
	buf_addc(out, '\n');
	s->requeued = (unsigned)json_view_int(deploy, "requeued");
}

/* The heading of the stage, before the first of its lines. */
static void begin(struct deploy_story *s, const json_t *stage, struct buf *out)
{
	if (s->begun)
		return;
	deploy_story_wipe(s, out);
	s->begun = true;
	if (!s->live)
		return;
	add_styled(s, TERM_BOLD, deploy_words_stage(stage), out);
	buf_addc(out, '\n');
}

static enum term_style style_of(const char *state)
{
	return strcmp(state, "done") == 0 || strcmp(state, "skipped") == 0 ? TERM_GREEN
	       : strcmp(state, "failed") == 0                              ? TERM_RED
									   : TERM_YELLOW;
}

static void add_outcome(const struct deploy_story *s, const json_t *stage, struct buf *out)
{
	const char *state = json_view_text(stage, "state");
	json_int_t attempts = json_view_int(stage, "attempts");
	bool good = strcmp(state, "done") == 0;
	char took[64];

	deploy_words_took(took, sizeof(took),
		json_view_int(stage, "ended_ms") - json_view_int(stage, "started_ms"));
	add_styled(
		s, style_of(state), strcmp(state, "skipped") == 0 ? "nothing to do" : state, out);
	buf_addf(out, " %s %s", good ? "in" : "after", took);
	if (attempts > 1)
		buf_addf(out, ", at attempt %" JSON_INTEGER_FORMAT, attempts);
	buf_addc(out, '\n');
}

/* The stage that is being shown is over. */
static void finish(struct deploy_story *s, const json_t *stage, struct buf *out)
{
	if (s->begun || !deploy_words_is_nothing(stage)) {
		deploy_story_wipe(s, out);
		if (!s->live) {
			add_styled(s, TERM_PLAIN, deploy_words_stage(stage), out);
			buf_adds(out, ": ");
		} else if (s->begun) {
			buf_adds(out, "  ");
		} else {
			add_styled(s, TERM_BOLD, deploy_words_stage(stage), out);
			buf_adds(out, "  ");
		}
		add_outcome(s, stage, out);
	}
	s->begun = false;
	s->shown++;
}

/* While the new version is watched the probe says how it is. */
static bool is_of(const json_t *stage, const struct deploy_line *line)
{
	const char *its = json_view_text(stage, "stage");

	/* What was printed before it began is of an earlier one of that name. */
	if (line->time_s < json_view_int(stage, "started_ms") / 1000)
		return false;
	return strcmp(its, line->stage) == 0 ||
	       (strcmp(its, "watch") == 0 && strcmp(line->stage, "probe") == 0);
}

/* A line of this stage was printed: all before it are over. */
static void go_to(struct deploy_story *s, const struct deploy_line *line, const json_t *deploy,
	struct buf *out)
{
	size_t n = json_array_size(json_object_get(deploy, "stages")), i;

	if (!*line->stage)
		return;
	for (i = s->shown; i < n; i++)
		if (is_of(stage_at(deploy, i), line))
			break;
	if (i == n)
		return; /* of the agent itself, or of a try that was given up */
	while (s->shown < i)
		finish(s, stage_at(deploy, s->shown), out);
	begin(s, stage_at(deploy, i), out);
}

static void add_line(struct deploy_story *s, const struct deploy_line *line, struct buf *out)
{
	deploy_story_wipe(s, out);
	if (s->live) {
		buf_adds(out, s->begun ? "  " : "");
	} else if (*line->stage) {
		term_add(out, line->stage, 0);
		buf_adds(out, " | ");
	}
	term_add(out, line->text, 0);
	buf_addc(out, '\n');
}

/* After a restart of the agent some begin anew, and their stages are counted again. False: the record is one of before. */
static bool take_restart(struct deploy_story *s, const json_t *deploy)
{
	unsigned requeued = (unsigned)json_view_int(deploy, "requeued");

	if (requeued <= s->requeued)
		return requeued == s->requeued;
	s->requeued = requeued;
	s->shown = 0;
	s->begun = false;
	return true;
}

void deploy_story_log(
	struct deploy_story *s, const char *text, const json_t *deploy, struct buf *out)
{
	struct deploy_line line;

	while ((text = deploy_line_next(text, &line))) {
		bool restarted = str_starts(line.text, DEPLOYS_ENDED_HERE);

		if (restarted)
			(void)take_restart(s, deploy);
		else if ((unsigned)json_view_int(deploy, "requeued") == s->requeued)
			go_to(s, &line, deploy, out);
		add_line(s, &line, out);
	}
}

static void take_wait(struct deploy_story *s, const json_t *deploy, struct buf *out)
{
	char waits[sizeof(s->waits)];

	deploy_words_waits(deploy, waits, sizeof(waits));
	if (strcmp(waits, s->waits) == 0)
		return;
	(void)str_copy(s->waits, sizeof(s->waits), waits);
	if (!*waits)
		return;
	deploy_story_wipe(s, out);
	buf_adds(out, "waiting: ");
	term_add(out, waits, 0);
	buf_addc(out, '\n');
}

/* "watch  8s left", "build  12s". */
static void draw(struct deploy_story *s, const json_t *deploy, const json_t *stage, int64_t now_ms,
	struct buf *out)
{
	bool waits = !*json_view_text(stage, "verb");
	int64_t left_ms = json_view_int(deploy, "deadline_ms") - now_ms;
	int64_t since_ms = now_ms - json_view_int(stage, "started_ms");
	char text[64];

	str_human_duration(text, sizeof(text),
		waits ? (left_ms > 0 ? (left_ms + 999) / 1000 : 0) : since_ms / 1000);
	buf_adds(out, "\r\033[K");
	if (s->begun)
		buf_adds(out, "  ");
	else
		add_styled(s, TERM_BOLD, deploy_words_stage(stage), out);
	term_style(&s->term, TERM_DIM, out);
	buf_addf(out, "%s%s%s", s->begun ? "" : "  ", text, waits ? " left" : "");
	term_style(&s->term, TERM_PLAIN, out);
	s->drawn = true;
}

void deploy_story_take(
	struct deploy_story *s, const json_t *deploy, int64_t now_ms, struct buf *out)
{
	const json_t *stage;

	if (!take_restart(s, deploy))
		return;
	take_wait(s, deploy, out);
	while ((stage = stage_at(deploy, s->shown)) && !runs(stage))
		finish(s, stage, out);
	if (stage && s->live)
		draw(s, deploy, stage, now_ms, out);
}
