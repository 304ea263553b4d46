/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/json_gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct out {
	char *to;
	size_t n;
};

static void put(struct out *o, const char *s, size_t n)
{
	memcpy(o->to + o->n, s, n);
	o->n += n;
}

static void put_unit(struct json_gate *g, struct out *o, unsigned unit)
{
	char text[7];

	if (g->cut)
		return;
	(void)snprintf(text, sizeof(text), "\\u%04x", unit & 0xffff);
	put(o, text, 6);
	g->len += 6;
}

/* What was held back turned out to stand alone. */
static void put_lone(struct json_gate *g, struct out *o)
{
	if (g->high)
		put_unit(g, o, 0xfffd);
	g->high = 0;
}

static void put_text(struct json_gate *g, struct out *o, const char *s, size_t n)
{
	put_lone(g, o);
	if (g->cut)
		return;
	put(o, s, n);
	g->len += n;
}

static int unit_done(struct json_gate *g, struct out *o, struct err *e)
{
	unsigned u = g->unit;
	bool is_high = (u & 0xfc00) == 0xd800, is_low = (u & 0xfc00) == 0xdc00;

	g->place = GATE_TEXT;
	if (u == 0)
		return err_set(e, EBADMSG, "byte %zu: a NUL in a text", g->offset);
	if (is_low && g->high) {
		put_unit(g, o, g->high);
		put_unit(g, o, u);
		g->high = 0;
		return 0;
	}
	put_lone(g, o);
	if (is_high)
		g->high = u;
	else
		put_unit(g, o, is_low ? 0xfffd : u);
	return 0;
}

static int hex(struct json_gate *g, char c, struct out *o, struct err *e)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		return err_set(
			e, EBADMSG, "byte %zu: \\u without four hexadecimal digits", g->offset);
	g->unit = g->unit * 16 + (unsigned)((at - digits) % 16);
	return ++g->digits == 4 ? unit_done(g, o, e) : 0;
}

static void escape(struct json_gate *g, char c, struct out *o)
{
	const char both[2] = {'\\', c};

	if (c == 'u') {
		g->digits = g->unit = 0;
		g->place = GATE_HEX;
		return;
	}
	put_text(g, o, both, 2);
	g->place = GATE_TEXT;
}

static void text(struct json_gate *g, char c, struct out *o)
{
	bool is_start = ((unsigned char)c & 0xc0) != 0x80;

	/* A character goes through whole, as does a pair that is held back; one that never ends is none. */
	if (g->len >= JSON_GATE_TEXT_MAX && !g->high && is_start)
		g->cut = true;
	if (g->len >= JSON_GATE_TEXT_MAX + 8)
		g->cut = true;
	if (c == '\\') {
		g->place = GATE_ESCAPE;
		return;
	}
	if (c != '"') {
		put_text(g, o, &c, 1);
		return;
	}
	put_lone(g, o);
	put(o, &c, 1);
	g->place = GATE_OUTSIDE;
}

static int outside(struct json_gate *g, char c, struct out *o, struct err *e)
{
	put(o, &c, 1);
	if (c == '"') {
		g->place = GATE_TEXT;
		g->len = 0;
		g->cut = false;
	}
	g->run = c && strchr("\"[]{}:, \t\r\n", c) ? 0 : g->run + 1;
	if (g->run > JSON_GATE_NUMBER_MAX)
		return err_set(e, EBADMSG, "byte %zu: a number of more than %d digits", g->offset,
			JSON_GATE_NUMBER_MAX);
	return 0;
}

int json_gate_pass(
	struct json_gate *g, const char *from, size_t n, char *to, size_t *n_to, struct err *e)
{
	static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
	struct out o = {to, 0};
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++, g->offset++) {
		char c = from[i];

		if (g->offset < sizeof(mark) && g->mark == g->offset &&
			(unsigned char)c == mark[g->offset]) {
			g->mark++;
			continue;
		}
		if (g->place == GATE_TEXT)
			text(g, c, &o);
		else if (g->place == GATE_ESCAPE)
			escape(g, c, &o);
		else if (g->place == GATE_HEX)
			r = hex(g, c, &o, e);
		else
			r = outside(g, c, &o, e);
	}
	*n_to = o.n;
	return r;
}
