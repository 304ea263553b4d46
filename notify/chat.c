/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/wire.h"

enum { DAY_S = 24 * 3600 };

enum chat_mood chat_mood_of(const struct event *ev)
{
	static const enum chat_mood moods[] = {CHAT_INFO, CHAT_WARNING, CHAT_CRITICAL};

	return ev->is_end ? CHAT_OK : moods[ev->severity];
}

enum chat_mood chat_mood(const struct message *m)
{
	enum chat_mood worst = CHAT_INFO;

	for (size_t i = 0; i < m->n; i++)
		if (chat_mood_of(m->events[i]) > worst)
			worst = chat_mood_of(m->events[i]);
	return worst;
}

const char *chat_sign(enum chat_mood mood)
{
	static const char *const signs[] = {
		[CHAT_INFO] = "\xf0\x9f\x94\xb5", /* blue */
		[CHAT_OK] = "\xf0\x9f\x9f\xa2", /* green */
		[CHAT_WARNING] = "\xf0\x9f\x9f\xa0", /* orange */
		[CHAT_CRITICAL] = "\xf0\x9f\x94\xb4", /* red */
	};

	return signs[mood];
}

unsigned chat_color(enum chat_mood mood)
{
	static const unsigned colors[] = {[CHAT_INFO] = 0x2f80ed,
		[CHAT_OK] = 0x27ae60,
		[CHAT_WARNING] = 0xf2994a,
		[CHAT_CRITICAL] = 0xd32f2f};

	return colors[mood];
}

void chat_title(const struct message *m, size_t max_units, struct buf *out)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64 * 1024);

	buf_addf(&b, "%s ", chat_sign(chat_mood(m)));
	message_title(m, &b);
	text_cut_utf16(out, buf_str(&b), max_units);
}

void chat_lines(const struct message *m, struct buf *out)
{
	for (size_t i = 0; i < m->n; i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(64 * 1024);

		buf_addf(&b, "%s ", chat_sign(chat_mood_of(m->events[i])));
		message_line(m->events[i], &b);
		if (i > 0)
			buf_addc(out, '\n');
		text_cut_utf16(out, buf_str(&b), CHAT_LINE_MAX);
	}
}

void chat_link(const struct message *m, struct buf *out)
{
	if (m->n == 1)
		message_link(m, m->events[0], out);
	else if (m->url)
		buf_adds(out, m->url);
}

bool chat_has_picture(const struct channel *c, const struct message *m, bool plain)
{
	return c->pictures && !plain && m->picture && m->picture_len > 0 &&
	       m->picture_len <= CHAT_PICTURE_MAX;
}

json_t *chat_string(const char *s)
{
	json_t *j = json_string(s);
	_cleanup_(free_p) char *copy = j ? NULL : str_dup(s);

	if (j)
		return j;
	for (char *p = copy; *p;) {
		size_t n = str_utf8_char(p);

		if (n == 0)
			*p = '?';
		p += n ? n : 1;
	}
	j = json_string(copy);
	if (!j)
		abort(); /* no memory */
	return j;
}

json_t *chat_take(struct buf *b)
{
	json_t *j = chat_string(buf_str(b));

	buf_done(b);
	return j;
}

json_t *chat_cut(const char *s, size_t max_units, text_escape_fn escape)
{
	struct buf b = BUF_INIT(OUTGOING_BODY_MAX);

	if (!s[strspn(s, " \t\n")])
		s = "-";
	if (escape)
		text_cut_escaped(&b, s, max_units, escape);
	else
		text_cut_lines_utf16(&b, s, max_units);
	return chat_take(&b);
}

static int add_json(const char *data, size_t n, void *body)
{
	buf_add(body, data, n);
	return 0;
}

static int check_size(const struct outgoing *o, struct err *e)
{
	if (o->body.overflow)
		return err_set(e, EMSGSIZE, "the message is too large");
	return 0;
}

int chat_set_json(struct outgoing *o, json_t *j, struct err *e)
{
	buf_clear(&o->body);
	if (!j || json_dump_callback(j, add_json, &o->body, JSON_COMPACT) < 0)
		abort(); /* no memory */
	json_decref(j);
	outgoing_header(o, "Content-Type: application/json");
	return check_size(o, e);
}

/* A text that stands in none of the parts: a fingerprint of them all. */
static void make_boundary(char to[HASH_SHA256_HEX_SIZE], const struct chat_part *parts, size_t n)
{
	_cleanup_(buf_done) struct buf all = BUF_INIT(1024 * 1024);

	for (size_t i = 0; i < n; i++) {
		char hex[HASH_SHA256_HEX_SIZE];

		hash_sha256_hex(hex, parts[i].data, parts[i].len);
		buf_adds(&all, hex);
	}
	hash_sha256_hex(to, buf_str(&all), all.len);
	to[32] = '\0';
}

int chat_set_form(struct outgoing *o, const struct chat_part *parts, size_t n, struct err *e)
{
	char boundary[HASH_SHA256_HEX_SIZE];
	struct buf *b = &o->body;

	make_boundary(boundary, parts, n);
	buf_clear(b);
	for (size_t i = 0; i < n; i++) {
		const struct chat_part *p = &parts[i];

		buf_addf(b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", boundary,
			p->name);
		if (p->filename)
			buf_addf(b, "; filename=\"%s\"", p->filename);
		if (p->type)
			buf_addf(b, "\r\nContent-Type: %s", p->type);
		buf_adds(b, "\r\n\r\n");
		buf_add(b, p->data, p->len);
		buf_adds(b, "\r\n");
	}
	buf_addf(b, "--%s--\r\n", boundary);
	outgoing_header(o, "Content-Type: multipart/form-data; boundary=%s", boundary);
	return check_size(o, e);
}

char *chat_url(const char *base, const char *path)
{
	size_t n = strlen(base);

	while (n > 0 && base[n - 1] == '/')
		n--;
	return str_format("%.*s/%s", (int)n, base, path);
}

json_t *chat_answer(const struct answer *a)
{
	json_t *j = a->error ? NULL : wire_parse(a->body, strlen(a->body), NULL);

	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

int64_t chat_wait_ms(const json_t *seconds)
{
	double s = json_number_value(seconds);

	if (!json_is_number(seconds) || !(s >= 0))
		return -1;
	return (int64_t)((s > DAY_S ? DAY_S : s) * 1000 + 0.999);
}
