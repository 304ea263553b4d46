/* SPDX-License-Identifier: Apache-2.0
 *
 * Deliveries that were not taken, and why: for the owner of a webhook that does not work, and to see who tries. Of one
 * sender, app and reason there is one row an hour, with a count, so that a flood of them neither fills the list nor the disk;
 * they are written once a second at most, and logged once a minute at most. Secrets and signatures are never in it.
 */
#ifndef AGENT_DELIVERY_REFUSALS_H
#define AGENT_DELIVERY_REFUSALS_H

#include <jansson.h>
#include <stdint.h>

#include "base/db.h"
#include "base/err.h"
#include "base/loop.h"

enum {
	DELIVERY_REFUSALS_KEPT = 500,
	DELIVERY_REFUSALS_PENDING =
		64, /* different ones between two writes; more are only counted */
	DELIVERY_REFUSALS_WRITE_MS = 1000,
	DELIVERY_REFUSALS_LOG_MS = 60 * 1000,
	DELIVERY_REFUSALS_MERGED_MS = 3600 * 1000,
};

/* Bytes of a stranger are made into text that can be shown. */
struct delivery_refusal {
	const char *app; /* as it was asked for */
	bool is_known; /* there is such an app; those there are not share a row */
	const char *peer, *provider, *event;
	unsigned status; /* what was answered */
	const char *why;
};

struct delivery_refusals;

int delivery_refusals_open(
	struct loop *l, struct db *db, struct delivery_refusals **out, struct err *e);
void delivery_refusals_free(struct delivery_refusals *s); /* writes what is left; NULL is fine */

void delivery_refusals_note(
	struct delivery_refusals *s, const struct delivery_refusal *r, int64_t now_ms);
/* Newest first, with all that was noted: array of {"time_ms","app","peer","provider","event","status","why","count"}; a new
 * reference. */
int delivery_refusals_list(struct delivery_refusals *s, size_t limit, json_t **out, struct err *e);

#define DELIVERY_SCHEMA                                                                            \
	"CREATE TABLE refused_delivery(id INTEGER PRIMARY KEY AUTOINCREMENT,"                      \
	" time_ms INTEGER NOT NULL, app TEXT NOT NULL, peer TEXT NOT NULL,"                        \
	" provider TEXT NOT NULL, event TEXT NOT NULL, status INTEGER NOT NULL,"                   \
	" why TEXT NOT NULL, count INTEGER NOT NULL);"                                             \
	"CREATE INDEX refused_delivery_time ON refused_delivery(time_ms);"

#endif
