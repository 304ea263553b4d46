/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends of pipes for tests: a sink into memory, a reader out of memory, in pieces and with failures.
 */
#ifndef TESTS_UNIT_STREAMS_H
#define TESTS_UNIT_STREAMS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backup/stream.h"
#include "base/buf.h"
#include "base/cleanup.h"

struct memory_sink {
	struct sink sink;
	struct buf got;
	size_t fail_after; /* write() fails once it has this many bytes; 0: never */
	bool is_finished;
};

static inline int memory_sink_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct memory_sink *m = (struct memory_sink *)s;

	if (m->fail_after && m->got.len + n > m->fail_after)
		return err_set(e, ENOSPC, "the sink is full");
	buf_add(&m->got, data, n);
	return m->got.overflow ? err_set(e, EFBIG, "the sink is too small") : 0;
}

static inline int memory_sink_finish(struct sink *s, struct err *e)
{
	(void)e;
	((struct memory_sink *)s)->is_finished = true;
	return 0;
}

static inline void memory_sink_free(struct sink *s)
{
	(void)s;
}

static const struct sink_ops memory_sink_ops = {
	memory_sink_write, memory_sink_finish, memory_sink_free};

static inline void memory_sink_init(struct memory_sink *m)
{
	memset(m, 0, sizeof(*m));
	m->sink.ops = &memory_sink_ops;
	buf_init(&m->got, (size_t)256 * 1024 * 1024);
}

struct memory_reader {
	struct reader reader;
	const unsigned char *data;
	size_t len, at, piece; /* piece: most bytes a read() gives */
	bool fails_at_end; /* -ECONNRESET instead of an end */
};

static inline ssize_t memory_reader_read(struct reader *r, void *to, size_t n, struct err *e)
{
	struct memory_reader *m = (struct memory_reader *)r;
	size_t left = m->len - m->at;

	if (left == 0 && m->fails_at_end)
		return err_set(e, ECONNRESET, "connection lost");
	n = n < left ? n : left;
	n = n < m->piece ? n : m->piece;
	if (n > 0)
		memcpy(to, m->data + m->at, n);
	m->at += n;
	return (ssize_t)n;
}

static inline void memory_reader_free(struct reader *r)
{
	(void)r;
}

static const struct reader_ops memory_reader_ops = {memory_reader_read, memory_reader_free};

static inline void memory_reader_init(
	struct memory_reader *m, const void *data, size_t n, size_t piece)
{
	memset(m, 0, sizeof(*m));
	m->reader.ops = &memory_reader_ops;
	m->data = data;
	m->len = n;
	m->piece = piece;
}

/* Reads to the end: 0, or the first error. A reader that failed or ended must stay so. */
static inline int read_all(struct reader *r, size_t piece, struct buf *out, struct err *e)
{
	_cleanup_(free_p) char *p = malloc(piece);
	ssize_t n;

	while ((n = reader_read(r, p, piece, e)) > 0)
		buf_add(out, p, (size_t)n);
	if (reader_read(r, p, piece, NULL) != n)
		abort();
	return (int)n;
}

/* Bytes that compress a little: runs and noise, the same each time. */
static inline void fill_noise(unsigned char *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		p[i] = (i / 64) % 3 == 0 ? (unsigned char)(i / 256) : (unsigned char)(seed >> 24);
	}
}

#endif
