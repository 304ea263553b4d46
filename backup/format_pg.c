/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/format.h"
#include "backup/pg_archive.h"

static int custom_checker(struct sink **out, struct err *e)
{
	(void)e;
	*out = pg_archive_sink(pg_archive_new(NULL, NULL));
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
