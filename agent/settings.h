/* SPDX-License-Identifier: Apache-2.0
 *
 * A sorted list of settings by full name: what a configuration is made of. A setting without an
 * option is a group that the user wrote (it may be empty). Used by config.c and its readers only.
 */
#ifndef AGENT_SETTINGS_H
#define AGENT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/options.h"

struct setting {
	char *name;
	char *origin; /* "/etc/agent/agent.conf:12", "default", "system", "command line" */
	const struct option *option; /* NULL: a group */
	char **values;
	int64_t *numbers;
	size_t n;
	bool chosen; /* by the user, not a default */
};

struct settings {
	struct setting *list; /* by name */
	size_t n;
	size_t max;
};

void settings_done(struct settings *s);
/* NULL when there is none. */
const struct setting *settings_find(const struct settings *s, const char *name);
/* Adds a setting without values, or empties the one that is there, and returns it; valid until
 * the next call. */
struct setting *settings_put(struct settings *s, const char *name, const struct option *option,
	const char *origin, bool chosen);
void setting_add(struct setting *s, const char *value, int64_t number);
/* Index of the first setting whose name is not before `name`. */
size_t settings_position(const struct settings *s, const char *name);
bool setting_equal(const struct setting *a, const struct setting *b);

#endif
