/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "backup/format.h"
#include "backup/pg_archive.h"

struct checker {
	struct sink sink;
	struct pg_archive *archive;
};

static int checker_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	return pg_archive_feed(((struct checker *)s)->archive, data, n, e);
}

static int checker_finish(struct sink *s, struct err *e)
{
	return pg_archive_end(((struct checker *)s)->archive, e);
}

static void checker_free(struct sink *s)
{
	struct checker *c = (struct checker *)s;

	pg_archive_free(c->archive);
	free(c);
}

static int custom_checker(struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {checker_write, checker_finish, checker_free};
	struct checker *c = calloc(1, sizeof(*c));

	(void)e;
	if (!c)
		abort();
	c->sink.ops = &ops;
	c->archive = pg_archive_new(NULL, NULL);
	*out = &c->sink;
	return 0;
}

static int sql_checker(struct sink **out, struct err *e)
{
	static const char head[] = "--\n-- PostgreSQL database cluster dump\n";
	static const char tail[] = "\n-- PostgreSQL database cluster dump complete\n";
	static const struct format_ends ends = {
		.title = "pg_dumpall's output",
		.head = head,
		.head_len = sizeof(head) - 1,
		.tail = tail,
		.tail_len = sizeof(tail) - 1,
		.within = 512, /* newer ones end with \unrestrict and a word */
		.min_bytes = 100,
	};

	return format_ends_new(&ends, out, e);
}

const struct format format_pg_custom = {
	.name = "pg_custom",
	.suffix = ".pgdump",
	.doc = "PostgreSQL dump (custom format)",
	.min_bytes = 500, /* that of an empty database is twice this */
	.checker = custom_checker,
};

const struct format format_pg_sql = {
	.name = "pg_sql",
	.suffix = ".sql",
	.doc = "PostgreSQL roles and tablespaces (SQL)",
	.min_bytes = 100,
	.checker = sql_checker,
};
