/* SPDX-License-Identifier: Apache-2.0
 *
 * What waits: at most one deploy of each app, the newest. Pure; the rows are the database's (agent/deploys.h).
 */
#ifndef DEPLOY_HOOKS_QUEUE_H
#define DEPLOY_HOOKS_QUEUE_H

#include "deploy-hooks/deploy.h"

/* What an accepted request does to what is there. */
enum queue_verdict {
	QUEUE_ADD,
	QUEUE_SUPERSEDE, /* `which` waits and is superseded by the new one */
	QUEUE_DUPLICATE, /* `which` is it already */
	QUEUE_FULL, /* too many wait: 429 */
};
/* `deploys`: all that have not ended, and those of the last 7 days that ended well or were superseded (more do not harm).
 *
 * A duplicate is the same delivery once more, unless the first one failed; a superseded one too, because senders that
 * repeat themselves would otherwise bring the older commit back. Or it is the commit which the newest deploy of this
 * ref has, waiting, running or well ended: a branch that goes back to an earlier commit is deployed again. Or it comes
 * late: the one that waits, runs or was asked for within QUEUE_LATE_MS is of the push right after it. A request by hand
 * (not of a webhook) is never a duplicate. */
enum { QUEUE_LATE_MS = 10 * 60 * 1000 };
enum queue_verdict queue_judge(const struct deploy *const *deploys, size_t n,
	const struct deploy *new, size_t max_waiting, const struct deploy **which);

/* What the new one is more than the last that was deployed: with what the superseded one would have brought, if it is the push
 * right after that. */
void queue_take_over(struct deploy *new, const struct deploy *superseded);

/* The next to start, oldest first, of an app that has none running, while fewer than max_builds run; NULL: none. One
 * that only waits in its watch or drain does not count as a build; a rollback needs none. */
const struct deploy *queue_next(const struct deploy *const *open, size_t n, size_t max_builds);
/* The newer one of the same app that waits: `d`, which is to be run again after a crash, is superseded by it. NULL: none. */
const struct deploy *queue_newer(
	const struct deploy *const *open, size_t n, const struct deploy *d);
/* From 1; 0: it does not wait. */
size_t queue_position(const struct deploy *const *open, size_t n, const struct deploy *d);

#endif
