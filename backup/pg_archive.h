/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks through PostgreSQL's archive in the custom format as it streams by: header, table of contents, data blocks.
 * pg_restore --list believes a file that was cut in the middle of its data; this does not: every entry that
 * promises data must have its block, and the stream must end after the last one. Versions 1.12 to 1.16
 * (PostgreSQL 9.0 to 18) are walked; of a newer one only the header is.
 *
 * Format: PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c (WriteHead, WriteToc) and pg_backup_custom.c. Pure.
 */
#ifndef BACKUP_PG_ARCHIVE_H
#define BACKUP_PG_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/stream.h"

enum { PG_ARCHIVE_TEXT_MAX = 4096, PG_ARCHIVE_ENTRIES_MAX = 10 * 1000 * 1000 };

/* One entry of the table of contents; texts are cut at PG_ARCHIVE_TEXT_MAX - 1 bytes. */
struct pg_archive_entry {
	char tag[256], description[64], owner[256];
	char definition[PG_ARCHIVE_TEXT_MAX];
};

typedef void (*pg_archive_entry_fn)(void *user, const struct pg_archive_entry *entry);

struct pg_archive;
/* `entry` may be NULL. */
struct pg_archive *pg_archive_new(pg_archive_entry_fn entry, void *user);
/* What it is fed through, and freed: write() gives -EBADMSG when this is no such archive or is damaged, finish() when something
 * is missing. */
struct sink *pg_archive_sink(struct pg_archive *a);
/* All entries are known (or never will be: a version that is not walked). */
bool pg_archive_toc_is_done(const struct pg_archive *a);

#endif
