/* SPDX-License-Identifier: Apache-2.0
 *
 * A restore into PostgreSQL under way. Each database is loaded into a new one, NAME_restore_XXXXXX; only when all
 * of them are whole do they take the places of the old ones, each by two renames in one transaction. So up to that moment
 * a failure leaves everything as it was, and applications work on with the old data. The old one is removed last.
 *
 * A user that may not create databases restores in place: within one transaction, which also leaves all or nothing; but what
 * was made since the backup and is not in it stays.
 */
#ifndef BACKUP_ENGINE_POSTGRESQL_RESTORE_H
#define BACKUP_ENGINE_POSTGRESQL_RESTORE_H

#include "backup/engine_postgresql.h"
#include "base/buf.h"

enum { PG_PROPERTIES_MAX = 64 * 1024 };

struct pg_work {
	char name[PG_NAME_MAX + 1]; /* where it belongs in the end */
	char work[PG_NAME_MAX + 1]; /* where it is loaded; the same in place and in a drill */
	char title[256]; /* the member's */
	bool existed; /* `name` is there already */
	bool in_place;
	bool created; /* `work` was made here */
	bool swapped;
	struct counts counts; /* of the manifest */
	struct buf properties; /* statements for a database that is new */
};

struct pg_target {
	struct pg_server server;
	char id[7];
	struct pg_work *works[ENGINE_MEMBERS_MAX];
	size_t n_works;
};

/* engine_postgresql_load.c: takes the dump; makes the database and starts pg_restore once the table of contents is known. */
int pg_load_new(const struct engine_call *c, const struct engine_restore *r, struct pg_work *w,
	struct sink **out, struct err *e);

/* engine_postgresql_globals.c: takes the script of pg_dumpall. Roles and tablespaces that are there already stay as they
 * are, passwords too; those that are missing are made. */
int pg_globals_new(const struct engine_call *c, struct sink **out, struct err *e);
/* Pure: what of the script is run. `roles` and `tablespaces`: arrays of the names that are there; `made` gets the names of the roles
 * that are to be made. */
void pg_globals_filter(const char *script, size_t len, const json_t *roles,
	const json_t *tablespaces, struct buf *out, json_t *made);

/* engine_postgresql_swap.c */
int pg_swap(
	const struct engine_call *c, const struct pg_target *t, struct pg_work *w, struct err *e);

#endif
