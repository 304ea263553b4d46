/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/files_swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/str.h"

#define OLD_MARK ".agent-old-"

struct files_swap {
	char *path; /* what is replaced */
	char *parent, *name; /* of it */
	char *folder; /* that is filled */
	bool exists;
	bool within; /* the folder is within path, and only contents can be moved */
};

static void swap_free(struct files_swap *s)
{
	free(s->path);
	free(s->parent);
	free(s->name);
	free(s->folder);
	free(s);
}
DEFINE_CLEANUP(struct files_swap *, swap_free);

/* A path without "/" at its end, and not "/" itself. */
static int split(struct files_swap *s, const char *path, struct err *e)
{
	size_t n = strlen(path);
	const char *slash;

	while (n > 1 && path[n - 1] == '/')
		n--;
	s->path = str_ndup(path, n);
	slash = strrchr(s->path, '/');
	if (s->path[0] != '/' || !slash[1])
		return err_set(e, EINVAL, "%s: nothing can be restored there", path);
	s->name = str_dup(slash + 1);
	s->parent = slash == s->path ? str_dup("/") : str_ndup(s->path, (size_t)(slash - s->path));
	return 0;
}

/* The mount that a path is in, also of one filesystem that is mounted twice; 0: the kernel is older than 5.8. */
static uint64_t mount_of(const char *path)
{
	struct statx x;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &x) < 0 ||
		!(x.stx_mask & STATX_MNT_ID))
		return 0;
	return x.stx_mnt_id;
}

