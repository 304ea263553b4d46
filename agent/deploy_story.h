/* SPDX-License-Identifier: Apache-2.0
 *
 * A deploy as it is followed: its stages as headings with how long they took, below each what its hooks print. On a terminal
 *
 *   build
 *     Step 1/4 : FROM debian
 *     done in 12s
 *   watch  8s left
 *
 * into a pipe "build | Step 1/4 : FROM debian" and "build: done in 12s". A stage that had nothing to do is not shown. Pure: takes
 * records and pieces of the log, adds text.
 */
#ifndef AGENT_DEPLOY_STORY_H
#define AGENT_DEPLOY_STORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/term.h"
#include "base/buf.h"

struct deploy_story {
	struct term term;
	bool live; /* a terminal: headings, and a line that moves */
	size_t shown; /* of the stages: how many are over for the reader, too */
	bool begun; /* the next one has a heading */
	bool drawn; /* a line without an end is on the terminal */
	unsigned requeued;
	char waits[300]; /* that was told last */
};

/* What it is about, once. */
void deploy_story_begin(struct deploy_story *s, const json_t *deploy, struct buf *out);
/* Whole lines of its log. `deploy` was asked for after they were read, so that it has the stages they are of. */
void deploy_story_log(
	struct deploy_story *s, const char *text, const json_t *deploy, struct buf *out);
/* Its record. All of the log up to then was given: what has ended in it prints nothing more. */
void deploy_story_take(
	struct deploy_story *s, const json_t *deploy, int64_t now_ms, struct buf *out);
/* What is on the terminal without an end goes, for something else to be printed. */
void deploy_story_wipe(struct deploy_story *s, struct buf *out);

#endif
