/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backup/docker.h"
#include "backup/engine_sqlite.h"
#include "base/fs.h"
#include "base/str.h"

/* "/a/b.db" -> "/a" and "b.db". */
static int split(const char *path, char **folder, const char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');

	if (!slash || !slash[1] || strcmp(slash + 1, "..") == 0 || strcmp(slash + 1, ".") == 0)
		return err_set(e, EINVAL, "path: %s is no path of a file", path);
	*folder = slash == path ? str_dup("/") : str_ndup(path, (size_t)(slash - path));
	*name = slash + 1;
	return 0;
}

/* A folder within a volume: its container may have put links there that lead anywhere. */
static int open_in_volume(const struct engine_call *c, const char *folder, struct err *e)
{
	struct open_how how = {.flags = O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	_cleanup_(buf_done) struct buf root = BUF_INIT(PATH_MAX);
	_cleanup_(close_p) int fd = -1;
	long r = docker_volume_path(c->container_socket, c->job->volume, &root, e);

	if (r < 0)
		return (int)r;
	fd = fs_open_dir(AT_FDCWD, buf_str(&root), e);
	if (fd < 0)
		return fd;
	r = syscall(SYS_openat2, fd, folder, &how, sizeof(how));
	return r < 0 ? err_sys(e, "volume %s: folder %s", c->job->volume, folder) : (int)r;
}

/* The path that a descriptor of a folder has now. */
static int path_of_folder(int fd, char to[PATH_MAX], struct err *e)
{
	char link[40];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, to, PATH_MAX - 1);
	if (n < 0)
		return err_sys(e, "%s", link);
	to[n] = '\0';
	return 0;
}

static int find_in(int dir, const char *name, struct sqlite_file *out, struct err *e)
{
	char folder[PATH_MAX];
	struct stat st;
	int r = path_of_folder(dir, folder, e);

	if (r < 0)
		return r;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		out->exists = true;
		if (!S_ISREG(st.st_mode))
			return err_set(e, EINVAL, "path: %s/%s is no file", folder, name);
	} else if (errno != ENOENT) {
		return err_sys(e, "%s/%s", folder, name);
	}
	out->path = str_format("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
	out->name = strrchr(out->path, '/') + 1;
	return 0;
}

int sqlite_file_find(
	const struct engine_call *c, const char *other, struct sqlite_file *out, struct err *e)
{
	const char *path = other ? other : c->job->path, *name = "";
	struct sqlite_file f = {.dir = -1};
	_cleanup_(free_p) char *folder = NULL;
	_cleanup_(free_p) char *real = NULL;
	bool in_volume = c->job->volume && !other;
	int r;

	/* SQLite, too, keeps its journal beside the real file. */
	if (!in_volume && (real = realpath(path, NULL)))
		path = real;
	r = split(path, &folder, &name, e);
	if (r < 0)
		return r;
	f.dir = in_volume ? open_in_volume(c, folder, e) : fs_open_dir(AT_FDCWD, folder, e);
	if (f.dir < 0)
		return f.dir;
	r = find_in(f.dir, name, &f, e);
	if (r < 0) {
		sqlite_file_done(&f);
		return r;
	}
	*out = f;
	return 0;
}

void sqlite_file_done(struct sqlite_file *f)
{
	close_p(&f->dir);
	f->dir = -1;
	free(f->path);
	f->path = NULL;
}

struct search {
	dev_t dev;
	ino_t ino;
	const char *pid;
	struct buf *who;
	bool found;
};

static int look_at_fd(void *user, int dirfd, const char *name)
{
	struct search *g = user;
	struct stat st;

	return fstatat(dirfd, name, &st, 0) == 0 && st.st_ino == g->ino && st.st_dev == g->dev;
}

static int look_at_process(void *user, int dirfd, const char *name)
{
	struct search *g = user;
	_cleanup_(buf_done) struct buf comm = BUF_INIT(64);
	char path[300];

	if (strspn(name, "0123456789") != strlen(name) || strtol(name, NULL, 10) == getpid())
		return 0;
	(void)snprintf(path, sizeof(path), "%.20s/fd", name);
	if (fs_list(dirfd, path, look_at_fd, g, NULL) != 1)
		return 0;
	(void)snprintf(path, sizeof(path), "%.20s/comm", name);
	(void)fs_read(dirfd, path, &comm, NULL);
	buf_addf(g->who, "%s%.*s (process %s)", g->found ? ", " : "",
		(int)strcspn(buf_str(&comm), "\n"), buf_str(&comm), name);
	g->found = true;
	return 0;
}

bool sqlite_file_is_open(const struct sqlite_file *f, struct buf *who)
{
	struct search g = {.who = who};
	struct stat st;

	if (fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	g.dev = st.st_dev;
	g.ino = st.st_ino;
	(void)fs_list(AT_FDCWD, "/proc", look_at_process, &g, NULL);
	return g.found;
}

int sqlite_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	const struct sqlite_writing *w = (struct sqlite_writing *)s;
	const char *from = data;

	while (n > 0) {
		ssize_t r = write(w->fd, from, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, "write the database");
		from += r;
		n -= (size_t)r;
	}
	return 0;
}
