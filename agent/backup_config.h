/* SPDX-License-Identifier: Apache-2.0
 *
 * From the configuration to what backups work with: jobs (databases.NAME) and stores (stores.NAME) as JSON objects whose
 * members have the names of the options, as backup/job.h and backup/store.h read them, and what only the daemon needs.
 * What the options of one block must have in common is checked by those, so that `agent config check`, a start and a
 * reload report the same. No secrets are in it, only where they are.
 */
#ifndef AGENT_BACKUP_CONFIG_H
#define AGENT_BACKUP_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/mistakes.h"
#include "backup/schedule.h"
#include "base/buf.h"
#include "base/cleanup.h"

enum { BACKUP_JOBS_MAX = 100, BACKUP_STORES_MAX = 20 };

/* The store there is without any in the configuration, below the state folder. */
#define BACKUP_LOCAL_STORE "local"
#define BACKUP_LOCAL_FOLDER "backups"

enum backup_what { BACKUP_RUN, BACKUP_VERIFY, BACKUP_DRILL, BACKUP_WHATS };
/* "backup", "verify", "drill". */
const char *backup_what_name(enum backup_what w);

struct backup_job {
	const char *name, *origin, *engine;
	json_t *settings; /* as backup/job.h reads it; `stores` is always there */
	json_t *stores; /* the settings of its stores, in order */
	bool has_schedule[BACKUP_WHATS];
	struct schedule schedule[BACKUP_WHATS];
	char *schedule_key;
	int64_t overdue_ms, deadline_ms; /* overdue 0: not set */
	bool notify_success, encrypted;
	const char *ping_url, *ping_url_file; /* NULL: not set */
};

struct backup_store {
	const char *name;
	json_t *settings;
};

struct backup_config {
	const struct config *config;
	struct backup_job *jobs;
	size_t n_jobs;
	struct backup_store *stores;
	size_t n_stores;
};

/* 0 and *out, which borrows from the configuration and must go before it; or -EINVAL with mistakes added. */
int backup_config_new(const struct config *c, const char *state_dir, struct backup_config **out,
	struct mistakes *m);
void backup_config_free(struct backup_config *b); /* NULL is fine */
DEFINE_CLEANUP(struct backup_config *, backup_config_free);

/* Adds the mistakes alone. */
void backup_config_check(const struct config *c, struct mistakes *m);

/* NULL: there is none. */
const struct backup_job *backup_config_job(const struct backup_config *b, const char *name);
/* -ENOENT names the nearest. */
int backup_config_find(const struct backup_config *b, const char *name,
	const struct backup_job **out, struct err *e);

/* For people: "databases shop, blog in container shop-db", "/srv/files". */
void backup_job_source(const struct backup_job *j, struct buf *out);
/* What went wrong with a store, without "store NAME: " in front, as workers say it: for where the name stands already. Borrowed. */
const char *backup_store_error(const char *store, const char *error);
/* Whether all of its stores are folders on the disk of the root file system: what takes the server takes the backups. */
bool backup_job_is_on_this_disk(const struct backup_job *j);
/* The same for two paths, by the text of /proc/self/mountinfo. Pure. */
bool backup_mounts_are_one(const char *mounts, const char *a, const char *b);
/* "last 3, daily 7"; "all" without a policy. */
void backup_job_keep(const struct backup_job *j, struct buf *out);

#endif
