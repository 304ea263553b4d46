/* SPDX-License-Identifier: Apache-2.0
 *
 * Telegram, as a bot (core.telegram.org/bots/api: sendMessage, sendPhoto, "Making requests").
 *
 * Limits: text of 1 to 4,096 and caption of up to 1,024 UTF-16 units; about one message a second to
 * a chat, 20 a minute to a group (core.telegram.org/bots/faq). Formatting is told by `entities` with
 * offsets in UTF-16 units and never by parse_mode, so nothing has to be escaped and nothing can be
 * misread. With a picture it is one photo with all of it as its caption; what is longer than a
 * caption goes without the picture, because the words count more.
 *
 * The token is part of the address: channel_redact() keeps it out of what is shown.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/chat.h"

enum { TEXT_MAX = 4096, CAPTION_MAX = 1024, TITLE_MAX = 700 };

static int check(const struct channel *c, struct err *e)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-:";
	uint64_t thread;

	if (c->secret[strspn(c->secret, letters)] || !strchr(c->secret, ':'))
		return err_set(e, EINVAL,
			"this is no token of a bot; @BotFather gives one like 123456:ABC-DEF");
	if (c->thread && c->thread[0] && str_to_u64(c->thread, &thread, NULL) < 0)
		return err_set(e, EINVAL, "thread must be the number of a topic");
	return channel_check_url(c, e);
}

/* The text and what is to look different in it. */
struct draft {
	struct buf text;
	json_t *entities;
	size_t units; /* length of the text so far */
};

static void add(struct draft *d, const char *s, const char *entity)
{
	size_t units = text_utf16_len(s);

	if (entity && units > 0)
		json_array_append_new(
			d->entities, json_pack("{s:s,s:I,s:I}", "type", entity, "offset",
					     (json_int_t)d->units, "length", (json_int_t)units));
	buf_adds(&d->text, s);
	d->units += units;
}

static void add_event(struct draft *d, const struct event *ev)
{
	for (size_t i = 0; i < ev->n_facts; i++) {
		add(d, "\n", NULL);
		add(d, ev->facts[i].name, "bold");
		add(d, ": ", NULL);
		add(d, ev->facts[i].value, NULL);
	}
	if (!*message_text(ev))
		return;
	add(d, ev->n_facts ? "\n\n" : "\n", NULL);
	/* Several lines are mostly a log; as code neither its @names nor its #words are links. */
	add(d, ev->text, strpbrk(ev->text, "\n@#") ? "pre" : NULL);
}

static void add_end(struct draft *d, const struct message *m)
{
	_cleanup_(buf_done) struct buf link = BUF_INIT(64 * 1024), notes = BUF_INIT(64 * 1024);

	chat_link(m, &link);
	message_notes(m, &notes);
	if (link.len) {
		add(d, "\n", NULL);
		add(d, buf_str(&link), NULL);
	}
	if (notes.len) {
		add(d, "\n", NULL);
		add(d, buf_str(&notes), "italic");
	}
}

static void make_draft(struct draft *d, const struct message *m)
{
	_cleanup_(buf_done) struct buf title = BUF_INIT(64 * 1024), lines = BUF_INIT(64 * 1024);

	buf_init(&d->text, 256 * 1024);
	d->entities = json_array();
	chat_title(m, TITLE_MAX, &title);
	add(d, buf_str(&title), "bold");
	if (m->n == 1) {
		add_event(d, m->events[0]);
	} else {
		chat_lines(m, &lines);
		add(d, "\n", NULL);
		add(d, buf_str(&lines), NULL);
	}
	add_end(d, m);
}

/* Only what lies wholly in the first `units` of the text may be marked. */
static void cut_entities(json_t *entities, size_t units)
{
	for (size_t i = json_array_size(entities); i-- > 0;) {
		json_t *one = json_array_get(entities, i);
		json_int_t offset = json_integer_value(json_object_get(one, "offset"));
		json_int_t length = json_integer_value(json_object_get(one, "length"));

		if ((size_t)offset >= units)
			json_array_remove(entities, i);
		else if ((size_t)(offset + length) > units)
			json_object_set_new(
				one, "length", json_integer((json_int_t)units - offset));
	}
}

static const char *chat_of(const struct channel *c, const struct channel_memory *memory)
{
	return memory && memory->to[0] ? memory->to : c->to[0];
}

static bool is_silent(const struct message *m)
{
	return message_severity(m) == SEVERITY_INFO;
}

static int build_text(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, struct draft *d, bool plain, struct outgoing *out, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(64 * 1024);
	json_t *j;

	text_cut_lines_utf16(&text, buf_str(&d->text), TEXT_MAX);
	if (d->units > TEXT_MAX)
		cut_entities(d->entities, text_utf16_len(buf_str(&text)));
	j = json_pack("{s:o,s:o,s:{s:b},s:b}", "chat_id", chat_string(chat_of(c, memory)), "text",
		chat_take(&text), "link_preview_options", "is_disabled", 1, "disable_notification",
		is_silent(m));
	if (!plain)
		json_object_set(j, "entities", d->entities);
	if (c->thread && c->thread[0])
		json_object_set_new(
			j, "message_thread_id", json_integer(strtoll(c->thread, NULL, 10)));
	return chat_set_json(out, j, e);
}

