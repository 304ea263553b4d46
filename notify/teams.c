/* SPDX-License-Identifier: Apache-2.0
 *
 * Microsoft Teams, by the webhook of a workflow ("Send webhook alerts to a channel") or an old
 * incoming webhook, as an Adaptive Card (adaptivecards.io/explorer, learn.microsoft.com/
 * microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook).
 *
 * Limits: 28 KB a message, four a second; a workflow posts 25 in five minutes. A workflow answers
 * 202 before it has posted anything, so what is too large would be lost in silence: BODY_MAX is well
 * below, as others have met the limit at 21 KB. All outside text stands in TextRuns, in which
 * Markdown means nothing.
 */
#include <string.h>

#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/chat.h"

enum {
	TITLE_MAX = 400,
	NAME_UNITS_MAX = 80,
	VALUE_MAX = 300,
	TEXT_MAX = 4000,
	TEXT_MIN = 200,
	NOTES_MAX = 500,
	LINES_MAX = 50,
	BODY_MAX = 20 * 1000,
};

/* One line or paragraph: texts beside each other. */
static json_t *rich(json_t *runs)
{
	return json_pack("{s:s,s:o}", "type", "RichTextBlock", "inlines", runs);
}

static json_t *run(const char *s, size_t max_units, const char *weight)
{
	return json_pack("{s:s,s:o,s:s}", "type", "TextRun", "text", chat_cut(s, max_units, NULL),
		"weight", weight);
}

static json_t *make_title(const struct message *m)
{
	static const char *const styles[] = {[CHAT_INFO] = "accent",
		[CHAT_OK] = "good",
		[CHAT_WARNING] = "warning",
		[CHAT_CRITICAL] = "attention"};
	_cleanup_(buf_done) struct buf title = BUF_INIT(64 * 1024);
	json_t *text;

	chat_title(m, TITLE_MAX, &title);
	text = run(buf_str(&title), TITLE_MAX, "Bolder");
	json_object_set_new(text, "size", json_string("Medium"));
	return json_pack("{s:s,s:s,s:b,s:[o]}", "type", "Container", "style", styles[chat_mood(m)],
		"bleed", 1, "items", rich(json_pack("[o]", text)));
}

static void add_facts(json_t *body, const struct event *ev)
{
	for (size_t i = 0; i < ev->n_facts; i++) {
		_cleanup_(buf_done) struct buf name = BUF_INIT(64 * 1024);

		text_cut_utf16(&name, ev->facts[i].name, NAME_UNITS_MAX);
		buf_adds(&name, ": ");
		json_array_append_new(body,
			rich(json_pack("[o,o]", run(buf_str(&name), NAME_UNITS_MAX + 2, "Bolder"),
				run(ev->facts[i].value, VALUE_MAX, "Default"))));
	}
}

static const char dots[] = "\xe2\x80\xa6";

static void add_line(json_t *body, const char *line, const char *spacing)
{
	json_t *block = rich(json_pack("[o]", run(line, TEXT_MAX, "Default")));

	json_object_set_new(block, "spacing", json_string(spacing));
	json_array_append_new(body, block);
}

/* Line by line: a TextRun does not break at "\n" everywhere. An empty line is room before the next
 * one. Each costs about 100 bytes of the card, so they are counted too. */
static void add_lines(json_t *body, const char *text, size_t max_units)
{
	_cleanup_(buf_done) struct buf cut = BUF_INIT(64 * 1024);
	const char *spacing = "Medium";
	size_t lines = 0;

	text_cut_lines_utf16(&cut, text, max_units);
	for (char *line = cut.data, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!*line) {
			spacing = "Medium";
			continue;
		}
		add_line(body, ++lines < LINES_MAX ? line : dots, spacing);
		if (lines == LINES_MAX)
			return;
		spacing = "None";
	}
}

static void add_picture(json_t *body, const struct message *m)
{
	if (!m->picture_url || !m->picture_url[0])
		return;
	json_array_append_new(
		body, json_pack("{s:s,s:o,s:s}", "type", "Image", "url",
			      chat_string(m->picture_url), "altText", "Chart of the last hours"));
}

static json_t *make_body(
	const struct channel *c, const struct message *m, bool plain, size_t text_max)
{
	_cleanup_(buf_done) struct buf lines = BUF_INIT(64 * 1024), notes = BUF_INIT(64 * 1024);
	json_t *body = json_pack("[o]", make_title(m));

	if (plain) {
		message_plain(m, &lines);
		add_lines(body, buf_str(&lines), text_max);
		return body;
	}
	if (m->n == 1)
		add_facts(body, m->events[0]);
	else
		chat_lines(m, &lines);
	add_lines(body, m->n == 1 ? message_text(m->events[0]) : buf_str(&lines), text_max);
	if (c->pictures)
		add_picture(body, m);
	message_notes(m, &notes);
	add_lines(body, buf_str(&notes), NOTES_MAX);
	return body;
}

static json_t *make_card(
	const struct channel *c, const struct message *m, bool plain, size_t text_max)
{
	_cleanup_(buf_done) struct buf link = BUF_INIT(64 * 1024);
	json_t *card = json_pack("{s:s,s:s,s:s,s:{s:s},s:o}", "$schema",
		"http://adaptivecards.io/schemas/adaptive-card.json", "type", "AdaptiveCard",
		"version", "1.4", "msteams", "width", "Full", "body",
		make_body(c, m, plain, text_max));

	chat_link(m, &link);
	if (link.len && !plain)
		json_object_set_new(card, "actions",
			json_pack("[{s:s,s:s,s:o}]", "type", "Action.OpenUrl", "title",
				"Open the dashboard", "url", chat_take(&link)));
	return json_pack("{s:s,s:[{s:s,s:n,s:o}]}", "type", "message", "attachments", "contentType",
		"application/vnd.microsoft.card.adaptive", "contentUrl", "content", card);
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	json_t *j = make_card(c, m, plain, TEXT_MAX);

	(void)memory;
	for (size_t max = TEXT_MAX;
		max > TEXT_MIN && json_dumpb(j, NULL, 0, JSON_COMPACT) > BODY_MAX;) {
		max /= 2;
		json_decref(j);
		j = make_card(c, m, plain, max);
	}
	out->url = str_dup(c->url);
	return chat_set_json(out, j, e);
}

/* The status behind an old webhook's 200: "... endpoint returned HTTP error 429 with ContextId". */
static long inner_status(const char *body)
{
	static const char words[] = "HTTP error ";
	const char *p = strstr(body, words);
	long n = 0;

	for (p = p ? p + strlen(words) : ""; *p >= '0' && *p <= '9' && n < 1000; p++)
		n = n * 10 + (*p - '0');
	return n;
}

static void judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	struct answer inner = *a;

	channel_judge(c, a, out);
	if (out->verdict == VERDICT_SENT && inner_status(a->body)) {
		inner.status = inner_status(a->body);
		channel_judge(c, &inner, out);
	} else if (out->verdict == VERDICT_SENT && a->body[0] == '<') {
		out->verdict = VERDICT_BROKEN; /* a login page, not Teams */
	}
	if (inner.status == 413 || inner.status == 400)
		out->verdict = VERDICT_PLAIN;
	/* A workflow that somebody turned off, or that is gone. */
	if (!a->error && strstr(a->body, "\"Workflow"))
		out->verdict = VERDICT_BROKEN;
}

const struct channel_type channel_teams = {
	.name = "teams",
	.doc = "Posts to a Microsoft Teams channel by the webhook of a workflow.",
	.per_minute = 5,
	.needs = "url",
	.check = channel_check_url,
	.build = build,
	.judge = judge,
};
