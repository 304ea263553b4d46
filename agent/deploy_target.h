/* SPDX-License-Identifier: Apache-2.0
 *
 * Which deploy is meant by the word on the command line: its number, or the name of an app.
 */
#ifndef AGENT_DEPLOY_TARGET_H
#define AGENT_DEPLOY_TARGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/command.h"

/* The number; 0: the word is none, so it is an app. */
int64_t deploy_target_number(const char *word);
/* Of a number that deploy, of an app the one under way, else the one that waits, else the newest. 0 and *out (a new
 * reference), or the exit code after the reason was printed. */
int deploy_target(const struct command_call *c, json_t **out);
/* The same for what must not have ended. An app with one under way and one that waits has two: then neither is taken. */
int deploy_target_open(const struct command_call *c, json_t **out);

#endif
