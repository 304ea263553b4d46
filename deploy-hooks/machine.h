/* SPDX-License-Identifier: Apache-2.0
 *
 * The stages one after the other, as a pure function: what came of a step leads to the next one. What it returns is
 * committed before it is done.
 *
 * Hooks that have nothing to do: of `fetch`, `filter`, `build` and `start` that means there is nothing to deploy, and it
 * ends as skipped; the other stages count as done.
 * A rollback (`rollback_of`) begins at pre-start with what it is given in d->new; an image (neither ref nor commit) is
 * not fetched.
 * `revert`: of start, the new version is stopped; of stop, the old one runs again; of route, it gets the requests again. They
 * fail when that is not so in the end, and are done when it was so already.
 */
#ifndef DEPLOY_HOOKS_MACHINE_H
#define DEPLOY_HOOKS_MACHINE_H

#include "deploy-hooks/deploy.h"
#include "deploy-hooks/recovery.h"

enum machine_event {
	MACHINE_BEGIN, /* its turn has come (queue_next()) */
	MACHINE_STEP_DONE, /* the hook of this stage is done, or there is none: most apps have no gates */
	MACHINE_STEP_AGAIN, /* it failed for a while; attempts are counted here */
	MACHINE_STEP_SKIP, /* it has nothing to do */
	MACHINE_STEP_FAILED, /* or its deadline is over */
	MACHINE_WATCH_OVER, /* healthy all the time, and just now */
	MACHINE_UNHEALTHY, /* during the watch: restarts, OOM, probe, a limit of the agent's own figures */
	MACHINE_DRAIN_OVER,
	MACHINE_CANCEL, /* somebody wants it ended; all processes of its hook have ended */
	MACHINE_EVENTS
};

enum {
	/* Undoing is tried for longer than doing: what serves depends on it. With MACHINE_WAIT_MAX_MS about a quarter of an hour,
	 * which a container engine needs to be updated, or a disk to be checked. */
	MACHINE_UNDO_ATTEMPTS_MAX = 18,
	MACHINE_WAIT_MIN_MS = 5000, /* before the second attempt; then six times as long each */
	MACHINE_WAIT_MAX_MS = 60000,
};

struct machine_step {
	enum deploy_state state; /* committed first */
	/* Then this hook is run, or nothing: NULL. `watching` and `draining` without a hook last until d->deadline_ms, which is
	 * in wait_ms; an end without a hook is over. An end with a hook: observers. What comes of those changes nothing, but the machine is told of it, so that the record has how long they took. */
	const char *stage, *verb;
	int64_t wait_ms; /* before it; 0: at once */
	bool ignored; /* the event means nothing here: what runs goes on, nothing is to be committed */
};
/* `d` says where it is; all in it is set but its id, its versions and what hooks answer. `why`, for what failed, was
 * cancelled or skipped: a sentence that goes into d->error; NULL: a general one. */
struct machine_step machine_next(
	struct deploy *d, enum machine_event ev, const char *why, int64_t now_ms);
/* Whether MACHINE_CANCEL would end it. Not once it is draining, returning or removing: that is finished. */
bool machine_can_cancel(const struct deploy *d);

/* Continues a deploy that was under way when the agent ended; `what` as recovery_judge() says, but RECOVERY_WAIT. Nothing
 * of it runs any more. After RECOVERY_REQUEUE the step's state is `queued`; one that was requeued before fails instead. */
struct machine_step machine_recover(struct deploy *d, enum recovery_what what, int64_t now_ms);

#endif
