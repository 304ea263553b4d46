/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the files of the store rclone: the program rclone with one remote of its configuration. One process a question;
 * nothing of it outlives the store. Options go into its arguments, secrets are in its configuration file alone.
 */
#ifndef BACKUP_RCLONE_H
#define BACKUP_RCLONE_H

#include <jansson.h>
#include <stdbool.h>

#include "backup/args.h"
#include "backup/place.h"
#include "backup/store.h"

struct rclone {
	struct store store;
	struct place *place; /* this host */
	const char *remote, *prefix, *config_file; /* borrowed from the settings */
	struct journal *journal;
	int pause_ms; /* before the first further try; doubled for each */
	/* What the remote can, asked once. */
	bool is_known, takes_streams, has_folders, has_parts;
	const char *
		hash; /* of OpenSSL's and rclone's names, which are the same; NULL: none that both know */
};

enum {
	RCLONE_ANSWER_MAX = 64 * 1024 * 1024, /* a list of some 300,000 objects */
	RCLONE_DEADLINE_MS = 30 * 60 * 1000, /* of one question, with rclone's own retries */
	RCLONE_CLEAN_UP_MS = 20 * 1000,
};

/* REMOTE:PATH/PREFIXkey. Pure. */
void rclone_path(const struct rclone *s, const char *key, struct buf *out);
/* "rclone" with what all its commands have, and `words`, NULL-terminated. */
void rclone_command(const struct rclone *s, struct args *a, const char *const *words);
/* Exit status and words of an error of place.h: -ENOENT, -EPERM, -EINVAL or what it was, with the cure. Pure. */
int rclone_translate(int r, struct err *e);
/* Runs a command on `path` (may be NULL). */
int rclone_run(const struct rclone *s, const char *const *words, const char *path, struct buf *out,
	struct err *e);

int rclone_ask_features(struct rclone *s, struct err *e);
/* Pure: reads what `backend features` says. */
int rclone_read_features(const char *text, struct rclone *s, struct err *e);

/* One object. -ENOENT. hash "" when the remote has none. */
struct rclone_object {
	int64_t bytes, modified_ms;
	char hash[130];
};
int rclone_stat(struct rclone *s, const char *key, bool with_hash, struct rclone_object *out,
	struct err *e);
/* Pure: one object of lsjson. */
int rclone_read_object(const json_t *j, const char *hash, struct rclone_object *out, struct err *e);

/* The operations of store.h that have a file of their own. */
int rclone_upload(struct store *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e);
int rclone_read(struct store *s, const char *key, int64_t offset, int64_t bytes,
	struct reader **out, struct err *e);
int rclone_list(struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e);
int rclone_remove(struct store *s, const char *key, struct err *e);
/* What an upload that was given up has left: parts that no object has, and an object that is half. */
int rclone_abandon(struct store *s, const char *key, const char *token, struct err *e);
int rclone_check(struct store *s, store_check_fn fn, void *user, struct err *e);

/* Pure: a REMOTE:PATH that names a remote of the configuration file. */
int rclone_check_remote(const char *remote, struct err *e);

#endif
