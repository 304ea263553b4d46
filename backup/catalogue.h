/* SPDX-License-Identifier: Apache-2.0
 *
 * The backups in a store, from the manifests there: the store is the truth, a copy of each manifest is kept in
 * STATE/backup/manifests/STORE/ (manifests never change), and can be deleted any time. What a verification found is a small
 * object beside the manifest (verified-TIME.json: verified_ms, drilled_ms, bad_ms, bad_why; the newest counts), so that
 * another server knows it too.
 *
 * A backup is only as good as its data: one of whose objects a listing lacks, or shows with another length, and that is not there when
 * it is asked for by its name either, is incomplete, which is how a removal that was cut short looks. It is bad, never picked, and the next prune finishes the removal; so removing
 * needs no mark in the store, which a store with object lock would keep.
 */
#ifndef BACKUP_CATALOGUE_H
#define BACKUP_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

#include "backup/manifest.h"
#include "backup/retention.h"
#include "backup/store.h"

struct catalogue_list {
	struct manifest **items; /* newest first */
	size_t n;
	/* Manifests that could not be read: not backups, but not nothing either. */
	size_t broken;
	char broken_why[256]; /* of the first */
};

/* All backups of the job, whatever host made them. state_dir NULL: no cache. An error of the store fails the whole: a list with
 * holes must not be taken for the truth. */
int catalogue_read(struct store *s, const char *state_dir, const char *job,
	struct catalogue_list *out, struct err *e);
void catalogue_list_done(struct catalogue_list *l);

/* The one to restore: by id (also its beginning, when only one has it; -EINVAL otherwise), or the newest good one that began at or
 * before the time (see catalogue_parse_time()); id and at NULL: the newest good one. Two hosts may use one job's name in one store: without
 * an id, those of `host` are meant, and others only when it has none by that time (a new server). -ENOENT tells what there is; -EBADMSG:
 * the one with that id is incomplete. One that a verification found bad is only picked by its id. Borrowed from the list. */
int catalogue_pick(const struct catalogue_list *l, const char *id, const char *at, const char *host,
	int64_t now_ms, const struct manifest **out, struct err *e);

/* "2026-11-21" and "yesterday" (to the end of that day), "2026-11-21 03:00" (to the end of that minute), with seconds too, "3d" ago;
 * local time, or UTC as "2026-11-21T03:00:00Z". -EINVAL. */
int catalogue_parse_time(const char *text, int64_t now_ms, int64_t *out_ms, struct err *e);

/* Commit: writes the manifest as the last object. */
int catalogue_commit(
	struct store *s, const char *state_dir, const struct manifest *m, struct err *e);
/* Writes a new verified-TIME.json from the manifest's verified_ms, drilled_ms, bad_ms, bad_why. */
int catalogue_mark(struct store *s, const struct manifest *m, struct err *e);

/* Retention for one job and host. Deletes data first, the manifest last, and says for each. A store without delete permission, or
 * objects under a lock, are no failure: they are "retained". Negative: a backup could not be removed (others may have been), or the
 * list not be read. */
struct prune_report {
	void (*decided)(void *user, const struct manifest *m, bool keep, const char *why);
	/* r 0: removed; -EPERM, -EBUSY: retained by the store; else it failed. Not called when rules of the store remove backups. */
	void (*removed)(void *user, const struct manifest *m, int r, const struct err *e);
	void *user;
};
int catalogue_prune(struct store *s, const char *state_dir, const char *job, const char *host,
	const struct retention_policy *p, bool dry_run, int64_t now_ms,
	const struct prune_report *report, struct err *e);

#endif
