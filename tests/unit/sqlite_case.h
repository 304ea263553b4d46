/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite databases for tests, and the engine's functions with what a run would give them.
 */
#ifndef TESTS_UNIT_SQLITE_CASE_H
#define TESTS_UNIT_SQLITE_CASE_H

#include <check.h>
#include <errno.h>
#include <sqlite3.h>

#include "backup/engine.h"
#include "base/fs.h"
#include "tests/unit/scratch.h"

static struct job the_job;
static char warned[300];

static inline void note_warning(void *user, const char *text)
{
	(void)user;
	(void)snprintf(warned, sizeof(warned), "%s", text);
}

/* Of the file `name` in the scratch folder. */
static inline struct engine_call call_of(const char *name)
{
	static char path[600];

	(void)snprintf(path, sizeof(path), "%s", *name == '/' ? name : scratch_path(name));
	the_job = (struct job){.name = "app", .engine = "sqlite", .path = path};
	return (struct engine_call){.job = &the_job, .state_dir = scratch, .warn = note_warning};
}

static inline void run_sql(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s: %s", sql, why);
}

static inline sqlite3 *open_db(const char *name)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(*name == '/' ? name : scratch_path(name), &db), SQLITE_OK);
	return db;
}

/* 2 tables with 1000 rows, an index, a trigger, a view. */
static inline void make_db(const char *name, const char *settings)
{
	sqlite3 *db = open_db(name);

	run_sql(db, settings);
	run_sql(db, "CREATE TABLE a(id INTEGER PRIMARY KEY, t TEXT, n INT);"
		    "CREATE TABLE \"b \"\"x\"(v UNIQUE);"
		    "CREATE INDEX a_t ON a(t); CREATE VIEW w AS SELECT t FROM a;"
		    "CREATE TRIGGER r AFTER DELETE ON a BEGIN SELECT 1; END;"
		    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000)"
		    "INSERT INTO a(t, n) SELECT hex(randomblob(50)), i FROM c;");
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static inline int64_t ask_db(const char *name, const char *sql)
{
	sqlite3 *db = open_db(name);
	sqlite3_stmt *s = NULL;
	int64_t n;

	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	(void)sqlite3_close(db);
	return n;
}

/* All bytes of a dump, checked by the format. */
static inline int dump_db(
	const struct engine_call *c, struct buf *out, struct counts *counts, struct err *e)
{
	_cleanup_(source_free_p) struct source *s = NULL;
	_cleanup_(sink_free_p) struct sink *checker = NULL;
	char piece[10000];
	ssize_t n;
	int r = engine_sqlite.dump(c, NULL, &s, e);

	if (r < 0)
		return r;
	ck_assert_int_eq(format_sqlite.checker(&checker, e), 0);
	while ((n = source_read(s, piece, sizeof(piece), e)) > 0) {
		ck_assert_int_eq(sink_write(checker, piece, (size_t)n, e), 0);
		buf_add(out, piece, (size_t)n);
	}
	ck_assert_int_eq(n, 0);
	r = source_finish(s, e);
	if (r == 0) {
		engine_sqlite.dumped(c, s, counts);
		ck_assert_msg(sink_finish(checker, e) == 0, "%s", e->msg);
	}
	return r;
}

/* Into where the job says, or `into`. `n` bytes arrive, `ok`: and were right. */
static inline int restore_db(const struct engine_call *c, const char *into, const struct buf *from,
	size_t n, bool ok, struct err *e)
{
	const struct engine_restore how = {.into = into};
	const struct manifest_member m = {.title = (char *)"app.db", .format = (char *)"sqlite"};
	struct engine_target t = {.state = NULL};
	struct sink *s = NULL;
	int r = engine_sqlite.restore_begin(c, &how, &t, e);

	if (r < 0)
		return r;
	ck_assert_int_eq(engine_sqlite.restore_member(c, &how, &t, &m, &s, e), 0);
	ck_assert_int_eq(sink_write(s, from->data, n, e), 0);
	ck_assert_int_eq(sink_finish(s, e), 0);
	sink_free(s);
	return engine_sqlite.restore_end(c, &how, &t, ok, e);
}

#endif
