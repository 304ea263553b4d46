/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "backup/catalogue_internal.h"
#include "backup/journal_internal.h"
#include "backup/stop.h"
#include "base/fs.h"
#include "base/str.h"

enum { LIVE_MAX = 1000 };

/* Uploads that nobody here knows of may be those of another server; after a day nobody goes on with them. */
static const int64_t forgotten_ms = 24LL * 3600 * 1000;
/* A run does not take an hour between the making of its file and the naming of it. */
static const int64_t unnamed_ms = 3600LL * 1000;

struct sweep {
	struct store *const *stores;
	size_t n_stores;
	int64_t now_ms;
	struct sweep_result result;
	struct err first;
	int first_r;
	/* "JOB/ID/" of runs that are under way. */
	char *live[LIVE_MAX];
	size_t n_live;
};

static void failed(struct sweep *w, int r, const char *what, const struct err *e)
{
	if (w->result.failed++ == 0) {
		w->first_r = r;
		(void)err_set(&w->first, -r, "%s: %s", what, e->msg);
	}
}

static struct store *find_store(const struct sweep *w, const char *name)
{
	for (size_t i = 0; i < w->n_stores; i++)
		if (strcmp(w->stores[i]->name, name) == 0)
			return w->stores[i];
	return NULL;
}

/* Of the notes of one key: each token, and "" only when it was the last. */
static bool is_superseded(const struct journal_file *f, size_t at)
{
	const struct journal_entry *a = &f->entries[at];

	for (size_t i = at + 1; i < f->n_entries; i++) {
		const struct journal_entry *b = &f->entries[i];

		if (b->key && strcmp(a->key, b->key) == 0 && strcmp(a->store, b->store) == 0 &&
			(!*a->token || strcmp(a->token, b->token) == 0))
			return true;
	}
	return false;
}

/* Whether nothing of it is left to do. */
static bool abandon_uploads(struct sweep *w, const struct journal_file *f)
{
	_cleanup_(free_p) char *folder = str_format("%s/%s/", f->job, f->id);
	bool done = true;

	for (size_t i = 0; i < f->n_entries; i++) {
		const struct journal_entry *entry = &f->entries[i];
		struct store *s = find_store(w, entry->store);
		struct err e = {""};
		int r;

		done &= s != NULL;
		if (!s || !entry->key || !str_starts(entry->key, folder) || is_superseded(f, i))
			continue;
		r = s->ops->abandon(s, entry->key, entry->token, &e);
		if (r < 0) {
			failed(w, r, entry->key, &e);
			done = false;
		} else {
			w->result.uploads++;
		}
	}
	return done;
}

/* 1: there is a manifest, 0: none. Asked in two ways, since a listing may be late and data without a second copy are at stake. */
static int has_manifest(struct store *s, const struct journal_file *f,
	const struct listed_keys *keys, struct err *e)
{
	char key[MANIFEST_KEY_MAX];
	struct reader *reader = NULL;
	int r;

	manifest_key(key, f->job, f->id);
	if (listed_keys_find(keys, key))
		return 1;
	r = s->ops->read(s, key, 0, -1, &reader, e);
	reader_free(reader);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* What a run without a manifest left in one store. Whether nothing is left to do. */
static bool remove_objects(struct sweep *w, struct store *s, const struct journal_file *f)
{
	_cleanup_(listed_keys_done) struct listed_keys keys = {.n = 0};
	_cleanup_(free_p) char *folder = str_format("%s/%s/", f->job, f->id);
	struct err e = {""};
	int r = listed_keys_read(s, folder, &keys, &e);

	if (r == 0 && keys.n)
		r = has_manifest(s, f, &keys, &e);
	if (r > 0 || (r == 0 && !s->may_delete))
		return true;
	for (size_t i = 0; r == 0 && i < keys.n; i++) {
		r = s->ops->remove(s, keys.items[i].key, &e);
		if (r == 0)
			w->result.objects++;
		/* The store keeps them: until their lock ends, and its own rules apply. */
		if (r == -EPERM || r == -EBUSY)
			r = 0;
	}
	if (r < 0)
		failed(w, r, folder, &e);
	return r == 0;
}

static bool was_used(const struct journal_file *f, const struct store *s)
{
	for (size_t i = 0; i < f->n_entries; i++)
		if (strcmp(f->entries[i].store, s->name) == 0)
			return true;
	return false;
}

static bool sweep_run(struct sweep *w, const struct journal_file *f)
{
	bool done = abandon_uploads(w, f);

	for (size_t i = 0; i < w->n_stores; i++)
		if (was_used(f, w->stores[i]))
			done &= remove_objects(w, w->stores[i], f);
	return done;
}

static void note_live(struct sweep *w, int fd)
{
	struct journal_file f;

	if (w->n_live == LIVE_MAX || journal_file_read(fd, &f, NULL) < 0)
		return;
	w->live[w->n_live++] = str_format("%s/%s/", f.job, f.id);
	journal_file_done(&f);
}

static void sweep_unnamed(const struct sweep *w, int dirfd, int fd, const char *name)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && w->now_ms - (int64_t)st.st_mtim.tv_sec * 1000 > unnamed_ms)
		(void)unlinkat(dirfd, name, 0);
}

