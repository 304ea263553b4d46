/* SPDX-License-Identifier: Apache-2.0
 *
 * The first page of an SQLite file says how large a page is and how many there are
 * (https://sqlite.org/fileformat2.html#the_database_header).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backup/format.h"

enum { HEADER_SIZE = 100, PAGE_SIZE_AT = 16, PAGES_AT = 28, PAGE_MIN = 512 };

static const char magic[16] = "SQLite format 3";

struct checker {
	struct sink sink;
	unsigned char header[HEADER_SIZE];
	size_t n_header;
	int64_t bytes;
};

static int checker_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct checker *c = (struct checker *)s;
	size_t room = HEADER_SIZE - c->n_header, now = n < room ? n : room;

	memcpy(c->header + c->n_header, data, now);
	c->n_header += now;
	c->bytes += (int64_t)n;
	if (memcmp(c->header, magic, c->n_header < sizeof(magic) ? c->n_header : sizeof(magic)) !=
		0)
		return err_set(e, EBADMSG, "this is no SQLite database");
	return 0;
}

static int checker_finish(struct sink *s, struct err *e)
{
	const struct checker *c = (struct checker *)s;
	const unsigned char *h = c->header;
	int64_t page, pages;

	if (c->n_header < HEADER_SIZE)
		return err_set(e, EBADMSG, "%" PRId64 " bytes are no SQLite database", c->bytes);
	page = h[PAGE_SIZE_AT] << 8 | h[PAGE_SIZE_AT + 1];
	if (page == 1)
		page = 65536;
	pages = (int64_t)h[PAGES_AT] << 24 | h[PAGES_AT + 1] << 16 | h[PAGES_AT + 2] << 8 |
		h[PAGES_AT + 3];
	if (page < PAGE_MIN || (page & (page - 1)))
		return err_set(e, EBADMSG,
			"this is no SQLite database: its pages have %" PRId64 " bytes", page);
	if (pages * page != c->bytes)
		return err_set(e, EBADMSG,
			"the SQLite database has %" PRId64 " bytes, its %" PRId64
			" pages are %" PRId64,
			c->bytes, pages, pages * page);
	return 0;
}

static void checker_free(struct sink *s)
{
	free(s);
}

static int checker_new(struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {checker_write, checker_finish, checker_free};
	struct checker *c = calloc(1, sizeof(*c));

	(void)e;
	if (!c)
		abort();
	c->sink.ops = &ops;
	*out = &c->sink;
	return 0;
}

const struct format format_sqlite = {
	.name = "sqlite",
	.suffix = ".sqlite",
	.doc = "SQLite database file",
	.min_bytes = PAGE_MIN,
	.checker = checker_new,
};
