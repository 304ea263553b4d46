/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the engine sqlite: where the database's file is, and who has it open.
 */
#ifndef BACKUP_ENGINE_SQLITE_H
#define BACKUP_ENGINE_SQLITE_H

#include "backup/engine.h"

struct sqlite_file {
	int dir; /* the folder; what is done to the file is done in there */
	char *path; /* of this host, links resolved */
	const char *name; /* the last part of path */
	bool exists;
};

/* Of the job, or of `other` instead. With a volume it never leads out of that, whatever links are in it. */
int sqlite_file_find(
	const struct engine_call *c, const char *other, struct sqlite_file *out, struct err *e);
void sqlite_file_done(struct sqlite_file *f);
/* Whether processes have it open, as far as this one may see: *who names them. Containers' processes count. */
bool sqlite_file_is_open(const struct sqlite_file *f, struct buf *who);

/* A file that is written to, for sinks. */
struct sqlite_writing {
	struct sink sink;
	int fd; /* borrowed */
};
int sqlite_write(struct sink *s, const void *data, size_t n, struct err *e);

/* Through the sqlite3 program of a container. */
int sqlite_container_probe(const struct engine_call *c, struct engine_info *out, struct err *e);
int sqlite_container_dump(const struct engine_call *c, struct source **out, struct err *e);
/* Counts of what sqlite_container_dump() made; of the schema only. */
void sqlite_container_dumped(const struct source *s, struct counts *out);

int sqlite_restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e);
int sqlite_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e);
int sqlite_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e);
int sqlite_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e);
int sqlite_drill_begin(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, char into[128], struct engine_target *t, struct err *e);
void sqlite_drill_end(
	const struct engine_call *c, struct engine_call *drill, struct engine_target *t);
int sqlite_proof(const struct engine_call *c, const struct manifest_member *m, struct sink **out,
	struct err *e);

#endif
