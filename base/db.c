/* SPDX-License-Identifier: Apache-2.0 */
#include "base/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Another program (a backup, the sqlite3 shell) may hold the write lock for a moment. */
enum { BUSY_TIMEOUT_MS = 2000 };

struct db {
	sqlite3 *sql;
};

struct db_stmt {
	sqlite3_stmt *sql;
};

/* The page cache and the log file stay small: the state is a few megabytes and seldom read.
 * Migrations rebuild tables, which would cascade with foreign keys on: they are switched on last. */
static const char settings_sql[] = "PRAGMA cache_size = -256;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = FULL;"
				   "PRAGMA wal_autocheckpoint = 256;"
				   "PRAGMA journal_size_limit = 1048576;"
				   "PRAGMA foreign_keys = OFF;";

/* What the operating system said, where SQLite's own code is vague about it. */
static int system_errno(sqlite3 *sql, int otherwise)
{
	int code = sqlite3_system_errno(sql);

	return code > 0 ? code : otherwise;
}

static int errno_of(sqlite3 *sql)
{
	switch (sqlite3_errcode(sql) & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return EUCLEAN;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_READONLY:
		return system_errno(sql, EROFS);
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return system_errno(sql, EIO);
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_CONSTRAINT:
		return EEXIST;
	case SQLITE_TOOBIG:
		return E2BIG;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_ERROR:
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return EINVAL;
	default:
		return EIO;
	}
}

static int fail(sqlite3 *sql, struct err *e)
{
	int code = errno_of(sql);
	const char *path = sqlite3_db_filename(sql, "main");
	const char *why = sqlite3_errmsg(sql);

	/* "unable to open database file" alone does not say why. */
	if (code == sqlite3_system_errno(sql))
		return err_set(e, code, "%s: %s: %s", path, why, err_text(-code));
	return err_set(e, code, "%s: %s", path, why);
}

int db_exec(struct db *db, const char *sql, struct err *e)
{
	if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(db->sql, e);
	return 0;
}

/* Runs a query whose first row's first column is the answer. */
static int ask_int(struct db *db, const char *sql, int64_t *out, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	int r = db_prepare(db, sql, &s, e);

	if (r < 0)
		return r;
	r = db_step(s, e);
	if (r < 0)
		return r;
	*out = r == DB_ROW ? db_int(s, 0) : 0;
	return 0;
}

static int check_whole(struct db *db, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	int r = db_prepare(db, "PRAGMA quick_check(1)", &s, e);

	if (r < 0)
		return r;
	r = db_step(s, e);
	if (r < 0)
		return r;
	if (r == DB_ROW && strcmp(db_text(s, 0), "ok") == 0)
		return 0;
	return err_set(e, EUCLEAN, "%s: %s", sqlite3_db_filename(db->sql, "main"),
		r == DB_ROW ? db_text(s, 0) : "the check gave no answer");
}

static int migrate_one(struct db *db, const char *sql, size_t from, struct err *e)
{
	char set_version[64];
	int r = db_begin(db, e);

	if (r < 0)
		return r;
	(void)snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %zu", from + 1);
	r = db_exec(db, sql, e);
	if (r == 0)
		r = db_exec(db, set_version, e);
	if (r == 0)
		return db_commit(db, e);
	db_rollback(db);
	return err_wrap(e, r, "schema %zu to %zu", from, from + 1);
}

static int migrate(struct db *db, const char *const *migrations, size_t n, struct err *e)
{
	int64_t version;
	int r = ask_int(db, "PRAGMA user_version", &version, e);

	for (size_t i = (size_t)version; r == 0 && i < n; i++)
		r = migrate_one(db, migrations[i], i, e);
	return r;
}

static int check_version(struct db *db, size_t n_migrations, struct err *e)
{
	int64_t version;
	int r = ask_int(db, "PRAGMA user_version", &version, e);

	if (r < 0)
		return r;
	if (version < 0 || (uint64_t)version > n_migrations)
		return err_set(e, EPROTO,
			"%s was made by a newer version of this program (schema %lld, known: %zu)",
			sqlite3_db_filename(db->sql, "main"), (long long)version, n_migrations);
	return 0;
}

/* SQLite falls back to reading alone, without a word. */
static int check_writable(struct db *db, const char *path, struct err *e)
{
	if (sqlite3_db_readonly(db->sql, "main") != 1)
		return 0;
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
		errno = EROFS;
	return err_sys(e, "%s cannot be written", path);
}

/* SQLite's own message for a file it cannot make is wrong on a read-only disk. A new file is for
 * its owner alone; the log beside it takes over the mode. */
static int create_file(const char *path, struct err *e)
{
	int fd;

	if (strcmp(path, ":memory:") == 0)
		return 0;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : err_sys(e, "create %s", path);
	(void)close(fd);
	return 0;
}

static int open_file(const char *path, struct db *db, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int r = create_file(path, e);

	if (r < 0)
		return r;
	r = sqlite3_open_v2(path, &db->sql, flags | SQLITE_OPEN_EXRESCODE, NULL);
	if (!db->sql)
		return err_set(e, ENOMEM, "open %s: out of memory", path);
	if (r != SQLITE_OK) {
		int code = errno_of(db->sql);

		return err_set(e, code, "open %s: %s", path, err_text(-code));
	}
	(void)sqlite3_busy_timeout(db->sql, BUSY_TIMEOUT_MS);
	return 0;
}

/* Until the file is known to be ours and whole, closing it must not move pages from the log into
 * it. */
static void checkpoint_on_close(struct db *db, bool on)
{
	(void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !on, NULL);
}

