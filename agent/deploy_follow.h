/* SPDX-License-Identifier: Apache-2.0
 *
 * Watches one deploy to its end: asks the agent for its record and for what its log has more each time something is told of
 * it, and goes on where it was when the agent is restarted in between. Ctrl-C ends the watching, not the deploy.
 */
#ifndef AGENT_DEPLOY_FOLLOW_H
#define AGENT_DEPLOY_FOLLOW_H

#include <stdint.h>

#include "agent/command.h"

enum {
	DEPLOY_FOLLOW_BACK_MS = 120 * 1000, /* a restart of the agent, or an update */
	DEPLOY_FOLLOW_TICK_MS = 1000,
};

enum deploy_follow_how {
	DEPLOY_FOLLOW_STORY, /* headings, lines, how it ended; the exit code says it too */
	DEPLOY_FOLLOW_LOG, /* the lines of the log with their times, nothing else */
	DEPLOY_FOLLOW_LOG_ONCE, /* those that are there now */
};

/* Blocks. Returns the exit code; 128 and the signal when it was interrupted. With --json one object a line: {"deploy"} when the
 * record has changed, {"time","stage","text"} for each line of the log; the last one is the record as it ended. */
int deploy_follow(const struct command_call *c, int64_t deploy, enum deploy_follow_how how);

#endif
