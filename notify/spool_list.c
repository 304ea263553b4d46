/* SPDX-License-Identifier: Apache-2.0
 *
 * The history of the spool as JSON, newest first. Kinds are matched here, not in SQL, so that they
 * follow the rules of all other patterns; rows that do not fit are passed over, at most
 * SCANNED_MAX of them, so that no question holds up the daemon.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "notify/spool.h"
#include "notify/spool_impl.h"

enum { KINDS_MAX = 32, SCANNED_MAX = 20000, LIMIT_MAX = 500 };

struct kinds {
	char *text;
	const char *list[KINDS_MAX];
	size_t n;
	bool otherwise; /* "!a" alone means all but a */
};

static void kinds_done(struct kinds *k)
{
	free(k->text);
}

static void kinds_init(struct kinds *k, const char *text)
{
	char *p;

	k->text = str_dup(text ? text : "");
	p = k->text;
	while (*p && k->n < KINDS_MAX) {
		char *comma = strchr(p, ',');

		if (comma)
			*comma = '\0';
		if (*p)
			k->list[k->n++] = p;
		if (!comma)
			break;
		p = comma + 1;
	}
	k->otherwise = true;
	for (size_t i = 0; i < k->n; i++)
		if (k->list[i][0] != '!')
			k->otherwise = false;
}

static bool kinds_have(const struct kinds *k, const char *kind)
{
	return str_matches_any(k->list, k->n, kind, k->otherwise);
}

static int64_t before(const struct spool_query *q)
{
	return q->before_id > 0 ? q->before_id : INT64_MAX;
}

static size_t limit_of(const struct spool_query *q)
{
	return q->limit < LIMIT_MAX ? q->limit : LIMIT_MAX;
}

/* A list that would not fit ends earlier: the next page goes on there. */
static bool append(struct buf *out, const struct buf *one, size_t n_before)
{
	if (one->overflow || out->max - out->len < one->len + 1)
		return false;
	if (n_before)
		buf_addc(out, ',');
	buf_add(out, one->data, one->len);
	return true;
}

static int add_deliveries(struct db_stmt *st, int64_t event, struct buf *b, struct err *e)
{
	bool first = true;
	int r;

	buf_adds(b, ",\"deliveries\":[");
	db_bind_int(st, 1, event);
	while ((r = db_step(st, e)) == DB_ROW) {
		buf_adds(b, first ? "{\"channel\":" : ",{\"channel\":");
		buf_add_json_string(b, db_text(st, 0));
		buf_addf(b, ",\"state\":\"%s\"}",
			delivery_state_name((enum delivery_state)db_int(st, 1)));
		first = false;
	}
	buf_addc(b, ']');
	return r;
}

/* The stored text is an object without an id. */
static int add_event(struct db_stmt *row, struct db_stmt *deliveries, struct buf *b, struct err *e)
{
	const char *body = db_text(row, 2);
	size_t len = strlen(body);

	buf_clear(b);
	b->overflow = false;
	if (len < 2)
		return err_set(e, EBADMSG, "event %lld is broken", (long long)db_int(row, 0));
	buf_addf(b, "{\"id\":%lld,", (long long)db_int(row, 0));
	buf_add(b, body + 1, len - 2);
	if (add_deliveries(deliveries, db_int(row, 0), b, e) < 0)
		return -EIO;
	buf_addc(b, '}');
	return 0;
}

static int prepare_events(
	struct spool *s, const struct spool_query *q, struct db_stmt **st, struct err *e)
{
	static const char all[] =
		"SELECT id, kind, body FROM event WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
	static const char of_entity[] = "SELECT id, kind, body FROM event WHERE id < ?1"
					" AND entity = ?3 ORDER BY id DESC LIMIT ?2";
	int r = db_prepare(s->db, q->entity ? of_entity : all, st, e);

	if (r < 0)
		return r;
	db_bind_int(*st, 1, before(q));
	db_bind_int(*st, 2, SCANNED_MAX);
	if (q->entity)
		db_bind_text(*st, 3, q->entity);
	return 0;
}

