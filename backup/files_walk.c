/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/files_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"

enum { DESCRIPTORS_WANTED = FILES_DEPTH_MAX + 256, TEXT_MAX = 200 };

struct level {
	DIR *dir;
	size_t path_len; /* of the folder's path with its '/' */
};

struct files_walk {
	struct files_walk_options o;
	struct level *levels; /* FILES_DEPTH_MAX */
	size_t depth;
	dev_t device;
	struct buf path;
	struct buf link;
	int fd; /* of the entry that was given out */
	bool is_folder; /* that entry is one to be entered next */
	bool began;
};

void files_path_text(char *to, size_t size, const char *path)
{
	size_t at = 0;

	while (*path && at + 5 < size) {
		size_t n = str_utf8_char(path);

		if (n > 0 && (n > 1 || ((unsigned char)*path >= ' ' && *path != 0x7f))) {
			memcpy(to + at, path, n);
			at += n;
			path += n;
		} else {
			to[at++] = '?';
			path++;
		}
	}
	to[at] = '\0';
	if (*path && at >= 3)
		memcpy(to + at - 3, "...", 3);
}

static void warn(const struct files_walk *w, const char *what)
{
	char path[TEXT_MAX], text[TEXT_MAX + 200];

	files_path_text(path, sizeof(path), buf_str(&w->path));
	(void)snprintf(text, sizeof(text), "%s: %s", path, what);
	w->o.warn(w->o.user, text);
}

static int bad(const struct files_walk *w, struct err *e)
{
	char path[TEXT_MAX];
	int code = errno;

	files_path_text(path, sizeof(path), w->path.len ? buf_str(&w->path) : ".");
	return err_set(e, code, "%s: %s: %s (exclude it when it is not needed)", w->o.root, path,
		err_text(-code));
}

/* A level takes one; the usual limit of 1,024 would be near. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int files_walk_new(const struct files_walk_options *o, struct files_walk **out, struct err *e)
{
	_cleanup_(files_walk_free_p) struct files_walk *w = calloc(1, sizeof(*w));
	struct stat st;

	if (!w || !(w->levels = calloc(FILES_DEPTH_MAX, sizeof(*w->levels))))
		abort();
	w->o = *o;
	buf_init(&w->path, FILES_PATH_MAX);
	buf_init(&w->link, PATH_MAX);
	allow_descriptors();
	w->fd = open(o->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->fd < 0 || fstat(w->fd, &st) < 0)
		return err_sys(e, "%s", o->root);
	w->device = st.st_dev;
	*out = TAKE_PTR(w);
	return 0;
}

void files_walk_free(struct files_walk *w)
{
	if (!w)
		return;
	while (w->depth)
		(void)closedir(w->levels[--w->depth].dir);
	close_p(&w->fd);
	free(w->levels);
	buf_done(&w->path);
	buf_done(&w->link);
	free(w);
}

static void cut_path(struct files_walk *w, size_t len)
{
	w->path.len = len;
	if (w->path.data)
		w->path.data[len] = '\0';
}

/* Goes into the folder that was given out last. */
static int enter(struct files_walk *w, struct err *e)
{
	struct level *l = &w->levels[w->depth];
	int fd;

	if (w->depth == FILES_DEPTH_MAX) {
		errno = ELOOP;
		return bad(w, e);
	}
	/* The descriptor given out stays the caller's to read attributes from. */
	fd = fcntl(w->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return bad(w, e);
	l->dir = fdopendir(fd);
	if (!l->dir) {
		(void)close(fd);
		return bad(w, e);
	}
	if (w->depth)
		buf_addc(&w->path, '/');
	l->path_len = w->path.len;
	w->depth++;
	return 0;
}

/* 1: an entry; 0: it is to be left out. */
static int give(
	struct files_walk *w, int dirfd, const char *name, struct files_entry *out, struct err *e)
{
	bool is_folder = S_ISDIR(out->st.st_mode);

	out->fd = openat(dirfd, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
			(is_folder ? O_DIRECTORY : 0));
	if (out->fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR)) {
		warn(w, "it vanished or was replaced meanwhile");
		return 0;
	}
	if (out->fd < 0)
		return bad(w, e);
	w->fd = out->fd;
	if (fstat(out->fd, &out->st) < 0)
		return bad(w, e);
	if (is_folder ? !S_ISDIR(out->st.st_mode) : !S_ISREG(out->st.st_mode)) {
		warn(w, "it was replaced meanwhile");
		return 0;
	}
	w->is_folder = is_folder && out->st.st_dev == w->device;
	if (is_folder && !w->is_folder)
		warn(w, "it is another filesystem: what is in it was left out");
	return 1;
}

static int give_link(
	struct files_walk *w, int dirfd, const char *name, struct files_entry *out, struct err *e)
{
	char to[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, to, sizeof(to) - 1);

	if (n < 0 && (errno == ENOENT || errno == EINVAL)) {
		warn(w, "it vanished or was replaced meanwhile");
		return 0;
	}
	if (n < 0)
		return bad(w, e);
	buf_clear(&w->link);
	buf_add(&w->link, to, (size_t)n);
	out->link = buf_str(&w->link);
	return 1;
}

static int look_at(
	struct files_walk *w, int dirfd, const char *name, struct files_entry *out, struct err *e)
{
	*out = (struct files_entry){.path = buf_str(&w->path), .fd = -1};
	if (str_matches_any(w->o.exclude, w->o.n_exclude, out->path, false))
		return 0;
	if (fstatat(dirfd, name, &out->st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return bad(w, e);
		warn(w, "it vanished meanwhile");
		return 0;
	}
	switch (out->st.st_mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
		return give(w, dirfd, name, out, e);
	case S_IFLNK:
		return give_link(w, dirfd, name, out, e);
	case S_IFIFO:
		return 1;
	default:
		warn(w, S_ISSOCK(out->st.st_mode) ? "it is a socket: left out"
						  : "it is a device: left out");
		return 0;
	}
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int give_root(struct files_walk *w, struct files_entry *out, struct err *e)
{
	w->began = w->is_folder = true;
	*out = (struct files_entry){.path = ".", .fd = w->fd};
	return fstat(w->fd, &out->st) < 0 ? bad(w, e) : 1;
}

int files_walk_next(struct files_walk *w, struct files_entry *out, struct err *e)
{
	int r = 0;

	if (!w->began)
		return give_root(w, out, e);
	if (w->is_folder)
		r = enter(w, e);
	w->is_folder = false;
	while (r == 0) {
		struct level *l = w->depth ? &w->levels[w->depth - 1] : NULL;
		const struct dirent *d;

		close_p(&w->fd);
		w->fd = -1;
		if (!l)
			return 0;
		cut_path(w, l->path_len);
		errno = 0;
		d = readdir(l->dir);
		if (!d && errno)
			return bad(w, e);
		if (!d) {
			(void)closedir(l->dir);
			w->depth--;
		} else if (!is_dots(d->d_name)) {
			buf_adds(&w->path, d->d_name);
			if (w->path.overflow)
				return err_set(e, ENAMETOOLONG, "%s: a path of more than %d bytes",
					w->o.root, FILES_PATH_MAX);
			r = look_at(w, dirfd(l->dir), d->d_name, out, e);
		}
	}
	return r;
}
