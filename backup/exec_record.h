/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs for this process, in containers and on this host, on disk: one small file per program in STATE/backup/execs/, locked as long as this
 * process lives. A file whose lock is free tells of a dump that a killed worker left running.
 */
#ifndef BACKUP_EXEC_RECORD_H
#define BACKUP_EXEC_RECORD_H

#include <stddef.h>

#include "base/err.h"

struct exec_record;

/* From now on records are kept below this state folder; NULL: nowhere. */
void exec_record_set_folder(const char *state_dir);

/* NULL when there is no folder, or it cannot be written: a dump is not refused for that. */
struct exec_record *exec_record_new(const char *container_id, const char *mark);
/* It has ended: removes the file. NULL is fine. */
void exec_record_done(struct exec_record *r);
/* It could not be ended: leaves the file for the next sweep. NULL is fine. */
void exec_record_leave(struct exec_record *r);

/* Ends what dead workers left. `ended` and `left` count processes. */
void exec_record_sweep(size_t *ended, size_t *left);

#endif
