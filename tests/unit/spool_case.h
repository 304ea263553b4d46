/* SPDX-License-Identifier: Apache-2.0
 *
 * A spool in a database of the scratch folder, and short ways to fill and to ask it, for tests.
 */
#ifndef TESTS_UNIT_SPOOL_CASE_H
#define TESTS_UNIT_SPOOL_CASE_H

#include <check.h>
#include <stdarg.h>

#include "notify/notify.h"
#include "notify/spool.h"
#include "tests/unit/scratch.h"

static struct db *spool_db;
static struct spool *spool;

static inline void spool_case_open(void)
{
	static const char *const migrations[] = {NOTIFY_SCHEMA};
	struct err e = {""};

	ck_assert_msg(db_open(scratch_path("state.db"), migrations, 1, &spool_db, &e) == DB_OPENED,
		"%s", e.msg);
	ck_assert_msg(spool_new(spool_db, &spool, &e) == 0, "%s", e.msg);
}

static inline void spool_case_close(void)
{
	spool_free(spool);
	spool = NULL;
	db_close(spool_db);
	spool_db = NULL;
}

static inline void spool_case_setup(void)
{
	scratch_make();
	spool_case_open();
}

static inline void spool_case_teardown(void)
{
	spool_case_close();
	scratch_remove();
}

static inline void db_ok(const char *sql)
{
	struct err e = {""};

	ck_assert_msg(db_exec(spool_db, sql, &e) == 0, "%s", e.msg);
}

/* First column of the first row of a query; -1 without a row. */
static inline __attribute__((format(printf, 1, 2))) int64_t db_ask(const char *fmt, ...)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	struct err e = {""};
	char sql[1000];
	va_list ap;
	int r;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	ck_assert_msg(db_prepare(spool_db, sql, &s, &e) == 0, "%s", e.msg);
	r = db_step(s, &e);
	ck_assert_msg(r >= 0, "%s", e.msg);
	return r == DB_ROW ? db_int(s, 0) : -1;
}

/* Stores an event for channels (names, ended by NULL); returns its id. */
static inline int64_t add_event_for(struct event *ev, ...)
{
	const char *channels[10];
	struct err e = {""};
	size_t n = 0;
	int64_t id;
	va_list ap;

	va_start(ap, ev);
	while (n < 10 && (channels[n] = va_arg(ap, const char *)))
		n++;
	va_end(ap);
	ck_assert_int_eq(db_begin(spool_db, &e), 0);
	ck_assert_msg(spool_add(spool, ev, channels, n, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(db_commit(spool_db, &e), 0);
	id = ev->id;
	event_free(ev);
	return id;
}

static inline struct event *an_event(const char *key, int64_t time_ms, enum severity severity)
{
	struct event *ev = event_new(EVENT_ALERT_FIRING, severity, key);

	ev->time_ms = time_ms;
	event_title(ev, "%s at %lld", key, (long long)time_ms);
	event_set(&ev->host, "web-1");
	return ev;
}

#endif
