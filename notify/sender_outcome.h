/* SPDX-License-Identifier: Apache-2.0
 *
 * The second half of a lane: sends the message it has taken, and makes what follows of the
 * provider's answer: settled, tried again, tried in another form or in halves, or shown as a
 * problem. For notify/sender*.c alone.
 */
#ifndef NOTIFY_SENDER_OUTCOME_H
#define NOTIFY_SENDER_OUTCOME_H

#include "notify/sender_lane.h"

/* Builds and sends the message that was taken and loaded; png NULL: without a picture. */
void lane_send(struct lane *l, const char *png, size_t len);
/* The message will never be taken by the provider. */
void lane_refused(struct lane *l, const char *why);
/* Writes what became of the message; tried again later when the database cannot. */
void lane_settle(struct lane *l);

/* Of sender_lane.c. */
void lane_wait(struct lane *l, const char *doing, int64_t until_ms, int64_t now_ms);
unsigned lane_per_minute(const struct lane *l);

#endif
