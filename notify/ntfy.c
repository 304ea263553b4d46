/* SPDX-License-Identifier: Apache-2.0
 *
 * ntfy, ntfy.sh or a server of one's own (docs.ntfy.sh/publish).
 *
 * Limits: a message of 4,096 bytes (a longer one becomes an attached file) in a JSON body of twice
 * that; 60 requests at once, then one every 5 s; attachments where the server allows them, 15 MB.
 * Without a picture it is published as JSON. With one the picture is the body of a PUT and the
 * texts are headers: RFC 2047 for what is not ASCII, "\n" for line ends.
 */
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/chat.h"

enum {
	TITLE_MAX = 250, /* bytes */
	MESSAGE_MAX = 3000,
	HEADER_MESSAGE_MAX = 2000, /* base64 of it fits into the 8 KB many proxies allow */
	LINK_MAX = 500,
	TOPIC_MAX = 64,
};

/* Priorities: 5 overrides do-not-disturb where the user allows it, 2 makes no sound. */
static const struct {
	int priority;
	const char *tag; /* docs.ntfy.sh/emojis */
} moods[] = {
	[CHAT_INFO] = {2, "information_source"},
	[CHAT_OK] = {2, "white_check_mark"},
	[CHAT_WARNING] = {4, "warning"},
	[CHAT_CRITICAL] = {5, "rotating_light"},
};

static int check(const struct channel *c, struct err *e)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t n = strspn(c->to[0], letters);

	if (c->to[0][n] || n > TOPIC_MAX)
		return err_set(e, EINVAL,
			"\"%s\" is no topic: letters, digits, - and _, at most %d", c->to[0],
			TOPIC_MAX);
	if (c->user && c->user[0] && !c->secret)
		return err_set(e, EINVAL, "user is set, but its password is not");
	return channel_check_url(c, e);
}

static void add_login(const struct channel *c, struct outgoing *out)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64 * 1024);
	_cleanup_(free_p) char *login = NULL;

	if (!c->secret)
		return;
	if (!c->user || !c->user[0]) {
		outgoing_header(out, "Authorization: Bearer %s", c->secret);
		return;
	}
	login = str_format("%s:%s", c->user, c->secret);
	base64_encode(&b, login, strlen(login), 0);
	outgoing_header(out, "Authorization: Basic %s", buf_str(&b));
}

/* ntfy writes "triggered" where nothing stands. */
static void make_texts(const struct message *m, size_t max, struct buf *title, struct buf *text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(256 * 1024);

	message_title(m, &b);
	text_cut_bytes(title, buf_str(&b), TITLE_MAX);
	buf_clear(&b);
	message_plain(m, &b);
	if (!b.len)
		message_line(m->events[0], &b);
	text_cut_bytes(text, buf_str(&b), max);
}

static int build_json(const struct channel *c, const char *base, const struct message *m,
	bool plain, struct outgoing *out, struct err *e)
{
	struct buf title = BUF_INIT(TITLE_MAX), text = BUF_INIT(MESSAGE_MAX);
	_cleanup_(buf_done) struct buf link = BUF_INIT(64 * 1024);
	enum chat_mood mood = chat_mood(m);
	json_t *j;

	make_texts(m, MESSAGE_MAX, &title, &text);
	j = json_pack("{s:s,s:o,s:o,s:i,s:[s]}", "topic", c->to[0], "title", chat_take(&title),
		"message", chat_take(&text), "priority", moods[mood].priority, "tags",
		moods[mood].tag);
	chat_link(m, &link);
	if (link.len && link.len <= LINK_MAX && !plain)
		json_object_set_new(j, "click", chat_take(&link));
	out->url = chat_url(base, "");
	return chat_set_json(out, j, e);
}

/* A text as the value of a header. The folds of the encoded words become blanks, which stand for
 * nothing between two of them. */
static void add_text_header(struct outgoing *out, const char *name, const char *text)
{
	_cleanup_(buf_done) struct buf escaped = BUF_INIT(64 * 1024), value = BUF_INIT(64 * 1024);

	for (const char *p = text; *p; p++) {
		if (*p == '\n')
			buf_adds(&escaped, "\\n");
		else
			buf_addc(&escaped, *p);
	}
	text_add_mail_header(&value, buf_str(&escaped), strlen(name) + 2);
	outgoing_header(out, "%s: %s", name, buf_str(&value));
}

static int build_picture(
	const struct channel *c, const char *base, const struct message *m, struct outgoing *out)
{
	_cleanup_(buf_done) struct buf title = BUF_INIT(TITLE_MAX),
				       text = BUF_INIT(HEADER_MESSAGE_MAX),
				       link = BUF_INIT(64 * 1024);
	enum chat_mood mood = chat_mood(m);

	make_texts(m, HEADER_MESSAGE_MAX, &title, &text);
	chat_link(m, &link);
	out->method = str_dup("PUT");
	out->url = chat_url(base, c->to[0]);
	add_text_header(out, "X-Title", buf_str(&title));
	add_text_header(out, "X-Message", buf_str(&text));
	outgoing_header(out, "X-Priority: %d", moods[mood].priority);
	outgoing_header(out, "X-Tags: %s", moods[mood].tag);
	if (link.len && link.len <= LINK_MAX)
		outgoing_header(out, "X-Click: %s", buf_str(&link));
	outgoing_header(out, "X-Filename: chart.png");
	outgoing_header(out, "Content-Type: image/png");
	buf_add(&out->body, m->picture, m->picture_len);
	return 0;
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	const char *base = c->url && c->url[0] ? c->url : "https://ntfy.sh";

	(void)memory;
	add_login(c, out);
	if (chat_has_picture(c, m, plain))
		return build_picture(c, base, m, out);
	return build_json(c, base, m, plain, out, e);
}

static void judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	/* server/errors.go of ntfy */
	enum {
		TOPIC_INVALID = 40009,
		TOPIC_DISALLOWED = 40010,
		ATTACHMENT_BANDWIDTH = 42905,
	};
	json_t *j = chat_answer(a);
	json_int_t code = json_integer_value(json_object_get(j, "code"));
	const char *words = json_string_value(json_object_get(j, "error"));

	channel_judge(c, a, out);
	if (words)
		channel_why(c, out, "HTTP %ld: %s", a->status, words);
	if (code == TOPIC_INVALID || code == TOPIC_DISALLOWED)
		out->verdict = VERDICT_BROKEN;
	else if (a->status == 400 || a->status == 413 || code == ATTACHMENT_BANDWIDTH)
		out->verdict = VERDICT_PLAIN; /* mostly the picture: no attachments here */
	else if (out->verdict == VERDICT_SENT && !json_object_get(j, "id"))
		out->verdict = VERDICT_BROKEN; /* somebody else answers at that address */
	json_decref(j);
}

const struct channel_type channel_ntfy = {
	.name = "ntfy",
	.doc = "Publishes to a topic of ntfy.sh or of an ntfy server of your own.",
	.flags = CHANNEL_PICTURES,
	.per_minute = 12,
	.needs = "to",
	.check = check,
	.build = build,
	.judge = judge,
};
