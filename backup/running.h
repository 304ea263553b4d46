/* SPDX-License-Identifier: Apache-2.0
 *
 * A program at work, wherever it runs: what a process of this host (process.h) and one in a container (docker_exec.h) have in
 * common. Whoever waits for one of its three streams moves the other two on as well, so that no two of them can wait for each
 * other. Internal to the places.
 */
#ifndef BACKUP_RUNNING_H
#define BACKUP_RUNNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backup/place.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	RUNNING_GRACE_MS = 5000, /* from TERM to KILL */
	/* stderr that is kept; the part before the last PLACE_STDERR_MAX is for secrets that stand across the border */
	RUNNING_STDERR_KEPT = 2 * PLACE_STDERR_MAX,
};

/* How to start it. */
struct running_options {
	const struct place_command *command;
	bool has_input; /* what is written goes to its stdin; otherwise that is empty */
	struct buf *collect; /* stdout goes here, dropped when NULL; only with `collects` */
	bool collects; /* nobody reads stdout */
	int64_t deadline_ms; /* for all of it; 0: none */
};

struct running;
struct running_ops {
	/* Readable when read() may get on. */
	int (*fd)(struct running *r);
	/* As source_ops. */
	ssize_t (*read)(struct running *r, void *to, size_t n, struct err *e);
	/* Bytes taken, at least one; 0: it takes no more, because it closed its stdin or has ended. */
	ssize_t (*write)(struct running *r, const void *data, size_t n, struct err *e);
	void (*close_input)(struct running *r);
	/* Until it has ended, or grace_ms (-1: the deadline alone) after the call. 0 with r->status set. */
	int (*wait)(struct running *r, int64_t grace_ms, struct err *e);
	/* Ends it when it is still there, TERM first, and frees. */
	void (*free)(struct running *r);
};

struct running {
	const struct running_ops *ops;
	char *name; /* of the program, without folders */
	int *also_good; /* ended by 0; NULL */
	struct buf tail; /* the last of its stderr, as it came */
	bool tail_cut;
	struct buf said; /* what running_stderr() returned */
	struct buf *collect;
	bool collects, collect_overflow;
	int64_t deadline_at; /* monotonic; 0: none */
	int64_t deadline_ms;
	int status; /* of waitpid(2), after wait() */
};

void running_init(
	struct running *r, const struct running_ops *ops, const struct running_options *o);
void running_done(struct running *r); /* frees what running_init() and the functions below made */

void running_add_stderr(struct running *r, const void *data, size_t n);
void running_add_stdout(struct running *r, const void *data, size_t n);
/* Secrets hidden. Owned by r. */
const char *running_stderr(struct running *r);

/* Milliseconds until the deadline for poll(2): -1 without one, 0 when it has passed. */
int running_left_ms(const struct running *r);
/* 0, or -ECANCELED (stopped) or -ETIMEDOUT. */
int running_check(const struct running *r, struct err *e);

/* After wait(): 0 when the status is a good one, else -EREMOTEIO with its name, status and last words. */
int running_verdict(struct running *r, struct err *e);
/* Puts the last lines of stderr, on one line, behind `what`: "NAME: WHAT: LINES". Returns -code. */
int running_error(struct running *r, int code, const char *what, struct err *e);

#endif
