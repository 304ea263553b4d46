/* SPDX-License-Identifier: Apache-2.0
 *
 * Discord, by a webhook of a channel (docs.discord.com/developers/resources/webhook, Execute
 * Webhook; .../resources/message, Embed Limits).
 *
 * Limits: content 2,000 characters; embed: title 256, description 4,096, 25 fields of 256 and 1,024,
 * footer 2,048, all of it together 6,000. Five requests in two seconds, 30 a minute to a channel.
 * The title is `content`, because that is what a phone shows; the rest is an embed with a coloured
 * bar. Nobody can be mentioned (allowed_mentions), and Markdown is escaped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/chat.h"

enum {
	TITLE_MAX = 1000,
	PLAIN_MAX = 1900,
	NAME_UNITS_MAX = 100,
	VALUE_MAX = 200, /* 16 facts: 4,800 at most */
	INLINE_MAX = 24, /* values up to this length share a row */
	DESCRIPTION_MAX = 3500,
	FOOTER_MAX = 400,
	EMBED_MAX = 6000,
};

static int check(const struct channel *c, struct err *e)
{
	uint64_t thread;

	if (c->thread && c->thread[0] && str_to_u64(c->thread, &thread, NULL) < 0)
		return err_set(e, EINVAL, "thread must be the number of a thread");
	return channel_check_url(c, e);
}

/* Text of an embed's part; adds its length to *used. */
static json_t *part(const char *s, size_t max_units, size_t *used)
{
	json_t *j = chat_cut(s, max_units, text_add_markdown);

	*used += text_utf16_len(json_string_value(j));
	return j;
}

static void add_fields(json_t *embed, const struct event *ev, size_t *used)
{
	json_t *fields = json_array();

	for (size_t i = 0; i < ev->n_facts; i++) {
		const struct event_fact *f = &ev->facts[i];
		bool is_short = text_utf16_len(f->value) <= INLINE_MAX;

		json_array_append_new(fields,
			json_pack("{s:o,s:o,s:b}", "name", part(f->name, NAME_UNITS_MAX, used),
				"value", part(f->value, VALUE_MAX, used), "inline", is_short));
	}
	json_object_set_new(embed, "fields", fields);
}

static void add_footer(json_t *embed, const struct message *m, size_t *used)
{
	_cleanup_(buf_done) struct buf notes = BUF_INIT(64 * 1024);
	json_t *text;

	message_notes(m, &notes);
	if (!notes.len)
		return;
	text = chat_cut(buf_str(&notes), FOOTER_MAX, NULL); /* no Markdown in footers */
	*used += text_utf16_len(json_string_value(text));
	json_object_set_new(embed, "footer", json_pack("{s:o}", "text", text));
}

/* What is left of the embed's room. The link stays plain: a title with an address that Discord does
 * not like (one without a dot) makes it refuse all of it. */
static void add_description(json_t *embed, const struct message *m, size_t used)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64 * 1024), lines = BUF_INIT(64 * 1024),
				       link = BUF_INIT(64 * 1024);
	size_t room;

	chat_link(m, &link);
	used += text_utf16_len(buf_str(&link)) + 1;
	room = used < EMBED_MAX ? EMBED_MAX - used : 0;
	if (room > DESCRIPTION_MAX)
		room = DESCRIPTION_MAX;
	if (m->n > 1)
		chat_lines(m, &lines);
	text_cut_escaped(&text, m->n > 1 ? buf_str(&lines) : message_text(m->events[0]), room,
		text_add_markdown);
	if (link.len && link.len < 500) {
		if (text.len)
			buf_addc(&text, '\n');
		buf_adds(&text, buf_str(&link));
	}
	if (text.len)
		json_object_set_new(embed, "description", chat_take(&text));
}

static json_t *make_embed(const struct message *m, bool picture)
{
	size_t used = 0;
	char when[32];
	json_t *embed;

	clock_rfc3339(when, sizeof(when), (time_t)(m->events[m->n - 1]->time_ms / 1000));
	embed = json_pack("{s:i,s:s}", "color", (int)chat_color(chat_mood(m)), "timestamp", when);
	if (m->n == 1)
		add_fields(embed, m->events[0], &used);
	add_footer(embed, m, &used);
	add_description(embed, m, used);
	if (picture)
		json_object_set_new(
			embed, "image", json_pack("{s:s}", "url", "attachment://chart.png"));
	return embed;
}

/* "**title**"; the stars are ours, what is between them is escaped. */
static json_t *make_content(const struct message *m, bool plain)
{
	_cleanup_(buf_done) struct buf title = BUF_INIT(64 * 1024);
	struct buf b = BUF_INIT(64 * 1024);

	chat_title(m, TITLE_MAX, &title);
	buf_adds(&b, "**");
	text_cut_escaped(&b, buf_str(&title), TITLE_MAX, text_add_markdown);
	buf_adds(&b, "**");
	if (plain) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(64 * 1024);

		buf_addc(&b, '\n');
		message_plain(m, &text);
		text_cut_escaped(&b, buf_str(&text), PLAIN_MAX - text_utf16_len(buf_str(&b)),
			text_add_markdown);
	}
	return chat_take(&b);
}

static int set_body(
	struct outgoing *out, json_t *j, const struct message *m, bool picture, struct err *e)
{
	_cleanup_(free_p) char *text = NULL;

	if (!picture)
		return chat_set_json(out, j, e);
	json_object_set_new(j, "attachments",
		json_pack("[{s:i,s:s,s:s}]", "id", 0, "filename", "chart.png", "description",
			"Chart"));
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	if (!text)
		abort();

	const struct chat_part parts[] = {
		{.name = "payload_json",
			.type = "application/json",
			.data = text,
			.len = strlen(text)},
		{.name = "files[0]",
			.filename = "chart.png",
			.type = "image/png",
			.data = m->picture,
			.len = m->picture_len},
	};

	return chat_set_form(out, parts, ARRAY_LEN(parts), e);
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	bool picture = chat_has_picture(c, m, plain);
	json_t *j = json_pack(
		"{s:o,s:{s:[]}}", "content", make_content(m, plain), "allowed_mentions", "parse");

	(void)memory;
	if (!plain)
		json_object_set_new(j, "embeds", json_pack("[o]", make_embed(m, picture)));
	/* Without `wait` a message that is not saved gives no error. */
	out->url = str_format("%s%cwait=true%s%s", c->url, strchr(c->url, '?') ? '&' : '?',
		c->thread && c->thread[0] ? "&thread_id=" : "", c->thread ? c->thread : "");
	return set_body(out, j, m, picture, e);
}

static void judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	enum { NEEDS_THREAD = 220001 }; /* a forum channel takes messages in threads only */
	json_t *j = chat_answer(a);
	/* More exact than the header, and there also when a proxy took that away. */
	int64_t wait_ms = chat_wait_ms(json_object_get(j, "retry_after"));

	channel_judge(c, a, out);
	if (out->verdict == VERDICT_RETRY && wait_ms >= 0)
		out->retry_after_ms = wait_ms;
	if (json_integer_value(json_object_get(j, "code")) == NEEDS_THREAD)
		out->verdict = VERDICT_BROKEN;
	else if (a->status == 400 || a->status == 413)
		out->verdict = VERDICT_PLAIN; /* "Invalid Form Body", the file is too large */
	json_decref(j);
}

const struct channel_type channel_discord = {
	.name = "discord",
	.doc = "Posts to a Discord channel by a webhook.",
	.flags = CHANNEL_PICTURES,
	.per_minute = 30,
	.needs = "url",
	.check = check,
	.build = build,
	.judge = judge,
};
