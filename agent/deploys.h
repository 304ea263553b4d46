/* SPDX-License-Identifier: Apache-2.0
 *
 * Deploys within the daemon: what is accepted is committed, waits its turn, and goes through its stages (machine.h), each a
 * hook as processes of its own; every step is committed before it is taken, so that after a crash each deploy goes on
 * to its defined end. A deploy is a JSON object as CONTROL.md describes it.
 */
#ifndef AGENT_DEPLOYS_H
#define AGENT_DEPLOYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/deploy_config.h"
#include "agent/deploy_runs.h"
#include "base/db.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/problem.h"
#include "deploy-hooks/deploy.h"

enum {
	DEPLOYS_WAITING_MAX = 100, /* over all apps; each has at most one */
	DEPLOYS_PROBE_MS = 5000, /* between two probes in the watch window */
	DEPLOYS_TICK_MS = 5000, /* what waits for memory, disk, an engine is looked at again */
	DEPLOYS_LOGS_KEPT = 100, /* of each app; of 9 MiB at most */
	DEPLOYS_LOG_NEWS_MS = 250, /* followers hear of new lines at most this often */
};

/* How the line of its log begins that says that the agent was started anew in the middle of it. */
#define DEPLOYS_ENDED_HERE "the agent ended here; it goes on now"

struct deploys;

/* What the measurements say of a container of ours. */
struct deploys_vitals {
	bool known; /* it is measured at all */
	bool running;
	uint64_t restarts, oom_kills; /* since it was made */
};

struct deploys_options {
	struct loop *loop;
	struct db *db;
	struct problems *problems;
	const char
		*state_dir; /* absolute; deploys/APP/ID.log, work folders and caches are below it */
	const char *runtime_dir; /* in memory: /run/agent, or below the state folder */
	const char *shipped_hooks; /* the folder with STAGE/NAME and lib/ */
	const char *cgroup; /* delegated (deploy_cgroup_home.h); NULL: none */
	/* It has ended, however; its log is whole but for what observers add. Called once. */
	void (*on_end)(void *user, const struct deploy *d);
	/* Its record changed; committed already. */
	void (*on_change)(void *user, const struct deploy *d);
	/* Its log has grown to `size`: the next offset. */
	void (*on_log)(void *user, int64_t deploy, uint64_t size);
	/* May be NULL: then nothing is known. */
	void (*vitals)(
		void *user, const char *app, const char *container, struct deploys_vitals *out);
	/* Bytes free for a build: of the disk with the state folder and Docker's, of memory; may be NULL. */
	void (*room)(void *user, int64_t *disk_bytes, int64_t *memory_bytes);
	void *user;
};

/* The configuration is borrowed until the next deploys_configure(). What was under way when the last daemon ended goes on
 * once the loop turns. */
int deploys_new(const struct deploys_options *o, const struct deploy_config *c,
	struct deploys **out, struct err *e);
/* Hooks that run are ended; what was under way is continued by the next daemon. NULL is fine. */
void deploys_free(struct deploys *s);
void deploys_configure(struct deploys *s, const struct deploy_config *c);

/* What came of a request. */
struct deploys_accepted {
	enum { DEPLOYS_QUEUED, DEPLOYS_DUPLICATE } what;
	int64_t id; /* of the deploy that was made, or that it is already */
	int64_t superseded; /* the one that waited until now; 0: none */
};
/* Takes `d` over: its app, trigger, by, and what is to be deployed are set (delivery_change_from_json(), or by hand). Committed
 * when it returns 0. -ENOENT: no such app; -EINVAL: it cannot be deployed that way; -EAGAIN: too many wait. */
int deploys_accept(
	struct deploys *s, struct deploy *d, struct deploys_accepted *out, struct err *e);

/* By hand. Texts NULL when not given: the branch of the app, its newest commit. */
struct deploys_request {
	const char *app, *trigger, *by;
	const char *ref; /* "main", "v1.2", "refs/heads/main" */
	const char *commit;
	const char *image; /* instead of source */
};
int deploys_start(struct deploys *s, const struct deploys_request *q, struct deploys_accepted *out,
	struct err *e);
/* To the version before the one that serves, or to that of the deploy `to`. -ENOENT: there is none to go back to. */
int deploys_rollback(struct deploys *s, const char *app, int64_t to, const char *by,
	const char *trigger, struct deploys_accepted *out, struct err *e);

/* 0: `done` gets it (borrowed) later, when all its processes have ended and the old version serves. DEPLOYS_CANCELLED: it
 * only waited. -ENOENT: nothing of that number is under way; -EALREADY: it is past where that can be. */
enum { DEPLOYS_CANCELLED = 1 };
typedef void (*deploys_done_fn)(void *user, const struct deploy *d);
int deploys_cancel(struct deploys *s, int64_t id, const char *by, deploys_done_fn done, void *user,
	struct err *e);

/* New references. One under way is as it is now; one that waits has `position` and, when it is held up, `waits_for`. */
int deploys_get(struct deploys *s, int64_t id, json_t **out, struct err *e);
int deploys_list(struct deploys *s, const struct deploy_runs_query *q, json_t **out, struct err *e);
json_t *deploys_apps(struct deploys *s); /* array: each app, what serves, what is under way */
size_t deploys_running(const struct deploys *s);
/* Whether the app is being swapped now: no alarm about its containers. */
bool deploys_is_swapping(const struct deploys *s, const char *app);

/* The path of its log; the caller's. Its existence is not checked. */
char *deploys_log_path(const struct deploys *s, const char *app, int64_t id);

/* A copy of the deploy whose version serves; the caller's. NULL: there is none. */
struct deploy *deploys_serving(struct deploys *s, const char *app);
/* Adds the last whole lines of its log, about `max` bytes. */
void deploys_log_tail(struct deploys *s, const struct deploy *d, size_t max, struct buf *out);

/* Which file serves each stage of the app and what is wrong; array of {"stage","role","name","path","override","problem","note"}. */
int deploys_check(struct deploys *s, const char *app, json_t **out, struct err *e);

#endif
