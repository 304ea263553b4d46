/* SPDX-License-Identifier: Apache-2.0
 *
 * One channel at work: a state machine with one message under way at a time.
 *
 *   ready -> (picture ->) sending -> settling -> ready
 *
 * Ready: asks the spool what waits, and whether it may go now: quiet hours, a wait after failures or
 * one the provider asked for, the group, the rate. It looks again when something was committed and
 * when its timer says so. Settling: the provider has answered; what follows is kept in memory until
 * the database has it, and nothing else is sent meanwhile.
 */
#ifndef NOTIFY_SENDER_LANE_H
#define NOTIFY_SENDER_LANE_H

#include "notify/channel.h"
#include "notify/sender.h"
#include "notify/sender_batch.h"
#include "notify/sender_pace.h"
#include "notify/spool.h"
#include "notify/transport.h"

enum lane_phase { LANE_READY, LANE_PICTURE, LANE_SENDING, LANE_SETTLING };

struct lane {
	struct sender *sender;
	char *name;
	struct channel channel; /* texts borrowed from the configuration */
	struct channel_state state; /* as stored, or about to be */
	enum lane_phase phase;
	struct loop_timer *timer;
	const char *doing; /* as in struct sender_status */
	int64_t next_ms; /* looks again then; 0: when something comes */
	int64_t looked_ms; /* last found nothing that may go */
	int64_t retry_ms; /* not before, after a failure */
	bool broken; /* the last verdict */
	struct pace pace;

	/* The message under way. */
	struct batch batch;
	bool plain; /* in its second form */
	struct transport_call *call;
	void *picture; /* handle of what is being drawn */
	char error[300]; /* of what is to be settled; "" for none */

	/* A message of many that is refused for good is tried in halves, so that one event nobody
	 * takes does not take the others with it. */
	size_t limit; /* deliveries in a message; 0: all */
	unsigned refused_in_row;

	uint64_t given_up; /* since the last message that went out */
	int64_t refused_ms; /* the problem about it stands since; 0: none */
};

/* Texts of the channel are borrowed. Reads what was stored about it. */
struct lane *lane_new(struct sender *s, const struct channel *c);
/* What is under way is ended; what could not be settled yet is tried a last time. */
void lane_free(struct lane *l);
/* Other settings for the same channel, or the same at another place in memory. */
void lane_configure(struct lane *l, const struct channel *c);
/* The channel is not there any more: its problems neither. */
void lane_retire(struct lane *l);

/* Does what can be done now. */
void lane_pump(struct lane *l);
/* Forgets the wait after a failure (not one the provider asked for). */
void lane_hurry(struct lane *l);
/* The wall clock was set back by that much (negative). */
void lane_shift(struct lane *l, int64_t by_ms);
/* Gives up what waited for too long. */
void lane_expire(struct lane *l);
/* The provider told something to remember; returns false when it is nothing new. */
bool lane_remember(struct lane *l, const struct channel_memory *m);

#endif
