/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/term.h"

#include <ctype.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/str.h"

struct term term_detect(void)
{
	struct term t = {.columns = 80, .rows = 24};
	const char *name = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	struct winsize size;

	if (setlocale(LC_CTYPE, ""))
		t.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* wcwidth(3) needs a UTF-8 locale, whatever the terminal's is. */
	if (!t.utf8)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	if (!isatty(STDOUT_FILENO))
		return t;
	t.colours = !(no_colour && *no_colour) && name && strcmp(name, "dumb") != 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
		t.columns = size.ws_col;
		t.rows = size.ws_row;
	}
	return t;
}

void term_style(const struct term *t, enum term_style style, struct buf *out)
{
	static const char *const codes[] = {
		[TERM_PLAIN] = "\033[0m",
		[TERM_BOLD] = "\033[1m",
		[TERM_DIM] = "\033[2m",
		[TERM_GREEN] = "\033[32m",
		[TERM_YELLOW] = "\033[33m",
		[TERM_RED] = "\033[31m",
		[TERM_REVERSE] = "\033[7m",
	};

	if (t->colours)
		buf_adds(out, codes[style]);
}

/* Decodes the character of n bytes at s. */
static wchar_t decode(const char *s, size_t n)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned c = (unsigned char)*s & first[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3fU);
	return (wchar_t)c;
}

/* Bytes (at least 1) and columns of the character at s; *shown is false when it must be written
 * as '?'. */
static size_t look(const char *s, size_t *columns, bool *shown)
{
	size_t n = str_utf8_char(s);
	int width = n ? wcwidth(decode(s, n)) : -1;

	/* Control characters, which could drive the terminal, have no width. In a locale without
	 * UTF-8 nothing has. */
	*shown = n == 1 ? width >= 0 : n > 1 && (width >= 0 || decode(s, n) >= 0xa0);
	*columns = width >= 0 ? (size_t)width : 1;
	return n ? n : 1;
}

size_t term_width_of(const char *s)
{
	size_t total = 0, columns;
	bool shown;

	while (*s) {
		s += look(s, &columns, &shown);
		total += columns;
	}
	return total;
}

static void add_char(struct buf *out, const char *s, size_t n, bool shown)
{
	if (shown)
		buf_add(out, s, n);
	else
		buf_addc(out, '?');
}

/* Adds what fits into `width` columns; returns the columns used. */
static size_t add_cut(struct buf *out, const char *s, size_t width)
{
	bool fits = term_width_of(s) <= width, shown;
	size_t room = fits ? width : width - 1, used = 0, columns;

	while (*s) {
		size_t n = look(s, &columns, &shown);

		if (used + columns > room)
			break;
		add_char(out, s, n, shown);
		used += columns;
		s += n;
	}
	if (!fits) {
		buf_addc(out, '~');
		used++;
	}
	return used;
}

static void add_spaces(struct buf *out, size_t n)
{
	while (n--)
		buf_addc(out, ' ');
}

void term_add(struct buf *out, const char *s, size_t width)
{
	size_t used = add_cut(out, s, width ? width : SIZE_MAX);

	if (used < width)
		add_spaces(out, width - used);
}

void term_add_right(struct buf *out, const char *s, size_t width)
{
	size_t n = term_width_of(s);

	if (n < width)
		add_spaces(out, width - n);
	(void)add_cut(out, s, width);
}

/* Length of the word at s; "97 %" is one. */
static size_t word_length(const char *s)
{
	size_t n = strcspn(s, " \n");

	if (s[n] == ' ' && s[n + 1] == '%' && !isalnum((unsigned char)s[n + 2]))
		n += 1 + strcspn(s + n + 1, " \n");
	return n;
}

void term_add_wrapped(struct buf *out, const char *s, size_t width, size_t indent)
{
	size_t at = 0;

	while (*(s += strspn(s, " \n"))) {
		size_t n = word_length(s), columns;
		char *word = str_ndup(s, n);

		columns = term_width_of(word);
		if (at && at + 1 + columns > width) {
			buf_addc(out, '\n');
			add_spaces(out, indent);
			at = 0;
		} else if (at) {
			buf_addc(out, ' ');
			at++;
		}
		term_add(out, word, 0);
		at += columns;
		free(word);
		s += n;
	}
}

void term_bar(const struct term *t, double percent, size_t width, double warn, double bad,
	struct buf *out)
{
	double share = isnan(percent) || percent < 0 ? 0 : percent > 100 ? 1 : percent / 100;
	size_t full = (size_t)(share * (double)width + 0.5);

	/* Something is never shown as nothing. */
	if (full == 0 && percent >= 0.5 && width)
		full = 1;
	term_style(t, percent >= bad ? TERM_RED : percent >= warn ? TERM_YELLOW : TERM_GREEN, out);
	for (size_t i = 0; i < width; i++) {
		if (i == full)
			term_style(t, TERM_PLAIN, out);
		if (i == full)
			term_style(t, TERM_DIM, out);
		if (i < full)
			buf_adds(out, t->utf8 ? "\u2588" : "#");
		else
			buf_adds(out, t->utf8 ? "\u2591" : ".");
	}
	term_style(t, TERM_PLAIN, out);
}

void term_percent(char *to, size_t size, double v)
{
	if (isnan(v))
		(void)str_copy(to, size, "-");
	else
		(void)snprintf(to, size, fabs(v) < 99.95 ? "%.1f%%" : "%.0f%%", v);
}

void term_bytes(char *to, size_t size, double v)
{
	static const char letters[] = "BKMGTPE";
	size_t i = 0;

	if (isnan(v)) {
		(void)str_copy(to, size, "-");
		return;
	}
	while (fabs(v) >= 1023.5 && i + 1 < sizeof(letters) - 1) {
		v /= 1024;
		i++;
	}
	(void)snprintf(to, size, i && fabs(v) < 9.95 ? "%.1f%c" : "%.0f%c", v, letters[i]);
}

void term_rate(char *to, size_t size, double v)
{
	char bytes[TERM_VALUE_MAX - 4];

	term_bytes(bytes, sizeof(bytes), v);
	(void)snprintf(to, size, isnan(v) ? "%s" : "%s/s", bytes);
}

void term_number(char *to, size_t size, double v)
{
	if (isnan(v))
		(void)str_copy(to, size, "-");
	else
		(void)snprintf(to, size, v == floor(v) || fabs(v) >= 1000 ? "%.0f" : "%.2f", v);
}
