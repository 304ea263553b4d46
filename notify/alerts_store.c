/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerts in the database: one row for each record, gone with it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "notify/alerts_parts.h"

enum { FIRES_TEXT_MAX = 24 * ALERT_FLAP_COUNT };

bool record_is_due(const struct alerts *a, const struct record *rec)
{
	const struct alert_life *l = &rec->pub.life;

	if (!rec->changed)
		return false;
	/* What wobbles below its `for` would cost a write to the disk at each sample. */
	return rec->in_db || l->state != ALERT_PENDING ||
	       a->now_ms - l->since_ms >= ALERTS_PENDING_MS;
}

static void print_fires(char *to, size_t size, const int64_t *fires)
{
	size_t n = 0;

	*to = '\0';
	for (size_t i = 0; i < ALERT_FLAP_COUNT && fires[i] && n < size; i++)
		n += (size_t)snprintf(to + n, size - n, "%s%" PRId64, i ? " " : "", fires[i]);
}

/* What cannot be read ends the list. */
static void read_fires(const char *text, int64_t *fires)
{
	char *end;

	for (size_t i = 0; i < ALERT_FLAP_COUNT; i++) {
		int64_t v = strtoll(text, &end, 10);

		if (end == text || v <= 0)
			return;
		fires[i] = v;
		text = end;
	}
}

static void bind_number(struct db_stmt *q, int i, double v)
{
	if (isfinite(v))
		db_bind_double(q, i, v);
	else
		db_bind_text(q, i, NULL);
}

static int prepare(struct alerts *a, struct err *e)
{
	int r = 0;

	if (!a->upsert)
		r = db_prepare(a->db,
			"INSERT INTO alert(rule, class, entity, metric, state, level, worst, told,"
			" since_ms, fired_ms, entered_ms, told_ms, fires, value, worst_value,"
			" acknowledged_by, acknowledged_reason) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7,"
			" ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
			" ON CONFLICT(rule, class, entity, metric) DO UPDATE SET state = ?5,"
			" level = ?6, worst = ?7, told = ?8, since_ms = ?9, fired_ms = ?10,"
			" entered_ms = ?11, told_ms = ?12, fires = ?13, value = ?14,"
			" worst_value = ?15, acknowledged_by = ?16, acknowledged_reason = ?17"
			" RETURNING id",
			&a->upsert, e);
	if (r == 0 && !a->remove)
		r = db_prepare(a->db,
			"DELETE FROM alert WHERE rule = ?1 AND class = ?2 AND entity = ?3"
			" AND metric = ?4",
			&a->remove, e);
	return r;
}

static void bind_key(struct db_stmt *q, const struct record *rec)
{
	const struct entity_class *c = entity_class_find(rec->pub.class_name);

	db_bind_text(q, 1, rec->rule_name);
	db_bind_text(q, 2, c->name);
	db_bind_text(q, 3, rec->pub.entity);
	db_bind_text(q, 4, c->metrics[rec->metric].name);
}

static int write_record(struct alerts *a, struct record *rec, struct err *e)
{
	const struct alert *al = &rec->pub;
	const struct alert_life *l = &al->life;
	char fires[FIRES_TEXT_MAX];
	struct db_stmt *q = a->upsert;
	int r;

	print_fires(fires, sizeof(fires), l->fires);
	bind_key(q, rec);
	db_bind_text(q, 5, alert_state_name(l->state));
	db_bind_int(q, 6, l->level);
	db_bind_int(q, 7, l->worst);
	db_bind_int(q, 8, l->told);
	db_bind_int(q, 9, l->since_ms);
	db_bind_int(q, 10, l->fired_ms);
	db_bind_int(q, 11, l->entered_ms);
	db_bind_int(q, 12, l->told_ms);
	db_bind_text(q, 13, fires);
	bind_number(q, 14, al->value);
	bind_number(q, 15, al->worst_value);
	db_bind_text(q, 16, l->acknowledged ? al->acknowledged_by : NULL);
	db_bind_text(q, 17, l->acknowledged ? al->acknowledged_reason : NULL);
	r = db_step(q, e);
	if (r == DB_ROW) {
		rec->pub.id = db_int(q, 0);
		db_reset(q);
	}
	rec->written = r >= 0;
	return r < 0 ? r : 0;
}

