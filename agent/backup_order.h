/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the orders of backup/order.h, for the daemon and for the commands that run a worker themselves.
 */
#ifndef AGENT_BACKUP_ORDER_H
#define AGENT_BACKUP_ORDER_H

#include <jansson.h>
#include <stdint.h>

#include "agent/backup_config.h"

/* Of the last good runs; 0: not known. */
struct backup_last {
	int64_t stored_bytes, plain_bytes, median_bytes, duration_ms;
};

struct backup_order_options {
	const char *what; /* "backup", "list", ... */
	int64_t run; /* 0: none */
	const struct backup_job *job; /* NULL: sweep, check of all */
	const char *store; /* only this one of its stores; NULL: all */
	const char *state_dir; /* made absolute */
	const struct backup_last *last; /* NULL: none */
	json_t *restore; /* taken over; NULL: none */
	bool dry_run;
};

/* New reference. -ENOENT: the job has no such store; `restore` is gone in any case. */
int backup_order_new(const struct backup_config *c, const struct backup_order_options *o,
	json_t **out, struct err *e);

#endif
