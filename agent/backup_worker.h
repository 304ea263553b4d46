/* SPDX-License-Identifier: Apache-2.0
 *
 * One `agent worker backup` on the loop: gets its order, hands on what it says, is ended at its deadline. Used by the
 * daemon, and by the commands that do the work themselves.
 */
#ifndef AGENT_BACKUP_WORKER_H
#define AGENT_BACKUP_WORKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

enum {
	BACKUP_GRACE_MS = 30 * 1000, /* to end the dump, abort uploads, start a container again */
	BACKUP_OUTPUT_MAX = 4096, /* of what it prints, the end */
	BACKUP_LINE_MAX = 64 * 1024 * 1024, /* a catalogue of thousands of backups */
};

struct backup_worker;

struct backup_outcome {
	const json_t *result; /* the last thing it said; NULL: it was ended before */
	bool timed_out;
	int status; /* of waitpid(2) */
	const char *output; /* the end of what it printed; "" when that was inherited */
};

/* Each thing it says but the result; borrowed. */
typedef void (*backup_says_fn)(void *user, json_t *says);
/* Once, from the loop; the handle is gone after it. */
typedef void (*backup_done_fn)(void *user, const struct backup_outcome *o);

struct backup_worker_options {
	const json_t *order;
	int64_t deadline_ms; /* 0: none */
	bool polite; /* low priority for CPU and disks */
	bool inherit_output; /* its stdout is that of this process: restore into a pipe */
	const char *const *argv; /* NULL: this program's own worker */
	backup_says_fn says;
	backup_done_fn done;
	void *user;
};

int backup_worker_start(struct loop *l, const struct backup_worker_options *o,
	struct backup_worker **out, struct err *e);
/* TERM, and KILL when it has not unwound in BACKUP_GRACE_MS. */
void backup_worker_stop(struct backup_worker *w);
/* Kills it without calling back. NULL is fine. */
void backup_worker_abandon(struct backup_worker *w);

#endif
