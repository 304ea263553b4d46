/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples into RRD files: one file per entity below one folder. Takes each sample in the loop (some
 * 50 us an entity) and does what is slow (checking, making, growing, mending a file) one file at a
 * time from store_work(), between which the loop turns. Until its file is ready an entity's rows
 * wait in memory, the newest STORE_PENDING_MAX of them.
 *
 * An entity that appears while the agent runs gets its file with its third sample: what lives
 * shorter leaves none, nor does one that is only passing. Every fault is a problem with a text (folder full, read-only, broken file
 * kept aside) and never stops the next sample.
 */
#ifndef COLLECTORS_STORE_H
#define COLLECTORS_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "base/problem.h"
#include "collectors/catalogue.h"
#include "collectors/entity.h"
#include "collectors/rrd_layout.h"

enum {
	STORE_PENDING_MAX = 15, /* 5 minutes at the usual interval */
	/* below this nothing is written: a mapped write on a full disk would kill us */
	STORE_FREE_MIN_BYTES = 1 << 20,
	STORE_FIRST_ROWS = 3,
};

struct store;

/* `folder` is made when missing. `problems` and `catalogue` stay the caller's. */
int store_new(const char *folder, const struct rrd_layout *layout, struct problems *problems,
	struct catalogue *catalogue, struct store **out, struct err *e);
void store_close(struct store *s,
	struct registry *r); /* also forgets its state in the entities; NULL is fine */

/* Stores the values of all entities under the time `when` (a whole multiple of the step). */
void store_sample(struct store *s, struct registry *r, time_t when);
/* An entity is about to be removed from the registry. */
void store_gone(struct store *s, struct entity *e, time_t now);

/* Prepares one waiting file. True when more are waiting: call again in the next turn of the loop. */
bool store_work(struct store *s);

#endif
