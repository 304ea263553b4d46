/* SPDX-License-Identifier: Apache-2.0
 *
 * What programs print for terminals, as lines of text: escape sequences (ECMA-48) are dropped, what a carriage return goes
 * back over is replaced, a line without an end is handed on in parts. Memory does not grow with what comes.
 */
#ifndef DEPLOY_HOOKS_PLAIN_TEXT_H
#define DEPLOY_HOOKS_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { PLAIN_TEXT_MAX = 12288 };

struct plain_text {
	char line[PLAIN_TEXT_MAX + 1]; /* ended by a NUL for who looks; may hold others */
	size_t n;
	bool returned; /* a carriage return came */
	enum plain_text_state {
		PLAIN_TEXT,
		PLAIN_ESCAPE,
		PLAIN_ESCAPE_MORE, /* "ESC ( B" */
		PLAIN_CONTROL, /* "ESC [ 1 m" */
		PLAIN_STRING, /* "ESC ] ... BEL", and such */
		PLAIN_STRING_ESCAPE
	} state;
};

enum plain_text_has {
	PLAIN_TEXT_MORE, /* it takes more */
	PLAIN_TEXT_LINE, /* a line is whole */
	PLAIN_TEXT_FULL, /* no line yet, and no room: take something from its start */
};
/* One byte. After PLAIN_TEXT_LINE and _FULL plain_text_taken() must follow. */
enum plain_text_has plain_text_add(struct plain_text *t, char c);
/* As many of n bytes as are plain and fit, at once; returns how many, often none. No line is whole after it. */
size_t plain_text_add_run(struct plain_text *t, const char *data, size_t n);
/* The first n bytes were taken. */
void plain_text_taken(struct plain_text *t, size_t n);

#endif