int spool_list_events(struct spool *s, const struct spool_query *q, struct buf *out, struct err *e)
{
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL, *deliveries = NULL;
	_cleanup_(kinds_done) struct kinds kinds = {0};
	_cleanup_(buf_done) struct buf one = BUF_INIT(2 * EVENT_JSON_MAX);
	size_t n = 0;
	int r = prepare_events(s, q, &st, e);

	if (r == 0)
		r = db_prepare(s->db,
			"SELECT channel, state FROM delivery WHERE event = ?1 ORDER BY id",
			&deliveries, e);
	if (r < 0)
		return r;
	kinds_init(&kinds, q->kinds);
	while (n < limit_of(q) && (r = db_step(st, e)) == DB_ROW) {
		if (!kinds_have(&kinds, db_text(st, 1)))
			continue;
		r = add_event(st, deliveries, &one, e);
		if (r < 0 || !append(out, &one, n))
			break;
		n++;
	}
	return r < 0 ? r : 0;
}

/* -1: all. */
static int state_from(const char *name, struct err *e)
{
	if (!name)
		return -1;
	for (int i = 0; i < DELIVERY_STATES; i++)
		if (strcmp(name, delivery_state_name((enum delivery_state)i)) == 0)
			return i;
	return err_set(e, EINVAL,
		"there is no state \"%.40s\": waiting, sent, collapsed, counted, refused, expired",
		name);
}

static void add_delivery(struct db_stmt *st, struct buf *b)
{
	buf_clear(b);
	buf_addf(b, "{\"id\":%lld,\"event_id\":%lld,\"time_ms\":%lld,\"title\":",
		(long long)db_int(st, 0), (long long)db_int(st, 1), (long long)db_int(st, 2));
	buf_add_json_string(b, db_text(st, 3));
	buf_addf(b, ",\"severity\":\"%s\",\"kind\":", severity_name((enum severity)db_int(st, 4)));
	buf_add_json_string(b, db_text(st, 5));
	buf_adds(b, ",\"channel\":");
	buf_add_json_string(b, db_text(st, 6));
	buf_addf(b, ",\"state\":\"%s\",\"attempts\":%lld",
		delivery_state_name((enum delivery_state)db_int(st, 7)), (long long)db_int(st, 8));
	if (db_text(st, 9)) {
		buf_adds(b, ",\"error\":");
		buf_add_json_string(b, db_text(st, 9));
	}
	if (db_int(st, 10))
		buf_addf(b, ",\"settled_ms\":%lld", (long long)db_int(st, 10));
	buf_addc(b, '}');
}

int spool_list_deliveries(
	struct spool *s, const struct spool_query *q, struct buf *out, struct err *e)
{
	static const char sql[] =
		"SELECT d.id, d.event, e.time_ms, e.title, e.severity, e.kind, d.channel, d.state,"
		" d.attempts, d.error, d.settled_ms FROM delivery d JOIN event e ON e.id = d.event"
		" WHERE d.id < ?1 AND (?3 IS NULL OR d.channel = ?3) AND (?4 < 0 OR d.state = ?4)"
		" AND (?5 IS NULL OR e.entity = ?5) ORDER BY d.id DESC LIMIT ?2";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	_cleanup_(kinds_done) struct kinds kinds = {0};
	_cleanup_(buf_done) struct buf one = BUF_INIT(EVENT_JSON_MAX);
	int state = state_from(q->state, e), r;
	size_t n = 0;

	if (state < -1)
		return state;
	r = db_prepare(s->db, sql, &st, e);
	if (r < 0)
		return r;
	kinds_init(&kinds, q->kinds);
	db_bind_int(st, 1, before(q));
	db_bind_int(st, 2, SCANNED_MAX);
	db_bind_text(st, 3, q->channel);
	db_bind_int(st, 4, state);
	db_bind_text(st, 5, q->entity);
	while (n < limit_of(q) && (r = db_step(st, e)) == DB_ROW) {
		if (!kinds_have(&kinds, db_text(st, 5)))
			continue;
		add_delivery(st, &one);
		if (!append(out, &one, n))
			break;
		n++;
	}
	return r < 0 ? r : 0;
}
