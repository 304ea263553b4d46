/* SPDX-License-Identifier: Apache-2.0
 *
 * Slack, by an incoming webhook (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
 *
 * Limits (docs.slack.dev/reference/block-kit): 50 blocks; header 150 characters, section 3,000, ten
 * fields of 2,000; all blocks together about 13,000 (msg_blocks_too_long). One message a second.
 *
 * What comes from outside stands in plain_text objects, or in mrkdwn only when nothing in it means
 * anything there. & < > are entities in all of them. The link is text and no button: a button of
 * an app that takes no clicks gets a warning sign (slackapi/node-slack-sdk issue 869).
 */
#include <string.h>

#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/chat.h"

enum {
	HEADER_MAX = 150,
	NAME_MAX_UNITS = 80,
	VALUE_MAX = 400, /* 16 facts: 7,700 at most */
	SECTION_MAX = 2800,
	SECTION_FIELDS_MAX = 10,
	FALLBACK_MAX = 400, /* of `text`, which phones show */
	PLAIN_MAX = 3500,
	URL_MAX = 3000,
};

static void add_entities(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			buf_adds(b, "&amp;");
		else if (*s == '<')
			buf_adds(b, "&lt;");
		else if (*s == '>')
			buf_adds(b, "&gt;");
		else
			buf_addc(b, *s);
	}
}

static json_t *plain_text(const char *s, size_t max_units)
{
	return json_pack("{s:s,s:o,s:b}", "type", "plain_text", "text",
		chat_cut(s, max_units, add_entities), "emoji", 0);
}

static json_t *mrkdwn(struct buf *b)
{
	return json_pack("{s:s,s:o,s:b}", "type", "mrkdwn", "text", chat_take(b), "verbatim", 1);
}

static json_t *section(const char *s)
{
	return json_pack("{s:s,s:o}", "type", "section", "text", plain_text(s, SECTION_MAX));
}

/* Whether mrkdwn would read something into it. */
static bool has_markup(const char *s)
{
	_cleanup_(buf_done) struct buf marked = BUF_INIT(64 * 1024), text = BUF_INIT(64 * 1024);

	text_add_mrkdwn(&marked, s);
	add_entities(&text, s);
	return strcmp(buf_str(&marked), buf_str(&text)) != 0;
}

static json_t *fact_field(const struct event_fact *f)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64 * 1024);

	if (has_markup(f->name) || has_markup(f->value)) {
		text_cut_utf16(&b, f->name, NAME_MAX_UNITS);
		buf_addc(&b, '\n');
		text_cut_utf16(&b, f->value, VALUE_MAX);
		return plain_text(buf_str(&b), NAME_MAX_UNITS + VALUE_MAX);
	}
	buf_addc(&b, '*');
	text_cut_escaped(&b, f->name, NAME_MAX_UNITS, add_entities);
	buf_adds(&b, "*\n");
	text_cut_escaped(&b, f->value, VALUE_MAX, add_entities);
	return mrkdwn(&b);
}

static void add_facts(json_t *blocks, const struct event *ev)
{
	for (size_t i = 0; i < ev->n_facts;) {
		json_t *fields = json_array();

		for (size_t n = 0; n < SECTION_FIELDS_MAX && i < ev->n_facts; n++, i++)
			json_array_append_new(fields, fact_field(&ev->facts[i]));
		json_array_append_new(
			blocks, json_pack("{s:s,s:o}", "type", "section", "fields", fields));
	}
}

/* As many lines to a section as fit. */
static void add_list(json_t *blocks, const struct message *m)
{
	_cleanup_(buf_done) struct buf lines = BUF_INIT(64 * 1024), part = BUF_INIT(64 * 1024);

	chat_lines(m, &lines);
	for (const char *p = buf_str(&lines); *p;) {
		size_t n = strcspn(p, "\n");

		if (part.len && part.len + n > SECTION_MAX / 2) {
			json_array_append_new(blocks, section(buf_str(&part)));
			buf_clear(&part);
		}
		if (part.len)
			buf_addc(&part, '\n');
		buf_add(&part, p, n);
		p += n + (p[n] == '\n');
	}
	if (part.len)
		json_array_append_new(blocks, section(buf_str(&part)));
}

static void add_picture(json_t *blocks, const struct message *m)
{
	if (!m->picture_url || !m->picture_url[0] || strlen(m->picture_url) > URL_MAX)
		return;
	json_array_append_new(blocks,
		json_pack("{s:s,s:o,s:s}", "type", "image", "image_url",
			chat_string(m->picture_url), "alt_text", "Chart of the last hours"));
}

