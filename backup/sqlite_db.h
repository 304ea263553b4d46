/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done with SQLite files through the library (https://sqlite.org). A database that is in use is opened read-only and never
 * written to; SQLite itself may make the -shm and -wal files beside one in WAL mode, with the owner of the database.
 */
#ifndef BACKUP_SQLITE_DB_H
#define BACKUP_SQLITE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "backup/counts.h"
#include "base/err.h"

struct sqlite_facts {
	int64_t bytes, tables;
	char version[32]; /* of the library */
};

/* A look inside. -ENOENT: there is no such file, none is made; -ENODATA: it is empty; -EUCLEAN: it is no database or broken; -EROFS:
 * it needs its journal or WAL applied first, which needs writing; -EBUSY. */
int sqlite_db_look(const char *path, struct sqlite_facts *out, struct err *e);

/* The database as it is at one moment, byte by byte but for SQLite's own change counter, copied under one read transaction into a
 * file in STATE/backup that has no name any more. In WAL mode writers go on meanwhile, else they wait for the copy, not for
 * the upload. Returns the descriptor, at its beginning. Space is checked before. Counts are of that moment. */
int sqlite_db_snapshot(const char *path, const char *state_dir, int64_t *bytes,
	struct counts *counts, struct err *e);

/* These two are for files nobody else has: no locks, no files beside them. PRAGMA integrity_check; -EBADMSG names the first
 * finding. */
int sqlite_db_check(const char *path, struct err *e);
int sqlite_db_count(const char *path, struct counts *out, struct err *e);

/* Writes what is left in the WAL or a hot journal into the database, as its next user would; best effort. Then
 * whether somebody holds a lock on it: -EBUSY. */
int sqlite_db_settle(const char *path, struct err *e);

#endif
