/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the spool share: the statements kept prepared, and transactions that can be
 * joined. For notify/spool*.c alone.
 */
#ifndef NOTIFY_SPOOL_IMPL_H
#define NOTIFY_SPOOL_IMPL_H

#include <stdbool.h>

#include "base/db.h"
#include "notify/spool.h"

/* Those that run for each event or each delivery; all others are prepared when they are needed. */
enum spool_stmt {
	SPOOL_ADD_EVENT,
	SPOOL_ADD_DELIVERY,
	SPOOL_SETTLE,
	SPOOL_FAILED,
	SPOOL_STMTS,
};

struct spool {
	struct db *db;
	struct db_stmt *stmts[SPOOL_STMTS];
	bool joined; /* inside spool_begin() */
	bool spoilt; /* a call inside of it failed */
};

/* Begins a transaction unless one is joined. */
int spool_enter(struct spool *s, struct err *e);
/* Commits (r >= 0) or rolls back; returns r, or why it could not be committed. */
int spool_leave(struct spool *s, int r, struct err *e);

/* Steps a statement that gives no rows. */
int spool_run(struct db_stmt *st, struct err *e);

#endif
