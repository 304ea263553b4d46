/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of the journal, for writing and sweeping. One is JSON objects, one a line: first {job, id}, then {store, key, token} for
 * each upload and {store, manifest} when a store has all of it. A line without its end was never acted upon.
 */
#ifndef BACKUP_JOURNAL_INTERNAL_H
#define BACKUP_JOURNAL_INTERNAL_H

#include "backup/journal.h"

#define JOURNAL_FOLDER "backup/uploads"
#define JOURNAL_SUFFIX ".journal"
#define JOURNAL_NEW ".new"

enum {
	JOURNAL_NAME_SIZE = 200,
	JOURNAL_BYTES_MAX = 64 * 1024 * 1024, /* ten thousand segments in four stores are less */
};

struct journal_entry {
	char *store, *key, *token; /* key NULL: the store has the manifest */
};

struct journal_file {
	char *job, *id;
	struct journal_entry *entries;
	size_t n_entries;
};

/* -EBADMSG: what is no journal. */
int journal_file_read(int fd, struct journal_file *out, struct err *e);
void journal_file_done(struct journal_file *f);

#endif
