/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of a delivery, kept as it came: in memory while it is small, else in a file without a name, of which only so many
 * are there at a time. It ends up as an open file in any case: that is what the daemon gets.
 */
#ifndef AGENT_WEB_BODY_SPOOL_H
#define AGENT_WEB_BODY_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/web/peer.h"
#include "base/err.h"

enum {
	BODY_SPOOL_MEMORY_MAX = 64 * 1024,
	BODY_SPOOL_MAX = 26214400, /* DELIVERY_BODY_MAX */
	BODY_SPOOL_FILES_MAX = 8,
	/* One client's share, unless it is on the local network and so may be a proxy. */
	BODY_SPOOL_FILES_PER_CLIENT = 2,
};

enum body_spool_state {
	BODY_SPOOL_FINE,
	BODY_SPOOL_TOO_LARGE, /* more than BODY_SPOOL_MAX */
	BODY_SPOOL_BUSY, /* it would have been one file too many */
	BODY_SPOOL_FAILED, /* it could not be written */
};

/* The files of all. */
struct body_spools {
	const char *folder;
	unsigned n;
	struct peer_counts clients;
};
void body_spools_init(struct body_spools *s,
	const char *folder); /* "/var/tmp": where it may be large, and is no memory */
void body_spools_done(struct body_spools *s);

struct body_spool;

struct body_spool *body_spool_new(struct body_spools *of, const struct peer_key *client);
void body_spool_free(struct body_spool *s); /* NULL is fine */

/* A piece. What does not fit, or comes after that, is passed over, so that the sender can be answered in the end; false when
 * it goes on for as long again: the sender is to be cut off. Writes a file: blocks no longer than the page cache does. */
bool body_spool_add(struct body_spool *s, const void *data, size_t n);
enum body_spool_state body_spool_state(const struct body_spool *s);
uint64_t body_spool_size(const struct body_spool *s); /* of what came */
bool body_spool_is_file(const struct body_spool *s);

/* A descriptor of the whole body, the caller's; only of one that is fine. */
int body_spool_open(struct body_spool *s, struct err *e);
/* The function of a body_reader: from the start on. */
ssize_t body_spool_read(void *spool, void *to, size_t n, struct err *e);

#endif
