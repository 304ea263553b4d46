/* SPDX-License-Identifier: Apache-2.0
 *
 * Browser sessions in the state database, by the SHA-256 of their id: the database holds nothing
 * that opens a door. A session lives 30 days; at most SESSIONS_MAX are kept, the oldest go first.
 */
#ifndef AGENT_SESSIONS_H
#define AGENT_SESSIONS_H

#include <stdint.h>

#include "agent/operation.h"
#include "base/db.h"
#include "base/err.h"

#define SESSIONS_SCHEMA                                                                            \
	"CREATE TABLE session (hash TEXT PRIMARY KEY, role TEXT NOT NULL,"                         \
	" created INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;"

enum { SESSIONS_MAX = 1000, SESSION_SECONDS = 30 * 86400, SESSION_ID_SIZE = 65 };

int session_new(
	struct db *db, enum role role, int64_t now, char id[SESSION_ID_SIZE], struct err *e);
/* *out is ROLE_NONE for an unknown or expired one. */
int session_check(struct db *db, const char *id, int64_t now, enum role *out, struct err *e);
int session_end(struct db *db, const char *id, struct err *e);
/* All sessions of the role, when its token was changed. */
int session_end_role(struct db *db, enum role role, struct err *e);

#endif
