/* SPDX-License-Identifier: Apache-2.0
 *
 * Text for a terminal: columns counted as a terminal shows them (UTF-8, wide and combining
 * characters), cutting, colours, bars, and quantities in few characters. Only term_detect() looks
 * at the outside; the rest is pure.
 */
#ifndef AGENT_TERM_H
#define AGENT_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct term {
	size_t columns;
	size_t rows;
	bool colours; /* a terminal, and NO_COLOR is not set (https://no-color.org) */
	bool utf8; /* bars may use block characters */
};

/* What stdout is. 80 x 24 when it is no terminal. */
struct term term_detect(void);

enum term_style {
	TERM_PLAIN,
	TERM_BOLD,
	TERM_DIM,
	TERM_GREEN,
	TERM_YELLOW,
	TERM_RED,
	TERM_REVERSE
};

/* Begins a style, TERM_PLAIN ends all; nothing without colours. */
void term_style(const struct term *t, enum term_style style, struct buf *out);

/* Columns that the text takes. */
size_t term_width_of(const char *s);
/* Adds the text with control characters and broken UTF-8 as '?'. With `width` > 0: cut to it
 * (the last column then is '~') and filled up with spaces. */
void term_add(struct buf *out, const char *s, size_t width);
/* The same, filled up on the left. */
void term_add_right(struct buf *out, const char *s, size_t width);
/* Adds the text in lines of at most `width` columns, broken at spaces; lines after the first
 * have `indent` spaces in front. */
void term_add_wrapped(struct buf *out, const char *s, size_t width, size_t indent);

/* A bar of `width` columns filled to `percent`; NaN is an empty one. Green, yellow from `warn`,
 * red from `bad` on. */
void term_bar(const struct term *t, double percent, size_t width, double warn, double bad,
	struct buf *out);

/* All of these write "-" for NaN. At least TERM_VALUE_MAX bytes. */
enum { TERM_VALUE_MAX = 32 };
void term_percent(char *to, size_t size, double v); /* "7.3%", "100%" */
void term_bytes(
	char *to, size_t size, double v); /* at most 5 columns: "512B", "1.2K", "340M", "1023G" */
void term_rate(char *to, size_t size, double v); /* "1.2M/s" */
void term_number(char *to, size_t size, double v); /* "0.42", "17" */

#endif
