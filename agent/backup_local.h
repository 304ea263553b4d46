/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker run by a command itself, with the configuration files as they are: works without a running agent, on a bare
 * new server. Ctrl-C ends it cleanly. Blocks.
 */
#ifndef AGENT_BACKUP_LOCAL_H
#define AGENT_BACKUP_LOCAL_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/backup_config.h"
#include "agent/backup_worker.h"
#include "agent/command.h"

struct backup_local {
	char *state;
	struct config *config;
	struct backup_config *backups;
};

/* 0, or an exit code after the mistakes were printed. Takes the configured time zone for this process. */
int backup_local_open(const struct command_call *c, struct backup_local *out);
void backup_local_done(struct backup_local *l);

struct backup_local_run {
	const char *what;
	const struct backup_job *job; /* NULL: all */
	const char *store; /* NULL: all */
	json_t *restore; /* taken over; NULL: none */
	bool inherit_output;
	backup_says_fn says;
	void *user;
};

/* 0 and *result (new reference), which may say that it failed; or a negative errno when there is none. */
int backup_local_run(
	struct backup_local *l, const struct backup_local_run *r, json_t **result, struct err *e);

#endif