/* "<https://...|Open the dashboard> · 03:12", then the notes. */
static void add_context(json_t *blocks, const struct message *m)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64 * 1024), notes = BUF_INIT(64 * 1024),
				       link = BUF_INIT(64 * 1024);
	char when[64];
	json_t *elements = json_array();

	chat_link(m, &link);
	if (link.len && link.len <= URL_MAX && !strpbrk(buf_str(&link), "<>| ")) {
		buf_addc(&b, '<');
		add_entities(&b, buf_str(&link));
		buf_adds(&b, "|Open the dashboard>");
		json_array_append_new(elements, mrkdwn(&b));
	}
	message_time(when, sizeof(when), m->events[m->n - 1]->time_ms, m->now_ms);
	json_array_append_new(elements, plain_text(when, sizeof(when)));
	message_notes(m, &notes);
	if (notes.len)
		json_array_append_new(elements, plain_text(buf_str(&notes), 500));
	json_array_append_new(
		blocks, json_pack("{s:s,s:o}", "type", "context", "elements", elements));
}

static json_t *make_blocks(const struct channel *c, const struct message *m)
{
	_cleanup_(buf_done) struct buf title = BUF_INIT(64 * 1024);
	json_t *blocks = json_array();

	chat_title(m, HEADER_MAX, &title);
	json_array_append_new(blocks, json_pack("{s:s,s:o}", "type", "header", "text",
					      plain_text(buf_str(&title), HEADER_MAX)));
	if (m->n == 1) {
		add_facts(blocks, m->events[0]);
		if (*message_text(m->events[0]))
			json_array_append_new(blocks, section(m->events[0]->text));
	} else {
		add_list(blocks, m);
	}
	if (c->pictures)
		add_picture(blocks, m);
	add_context(blocks, m);
	return blocks;
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(256 * 1024);
	json_t *j;

	(void)memory;
	chat_title(m, FALLBACK_MAX, &text);
	if (plain) {
		buf_addc(&text, '\n');
		message_plain(m, &text);
	}
	j = json_pack("{s:o,s:b,s:b,s:b}", "text",
		chat_cut(buf_str(&text), PLAIN_MAX, add_entities), "mrkdwn", 0, "unfurl_links", 0,
		"unfurl_media", 0);
	if (!plain)
		json_object_set_new(j, "blocks", make_blocks(c, m));
	out->url = str_dup(c->url);
	return chat_set_json(out, j, e);
}

/* What the words of an answer mean, whatever status they come with
 * (api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks). */
static bool verdict_of_words(const char *body, enum verdict *out)
{
	static const struct {
		const char *word;
		enum verdict verdict;
	} words[] = {
		{"action_prohibited", VERDICT_BROKEN},
		{"channel_is_archived", VERDICT_BROKEN},
		{"channel_not_found", VERDICT_BROKEN},
		{"invalid_blocks", VERDICT_PLAIN}, /* also: the picture cannot be fetched */
		{"invalid_payload", VERDICT_PLAIN},
		{"invalid_token", VERDICT_BROKEN},
		{"msg_blocks_too_long", VERDICT_PLAIN},
		{"no_active_hooks", VERDICT_BROKEN},
		{"no_service", VERDICT_BROKEN},
		{"no_team", VERDICT_BROKEN},
		{"no_text", VERDICT_PLAIN},
		{"posting_to_general_channel_denied", VERDICT_BROKEN},
		{"rate_limited", VERDICT_RETRY},
		{"rollup_error", VERDICT_RETRY},
		{"team_disabled", VERDICT_BROKEN},
		{"user_not_found", VERDICT_BROKEN},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!str_starts(body, words[i].word))
			continue;
		*out = words[i].verdict;
		return true;
	}
	return false;
}

static void judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	channel_judge(c, a, out);
	if (a->error || verdict_of_words(a->body, &out->verdict))
		return;
	if (a->status == 413)
		out->verdict = VERDICT_PLAIN;
	/* Anybody can answer 200: a proxy, a login page. Slack says "ok". */
	if (out->verdict == VERDICT_SENT && !str_starts(a->body, "ok"))
		out->verdict = VERDICT_BROKEN;
}

const struct channel_type channel_slack = {
	.name = "slack",
	.doc = "Posts to a Slack channel by an incoming webhook.",
	.per_minute = 60,
	.needs = "url",
	.check = channel_check_url,
	.build = build,
	.judge = judge,
};
