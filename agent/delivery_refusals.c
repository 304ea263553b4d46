/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/delivery_refusals.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "deploy-hooks/delivery.h"

/* One that is not written yet. */
struct pending {
	char app[DEPLOY_NAME_SIZE], peer[64], provider[16], event[64], why[300];
	bool is_known;
	unsigned status;
	int64_t time_ms, count;
};

enum { SQL_MERGE, SQL_ADD, SQL_PRUNE, SQL_LIST, SQL_COUNT };

static const char *const sql[] = {
	/* The parameters of these two are the same. */
	[SQL_MERGE] =
		"UPDATE refused_delivery SET time_ms = ?1, app = ?2, provider = ?4, event = ?5,"
		" count = count + ?8 WHERE id = (SELECT id FROM refused_delivery"
		" WHERE time_ms > ?1 - ?9 AND peer = ?3 AND status = ?6 AND why = ?7"
		" AND (app = ?2 OR ?10 = 0) ORDER BY time_ms DESC LIMIT 1)",
	[SQL_ADD] = "INSERT INTO refused_delivery"
		    " (time_ms, app, peer, provider, event, status, why, count)"
		    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE ?9 AND ?10 >= 0",
	[SQL_PRUNE] = "DELETE FROM refused_delivery WHERE id <="
		      " (SELECT id FROM refused_delivery ORDER BY id DESC LIMIT 1 OFFSET ?1)",
	[SQL_LIST] = "SELECT time_ms, app, peer, provider, event, status, why, count"
		     " FROM refused_delivery ORDER BY time_ms DESC, id DESC LIMIT ?1",
};

struct delivery_refusals {
	struct db *db;
	struct db_stmt *statements[SQL_COUNT];
	struct loop_timer *write_timer;
	struct pending pending[DELIVERY_REFUSALS_PENDING];
	size_t n_pending;
	int64_t logged_ms; /* monotonic; 0: never */
	int64_t unlogged;
};

static void bind(struct db_stmt *s, const struct pending *p)
{
	db_bind_int(s, 1, p->time_ms);
	db_bind_text(s, 2, p->app);
	db_bind_text(s, 3, p->peer);
	db_bind_text(s, 4, p->provider);
	db_bind_text(s, 5, p->event);
	db_bind_int(s, 6, p->status);
	db_bind_text(s, 7, p->why);
	db_bind_int(s, 8, p->count);
	db_bind_int(s, 9, DELIVERY_REFUSALS_MERGED_MS);
	db_bind_int(s, 10, p->is_known);
}

static int write_one(struct delivery_refusals *s, const struct pending *p, struct err *e)
{
	int r;

	bind(s->statements[SQL_MERGE], p);
	r = db_step(s->statements[SQL_MERGE], e);
	if (r < 0 || db_changes(s->db) > 0)
		return r;
	bind(s->statements[SQL_ADD], p);
	return db_step(s->statements[SQL_ADD], e);
}

static int write_all(struct delivery_refusals *s, struct err *e)
{
	int r = db_begin(s->db, e);

	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < s->n_pending; i++)
		r = write_one(s, &s->pending[i], e);
	db_bind_int(s->statements[SQL_PRUNE], 1, DELIVERY_REFUSALS_KEPT);
	if (r >= 0)
		r = db_step(s->statements[SQL_PRUNE], e);
	if (r >= 0)
		return db_commit(s->db, e);
	db_rollback(s->db);
	return r;
}

/* What cannot be written is lost: the log has said it. */
static int flush(struct delivery_refusals *s, struct err *e)
{
	int r = s->n_pending ? write_all(s, e) : 0;

	s->n_pending = 0;
	loop_timer_stop(s->write_timer);
	return r;
}

static void on_write_timer(void *user)
{
	struct err e;

	if (flush(user, &e) < 0)
		log_warning("the list of refused deliveries: %s", e.msg);
}

