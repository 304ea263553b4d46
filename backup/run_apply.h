/* SPDX-License-Identifier: Apache-2.0
 *
 * A backup into an engine's target: the second half of a restore and of a drill.
 */
#ifndef BACKUP_RUN_APPLY_H
#define BACKUP_RUN_APPLY_H

#include "backup/run_read.h"

/* Whether the order wants this member. */
bool apply_wants(const struct run *r, const struct manifest_member *m);
/* -ENOENT when the order names a member that the backup does not have, with those it has. */
int apply_check_member(const struct run *r, const struct manifest *m, struct err *e);
/* First pass over what is wanted, before anything is touched: all stored bytes are there and right, and the key fits. */
int apply_check_stored(
	struct run *r, const struct chosen *c, const struct read_keys *k, struct err *e);
/* Restores what is wanted through `call`, and ends the restore either way. -EUCLEAN: what was there is neither whole nor
 * as before; "partial" of the result says so. */
int apply_backup(struct run *r, const struct engine_call *call, const struct engine_restore *how,
	const struct chosen *c, const struct read_keys *k, struct err *e);

/* One member through the checks of its format into `to`, which is finished when all was right. */
int apply_member(struct run *r, const struct chosen *c, const struct manifest_member *m,
	const struct read_keys *k, struct sink *to, struct err *e);

#endif
