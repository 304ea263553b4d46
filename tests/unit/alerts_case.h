/* SPDX-License-Identifier: Apache-2.0
 *
 * A small world for tests of alerts: things with values, samples of it, a database that is written as
 * the daemon does, and what was told.
 */
#ifndef TESTS_UNIT_ALERTS_CASE_H
#define TESTS_UNIT_ALERTS_CASE_H

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/db.h"
#include "base/str.h"
#include "notify/alerts.h"

enum { WORLD_MAX = 64, TOLD_MAX = 256, INTERVAL_MS = 20000, MINUTE_MS = 60000 };

struct thing {
	const struct entity_class *class;
	char *key;
	size_t metric;
	double value;
	const char *label, *label_value;
};

struct alerts_case {
	struct db *db;
	struct silences *silences;
	struct registry *registry;
	struct alerts *alerts;
	struct rule_settings settings[64];
	size_t n_settings;
	struct thing things[WORLD_MAX];
	size_t n_things;
	struct event *told[TOLD_MAX];
	size_t n_told;
	int64_t now_ms;
	bool db_fails; /* commits are refused */
	void (*history)(void *user, const struct entity *e, size_t metric, int64_t span_ms,
		void (*add)(void *window, int64_t time_ms, double v), void *window);
};

static struct alerts_case w;
static struct err err;

static const char *const case_schema[] = {ALERTS_SCHEMA SILENCE_SCHEMA};

/* The rules of the test and none that are built in, unless they are among these. */
static inline struct rule_set *case_rules(void)
{
	struct rule_settings all[128];
	struct rule_set *set;
	size_t n = 0;

	for (size_t i = 0; i < w.n_settings; i++)
		all[n++] = w.settings[i];
	for (size_t i = 0; i < rules_builtin_count; i++) {
		bool is_own = false;

		for (size_t j = 0; j < w.n_settings; j++)
			is_own = is_own || strcmp(w.settings[j].name, rules_builtin[i].name) == 0;
		if (is_own)
			continue;
		rule_settings_init(&all[n]);
		all[n].name = rules_builtin[i].name;
		all[n++].enabled = 0;
	}
	ck_assert_msg(rule_set_new(all, n, &set, &err) == 0, "%s", err.msg);
	return set;
}

static inline void case_start(void)
{
	struct alerts_options o = {
		.host = "vps1", .interval_ms = INTERVAL_MS, .history = w.history};

	ck_assert_msg(silences_new(w.db, w.now_ms, &w.silences, &err) == 0, "%s", err.msg);
	w.registry = registry_new();
	ck_assert_msg(alerts_new(w.db, &o, case_rules(), w.silences, &w.alerts, &err) == 0, "%s",
		err.msg);
}

static inline void case_stop(void)
{
	alerts_free(w.alerts);
	registry_free(w.registry);
	silences_free(w.silences);
	w.alerts = NULL;
}

static inline void case_restart(void)
{
	case_stop();
	case_start();
}

static inline void case_setup(void)
{
	memset(&w, 0, sizeof(w));
	w.now_ms = 1795237260000;
	ck_assert_int_eq(setenv("TZ", "Europe/Berlin", 1), 0);
	ck_assert_int_eq(db_open(":memory:", case_schema, 1, &w.db, &err), DB_OPENED);
}

static inline void case_teardown(void)
{
	if (w.alerts)
		case_stop();
	for (size_t i = 0; i < w.n_told; i++)
		event_free(w.told[i]);
	for (size_t i = 0; i < w.n_things; i++)
		free(w.things[i].key);
	db_close(w.db);
}

/* A rule "name" over "class.metric": the first limits, all else is filled in by the test. */
static inline struct rule_settings *case_rule(
	const char *name, const char *metric, const char *warning, const char *critical)
{
	struct rule_settings *s = &w.settings[w.n_settings++];

	rule_settings_init(s);
	s->name = name;
	s->metric = metric;
	s->warning = warning;
	s->critical = critical;
	s->origin = "test";
	return s;
}

