/* SPDX-License-Identifier: Apache-2.0
 *
 * Restoring to files: `--to FILE`, a folder with "/" at its end, or "-".
 */
#ifndef BACKUP_RUN_RESTORE_H
#define BACKUP_RUN_RESTORE_H

#include "backup/run_read.h"

/* What is wanted must fit: one member, or a folder. */
int restore_to_check(const struct run *r, const struct manifest *m, struct err *e);
/* Whether a file would be overwritten; says which. */
bool restore_to_replaces(const struct run *r, const struct manifest *m, struct buf *text);
int restore_to(struct run *r, const struct chosen *c, const struct read_keys *k, struct err *e);

#endif
