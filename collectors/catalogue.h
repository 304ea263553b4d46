/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue: which entities have history on disk, since when, and when they were last seen.
 * Kept in the state database (table `entity`), so that what is gone can still be listed, and its
 * file be removed in time. Without a database (NULL) everything here is a quiet no-op: measuring
 * goes on.
 */
#ifndef COLLECTORS_CATALOGUE_H
#define COLLECTORS_CATALOGUE_H

#include <stdint.h>

#include "base/db.h"
#include "base/err.h"
#include "collectors/metric.h"

/* The schema step that makes the table, for the list of migrations. */
#define CATALOGUE_SCHEMA                                                                           \
	"CREATE TABLE entity (class TEXT NOT NULL, key TEXT NOT NULL,"                             \
	" first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, PRIMARY KEY (class, key))"      \
	" WITHOUT ROWID;"

struct catalogue;

int catalogue_new(struct db *db, struct catalogue **out, struct err *e);
void catalogue_free(struct catalogue *c);

/* Adds the entity, or moves its last_seen on. Times are Unix seconds. */
int catalogue_seen(struct catalogue *c, const struct entity_class *class, const char *key,
	int64_t now, struct err *e);
int catalogue_remove(
	struct catalogue *c, const struct entity_class *class, const char *key, struct err *e);

/* Calls fn for each entity, ordered by class and key, until it returns non-zero. fn must not
 * change the catalogue. */
typedef int (*catalogue_fn)(void *user, const struct entity_class *class, const char *key,
	int64_t first_seen, int64_t last_seen);
int catalogue_each(struct catalogue *c, catalogue_fn fn, void *user, struct err *e);

/* How long the history of something gone is kept after last_seen: ten times as long as it lived,
 * at least an hour, at most the longest archive. So a job container of five minutes does not
 * keep megabytes for a year. */
int64_t catalogue_keep_seconds(int64_t first_seen, int64_t last_seen, int64_t longest_seconds);

#endif
