/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the catalogue: the keys of a job as the store lists them, and the copies of small objects that never change.
 */
#ifndef BACKUP_CATALOGUE_INTERNAL_H
#define BACKUP_CATALOGUE_INTERNAL_H

#include "backup/catalogue.h"

/* verified-MILLISECONDS.json: the newest one counts; two objects never share a key. */
#define VERIFIED_PREFIX "verified-"
enum { VERIFIED_BYTES_MAX = 16 * 1024 };

struct listed_key {
	char *key, *etag;
	int64_t bytes, modified_ms;
};

struct listed_keys {
	struct listed_key *items; /* by key */
	size_t n, cap;
};

int listed_keys_read(struct store *s, const char *prefix, struct listed_keys *out, struct err *e);
void listed_keys_done(struct listed_keys *l);
const struct listed_key *listed_keys_find(const struct listed_keys *l, const char *key);

/* JOB/ID/NAME -> the ID and where NAME begins; false for what has another form. */
bool catalogue_split_key(
	const char *key, const char *job, char id[BACKUP_ID_SIZE], const char **name);
/* Milliseconds of verified-MILLISECONDS.json; -1: another name. */
int64_t catalogue_verified_ms(const char *name);

/* Through the copy on this disk when that is of the same object, else from the store. state_dir NULL: no copies. */
int catalogue_fetch(struct store *s, const char *state_dir, const char *job,
	const struct listed_key *k, struct buf *out, struct err *e);
/* Removes copies of what is not listed any more. */
void catalogue_forget(
	struct store *s, const char *state_dir, const char *job, const struct listed_keys *keys);

#endif
