/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a pax archive (POSIX.1-2001; tar(5) of libarchive) that is pushed through, without writing anything: each header's
 * checksum, the lengths, the two empty blocks at the end; and counts what is in it. Much less than libarchive does, but libarchive pulls,
 * and this runs beside the upload.
 */
#ifndef BACKUP_PAX_H
#define BACKUP_PAX_H

#include "backup/counts.h"
#include "backup/stream.h"

enum { PAX_ATTRIBUTES_MAX = 16 * 1024 * 1024 };

/* finish() is 0 when the archive is whole; -EBADMSG. */
int pax_check_new(struct sink **out, struct err *e);
/* files, folders, links, bytes, as files_archive_counts() has them. */
void pax_check_counts(const struct sink *s, struct counts *out);

#endif
