/* SPDX-License-Identifier: Apache-2.0
 *
 * What a worker is told to do, and what it says meanwhile. The order is one JSON object on its stdin, written by the daemon or by
 * a command (agent/backup_order.c); no secrets in it, only where they are. What it says are JSON objects, one a line, on descriptor
 * 3 (backup/README.md lists them); exit status 0 when ok, else 1.
 *
 * Order:  do ("backup" "restore" "verify" "drill" "prune" "list" "sweep" "check"), run (number, 0: none), job {options of databases.NAME
 *         and "name"}, stores [{options of stores.NAME and "name"}], host (name of this server), state (folder), container_socket,
 *         agent_version,
 *         last {stored_bytes, plain_bytes, median_bytes (plain), duration_ms} (of the last good runs; absent: none),
 *         restore {id, at, store, member, into, to ("-": stdout, or a path), yes, identity_file}, dry_run, jobs [names] (sweep)
 * Says:   {"type":"stage","stage":"probe|pre|dump|commit|post|prune|download|check|restore|compare|wait","member":..,"store":..}
 *         {"type":"progress","plain_bytes":..,"stored_bytes":..,"expected_bytes":..}      at most two a second
 *         {"type":"warning","text":..}
 *         {"type":"catalogue","store":..,"backups":[manifest_summary],"broken":n,"broken_why":..}
 *         {"type":"plan","text":..,"destructive":bool}          restore without yes: then {"type":"result","ok":false,"code":"confirm"}
 *         {"type":"decided","store":..,"id":..,"keep":bool,"why":..}    {"type":"removed","store":..,"id":..,"ok":bool,"retained":bool,"error":..}
 *                                                                          retained: under a lock of the store, no failure
 *         {"type":"check","what":..,"ok":bool,"text":..,"cure":..}
 *         {"type":"result","ok":bool,"code":"","error":..,"id":..,"plain_bytes":..,"stored_bytes":..,"partial":bool,
 *          "stores":[{"name":..,"ok":bool,"error":..}],"swept":{..},"counts":{..},"duration_ms":..}   exactly one, the last
 */
#ifndef BACKUP_ORDER_H
#define BACKUP_ORDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "backup/job.h"
#include "backup/store.h"
#include "base/err.h"

struct restore_order {
	const char *id, *at; /* which; both NULL: the newest good one */
	const char *store; /* NULL: the first that has it */
	const char *member; /* only this one; NULL: all */
	const char *into, *to;
	bool yes;
	const char *identity_file; /* instead of the job's; "-" is not allowed here */
};

struct last_runs {
	int64_t stored_bytes, plain_bytes, median_bytes, duration_ms; /* 0: not known */
};

struct order {
	const char *what;
	int64_t run;
	struct job *job; /* NULL for sweep and check of all */
	const json_t *stores; /* array of settings, never empty */
	const char *host, *state, *container_socket, *agent_version;
	struct last_runs last;
	struct restore_order restore;
	bool dry_run;
	const json_t *jobs;
	json_t *json; /* what all of it points into */
};

/* `j` stays the caller's too. -EINVAL: "MEMBER: what is wrong". */
int order_from_json(json_t *j, struct order **out, struct err *e);
void order_free(struct order *o); /* NULL is fine */
DEFINE_CLEANUP(struct order *, order_free);

struct worker_options {
	/* Texts of several lines too (identity files, credentials). */
	secret_read_fn secret_read;
	/* Instead of store_open(): for measuring without a store. NULL: that. */
	int (*store_open)(const json_t *settings, const struct store_context *c, struct store **out,
		struct err *e);
};

/* Does it. `report_fd` gets the lines. Returns 0 or 1, the exit status. The whole of a worker. */
int worker_run(const struct order *o, const struct worker_options *w, int report_fd);
/* For an order that cannot be read: the result line alone. Returns 1. */
int worker_refuse(const struct err *why, int report_fd);

#endif
