/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerts and notifications within the daemon: made from the configuration, fed with the samples and
 * with stored history, and heard by the log and the web process.
 */
#ifndef AGENT_ALERTING_H
#define AGENT_ALERTING_H

#include <jansson.h>

#include "agent/config.h"
#include "agent/mistakes.h"
#include "base/err.h"
#include "collectors/entity.h"
#include "notify/notify.h"

enum {
	ALERTING_PUSH_MS = 1000, /* at most one push to the web process in that time */
	/* Reading history is done between two samples, so it must be short. What is not read then is
	 * not known until the window has filled by itself. */
	ALERTING_HISTORY_MS = 500,
	ALERTING_HISTORY_POINTS = 10000, /* of one window: all rows of two days */
	ALERTING_LIST_MAX = 5000, /* alerts shown at once, the worst */
};

struct daemon;
struct alerting;

/* After the database, the HTTP client and the pictures. Mistakes of the configuration that only show
 * now (a secret that cannot be read) are logged. */
int alerting_new(struct daemon *d, struct alerting **out, struct err *e);
void alerting_free(struct alerting *a); /* NULL is fine */

/* One stored sample; before it, each entity that is leaving. */
void alerting_sample(struct alerting *a, const struct registry *r, int64_t now_ms);
void alerting_gone(struct alerting *a, struct entity *e);

/* Whole or not at all: -EINVAL with mistakes added, and the old settings go on. After success the old
 * configuration is no longer needed. */
int alerting_reload(struct alerting *a, const struct config *c, struct mistakes *m);

struct notify *alerting_notify(struct alerting *a);
/* What is in force. */
const struct notify_settings *alerting_settings(const struct alerting *a);
/* The event that was committed last; 0: none yet. */
int64_t alerting_last_event(const struct alerting *a);
/* Somebody changed what a page shows. */
void alerting_changed(struct alerting *a);

/* All that is not ok now, as alerts_list() does; free() the array. */
size_t alerting_list(struct alerting *a, const struct alert ***out);
/* How many fire and the worst of them, as ,"firing":1,"worst":"critical". */
void alerting_add_summary(struct alerting *a, struct buf *out);
/* Messages that wait, over all channels. */
uint64_t alerting_waiting(struct alerting *a);

#endif
