/* SPDX-License-Identifier: Apache-2.0
 *
 * From the configuration to what notify/ works with: rules, channels with their secrets,
 * maintenance windows. What the options of one block must have in common is checked here, so that
 * `agent config check`, a start and a reload report the same.
 */
#ifndef AGENT_NOTIFY_CONFIG_H
#define AGENT_NOTIFY_CONFIG_H

#include <stdbool.h>

#include "agent/config.h"
#include "agent/mistakes.h"
#include "base/cleanup.h"
#include "notify/notify.h"

struct notify_config;

/* Reads the files of secrets and templates. 0 and *out, which borrows from the configuration and
 * must go before it; or -EINVAL with mistakes added. */
int notify_config_new(const struct config *c, struct notify_config **out, struct mistakes *m);
void notify_config_free(struct notify_config *n); /* NULL is fine */
DEFINE_CLEANUP(struct notify_config *, notify_config_free);
const struct notify_settings *notify_config_settings(const struct notify_config *n);

/* The same without reading secrets or templates: for commands that need the rules. */
int notify_config_without_secrets(
	const struct config *c, struct notify_config **out, struct mistakes *m);

/* Adds the mistakes alone. A secret that this process cannot have is none: the agent may be another
 * user, and has an environment of its own. */
void notify_config_check(const struct config *c, struct mistakes *m);

#endif
