/* SPDX-License-Identifier: Apache-2.0
 *
 * Files with several names: which name was seen first. Bounded: when there are too many, further ones are stored each by itself.
 */
#ifndef BACKUP_FILES_LINKS_H
#define BACKUP_FILES_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"

enum { FILES_LINKS_MAX = 500000, FILES_LINKS_BYTES_MAX = 64 * 1024 * 1024 };

struct files_links;

struct files_links *files_links_new(void);
void files_links_free(struct files_links *l); /* NULL is fine */
DEFINE_CLEANUP(struct files_links *, files_links_free);

/* The first path of that file, or NULL. Borrowed. */
const char *files_links_find(const struct files_links *l, ino_t inode);
/* False: there is no more room. */
bool files_links_add(struct files_links *l, ino_t inode, const char *path);

#endif
