/* SPDX-License-Identifier: Apache-2.0
 *
 * One message of one channel from the spool: which deliveries are in it, and the request that
 * carries it. The events themselves are in memory only while it is built.
 */
#ifndef NOTIFY_SENDER_BATCH_H
#define NOTIFY_SENDER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "notify/channel.h"
#include "notify/message.h"
#include "notify/spool.h"

struct batch {
	struct delivery_result *results; /* what each becomes when the message is taken */
	size_t n; /* 0: empty */
	struct {
		size_t result; /* index */
		int64_t event_id;
		struct event *event; /* while loaded */
	} full[MESSAGE_EVENTS_MAX];
	size_t n_full;
	uint64_t n_collapsed, n_counted;
	int64_t oldest_ms;
};

/* Fills an empty one with what is to go next, of at most `max` deliveries of stories that pass
 * (spool_waiting). Returns how many deliveries are in it, or -errno. */
int batch_take(struct batch *b, struct spool *spool, const struct channel *c, enum severity from,
	size_t max, struct err *e);
/* Empties it. */
void batch_done(struct batch *b);

/* Reads its events. One that cannot be read (a damaged row) becomes REFUSED and is left out, so that
 * it stops nothing. -ENOENT when none is left; other errors are the database's. */
int batch_load(struct batch *b, struct spool *spool, struct err *e);
void batch_unload(struct batch *b);
/* The chart to draw beside it: that of a single event; NULL for none. Loaded. */
const struct event_chart *batch_chart(const struct batch *b);

/* What the message has beside its events. */
struct batch_dress {
	const char *host, *url;
	const char *picture; /* NULL: none */
	size_t picture_len;
	const char *picture_url;
	bool plain;
	int64_t down_ms; /* the channel failed last at that time; 0: never */
	int64_t now_ms;
};
/* Loaded. An error means that the message can never be sent. */
int batch_build(const struct batch *b, const struct channel *c, const struct channel_memory *memory,
	const struct batch_dress *dress, struct outgoing *out, struct err *e);

#endif
