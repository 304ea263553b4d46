/* SPDX-License-Identifier: Apache-2.0
 *
 * An event: something that people may want to be told. Alerts make them, and so do backups, deploys
 * and `agent notify send`. It is complete in itself: it can be read, sent and drawn an hour later
 * without asking anybody. Its JSON form is what is stored, what the API shows, and what the webhook
 * and command channels get.
 */
#ifndef NOTIFY_EVENT_H
#define NOTIFY_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "notify/severity.h"

enum {
	EVENT_KEY_MAX = 512,
	EVENT_TITLE_MAX = 500, /* bytes; longer ones are cut */
	EVENT_TEXT_MAX = 16 * 1024,
	EVENT_FACTS_MAX = 16,
	EVENT_FACT_NAME_MAX = 100,
	EVENT_FACT_MAX = 1000, /* a fact's value, and each of the other members */
	/* No event's JSON is longer: all of the above at their bounds, each byte escaped. */
	EVENT_JSON_MAX = 128 * 1024,
};

/* Kinds. A routing pattern ("alert.*", "!alert.reminder") is matched against them. */
#define EVENT_ALERT_FIRING "alert.firing"
#define EVENT_ALERT_REMINDER "alert.reminder"
#define EVENT_ALERT_RECOVERED "alert.recovered"
#define EVENT_ALERT_FLAPPING "alert.flapping"
#define EVENT_AGENT_PROBLEM "agent.problem" /* something of the agent itself does not work */
#define EVENT_BACKUP_DRILLED "backup.drilled" /* restored into a throw-away server, and compared */
#define EVENT_BACKUP_DRILL_FAILED "backup.drill_failed"
#define EVENT_BACKUP_FAILED "backup.failed"
#define EVENT_BACKUP_OVERDUE "backup.overdue" /* there is no good one for too long */
#define EVENT_BACKUP_PRUNE_FAILED "backup.prune_failed"
#define EVENT_BACKUP_RECOVERED "backup.recovered" /* the first good one after failures */
#define EVENT_BACKUP_RESTORED "backup.restored"
#define EVENT_BACKUP_RESTORE_FAILED "backup.restore_failed"
#define EVENT_BACKUP_SUCCEEDED "backup.succeeded"
#define EVENT_BACKUP_VERIFIED "backup.verified" /* read back, and found right */
#define EVENT_BACKUP_VERIFY_FAILED "backup.verify_failed"
#define EVENT_BACKUP_WARNING "backup.warning" /* a good one with something odd about it */
#define EVENT_DEPLOY_AUDIT "audit.deploy" /* who did what; see channel_wants() */
#define EVENT_DEPLOY_BROKEN "deploy.broken" /* neither version could be made to serve */
#define EVENT_DEPLOY_CANCELLED "deploy.cancelled"
#define EVENT_DEPLOY_DONE "deploy.done"
#define EVENT_DEPLOY_FAILED "deploy.failed" /* nothing that serves was changed */
#define EVENT_DEPLOY_RECOVERED "deploy.recovered" /* the first good one after failures */
#define EVENT_DEPLOY_ROLLED_BACK "deploy.rolled_back" /* the old version serves again */
#define EVENT_DEPLOY_VERDICT "deploy.verdict" /* before and after, in numbers */
#define EVENT_MESSAGE "message" /* agent notify send */
#define EVENT_TEST "test" /* agent notify test */

struct event_fact {
	char *name; /* "Limit" */
	char *value; /* "above 90 % for 5m" */
};

/* What to draw. class NULL: nothing. */
struct event_chart {
	char *class, *entity, *metric;
	int64_t from, to; /* Unix seconds */
	double limit; /* a line; NaN: none */
};

struct event {
	int64_t id; /* in the database; 0: not stored */
	int64_t time_ms; /* wall clock */
	enum severity severity;
	char *kind;
	/* What it is about: "disk filesystem//". Events with the same key are one story: sent in
	 * order, collapsed while they wait, one thread in a mailbox. "" for none: each its own. */
	char *key;
	char *host; /* name of this server */
	char *title; /* one line: "Disk / is 93.1 % full" */
	char *text; /* more, plain text, may have several lines; may be "" */
	struct event_fact facts[EVENT_FACTS_MAX];
	size_t n_facts;
	struct event_chart chart;
	bool is_end; /* a good end of the story: a recovery */
	/* Of alerts, for programs; else "" and NaN. */
	char *rule, *class, *entity, *metric, *unit;
	double value, limit;
	int64_t since_ms; /* over the limit since; 0 */
	int64_t duration_ms; /* of a recovery: how long it lasted; 0 */
	char *link; /* path below the dashboard's address: "/#/container/shop-web"; may be "" */
};

/* All texts "", numbers NaN or 0. Never NULL. A key is cut to EVENT_KEY_MAX - 1 bytes. */
struct event *event_new(const char *kind, enum severity severity, const char *key);
void event_free(struct event *ev); /* NULL is fine */
DEFINE_CLEANUP(struct event *, event_free);

/* Set texts: made valid (broken UTF-8 becomes U+FFFD, control characters but line ends in `text`
 * become spaces) and cut to their bounds with "…". printf-like. */
void event_title(struct event *ev, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void event_text(struct event *ev, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Past EVENT_FACTS_MAX nothing is added. */
void event_fact(struct event *ev, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Replaces one of the char * members, same cleaning, at most EVENT_FACT_MAX bytes. NULL is "". */
void event_set(char **member, const char *text);

/* {"id":..,"time":"RFC 3339","time_ms":..,"severity":..,"kind":..,"key":..,"host":..,"title":..,
 *  "text":..,"facts":[{"name":..,"value":..}],"rule":..,"entity":"CLASS/KEY","metric":..,"unit":..,
 *  "value":..,"limit":..,"since_ms":..,"duration_ms":..,"is_end":..,"link":..,
 *  "chart":{"entity":"CLASS/KEY","metric":..,"from":..,"to":..,"limit":..}}
 * Absent members: "" or unknown. Numbers are exact: what event_from_json() reads is the same event. */
void event_to_json(const struct event *ev, struct buf *out);
/* -EBADMSG: not JSON, no kind or severity, or a member of another type. Texts are cleaned and cut;
 * members that are not known (of a newer version) are passed over. */
int event_from_json(const char *text, struct event **out, struct err *e);

#endif
