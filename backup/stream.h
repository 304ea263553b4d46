/* SPDX-License-Identifier: Apache-2.0
 *
 * The two ends of every pipe in a worker. A backup pushes through sinks (hash -> codec -> age -> upload), a
 * restore pulls through readers (download -> age -> codec); each stage knows only its neighbour. All
 * of it blocks, runs in one process per run, and keeps a bounded amount in memory.
 */
#ifndef BACKUP_STREAM_H
#define BACKUP_STREAM_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct sink;
struct sink_ops {
	/* Takes all n bytes, or fails; after a failure only free() may follow. */
	int (*write)(struct sink *s, const void *data, size_t n, struct err *e);
	/* No more data comes: writes what is left to the next stage and checks. It never finishes the
	 * next stage: the order of the ends is the run's business (run.h). */
	int (*finish)(struct sink *s, struct err *e);
	/* Without finish() before it, it aborts: nothing valid may be left behind. Not the next stage. */
	void (*free)(struct sink *s);
};

/* Embedded first in each stage's own struct. */
struct sink {
	const struct sink_ops *ops;
};

static inline int sink_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	return s->ops->write(s, data, n, e);
}

static inline int sink_finish(struct sink *s, struct err *e)
{
	return s->ops->finish(s, e);
}

static inline void sink_free(struct sink *s) /* NULL is fine */
{
	if (s)
		s->ops->free(s);
}

static inline void sink_free_p(struct sink **s)
{
	sink_free(*s);
}

struct reader;
struct reader_ops {
	/* At least 1 and at most n bytes; 0 at an end that was proved to be the end (length, trailer,
	 * tag as the stage has it); a stream that is cut short is an error, never 0. */
	ssize_t (*read)(struct reader *r, void *to, size_t n, struct err *e);
	void (*free)(struct reader *r); /* not the stage it reads from */
};

struct reader {
	const struct reader_ops *ops;
};

static inline ssize_t reader_read(struct reader *r, void *to, size_t n, struct err *e)
{
	return r->ops->read(r, to, n, e);
}

static inline void reader_free(struct reader *r) /* NULL is fine */
{
	if (r)
		r->ops->free(r);
}

static inline void reader_free_p(struct reader **r)
{
	reader_free(*r);
}

/* Where a dump comes from: a program's stdout, a stream out of a container, a walk through files. */
struct source;
struct source_ops {
	/* Readable when data is there; -1: read() never waits for long. */
	int (*fd)(struct source *s);
	/* 0: no more data; says nothing about success. */
	ssize_t (*read)(struct source *s, void *to, size_t n, struct err *e);
	/* After the last byte: waits for the end of whatever made the data, and is 0 only when all
	 * of it is known to have gone well (exit status 0; in a container: not running, exit code
	 * there and 0). *e has the last words of its stderr, without secrets. */
	int (*finish)(struct source *s, struct err *e);
	/* Without finish() before it: ends the producer, in the container too, and reaps it. */
	void (*free)(struct source *s);
};

struct source {
	const struct source_ops *ops;
};

static inline int source_fd(struct source *s)
{
	return s->ops->fd(s);
}

static inline ssize_t source_read(struct source *s, void *to, size_t n, struct err *e)
{
	return s->ops->read(s, to, n, e);
}

static inline int source_finish(struct source *s, struct err *e)
{
	return s->ops->finish(s, e);
}

static inline void source_free(struct source *s) /* NULL is fine */
{
	if (s)
		s->ops->free(s);
}

static inline void source_free_p(struct source **s)
{
	source_free(*s);
}

#endif
