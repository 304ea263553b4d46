/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of options. Checking, `agent config show`, the sample file and the manual page all come
 * from the rows in options.def, so an option is added in one place. Pure: knows nothing of files.
 *
 * A name is a path through the groups of the file: `containers = { exclude = [...] }` is
 * "containers.exclude". A segment `*` in the table stands for any name: "stores.*.bucket" covers
 * "stores.offsite.bucket".
 */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum option_type {
	OPTION_ADDRESS, /* "0.0.0.0:4500", "[::]:4500"; numeric */
	OPTION_BOOL, /* true, false */
	OPTION_CHOICE, /* one of `choices`; its number is the index there */
	OPTION_DURATION, /* "20s"; number in milliseconds */
	OPTION_INT, /* 64 */
	OPTION_PATH, /* an absolute path */
	OPTION_SECRET_FILE, /* where a secret comes from; secret.h */
	OPTION_SIZE, /* "512M"; number in bytes */
	OPTION_STRING,
};

enum {
	OPTION_LIST = 1, /* any number of values from min to max */
	OPTION_REQUIRED = 2, /* of a named block: must be given */
	OPTION_SECRET = 4, /* never printed */
	OPTION_SYSTEM = 8, /* the default is the system's own; `dflt` says so in words */
	OPTION_RESTART = 32, /* running parts hold on to it: a change needs a restart */
	OPTION_EXAMPLE = 16, /* not set unless the user sets it; `dflt` is an example */
};

enum {
	OPTION_NAME_MAX = 200, /* bytes of a full name, with the names the user chose */
	OPTION_VALUE_MAX = 4096 /* bytes of one value */
};

/* A rule the type does not express. 0, or a negative errno with what is wrong and what was
 * expected. */
typedef int (*option_check_fn)(const char *text, struct err *e);

struct option {
	const char *name;
	enum option_type type;
	unsigned flags;
	const char *dflt; /* NULL: not set */
	int64_t min; /* min == max == 0: any */
	int64_t max;
	const char *choices; /* names with a space between */
	option_check_fn check; /* may be NULL */
	const char *doc; /* one sentence with its full stop */
};

struct options {
	const struct option *rows;
	size_t n;
};

/* The program's own table. Tests bring others. */
extern const struct options options_all;

/* The row for a full name ("stores.offsite.bucket"), or NULL. */
const struct option *options_find(const struct options *t, const char *name);
/* Whether `name` is a group: some row lies below it. */
bool options_is_group(const struct options *t, const char *name);
/* The known member of group `parent` ("" for the top) that `name` most likely means; false when
 * none is near. */
bool options_nearest(
	const struct options *t, const char *parent, const char *name, char *to, size_t size);

/* Checks one value as a user writes it, without quotes. *number is the value of the types that
 * have one, else 0. The message says what is wrong and what was expected. Does not look at the
 * file of an OPTION_SECRET_FILE. */
int option_parse(const struct option *o, const char *text, int64_t *number, struct err *e);
/* "a duration from 1s to 1h", "error, warning, info or debug", "a list of paths". */
void option_describe(const struct option *o, char *to, size_t size);
/* Adds the value as it is written in a file: quoted, bare or in brackets. Secrets become ***,
 * also a password inside a URL. */
void option_print(
	const struct option *o, const char *const *values, size_t n_values, struct buf *out);
/* One value ready to be shown: "***" for secrets, the password in a URL replaced. */
void option_shown(const struct option *o, const char *value, char *to, size_t size);

/* Calls fn for each value of the default, or of the example, as written in the table ("a, b, c");
 * for an option that is no list once, for "" never. */
typedef void (*option_value_fn)(void *user, const char *value);
void option_each_default(const struct option *o, option_value_fn fn, void *user);

#endif