static struct chat_part field(const char *name, const char *value)
{
	struct chat_part p = {.name = name, .data = value, .len = strlen(value)};

	return p;
}

static int build_photo(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, struct draft *d, struct outgoing *out, struct err *e)
{
	_cleanup_(free_p) char *entities = json_dumps(d->entities, JSON_COMPACT);
	struct chat_part parts[6];
	size_t n = 0;

	if (!entities)
		abort();
	parts[n++] = field("chat_id", chat_of(c, memory));
	if (c->thread && c->thread[0])
		parts[n++] = field("message_thread_id", c->thread);
	parts[n++] = field("caption", buf_str(&d->text));
	parts[n++] = field("caption_entities", entities);
	parts[n++] = field("disable_notification", is_silent(m) ? "true" : "false");
	parts[n++] = (struct chat_part){.name = "photo",
		.filename = "chart.png",
		.type = "image/png",
		.data = m->picture,
		.len = m->picture_len};
	return chat_set_form(out, parts, n, e);
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	const char *base = c->url && c->url[0] ? c->url : "https://api.telegram.org";
	struct draft d = {.units = 0};
	bool photo;
	_cleanup_(free_p) char *path = NULL;
	int r;

	make_draft(&d, m);
	photo = chat_has_picture(c, m, plain) && d.units <= CAPTION_MAX;
	path = str_format("bot%s/%s", c->secret, photo ? "sendPhoto" : "sendMessage");
	out->url = chat_url(base, path);
	r = photo ? build_photo(c, memory, m, &d, out, e)
		  : build_text(c, memory, m, &d, plain, out, e);
	json_decref(d.entities);
	buf_done(&d.text);
	return r;
}

/* A group that became a supergroup has a new number, and the old one is dead. */
static bool read_migration(const json_t *parameters, struct verdict_of *out)
{
	const json_t *id = json_object_get(parameters, "migrate_to_chat_id");

	if (!json_is_integer(id))
		return false;
	(void)snprintf(out->memory.to, sizeof(out->memory.to), "%" JSON_INTEGER_FORMAT,
		json_integer_value(id));
	out->verdict = VERDICT_RETRY;
	return true;
}

/* What a 400 means stands in its description only. */
static enum verdict verdict_of_400(const char *words)
{
	static const struct {
		const char *word;
		enum verdict verdict;
	} table[] = {
		{"send photos", VERDICT_PLAIN}, /* not enough rights to send photos to the chat */
		{"chat not found", VERDICT_BROKEN},
		{"chat_id is empty", VERDICT_BROKEN},
		{"not enough rights", VERDICT_BROKEN},
		{"have no rights", VERDICT_BROKEN},
		{"need administrator rights", VERDICT_BROKEN},
		{"CHAT_WRITE_FORBIDDEN", VERDICT_BROKEN},
		{"CHAT_ADMIN_REQUIRED", VERDICT_BROKEN},
		{"PEER_ID_INVALID", VERDICT_BROKEN},
		{"TOPIC_CLOSED", VERDICT_BROKEN},
		{"TOPIC_DELETED", VERDICT_BROKEN},
		{"message thread not found", VERDICT_BROKEN},
		{"group chat was upgraded", VERDICT_BROKEN},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcasestr(words, table[i].word))
			return table[i].verdict;
	/* Entities, the photo, the length: all about the form. */
	return VERDICT_PLAIN;
}

static void judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	json_t *j = chat_answer(a);
	const json_t *parameters = json_object_get(j, "parameters");
	const char *words = json_string_value(json_object_get(j, "description"));
	int64_t wait_ms = chat_wait_ms(json_object_get(parameters, "retry_after"));

	channel_judge(c, a, out);
	if (words)
		channel_why(c, out, "HTTP %ld: %s", a->status, words);
	if (out->verdict == VERDICT_SENT && !json_is_true(json_object_get(j, "ok")))
		out->verdict = VERDICT_BROKEN; /* somebody else answers at that address */
	else if (out->verdict == VERDICT_RETRY && wait_ms >= 0)
		out->retry_after_ms = wait_ms;
	else if (a->status == 400 && !read_migration(parameters, out))
		out->verdict = verdict_of_400(words ? words : "");
	else if (a->status == 413)
		out->verdict = VERDICT_PLAIN;
	json_decref(j);
}

const struct channel_type channel_telegram = {
	.name = "telegram",
	.doc = "Sends to a Telegram chat, group or topic as a bot.",
	.flags = CHANNEL_PICTURES,
	.per_minute = 20,
	.needs = "secret to",
	.check = check,
	.build = build,
	.judge = judge,
};
