/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts runs by the daemon and watches them to their end: a progress bar on a terminal, lines into a pipe, JSON lines
 * for programs. Ctrl-C cancels them and waits until they have cleaned up.
 */
#ifndef AGENT_BACKUP_FOLLOW_H
#define AGENT_BACKUP_FOLLOW_H

#include <jansson.h>
#include <stddef.h>

#include "agent/command.h"

struct backup_follow;

/* 0, or an exit code after the reason was printed. */
int backup_follow_open(const struct command_call *c, struct backup_follow **out);
void backup_follow_free(struct backup_follow *f);
/* Asks for a run; `request` (taken over) has the members of backup.start. */
int backup_follow_start(struct backup_follow *f, json_t *request);
/* To the end of all; returns the exit code. */
int backup_follow_wait(struct backup_follow *f);
/* Says what was begun, and leaves. */
int backup_follow_detach(struct backup_follow *f);
/* One more question on the connection; as cmd_ask(). */
int backup_follow_ask(struct backup_follow *f, json_t *request, json_t **reply);
/* The run as it ended, by its place in the order of starts; borrowed. */
const json_t *backup_follow_run(const struct backup_follow *f, size_t i);

#endif
