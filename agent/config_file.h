/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of a configuration file to settings: every name and value is checked against the
 * table of options.
 */
#ifndef AGENT_CONFIG_FILE_H
#define AGENT_CONFIG_FILE_H

#include "agent/config_text.h"
#include "agent/mistakes.h"
#include "agent/options.h"
#include "agent/settings.h"

/* Adds what the text sets; a setting that is already there (of an earlier file) is replaced, a
 * group is joined. All mistakes are added to *m; settings with a mistake are left out. */
void config_file_take(const struct options *table, const struct config_text *t,
	struct settings *into, struct mistakes *m);

#endif
