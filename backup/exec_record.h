/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs for this process, in containers and on this host, as leases in STATE/backup/execs/, one per program.
 */
#ifndef BACKUP_EXEC_RECORD_H
#define BACKUP_EXEC_RECORD_H

#include <stddef.h>

#include "backup/lease.h"

/* From now on records are kept below this state folder; NULL: nowhere. */
void exec_record_set_folder(const char *state_dir);

/* NULL when there is no folder, or it cannot be written: a dump is not refused for that. lease_done() when the program has ended,
 * lease_leave() when it could not be ended. */
struct lease *exec_record_new(const char *container_id, const char *mark);

/* Ends what dead workers left. `ended` and `left` count processes. */
void exec_record_sweep(size_t *ended, size_t *left);

#endif
