/* SPDX-License-Identifier: Apache-2.0
 *
 * The three parts of a backup: the run itself (run_backup.c), one member of it from the dump to the end of the stream
 * (run_backup_member.c), and its copies in the stores (run_backup_copies.c).
 */
#ifndef BACKUP_RUN_BACKUP_H
#define BACKUP_RUN_BACKUP_H

#include "backup/run.h"

struct backup_totals {
	int64_t plain_bytes, stored_bytes;
	int64_t expected_bytes; /* plain, for progress; 0: not known */
	struct counts counts; /* of all members together */
};

/* Dumps one member into all stores and completes its objects there. */
int backup_member(
	struct run *r, const struct engine_member *m, struct backup_totals *t, struct err *e);

/* A store that fails is left out from then on (run_store_fail()); these fail when none is left, or at a stop. */

/* Begins a manifest for each store. */
int copies_begin(struct run *r, struct err *e);
void copies_versions(struct run *r, const struct engine_info *info);
/* A name for the member that no other has, and the beginning of its object in each store. */
int copies_open(struct run *r, const char *name, const char *suffix, struct err *e);
/* Writes to, and finishes, what copies_open() opened. sink_free() does not touch the copies. */
struct sink *copies_sink(struct run *r);
/* Completes the objects of the member and enters it in the manifests. `m` is copied, without its segments. */
int copies_commit_member(struct run *r, const struct manifest_member *m, struct err *e);
/* The manifests: from then on it is a backup. */
int copies_commit(struct run *r, struct err *e);
/* From then on it is a backup, though maybe not in all stores. */
bool copies_any_committed(const struct run *r);
/* Removes what is there of those that did not commit. Whether all of it is gone. */
bool copies_discard(struct run *r);

#endif
