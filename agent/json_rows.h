/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables whose rows are JSON objects, and the statements that are kept prepared for one: what the histories of backups
 * (backup_runs.h) and of deploys (deploy_runs.h) have in common. A query gives the id in its first column and the
 * object in its second.
 */
#ifndef AGENT_JSON_ROWS_H
#define AGENT_JSON_ROWS_H

#include <jansson.h>
#include <stddef.h>

#include "base/db.h"
#include "base/err.h"

/* `out` has n places, all NULL before; after a failure those that were prepared are in it. */
int json_rows_prepare(
	struct db *db, const char *const *sql, size_t n, struct db_stmt **out, struct err *e);
void json_rows_finalize(struct db_stmt **statements, size_t n);

/* A statement that gives no rows. */
int json_rows_run(struct db_stmt *s, struct err *e);
/* The text of an object, as it stands in a row; the caller's. */
char *json_rows_text(const json_t *object);

/* An array, a new reference; the id of a row is put into its object as member `id`. What cannot be read has only that. */
int json_rows_read(struct db_stmt *s, const char *id, json_t **out, struct err *e);
/* The first of them. -ENOENT: there is none. */
int json_rows_first(struct db_stmt *s, const char *id, json_t **out, struct err *e);

#endif
