/* SPDX-License-Identifier: Apache-2.0
 *
 * A database of two migrations in the scratch folder, and short ways to use it, for tests.
 */
#ifndef TESTS_UNIT_DB_OPEN_H
#define TESTS_UNIT_DB_OPEN_H

#include <check.h>

#include "base/db.h"
#include "tests/unit/scratch.h"

static const char *const schema[] = {
	"CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT UNIQUE);"
	"CREATE TABLE child(parent INTEGER REFERENCES parent(id) ON DELETE CASCADE, size REAL);",
	"ALTER TABLE parent ADD COLUMN note TEXT;",
};

static inline struct db *open_ok(size_t n_migrations)
{
	struct db *db = NULL;
	struct err e = {""};
	int r = db_open(scratch_path("state.db"), schema, n_migrations, &db, &e);

	ck_assert_msg(r == DB_OPENED, "%s", e.msg);
	return db;
}

static inline void exec_ok(struct db *db, const char *sql)
{
	struct err e = {""};

	ck_assert_msg(db_exec(db, sql, &e) == 0, "%s", e.msg);
}

/* First column of the first row; -1 without a row. */
static inline int64_t ask(struct db *db, const char *sql)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	struct err e = {""};
	int r;

	ck_assert_msg(db_prepare(db, sql, &s, &e) == 0, "%s", e.msg);
	r = db_step(s, &e);
	ck_assert_msg(r >= 0, "%s", e.msg);
	return r == DB_ROW ? db_int(s, 0) : -1;
}

#endif
