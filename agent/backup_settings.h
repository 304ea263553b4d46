/* SPDX-License-Identifier: Apache-2.0
 *
 * One block of the configuration as a JSON object: members with the names of the options ("keep.daily" becomes
 * "keep": {"daily": ..}), lists as arrays, durations in milliseconds, sizes in bytes, and "name". Options that are not set
 * are absent, and so is what is a secret itself.
 */
#ifndef AGENT_BACKUP_SETTINGS_H
#define AGENT_BACKUP_SETTINGS_H

#include <jansson.h>

#include "agent/config_block.h"

/* New reference. */
json_t *backup_settings(const struct config *c, const char *group, const char *name);

/* What those who read it find wrong becomes mistakes of the block. */
void backup_settings_check_job(const struct config_block *b, json_t *settings, struct mistakes *m);
void backup_settings_check_store(
	const struct config_block *b, const json_t *settings, struct mistakes *m);

#endif