static int open_checked(
	const char *path, const char *const *migrations, size_t n, struct db **out, struct err *e)
{
	_cleanup_(db_close_p) struct db *db = calloc(1, sizeof(*db));
	int r;

	if (!db)
		abort();
	r = open_file(path, db, e);
	if (r < 0)
		return r;
	checkpoint_on_close(db, false);
	r = check_writable(db, path, e);
	if (r == 0)
		r = check_version(db, n, e);
	if (r == 0)
		r = db_exec(db, settings_sql, e);
	if (r == 0)
		r = check_whole(db, e);
	if (r == 0)
		r = migrate(db, migrations, n, e);
	if (r == 0)
		r = db_exec(db, "PRAGMA foreign_keys = ON", e);
	if (r < 0)
		return r;
	checkpoint_on_close(db, true);
	*out = TAKE_PTR(db);
	return 0;
}

static int move_one(const char *path, const char *aside, const char *suffix, struct err *e)
{
	char from[4096], to[4096];

	if ((size_t)snprintf(from, sizeof(from), "%s%s", path, suffix) >= sizeof(from) ||
		(size_t)snprintf(to, sizeof(to), "%s%s", aside, suffix) >= sizeof(to))
		return err_set(e, ENAMETOOLONG, "path is too long: %s", path);
	if (rename(from, to) < 0 && errno != ENOENT)
		return err_sys(e, "move %s aside", from);
	return 0;
}

/* The database itself goes last: after a crash in between it is still found broken. */
static int move_aside(const char *path, char *aside, size_t size, struct err *e)
{
	long long stamp = (long long)time(NULL);
	struct stat st;
	int r;

	do {
		if ((size_t)snprintf(aside, size, "%s.broken-%lld", path, stamp++) >= size)
			return err_set(e, ENAMETOOLONG, "path is too long: %s", path);
	} while (lstat(aside, &st) == 0);
	r = move_one(path, aside, "-wal", e);
	if (r == 0)
		r = move_one(path, aside, "-shm", e);
	if (r == 0)
		r = move_one(path, aside, "", e);
	return r;
}

int db_open(const char *path, const char *const *migrations, size_t n_migrations, struct db **out,
	struct err *e)
{
	char aside[4096];
	struct err why = {""};
	int r = open_checked(path, migrations, n_migrations, out, &why);

	if (r != -EUCLEAN) {
		if (r < 0)
			(void)err_set(e, -r, "%s", why.msg);
		return r;
	}
	r = move_aside(path, aside, sizeof(aside), e);
	if (r == 0)
		r = open_checked(path, migrations, n_migrations, out, e);
	if (r < 0)
		return r == -EUCLEAN ? -EIO : r;
	(void)err_set(e, EUCLEAN, "%s; kept as %s, and a new one was made", why.msg, aside);
	return DB_RECREATED;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	(void)sqlite3_close_v2(db->sql);
	free(db);
}

int db_prepare(struct db *db, const char *sql, struct db_stmt **out, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = calloc(1, sizeof(*s));
	const char *rest;

	if (!s)
		abort();
	if (sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->sql, &rest) !=
		SQLITE_OK)
		return err_wrap(e, fail(db->sql, e), "\"%s\"", sql);
	if (!s->sql || rest[strspn(rest, " \t\n;")])
		return err_set(e, EINVAL, "\"%s\" is not one statement", sql);
	*out = TAKE_PTR(s);
	return 0;
}

void db_finalize(struct db_stmt *s)
{
	if (!s)
		return;
	(void)sqlite3_finalize(s->sql);
	free(s);
}

/* Only a wrong number, or a statement in the middle of its rows, can be refused. */
static void must(int r)
{
	if (r == SQLITE_NOMEM)
		abort();
	assert(r == SQLITE_OK);
}

void db_bind_int(struct db_stmt *s, int i, int64_t v)
{
	must(sqlite3_bind_int64(s->sql, i, v));
}

void db_bind_double(struct db_stmt *s, int i, double v)
{
	must(sqlite3_bind_double(s->sql, i, v));
}

void db_bind_text(struct db_stmt *s, int i, const char *text)
{
	must(sqlite3_bind_text(s->sql, i, text, -1, SQLITE_TRANSIENT));
}

int db_step(struct db_stmt *s, struct err *e)
{
	int r = sqlite3_step(s->sql);

	if (r == SQLITE_ROW)
		return DB_ROW;
	r = r == SQLITE_DONE ? DB_DONE : fail(sqlite3_db_handle(s->sql), e);
	(void)sqlite3_reset(s->sql);
	return r;
}

void db_reset(struct db_stmt *s)
{
	(void)sqlite3_reset(s->sql);
}

int64_t db_int(struct db_stmt *s, int column)
{
	return sqlite3_column_int64(s->sql, column);
}

double db_double(struct db_stmt *s, int column)
{
	return sqlite3_column_double(s->sql, column);
}

const char *db_text(struct db_stmt *s, int column)
{
	return (const char *)sqlite3_column_text(s->sql, column);
}

int db_begin(struct db *db, struct err *e)
{
	return db_exec(db, "BEGIN IMMEDIATE", e);
}

int db_commit(struct db *db, struct err *e)
{
	int r = db_exec(db, "COMMIT", e);

	if (r < 0)
		db_rollback(db);
	return r;
}

void db_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(db->sql))
		(void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->sql);
}

int64_t db_changes(struct db *db)
{
	return sqlite3_changes64(db->sql);
}

const char *db_library_version(void)
{
	return sqlite3_libversion();
}
