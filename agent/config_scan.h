/* SPDX-License-Identifier: Apache-2.0
 *
 * A light look at the syntax of libconfig, one line at a time: what is inside a string or a
 * comment, and which brackets are open. Enough to find includes and unclosed things with the line
 * where they began. A string must end in its line: libconfig would swallow all up to the next quote
 * and complain about something else.
 */
#ifndef AGENT_CONFIG_SCAN_H
#define AGENT_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { CONFIG_SCAN_DEPTH = 32 };

enum config_scan_state { SCAN_CODE, SCAN_STRING, SCAN_COMMENT };

struct config_scan {
	enum config_scan_state state;
	unsigned comment_line; /* where the comment began */
	char last; /* character of code before this one, spaces aside */
	size_t depth;
	struct {
		char bracket;
		unsigned line;
	} open[CONFIG_SCAN_DEPTH];
	size_t n_settings; /* '=' and ':' in code */
};

/* Takes the next line (without its newline), number `line`. -EINVAL with what is wrong in it. */
int config_scan_line(
	struct config_scan *s, const char *text, size_t n, unsigned line, struct err *e);
/* After the last line: -EINVAL and *line, where the thing began that is still open. */
int config_scan_end(const struct config_scan *s, unsigned *line, struct err *e);

#endif
