/* SPDX-License-Identifier: Apache-2.0
 *
 * What a dump of each kind must look like, checked while it streams by, at the backup and again when it is read back:
 * first bytes, last bytes, least size. Rows live with their engines. Pure.
 */
#ifndef BACKUP_FORMAT_H
#define BACKUP_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "backup/stream.h"
#include "base/err.h"

struct format {
	const char *name; /* "pg_custom", in the manifest */
	const char *suffix; /* of the key: ".pgdump" */
	const char *doc; /* "PostgreSQL dump (custom format)" */
	int64_t min_bytes; /* smaller cannot be right */
	/* Checker of one stream: a sink whose finish() is 0 when all was there. */
	int (*checker)(struct sink **out, struct err *e);
};

extern const struct format format_mongo_archive, format_mysql_sql, format_mysql_users, format_pax,
	format_pg_custom, format_pg_sql, format_raw, format_redis_rdb, format_sqlite;

/* Alphabetical, ended by NULL (format.c). */
extern const struct format *const formats[];
const struct format *format_find(const char *name);

/* A checker for those that only need a first and a last text: keeps the last 4 KiB. `tail` must stand in the last
 * `within` bytes; either may be NULL. */
struct format_ends {
	const char *title; /* "mysqldump's output" */
	const void *head;
	size_t head_len;
	const void *tail;
	size_t tail_len, within;
	int64_t min_bytes;
};
int format_ends_new(const struct format_ends *f, struct sink **out, struct err *e);

#endif
