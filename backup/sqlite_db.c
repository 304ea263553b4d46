/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/sqlite_db.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup/sqlite_internal.h"
#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/str.h"

enum {
	BUSY_MS = 60 * 1000, /* a writer that holds its lock longer has come to harm */
	BUSY_STEP_MS = 20,
};

/* Counting rows reads everything; of larger ones only the schema is counted. */
static const int64_t count_rows_max_bytes = 256LL << 20;

/* What a database needs that a reader cannot give it. */
static int needs_writing(const char *path, const char *why, struct err *e)
{
	return err_set(e, EROFS,
		"%s: %s; its program was killed, and what it left must be put in order first: let "
		"it run again, or open the file once with sqlite3",
		path, why);
}

int sqlite_failed(sqlite3 *db, const char *path, struct err *e)
{
	int code = sqlite3_extended_errcode(db);
	const char *why = sqlite3_errmsg(db);

	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return err_set(e, EUCLEAN, "%s: %s", path, why);
	case SQLITE_READONLY:
		return needs_writing(path, why, e);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		if (stop_requested())
			return err_set(e, ECANCELED, "stopped");
		return err_set(e, EBUSY, "%s: %s: a program holds its lock", path, why);
	case SQLITE_FULL:
		return err_set(e, ENOSPC, "%s: %s", path, why);
	case SQLITE_CANTOPEN:
		return err_set(e, EACCES, "%s: %s%s", path, why,
			" (a database in WAL mode needs its -shm file beside it, or a folder "
			"where that can be made)");
	default:
		return err_set(e, EIO, "%s: %s", path, why);
	}
}

static int wait_busy(void *user, int times)
{
	(void)user;
	if (times >= BUSY_MS / BUSY_STEP_MS || stop_requested())
		return 0;
	(void)poll(NULL, 0, BUSY_STEP_MS);
	return 1;
}

/* SQLite takes a missing or empty file for an empty database. */
static int check_file(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "database %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "database %s is no file", path);
	if (st.st_size == 0)
		return err_set(e, ENODATA, "database %s is empty: 0 bytes", path);
	return 0;
}

int sqlite_open(const char *path, int flags, sqlite3 **out, struct err *e)
{
	sqlite3 *db = NULL;
	int r = check_file(path, e);

	if (r < 0)
		return r;
	if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
		r = db ? sqlite_failed(db, path, e) : err_set(e, ENOMEM, "%s: no memory", path);
		(void)sqlite3_close(db);
		return r;
	}
	(void)sqlite3_extended_result_codes(db, 1);
	(void)sqlite3_busy_handler(db, wait_busy, NULL);
	/* A schema may have been written by somebody who means harm. */
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	*out = db;
	return 0;
}

int sqlite_ask(sqlite3 *db, const char *path, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW)
		r = sqlite_failed(db, path, e);
	else
		*out = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return r;
}

int sqlite_begin(sqlite3 *db, const char *path, struct err *e)
{
	int64_t ignored;

	if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_failed(db, path, e);
	/* The first reading is what takes the lock. */
	return sqlite_ask(db, path, "SELECT count(*) FROM sqlite_master", &ignored, e);
}

int sqlite_size(sqlite3 *db, const char *path, int64_t *out, struct err *e)
{
	int64_t pages = 0, page = 0;
	int r = sqlite_ask(db, path, "PRAGMA page_count", &pages, e);

	if (r == 0)
		r = sqlite_ask(db, path, "PRAGMA page_size", &page, e);
	if (r == 0)
		*out = pages * page;
	return r;
}

static int look(sqlite3 *db, const char *path, struct sqlite_facts *out, struct err *e)
{
	int r = sqlite_begin(db, path, e);

	if (r == 0)
		r = sqlite_size(db, path, &out->bytes, e);
	if (r == 0)
		r = sqlite_ask(db, path, "SELECT count(*) FROM sqlite_master WHERE type = 'table'",
			&out->tables, e);
	return r;
}

int sqlite_db_look(const char *path, struct sqlite_facts *out, struct err *e)
{
	struct sqlite_facts facts = {.bytes = 0};
	sqlite3 *db;
	int r = sqlite_open(path, SQLITE_OPEN_READONLY, &db, e);

	if (r < 0)
		return r;
	r = look(db, path, &facts, e);
	(void)sqlite3_close(db);
	if (r < 0)
		return r;
	(void)str_copy(facts.version, sizeof(facts.version), sqlite3_libversion());
	*out = facts;
	return 0;
}

static int count_kind(sqlite3 *db, const char *path, const char *type, const char *name,
	struct counts *out, struct err *e)
{
	_cleanup_(free_p) char *sql =
		str_format("SELECT count(*) FROM sqlite_master WHERE type = '%s' AND name NOT LIKE "
			   "'sqlite\\_%%' ESCAPE '\\'",
			type);
	int64_t n = 0;
	int r = sqlite_ask(db, path, sql, &n, e);

