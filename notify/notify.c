/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/notify.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "notify/own_problems.h"

enum {
	KEEP_HOUSE_MS = 10 * 60 * 1000,
	KEEP_ON_MS = 1000, /* there is more to delete */
};

struct notify {
	struct notify_options o;
	char host[256]; /* the alerts borrow it: changed in place */
	char *url;
	struct channel *channels; /* texts borrowed from the settings */
	size_t n_channels;
	size_t n_told; /* channels that get the event stored last */
	struct silences *silences;
	struct alerts *alerts;
	struct spool *spool;
	struct sender *sender;
	struct own_problems *own;
	struct loop_timer *timer;
};

static void changed(void *user)
{
	struct notify *n = user;

	if (n->o.on_change)
		n->o.on_change(n->o.user);
}

/* Old history a little at a time: the daemon has other things to do. */
static void keep_house(void *user)
{
	struct notify *n = user;
	int64_t now_ms = clock_wall_ms();
	struct err e = {""};
	int r = spool_prune(n->spool, now_ms, &e);

	if (r < 0)
		problem_set(
			n->o.problems, "notify.store", "old events cannot be deleted: %s", e.msg);
	sender_expire(n->sender);
	if (silences_expire(n->silences, now_ms))
		changed(n);
	loop_timer_after(n->timer, r == SPOOL_PRUNE_MAX ? KEEP_ON_MS : KEEP_HOUSE_MS);
}

static int make_sender(struct notify *n, struct err *e)
{
	const struct sender_options o = {.loop = n->o.loop,
		.http = n->o.http,
		.spool = n->spool,
		.problems = n->o.problems,
		.host = n->host,
		.url = "",
		.pictures = n->o.pictures,
		.on_change = changed,
		.user = n};

	return sender_new(&o, &n->sender, e);
}

/* Takes the rules over in any case. */
static int make_parts(struct notify *n, struct rule_set *rules, struct err *e)
{
	const struct alerts_options o = {.host = n->host,
		.interval_ms = n->o.interval_ms,
		.history = n->o.history,
		.user = n->o.user};
	int64_t now_ms = clock_wall_ms();
	int r = silences_new(n->o.db, now_ms, &n->silences, e);

	if (r < 0) {
		rule_set_free(rules);
		return r;
	}
	r = alerts_new(n->o.db, &o, rules, n->silences, &n->alerts, e);
	if (r == 0)
		r = own_problems_new(n->o.db, now_ms, &n->own, e);
	if (r == 0)
		r = spool_new(n->o.db, &n->spool, e);
	if (r == 0)
		r = make_sender(n, e);
	return r;
}

/* The channels last: they start to send. */
static void take_settings(struct notify *n, const struct notify_settings *s)
{
	struct channel *channels = calloc(s->n_channels + 1, sizeof(*channels));
	char *url = str_dup(s->url ? s->url : "");

	if (!channels)
		abort();
	if (s->n_channels)
		memcpy(channels, s->channels, s->n_channels * sizeof(*channels));
	(void)str_copy(n->host, sizeof(n->host), s->host);
	silences_set_maintenance(n->silences, s->maintenance, s->n_maintenance);
	sender_set_channels(n->sender, channels, s->n_channels, n->host, url);
	free(n->channels);
	free(n->url);
	n->channels = channels;
	n->n_channels = s->n_channels;
	n->url = url;
}

int notify_new(const struct notify_options *o, const struct notify_settings *s, struct notify **out,
	struct err *e)
{
	struct rule_set *rules = NULL;
	struct notify *n;
	int r = rule_set_new(s->rules, s->n_rules, &rules, e);

	if (r < 0)
		return r;
	n = calloc(1, sizeof(*n));
	if (!n)
		abort();
	n->o = *o;
	(void)str_copy(n->host, sizeof(n->host), s->host);
	r = make_parts(n, rules, e);
	if (r < 0) {
		notify_free(n);
		return r;
	}
	take_settings(n, s);
	n->timer = loop_timer_new(o->loop, keep_house, n);
	loop_timer_after(n->timer, KEEP_HOUSE_MS);
	*out = n;
	return 0;
}

void notify_free(struct notify *n)
{
	if (!n)
		return;
	loop_timer_free(n->timer);
	sender_free(n->sender);
	spool_free(n->spool);
	alerts_free(n->alerts);
	silences_free(n->silences);
	own_problems_free(n->own);
	free(n->channels);
	free(n->url);
	free(n);
}

