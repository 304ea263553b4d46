/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/format.h"

#include <string.h>

#include "backup/pax.h"

static int raw_checker(struct sink **out, struct err *e)
{
	return format_ends_new(
		&(struct format_ends){.title = "the output", .min_bytes = 1}, out, e);
}

const struct format format_raw = {
	.name = "raw",
	.suffix = "",
	.doc = "what a program wrote, as it is",
	.min_bytes = 1,
	.checker = raw_checker,
};

const struct format format_pax = {
	.name = "pax",
	.suffix = ".tar",
	.doc = "files as an archive (pax, opens with tar)",
	.min_bytes = 1024,
	.checker = pax_check_new,
};

const struct format *const formats[] = {
	&format_mongo_archive,
	&format_mysql_sql,
	&format_mysql_users,
	&format_pax,
	&format_pg_custom,
	&format_pg_sql,
	&format_raw,
	&format_redis_rdb,
	&format_sqlite,
	NULL,
};

const struct format *format_find(const char *name)
{
	for (const struct format *const *f = formats; *f; f++)
		if (strcmp((*f)->name, name) == 0)
			return *f;
	return NULL;
}
