/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a configuration and its last steps, shared by config.c, config_build.c and
 * config_load.c only.
 */
#ifndef AGENT_CONFIG_BUILD_H
#define AGENT_CONFIG_BUILD_H

#include <stddef.h>

#include "agent/config.h"
#include "agent/mistakes.h"
#include "agent/options.h"
#include "agent/settings.h"
#include "collectors/rrd_layout.h"

struct pattern_group {
	char *group;
	char **list;
	size_t n;
};

struct config {
	const struct options *table;
	struct settings settings;
	struct rrd_layout layout;
	struct pattern_group *patterns;
	size_t n_patterns;
};

/* After the files: what only makes sense together is checked, defaults are filled in, patterns
 * and the layout are worked out. */
void config_build(struct config *c, struct mistakes *m);

#endif
