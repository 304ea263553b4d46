/* SPDX-License-Identifier: Apache-2.0
 *
 * What the runs of a worker share: its order, what was opened for it, and where results go. Each run_*.c is one of
 * them, from begin to end; worker.c has their table.
 */
#ifndef BACKUP_RUN_H
#define BACKUP_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/catalogue.h"
#include "backup/engine.h"
#include "backup/journal.h"
#include "backup/manifest.h"
#include "backup/net.h"
#include "backup/order.h"
#include "backup/place.h"
#include "backup/report.h"
#include "backup/stage.h"
#include "backup/store.h"
#include "base/buf.h"
#include "base/err.h"

enum { RUN_STORES_MAX = 20, RUN_PIECE_BYTES = 256 * 1024, RUN_SECRET_MAX = 64 * 1024 };

/* A store of the order, and what became of it in this run. */
struct run_store {
	const char *name;
	struct store *store; /* NULL: could not be opened */
	/* A backup: its manifest as it grows, the member under way, and what is there already. */
	struct manifest *manifest;
	struct sink *segments;
	bool committed;
	int failed; /* negative errno; 0: well so far */
	struct err error;
};

struct run {
	const struct order *o;
	const struct job *job; /* of the order */
	const struct worker_options *w;
	struct report *report;
	struct net *net;
	struct throttle *throttle;
	struct journal *journal;
	struct run_store stores[RUN_STORES_MAX];
	size_t n_stores;
	const struct engine *engine;
	struct place *place;
	struct engine_call call;
	struct buf password;
	int lock; /* -1: none */
	int64_t started_ms;
	char id[BACKUP_ID_SIZE]; /* of the backup that is made, or read */
	char *buffer; /* RUN_PIECE_BYTES, for whoever pumps */
	/* For the result line; members are added by who knows them. */
	json_t *result;
	const char *code;
};

/* Waits for other runs of the job. */
int run_lock(struct run *r, struct err *e);
/* Opens all stores that the job names; one that is not in the order has failed. What cannot be opened is remembered as
 * failed; an error only when none could. The journal comes first. */
int run_open_stores(struct run *r, struct err *e);
/* The same for reading: what the order has, or only the one of that name (NULL: all). */
int run_open_any_stores(struct run *r, const char *only, struct err *e);
/* Engine, place and password: fills r->call. Without them only stores can be read. */
int run_open_engine(struct run *r, struct err *e);
/* engine_call.warn of this run. */
void run_warn(void *user, const char *text);
void run_done(struct run *r);

/* Something went wrong with this store: says so, gives up its upload. Returns code. */
int run_store_fail(struct run *r, struct run_store *s, int code, const struct err *e);
/* "stores" of the result; sets "partial". Returns 0, or the first failure with its text. */
int run_stores_result(struct run *r, struct err *e);

/* The runs: 0, or a negative errno and the reason for the result line. */
int run_backup(struct run *r, struct err *e);
int run_check(struct run *r, struct err *e);
int run_drill(struct run *r, struct err *e);
int run_list(struct run *r, struct err *e);
int run_prune(struct run *r, struct err *e);
int run_restore(struct run *r, struct err *e);
int run_sweep(struct run *r, struct err *e);
int run_verify(struct run *r, struct err *e);

/* Parts of them that others use too. */
int run_prune_store(struct run *r, struct run_store *s, struct err *e);
int run_list_store(struct run *r, struct run_store *s, struct err *e);

#endif