static int sweep_file(void *user, int dirfd, const char *name)
{
	struct sweep *w = user;
	_cleanup_(close_p) int fd = -1;
	struct journal_file f = {.job = NULL};
	struct err e = {""};
	struct stat st;
	int r;

	if (!str_ends(name, JOURNAL_SUFFIX) && !str_ends(name, JOURNAL_SUFFIX JOURNAL_NEW))
		return 0;
	if (stop_check(&w->first) < 0)
		return -ECANCELED;
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		note_live(w, fd);
		return 0;
	}
	/* Its run may have ended just now, and removed it. */
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return 0;
	if (str_ends(name, JOURNAL_NEW)) {
		sweep_unnamed(w, dirfd, fd, name);
		return 0;
	}
	r = journal_file_read(fd, &f, &e);
	if (r < 0)
		failed(w, r, name, &e);
	/* One that says nothing is of no use; the stores are asked for what is unfinished, too. */
	if (r == -EBADMSG || (r == 0 && sweep_run(w, &f)))
		(void)unlinkat(dirfd, name, 0);
	journal_file_done(&f);
	return 0;
}

struct forgotten {
	struct sweep *sweep;
	struct store_object *items;
	size_t n;
};

static int find_forgotten(void *user, const struct store_object *o)
{
	struct forgotten *g = user;
	const struct sweep *w = g->sweep;

	if (o->modified_ms == 0 || w->now_ms - o->modified_ms <= forgotten_ms)
		return 0;
	for (size_t i = 0; i < w->n_live; i++)
		if (str_starts(o->key, w->live[i]))
			return 0;
	g->items = reallocarray(g->items, g->n + 1, sizeof(*g->items));
	if (!g->items)
		abort();
	g->items[g->n++] = *o;
	return 0;
}

static void sweep_forgotten(struct sweep *w, struct store *s, const char *job)
{
	_cleanup_(free_p) char *prefix = str_format("%s/", job);
	struct forgotten g = {.sweep = w};
	struct err e = {""};
	int r = s->ops->unfinished(s, prefix, find_forgotten, &g, &e);

	if (r < 0)
		failed(w, r, prefix, &e);
	for (size_t i = 0; i < g.n; i++) {
		r = s->ops->abandon(s, g.items[i].key, g.items[i].etag, &e);
		if (r < 0)
			failed(w, r, g.items[i].key, &e);
		else
			w->result.uploads++;
	}
	free(g.items);
}

int journal_sweep(const char *state_dir, struct store *const *stores, size_t n_stores,
	const char *const *jobs, size_t n_jobs, int64_t now_ms, struct sweep_result *out,
	struct err *e)
{
	struct sweep w = {.stores = stores, .n_stores = n_stores, .now_ms = now_ms};
	_cleanup_(free_p) char *path = str_format("%s/" JOURNAL_FOLDER, state_dir);
	struct err why = {""};
	int r = fs_list(AT_FDCWD, path, sweep_file, &w, &why);

	if (r < 0 && r != -ENOENT)
		failed(&w, r, path, &why);
	for (size_t s = 0; s < n_stores && r != -ECANCELED; s++)
		for (size_t i = 0; stores[s]->ops->unfinished && i < n_jobs; i++)
			sweep_forgotten(&w, stores[s], jobs[i]);
	for (size_t i = 0; i < w.n_live; i++)
		free(w.live[i]);
	*out = w.result;
	return w.result.failed ? err_set(e, -w.first_r, "%s", w.first.msg) : 0;
}
