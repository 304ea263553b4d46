/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder that is filled aside and then takes the place of another one at once (renameat2(2), RENAME_EXCHANGE), so that a restore that
 * fails leaves what was there. Where that cannot be (a mount point), its contents are moved one by one.
 */
#ifndef BACKUP_FILES_SWAP_H
#define BACKUP_FILES_SWAP_H

#include "base/cleanup.h"
#include "base/err.h"

#define FILES_SWAP_MARK ".agent-restore-"

struct files_swap;

/* Makes the folder aside, on the same filesystem. `path` need not be there. What killed restores left beside it is removed. */
int files_swap_begin(const char *path, struct files_swap **out, struct err *e);
/* The folder to fill. */
const char *files_swap_folder(const struct files_swap *s);
/* Frees it in any case. -EUCLEAN: old and new are mixed; *e says where. */
int files_swap_commit(struct files_swap *s, struct err *e);
/* Removes the folder aside. NULL is fine. */
void files_swap_abort(struct files_swap *s);

/* Removes a folder with all that is in it, through no symbolic link, whatever its depth. 0 also when it is not there. */
int files_remove_tree(int dirfd, const char *name, struct err *e);

#endif
