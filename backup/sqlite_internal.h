/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files that use the library. `path` is for messages.
 */
#ifndef BACKUP_SQLITE_INTERNAL_H
#define BACKUP_SQLITE_INTERNAL_H

#include <sqlite3.h>
#include <stdint.h>

#include "backup/counts.h"
#include "base/err.h"

/* Of the last call on db, as sqlite_db.h names them. */
int sqlite_failed(sqlite3 *db, const char *path, struct err *e);
/* Waits for locks, until a stop is requested. Close it with sqlite3_close(). */
int sqlite_open(const char *path, int flags, sqlite3 **out, struct err *e);
/* The first column of the first row. */
int sqlite_ask(sqlite3 *db, const char *path, const char *sql, int64_t *out, struct err *e);
/* A read transaction that is in force when this returns. */
int sqlite_begin(sqlite3 *db, const char *path, struct err *e);
int sqlite_size(sqlite3 *db, const char *path, int64_t *out, struct err *e);
int sqlite_count(sqlite3 *db, const char *path, struct counts *out, struct err *e);

#endif