static inline struct thing *case_find(const struct entity_class *c, const char *key, size_t metric)
{
	for (size_t i = 0; i < w.n_things; i++)
		if (w.things[i].class == c && w.things[i].metric == metric &&
			strcmp(w.things[i].key, key) == 0)
			return &w.things[i];
	return NULL;
}

static inline struct thing *put(
	const struct entity_class *c, const char *key, size_t metric, double value)
{
	struct thing *t = case_find(c, key, metric);

	if (!t) {
		t = &w.things[w.n_things++];
		*t = (struct thing){.class = c, .key = str_dup(key), .metric = metric};
	}
	t->value = value;
	return t;
}

static inline void drop(const char *key)
{
	for (size_t i = w.n_things; i > 0; i--) {
		if (strcmp(w.things[i - 1].key, key) != 0)
			continue;
		free(w.things[i - 1].key);
		w.things[i - 1] = w.things[--w.n_things];
	}
}

static inline void case_gone(void *user, struct entity *e)
{
	(void)user;
	alerts_entity_gone(w.alerts, e);
}

/* As the daemon commits: events go out only with the alerts that made them. */
static inline void case_commit(void)
{
	if (!alerts_has_changes(w.alerts))
		return;
	ck_assert_msg(db_begin(w.db, &err) == 0, "%s", err.msg);
	ck_assert_msg(alerts_store(w.alerts, &err) == 0, "%s", err.msg);
	if (w.db_fails) {
		db_rollback(w.db);
		return;
	}
	ck_assert_msg(db_commit(w.db, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < alerts_n_events(w.alerts); i++) {
		struct buf json = BUF_INIT(EVENT_JSON_MAX);

		event_to_json(alerts_event_at(w.alerts, i), &json);
		ck_assert_uint_lt(w.n_told, TOLD_MAX);
		ck_assert_int_eq(event_from_json(buf_str(&json), &w.told[w.n_told++], &err), 0);
		buf_done(&json);
	}
	alerts_stored(w.alerts);
}

/* One sample. */
static inline void turn(void)
{
	w.now_ms += INTERVAL_MS;
	registry_begin(w.registry);
	for (size_t i = 0; i < w.n_things; i++) {
		const struct thing *t = &w.things[i];
		struct entity *e = registry_get(w.registry, t->class, t->key);

		entity_read_at(e, w.now_ms * 1000000);
		e->values[t->metric] = t->value;
		if (t->label)
			entity_label(e, t->label, t->label_value);
	}
	registry_sweep(w.registry, case_gone, NULL);
	alerts_evaluate(w.alerts, w.registry, w.now_ms);
	case_commit();
}

static inline void turns(int n)
{
	for (int i = 0; i < n; i++)
		turn();
}

static inline const struct event *last_told(void)
{
	ck_assert_uint_gt(w.n_told, 0);
	return w.told[w.n_told - 1];
}

/* Exactly one more was told since `before`, and it says that. */
static inline void expect_told(size_t before, const char *kind, const char *title)
{
	ck_assert_msg(w.n_told == before + 1, "%zu messages, the last: %s", w.n_told - before,
		w.n_told ? last_told()->title : "");
	ck_assert_str_eq(last_told()->kind, kind);
	ck_assert_str_eq(last_told()->title, title);
}

static inline const char *fact(const struct event *ev, const char *name)
{
	for (size_t i = 0; i < ev->n_facts; i++)
		if (strcmp(ev->facts[i].name, name) == 0)
			return ev->facts[i].value;
	return NULL;
}

static inline int64_t count_rows(const char *where)
{
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	_cleanup_(free_p) char *sql = str_format("SELECT count(*) FROM alert WHERE %s", where);

	ck_assert_msg(db_prepare(w.db, sql, &s, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(db_step(s, &err), DB_ROW);
	return db_int(s, 0);
}

#endif
