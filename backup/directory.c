/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/str.h"

int directory_check_key(const char *full, struct err *e)
{
	static const char chars[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/%";

	if (strspn(full, chars) != strlen(full))
		return err_set(e, EINVAL, "key \"%s\" has a character that none may have", full);
	for (const char *part = full;; part = strchr(part, '/') + 1) {
		/* A leading dot: "." and "..", and what other programs hide. */
		if (*part == '/' || *part == '\0' || *part == '.')
			return err_set(e, EINVAL, "key \"%s\" is no path below a folder", full);
		if (!strchr(part, '/'))
			break;
	}
	if (str_ends(full, DIRECTORY_PART))
		return err_set(e, EINVAL, "key \"%s\" looks like an unfinished one", full);
	return 0;
}

static int make_root(const char *path, struct err *e)
{
	char parent[4096];
	char *slash;
	struct stat st;

	(void)str_copy(parent, sizeof(parent), path);
	for (size_t n = strlen(parent); n > 1 && parent[n - 1] == '/'; n--)
		parent[n - 1] = '\0';
	slash = strrchr(parent, '/');
	if (!slash)
		return err_set(e, EINVAL, "folder %s: the path must be absolute", path);
	slash[slash == parent] = '\0';
	if (stat(parent, &st) < 0)
		return err_set(e, ENOENT,
			"folder %s cannot be made: %s is not there either; is its disk mounted?",
			path, parent);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make folder %s", path);
	return 0;
}

int directory_root(const struct directory *d, bool make, struct err *e)
{
	int fd = fs_open_dir(AT_FDCWD, d->path, e);
	int r;

	if (fd != -ENOENT || !make)
		return fd;
	r = make_root(d->path, e);
	return r < 0 ? r : fs_open_dir(AT_FDCWD, d->path, e);
}

/* One folder down. */
static int descend(int parent, const char *name, bool make, struct err *e)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = -1;

	/* A run that ends may just be removing the folder, because it is empty. */
	for (int i = 0; i < 10; i++) {
		fd = openat(parent, name, flags);
		if (fd >= 0 || errno != ENOENT || !make)
			break;
		if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "make folder %s", name);
		if (fsync(parent) < 0)
			return err_sys(e, "sync the folder of %s", name);
	}
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return err_set(e, ENOTDIR, "%s is no folder", name);
	return fd < 0 ? err_sys(e, "open folder %s", name) : fd;
}

int directory_place(const struct directory *d, const char *key, bool make,
	struct directory_place *out, struct err *e)
{
	struct directory_place p = {.fd = -1};
	char *part = p.full, *slash;
	int r;

	if ((size_t)snprintf(p.full, sizeof(p.full), "%s%s", d->prefix, key) >= sizeof(p.full))
		return err_set(e, ENAMETOOLONG, "key is too long: %s", key);
	r = directory_check_key(p.full, e);
	if (r < 0)
		return r;
	r = directory_root(d, make, e);
	while (r >= 0 && (slash = strchr(part, '/'))) {
		p.fd = r;
		*slash = '\0';
		r = err_wrap(e, descend(p.fd, part, make, e), "%s", d->path);
		*slash = '/';
		(void)close(p.fd);
		part = slash + 1;
	}
	if (r < 0)
		return r;
	*out = p;
	out->fd = r;
	out->name = out->full + (part - p.full);
	return 0;
}

void directory_tidy(const struct directory *d, const struct directory_place *p)
{
	struct err e;
	_cleanup_(close_p) int root = directory_root(d, false, &e);
	char folder[DIRECTORY_KEY_MAX];
	char *slash;

	(void)str_copy(folder, sizeof(folder), p->full);
	while (root >= 0 && (slash = strrchr(folder, '/'))) {
		*slash = '\0';
		if (unlinkat(root, folder, AT_REMOVEDIR) < 0)
			return;
	}
}
