/* SPDX-License-Identifier: Apache-2.0
 *
 * The history of runs, in SQLite: each is a JSON object as CONTROL.md describes it (one in `runs`), committed when it
 * is accepted, when it starts and when it has ended. Beside them a few numbers that are remembered for each job.
 */
#ifndef AGENT_BACKUP_RUNS_H
#define AGENT_BACKUP_RUNS_H

#include <jansson.h>
#include <stdint.h>

#include "agent/backup_order.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"

enum {
	BACKUP_RUNS_KEPT = 1000, /* of each job */
	BACKUP_RUNS_LISTED_MAX = 500,
	BACKUP_RUNS_MEDIAN = 10, /* good ones whose median size the next is compared with */
};

struct backup_runs;

int backup_runs_open(struct db *db, struct backup_runs **out, struct err *e);
void backup_runs_free(struct backup_runs *r); /* NULL is fine */
DEFINE_CLEANUP(struct backup_runs *, backup_runs_free);

/* Adds it and puts its number into its member "run"; the job's oldest beyond BACKUP_RUNS_KEPT go. */
int backup_runs_add(struct backup_runs *r, json_t *run, struct err *e);
/* Writes what is in it now. */
int backup_runs_store(struct backup_runs *r, const json_t *run, struct err *e);

/* New references. -ENOENT. */
int backup_runs_get(struct backup_runs *r, int64_t id, json_t **out, struct err *e);
enum backup_runs_which {
	BACKUP_RUNS_ANY,
	BACKUP_RUNS_GOOD, /* ended well */
	BACKUP_RUNS_ENDED, /* neither waits nor runs */
};
/* The newest of a job among those. */
int backup_runs_last(struct backup_runs *r, const char *job, const char *what,
	enum backup_runs_which which, json_t **out, struct err *e);

struct backup_runs_query {
	const char *job, *what; /* NULL: all */
	int64_t before; /* 0: from the newest */
	size_t limit;
};
/* An array, newest first. */
int backup_runs_list(
	struct backup_runs *r, const struct backup_runs_query *q, json_t **out, struct err *e);
/* Those that wait or run, oldest first. */
int backup_runs_open_ones(struct backup_runs *r, json_t **out, struct err *e);
/* Of the last good backups of a job; zeros without any. */
int backup_runs_figures(
	struct backup_runs *r, const char *job, struct backup_last *out, struct err *e);

/* A number of a job by name ("handled.backup"); 0 when it was never set. */
int64_t backup_runs_number(struct backup_runs *r, const char *job, const char *name);
int backup_runs_set_number(
	struct backup_runs *r, const char *job, const char *name, int64_t value, struct err *e);

#define BACKUP_SCHEMA                                                                              \
	"CREATE TABLE backup_run(id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL,"         \
	" what TEXT NOT NULL, state TEXT NOT NULL, stored_bytes INTEGER NOT NULL,"                 \
	" body TEXT NOT NULL);"                                                                    \
	"CREATE INDEX backup_run_job ON backup_run(job, what, id);"                                \
	"CREATE INDEX backup_run_open ON backup_run(id) WHERE state IN ('waiting', 'running');"    \
	"CREATE TABLE backup_number(job TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT "     \
	"NULL,"                                                                                    \
	" PRIMARY KEY(job, name)) WITHOUT ROWID;"

#endif
