/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes into the next message: decided over the deliveries that wait, without looking into the
 * events. Pure.
 *
 * For people: per story (key) the newest event stands for all; earlier ones are COLLAPSED. With more
 * than MESSAGE_EVENTS_MAX stories those go in full that are worst, and among equals the newest; an
 * end ranks below everything that is not over. All events of the other stories are COUNTED.
 * For programs (CHANNEL_EACH, CHANNEL_BATCH): nothing is merged; the oldest, or the oldest
 * MESSAGE_EVENTS_MAX of them.
 */
#ifndef NOTIFY_SENDER_PLAN_H
#define NOTIFY_SENDER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "notify/message.h"
#include "notify/spool.h"

struct plan {
	size_t n; /* the first n deliveries are in the message, one way or another */
	size_t full[MESSAGE_EVENTS_MAX]; /* of those, in full: indexes, oldest first */
	size_t n_full;
	uint64_t n_collapsed, n_counted; /* n_full + n_collapsed + n_counted = n */
};

/* `d`: oldest first, n from 1 to SPOOL_BATCH_MAX. fates[i] is what becomes of d[i] when the message
 * is taken, for i < out->n. `flags`: those of the channel's type. */
void plan_make(const struct spool_delivery *d, size_t n, unsigned flags,
	struct delivery_result *fates, struct plan *out);

#endif