/* Where the folder aside goes: beside the path, or within it when it is a mount point. */
static int find_place(struct files_swap *s, struct err *e)
{
	struct stat st, up;

	if (stat(s->parent, &up) < 0)
		return err_sys(e, "%s", s->parent);
	if (lstat(s->path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", s->path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "%s is not a folder", s->path);
	s->exists = true;
	s->within = st.st_dev != up.st_dev || mount_of(s->path) != mount_of(s->parent);
	return 0;
}

struct leftovers {
	char *prefix;
};

static int remove_leftover(void *user, int dirfd, const char *name)
{
	const struct leftovers *l = user;

	if (str_starts(name, l->prefix))
		(void)files_remove_tree(dirfd, name, NULL);
	return 0;
}

static void remove_leftovers(const struct files_swap *s)
{
	struct leftovers l = {str_format("%s%s", s->within ? "" : s->name, FILES_SWAP_MARK)};

	(void)fs_list(AT_FDCWD, s->within ? s->path : s->parent, remove_leftover, &l, NULL);
	free(l.prefix);
}

int files_swap_begin(const char *path, struct files_swap **out, struct err *e)
{
	_cleanup_(swap_free_p) struct files_swap *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		abort();
	r = split(s, path, e);
	if (r == 0)
		r = find_place(s, e);
	if (r < 0)
		return r;
	remove_leftovers(s);
	s->folder = s->within ? str_format("%s/%sXXXXXX", s->path, FILES_SWAP_MARK)
			      : str_format("%s%sXXXXXX", s->path, FILES_SWAP_MARK);
	if (!mkdtemp(s->folder))
		return err_sys(e, "%s", s->folder);
	*out = TAKE_PTR(s);
	return 0;
}

const char *files_swap_folder(const struct files_swap *s)
{
	return s->folder;
}

void files_swap_abort(struct files_swap *s)
{
	if (!s)
		return;
	(void)files_remove_tree(AT_FDCWD, s->folder, NULL);
	swap_free(s);
}

/* --- contents, one by one */

struct move {
	int from, to;
};

/* But not the two folders of this file. */
static int move_one(void *user, int dirfd, const char *name)
{
	const struct move *m = user;

	if (str_starts(name, FILES_SWAP_MARK) || str_starts(name, OLD_MARK))
		return 0;
	return renameat2(dirfd, name, m->to, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

/* Names change under the reader: several turns. */
static int move_all(int from, int to)
{
	struct move m = {from, to};
	int r = 0;

	for (int turn = 0; turn < 3 && r == 0; turn++)
		r = fs_list(from, ".", move_one, &m, NULL);
	return r;
}

static int move_in(int top, int new, int old, bool *back)
{
	int r = move_all(top, old);

	if (r == 0) {
		r = move_all(new, top);
		if (r == 0)
			return 0;
		*back = move_all(top, new) == 0;
	}
	*back = *back && move_all(old, top) == 0;
	return r;
}

static int swap_contents(struct files_swap *s, struct err *e)
{
	_cleanup_(free_p) char *old_path = str_format("%s/%sXXXXXX", s->path, OLD_MARK);
	_cleanup_(close_p) int top = fs_open_dir(AT_FDCWD, s->path, e);
	_cleanup_(close_p) int new = fs_open_dir(AT_FDCWD, s->folder, e);
	_cleanup_(close_p) int old = -1;
	struct stat st;
	bool back = true;
	int r;

	if (top < 0 || new < 0 || !mkdtemp(old_path) ||
		(old = fs_open_dir(AT_FDCWD, old_path, e)) < 0)
		return err_sys(e, "%s", s->path);
	r = move_in(top, new, old, &back);
	if (r < 0 && !back)
		return err_set(e, EUCLEAN, "partial: of what was in %s, some is in %s now: %s",
			s->path, old_path, err_text(r));
	if (r < 0) {
		(void)files_remove_tree(AT_FDCWD, old_path, NULL);
		return err_set(e, -r, "%s: %s", s->path, err_text(r));
	}
	if (fstat(new, &st) == 0 && fchown(top, st.st_uid, st.st_gid) == 0)
		(void)fchmod(top, st.st_mode & 07777);
	(void)fsync(top);
	return files_remove_tree(AT_FDCWD, old_path, e);
}

/* --- the whole folder */

static int exchange(struct files_swap *s, struct err *e)
{
	_cleanup_(free_p) char *old = NULL;

	if (renameat2(AT_FDCWD, s->folder, AT_FDCWD, s->path, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno == EBUSY || errno == EXDEV)
		return 1;
	if (errno != EINVAL && errno != ENOSYS)
		return err_sys(e, "%s", s->path);
	/* A filesystem without it: for a moment nothing is there. */
	old = str_format("%s.old", s->folder);
	if (rename(s->path, old) < 0)
		return err_sys(e, "%s", s->path);
	if (rename(s->folder, s->path) < 0) {
		int code = errno;

		if (rename(old, s->path) < 0)
			return err_set(
				e, EUCLEAN, "partial: what was in %s is in %s now", s->path, old);
		return err_set(e, code, "%s: %s", s->path, err_text(-code));
	}
	(void)rename(old, s->folder);
	return 0;
}

static int put_in_place(struct files_swap *s, struct err *e)
{
	_cleanup_(close_p) int parent = fs_open_dir(AT_FDCWD, s->parent, e);
	int r = 1;

	if (!s->exists)
		r = renameat2(AT_FDCWD, s->folder, AT_FDCWD, s->path, RENAME_NOREPLACE) < 0
			    ? err_sys(e, "%s", s->path)
			    : 0;
	else if (!s->within)
		r = exchange(s, e);
	if (r > 0)
		r = swap_contents(s, e);
	if (r == 0 && parent >= 0)
		(void)fsync(parent);
	return r;
}

int files_swap_commit(struct files_swap *s, struct err *e)
{
	_cleanup_(close_p) int fd = fs_open_dir(AT_FDCWD, s->folder, e);
	int r = fd < 0 ? fd : 0;

	/* All of it is on the disk before it counts. */
	if (r == 0 && syncfs(fd) < 0)
		r = err_sys(e, "%s", s->folder);
	if (r == 0)
		r = put_in_place(s, e);
	if (r == 0 && s->exists)
		r = files_remove_tree(AT_FDCWD, s->folder, e);
	else if (r < 0 && r != -EUCLEAN)
		(void)files_remove_tree(AT_FDCWD, s->folder, NULL);
	swap_free(s);
	return r;
}
