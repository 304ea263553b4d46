/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup/directory.h"
#include "base/fs.h"
#include "base/str.h"

/* Keys have three parts, a prefix may add some. */
enum { DEPTH_MAX = 16, OBJECTS_MAX = 10 * 1000 * 1000 };

struct found {
	char *key;
	int64_t bytes, modified_ms;
};

struct walk {
	const struct directory *d;
	const char *prefix; /* full */
	bool unfinished; /* the parts instead of the whole ones */
	struct found *items;
	size_t n, cap;
	struct err *e;
	char path
		[DIRECTORY_KEY_MAX]; /* full key of the folder that is read, with a slash at its end */
	int depth;
};

static int add(struct walk *w, const char *full, const struct stat *st)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 256;
		w->items = reallocarray(w->items, w->cap, sizeof(*w->items));
		if (!w->items)
			abort();
	}
	if (w->n == OBJECTS_MAX)
		return err_set(
			w->e, EFBIG, "folder %s: more than %d files", w->d->path, OBJECTS_MAX);
	w->items[w->n++] = (struct found){.key = str_dup(full + strlen(w->d->prefix)),
		.bytes = st->st_size,
		.modified_ms = (int64_t)st->st_mtim.tv_sec * 1000};
	return 0;
}

static int look_at(void *user, int fd, const char *name);

static int walk_into(struct walk *w, int fd, const char *name)
{
	size_t before = strlen(w->path);
	struct err e;
	int r;

	if (w->depth == DEPTH_MAX || before + strlen(name) + 2 > sizeof(w->path))
		return 0;
	(void)snprintf(w->path + before, sizeof(w->path) - before, "%s/", name);
	w->depth++;
	r = fs_list(fd, name, look_at, w, &e);
	w->depth--;
	w->path[before] = '\0';
	if (r == -ENOENT) /* removed meanwhile */
		return 0;
	if (r < 0 && !*w->e->msg)
		(void)err_set(w->e, -r, "folder %s: %s", w->d->path, e.msg);
	return r;
}

/* Either may be the longer one: a folder on the way to the prefix, or something below it. */
static bool may_match(const char *full, const char *prefix)
{
	size_t a = strlen(full), b = strlen(prefix);

	return strncmp(full, prefix, a < b ? a : b) == 0;
}

static int look_at(void *user, int fd, const char *name)
{
	struct walk *w = user;
	char full[DIRECTORY_KEY_MAX];
	struct stat st;
	size_t n;
	bool part;

	if ((size_t)snprintf(full, sizeof(full), "%s%s", w->path, name) >= sizeof(full) ||
		!may_match(full, w->prefix))
		return 0;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : err_sys(w->e, "folder %s: look at %s", w->d->path, full);
	if (S_ISDIR(st.st_mode))
		return *name == '.' ? 0 : walk_into(w, fd, name);
	n = strlen(full);
	part = str_ends(full, DIRECTORY_PART);
	if (part)
		full[n - strlen(DIRECTORY_PART)] = '\0';
	/* Files of others in the folder are none of ours. */
	if (!S_ISREG(st.st_mode) || part != w->unfinished || !str_starts(full, w->prefix) ||
		directory_check_key(full, NULL) < 0)
		return 0;
	return add(w, full, &st);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->key, ((const struct found *)b)->key);
}

static int tell(const struct found *f, store_list_fn fn, void *user)
{
	struct store_object o = {.bytes = f->bytes, .modified_ms = f->modified_ms};

	/* A longer one cannot have been made by us. */
	return str_copy(o.key, sizeof(o.key), f->key) ? fn(user, &o) : 0;
}

static int list(const struct directory *d, const char *prefix, bool unfinished, store_list_fn fn,
	void *user, struct err *e)
{
	char full[DIRECTORY_KEY_MAX];
	struct err own = {""};
	struct walk w = {.d = d, .prefix = full, .unfinished = unfinished, .e = &own};
	_cleanup_(close_p) int root = directory_root(d, false, e);
	int r;

	if (root < 0 && root != -ENOENT)
		return root;
	(void)snprintf(full, sizeof(full), "%s%s", d->prefix, prefix);
	r = root < 0 ? 0 : fs_list(root, ".", look_at, &w, &own);
	if (r < 0)
		(void)err_set(e, -r, "%s", own.msg);
	if (w.n)
		qsort(w.items, w.n, sizeof(*w.items), compare);
	for (size_t i = 0; i < w.n; i++) {
		if (r == 0)
			r = tell(&w.items[i], fn, user);
		free(w.items[i].key);
	}
	free(w.items);
	return r;
}

int directory_list(struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e)
{
	return list((struct directory *)s, prefix, false, fn, user, e);
}

int directory_unfinished(
	struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e)
{
	return list((struct directory *)s, prefix, true, fn, user, e);
}
