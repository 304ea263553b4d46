/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/catalogue.h"

#include <stdlib.h>

struct catalogue {
	struct db_stmt *seen;
	struct db_stmt *remove;
	struct db_stmt *each;
};

int catalogue_new(struct db *db, struct catalogue **out, struct err *e)
{
	struct catalogue *c = calloc(1, sizeof(*c));
	int r = 0;

	if (!c)
		abort();
	if (db) {
		r = db_prepare(db,
			"INSERT INTO entity (class, key, first_seen, last_seen) VALUES (?1, ?2, "
			"?3, ?3)"
			" ON CONFLICT DO UPDATE SET last_seen = max(last_seen, ?3)",
			&c->seen, e);
		if (r == 0)
			r = db_prepare(db, "DELETE FROM entity WHERE class = ?1 AND key = ?2",
				&c->remove, e);
		if (r == 0)
			r = db_prepare(db,
				"SELECT class, key, first_seen, last_seen FROM entity ORDER BY "
				"class, key",
				&c->each, e);
	}
	if (r < 0) {
		catalogue_free(c);
		return r;
	}
	*out = c;
	return 0;
}

void catalogue_free(struct catalogue *c)
{
	if (!c)
		return;
	db_finalize(c->seen);
	db_finalize(c->remove);
	db_finalize(c->each);
	free(c);
}

int catalogue_seen(struct catalogue *c, const struct entity_class *class, const char *key,
	int64_t now, struct err *e)
{
	if (!c->seen)
		return 0;
	db_bind_text(c->seen, 1, class->name);
	db_bind_text(c->seen, 2, key);
	db_bind_int(c->seen, 3, now);
	return db_step(c->seen, e);
}

int catalogue_remove(
	struct catalogue *c, const struct entity_class *class, const char *key, struct err *e)
{
	if (!c->remove)
		return 0;
	db_bind_text(c->remove, 1, class->name);
	db_bind_text(c->remove, 2, key);
	return db_step(c->remove, e);
}

int catalogue_each(struct catalogue *c, catalogue_fn fn, void *user, struct err *e)
{
	int r;

	if (!c->each)
		return 0;
	while ((r = db_step(c->each, e)) == DB_ROW) {
		/* A class of a later version may be in the file: not ours to touch. */
		const struct entity_class *class = entity_class_find(db_text(c->each, 0));
		int stop = class ? fn(user, class, db_text(c->each, 1), db_int(c->each, 2),
					   db_int(c->each, 3))
				 : 0;

		if (stop) {
			db_reset(c->each);
			return stop;
		}
	}
	return r;
}

int64_t catalogue_keep_seconds(int64_t first_seen, int64_t last_seen, int64_t longest_seconds)
{
	const int64_t least = 3600;
	int64_t keep = last_seen > first_seen ? 10 * (last_seen - first_seen) : 0;

	if (keep < least)
		keep = least;
	return keep < longest_seconds ? keep : longest_seconds;
}
