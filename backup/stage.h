/* SPDX-License-Identifier: Apache-2.0
 *
 * The small stages between dump, codec and stores: they count, hash and slow down what passes. None copies.
 */
#ifndef BACKUP_STAGE_H
#define BACKUP_STAGE_H

#include <stdint.h>

#include "backup/net.h"
#include "backup/stream.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hash.h"

/* A rate. Pure: times are those of any clock that does not jump. */
struct pace {
	int64_t bytes_per_s;
	double due_ms; /* when all that passed would have, at exactly the rate */
};
enum { PACE_BURST_MS = 100 }; /* so much of the rate may pass at once after a pause */
/* n bytes pass: after so many milliseconds. */
double pace_pass(struct pace *p, size_t n, double now_ms);

/* Bytes a second; transfers move on while it waits. */
struct throttle;
/* NULL for 0 bytes a second: no limit. `net` must outlive it. */
int throttle_new(int64_t bytes_per_s, struct net *net, struct throttle **out, struct err *e);
void throttle_free(struct throttle *t); /* NULL is fine */
DEFINE_CLEANUP(struct throttle *, throttle_free);
/* Waits until n further bytes may pass. NULL passes at once. -ECANCELED. */
int throttle_pass(struct throttle *t, size_t n, struct err *e);

/* What passed a meter. */
struct metered {
	int64_t bytes;
	char sha256[HASH_SHA256_HEX_SIZE]; /* after the end */
};

/* Hashes and counts into *m, gives the bytes to `check` (may be NULL) and then to `next`. Neither is finished or freed
 * by it. */
struct sink *meter_sink(
	struct metered *m, struct throttle *t, struct sink *check, struct sink *next);

/* The same while reading. At the end what passed must be `want` (hash and length): else -EBADMSG, "WHAT: ...". */
struct reader *meter_reader(struct metered *m, struct throttle *t, struct reader *from,
	const struct metered *want, const char *what);

#endif
