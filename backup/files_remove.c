/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/files_swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

/* Folders within folders are moved up to the top one and emptied there: two descriptors, whatever the depth. */
struct removal {
	int top;
	unsigned moved;
	bool any; /* something was there */
};

static int open_folder(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	/* Its mode may forbid to change it. */
	if (fd >= 0)
		(void)fchmod(fd, 0700);
	else if (errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

static bool is_folder(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int move_up(struct removal *r, int dirfd, const char *name)
{
	char to[40];

	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	/* Moving changes its "..", for which one that is not root needs the right. */
	if (geteuid() != 0 && fchmodat(dirfd, name, 0700, 0) < 0)
		return -errno;
	for (;;) {
		(void)snprintf(to, sizeof(to), ".removed-%u", r->moved++);
		if (renameat2(dirfd, name, r->top, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
}

static int empty_one(void *user, int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	return is_folder(dirfd, name) ? move_up(user, dirfd, name) : -errno;
}

static int remove_one(void *user, int dirfd, const char *name)
{
	struct removal *r = user;
	int fd, result;

	r->any = true;
	if (unlinkat(dirfd, name, 0) == 0 || unlinkat(dirfd, name, AT_REMOVEDIR) == 0 ||
		errno == ENOENT)
		return 0;
	if (!is_folder(dirfd, name))
		return errno ? -errno : -EIO;
	fd = open_folder(dirfd, name);
	if (fd < 0)
		return -errno;
	result = fs_list(fd, ".", empty_one, r, NULL);
	(void)close(fd);
	return result < 0 || unlinkat(dirfd, name, AT_REMOVEDIR) == 0 ? result : -errno;
}

int files_remove_tree(int dirfd, const char *name, struct err *e)
{
	_cleanup_(close_p) int top = open_folder(dirfd, name);
	struct removal removal = {.top = top, .any = true};
	int r = 0;

	if (top < 0)
		return errno == ENOENT ? 0 : err_sys(e, "remove %s", name);
	while (r == 0 && removal.any) {
		removal.any = false;
		r = fs_list(top, ".", remove_one, &removal, NULL);
	}
	if (r == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r < 0 ? err_set(e, -r, "remove %s: %s", name, err_text(r)) : 0;
}
