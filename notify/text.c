/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/text.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

static const char dots[] = "\xe2\x80\xa6"; /* … */

/* Bytes of the character at s; a byte that is none counts as one. */
static size_t char_len(const char *s)
{
	size_t n = str_utf8_char(s);

	return n ? n : 1;
}

/* How much a character of n bytes counts. */
typedef size_t (*weight_fn)(size_t n);

static size_t in_bytes(size_t n)
{
	return n;
}

static size_t in_chars(size_t n)
{
	(void)n;
	return 1;
}

static size_t in_utf16(size_t n)
{
	return n == 4 ? 2 : 1; /* past U+FFFF: a surrogate pair */
}

static size_t weigh(const char *s, weight_fn weight)
{
	size_t sum = 0;

	for (size_t n; *s; s += n) {
		n = char_len(s);
		sum += weight(n);
	}
	return sum;
}

/* Bytes of the longest beginning that counts at most max. */
static size_t beginning(const char *s, size_t max, weight_fn weight)
{
	const char *p = s;
	size_t sum = 0;

	while (*p) {
		size_t n = char_len(p);

		sum += weight(n);
		if (sum > max)
			break;
		p += n;
	}
	return (size_t)(p - s);
}

static void cut(struct buf *b, const char *s, size_t max, weight_fn weight)
{
	size_t mark = weight == in_bytes ? sizeof(dots) - 1 : 1;
	size_t n = beginning(s, max, weight);

	if (s[n] && max >= mark) {
		n = beginning(s, max - mark, weight);
		while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\n'))
			n--;
	}
	buf_add(b, s, n);
	if (s[n] && max >= mark)
		buf_adds(b, dots);
}

size_t text_utf16_len(const char *s)
{
	return weigh(s, in_utf16);
}

void text_cut_bytes(struct buf *b, const char *s, size_t max_bytes)
{
	cut(b, s, max_bytes, in_bytes);
}

void text_cut_chars(struct buf *b, const char *s, size_t max_chars)
{
	cut(b, s, max_chars, in_chars);
}

void text_cut_utf16(struct buf *b, const char *s, size_t max_units)
{
	cut(b, s, max_units, in_utf16);
}

static size_t count_lines(const char *s)
{
	size_t n = 1;

	for (; *s; s++)
		n += s[0] == '\n' && s[1];
	return n;
}

void text_cut_lines_utf16(struct buf *b, const char *s, size_t max_units)
{
	enum { NOTE_MAX = 32 }; /* "\n…(16384 more lines)" and room */
	size_t n = beginning(s, max_units, in_utf16), room, left;
	const char *end;

	if (!s[n] || max_units < 2 * NOTE_MAX) {
		text_cut_utf16(b, s, max_units);
		return;
	}
	room = beginning(s, max_units - NOTE_MAX, in_utf16);
	end = memrchr(s, '\n', room);
	/* A line longer than half of all there is room for is rather cut than left out. */
	if (!end || (size_t)(end - s) < room / 2) {
		text_cut_utf16(b, s, max_units);
		return;
	}
	left = count_lines(end + 1);
	buf_add(b, s, (size_t)(end - s));
	buf_addf(b, "\n%s(%zu more line%s)", dots, left, left == 1 ? "" : "s");
}

/* The escaped form of the first `units` of s. */
static void escape_cut(struct buf *out, const char *s, size_t units, text_escape_fn escape)
{
	_cleanup_(buf_done) struct buf part = BUF_INIT(SIZE_MAX / 2);

	text_cut_lines_utf16(&part, s, units);
	buf_clear(out);
	escape(out, buf_str(&part));
}

void text_cut_escaped(struct buf *b, const char *s, size_t max_units, text_escape_fn escape)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(SIZE_MAX / 2);
	size_t fits = 0, high = max_units;

	escape_cut(&out, s, high, escape);
	if (text_utf16_len(buf_str(&out)) > max_units) {
		while (fits < high) {
			size_t middle = fits + (high - fits + 1) / 2;

			escape_cut(&out, s, middle, escape);
			if (text_utf16_len(buf_str(&out)) <= max_units)
				fits = middle;
			else
				high = middle - 1;
		}
		escape_cut(&out, s, fits, escape);
	}
	buf_add(b, buf_str(&out), out.len);
}