int notify_configure(struct notify *n, const struct notify_settings *s, struct err *e)
{
	struct rule_set *rules = NULL;
	int r = rule_set_new(s->rules, s->n_rules, &rules, e);

	if (r < 0)
		return r;
	alerts_set_rules(n->alerts, rules);
	take_settings(n, s);
	changed(n);
	return 0;
}

/* Patterns that only exclude let the rest through. */
static bool is_for(const struct rule_patterns *p, const char *channel)
{
	bool otherwise = true;

	for (size_t i = 0; i < p->n; i++)
		if (p->list[i][0] != '!')
			otherwise = false;
	return str_matches_any(p->list, p->n, channel, otherwise);
}

/* Inside a transaction. */
static int store_event(
	struct notify *n, struct event *ev, const struct rule_patterns *only, struct err *e)
{
	const char *names[CHANNELS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < n->n_channels && count < CHANNELS_MAX; i++) {
		const struct channel *c = &n->channels[i];

		if (is_for(only, c->name) && channel_wants(c, ev))
			names[count++] = c->name;
	}
	n->n_told = count;
	return spool_add(n->spool, ev, names, count, e);
}

static void tell(struct notify *n, const struct event *ev)
{
	if (n->o.on_event)
		n->o.on_event(n->o.user, ev);
}

static int store_changes(struct notify *n, struct err *e)
{
	int r = db_begin(n->o.db, e);

	if (r < 0)
		return r;
	r = alerts_store(n->alerts, e);
	for (size_t i = 0; r == 0 && i < alerts_n_events(n->alerts); i++) {
		struct rule_patterns only = alerts_event_channels(n->alerts, i);

		r = store_event(n, alerts_event_at(n->alerts, i), &only, e);
	}
	if (r == 0)
		return db_commit(n->o.db, e);
	db_rollback(n->o.db);
	return r;
}

static void commit_changes(struct notify *n)
{
	struct err e = {""};

	if (store_changes(n, &e) < 0) {
		problem_set(n->o.problems, "notify.store",
			"alerts cannot be stored: %s. Tried again with each sample; nothing is "
			"sent "
			"before",
			e.msg);
		return;
	}
	problem_clear(n->o.problems, "notify.store");
	for (size_t i = 0; i < alerts_n_events(n->alerts); i++)
		tell(n, alerts_event_at(n->alerts, i));
	if (alerts_n_events(n->alerts))
		sender_wake(n->sender);
	alerts_stored(n->alerts);
	changed(n);
}

/* What cannot be stored now is due again at the next sample. */
static void tell_own_problems(struct notify *n, int64_t now_ms)
{
	struct event *ev;

	own_problems_look(n->own, n->o.problems, now_ms);
	while ((ev = own_problems_next(n->own, now_ms)) && notify_event(n, ev, NULL) == 0)
		own_problems_told(n->own);
}

void notify_sample(struct notify *n, const struct registry *r, int64_t now_ms)
{
	alerts_evaluate(n->alerts, r, now_ms);
	if (alerts_has_changes(n->alerts))
		commit_changes(n);
	tell_own_problems(n, now_ms);
}

void notify_entity_gone(struct notify *n, struct entity *e)
{
	alerts_entity_gone(n->alerts, e);
}

static int store_one(struct notify *n, struct event *ev, struct err *e)
{
	const struct rule_patterns all = {NULL, 0};
	int r = db_begin(n->o.db, e);

	if (r < 0)
		return r;
	r = store_event(n, ev, &all, e);
	if (r == 0)
		return db_commit(n->o.db, e);
	db_rollback(n->o.db);
	return r;
}

int notify_event(struct notify *n, struct event *ev, struct err *e)
{
	_cleanup_(event_free_p) struct event *mine = ev;
	int r;

	event_set(&mine->host, n->host);
	if (!mine->time_ms)
		mine->time_ms = clock_wall_ms();
	r = store_one(n, mine, e);
	if (r < 0)
		return err_wrap(e, r, "the event was not accepted");
	tell(n, mine);
	sender_wake(n->sender);
	changed(n);
	return 0;
}

size_t notify_told(const struct notify *n)
{
	return n->n_told;
}

void notify_swap(struct notify *n, const char *container_key, int64_t until_ms)
{
	silences_swap(n->silences, container_key, until_ms);
}

struct alerts *notify_alerts(struct notify *n)
{
	return n->alerts;
}

struct silences *notify_silences(struct notify *n)
{
	return n->silences;
}

struct spool *notify_spool(struct notify *n)
{
	return n->spool;
}

struct sender *notify_sender(struct notify *n)
{
	return n->sender;
}
