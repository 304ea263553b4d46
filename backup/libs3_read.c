/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backup/libs3.h"
#include "base/cleanup.h"
#include "base/str.h"

/* A piece after the other: each is one request, which is made again when it breaks. */
struct libs3_reader {
	struct reader reader;
	struct libs3 *s;
	char *key;
	int64_t at, end; /* of what was asked for */
	struct buf piece;
};

static int fill(struct libs3_reader *r, struct err *e)
{
	int64_t left = r->end - r->at;
	const struct libs3_request get = {.what = LIBS3_GET,
		.key = r->key,
		.offset = r->at,
		.bytes = left < LIBS3_PIECE_BYTES ? left : LIBS3_PIECE_BYTES,
		.to = &r->piece};
	struct libs3_answer a;
	int x = libs3_do(r->s, &get, &a, e);

	if (x == 0 && (int64_t)r->piece.len != get.bytes)
		x = err_set(e, EBADMSG, "%s: a part of it came short", r->key);
	if (x == 0)
		r->at += get.bytes;
	return x;
}

static ssize_t read_some(struct reader *reader, void *to, size_t n, struct err *e)
{
	struct libs3_reader *r = (struct libs3_reader *)reader;

	if (r->piece.len == 0) {
		int x = r->at < r->end ? fill(r, e) : 0;

		if (x < 0) {
			buf_clear(&r->piece);
			return x;
		}
	}
	if (n > r->piece.len)
		n = r->piece.len;
	if (n)
		memcpy(to, buf_str(&r->piece), n);
	buf_consume(&r->piece, n);
	return (ssize_t)n;
}

static void reader_done(struct reader *reader)
{
	struct libs3_reader *r = (struct libs3_reader *)reader;

	buf_done(&r->piece);
	free(r->key);
	free(r);
}

int libs3_read(struct store *s, const char *key, int64_t offset, int64_t bytes, struct reader **out,
	struct err *e)
{
	static const struct reader_ops ops = {read_some, reader_done};
	struct libs3_answer a;
	struct libs3_reader *r;
	int x = libs3_look((struct libs3 *)s, key, &a, e);

	if (x < 0)
		return x;
	if (bytes >= 0 && a.bytes != bytes)
		return err_set(e, EBADMSG,
			"%s has %" PRId64 " bytes, not the %" PRId64 " that were stored", key,
			a.bytes, bytes);
	if (offset < 0 || offset > a.bytes)
		return err_set(e, EINVAL, "%s has no byte %" PRId64, key, offset);
	r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	r->reader.ops = &ops;
	r->s = (struct libs3 *)s;
	r->key = str_dup(key);
	r->at = offset;
	r->end = a.bytes;
	buf_init(&r->piece, LIBS3_PIECE_BYTES);
	*out = &r->reader;
	return 0;
}
