/* SPDX-License-Identifier: Apache-2.0
 *
 * Gotify, a push server of one's own (gotify.net/docs/pushmsg, gotify.net/docs/msgextras).
 *
 * No limits of its own; MESSAGE_MAX is what a phone still shows well. The text is text/plain: the
 * documentation itself advises against Markdown for what comes from outside.
 */
#include <string.h>

#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/chat.h"

enum { TITLE_MAX = 400, MESSAGE_MAX = 8000 };

/* gotify/android: 8 and more pops up, 4 to 7 has sound, 1 to 3 only lies there. */
static const int priorities[] = {
	[CHAT_INFO] = 2, [CHAT_OK] = 2, [CHAT_WARNING] = 6, [CHAT_CRITICAL] = 9};

static json_t *make_extras(const struct channel *c, const struct message *m)
{
	struct buf link = BUF_INIT(64 * 1024);
	json_t *notification = json_object();
	json_t *extras = json_pack("{s:{s:s}}", "client::display", "contentType", "text/plain");

	chat_link(m, &link);
	if (link.len)
		json_object_set_new(
			notification, "click", json_pack("{s:o}", "url", chat_take(&link)));
	if (c->pictures && m->picture_url && m->picture_url[0])
		json_object_set_new(notification, "bigImageUrl", chat_string(m->picture_url));
	if (json_object_size(notification) > 0)
		json_object_set(extras, "client::notification", notification);
	json_decref(notification);
	return extras;
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(256 * 1024);
	struct buf title = BUF_INIT(64 * 1024);
	json_t *j;

	(void)memory;
	chat_title(m, TITLE_MAX, &title);
	message_plain(m, &text);
	if (!text.len)
		message_line(m->events[0], &text); /* an empty message is refused */
	j = json_pack("{s:o,s:o,s:i}", "title", chat_take(&title), "message",
		chat_cut(buf_str(&text), MESSAGE_MAX, NULL), "priority", priorities[chat_mood(m)]);
	if (!plain)
		json_object_set_new(j, "extras", make_extras(c, m));
	out->url = chat_url(c->url, "message");
	outgoing_header(out, "X-Gotify-Key: %s", c->secret);
	return chat_set_json(out, j, e);
}

static void judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	json_t *j = chat_answer(a);
	const char *words = json_string_value(json_object_get(j, "errorDescription"));

	channel_judge(c, a, out);
	if (words)
		channel_why(c, out, "HTTP %ld: %s", a->status, words);
	if (a->status == 400 || a->status == 413)
		out->verdict = VERDICT_PLAIN;
	else if (out->verdict == VERDICT_SENT && !json_object_get(j, "id"))
		out->verdict = VERDICT_BROKEN; /* somebody else answers at that address */
	json_decref(j);
}

const struct channel_type channel_gotify = {
	.name = "gotify",
	.doc = "Sends to a Gotify server as one of its applications.",
	.per_minute = 60,
	.needs = "url secret",
	.check = channel_check_url,
	.build = build,
	.judge = judge,
};
