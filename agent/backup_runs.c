/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/json_rows.h"
#include "agent/json_view.h"

enum statement {
	INSERT,
	UPDATE,
	PRUNE,
	GET,
	LAST,
	LIST,
	OPEN,
	FIGURES,
	NUMBER,
	SET_NUMBER,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[INSERT] = "INSERT INTO backup_run(job, what, state, stored_bytes, body)"
		   " VALUES(?1, ?2, ?3, ?4, ?5)",
	[UPDATE] = "UPDATE backup_run SET state = ?3, stored_bytes = ?4, body = ?5 WHERE id = ?6",
	[PRUNE] = "DELETE FROM backup_run WHERE job = ?1 AND state NOT IN ('waiting', 'running')"
		  " AND id <= (SELECT id FROM backup_run WHERE job = ?1 ORDER BY id DESC"
		  " LIMIT 1 OFFSET ?2)",
	[GET] = "SELECT id, body FROM backup_run WHERE id = ?1",
	[LAST] = "SELECT id, body FROM backup_run WHERE job = ?1 AND what = ?2 AND CASE ?3"
		 " WHEN 1 THEN state = 'done' WHEN 2 THEN state NOT IN ('waiting', 'running')"
		 " ELSE 1 END ORDER BY id DESC LIMIT 1",
	[LIST] = "SELECT id, body FROM backup_run WHERE (?1 IS NULL OR job = ?1)"
		 " AND (?2 IS NULL OR what = ?2) AND id < ?3 ORDER BY id DESC LIMIT ?4",
	[OPEN] = "SELECT id, body FROM backup_run WHERE state IN ('waiting', 'running')"
		 " ORDER BY id",
	[FIGURES] = "SELECT id, body FROM backup_run WHERE job = ?1 AND what = 'backup'"
		    " AND state = 'done' ORDER BY id DESC LIMIT ?2",
	[NUMBER] = "SELECT value FROM backup_number WHERE job = ?1 AND name = ?2",
	[SET_NUMBER] = "INSERT INTO backup_number(job, name, value) VALUES(?1, ?2, ?3)"
		       " ON CONFLICT(job, name) DO UPDATE SET value = excluded.value",
};

struct backup_runs {
	struct db *db;
	struct db_stmt *stmt[STATEMENTS];
};

int backup_runs_open(struct db *db, struct backup_runs **out, struct err *e)
{
	_cleanup_(backup_runs_free_p) struct backup_runs *r = calloc(1, sizeof(*r));
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

void backup_runs_free(struct backup_runs *r)
{
	if (!r)
		return;
	json_rows_finalize(r->stmt, STATEMENTS);
	free(r);
}

static void bind_run(struct db_stmt *s, const json_t *run, const char *body)
{
	db_bind_text(s, 1, json_view_text(run, "job"));
	db_bind_text(s, 2, json_view_text(run, "what"));
	db_bind_text(s, 3, json_view_text(run, "state"));
	db_bind_int(s, 4, json_view_int(run, "stored_bytes"));
	db_bind_text(s, 5, body);
}

static int insert(struct backup_runs *r, json_t *run, struct err *e)
{
	_cleanup_(free_p) char *body = json_rows_text(run);
	int result;

	bind_run(r->stmt[INSERT], run, body);
	result = json_rows_run(r->stmt[INSERT], e);
	if (result < 0)
		return result;
	(void)json_object_set_new(run, "run", json_integer(db_last_id(r->db)));
	db_bind_text(r->stmt[PRUNE], 1, json_view_text(run, "job"));
	db_bind_int(r->stmt[PRUNE], 2, BACKUP_RUNS_KEPT);
	return json_rows_run(r->stmt[PRUNE], e);
}

int backup_runs_add(struct backup_runs *r, json_t *run, struct err *e)
{
	int result = db_begin(r->db, e);

	if (result < 0)
		return result;
	result = insert(r, run, e);
	if (result == 0)
		return db_commit(r->db, e);
	db_rollback(r->db);
	return result;
}

int backup_runs_store(struct backup_runs *r, const json_t *run, struct err *e)
{
	_cleanup_(free_p) char *body = json_rows_text(run);

	bind_run(r->stmt[UPDATE], run, body);
	db_bind_int(r->stmt[UPDATE], 6, json_view_int(run, "run"));
	return json_rows_run(r->stmt[UPDATE], e);
}

int backup_runs_get(struct backup_runs *r, int64_t id, json_t **out, struct err *e)
{
	db_bind_int(r->stmt[GET], 1, id);
	return json_rows_first(r->stmt[GET], "run", out, e);
}

int backup_runs_last(struct backup_runs *r, const char *job, const char *what,
	enum backup_runs_which which, json_t **out, struct err *e)
{
	db_bind_text(r->stmt[LAST], 1, job);
	db_bind_text(r->stmt[LAST], 2, what);
	db_bind_int(r->stmt[LAST], 3, which);
	return json_rows_first(r->stmt[LAST], "run", out, e);
}

int backup_runs_list(
	struct backup_runs *r, const struct backup_runs_query *q, json_t **out, struct err *e)
{
	struct db_stmt *s = r->stmt[LIST];

	db_bind_text(s, 1, q->job);
	db_bind_text(s, 2, q->what);
	db_bind_int(s, 3, q->before ? q->before : INT64_MAX);
	db_bind_int(s, 4, (int64_t)q->limit);
	return json_rows_read(s, "run", out, e);
}

int backup_runs_open_ones(struct backup_runs *r, json_t **out, struct err *e)
{
	return json_rows_read(r->stmt[OPEN], "run", out, e);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int backup_runs_figures(
	struct backup_runs *r, const char *job, struct backup_last *out, struct err *e)
{
	int64_t sizes[BACKUP_RUNS_MEDIAN] = {0};
	json_t *list, *last;
	size_t n;
	int result;

	*out = (struct backup_last){0};
	db_bind_text(r->stmt[FIGURES], 1, job);
	db_bind_int(r->stmt[FIGURES], 2, BACKUP_RUNS_MEDIAN);
	result = json_rows_read(r->stmt[FIGURES], "run", &list, e);
	if (result < 0)
		return result;
	n = json_array_size(list);
	for (size_t i = 0; i < n; i++)
		sizes[i] = json_view_int(json_array_get(list, i), "plain_bytes");
	qsort(sizes, n, sizeof(*sizes), compare);
	if (n) {
		last = json_array_get(list, 0);
		out->stored_bytes = json_view_int(last, "stored_bytes");
		out->plain_bytes = json_view_int(last, "plain_bytes");
		out->duration_ms = json_view_int(last, "duration_ms");
		out->median_bytes = sizes[n / 2];
	}
	json_decref(list);
	return 0;
}

int64_t backup_runs_number(struct backup_runs *r, const char *job, const char *name)
{
	struct db_stmt *s = r->stmt[NUMBER];
	int64_t value = 0;

	db_bind_text(s, 1, job);
	db_bind_text(s, 2, name);
	if (db_step(s, NULL) == DB_ROW)
		value = db_int(s, 0);
	db_reset(s);
	return value;
}

int backup_runs_set_number(
	struct backup_runs *r, const char *job, const char *name, int64_t value, struct err *e)
{
	struct db_stmt *s = r->stmt[SET_NUMBER];

	db_bind_text(s, 1, job);
	db_bind_text(s, 2, name);
	db_bind_int(s, 3, value);
	return json_rows_run(s, e);
}
