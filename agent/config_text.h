/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a configuration file with its includes put in place, and where each line of it came
 * from. `@include "FILE"` on a line of its own takes in another file, or all that match a pattern
 * in alphabetical order; a relative name is looked for in the folder of the including file. Done
 * here and not by libconfig, because there relative names and limits differ from version to
 * version.
 *
 * Also finds what libconfig reports badly or not at all: an opened { [ ( " or comment that is never
 * closed.
 */
#ifndef AGENT_CONFIG_TEXT_H
#define AGENT_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/config_scan.h"
#include "agent/mistakes.h"
#include "base/buf.h"

enum {
	CONFIG_TEXT_MAX = 1 << 20, /* bytes of one file with its includes */
	CONFIG_FILES_MAX = 200, /* of one file with its includes */
	CONFIG_INCLUDE_DEPTH_MAX = 8, /* also ends an include of itself */
	CONFIG_SETTINGS_MAX = 5000 /* libconfig compares each name with all before it */
};

struct config_line {
	unsigned file; /* index into files */
	unsigned line;
};

struct config_text {
	struct buf text;
	char **files; /* as the user named them, or found */
	size_t n_files;
	struct config_line *lines; /* lines[i] is where line i + 1 of the text came from */
	size_t n_lines;
	size_t max_lines;
	unsigned broken; /* line with something unclosed, which was reported; 0: none */
	struct config_scan scan;
};

void config_text_done(struct config_text *t);

/* Reads a file and its includes. When root, files that others can write are refused. -ENOENT,
 * without a mistake added, when `path` itself does not exist; -EINVAL with mistakes added. What
 * could be read is in *t in any case. */
int config_text_read(struct config_text *t, const char *path, struct mistakes *m);
/* The same for text in memory, called `name` in mistakes. Includes are refused. */
int config_text_from_memory(
	struct config_text *t, const char *name, const char *text, size_t n, struct mistakes *m);

/* Where line `line` (from 1) of the text came from. */
void config_text_where(
	const struct config_text *t, unsigned line, const char **file, unsigned *file_line);
/* A copy of that line, cut to the size. */
void config_text_line(const struct config_text *t, unsigned line, char *to, size_t size);

#endif
