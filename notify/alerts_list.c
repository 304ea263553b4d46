/* SPDX-License-Identifier: Apache-2.0
 *
 * What people see of alerts.h, and their acknowledgements.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "notify/alerts_parts.h"
#include "notify/silence_parts.h"

bool alert_is_firing(const struct alert *al)
{
	return al->life.state >= ALERT_FIRING;
}

static bool is_shown(const struct record *rec)
{
	return rec->pub.rule && rec->pub.life.state != ALERT_OK;
}

static int by_urgency(const void *x, const void *y)
{
	const struct alert *a = *(const struct alert *const *)x,
			   *b = *(const struct alert *const *)y;
	bool firing_a = alert_is_firing(a), firing_b = alert_is_firing(b);

	if (firing_a != firing_b)
		return firing_a ? -1 : 1;
	if (a->life.level != b->life.level)
		return a->life.level > b->life.level ? -1 : 1;
	if (a->life.since_ms != b->life.since_ms)
		return a->life.since_ms < b->life.since_ms ? -1 : 1;
	return strcmp(a->entity, b->entity);
}

size_t alerts_list(const struct alerts *a, const struct alert **out, size_t max)
{
	_cleanup_(free_p) const struct alert **all = calloc(a->n_records + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		abort();
	for (size_t i = 0; i < a->n_records; i++)
		if (is_shown(a->records[i]))
			all[n++] = &a->records[i]->pub;
	qsort(all, n, sizeof(*all), by_urgency);
	n = n < max ? n : max;
	if (n)
		memcpy(out, all, n * sizeof(*all));
	return n;
}

size_t alerts_watched(const struct alerts *a, const char *rule_name)
{
	size_t n = 0;

	for (const struct plan *p = a->plans; p; p = p->next)
		for (size_t i = 0; i < p->n_slots; i++)
			if (strcmp(a->rules->rules[p->slots[i].rule].name, rule_name) == 0)
				n += p->n_users;
	return n;
}

size_t alerts_firing(const struct alerts *a, const char *rule_name)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_records; i++) {
		const struct record *rec = a->records[i];

		if (rec->pub.rule && alert_is_firing(&rec->pub))
			n += !rule_name || strcmp(rec->rule_name, rule_name) == 0;
	}
	return n;
}

static bool fits(const struct record *rec, int64_t id, const char *rule, const char *entity)
{
	_cleanup_(free_p) char *full = NULL;

	if (!rec->pub.rule || !alert_is_firing(&rec->pub))
		return false;
	if (id)
		return rec->pub.id == id;
	full = str_format("%s/%s", rec->pub.class_name, rec->pub.entity);
	return silence_matches(rule, rec->rule_name, NULL) &&
	       silence_matches(entity, rec->pub.entity, full);
}

/* Just these two columns: what else has changed must go together with its events. */
static int write_acknowledgement(struct alerts *a, const struct record *rec, const char *by,
	const char *reason, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *q = NULL;
	int r = db_prepare(a->db,
		"UPDATE alert SET acknowledged_by = ?1, acknowledged_reason = ?2 WHERE id = ?3", &q,
		e);

	if (r < 0)
		return r;
	db_bind_text(q, 1, by);
	db_bind_text(q, 2, reason);
	db_bind_int(q, 3, rec->pub.id);
	return db_step(q, e);
}

static void acknowledge(struct record *rec, const char *by, const char *reason)
{
	free(rec->pub.acknowledged_by);
	free(rec->pub.acknowledged_reason);
	rec->pub.acknowledged_by = str_dup(by);
	rec->pub.acknowledged_reason = str_dup(reason);
	rec->pub.life.acknowledged = true;
}

static int write_all(struct alerts *a, int64_t id, const char *rule, const char *entity,
	const char *by, const char *reason, struct err *e)
{
	int r = db_begin(a->db, e), n = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < a->n_records; i++) {
		const struct record *rec = a->records[i];

		if (!fits(rec, id, rule, entity))
			continue;
		r = write_acknowledgement(a, rec, by, reason, e);
		n++;
	}
	if (r >= 0)
		r = db_commit(a->db, e);
	if (r < 0)
		db_rollback(a->db);
	return r < 0 ? r : n;
}

int alerts_acknowledge(struct alerts *a, int64_t id, const char *rule, const char *entity,
	const char *by, const char *reason, struct err *e)
{
	_cleanup_(free_p) char *clean_by = NULL;
	_cleanup_(free_p) char *clean_reason = NULL;
	int n;

	rule = rule && *rule ? rule : "*";
	entity = entity && *entity ? entity : "*";
	event_set(&clean_by, by);
	event_set(&clean_reason, reason);
	n = write_all(a, id, rule, entity, clean_by, clean_reason, e);
	if (n < 0)
		return n;
	if (n == 0)
		return err_set(e, ENOENT, "nothing that fires fits");
	for (size_t i = 0; i < a->n_records; i++)
		if (fits(a->records[i], id, rule, entity))
			acknowledge(a->records[i], clean_by, clean_reason);
	return n;
}
