/* SPDX-License-Identifier: Apache-2.0
 *
 * How long the spool keeps what: giving up deliveries, deleting old events; and the state of a
 * channel.
 */
#include <string.h>

#include "base/str.h"
#include "notify/spool.h"
#include "notify/spool_impl.h"

static const char gave_up[] = "given up: it could not be delivered for 24 hours";
static const char too_many[] = "given up: too many messages were waiting";
static const char removed[] = "the channel was removed";

/* Runs an UPDATE prepared with all but ?1 (now) and ?2 (why) bound. Returns how many rows changed. */
static int expire_with(
	struct spool *s, struct db_stmt *st, const char *why, int64_t now_ms, struct err *e)
{
	int r;

	db_bind_int(st, 1, now_ms);
	db_bind_text(st, 2, why);
	r = spool_run(st, e);
	return r < 0 ? r : (int)db_changes(s->db);
}

#define EXPIRE "UPDATE delivery SET state = 5, settled_ms = ?1, error = ?2"
#define WAITS " channel = ?3 AND state = 0"

_Static_assert(DELIVERY_EXPIRED == 5, "the number stands in the SQL");

/* Nothing can have been delivered behind one that was tried in vain for so long: what is as old as
 * that goes with it, although it was not its turn yet. */
static int expire_old(struct spool *s, const char *channel, int64_t now_ms, struct err *e)
{
	static const char sql[] =
		EXPIRE " WHERE" WAITS " AND EXISTS(SELECT 1 FROM delivery WHERE" WAITS
		       " AND attempts >= ?5 AND first_tried_ms <= ?4)"
		       " AND (attempts >= ?5 AND first_tried_ms <= ?4"
		       " OR (SELECT time_ms FROM event WHERE event.id = delivery.event) <= ?4)";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	int r = db_prepare(s->db, sql, &st, e);

	if (r < 0)
		return r;
	db_bind_text(st, 3, channel);
	db_bind_int(st, 4, now_ms - SPOOL_GIVE_UP_MS);
	db_bind_int(st, 5, SPOOL_GIVE_UP_ATTEMPTS);
	return expire_with(s, st, gave_up, now_ms, e);
}

static int expire_surplus(struct spool *s, const char *channel, int64_t now_ms, struct err *e)
{
	static const char sql[] =
		EXPIRE " WHERE" WAITS " AND id <= (SELECT id FROM delivery WHERE" WAITS
		       " ORDER BY id DESC LIMIT 1 OFFSET ?4)";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	int r = db_prepare(s->db, sql, &st, e);

	if (r < 0)
		return r;
	db_bind_text(st, 3, channel);
	db_bind_int(st, 4, SPOOL_WAITING_MAX);
	return expire_with(s, st, too_many, now_ms, e);
}

int spool_expire(struct spool *s, const char *channel, int64_t now_ms, struct err *e)
{
	int r, more = 0;

	r = expire_old(s, channel, now_ms, e);
	if (r >= 0)
		more = expire_surplus(s, channel, now_ms, e);
	return r < 0 ? r : more < 0 ? more : r + more;
}

static bool is_listed(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static int expire_channel(struct spool *s, const char *channel, int64_t now_ms, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	int r = db_prepare(s->db, EXPIRE " WHERE" WAITS, &st, e);

	if (r < 0)
		return r;
	db_bind_text(st, 3, channel);
	return expire_with(s, st, removed, now_ms, e);
}

/* The next name after `name` among those for which something waits; the index makes a jump of it. */
static int next_channel(struct spool *s, const char *name, char **out, struct err *e)
{
	static const char sql[] =
		"SELECT min(channel) FROM delivery WHERE state = 0 AND channel > ?1";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	int r = db_prepare(s->db, sql, &st, e);

	if (r < 0)
		return r;
	db_bind_text(st, 1, name);
	r = db_step(st, e);
	if (r < 0)
		return r;
	*out = r == DB_ROW ? str_dup(db_text(st, 0)) : NULL;
	return 0;
}

int spool_expire_others(
	struct spool *s, const char *const *channels, size_t n, int64_t now_ms, struct err *e)
{
	_cleanup_(free_p) char *name = str_dup("");
	int total = 0;

	for (;;) {
		char *next = NULL;
		int r = next_channel(s, name, &next, e);

		if (r < 0)
			return r;
		if (!next)
			return total;
		free(name);
		name = next;
		r = is_listed(name, channels, n) ? 0 : expire_channel(s, name, now_ms, e);
		if (r < 0)
			return r;
		total += r;
	}
}

/* Looks at the oldest alone: events are stored in the order of time, but for clocks set back. */
int spool_prune(struct spool *s, int64_t now_ms, struct err *e)
{
	static const char sql[] =
		"DELETE FROM event WHERE id IN (SELECT id FROM"
		" (SELECT id, time_ms FROM event ORDER BY id LIMIT ?1) old"
		" WHERE (time_ms < ?2 OR id <= (SELECT max(id) FROM event) - ?3)"
		" AND NOT EXISTS(SELECT 1 FROM delivery WHERE event = old.id AND state = 0))";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	int r = db_prepare(s->db, sql, &st, e);

	if (r < 0)
		return r;
	db_bind_int(st, 1, SPOOL_PRUNE_MAX);
	db_bind_int(st, 2, now_ms - (int64_t)SPOOL_KEEP_DAYS * 24 * 3600 * 1000);
	db_bind_int(st, 3, SPOOL_KEEP_MAX);
	r = spool_run(st, e);
	return r < 0 ? r : (int)db_changes(s->db);
}

int spool_load_channel(
	struct spool *s, const char *channel, struct channel_state *out, struct err *e)
{
	static const char sql[] =
		"SELECT not_before_ms, failures, last_sent_ms, last_failed_ms,"
		" last_error, memory_to, memory_of FROM channel_state WHERE channel = ?1";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	struct channel_state cs = {0};
	int r = db_prepare(s->db, sql, &st, e);

	if (r < 0)
		return r;
	db_bind_text(st, 1, channel);
	r = db_step(st, e);
	if (r < 0)
		return r;
	if (r == DB_ROW) {
		cs.not_before_ms = db_int(st, 0);
		cs.failures = (unsigned)db_int(st, 1);
		cs.last_sent_ms = db_int(st, 2);
		cs.last_failed_ms = db_int(st, 3);
		(void)str_copy(cs.last_error, sizeof(cs.last_error), db_text(st, 4));
		(void)str_copy(cs.memory.to, sizeof(cs.memory.to), db_text(st, 5));
		(void)str_copy(cs.memory_of, sizeof(cs.memory_of), db_text(st, 6));
	}
	*out = cs;
	return 0;
}

int spool_store_channel(
	struct spool *s, const char *channel, const struct channel_state *cs, struct err *e)
{
	static const char sql[] =
		"INSERT OR REPLACE INTO channel_state(channel, not_before_ms, failures, "
		"last_sent_ms,"
		" last_failed_ms, last_error, memory_to, memory_of)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	int r = spool_enter(s, e);

	if (r < 0)
		return r;
	r = db_prepare(s->db, sql, &st, e);
	if (r == 0) {
		db_bind_text(st, 1, channel);
		db_bind_int(st, 2, cs->not_before_ms);
		db_bind_int(st, 3, cs->failures);
		db_bind_int(st, 4, cs->last_sent_ms);
		db_bind_int(st, 5, cs->last_failed_ms);
		db_bind_text(st, 6, cs->last_error);
		db_bind_text(st, 7, cs->memory.to);
		db_bind_text(st, 8, cs->memory_of);
		r = spool_run(st, e);
	}
	return spool_leave(s, r, e);
}
