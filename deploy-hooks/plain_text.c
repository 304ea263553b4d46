/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/plain_text.h"

#include <assert.h>
#include <string.h>

static enum plain_text_has add_text(struct plain_text *t, char c)
{
	if (c == '\n') {
		t->returned = false;
		return PLAIN_TEXT_LINE;
	}
	if (c == '\r') {
		t->returned = true;
		return PLAIN_TEXT_MORE;
	}
	if (c == '\033') {
		t->state = PLAIN_ESCAPE;
		return PLAIN_TEXT_MORE;
	}
	/* As on a terminal: a bar of progress is one line, as it was last. */
	if (t->returned)
		t->n = 0;
	t->returned = false;
	t->line[t->n++] = c;
	t->line[t->n] = '\0';
	return t->n == PLAIN_TEXT_MAX ? PLAIN_TEXT_FULL : PLAIN_TEXT_MORE;
}

/* The state after a byte that follows ESC. */
static enum plain_text_state after_escape(unsigned char c)
{
	if (c == '[')
		return PLAIN_CONTROL;
	if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
		return PLAIN_STRING;
	return c >= 0x20 && c <= 0x2f ? PLAIN_ESCAPE_MORE : PLAIN_TEXT;
}

static void go_on(struct plain_text *t, unsigned char c)
{
	switch (t->state) {
	case PLAIN_ESCAPE:
		t->state = after_escape(c);
		break;
	case PLAIN_ESCAPE_MORE:
		if (c > 0x2f)
			t->state = PLAIN_TEXT;
		break;
	case PLAIN_CONTROL:
		if (c >= 0x40)
			t->state = PLAIN_TEXT;
		break;
	case PLAIN_STRING:
		if (c == '\a')
			t->state = PLAIN_TEXT;
		else if (c == '\033')
			t->state = PLAIN_STRING_ESCAPE;
		break;
	case PLAIN_STRING_ESCAPE:
		t->state = c == '\\' ? PLAIN_TEXT : PLAIN_STRING;
		break;
	case PLAIN_TEXT:
		break;
	}
}

enum plain_text_has plain_text_add(struct plain_text *t, char c)
{
	if (t->state == PLAIN_TEXT)
		return add_text(t, c);
	/* A sequence that was begun and never ended does not swallow the rest of the log. */
	if (c == '\n' || c == '\r') {
		t->state = PLAIN_TEXT;
		return add_text(t, c);
	}
	go_on(t, (unsigned char)c);
	return PLAIN_TEXT_MORE;
}

size_t plain_text_add_run(struct plain_text *t, const char *data, size_t n)
{
	size_t room = PLAIN_TEXT_MAX - 1 - t->n, run = 0;

	if (t->state != PLAIN_TEXT || t->returned || t->n >= PLAIN_TEXT_MAX - 1)
		return 0;
	while (run < n && run < room && (unsigned char)data[run] >= 0x20)
		run++;
	memcpy(t->line + t->n, data, run);
	t->n += run;
	t->line[t->n] = '\0';
	return run;
}

void plain_text_taken(struct plain_text *t, size_t n)
{
	assert(n <= t->n);
	memmove(t->line, t->line + n, t->n - n);
	t->n -= n;
	t->line[t->n] = '\0';
}
