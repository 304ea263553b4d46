/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/spool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "notify/spool_impl.h"

static const char *const stmt_sql[SPOOL_STMTS] = {
	[SPOOL_ADD_EVENT] =
		"INSERT INTO event(time_ms, severity, kind, key, entity, is_end, title, body)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SPOOL_ADD_DELIVERY] = "INSERT INTO delivery(event, channel) VALUES(?1, ?2)",
	[SPOOL_SETTLE] =
		"UPDATE delivery SET state = ?2, attempts = attempts + 1, error = ?3,"
		" first_tried_ms = coalesce(first_tried_ms, ?4), tried_ms = ?4, settled_ms = ?4"
		" WHERE id = ?1",
	[SPOOL_FAILED] =
		"UPDATE delivery SET attempts = attempts + 1, error = ?2, tried_ms = ?3,"
		" first_tried_ms = coalesce(first_tried_ms, ?3) WHERE id = ?1 AND state = 0",
};

const char *delivery_state_name(enum delivery_state s)
{
	static const char *const names[DELIVERY_STATES] = {
		"waiting", "sent", "collapsed", "counted", "refused", "expired"};

	return s < DELIVERY_STATES ? names[s] : "unknown";
}

int spool_new(struct db *db, struct spool **out, struct err *e)
{
	_cleanup_(spool_free_p) struct spool *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->db = db;
	for (int i = 0; i < SPOOL_STMTS; i++) {
		int r = db_prepare(db, stmt_sql[i], &s->stmts[i], e);

		if (r < 0)
			return err_wrap(e, r, "spool");
	}
	*out = TAKE_PTR(s);
	return 0;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	for (int i = 0; i < SPOOL_STMTS; i++)
		db_finalize(s->stmts[i]);
	free(s);
}

int spool_begin(struct spool *s, struct err *e)
{
	int r = db_begin(s->db, e);

	assert(!s->joined);
	s->joined = r == 0;
	s->spoilt = false;
	return r;
}

int spool_commit(struct spool *s, struct err *e)
{
	assert(s->joined);
	s->joined = false;
	if (!s->spoilt)
		return db_commit(s->db, e);
	return err_set(e, ECANCELED, "rolled back");
}

int spool_enter(struct spool *s, struct err *e)
{
	if (!s->joined)
		return db_begin(s->db, e);
	return s->spoilt ? err_set(e, ECANCELED, "rolled back") : 0;
}

int spool_leave(struct spool *s, int r, struct err *e)
{
	int c;

	if (r < 0) {
		db_rollback(s->db);
		s->spoilt = true;
		return r;
	}
	if (s->joined)
		return r;
	c = db_commit(s->db, e);
	return c < 0 ? c : r;
}

int spool_run(struct db_stmt *st, struct err *e)
{
	int r = db_step(st, e);

	db_reset(st);
	return r < 0 ? r : 0;
}

static int add_event(struct spool *s, const struct event *ev, struct err *e)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(EVENT_JSON_MAX);
	_cleanup_(free_p) char *entity =
		str_format("%s%s%s", ev->class, *ev->class ? "/" : "", ev->entity);
	struct db_stmt *st = s->stmts[SPOOL_ADD_EVENT];

	event_to_json(ev, &body);
	if (body.overflow)
		return err_set(e, E2BIG, "the event is too large");
	db_bind_int(st, 1, ev->time_ms);
	db_bind_int(st, 2, ev->severity);
	db_bind_text(st, 3, ev->kind);
	db_bind_text(st, 4, ev->key);
	db_bind_text(st, 5, entity);
	db_bind_int(st, 6, ev->is_end);
	db_bind_text(st, 7, ev->title);
	db_bind_text(st, 8, buf_str(&body));
	return spool_run(st, e);
}

int spool_add(struct spool *s, struct event *ev, const char *const *channels, size_t n_channels,
	struct err *e)
{
	struct db_stmt *st = s->stmts[SPOOL_ADD_DELIVERY];
	int r;

	ev->id = 0; /* the stored text has none */
	r = add_event(s, ev, e);
	if (r < 0)
		return r;
	ev->id = db_last_id(s->db);
	for (size_t i = 0; r == 0 && i < n_channels; i++) {
		db_bind_int(st, 1, ev->id);
		db_bind_text(st, 2, channels[i]);
		r = spool_run(st, e);
	}
	return r;
}

