/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups in a fake store, for tests of the catalogue.
 */
#ifndef TESTS_UNIT_CATALOGUE_CASE_H
#define TESTS_UNIT_CATALOGUE_CASE_H

#include <check.h>

#include "backup/catalogue.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/manifest_case.h"

/* 2026-11-21T12:00:00Z */
static const int64_t now_ms = 1795262400000;
static const int64_t day_ms = 86400000;

/* Stores a backup of `days` ago, data and manifest; its id in `id`. */
static inline void put_backup(
	struct fake_store *f, const char *job, const char *host, int days, char id[BACKUP_ID_SIZE])
{
	struct manifest *m = manifest_case(job, host, now_ms - days * day_ms);
	static const char zeros[2000];
	struct err e = {""};

	for (size_t i = 0; i < m->n_members; i++)
		for (size_t s = 0; s < m->members[i].n_segments; s++)
			(void)fake_add(f, m->members[i].segments[s].key, zeros,
				(size_t)m->members[i].segments[s].bytes);
	ck_assert_msg(catalogue_commit(&f->store, NULL, m, &e) == 0, "%s", e.msg);
	if (id)
		(void)str_copy(id, BACKUP_ID_SIZE, m->id);
	manifest_free(m);
}

/* Key of a file of a backup; good until the fourth call after this one. */
static inline const char *key_of(const char *job, const char *id, const char *name)
{
	static char keys[4][MANIFEST_KEY_MAX];
	static unsigned next;
	char *to = keys[next++ % 4];

	(void)snprintf(to, MANIFEST_KEY_MAX, "%s/%s/%s", job, id, name);
	return to;
}

static inline void drop_key(struct fake_store *f, const char *key)
{
	struct fake_object *o = fake_find(f->objects, f->n_objects, key);

	ck_assert_ptr_nonnull(o);
	fake_drop(f->objects, &f->n_objects, o);
}

static inline struct catalogue_list read_list(
	struct fake_store *f, const char *state_dir, const char *job)
{
	struct catalogue_list l = {.n = 0};
	struct err e = {""};

	ck_assert_msg(catalogue_read(&f->store, state_dir, job, &l, &e) == 0, "%s", e.msg);
	return l;
}

#endif
