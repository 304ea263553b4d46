/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_ops.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

/* Between the store and who reads: what comes while the reader works on the piece before. */
enum { WINDOW_BYTES = 1024 * 1024 };

struct s3_reader {
	struct reader reader;
	struct s3 *s3;
	char *key;
	int64_t at; /* of the next byte that comes from the store */
	int64_t bytes; /* of the whole object; -1: not known yet */
	char etag[128]; /* in quotes; of the first answer */
	char range[64];
	struct buf window; /* arrived, not read yet, from `taken` on */
	size_t taken;
	struct s3_call call;
	bool is_looked_at; /* the answer that is coming in */
	bool is_paused;
	int failed; /* what is wrong with the object itself: no use to go on */
	struct err error;
};

static void prepare(struct s3_call *c)
{
	struct s3_reader *r = c->user;

	r->is_looked_at = r->is_paused = false;
	c->n_headers = 0;
	if (r->at == 0)
		return;
	(void)snprintf(r->range, sizeof(r->range), "bytes=%" PRId64 "-", r->at);
	s3_call_header(c, "Range", r->range);
	s3_call_header(c, "If-Match", r->etag);
}

/* EBADMSG alone means that the object is not what was written. */
static int fail(struct s3_reader *r, int code, const char *what)
{
	r->failed = err_set(&r->error, code, "%s: %s", r->key, what);
	return r->failed;
}

/* The length of the whole object as this answer has it; -1: it does not say. */
static int64_t whole_length(const struct s3_reader *r, const struct net_answer *a)
{
	char range[96];
	int64_t from, to, whole;

	if (a->status != 206)
		return a->length;
	if (!net_header(a, "Content-Range", range, sizeof(range)) ||
		sscanf(range, "bytes %" SCNd64 "-%" SCNd64 "/%" SCNd64, &from, &to, &whole) != 3 ||
		from != r->at)
		return -2;
	return whole;
}

/* Before the first byte of an answer counts. */
static int look_at(struct s3_reader *r, const struct net_answer *a)
{
	int64_t whole = whole_length(r, a);
	char text[128];

	r->is_looked_at = true;
	if (r->at > 0 && a->status != 206)
		return fail(r, EOPNOTSUPP, "the store does not give parts of an object");
	if (whole == -2)
		return fail(
			r, EIO, "the store gives another part of the object than was asked for");
	if (r->bytes >= 0 && whole >= 0 && whole != r->bytes) {
		(void)snprintf(text, sizeof(text), "the object has %" PRId64 " bytes, not %" PRId64,
			whole, r->bytes);
		return fail(r, EBADMSG, text);
	}
	if (r->bytes < 0)
		r->bytes = whole;
	if (!*r->etag)
		(void)net_header(a, "ETag", r->etag, sizeof(r->etag));
	return 0;
}

static enum net_taken on_data(void *user, const struct net_transfer *t, const char *data, size_t n)
{
	struct s3_call *c = user;
	struct s3_reader *r = c->user;

	if (!r->is_looked_at && look_at(r, net_transfer_answer(t)) < 0)
		return NET_STOP;
	if (r->window.len >= WINDOW_BYTES) {
		r->is_paused = true;
		return NET_LATER;
	}
	if (r->bytes >= 0 && r->at + (int64_t)n > r->bytes) {
		(void)fail(r, EIO, "the store sends more than the object has");
		return NET_STOP;
	}
	buf_add(&r->window, data, n);
	assert(!r->window.overflow);
	r->at += (int64_t)n;
	/* It goes on: the budget of failures begins anew. */
	c->began_ms = clock_mono_ms();
	c->waits = 0;
	return NET_TAKEN;
}

/* All came, and it is all there is. */
static int on_end(struct s3_call *c, struct err *e)
{
	struct s3_reader *r = c->user;

	/* An object of no bytes has no data to look at. */
	if (!r->is_looked_at && look_at(r, &c->answer) < 0) {
		*e = r->error;
		return r->failed;
	}
	if (r->bytes < 0)
		r->bytes = r->at;
	if (r->at < r->bytes)
		return err_set(e, EAGAIN, "%s: %" PRId64 " bytes of %" PRId64 " came", r->key,
			r->at, r->bytes);
	return 0;
}

/* Until something is there, or it ended. */
static int wait_for_more(struct s3_reader *r, struct err *e)
{
	const bool *done = &r->call.done;
	int w;

	if (r->is_paused && r->call.transfer) {
		r->is_paused = false;
		net_transfer_go_on(r->call.transfer);
	}
	while (!r->window.len && !*done) {
		w = net_step(r->s3->net, e);
		if (w < 0)
			return w;
	}
	return 0;
}

static ssize_t result(struct s3_reader *r, struct err *e)
{
	if (r->failed) {
		*e = r->error;
		return r->failed;
	}
	if (r->call.result < 0) {
		*e = r->call.error;
		return r->call.result;
	}
	return 0;
}

static ssize_t reader_get(struct reader *reader, void *to, size_t n, struct err *e)
{
	struct s3_reader *r = (struct s3_reader *)reader;
	int w;

	if (r->taken == r->window.len) {
		buf_clear(&r->window);
		r->taken = 0;
		w = wait_for_more(r, e);
		if (w < 0)
			return w;
	}
	if (r->taken == r->window.len)
		return result(r, e);
	if (n > r->window.len - r->taken)
		n = r->window.len - r->taken;
	memcpy(to, r->window.data + r->taken, n);
	r->taken += n;
	net_turn(r->s3->net);
	return (ssize_t)n;
}

static void reader_end(struct reader *reader)
{
	struct s3_reader *r = (struct s3_reader *)reader;

	s3_call_done(&r->call);
	buf_done(&r->window);
	free(r->key);
	free(r);
}

int s3_read(struct s3 *s, const char *key, int64_t offset, int64_t bytes, struct reader **out,
	struct err *e)
{
	static const struct reader_ops ops = {reader_get, reader_end};
	struct s3_reader *r = calloc(1, sizeof(*r));
	int w = 0;

	if (!r)
		abort();
	r->reader.ops = &ops;
	r->s3 = s;
	r->key = str_dup(key);
	r->at = offset;
	r->bytes = bytes;
	buf_init(&r->window, 2 * WINDOW_BYTES);
	s3_call_init(&r->call, s, "GET", r->key);
	r->call.prepare = prepare;
	r->call.check = on_end;
	r->call.on_data = on_data;
	r->call.user = r;
	/* The last byte has been read already: nothing to ask for, and no range for it. */
	r->call.done = bytes >= 0 && offset == bytes;
	if (!r->call.done)
		s3_call_start(&r->call);
	w = wait_for_more(r, e);
	if (w == 0 && r->call.done && !r->window.len)
		w = (int)result(r, e);
	if (w < 0)
		reader_end(&r->reader);
	else
		*out = &r->reader;
	return w;
}