	if (r == 0)
		counts_set(out, name, n, false);
	return r;
}

/* Of all tables that are tables: a virtual one needs its module. */
static int count_rows(sqlite3 *db, const char *path, int64_t *out, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int64_t sum = 0;
	int r = 0;

	if (sqlite3_prepare_v2(db,
		    "SELECT printf('SELECT count(*) FROM \"%w\"', name) FROM sqlite_master WHERE "
		    "type = 'table' AND sql NOT LIKE 'create virtual%' AND name NOT LIKE "
		    "'sqlite\\_%' ESCAPE '\\'",
		    -1, &s, NULL) != SQLITE_OK)
		return sqlite_failed(db, path, e);
	while (r == 0 && sqlite3_step(s) == SQLITE_ROW) {
		int64_t n = 0;

		r = stop_check(e);
		if (r == 0)
			r = sqlite_ask(db, path, (const char *)sqlite3_column_text(s, 0), &n, e);
		sum += n;
	}
	(void)sqlite3_finalize(s);
	*out = sum;
	return r;
}

int sqlite_count(sqlite3 *db, const char *path, struct counts *out, struct err *e)
{
	int64_t bytes = 0, rows = 0;
	struct err why;
	int r = sqlite_size(db, path, &bytes, e);

	if (r == 0)
		r = count_kind(db, path, "table", "tables", out, e);
	if (r == 0)
		r = count_kind(db, path, "index", "indexes", out, e);
	if (r == 0)
		r = count_kind(db, path, "trigger", "triggers", out, e);
	if (r == 0)
		r = count_kind(db, path, "view", "views", out, e);
	/* A table that cannot be counted (a module it needs is not here) is no reason to fail. */
	if (r == 0 && bytes <= count_rows_max_bytes && count_rows(db, path, &rows, &why) == 0)
		counts_set(out, "rows", rows, false);
	return r;
}

/* file:PATH?immutable=1 (https://sqlite.org/uri.html) */
static int open_private(const char *path, sqlite3 **out, struct err *e)
{
	_cleanup_(buf_done) struct buf uri = BUF_INIT(3 * 4096 + 64);
	int r = check_file(path, e);

	if (r < 0)
		return r;
	buf_adds(&uri, "file:");
	for (const char *p = path; *p; p++) {
		if (strchr("?#%", *p))
			buf_addf(&uri, "%%%02X", (unsigned char)*p);
		else
			buf_addc(&uri, *p);
	}
	buf_adds(&uri, "?immutable=1");
	if (sqlite3_open_v2(buf_str(&uri), out, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) ==
		SQLITE_OK) {
		(void)sqlite3_db_config(*out, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		return 0;
	}
	r = sqlite_failed(*out, path, e);
	(void)sqlite3_close(*out);
	return r;
}

/* The library is not interrupted otherwise while it reads gigabytes. */
static int stop_when_asked(void *user)
{
	(void)user;
	return stop_requested();
}

int sqlite_db_check(const char *path, struct err *e)
{
	sqlite3 *db;
	sqlite3_stmt *s = NULL;
	int r = open_private(path, &db, e);

	if (r < 0)
		return r;
	sqlite3_progress_handler(db, 100000, stop_when_asked, NULL);
	if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &s, NULL) != SQLITE_OK ||
		sqlite3_step(s) != SQLITE_ROW) {
		r = sqlite_failed(db, path, e);
		r = stop_requested() ? err_set(e, ECANCELED, "stopped")
		    : r == -EUCLEAN  ? -EBADMSG
				     : r;
	} else if (strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0) {
		r = err_set(e, EBADMSG, "PRAGMA integrity_check: %s", sqlite3_column_text(s, 0));
	}
	(void)sqlite3_finalize(s);
	(void)sqlite3_close(db);
	return r;
}

int sqlite_db_count(const char *path, struct counts *out, struct err *e)
{
	struct counts c = {.n_items = 0};
	sqlite3 *db;
	int r = open_private(path, &db, e);

	if (r < 0)
		return r;
	r = sqlite_count(db, path, &c, e);
	(void)sqlite3_close(db);
	if (r == 0)
		*out = c;
	return r;
}

int sqlite_db_settle(const char *path, struct err *e)
{
	sqlite3 *db;
	struct err why;
	int r = sqlite_open(path, SQLITE_OPEN_READWRITE, &db, &why);

	/* What cannot be opened is broken, and nothing can be left in order. */
	if (r < 0)
		return 0;
	(void)sqlite3_busy_timeout(db, 1000);
	(void)sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	/* In WAL mode every user holds a lock all the time, else only while it reads or writes. */
	(void)sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
	if (sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK &&
		(sqlite3_errcode(db) == SQLITE_BUSY || sqlite3_errcode(db) == SQLITE_LOCKED))
		r = err_set(e, EBUSY, "%s is in use", path);
	(void)sqlite3_close(db);
	return r;
}
