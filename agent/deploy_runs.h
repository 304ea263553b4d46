/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue and the history of deploys, in SQLite: each is a record of deploy-hooks/deploy.h, committed when it is accepted and
 * before each of its steps. What came with the delivery (commits, files) is beside it and read only for the hooks.
 */
#ifndef AGENT_DEPLOY_RUNS_H
#define AGENT_DEPLOY_RUNS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "deploy-hooks/deploy.h"

enum {
	DEPLOY_RUNS_KEPT = 1000, /* of each app */
	/* Of each app, however many failed since: what serves, and what one may go back to. */
	DEPLOY_RUNS_DONE_KEPT = 50,
	DEPLOY_RUNS_LISTED_MAX = 500,
	DEPLOY_RUNS_DEDUPE_DAYS = 7, /* GitHub sends again what is up to 3 days old */
};

struct deploy_runs;

int deploy_runs_open(struct db *db, struct deploy_runs **out, struct err *e);
void deploy_runs_free(struct deploy_runs *r); /* NULL is fine */
DEFINE_CLEANUP(struct deploy_runs *, deploy_runs_free);

/* Adds it and sets d->id. `superseded` (NULL: none) has ended because of it: its superseded_by is set and its row written in
 * the same transaction. The app's oldest beyond the bounds go. On failure nothing has changed. */
int deploy_runs_add(
	struct deploy_runs *r, struct deploy *d, struct deploy *superseded, struct err *e);
/* Writes what is in it now, but for the document, which does not change. */
int deploy_runs_store(struct deploy_runs *r, const struct deploy *d, struct err *e);

/* With its document. -ENOENT. */
int deploy_runs_get(struct deploy_runs *r, int64_t id, struct deploy **out, struct err *e);

/* Without their documents. */
struct deploy_list {
	struct deploy **deploys; /* owned, as are those in it */
	size_t n;
};
void deploy_list_done(struct deploy_list *l); /* it is empty then */

/* Those that have not ended, oldest first. In all lists a record that cannot be read is left out. */
int deploy_runs_open_ones(struct deploy_runs *r, struct deploy_list *out, struct err *e);
/* What queue_judge() needs to know to judge `d`: all that have not ended, and of the last DEPLOY_RUNS_DEDUPE_DAYS the
 * newest good one of its app and ref, and those of the same delivery. Its cost does not grow with the history. */
int deploy_runs_alike(struct deploy_runs *r, const struct deploy *d, int64_t now_ms,
	struct deploy_list *out, struct err *e);
/* The last `limit` of an app that are done, newest first: the first of them serves, the others can be gone back to. */
int deploy_runs_done(struct deploy_runs *r, const char *app, size_t limit, struct deploy_list *out,
	struct err *e);

struct deploy_runs_query {
	const char *app; /* NULL: all */
	int64_t before; /* 0: from the newest */
	size_t limit;
};
/* An array as deploy_to_json() makes it, newest first. */
int deploy_runs_list(
	struct deploy_runs *r, const struct deploy_runs_query *q, json_t **out, struct err *e);

#define DEPLOY_SCHEMA                                                                              \
	"CREATE TABLE deploy(id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL,"             \
	" ref TEXT NOT NULL, delivery TEXT NOT NULL, state TEXT NOT NULL,"                         \
	" is_open INTEGER NOT NULL, ended_ms INTEGER NOT NULL, body TEXT NOT NULL,"                \
	" document TEXT);"                                                                         \
	"CREATE INDEX deploy_app ON deploy(app, id);"                                              \
	"CREATE INDEX deploy_ref ON deploy(app, ref, id);"                                         \
	"CREATE INDEX deploy_delivery ON deploy(app, delivery) WHERE delivery != '';"              \
	"CREATE INDEX deploy_open ON deploy(id) WHERE is_open = 1;"

#endif
