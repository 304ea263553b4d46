/* SPDX-License-Identifier: Apache-2.0
 *
 * After a crash of the agent, or of the server: one continuation for each state, as a table with a test per cell.
 * What it leads to is machine_recover(). The thought behind it: whoever gets the requests and can keep them does; when
 * nobody gets them, the version that is known to be good is put back.
 */
#ifndef DEPLOY_HOOKS_RECOVERY_H
#define DEPLOY_HOOKS_RECOVERY_H

#include "deploy-hooks/deploy.h"

/* What `status` of the route and start hooks found. */
enum recovery_seen {
	RECOVERY_UNKNOWN, /* the engine or the router does not answer: asked again later */
	RECOVERY_OLD, /* the old version gets the requests */
	RECOVERY_NEW, /* the new one does */
	RECOVERY_NEITHER,
	RECOVERY_SEEN
};
enum recovery_what {
	RECOVERY_REQUEUE, /* end what is left of it, run it again from the start; the second time: fail */
	RECOVERY_REMOVE_AND_REQUEUE, /* the new version's container too */
	RECOVERY_GO_ON, /* from the state as it is; deadlines are wall times */
	RECOVERY_RETURN, /* put the old version back; without one: take the new one away */
	RECOVERY_WAIT, /* look again */
	RECOVERY_END, /* nothing to do */
	RECOVERY_WHATS
};
enum recovery_what recovery_judge(
	enum deploy_state s, enum deploy_strategy strategy, enum recovery_seen seen);
/* Whether the state needs `status` to be asked at all. */
bool recovery_must_look(enum deploy_state s);

#endif
