/* SPDX-License-Identifier: Apache-2.0
 *
 * One deploy: what it is of, how far it is, what came of it. The record is committed before each step is taken, so
 * that after a crash the state says what may have happened: everything up to it, and perhaps the step itself.
 *
 *   queued -> fetching -> building -> pushing -> releasing -> starting -> probing -> routing -> watching -> draining -> done
 *                |            |          |           |            |          |          |           |
 *                +------------+----------+-----------+            +----------+          +-----------+
 *                                     v                                v                      v
 *                                  failed <--------------------- removing          returning -> rolled_back
 *
 * Up to `probing` nothing that serves was touched: a failure ends in `failed`, once the new version is removed again.
 * From `routing` on the old version is put back first (`returning`). `draining` cannot fail: the new version serves and
 * was watched.
 *
 * Where two versions cannot run at once (DEPLOY_RECREATE: volumes, ports of the host) `stopping` comes between releasing
 * and starting: the old version is stopped, and all failures from there on lead to `returning`.
 */
#ifndef DEPLOY_HOOKS_DEPLOY_H
#define DEPLOY_HOOKS_DEPLOY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

enum deploy_state {
	DEPLOY_QUEUED,
	DEPLOY_FETCHING,
	DEPLOY_BUILDING,
	DEPLOY_PUSHING,
	DEPLOY_RELEASING,
	DEPLOY_STOPPING, /* DEPLOY_RECREATE only: the old version, before the new one starts */
	DEPLOY_STARTING,
	DEPLOY_PROBING,
	DEPLOY_ROUTING,
	DEPLOY_WATCHING,
	DEPLOY_DRAINING,
	DEPLOY_REMOVING, /* the new version is removed, which never got a request */
	DEPLOY_RETURNING, /* the old version is put back */
	/* ends */
	DEPLOY_DONE,
	DEPLOY_FAILED, /* nothing that serves was changed */
	DEPLOY_ROLLED_BACK, /* the old version serves again */
	DEPLOY_BROKEN, /* neither could be made to serve: somebody must look */
	DEPLOY_SKIPPED, /* nothing to do: no path matched, the same image runs already */
	DEPLOY_SUPERSEDED, /* a newer push came while it waited; `by` says which */
	DEPLOY_CANCELLED,
	DEPLOY_STATES
};
const char *deploy_state_name(enum deploy_state s); /* "queued" */
int deploy_state_find(const char *name, enum deploy_state *out); /* -ENOENT */
bool deploy_state_is_end(enum deploy_state s);
/* Ended, and the app is as was asked for: done, skipped. */
bool deploy_state_is_good(enum deploy_state s);

enum deploy_strategy {
	DEPLOY_START_FIRST, /* the new version beside the old one: no request is lost */
	/* The old one is stopped first: the app is away in between, for `downtime_ms`. Of every app whose start hook cannot
	 * start the old version while the new one runs: the way back depends on it. */
	DEPLOY_RECREATE,
	DEPLOY_STRATEGIES
};
const char *deploy_strategy_name(enum deploy_strategy s); /* "start-first" */
int deploy_strategy_find(const char *name, enum deploy_strategy *out); /* -ENOENT */
/* Whether what serves may have been touched. */
bool deploy_state_touches(enum deploy_state s, enum deploy_strategy strategy);

enum {
	DEPLOY_REF_SIZE = 256,
	DEPLOY_COMMIT_SIZE = 65, /* SHA-1 or SHA-256, hexadecimal */
	DEPLOY_TEXT_SIZE = 200, /* subjects, names of people */
	DEPLOY_NAME_SIZE = 64, /* of an app: [a-z0-9][a-z0-9_-]* */
	DEPLOY_IMAGE_SIZE = 512,
	DEPLOY_ADDRESS_SIZE = 64, /* "172.17.0.3:8080" */
	DEPLOY_STAGE_SIZE = 24, /* "build" */
	DEPLOY_ERROR_SIZE = 1000,
	DEPLOY_VERDICT_SIZE = 800,
	DEPLOY_STAGES_MAX = 100, /* kept in the record of one deploy */
	DEPLOY_ATTEMPTS_MAX = 3, /* of one stage that says 75 */
};

/* A version of an app that runs, or ran: what a rollback needs. */
struct deploy_version {
	char image[DEPLOY_IMAGE_SIZE], digest[80], container[80], address[DEPLOY_ADDRESS_SIZE];
};

struct deploy {
	int64_t id; /* counts from 1, over all apps */
	char app[DEPLOY_NAME_SIZE];
	enum deploy_state state;
	enum deploy_strategy strategy; /* of the app when it began, as are the next two */
	int64_t watch_ms, drain_ms;
	char trigger[16], by[DEPLOY_TEXT_SIZE]; /* who asked: "webhook", "octocat" */
	char provider[16], delivery[80];
	char ref[DEPLOY_REF_SIZE]; /* "refs/heads/main"; "" for an image */
	char commit[DEPLOY_COMMIT_SIZE], before[DEPLOY_COMMIT_SIZE]; /* "" when not known */
	char author[DEPLOY_TEXT_SIZE], subject[DEPLOY_TEXT_SIZE];
	int64_t queued_ms, started_ms, ended_ms; /* wall; 0: not yet */
	int64_t deadline_ms; /* of the watch window or the drain, wall: it survives a restart */
	char stage[DEPLOY_STAGE_SIZE]; /* within the state: a hook's, "watch", "drain"; "": none */
	unsigned attempt; /* of the present stage, from 1 */
	unsigned requeued; /* times it was run again because the agent had ended in the middle */
	struct deploy_version new, old;
	enum deploy_state after; /* while removing or returning: where that leads */
	enum deploy_state failed_in; /* with an end that is not good */
	/* One line for people. Of one that is done: what could not be cleared away. */
	char error[DEPLOY_ERROR_SIZE];
	int64_t rollback_of, superseded_by; /* deploys; 0: none */
	/* What the measurements say ten minutes after it was done (agent/deploy_verdict.h); grade "" and 0: nothing yet. */
	int64_t verdict_ms;
	char verdict_grade[16]; /* "good", "worse", "unknown" */
	char verdict[DEPLOY_VERDICT_SIZE]; /* "CPU 12.1 % -> 25.3 % (+109 %), memory ..." */
	int64_t downtime_ms; /* measured, by a hook or else by machine.h with DEPLOY_RECREATE; -1: not measured */
	/* Array of {"stage","verb","state","started_ms","ended_ms","attempts"}, in order; the state is one of "running", "done",
	 * "skipped", "failed", "cancelled", "interrupted" (the agent ended); "watch" and "drain" have the verb "". One that no hook serves has "nothing": true. Owned. */
	json_t *stages;
	json_t *document; /* commits and files of the delivery; owned, may be NULL */
};

struct deploy *deploy_new(const char *app);
void deploy_free(struct deploy *d); /* NULL is fine */
DEFINE_CLEANUP(struct deploy *, deploy_free);

/* Whether a version served before. */
bool deploy_has_old(const struct deploy *d);
/* Ends it: for who does not go by machine.h (superseded). */
void deploy_end(struct deploy *d, enum deploy_state end, int64_t now_ms);

/* Keys as the fields; what the API, the command line and the database have. Bytes that are no UTF-8 become `?`. A new
 * reference. */
json_t *deploy_to_json(const struct deploy *d);
/* Members that are missing are as in deploy_new(). -EBADMSG: not one that deploy_to_json() wrote. */
int deploy_from_json(const json_t *j, struct deploy **out, struct err *e);

#endif
