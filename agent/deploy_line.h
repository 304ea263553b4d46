/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of a deploy's log as deploy-hooks/deploy_log.h writes them, taken apart for who shows them. Pure.
 */
#ifndef AGENT_DEPLOY_LINE_H
#define AGENT_DEPLOY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "deploy-hooks/deploy.h"

struct deploy_line {
	int64_t time_s; /* wall; 0: not known ("... 3 MiB left out ...") */
	char stage[DEPLOY_STAGE_SIZE]; /* "": of none */
	char text[8192]; /* longer than any line of a log */
};

/* The line that begins at `text`; returns where the next one does, NULL at the end. */
const char *deploy_line_next(const char *text, struct deploy_line *out);

/* All of them for a person, "03:12:04 build | text" in local time, with the date when that is not of today; or as JSON, one
 * object {"time","stage","text"} a line. */
void deploy_line_print(const char *text, bool json, int64_t now_s, struct buf *out);

#endif
