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

enum { BACKUP_NAME_MAX = 64 };

/* New reference. */
json_t *backup_settings(const struct config *c, const char *group, const char *name);

#endif
