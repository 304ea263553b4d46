/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/own_problems.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Those told of long ago and gone meanwhile stay for their end. */
enum { ONES_MAX = 2 * PROBLEMS_MAX };

static const char key_prefix[] = "problem ";

struct one {
	char key[sizeof(((struct problem *)0)->key)];
	char text[sizeof(((struct problem *)0)->text)];
	bool here, told;
	int64_t turned_ms; /* here or gone since */
	int64_t told_ms;
};

struct own_problems {
	struct one list[ONES_MAX];
	size_t n;
	struct one *next; /* what own_problems_next() is about */
};

static bool is_left_out(const char *key)
{
	static const char *const prefixes[] = {"channel.", "config.", "notify."};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(key, prefixes[i]))
			return true;
	return false;
}

static struct one *find(struct own_problems *o, const char *key)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->list[i].key, key) == 0)
			return &o->list[i];
	return NULL;
}

static struct one *add(struct own_problems *o, const char *key, int64_t now_ms)
{
	struct one *one;

	if (o->n == ONES_MAX)
		return NULL;
	one = &o->list[o->n++];
	memset(one, 0, sizeof(*one));
	(void)str_copy(one->key, sizeof(one->key), key);
	one->turned_ms = now_ms;
	return one;
}

/* Before the first look all of them are gone, since now. */
static void add_told(struct own_problems *o, const struct event *ev, int64_t now_ms)
{
	const char *key = ev->key + (str_starts(ev->key, key_prefix) ? strlen(key_prefix) : 0);
	struct one *one = ev->is_end ? NULL : add(o, key, now_ms);

	if (!one)
		return;
	one->told = true;
	one->told_ms = ev->time_ms;
	(void)str_copy(one->text, sizeof(one->text), ev->title);
}

static int read_told(struct own_problems *o, struct db *db, int64_t now_ms, struct err *e)
{
	static const char sql[] =
		"SELECT body FROM event WHERE id IN (SELECT max(id) FROM event WHERE entity ="
		" 'agent/agent' AND kind = '" EVENT_AGENT_PROBLEM "' GROUP BY key)";
	_cleanup_(db_finalize_p) struct db_stmt *st = NULL;
	int r = db_prepare(db, sql, &st, e);

	if (r < 0)
		return r;
	while ((r = db_step(st, e)) == DB_ROW) {
		_cleanup_(event_free_p) struct event *ev = NULL;

		if (event_from_json(db_text(st, 0), &ev, NULL) == 0)
			add_told(o, ev, now_ms);
	}
	return r;
}

int own_problems_new(struct db *db, int64_t now_ms, struct own_problems **out, struct err *e)
{
	_cleanup_(own_problems_free_p) struct own_problems *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		abort();
	r = read_told(o, db, now_ms, e);
	if (r < 0)
		return err_wrap(e, r, "the agent's own problems");
	*out = TAKE_PTR(o);
	return 0;
}

void own_problems_free(struct own_problems *o)
{
	free(o);
}

static void turn(struct one *one, bool here, int64_t now_ms)
{
	/* A clock set back starts the wait again; better than no end to it. */
	if (one->here != here || one->turned_ms > now_ms)
		one->turned_ms = now_ms;
	one->here = here;
}

static void look_at(struct own_problems *o, const struct problem *p, int64_t now_ms)
{
	struct one *one = find(o, p->key);

	if (!one && !is_left_out(p->key))
		one = add(o, p->key, now_ms);
	if (!one)
		return;
	turn(one, true, now_ms);
	if (!one->told)
		(void)str_copy(one->text, sizeof(one->text), p->text);
}

static bool is_here(const struct problems *p, const char *key)
{
	for (size_t i = 0; i < problems_count(p); i++)
		if (strcmp(problems_at(p, i)->key, key) == 0)
			return true;
	return false;
}

void own_problems_look(struct own_problems *o, const struct problems *p, int64_t now_ms)
{
	o->next = NULL;
	for (size_t i = 0; i < problems_count(p); i++)
		look_at(o, problems_at(p, i), now_ms);
	for (size_t i = o->n; i-- > 0;) {
		struct one *one = &o->list[i];

		if (is_here(p, one->key))
			continue;
		turn(one, false, now_ms);
		if (!one->told)
			*one = o->list[--o->n];
	}
}

static struct event *make_event(const struct one *one, int64_t now_ms)
{
	_cleanup_(free_p) char *key = str_format("%s%s", key_prefix, one->key);
	struct event *ev = event_new(EVENT_AGENT_PROBLEM, SEVERITY_WARNING, key);

	ev->time_ms = now_ms;
	ev->is_end = one->told;
	event_set(&ev->class, "agent");
	event_set(&ev->entity, "agent");
	if (one->told) {
		ev->duration_ms = one->turned_ms > one->told_ms ? one->turned_ms - one->told_ms : 0;
		event_title(ev, "In order again: %s", one->text);
	} else {
		ev->since_ms = one->turned_ms;
		event_title(ev, "%s", one->text);
		event_text(ev, "This is about the agent itself. See: agent status");
	}
	return ev;
}

struct event *own_problems_next(struct own_problems *o, int64_t now_ms)
{
	for (size_t i = 0; i < o->n; i++) {
		struct one *one = &o->list[i];

		if (one->here == one->told || now_ms - one->turned_ms < OWN_PROBLEM_MS)
			continue;
		o->next = one;
		return make_event(one, now_ms);
	}
	return NULL;
}

void own_problems_told(struct own_problems *o)
{
	struct one *one = TAKE_PTR(o->next);

	if (!one)
		return;
	one->told_ms = one->turned_ms;
	one->told = !one->told;
	if (!one->told)
		*one = o->list[--o->n];
}
