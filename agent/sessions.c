/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sessions.h"

#include <string.h>

#include "agent/random.h"
#include "base/hash.h"

/* Logging in is rare: statements are prepared for each use. */
static int run(struct db *db, const char *sql, const char *text, int64_t number, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	int r = db_prepare(db, sql, &s, e);

	if (r < 0)
		return r;
	db_bind_text(s, 1, text);
	db_bind_int(s, 2, number);
	return db_step(s, e);
}

static int make_room(struct db *db, int64_t now, struct err *e)
{
	int r = run(db, "DELETE FROM session WHERE ?1 IS NULL AND expires <= ?2", NULL, now, e);

	if (r < 0)
		return r;
	return run(db,
		"DELETE FROM session WHERE ?1 IS NULL AND hash NOT IN"
		" (SELECT hash FROM session ORDER BY created DESC LIMIT ?2)",
		NULL, SESSIONS_MAX - 1, e);
}

int session_new(struct db *db, enum role role, int64_t now, char id[SESSION_ID_SIZE], struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	char hash[HASH_SHA256_HEX_SIZE];
	int r = make_room(db, now, e);

	if (r == 0)
		r = db_prepare(db,
			"INSERT INTO session (hash, role, created, expires) VALUES (?1, ?2, ?3, "
			"?4)",
			&s, e);
	if (r < 0)
		return r;
	random_hex(id, 32);
	hash_sha256_hex(hash, id, strlen(id));
	db_bind_text(s, 1, hash);
	db_bind_text(s, 2, role_name(role));
	db_bind_int(s, 3, now);
	db_bind_int(s, 4, now + SESSION_SECONDS);
	return db_step(s, e);
}

int session_check(struct db *db, const char *id, int64_t now, enum role *out, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	char hash[HASH_SHA256_HEX_SIZE];
	int r = db_prepare(db, "SELECT role FROM session WHERE hash = ?1 AND expires > ?2", &s, e);

	if (r < 0)
		return r;
	hash_sha256_hex(hash, id, strlen(id));
	db_bind_text(s, 1, hash);
	db_bind_int(s, 2, now);
	r = db_step(s, e);
	if (r < 0)
		return r;
	*out = r == DB_ROW ? role_from(db_text(s, 0)) : ROLE_NONE;
	return 0;
}

int session_end(struct db *db, const char *id, struct err *e)
{
	char hash[HASH_SHA256_HEX_SIZE];

	hash_sha256_hex(hash, id, strlen(id));
	return run(db, "DELETE FROM session WHERE hash = ?1 AND ?2 IS NOT NULL", hash, 0, e);
}

int session_end_role(struct db *db, enum role role, struct err *e)
{
	return run(db, "DELETE FROM session WHERE role = ?1 AND ?2 IS NOT NULL", role_name(role), 0,
		e);
}
