/* SPDX-License-Identifier: Apache-2.0
 *
 * Redis's and Valkey's dumps: "REDIS0011" or "VALKEY080", keys and values, the opcode 0xff and a CRC-64 of everything
 * before it, least significant byte first; 0 when the server has rdbchecksum off.
 */
#include "backup/format.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "backup/crc.h"
#include "base/cleanup.h"

enum { HEAD_LEN = 9, SUM_LEN = 8, OPCODE_END = 0xff };

struct rdb_checker {
	struct sink sink;
	int64_t bytes;
	unsigned char head[HEAD_LEN];
	/* The sum's bytes are not known as such before the end: the last eight wait here. */
	unsigned char tail[SUM_LEN];
	unsigned char before_tail; /* the byte that came before these */
	uint64_t crc; /* without the tail */
	struct crc_table table;
};

static bool head_is_right(const unsigned char head[HEAD_LEN])
{
	size_t name = memcmp(head, "REDIS", 5) == 0 ? 5 : memcmp(head, "VALKEY", 6) == 0 ? 6 : 0;

	for (size_t i = name; i < HEAD_LEN; i++)
		if (!isdigit(head[i]))
			return false;
	return name > 0;
}

/* Bytes that are known not to be of the sum. */
static void take(struct rdb_checker *c, const unsigned char *p, size_t n)
{
	if (n == 0)
		return;
	c->crc = crc_update(&c->table, c->crc, p, n);
	c->before_tail = p[n - 1];
}

static void keep_tail(struct rdb_checker *c, const unsigned char *p, size_t n)
{
	size_t kept = c->bytes < SUM_LEN ? (size_t)c->bytes : SUM_LEN;
	size_t out = kept + n > SUM_LEN ? kept + n - SUM_LEN : 0;
	size_t old = out < kept ? out : kept;

	take(c, c->tail, old);
	take(c, p, out - old);
	memmove(c->tail, c->tail + old, kept - old);
	memcpy(c->tail + kept - old, p + (out - old), n - (out - old));
}

static int rdb_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct rdb_checker *c = (struct rdb_checker *)s;

	for (size_t i = 0; i < n && c->bytes + (int64_t)i < HEAD_LEN; i++)
		c->head[c->bytes + (int64_t)i] = ((const unsigned char *)data)[i];
	keep_tail(c, data, n);
	c->bytes += (int64_t)n;
	if (c->bytes >= HEAD_LEN && !head_is_right(c->head))
		return err_set(
			e, EBADMSG, "this is no dump of Redis: it begins with something else");
	return 0;
}

static int rdb_finish(struct sink *s, struct err *e)
{
	struct rdb_checker *c = (struct rdb_checker *)s;
	uint64_t sum = 0;

	if (c->bytes < format_redis_rdb.min_bytes || c->before_tail != OPCODE_END)
		return err_set(e, EBADMSG, "the dump of Redis was cut short");
	for (unsigned i = 0; i < SUM_LEN; i++)
		sum |= (uint64_t)c->tail[i] << 8 * i;
	if (sum != 0 && sum != c->crc)
		return err_set(
			e, EBADMSG, "the dump of Redis is damaged, or cut short: its sum is wrong");
	return 0;
}

static void rdb_free(struct sink *s)
{
	free(s);
}

static int rdb_checker(struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {rdb_write, rdb_finish, rdb_free};
	struct rdb_checker *c = calloc(1, sizeof(*c));

	(void)e;
	if (!c)
		abort();
	c->sink.ops = &ops;
	crc_table_init(&c->table, CRC64_JONES);
	*out = &c->sink;
	return 0;
}

const struct format format_redis_rdb = {
	.name = "redis_rdb",
	.suffix = ".rdb",
	.doc = "keys of Redis or Valkey (RDB)",
	.min_bytes = HEAD_LEN + 1 + SUM_LEN,
	.checker = rdb_checker,
};
