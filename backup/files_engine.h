/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engines directory and volume have in common: a folder of this host as one member, paused meanwhile when asked for, and
 * restored aside, then swapped. A drill reads the whole backup and counts, without writing anything.
 */
#ifndef BACKUP_FILES_ENGINE_H
#define BACKUP_FILES_ENGINE_H

#include "backup/engine.h"

/* What neither of them takes, or takes alone. */
int files_engine_check_job(const struct job *j, struct err *e);
/* One member "files". */
int files_engine_probe(const char *folder, struct engine_info *out, struct err *e);
int files_engine_dump(
	const struct engine_call *c, const char *folder, struct source **out, struct err *e);
void files_engine_dumped(const struct engine_call *c, struct source *s, struct counts *out);
/* "PATH (3 entries) will be replaced". */
int files_engine_plan(const char *folder, struct buf *text, bool *destructive, struct err *e);

int files_engine_restore_begin(
	const char *folder, const struct engine_restore *r, struct engine_target *t, struct err *e);
int files_engine_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e);
int files_engine_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e);

int files_engine_count(const struct engine_call *c, const struct engine_member *m,
	struct counts *out, struct err *e);
int files_engine_drill_begin(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, char into[128], struct engine_target *t, struct err *e);
void files_engine_drill_end(
	const struct engine_call *c, struct engine_call *drill, struct engine_target *t);

/* Of their struct engine. */
#define FILES_ENGINE_COMMON                                                                        \
	.tools = "", .restore_tools = "", .is_files = true, .is_atomic = true,                     \
	.count = files_engine_count, .dumped = files_engine_dumped,                                \
	.restore_member = files_engine_restore_member, .restore_end = files_engine_restore_end,    \
	.drill_begin = files_engine_drill_begin, .drill_end = files_engine_drill_end

#endif
