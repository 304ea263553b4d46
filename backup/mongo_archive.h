/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks through mongodump's archive as it streams by: magic number, what collections there are, then their documents in blocks
 * that may be mixed. Each collection that was announced must be ended, with the right check sum (CRC-64 of ECMA-182) over its
 * documents, and the stream must end between two blocks: so nothing can be missing unnoticed.
 *
 * Format: common/archive of the MongoDB Database Tools. All numbers are little-endian, documents are BSON (bsonspec.org):
 *   archive: 0x8199e26d, header document, one document per collection {db, collection, metadata, size, type}, 0xffffffff, blocks
 *   block: document {db, collection, EOF, CRC}, documents, 0xffffffff
 * Pure.
 */
#ifndef BACKUP_MONGO_ARCHIVE_H
#define BACKUP_MONGO_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/stream.h"

enum {
	MONGO_DOCUMENT_MAX = 64 * 1024 * 1024, /* the server's own bound is 16 MiB and a little */
	MONGO_COLLECTIONS_MAX = 1000 * 1000,
};

struct mongo_archive;
struct mongo_archive *mongo_archive_new(void);
/* What it is fed through, and freed: write() gives -EBADMSG when this is no such archive or is damaged, finish() when something
 * is missing. */
struct sink *mongo_archive_sink(struct mongo_archive *a);

/* What was announced is known: all collections, and whether there is an oplog. */
bool mongo_archive_is_announced(const struct mongo_archive *a);
bool mongo_archive_has_oplog(const struct mongo_archive *a);
/* Without the oplog. */
int64_t mongo_archive_collections(const struct mongo_archive *a);
int64_t mongo_archive_documents(const struct mongo_archive *a);

#endif