int delivery_refusals_open(
	struct loop *l, struct db *db, struct delivery_refusals **out, struct err *e)
{
	struct delivery_refusals *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->db = db;
	s->write_timer = loop_timer_new(l, on_write_timer, s);
	for (size_t i = 0; i < SQL_COUNT; i++) {
		int r = db_prepare(db, sql[i], &s->statements[i], e);

		if (r < 0) {
			delivery_refusals_free(s);
			return r;
		}
	}
	*out = s;
	return 0;
}

void delivery_refusals_free(struct delivery_refusals *s)
{
	if (!s)
		return;
	(void)flush(s, NULL);
	for (size_t i = 0; i < SQL_COUNT; i++)
		db_finalize(s->statements[i]);
	loop_timer_free(s->write_timer);
	free(s);
}

static void set_text(char *to, size_t size, const char *from)
{
	delivery_text(to, size, from, strlen(from));
}

static bool is_same(const struct pending *a, const struct pending *b)
{
	return a->status == b->status && a->is_known == b->is_known &&
	       strcmp(a->peer, b->peer) == 0 && strcmp(a->why, b->why) == 0 &&
	       (!a->is_known || strcmp(a->app, b->app) == 0);
}

static void keep(struct delivery_refusals *s, struct pending *p)
{
	size_t i = 0;

	while (i < s->n_pending && !is_same(&s->pending[i], p))
		i++;
	if (i == DELIVERY_REFUSALS_PENDING)
		return;
	if (i < s->n_pending)
		p->count += s->pending[i].count;
	else
		s->n_pending++;
	s->pending[i] = *p;
	if (!loop_timer_is_running(s->write_timer))
		loop_timer_after(s->write_timer, DELIVERY_REFUSALS_WRITE_MS);
}

static void say(struct delivery_refusals *s, const struct pending *p)
{
	int64_t now_ms = clock_mono_ms();

	if (s->logged_ms && now_ms < s->logged_ms + DELIVERY_REFUSALS_LOG_MS) {
		s->unlogged++;
		return;
	}
	if (s->unlogged)
		log_info(
			"deploys: %lld more deliveries were refused since", (long long)s->unlogged);
	log_warning("deploys: a delivery for app \"%s\" from %s was answered with %u: %s", p->app,
		p->peer, p->status, p->why);
	s->logged_ms = now_ms;
	s->unlogged = 0;
}

void delivery_refusals_note(
	struct delivery_refusals *s, const struct delivery_refusal *r, int64_t now_ms)
{
	struct pending p = {
		.is_known = r->is_known, .status = r->status, .time_ms = now_ms, .count = 1};

	set_text(p.app, sizeof(p.app), r->app);
	set_text(p.peer, sizeof(p.peer), r->peer);
	set_text(p.provider, sizeof(p.provider), r->provider);
	set_text(p.event, sizeof(p.event), r->event);
	set_text(p.why, sizeof(p.why), r->why);
	keep(s, &p);
	say(s, &p);
}

static json_t *row(struct db_stmt *s)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:s, s:I}", "time_ms",
		(json_int_t)db_int(s, 0), "app", db_text(s, 1), "peer", db_text(s, 2), "provider",
		db_text(s, 3), "event", db_text(s, 4), "status", (json_int_t)db_int(s, 5), "why",
		db_text(s, 6), "count", (json_int_t)db_int(s, 7));
}

int delivery_refusals_list(struct delivery_refusals *s, size_t limit, json_t **out, struct err *e)
{
	struct db_stmt *list = s->statements[SQL_LIST];
	json_t *rows;
	int r = flush(s, e);

	if (r < 0)
		return r;
	rows = json_array();
	db_bind_int(list, 1, (int64_t)limit);
	while ((r = db_step(list, e)) == DB_ROW)
		json_array_append_new(rows, row(list));
	if (r < 0) {
		json_decref(rows);
		return r;
	}
	*out = rows;
	return 0;
}
