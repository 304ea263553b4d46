/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/text.h"

#include <stdbool.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/str.h"

/* Zero width space: keeps apart what would mean something together. */
static const char break_mark[] = "\xe2\x80\x8b";

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Part of a word; a byte of a longer character counts as one. */
static bool is_word(char c)
{
	return is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
	return c == '\0' || c == ' ' || c == '\n' || c == '\t';
}

static bool is_in(char c, const char *set)
{
	return c && strchr(set, c);
}

/* "@everyone" and its like at the '@'. */
static bool is_mention(const char *s)
{
	static const char *const names[] = {"channel", "everyone", "here"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (s[0] == '@' && strncasecmp(s + 1, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* ":fire:" at its first colon; not the colons of 03:12:05. */
static bool is_emoji_code(const char *s)
{
	bool letter = is_in(s[1], "+-"); /* :+1: */
	const char *p = s + 1;

	for (; is_letter(*p) || is_digit(*p) || is_in(*p, "_+-"); p++)
		letter = letter || is_letter(*p);
	return *s == ':' && *p == ':' && letter;
}

static bool add_entity(struct buf *b, char c)
{
	switch (c) {
	case '&':
		buf_adds(b, "&amp;");
		return true;
	case '<':
		buf_adds(b, "&lt;");
		return true;
	case '>':
		buf_adds(b, "&gt;");
		return true;
	default:
		return false;
	}
}

void text_add_html(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (add_entity(b, *s))
			continue;
		if (*s == '"')
			buf_adds(b, "&quot;");
		else if (*s == '\'')
			buf_adds(b, "&#39;");
		else
			buf_addc(b, *s);
	}
}

void text_add_mrkdwn(struct buf *b, const char *s)
{
	for (const char *p = s; *p; p++) {
		char before = p > s ? p[-1] : '\0';
		bool marker = is_in(*p, "*_~`");
		bool opens = marker && !is_word(before) && !is_blank(p[1]);
		bool closes = marker && !is_blank(before) && !is_word(p[1]);

		/* A quote begins with '>' at the beginning of a line. */
		if (closes || (*p == '>' && (before == '\0' || before == '\n')))
			buf_adds(b, break_mark);
		if (!add_entity(b, *p))
			buf_addc(b, *p);
		if (opens || is_mention(p) || is_emoji_code(p))
			buf_adds(b, break_mark);
	}
}

/* Whether the '.' or ')' at p makes the digits before it the number of a list. */
static bool ends_list_number(const char *line, const char *p)
{
	const char *q = line + strspn(line, " ");

	return q < p && q + strspn(q, "0123456789") == p && is_blank(p[1]);
}

/* Whether a character of Markdown text must be told to be just that. `line`: where its line begins,
 * `first`: nothing but blanks stands before it. */
static bool means_something(const char *p, const char *line, bool first)
{
	if (is_in(*p, "\\`*_~|<>[]"))
		return true;
	if (*p == '&') /* an entity */
		return is_letter(p[1]) || p[1] == '#';
	if (*p == '!')
		return p[1] == '[';
	if (is_in(*p, ".)"))
		return ends_list_number(line, p);
	return (first && is_in(*p, "#+-=")) || is_emoji_code(p);
}

void text_add_markdown(struct buf *b, const char *s)
{
	const char *line = s;
	bool first = true;

	for (const char *p = s; *p; p++) {
		/* Four blanks would start a block of code: the first becomes one that does not. */
		if (p == line && (*p == '\t' || strncmp(p, "    ", 4) == 0)) {
			buf_adds(b, "\xc2\xa0");
			continue;
		}
		if (means_something(p, line, first))
			buf_addc(b, '\\');
		buf_addc(b, *p);
		if (is_mention(p))
			buf_adds(b, break_mark);
		first = *p == '\n' || (first && is_blank(*p));
		if (*p == '\n')
			line = p + 1;
	}
}

/* Columns of a mail's line (RFC 2047, section 2), and what stands around the text of a word. */
enum { MAIL_LINE_MAX = 76, MAIL_WORD_MAX = 75 };
static const char word_begin[] = "=?UTF-8?B?", word_end[] = "?=";

static bool is_plain_header(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80 || (s[0] == '=' && s[1] == '?'))
			return false;
	return true;
}

/* Bytes of whole characters that fit into an encoded word when there are `room` columns. */
static size_t word_bytes(const char *s, size_t room)
{
	const size_t around = sizeof(word_begin) + sizeof(word_end) - 2;
	size_t max, n = 0;

	if (room > MAIL_WORD_MAX)
		room = MAIL_WORD_MAX;
	if (room <= around)
		return 0;
	max = (room - around) / 4 * 3;
	while (s[n]) {
		size_t k = str_utf8_char(s + n);

		if (n + (k ? k : 1) > max)
			break;
		n += k ? k : 1;
	}
	return n;
}

void text_add_mail_header(struct buf *b, const char *s, size_t used)
{
	_cleanup_(free_p) char *text = str_dup(s);

	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	if (is_plain_header(text)) {
		buf_adds(b, text);
		return;
	}
	for (const char *p = text; *p;) {
		size_t n = word_bytes(p, used < MAIL_LINE_MAX ? MAIL_LINE_MAX - used : 0);

		if (n > 0) {
			buf_adds(b, word_begin);
			base64_encode(b, p, n, 0);
			buf_adds(b, word_end);
			p += n;
		}
		if (*p)
			buf_adds(b, "\r\n ");
		used = 1;
	}
}

void text_add_percent(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (is_letter(*s) || is_digit(*s) || is_in(*s, "-._~"))
			buf_addc(b, *s);
		else
			buf_addf(b, "%%%02X", (unsigned)(unsigned char)*s);
	}
}
