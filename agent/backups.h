/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups within the daemon: what is due is queued, what is queued is run by a worker, one at a time because a server
 * with one CPU has no more to give, those that a person asked for first; what became of it is kept and told. A run is
 * a JSON object as CONTROL.md describes it. What is accepted is committed, and survives the daemon.
 *
 * The outcome of a run depends on its worker alone, never on whether anybody could be told.
 */
#ifndef AGENT_BACKUPS_H
#define AGENT_BACKUPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/backup_config.h"
#include "agent/backup_runs.h"
#include "base/db.h"
#include "base/err.h"
#include "base/http_client.h"
#include "base/loop.h"
#include "base/problem.h"
#include "notify/event.h"

enum {
	BACKUPS_TICK_MS = 30 * 1000, /* schedules are looked at this often: the clock may jump */
	BACKUPS_QUEUE_MAX = 200, /* runs that wait */
	BACKUPS_PUSH_MS = 1000, /* progress is pushed to the web process at most this often */
	BACKUPS_LISTS_MAX = 4, /* catalogues read at the same time */
	BACKUPS_STOP_MS = 8000, /* that a run gets to unwind when the daemon ends */
};

struct backups;

struct backups_options {
	struct loop *loop;
	struct db *db;
	struct http_client *http; /* for pings; NULL: none are sent */
	struct problems *problems;
	const char *state_dir;
	const char *const *worker_argv; /* NULL: this program's own */
	/* Takes the event over, as notify_event() does. */
	int (*on_event)(void *user, struct event *ev, struct err *e);
	/* Something about a run changed; `says` is what its worker said, or NULL at a change of state. */
	void (*on_change)(void *user, const json_t *run, const json_t *says);
	void *user;
	/* Until CLOCK_MONOTONIC, which begins with the host, shows this, only what people ask for is begun: databases
	 * start beside the agent, and one that was missed while the host was off is due at once. */
	int64_t quiet_until_ms;
};
enum { BACKUPS_QUIET_AFTER_BOOT_MS = 120000 };

/* Texts of the configuration are borrowed until the next backups_configure(). Runs that were under way when the last daemon
 * ended become "interrupted". */
int backups_new(const struct backups_options *o, const struct backup_config *c,
	struct backups **out, struct err *e);
/* A run that is under way gets BACKUPS_STOP_MS to unwind, then it is killed. NULL is fine. */
void backups_free(struct backups *b);
void backups_configure(struct backups *b, const struct backup_config *c);

/* What a run is asked for beside its job; texts NULL when not given. */
struct backups_request {
	const char *job, *what; /* "backup", "verify", "drill", "prune" */
	const char *trigger, *by;
	const char *backup, *store;
	bool dry_run;
};
/* Committed when it returns 0. -ENOENT: no such job, or it has no such store; -EINVAL: no such thing to do, or what is asked for beside it
 * does not go with it; -EAGAIN: too many wait. */
int backups_start(struct backups *b, const struct backups_request *q, int64_t *run, struct err *e);

/* 0: `done` gets the run (borrowed) later, when its worker has unwound. BACKUPS_CANCELLED: it only waited, and does so no more;
 * `done` is not called. -ENOENT: nothing of that number is under way. `by`: who asks, for the run's error. */
enum { BACKUPS_CANCELLED = 1 };
typedef void (*backups_run_fn)(void *user, const json_t *run);
int backups_cancel(struct backups *b, int64_t run, const char *by, backups_run_fn done, void *user,
	struct err *e);

/* Notes and tells what a command did by itself (a restore). */
int backups_report(struct backups *b, const char *job, const char *what, const json_t *result,
	int64_t started_ms, const char *by, int64_t *run, struct err *e);

/* New references. */
json_t *backups_jobs(struct backups *b); /* array */
size_t backups_running(const struct backups *b);
int backups_run(struct backups *b, int64_t run, json_t **out, struct err *e);
int backups_list_runs(
	struct backups *b, const struct backup_runs_query *q, json_t **out, struct err *e);

/* {"backups", "time_ms", "errors"}, as it was read last; -ENOENT: no such job. */
int backups_catalogue(struct backups *b, const char *job, json_t **out, struct err *e);
/* Asks the stores; `done` gets the same, later. -EAGAIN: too many are being asked. */
typedef void (*backups_list_fn)(void *user, const json_t *catalogue);
int backups_refresh(
	struct backups *b, const char *job, backups_list_fn done, void *user, struct err *e);

#endif
