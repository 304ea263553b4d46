/* SPDX-License-Identifier: Apache-2.0
 *
 * What is backed up and how: one block `databases.NAME` of the configuration, as the worker gets it.
 * The daemon (or the command) writes it as JSON (agent/backup_config.c), the worker reads it here; members have
 * the names of the options, so options.def is the documentation of each. Pure.
 */
#ifndef BACKUP_JOB_H
#define BACKUP_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/codec.h"
#include "backup/retention.h"
#include "base/cleanup.h"
#include "base/err.h"

enum { JOB_NAME_MAX = 64, JOB_STORES_MAX = 4, JOB_LIST_MAX = 100 };

struct job_list {
	const char **items; /* NULL-terminated */
	size_t n;
};

/* Texts are NULL when not set; secrets are sources (agent/secret.h: a path, a credential, env:NAME), read
 * when they are needed and never kept in here. */
struct job {
	const char *name;
	const char *engine; /* a name of engines[] */
	const char *container; /* name or id; NULL: on this host */
	const char *host, *socket; /* of the server, as seen from where the tools run */
	int port; /* 0: the engine's own */
	const char *user, *password_file;
	struct job_list database; /* empty: all */
	const char *auth_database; /* mongodb */
	const char *path; /* sqlite: the file; directory: the folder */
	const char *volume; /* Docker volume; with sqlite, `path` is within it */
	struct job_list exclude; /* directory, volume: patterns of paths */
	bool pause; /* directory, volume: pause `container` meanwhile */
	int64_t pause_max_ms;
	struct job_list command, restore_command; /* engine command */
	struct job_list arguments; /* added to the dump tool's own */

	struct job_list stores; /* names; never empty in an order */
	struct codec_options codec;
	struct job_list encrypt; /* recipients */
	const char *passphrase_file, *identity_file;
	struct retention_policy keep;
	int64_t bandwidth_bytes; /* a second; 0: any */
	int64_t min_bytes; /* least plain size that can be right; 0: the format's own */
	struct job_list pre, post, on_failure; /* commands */
	int64_t command_deadline_ms; /* of each of those */
	const char *drill_image; /* NULL: that of the container */

	json_t *json; /* what the texts point into */
};

/* `j` stays the caller's too. 0, or -EINVAL with "OPTION: what is wrong" in *e: an option that this engine does not take, one that it needs,
 * two that exclude each other, encryption without key_exported. */
int job_from_json(json_t *j, struct job **out, struct err *e);
void job_free(struct job *j); /* NULL is fine */
DEFINE_CLEANUP(struct job *, job_free);

#endif
