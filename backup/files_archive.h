/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder as a pax archive (POSIX.1-2001, pax; GNU sparse files 1.0), by libarchive: owners by name and number, modes, times to
 * the nanosecond, hard and symbolic links, extended attributes, ACLs, holes. Opens with GNU tar. Memory does not grow with the
 * tree, but for the names of files that have several (files_links.h).
 */
#ifndef BACKUP_FILES_ARCHIVE_H
#define BACKUP_FILES_ARCHIVE_H

#include <stdbool.h>

#include "backup/counts.h"
#include "backup/files_walk.h"
#include "backup/stream.h"

enum { FILES_WARNINGS_MAX = 20 }; /* told one by one; the others as a number, at the end */

/* The source's fd() is -1: the walk is done by read(). */
int files_archive_source(const struct files_walk_options *o, struct source **out, struct err *e);
/* files, folders, links, bytes; complete after finish(). */
void files_archive_counts(const struct source *s, struct counts *out);

struct files_extract {
	const char *folder; /* that exists; nothing is written outside */
	files_warn_fn warn; /* called in finish() */
	void *user;
};
/* What is written is extracted there, with owners, ACLs and attributes when root. Another process does it, which has the folder as its
 * root when that is possible: an archive can lead nowhere else. */
int files_archive_target(const struct files_extract *o, struct sink **out, struct err *e);

#endif
