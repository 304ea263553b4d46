/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads that are under way, on disk, so that nothing is left behind by a kill or a power cut: one small file per
 * run in STATE/backup/uploads/, written before the first byte goes out and removed when the run has ended either way.
 * A file whose run is over (its lock is free) is swept.
 */
#ifndef BACKUP_JOURNAL_H
#define BACKUP_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct journal;
struct store;

/* `state_dir` is the agent's. The file is locked as long as the journal is open. When it cannot be written (disk full), *e
 * says so and the result is negative: the run then is not begun. */
int journal_new(const char *state_dir, const char *job, const char *id, struct journal **out,
	struct err *e);
/* The run is over; nothing of it is left to sweep: removes the file. */
void journal_done(struct journal *j);
void journal_free(struct journal *j); /* leaves the file; NULL is fine */
DEFINE_CLEANUP(struct journal *, journal_free);

/* Durable when it returns 0. `token` is what the store needs to abandon the upload (an upload id); it may be noted before it is
 * known with "" and again when it is. */
int journal_note(
	struct journal *j, const char *store, const char *key, const char *token, struct err *e);
/* That store has the manifest: what the run put there is good. For people who read the file; a sweep asks the store. */
int journal_note_manifest(struct journal *j, const char *store, const char *id, struct err *e);

/* Sweeps the files of runs that are over: unfinished uploads are abandoned, objects of a backup without a manifest removed. Then
 * asks each store for unfinished uploads below JOB/ of the jobs given that are older than 24 h. Only of stores that are passed
 * in; entries of others stay. What belongs to a run that is under way is left alone. `out` gets how many things were
 * removed; negative when something could not be (failed > 0), all else was done. */
struct sweep_result {
	size_t uploads, objects, failed;
};
int journal_sweep(const char *state_dir, struct store *const *stores, size_t n_stores,
	const char *const *jobs, size_t n_jobs, int64_t now_ms, struct sweep_result *out,
	struct err *e);

#endif
