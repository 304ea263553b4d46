/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { KEPT_MAX = 4096 };

struct ends {
	struct sink base;
	struct format_ends want;
	int64_t bytes;
	size_t head_seen; /* bytes of the first text that were right */
	struct buf tail; /* up to twice KEPT_MAX, the end of it counts */
};

static int ends_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct ends *c = (struct ends *)(void *)s;
	const char *bytes = data;
	size_t left = c->want.head_len - c->head_seen;
	size_t now = left < n ? left : n;

	if (now && memcmp((const char *)c->want.head + c->head_seen, bytes, now) != 0)
		return err_set(
			e, EBADMSG, "this is not %s: it begins with something else", c->want.title);
	c->head_seen += now;
	c->bytes += (int64_t)n;
	if (n > KEPT_MAX) {
		bytes += n - KEPT_MAX;
		n = KEPT_MAX;
		buf_clear(&c->tail);
	}
	if (c->tail.len + n > c->tail.max)
		buf_consume(&c->tail, c->tail.len + n - KEPT_MAX);
	buf_add(&c->tail, bytes, n);
	return 0;
}

static int ends_finish(struct sink *s, struct err *e)
{
	struct ends *c = (struct ends *)(void *)s;
	const struct format_ends *want = &c->want;
	size_t n = c->tail.len < want->within ? c->tail.len : want->within;

	if (c->bytes == 0)
		return err_set(e, EBADMSG, "%s is empty", want->title);
	if (c->head_seen < want->head_len)
		return err_set(e, EBADMSG, "%s ends within its first bytes", want->title);
	if (c->bytes < want->min_bytes)
		return err_set(e, EBADMSG, "%s has %lld bytes, less than can be right (%lld)",
			want->title, (long long)c->bytes, (long long)want->min_bytes);
	if (want->tail_len &&
		!memmem(buf_str(&c->tail) + c->tail.len - n, n, want->tail, want->tail_len))
		return err_set(
			e, EBADMSG, "%s does not end as it should: it was cut short", want->title);
	return 0;
}

static void ends_free(struct sink *s)
{
	struct ends *c = (struct ends *)(void *)s;

	buf_done(&c->tail);
	free(c);
}

int format_ends_new(const struct format_ends *f, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {ends_write, ends_finish, ends_free};
	struct ends *c;

	if (f->within > KEPT_MAX || f->tail_len > f->within)
		return err_set(e, EINVAL, "%s: its end is looked for in at most %d bytes", f->title,
			KEPT_MAX);
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->base.ops = &ops;
	c->want = *f;
	if (!f->head)
		c->want.head_len = 0;
	if (!f->tail)
		c->want.tail_len = 0;
	buf_init(&c->tail, 2 * (size_t)KEPT_MAX);
	*out = &c->base;
	return 0;
}
