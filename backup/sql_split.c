/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/sql_split.h"

#include <ctype.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static const char *end_of_line(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl ? nl + 1 : end;
}

/* Behind a C comment that begins at p. */
static const char *end_of_comment(const char *p, const char *end)
{
	const char *close = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);

	return close ? close + 2 : end;
}

static bool at(const char *p, const char *end, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(end - p) >= n && memcmp(p, what, n) == 0;
}

/* MySQL runs what stands in comments that begin so. */
static bool is_live_comment(const struct sql_script *s, const char *p)
{
	return s->dialect == SQL_MYSQL && (at(p, s->end, "/*!") || at(p, s->end, "/*M!"));
}

/* Behind a quoted text or name that begins at p with `quote`; two of them are one within. */
static const char *end_of_quoted(const char *p, const char *end, char quote, bool backslashes)
{
	for (p++; p < end; p++) {
		if (*p == '\\' && backslashes && p + 1 < end)
			p++;
		else if (*p == quote && p + 1 < end && p[1] == quote)
			p++;
		else if (*p == quote)
			return p + 1;
	}
	return end;
}

/* Behind $tag$ ... $tag$; p + 1 when it is none. */
static const char *end_of_dollars(const char *p, const char *end)
{
	const char *q = p + 1, *close;
	size_t n;

	while (q < end && (isalnum((unsigned char)*q) || *q == '_'))
		q++;
	if (q == end || *q != '$')
		return p + 1;
	n = (size_t)(q + 1 - p);
	close = memmem(q + 1, (size_t)(end - q - 1), p, n);
	return close ? close + n : end;
}

static const char *skip_blanks(const struct sql_script *s, const char *p)
{
	while (p < s->end) {
		if (is_blank(*p))
			p++;
		else if (at(p, s->end, "--") || (s->dialect == SQL_MYSQL && *p == '#'))
			p = end_of_line(p, s->end);
		else if (at(p, s->end, "/*") && !is_live_comment(s, p))
			p = end_of_comment(p, s->end);
		else
			break;
	}
	return p;
}

/* Behind the piece at p: a text, a name, a comment, or one character. */
static const char *skip_piece(const struct sql_script *s, const char *p, const char *start)
{
	bool mysql = s->dialect == SQL_MYSQL;
	bool escape = mysql || (p > start && (p[-1] == 'E' || p[-1] == 'e'));

	if (*p == '\'')
		return end_of_quoted(p, s->end, '\'', escape);
	if (*p == '"')
		return end_of_quoted(p, s->end, '"', mysql);
	if (*p == '`' && mysql)
		return end_of_quoted(p, s->end, '`', false);
	if (*p == '$' && !mysql)
		return end_of_dollars(p, s->end);
	if (at(p, s->end, "--"))
		return end_of_line(p, s->end);
	if (at(p, s->end, "/*"))
		return end_of_comment(p, s->end);
	return p + 1;
}

bool sql_next(struct sql_script *s, const char **text, size_t *len)
{
	const char *start = skip_blanks(s, s->at), *p = start;

	if (start == s->end)
		return false;
	if (*start == '\\' && s->dialect == SQL_POSTGRESQL)
		p = end_of_line(start, s->end);
	else
		while (p < s->end) {
			bool last = *p == ';';

			p = last ? p + 1 : skip_piece(s, p, start);
			if (last)
				break;
		}
	s->at = p;
	*text = start;
	*len = (size_t)(p - start);
	return true;
}

bool sql_begins(const char *text, size_t len, const char *words, const char **rest)
{
	const char *end = text + len;

	for (; *words; words++) {
		if (*words == ' ') {
			if (text == end || !is_blank(*text))
				return false;
			while (text < end && is_blank(*text))
				text++;
		} else if (text == end || toupper((unsigned char)*text++) != *words) {
			return false;
		}
	}
	if (text < end && (isalnum((unsigned char)*text) || *text == '_'))
		return false;
	while (text < end && is_blank(*text))
		text++;
	*rest = text;
	return true;
}

bool sql_name(const char **text, const char *end, char quote, char *to, size_t size)
{
	const char *p = *text;
	bool quoted = p < end && *p == quote;
	size_t n = 0;

	for (p += quoted; p < end; p++) {
		if (quoted && *p == quote) {
			if (p + 1 == end || p[1] != quote)
				break;
			p++;
		} else if (!quoted && (is_blank(*p) || strchr(";,()@", *p))) {
			break;
		}
		if (n + 1 >= size)
			return false;
		to[n++] = *p;
	}
	if (n == 0 || (quoted && p == end))
		return false;
	to[n] = '\0';
	*text = p + quoted;
	return true;
}
