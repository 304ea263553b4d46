/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/recovery.h"

#define ALWAYS(what)                                                                               \
	{                                                                                          \
		what, what, what, what                                                             \
	}
#define LOOK(old, new, neither)                                                                    \
	{                                                                                          \
		RECOVERY_WAIT, old, new, neither                                                   \
	}

/* In the order of enum recovery_seen: unknown, old, new, neither. */
static const enum recovery_what table[DEPLOY_STATES][RECOVERY_SEEN] = {
	[DEPLOY_QUEUED] = ALWAYS(RECOVERY_GO_ON),
	/* Nothing but files of its own was made. */
	[DEPLOY_FETCHING] = ALWAYS(RECOVERY_REQUEUE),
	[DEPLOY_BUILDING] = ALWAYS(RECOVERY_REQUEUE),
	[DEPLOY_PUSHING] = ALWAYS(RECOVERY_REQUEUE),
	[DEPLOY_RELEASING] = ALWAYS(RECOVERY_REQUEUE),
	/* The engine may still be at stopping the old one: the hook waits for that, and what follows starts the new one. */
	[DEPLOY_STOPPING] = LOOK(RECOVERY_GO_ON, RECOVERY_RETURN, RECOVERY_RETURN),
	/* Neither: the first version of an app, or the old one is down for another reason. */
	[DEPLOY_STARTING] =
		LOOK(RECOVERY_REMOVE_AND_REQUEUE, RECOVERY_RETURN, RECOVERY_REMOVE_AND_REQUEUE),
	[DEPLOY_PROBING] =
		LOOK(RECOVERY_REMOVE_AND_REQUEUE, RECOVERY_RETURN, RECOVERY_REMOVE_AND_REQUEUE),
	/* The switch is one step: it was done or it was not. When it was, the hook is run once more, because it also looks
	 * whether the new version answers. */
	[DEPLOY_ROUTING] = LOOK(RECOVERY_REMOVE_AND_REQUEUE, RECOVERY_GO_ON, RECOVERY_RETURN),
	[DEPLOY_WATCHING] = LOOK(RECOVERY_RETURN, RECOVERY_GO_ON, RECOVERY_RETURN),
	/* Going on stops the old version: only while the new one gets the requests. */
	[DEPLOY_DRAINING] = LOOK(RECOVERY_RETURN, RECOVERY_GO_ON, RECOVERY_RETURN),
	[DEPLOY_REMOVING] = LOOK(RECOVERY_GO_ON, RECOVERY_RETURN, RECOVERY_GO_ON),
	[DEPLOY_RETURNING] = LOOK(RECOVERY_GO_ON, RECOVERY_GO_ON, RECOVERY_GO_ON),
	[DEPLOY_DONE] = ALWAYS(RECOVERY_END),
	[DEPLOY_FAILED] = ALWAYS(RECOVERY_END),
	[DEPLOY_ROLLED_BACK] = ALWAYS(RECOVERY_END),
	[DEPLOY_BROKEN] = ALWAYS(RECOVERY_END),
	[DEPLOY_SKIPPED] = ALWAYS(RECOVERY_END),
	[DEPLOY_SUPERSEDED] = ALWAYS(RECOVERY_END),
	[DEPLOY_CANCELLED] = ALWAYS(RECOVERY_END),
};

/* While it starts, the old version is stopped: the new one is let be if it serves, else the old one is put back. */
static const enum recovery_what recreate_starting[RECOVERY_SEEN] =
	LOOK(RECOVERY_REMOVE_AND_REQUEUE, RECOVERY_GO_ON, RECOVERY_RETURN);

enum recovery_what recovery_judge(
	enum deploy_state s, enum deploy_strategy strategy, enum recovery_seen seen)
{
	if (strategy == DEPLOY_RECREATE && (s == DEPLOY_STARTING || s == DEPLOY_PROBING))
		return recreate_starting[seen];
	return table[s][seen];
}

bool recovery_must_look(enum deploy_state s)
{
	return table[s][RECOVERY_UNKNOWN] == RECOVERY_WAIT;
}
