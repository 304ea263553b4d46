/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf)BUF_INIT(max_bytes);
}

void buf_done(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->data)
		b->data[0] = '\0';
}

char *buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (n > b->max || b->len > b->max - n) {
		b->overflow = true;
		return NULL;
	}
	if (b->len + n + 1 <= b->cap)
		return b->data + b->len;
	while (cap < b->len + n + 1)
		cap *= 2;
	p = realloc(b->data, cap);
	if (!p)
		abort();
	if (!b->data)
		*p = '\0';
	b->data = p;
	b->cap = cap;
	return b->data + b->len;
}

void buf_grew(struct buf *b, size_t n)
{
	assert(b->len + n < b->cap);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	char *to = buf_reserve(b, n);

	if (!to)
		return;
	if (n)
		memcpy(to, data, n);
	buf_grew(b, n);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	to = buf_reserve(b, (size_t)n);
	if (!to)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf_grew(b, (size_t)n);
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	if (!n)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

void buf_add_json_string(struct buf *b, const char *s)
{
	const char *p = s;

	buf_addc(b, '"');
	while (*p) {
		size_t n = str_utf8_char(p);
		unsigned char c = (unsigned char)*p;

		if (n == 0) {
			buf_adds(b, "\\ufffd");
			n = 1;
		} else if (c == '"' || c == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, (char)c);
		} else if (c < 0x20 || c == 0x7f) {
			buf_addf(b, "\\u%04x", c);
		} else {
			buf_add(b, p, n);
		}
		p += n;
	}
	buf_addc(b, '"');
}

/* Writes the digits of v, without leading zeros, and returns how many. */
static size_t put_uint(char *to, uint64_t v)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	for (size_t i = 0; i < n; i++)
		to[i] = digits[n - 1 - i];
	return n;
}

void buf_add_json_number(struct buf *b, double v)
{
	char text[48];
	size_t n = 0;
	double whole;
	uint64_t part;

	if (!isfinite(v)) {
		buf_add(b, "null", 4);
		return;
	}
	if (fabs(v) > 9007199254740992.0 || (v != 0 && fabs(v) < 0.01)) {
		buf_addf(b, "%.7g", v);
		return;
	}
	if (v < 0) {
		text[n++] = '-';
		v = -v;
	}
	part = (uint64_t)(modf(v, &whole) * 1e6 + 0.5);
	if (part == 1000000) {
		part = 0;
		whole += 1;
	}
	n += put_uint(text + n, (uint64_t)whole);
	if (part) {
		text[n++] = '.';
		for (uint64_t unit = 100000; unit && part; unit /= 10) {
			text[n++] = (char)('0' + part / unit);
			part %= unit;
		}
	}
	buf_add(b, text, n);
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
	char *p = b->data ? b->data : calloc(1, 1);

	if (!p)
		abort();
	buf_init(b, b->max);
	return p;
}
