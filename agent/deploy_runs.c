/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_runs.h"

#include <stdlib.h>
#include <string.h>

#include "agent/json_rows.h"

enum statement { INSERT, UPDATE, PRUNE, GET, DOCUMENT, OPEN, ALIKE, DONE, LIST, STATEMENTS };

static const char *const sql[STATEMENTS] = {
	[INSERT] =
		"INSERT INTO deploy(app, ref, delivery, state, is_open, ended_ms, body, document)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[UPDATE] = "UPDATE deploy SET ref = ?2, state = ?4, is_open = ?5, ended_ms = ?6, body = ?7"
		   " WHERE id = ?8",
	[PRUNE] = "DELETE FROM deploy WHERE app = ?1 AND is_open = 0"
		  " AND id <= (SELECT id FROM deploy WHERE app = ?1 ORDER BY id DESC"
		  " LIMIT 1 OFFSET ?2)"
		  " AND id NOT IN (SELECT id FROM deploy WHERE app = ?1 AND state = 'done'"
		  " ORDER BY id DESC LIMIT ?3)",
	[GET] = "SELECT id, body FROM deploy WHERE id = ?1",
	[DOCUMENT] = "SELECT id, document FROM deploy WHERE id = ?1 AND document IS NOT NULL",
	[OPEN] = "SELECT id, body FROM deploy WHERE is_open = 1 ORDER BY id",
	[ALIKE] = "SELECT id, body FROM deploy WHERE id IN ("
		  "SELECT id FROM deploy WHERE is_open = 1"
		  " UNION SELECT id FROM (SELECT id FROM deploy WHERE app = ?1 AND ref = ?2"
		  " AND state IN ('done', 'skipped') AND ended_ms >= ?4 ORDER BY id DESC LIMIT 1)"
		  " UNION SELECT id FROM deploy WHERE app = ?1 AND delivery = ?3 AND delivery != ''"
		  " AND state IN ('done', 'skipped', 'superseded') AND ended_ms >= ?4) ORDER BY id",
	[DONE] = "SELECT id, body FROM deploy WHERE app = ?1 AND state = 'done'"
		 " ORDER BY id DESC LIMIT ?2",
	[LIST] = "SELECT id, body FROM deploy WHERE (?1 IS NULL OR app = ?1) AND id < ?2"
		 " ORDER BY id DESC LIMIT ?3",
};

struct deploy_runs {
	struct db *db;
	struct db_stmt *stmt[STATEMENTS];
};

int deploy_runs_open(struct db *db, struct deploy_runs **out, struct err *e)
{
	_cleanup_(deploy_runs_free_p) struct deploy_runs *r = calloc(1, sizeof(*r));
	int result;

	if (!r)
		abort();
	r->db = db;
	result = json_rows_prepare(db, sql, STATEMENTS, r->stmt, e);
	if (result < 0)
		return result;
	*out = TAKE_PTR(r);
	return 0;
}

void deploy_runs_free(struct deploy_runs *r)
{
	if (!r)
		return;
	json_rows_finalize(r->stmt, STATEMENTS);
	free(r);
}

/* The body; the id and the document have columns of their own. */
static char *body_of(const struct deploy *d)
{
	json_t *j = deploy_to_json(d);
	char *text;

	(void)json_object_del(j, "id");
	(void)json_object_del(j, "document");
	text = json_rows_text(j);
	json_decref(j);
	return text;
}

static void bind(struct db_stmt *s, const struct deploy *d, const char *body)
{
	db_bind_text(s, 1, d->app);
	db_bind_text(s, 2, d->ref);
	db_bind_text(s, 3, d->delivery);
	db_bind_text(s, 4, deploy_state_name(d->state));
	db_bind_int(s, 5, !deploy_state_is_end(d->state));
	db_bind_int(s, 6, d->ended_ms);
	db_bind_text(s, 7, body);
}

int deploy_runs_store(struct deploy_runs *r, const struct deploy *d, struct err *e)
{
	_cleanup_(free_p) char *body = body_of(d);

	bind(r->stmt[UPDATE], d, body);
	db_bind_int(r->stmt[UPDATE], 8, d->id);
	return json_rows_run(r->stmt[UPDATE], e);
}

