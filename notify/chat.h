/* SPDX-License-Identifier: Apache-2.0
 *
 * What the channels for people have in common: how bad it is as a sign and a colour, texts as JSON,
 * bodies as JSON and as a form with a file, answers read. Pure.
 */
#ifndef NOTIFY_CHAT_H
#define NOTIFY_CHAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "notify/channel.h"
#include "notify/message.h"
#include "notify/text.h"

enum {
	CHAT_LINE_MAX = 250, /* UTF-16 units of one event in a list */
	CHAT_PICTURE_MAX = 400 * 1024, /* bytes; with it the body stays under OUTGOING_BODY_MAX */
};

enum chat_mood { CHAT_INFO, CHAT_OK, CHAT_WARNING, CHAT_CRITICAL };

enum chat_mood chat_mood(const struct message *m);
enum chat_mood chat_mood_of(const struct event *ev);
const char *chat_sign(enum chat_mood mood); /* a coloured dot */
unsigned chat_color(enum chat_mood mood); /* 0xRRGGBB */

/* message_title() with the sign in front, at most max_units. */
void chat_title(const struct message *m, size_t max_units, struct buf *out);
/* The events of a list, a line each: sign, message_line(). */
void chat_lines(const struct message *m, struct buf *out);
/* Where a click should lead: the event's page, of several the dashboard; nothing without one. */
void chat_link(const struct message *m, struct buf *out);
/* Whether a picture goes with it. */
bool chat_has_picture(const struct channel *c, const struct message *m, bool plain);

/* s as a JSON string, never NULL. */
json_t *chat_string(const char *s);
/* The same of a buffer, which is empty afterwards. */
json_t *chat_take(struct buf *b);
/* `escape` over s, within max_units; NULL escapes nothing. A text of blanks becomes "-": providers
 * refuse empty ones. */
json_t *chat_cut(const char *s, size_t max_units, text_escape_fn escape);

/* Sets body and Content-Type; takes j. -EMSGSIZE. */
int chat_set_json(struct outgoing *o, json_t *j, struct err *e);

/* One part of a form (RFC 7578). */
struct chat_part {
	const char *name;
	const char *filename; /* NULL: a plain field */
	const char *type; /* Content-Type; NULL: none */
	const void *data;
	size_t len;
};
int chat_set_form(struct outgoing *o, const struct chat_part *parts, size_t n, struct err *e);

/* A base address and a path, with one '/' between; to be freed. */
char *chat_url(const char *base, const char *path);

/* The answer as a JSON object, or NULL. */
json_t *chat_answer(const struct answer *a);
/* A wait that a provider gave in seconds, as milliseconds: between 0 and a day; -1 when it is no
 * number. */
int64_t chat_wait_ms(const json_t *seconds);

#endif
