/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration: every option of the table with its effective value and where that came from. A
 * struct config never changes once it is loaded; a reload loads a new one and takes it whole or not
 * at all. With no file at all everything has its default.
 *
 * Files: /etc/agent/agent.conf, then /etc/agent/conf.d/[*].conf in alphabetical order, in the
 * syntax of libconfig. A setting of a later file replaces that of an earlier one; groups are
 * joined. The names of the getters are full names as in options.def; asking for one that is in no
 * row, or as another type, is a programming error (assert).
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/mistakes.h"
#include "agent/options.h"
#include "base/cleanup.h"
#include "collectors/collector.h"
#include "collectors/rrd_layout.h"

#define CONFIG_FOLDER "/etc/agent"

struct config;

/* A value that wins over the files, such as --listen. */
struct config_override {
	const char *name, *value;
	const char *origin; /* "--listen", for messages */
};

/* Loads. `path` NULL: CONFIG_FOLDER, where nothing needs to exist. A folder: agent.conf and
 * conf.d/[*].conf in it. A file: that one (with what it includes), which must exist. Returns 0,
 * or -EINVAL with at least one mistake and *out untouched. Reads files, so it can block as long
 * as they do. */
int config_load(const char *path, const struct config_override *overrides, size_t n_overrides,
	struct config **out, struct mistakes *m);
/* The same from memory and for any table: for tests. `name` stands for the file's name. */
int config_from_memory(const struct options *table, const char *name, const char *text, size_t n,
	struct config **out, struct mistakes *m);
void config_free(struct config *c); /* NULL is fine */
DEFINE_CLEANUP(struct config *, config_free);

/* All borrowed, valid as long as the configuration. Of an option in a named block that does not
 * exist, or that is not set and has no default: NULL, 0, false, an empty list. */
const char *config_string(const struct config *c, const char *name); /* address, path, choice too */
bool config_bool(const struct config *c, const char *name);
int64_t config_int(const struct config *c, const char *name);
int64_t config_duration_ms(const struct config *c, const char *name);
int64_t config_size_bytes(const struct config *c, const char *name);
size_t config_choice(const struct config *c, const char *name); /* index in the row's choices */
size_t config_list(const struct config *c, const char *name, const char *const **out);

/* Names of the members of a group that the user named, alphabetical: "stores" -> "offsite", ...
 * At most `max` are written; returns how many there are. */
size_t config_names(const struct config *c, const char *group, const char **out, size_t max);
/* Whether the user set it, here or in an override; also whether a group is there
 * ("apps.shop.health"). */
bool config_is_set(const struct config *c, const char *name);
/* "/etc/agent/agent.conf:12", "default", "system", "--listen". Of a group: where it first
 * appears. NULL when there is none. */
const char *config_origin(const struct config *c, const char *name);

/* NAME.exclude and NAME.include as one ordered list for str_matches_any(): what is excluded,
 * then what is included, and when there is an include, nothing else. `group` is "containers",
 * "services", "filesystems", "disks" or "interfaces". */
struct patterns config_patterns(const struct config *c, const char *group);
/* `interval` and `retention`. */
const struct rrd_layout *config_layout(const struct config *c);

/* Calls fn for each option with its value, by name. Not for groups. */
struct config_view {
	const char *name;
	const struct option *option;
	const char *const *values;
	size_t n_values; /* 0: not set, or an empty list */
	const char *origin;
};
typedef void (*config_view_fn)(void *user, const struct config_view *v);
void config_each(const struct config *c, config_view_fn fn, void *user);

/* Calls fn for each name whose value differs, or that only one of the two has, by name. Returns
 * how many. */
typedef void (*config_diff_fn)(void *user, const char *name);
size_t config_diff(
	const struct config *before, const struct config *after, config_diff_fn fn, void *user);

#endif