static int insert(struct deploy_runs *r, const struct deploy *d, int64_t *id, struct err *e)
{
	_cleanup_(free_p) char *body = body_of(d);
	_cleanup_(free_p) char *document = d->document ? json_rows_text(d->document) : NULL;
	int result;

	bind(r->stmt[INSERT], d, body);
	db_bind_text(r->stmt[INSERT], 8, document);
	result = json_rows_run(r->stmt[INSERT], e);
	if (result < 0)
		return result;
	*id = db_last_id(r->db);
	db_bind_text(r->stmt[PRUNE], 1, d->app);
	db_bind_int(r->stmt[PRUNE], 2, DEPLOY_RUNS_KEPT);
	db_bind_int(r->stmt[PRUNE], 3, DEPLOY_RUNS_DONE_KEPT);
	return json_rows_run(r->stmt[PRUNE], e);
}

int deploy_runs_add(
	struct deploy_runs *r, struct deploy *d, struct deploy *superseded, struct err *e)
{
	int64_t id = 0;
	int result = db_begin(r->db, e);

	if (result < 0)
		return result;
	result = insert(r, d, &id, e);
	if (result == 0 && superseded) {
		superseded->superseded_by = id;
		result = deploy_runs_store(r, superseded, e);
	}
	if (result < 0)
		db_rollback(r->db);
	else
		result = db_commit(r->db, e);
	if (result == 0)
		d->id = id;
	else if (superseded)
		superseded->superseded_by = 0;
	return result;
}

void deploy_list_done(struct deploy_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		deploy_free(l->deploys[i]);
	free(l->deploys);
	*l = (struct deploy_list){0};
}

static int read_list(struct db_stmt *s, struct deploy_list *out, struct err *e)
{
	struct deploy_list l = {0};
	json_t *rows, *one;
	size_t i;
	int r = json_rows_read(s, "id", &rows, e);

	if (r < 0)
		return r;
	l.deploys = calloc(json_array_size(rows) + 1, sizeof(struct deploy *));
	if (!l.deploys)
		abort();
	json_array_foreach(rows, i, one) if (deploy_from_json(one, &l.deploys[l.n], NULL) == 0)
		l.n++;
	json_decref(rows);
	*out = l;
	return 0;
}

int deploy_runs_get(struct deploy_runs *r, int64_t id, struct deploy **out, struct err *e)
{
	struct deploy *d;
	json_t *row, *document;
	int result;

	db_bind_int(r->stmt[GET], 1, id);
	result = json_rows_first(r->stmt[GET], "id", &row, e);
	if (result < 0)
		return err_wrap(e, result, "deploy %lld", (long long)id);
	result = deploy_from_json(row, &d, e);
	json_decref(row);
	if (result < 0)
		return err_wrap(e, result, "deploy %lld", (long long)id);
	db_bind_int(r->stmt[DOCUMENT], 1, id);
	if (json_rows_first(r->stmt[DOCUMENT], "id", &document, NULL) == 0) {
		(void)json_object_del(document, "id");
		d->document = document;
	}
	*out = d;
	return 0;
}

int deploy_runs_open_ones(struct deploy_runs *r, struct deploy_list *out, struct err *e)
{
	return read_list(r->stmt[OPEN], out, e);
}

int deploy_runs_alike(struct deploy_runs *r, const struct deploy *d, int64_t now_ms,
	struct deploy_list *out, struct err *e)
{
	struct db_stmt *s = r->stmt[ALIKE];

	db_bind_text(s, 1, d->app);
	db_bind_text(s, 2, d->ref);
	db_bind_text(s, 3, d->delivery);
	db_bind_int(s, 4, now_ms - (int64_t)DEPLOY_RUNS_DEDUPE_DAYS * 86400 * 1000);
	return read_list(s, out, e);
}

int deploy_runs_done(struct deploy_runs *r, const char *app, size_t limit, struct deploy_list *out,
	struct err *e)
{
	db_bind_text(r->stmt[DONE], 1, app);
	db_bind_int(r->stmt[DONE], 2, (int64_t)limit);
	return read_list(r->stmt[DONE], out, e);
}

int deploy_runs_list(
	struct deploy_runs *r, const struct deploy_runs_query *q, json_t **out, struct err *e)
{
	struct db_stmt *s = r->stmt[LIST];

	db_bind_text(s, 1, q->app);
	db_bind_int(s, 2, q->before ? q->before : INT64_MAX);
	db_bind_int(s, 3, (int64_t)q->limit);
	return json_rows_read(s, "id", out, e);
}
