/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

int fs_read(int dirfd, const char *path, struct buf *out, struct err *e)
{
	_cleanup_(close_p) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	buf_clear(out);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	for (;;) {
		size_t room = out->max - out->len;
		char extra;
		char *to = room ? buf_reserve(out, room < 4096 ? room : 4096) : &extra;
		ssize_t n = read(fd, to, room ? (room < 4096 ? room : 4096) : 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read %s", path);
		if (n == 0)
			return 0;
		if (!room)
			return err_set(e, EFBIG, "%s is larger than %zu bytes", path, out->max);
		buf_grew(out, (size_t)n);
	}
}

static int write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t r = write(fd, data, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		data += r;
		n -= (size_t)r;
	}
	return 0;
}

/* Makes the rename itself durable. */
static int sync_parent(int dirfd, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[4096] = ".";
	_cleanup_(close_p) int fd = -1;

	if (slash == path)
		(void)str_copy(dir, sizeof(dir), "/");
	else if (slash)
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, "sync folder %s", dir);
	return 0;
}

int fs_write_atomic(
	int dirfd, const char *path, const void *data, size_t n, mode_t mode, struct err *e)
{
	_cleanup_(close_p) int fd = -1;
	char aside[4096];
	int r;

	if ((size_t)snprintf(aside, sizeof(aside), "%s.new", path) >= sizeof(aside))
		return err_set(e, ENAMETOOLONG, "path is too long: %s", path);
	(void)unlinkat(dirfd, aside, 0);
	fd = openat(dirfd, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(e, "create %s", aside);
	if (fchmod(fd, mode) < 0 || write_all(fd, data, n) < 0 || fsync(fd) < 0 ||
		close(take_fd(&fd)) < 0) {
		r = err_sys(e, "write %s", aside);
		(void)unlinkat(dirfd, aside, 0);
		return r;
	}
	if (renameat(dirfd, aside, dirfd, path) < 0) {
		r = err_sys(e, "rename %s", aside);
		(void)unlinkat(dirfd, aside, 0);
		return r;
	}
	return sync_parent(dirfd, path, e);
}

/* errno stays that of mkdir, unless it said that something is there. */
static bool is_dir(const char *path)
{
	int before = errno;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	errno = before == EEXIST ? ENOTDIR : before;
	return false;
}

int fs_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char part[4096];

	if (!*path)
		return err_set(e, ENOENT, "make folder: the path is empty");
	if (!str_copy(part, sizeof(part), path))
		return err_set(e, ENAMETOOLONG, "path is too long: %s", path);
	for (char *p = part + 1;; p++) {
		bool end = *p == '\0';

		if (!end && *p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, mode) < 0 && !is_dir(part))
			return err_sys(e, "make folder %s", part);
		if (end)
			break;
		*p = '/';
	}
	return 0;
}

int fs_open_dir(int dirfd, const char *path, struct err *e)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open folder %s", path) : fd;
}

int fs_list(int dirfd, const char *path, fs_list_fn fn, void *user, struct err *e)
{
	_cleanup_(closedir_p) DIR *d = NULL;
	struct dirent *entry;
	int fd = fs_open_dir(dirfd, path, e);

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		(void)close(fd);
		return err_sys(e, "open folder %s", path);
	}
	for (;;) {
		int r;

		errno = 0;
		entry = readdir(d);
		if (!entry)
			return errno ? err_sys(e, "read folder %s", path) : 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = fn(user, fd, entry->d_name);
		if (r)
			return r;
	}
}

int fs_check_secret(int dirfd, const char *path, struct err *e)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, 0) < 0)
		return err_sys(e, "secrets file %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EPERM, "secrets file %s is not a regular file", path);
	if (st.st_mode & 0007 || st.st_mode & 0030 || (st.st_mode & 0040 && st.st_uid != 0))
		return err_set(e, EPERM,
			"secrets file %s can be read by others (mode %04o); cure: chmod 600 %s",
			path, (unsigned)(st.st_mode & 07777), path);
	return 0;
}

char *fs_absolute(const char *path)
{
	_cleanup_(free_p) char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
	char *whole = str_format("%s/%s", here ? here : "", path), *to = whole;

	for (const char *from = whole; *from;) {
		const char *part = from + strspn(from, "/");
		size_t n = strcspn(part, "/");

		from = part + n;
		if (n == 1 && *part == '.')
			continue;
		*to++ = '/';
		memmove(to, part, n);
		to += n;
	}
	if (to == whole)
		*to++ = '/';
	*to = '\0';
	return whole;
}
