/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerts and notifications as the daemon sees them: rules -> alerts -> events -> spool -> channels.
 * Joins the parts of this folder; owns the transactions.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/db.h"
#include "base/err.h"
#include "base/http_client.h"
#include "base/loop.h"
#include "base/problem.h"
#include "notify/alerts.h"
#include "notify/sender.h"
#include "notify/silence.h"
#include "notify/spool.h"

struct notify;

/* What the configuration says. Texts borrowed until the next notify_configure(). */
struct notify_settings {
	const char *host; /* name of this server */
	const char *url; /* of the dashboard; "" when not known */
	const struct rule_settings *rules;
	size_t n_rules;
	const struct channel *channels;
	size_t n_channels;
	const struct maintenance *maintenance;
	size_t n_maintenance;
};

struct notify_options {
	struct loop *loop;
	struct http_client *http;
	struct db *db;
	struct problems *problems;
	int64_t interval_ms;
	const struct picture_source *pictures; /* may be NULL */
	/* An event was committed / anything a page shows changed. May be NULL. */
	void (*on_event)(void *user, const struct event *ev);
	void (*on_change)(void *user);
	/* As in struct alerts_options. */
	void (*history)(void *user, const struct entity *e, size_t metric, int64_t span_ms,
		void (*add)(void *window, int64_t time_ms, double v), void *window);
	void *user;
};

int notify_new(const struct notify_options *o, const struct notify_settings *s, struct notify **out,
	struct err *e);
void notify_free(struct notify *n);
/* A reload: whole or not at all. */
int notify_configure(struct notify *n, const struct notify_settings *s, struct err *e);

/* One sample: evaluates and commits what follows. A commit that fails is a problem, and tried again
 * with the next sample; nothing is lost meanwhile. */
void notify_sample(struct notify *n, const struct registry *r, int64_t now_ms);
void notify_entity_gone(struct notify *n, struct entity *e);

/* An event from elsewhere (a backup, a deploy, a person): committed before it returns; takes it
 * over in any case. Its host is filled in. */
int notify_event(struct notify *n, struct event *ev, struct err *e);
/* How many channels get the event that was committed last. */
size_t notify_told(const struct notify *n);
/* The deploy engine is replacing that container until then at the latest; until_ms 0: done. */
void notify_swap(struct notify *n, const char *container_key, int64_t until_ms);

/* The parts, for those who show and change them. */
struct alerts *notify_alerts(struct notify *n);
struct silences *notify_silences(struct notify *n);
struct spool *notify_spool(struct notify *n);
struct sender *notify_sender(struct notify *n);

/* Tables alert, silence, event, delivery, channel_state. */
#define NOTIFY_SCHEMA ALERTS_SCHEMA SILENCE_SCHEMA SPOOL_SCHEMA

#endif
