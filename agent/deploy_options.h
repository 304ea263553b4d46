/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of an app as hooks get them: one object, the names with `_` for the dot ("health.path" is health_path, and
 * options.nginx_folder is nginx_folder).
 */
#ifndef AGENT_DEPLOY_OPTIONS_H
#define AGENT_DEPLOY_OPTIONS_H

#include <jansson.h>

#include "agent/config_block.h"
#include "agent/mistakes.h"

/* A new reference. Yes and no are "yes" and "no", so that a hook can tell no from not set; times are "90s" or "1500ms";
 * sizes are bytes; lists are arrays. What is a secret's file, and what no hook is asked about (webhook, rollback_if,
 * status_*) is not in it. */
json_t *deploy_options(const struct config *c, const char *app);
/* Names in `options` that are none, or those of options of their own. */
void deploy_options_check(const struct config_block *b, struct mistakes *m);

#endif
