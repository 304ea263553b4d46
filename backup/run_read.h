/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading backups: which one, in which store, and its members as streams whose every byte is checked.
 */
#ifndef BACKUP_RUN_READ_H
#define BACKUP_RUN_READ_H

#include "backup/run.h"

/* What is known of a job's backups in the stores of a run, and the one that was chosen. */
struct chosen {
	struct catalogue_list lists[RUN_STORES_MAX];
	struct run_store *store;
	const struct manifest *manifest; /* borrowed from a list */
};

/* The backup that the order names (order.restore): of all stores that have it the first; the newest when it names none. A
 * store that cannot be read is warned about. -ENOENT says what there is. */
int read_choose(struct run *r, struct chosen *out, struct err *e);
/* Only in this store. */
int read_choose_in(struct run *r, struct run_store *s, struct chosen *out, struct err *e);
void read_chosen_done(struct chosen *c);

/* Keys to open an encrypted backup. */
struct read_keys {
	struct buf identities, passphrase;
	bool has_identities, has_passphrase;
};
/* 0 also when the backup is not encrypted, or when nothing says where a key is. */
int read_keys_open(struct run *r, const struct manifest *m, struct read_keys *k, struct err *e);
void read_keys_done(struct read_keys *k);
bool read_is_encrypted(const struct manifest *m);
/* Whether there is what opens it. */
bool read_can_open(const struct manifest *m, const struct read_keys *k);

/* A member, from the store to its plain bytes. */
struct read_member {
	struct run *r;
	const struct manifest_member *m;
	struct reader *segments, *stored, *age, *codec, *plain;
	struct metered stored_m, plain_m;
	char what_stored[400], what_plain[400];
	/* For progress: what was read before this member, and what there is in all. */
	int64_t before_bytes, all_bytes;
};

/* `out` must not move afterwards. `plain` false: only the stored bytes. */
int read_member_open(struct run *r, struct run_store *s, const struct manifest *of,
	const struct manifest_member *m, const struct read_keys *k, bool plain,
	struct read_member *out, struct err *e);
/* Pumps all of it into up to two sinks (NULL: none): 0 only when every byte was there and right, to the last of the object. The
 * sinks are not finished. */
int read_member_pump(struct read_member *m, struct sink *first, struct sink *second, struct err *e);
/* Only the stored bytes, all of them, whatever was opened. */
int read_member_check(struct read_member *m, struct err *e);
void read_member_done(struct read_member *m);

#endif
