/* SPDX-License-Identifier: Apache-2.0
 *
 * The spool: every event and, for each channel that is to have it, one delivery, in SQLite. What is
 * not committed was not accepted; what is committed is sent, refused or given up, and says which.
 * Memory does not grow with what waits. Also the history of events.
 */
#ifndef NOTIFY_SPOOL_H
#define NOTIFY_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/db.h"
#include "base/err.h"
#include "notify/channel.h"
#include "notify/event.h"

enum delivery_state {
	DELIVERY_WAITING,
	DELIVERY_SENT,
	DELIVERY_COLLAPSED, /* a newer event of the same story went out in its place */
	DELIVERY_COUNTED, /* in a digest: "and 12 more" */
	DELIVERY_REFUSED, /* by the provider, for ever */
	DELIVERY_EXPIRED, /* given up after SPOOL_GIVE_UP_MS */
	DELIVERY_STATES,
};
const char *delivery_state_name(enum delivery_state s);

enum {
	/* Given up are deliveries that were tried in vain for that long and that often: the number
	 * because a clock that is set forward makes everything look old. What was never tried
	 * (quiet hours, a server that was off) is not given up. */
	SPOOL_GIVE_UP_MS = 24 * 3600 * 1000,
	SPOOL_GIVE_UP_ATTEMPTS = 8,
	SPOOL_WAITING_MAX = 50000, /* per channel; the oldest are given up */
	SPOOL_KEEP_DAYS = 90, /* events without waiting deliveries */
	SPOOL_KEEP_MAX = 50000, /* events; the oldest go first */
	SPOOL_PRUNE_MAX = 500, /* events deleted at a time */
	SPOOL_BATCH_MAX = 2000, /* deliveries taken into one message */
};

struct spool;

int spool_new(struct db *db, struct spool **out, struct err *e);
void spool_free(struct spool *s);
DEFINE_CLEANUP(struct spool *, spool_free);

/* Writes the event and its deliveries inside the caller's transaction; sets ev->id. */
int spool_add(struct spool *s, struct event *ev, const char *const *channels, size_t n_channels,
	struct err *e);

/* One delivery as the sender needs it. */
struct spool_delivery {
	int64_t id, event_id, time_ms; /* of the event */
	enum severity severity;
	char key[EVENT_KEY_MAX];
	bool is_end;
};
/* The oldest waiting deliveries of a channel, at most max, of stories in which something at least as
 * bad as `from` waits (SEVERITY_INFO: all). Returns how many or -errno. */
int spool_waiting(struct spool *s, const char *channel, enum severity from,
	struct spool_delivery *out, size_t max, struct err *e);
/* How many wait; the time of the oldest (0: none). */
int spool_count_waiting(struct spool *s, const char *channel, uint64_t *out_n,
	int64_t *out_oldest_ms, struct err *e);
/* The whole event. -ENOENT. */
int spool_event(struct spool *s, int64_t event_id, struct event **out, struct err *e);

/* What became of one message: all its deliveries in one transaction. `error` of SENT: who did not get
 * it; NULL for everybody. */
struct delivery_result {
	int64_t id;
	enum delivery_state state;
};
int spool_settle(struct spool *s, const struct delivery_result *results, size_t n,
	const char *error, int64_t now_ms, struct err *e);
/* An attempt failed and they go on waiting: counts it and notes why. */
int spool_failed(struct spool *s, const int64_t *ids, size_t n, const char *error, int64_t now_ms,
	struct err *e);
/* Gives up what was tried in vain for SPOOL_GIVE_UP_MS, all older than that behind it, and what is
 * past SPOOL_WAITING_MAX. Returns how many. */
int spool_expire(struct spool *s, const char *channel, int64_t now_ms, struct err *e);
/* Gives up what waits for channels that are not in the list. Returns how many. */
int spool_expire_others(
	struct spool *s, const char *const *channels, size_t n, int64_t now_ms, struct err *e);
/* Deletes old history, at most SPOOL_PRUNE_MAX events. Returns how many went. */
int spool_prune(struct spool *s, int64_t now_ms, struct err *e);

/* Joins several of the calls above and spool_store_channel() into one transaction; without it each
 * is one. A call that fails in between rolls back all; spool_commit() then fails, too. */
int spool_begin(struct spool *s, struct err *e);
int spool_commit(struct spool *s, struct err *e);

/* What a channel must remember over a restart. */
struct channel_state {
	int64_t not_before_ms; /* the provider said wait */
	unsigned failures; /* in a row */
	int64_t last_sent_ms, last_failed_ms;
	char last_error[300];
	struct channel_memory memory;
	char memory_of[64]; /* what to[0] was: for another one the memory is worth nothing */
};
int spool_load_channel(
	struct spool *s, const char *channel, struct channel_state *out, struct err *e);
int spool_store_channel(
	struct spool *s, const char *channel, const struct channel_state *st, struct err *e);

/* History, newest first, as members of a JSON array (no brackets), for the API and the commands.
 * before_id 0: from the newest. `what`: NULL for all, or patterns of kinds with commas. */
struct spool_query {
	int64_t before_id;
	size_t limit; /* at most 500 */
	const char *channel; /* of deliveries; NULL: all */
	const char *state; /* of deliveries; NULL: all */
	const char *kinds; /* of events; NULL: all */
	const char *entity; /* CLASS/KEY; NULL: all */
};
/* Events, each with "deliveries":[{"channel":..,"state":..}]. */
int spool_list_events(struct spool *s, const struct spool_query *q, struct buf *out, struct err *e);
/* {"id","event_id","time_ms","title","severity","kind","channel","state","attempts","error","settled_ms"} */
int spool_list_deliveries(
	struct spool *s, const struct spool_query *q, struct buf *out, struct err *e);

#define SPOOL_SCHEMA                                                                               \
	"CREATE TABLE event(id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL,"       \
	" severity INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, entity TEXT NOT NULL," \
	" is_end INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL);"                      \
	"CREATE INDEX event_entity ON event(entity, id);"                                          \
	"CREATE TABLE delivery(id INTEGER PRIMARY KEY AUTOINCREMENT, event INTEGER NOT NULL"       \
	" REFERENCES event(id) ON DELETE CASCADE, channel TEXT NOT NULL, state INTEGER NOT NULL"   \
	" DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, error TEXT, first_tried_ms INTEGER,"     \
	" tried_ms INTEGER, settled_ms INTEGER);"                                                  \
	"CREATE INDEX delivery_waiting ON delivery(channel, id) WHERE state = 0;"                  \
	"CREATE INDEX delivery_event ON delivery(event);"                                          \
	"CREATE TABLE channel_state(channel TEXT PRIMARY KEY, not_before_ms INTEGER NOT NULL,"     \
	" failures INTEGER NOT NULL, last_sent_ms INTEGER NOT NULL, last_failed_ms INTEGER NOT "   \
	"NULL,"                                                                                    \
	" last_error TEXT NOT NULL, memory_to TEXT NOT NULL, memory_of TEXT NOT NULL) WITHOUT "    \
	"ROWID;"

#endif
