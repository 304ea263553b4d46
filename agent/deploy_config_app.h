/* SPDX-License-Identifier: Apache-2.0
 *
 * What the options of one app must have in common, for deploy_config.c.
 */
#ifndef AGENT_DEPLOY_CONFIG_APP_H
#define AGENT_DEPLOY_CONFIG_APP_H

#include "agent/config_block.h"
#include "agent/deploy_config.h"

/* Whether that of a hook that ships with the agent has this name. */
bool deploy_config_app_ships(enum deploy_app_driver what, const char *name);
/* Of an app that is filled in. Messages name the cure. */
void deploy_config_app_check(
	const struct config_block *b, const struct deploy_app *a, struct mistakes *m);

#endif