static int remove_ended(struct alerts *a, struct err *e)
{
	for (size_t i = 0; i < a->n_ended; i++) {
		int r;

		bind_key(a->remove, a->ended[i]);
		r = db_step(a->remove, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int alerts_store(struct alerts *a, struct err *e)
{
	int r = prepare(a, e);

	/* First, because one with the same key may have come anew. */
	if (r == 0)
		r = remove_ended(a, e);
	for (size_t i = 0; r == 0 && i < a->n_records; i++) {
		a->records[i]->written = false;
		if (record_is_due(a, a->records[i]))
			r = write_record(a, a->records[i], e);
	}
	return r < 0 ? err_wrap(e, r, "alerts") : 0;
}

static bool get_severity(int64_t v, enum severity *out)
{
	if (v < SEVERITY_INFO || v > SEVERITY_CRITICAL)
		return false;
	*out = (enum severity)v;
	return true;
}

static bool get_time(int64_t v, int64_t *out)
{
	*out = v;
	return v >= 0;
}

/* False for a row that this program would not have written. */
static bool read_life(struct db_stmt *q, struct alert_life *l)
{
	const char *state = db_text(q, 5), *fires = db_text(q, 13);

	if (!state || !alert_state_from(state, &l->state))
		return false;
	if (!get_severity(db_int(q, 6), &l->level) || !get_severity(db_int(q, 7), &l->worst) ||
		!get_severity(db_int(q, 8), &l->told))
		return false;
	if (!get_time(db_int(q, 9), &l->since_ms) || !get_time(db_int(q, 10), &l->fired_ms) ||
		!get_time(db_int(q, 11), &l->entered_ms) || !get_time(db_int(q, 12), &l->told_ms))
		return false;
	read_fires(fires ? fires : "", l->fires);
	l->acknowledged = db_text(q, 16) != NULL;
	return true;
}

static double get_number(struct db_stmt *q, int column)
{
	return db_text(q, column) ? db_double(q, column) : NAN;
}

/* False when it makes no sense. */
static bool read_row(struct alerts *a, struct db_stmt *q)
{
	const char *rule = db_text(q, 1), *class = db_text(q, 2), *entity = db_text(q, 3),
		   *metric = db_text(q, 4);
	const struct entity_class *c = class ? entity_class_find(class) : NULL;
	int m = c && metric ? metric_find(c, metric) : -1;
	struct alert_life life = {0};
	struct record *rec;

	if (!rule || !entity || m < 0 || strlen(entity) > ENTITY_KEY_MAX || !read_life(q, &life)) {
		log_warning("a stored alert makes no sense and is left out: %s %s/%s",
			rule ? rule : "?", class ? class : "?", entity ? entity : "?");
		return false;
	}
	rec = record_new(a, c, entity);
	if (!rec)
		return true;
	rec->pub.id = db_int(q, 0);
	rec->pub.life = life;
	rec->pub.value = get_number(q, 14);
	rec->pub.worst_value = get_number(q, 15);
	rec->pub.acknowledged_by = str_dup(db_text(q, 16));
	rec->pub.acknowledged_reason = str_dup(db_text(q, 17));
	rec->pub.rule = alerts_find_rule(a->rules, rule, c, (size_t)m);
	rec->rule_name = str_dup(rule);
	rec->metric = (size_t)m;
	rec->in_db = true;
	return true;
}

/* A hundred at a time is enough for what should not be there at all. */
static void remove_rows(struct alerts *a, const int64_t *ids, size_t n)
{
	char sql[80];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(sql, sizeof(sql), "DELETE FROM alert WHERE id = %" PRId64, ids[i]);
		(void)db_exec(a->db, sql, NULL);
	}
}

int alerts_load(struct alerts *a, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *q = NULL;
	int r = db_prepare(a->db,
		"SELECT id, rule, class, entity, metric, state, level, worst, told, since_ms,"
		" fired_ms, entered_ms, told_ms, fires, value, worst_value, acknowledged_by,"
		" acknowledged_reason FROM alert ORDER BY id",
		&q, e);
	int64_t strange[100];
	size_t n = 0;

	if (r < 0)
		return r;
	while ((r = db_step(q, e)) == DB_ROW)
		if (!read_row(a, q) && n < ARRAY_LEN(strange))
			strange[n++] = db_int(q, 0);
	remove_rows(a, strange, n);
	return r;
}
