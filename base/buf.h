/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing run of bytes with an upper bound. Always NUL-terminated one past its length, so text in
 * it can be used as a C string. A write past the bound is refused and remembered in `overflow`, so
 * that a long chain of buf_add calls needs one check at the end. Running out of memory aborts.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL until the first write */
	size_t len;
	size_t cap;
	size_t max; /* greatest length in bytes */
	bool overflow;
};

#define BUF_INIT(max_bytes)                                                                        \
	{                                                                                          \
		NULL, 0, 0, (max_bytes), false                                                     \
	}

void buf_init(struct buf *b, size_t max_bytes);
void buf_done(struct buf *b); /* frees; the buffer can be used again */
void buf_clear(struct buf *b); /* length 0, keeps the memory */

/* Makes room for n more bytes and returns where they go, or NULL past the bound. buf_grew()
 * tells how many were written there. */
char *buf_reserve(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);

void buf_add(struct buf *b, const void *data, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Removes the first n bytes (n <= len), keeping the rest. */
void buf_consume(struct buf *b, size_t n);

/* JSON (RFC 8259): a quoted string, control characters escaped, invalid UTF-8 replaced by U+FFFD. */
void buf_add_json_string(struct buf *b, const char *s);
/* A number with at most 6 significant decimals after rounding, `null` when it is not finite.
 * Made for series: about ten times quicker than printf. Exact for whole numbers up to 2^53. */
void buf_add_json_number(struct buf *b, double v);

/* The text, never NULL. Owned by the buffer, valid until its next change. */
const char *buf_str(const struct buf *b);
/* Hands the memory to the caller (free() it); the buffer is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);

#endif