static void read_delivery(struct db_stmt *st, struct spool_delivery *d)
{
	d->id = db_int(st, 0);
	d->event_id = db_int(st, 1);
	d->time_ms = db_int(st, 2);
	d->severity = (enum severity)db_int(st, 3);
	(void)str_copy(d->key, sizeof(d->key), db_text(st, 4));
	d->is_end = db_int(st, 5) != 0;
}

/* A story of which a part may pass passes whole: its order would be broken otherwise. */
int spool_waiting(struct spool *s, const char *channel, enum severity from,
	struct spool_delivery *out, size_t max, struct err *e)
{
	static const char sql[] =
		"SELECT d.id, d.event, e.time_ms, e.severity, e.key, e.is_end FROM delivery d"
		" JOIN event e ON e.id = d.event WHERE d.channel = ?1 AND d.state = 0"
		" AND (?2 = 0 OR e.severity >= ?2 OR (e.key <> '' AND e.key IN"
		" (SELECT e2.key FROM delivery d2 JOIN event e2 ON e2.id = d2.event"
		" WHERE d2.channel = ?1 AND d2.state = 0 AND e2.severity >= ?2)))"
		" ORDER BY d.id LIMIT ?3";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	size_t n = 0;
	int r = db_prepare(s->db, sql, &st, e);

	if (r < 0)
		return r;
	db_bind_text(st, 1, channel);
	db_bind_int(st, 2, from);
	db_bind_int(st, 3, (int64_t)max);
	while (n < max && (r = db_step(st, e)) == DB_ROW)
		read_delivery(st, &out[n++]);
	return r < 0 ? r : (int)n;
}

int spool_count_waiting(struct spool *s, const char *channel, uint64_t *out_n,
	int64_t *out_oldest_ms, struct err *e)
{
	static const char sql[] = "SELECT count(*), (SELECT e.time_ms FROM event e WHERE e.id ="
				  " (SELECT event FROM delivery WHERE channel = ?1 AND state = 0 "
				  "ORDER BY id LIMIT 1))"
				  " FROM delivery WHERE channel = ?1 AND state = 0";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	int r = db_prepare(s->db, sql, &st, e);

	if (r < 0)
		return r;
	db_bind_text(st, 1, channel);
	r = db_step(st, e);
	if (r < 0)
		return r;
	*out_n = (uint64_t)db_int(st, 0);
	*out_oldest_ms = db_int(st, 1);
	return 0;
}

int spool_event(struct spool *s, int64_t event_id, struct event **out, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	int r = db_prepare(s->db, "SELECT body FROM event WHERE id = ?1", &st, e);

	if (r < 0)
		return r;
	db_bind_int(st, 1, event_id);
	r = db_step(st, e);
	if (r < 0)
		return r;
	if (r == DB_DONE)
		return err_set(e, ENOENT, "there is no event %lld", (long long)event_id);
	r = event_from_json(db_text(st, 0), out, e);
	if (r < 0)
		return err_wrap(e, r, "event %lld", (long long)event_id);
	(*out)->id = event_id;
	return 0;
}

static int settle_one(struct spool *s, const struct delivery_result *d, const char *error,
	int64_t now_ms, struct err *e)
{
	struct db_stmt *st = s->stmts[SPOOL_SETTLE];

	db_bind_int(st, 1, d->id);
	db_bind_int(st, 2, d->state);
	db_bind_text(st, 3, error);
	db_bind_int(st, 4, now_ms);
	return spool_run(st, e);
}

int spool_settle(struct spool *s, const struct delivery_result *results, size_t n,
	const char *error, int64_t now_ms, struct err *e)
{
	int r = spool_enter(s, e);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = settle_one(s, &results[i], error, now_ms, e);
	return spool_leave(s, r, e);
}

int spool_failed(struct spool *s, const int64_t *ids, size_t n, const char *error, int64_t now_ms,
	struct err *e)
{
	struct db_stmt *st = s->stmts[SPOOL_FAILED];
	int r = spool_enter(s, e);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++) {
		db_bind_int(st, 1, ids[i]);
		db_bind_text(st, 2, error);
		db_bind_int(st, 3, now_ms);
		r = spool_run(st, e);
	}
	return spool_leave(s, r, e);
}
