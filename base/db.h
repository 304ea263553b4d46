/* SPDX-License-Identifier: Apache-2.0
 *
 * The state database: one SQLite file (https://sqlite.org), written by the daemon alone, WAL mode
 * with synchronous=FULL: a commit that returned survives a power cut. The schema is a list of
 * migrations; the file's user_version says how many have run. A file newer than the program is
 * refused, never changed. A file SQLite calls corrupt is kept aside as NAME.broken-<unix time> and
 * a new one is made; that is a positive outcome.
 */
#ifndef BASE_DB_H
#define BASE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct db;
struct db_stmt;

enum { DB_OPENED = 0, DB_RECREATED = 1 };

/* `migrations[i]` is the SQL that takes schema i to i + 1; each runs in its own transaction.
 * Rows are only ever appended to that array. Returns DB_OPENED, DB_RECREATED (*e tells where the
 * broken file went), or a negative errno: -EROFS/-EACCES/-ENOSPC/-EIO/-EPROTO (made by a newer
 * version). ":memory:" is a database without a file. Foreign keys are off while migrations run,
 * so that one may rebuild a table, and on afterwards. A new file has mode 0600. */
int db_open(const char *path, const char *const *migrations, size_t n_migrations, struct db **out,
	struct err *e);
void db_close(struct db *db); /* NULL is fine */
DEFINE_CLEANUP(struct db *, db_close);

/* Runs statements that give no rows. */
int db_exec(struct db *db, const char *sql, struct err *e);

/* A prepared statement, kept and reused by the caller: bind, then step until DB_DONE, then reset. */
int db_prepare(struct db *db, const char *sql, struct db_stmt **out, struct err *e);
void db_finalize(struct db_stmt *s); /* NULL is fine */
DEFINE_CLEANUP(struct db_stmt *, db_finalize);

/* Parameters are numbered from 1, as in SQL's ?1. Text is copied; NULL text binds NULL. */
void db_bind_int(struct db_stmt *s, int i, int64_t v);
void db_bind_double(struct db_stmt *s, int i, double v);
void db_bind_text(struct db_stmt *s, int i, const char *text);

enum { DB_DONE = 0, DB_ROW = 1 };
/* DB_ROW, DB_DONE, or a negative errno (-EEXIST for a constraint, -ENOSPC, -EUCLEAN for a file
 * that broke meanwhile). What is bound stays bound until it is bound anew. After DB_DONE or an
 * error the statement is reset. */
int db_step(struct db_stmt *s, struct err *e);
void db_reset(struct db_stmt *s);

/* Columns are numbered from 0. Text is valid until the next step; NULL columns give NULL, 0, 0.0. */
int64_t db_int(struct db_stmt *s, int column);
double db_double(struct db_stmt *s, int column);
const char *db_text(struct db_stmt *s, int column);

/* BEGIN IMMEDIATE ... COMMIT / ROLLBACK. No nesting. A commit that fails rolls back; a rollback
 * without a transaction does nothing. -EBUSY when another program holds the write lock for over
 * 2 seconds. */
int db_begin(struct db *db, struct err *e);
int db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db);

int64_t db_last_id(struct db *db);
int64_t db_changes(struct db *db);

/* Of SQLite, as it runs here. */
const char *db_library_version(void);

#endif
