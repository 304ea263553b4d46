/* SPDX-License-Identifier: Apache-2.0
 *
 * What people are told about a channel that does not work: problems, which are logged once when they
 * begin and once when they end, and a log line for each message that is lost. For notify/sender*.c
 * alone.
 */
#ifndef NOTIFY_SENDER_TROUBLE_H
#define NOTIFY_SENDER_TROUBLE_H

#include "notify/sender_lane.h"

/* The channel fails, or has given up messages. */
void trouble_failing(struct lane *l);
void trouble_over(struct lane *l);
/* One message was refused for good (state.last_error). Stands for an hour: trouble_forget(). */
void trouble_refused(struct lane *l, int64_t now_ms);
void trouble_forget(struct lane *l, int64_t now_ms);
/* All problems of the channel go with it. */
void trouble_gone(struct lane *l);

/* The spool cannot be read or written. */
void trouble_database(struct lane *l, const struct err *e);
void trouble_database_over(struct lane *l);

#endif
