/* SPDX-License-Identifier: Apache-2.0
 *
 * A drill and a proof: the database again, in a folder of its own in the state folder, for SQLite to look at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "backup/engine_sqlite.h"
#include "backup/sqlite_db.h"
#include "base/fs.h"
#include "base/str.h"

#define FOLDER_PREFIX "sqlite-"
#define FILE_NAME "drill.db"

/* Locked as long as it is used; what a killed process left is not. */
struct folder {
	char *path;
	int fd;
};

static int remove_file(void *user, int dirfd, const char *name)
{
	(void)user;
	(void)unlinkat(dirfd, name, 0);
	return 0;
}

static int remove_left(void *user, int dirfd, const char *name)
{
	_cleanup_(close_p) int fd = -1;

	(void)user;
	if (!str_starts(name, FOLDER_PREFIX))
		return 0;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	(void)fs_list(fd, ".", remove_file, NULL, NULL);
	(void)unlinkat(dirfd, name, AT_REMOVEDIR);
	return 0;
}

static int folder_make(struct folder *f, const struct engine_call *c, struct err *e)
{
	_cleanup_(free_p) char *above = str_format("%s/backup", c->state_dir);
	int r = fs_mkdirs(above, 0700, e);

	if (r < 0)
		return r;
	(void)fs_list(AT_FDCWD, above, remove_left, NULL, NULL);
	f->path = str_format("%s/" FOLDER_PREFIX "XXXXXX", above);
	if (!mkdtemp(f->path))
		return err_sys(e, "make folder %s", f->path);
	f->fd = fs_open_dir(AT_FDCWD, f->path, e);
	if (f->fd >= 0 && flock(f->fd, LOCK_EX | LOCK_NB) < 0)
		return err_sys(e, "lock %s", f->path);
	return f->fd < 0 ? f->fd : 0;
}

static void folder_remove(struct folder *f)
{
	if (f->fd >= 0) {
		(void)fs_list(f->fd, ".", remove_file, NULL, NULL);
		(void)rmdir(f->path);
	}
	close_p(&f->fd);
	free(f->path);
}

static struct folder *folder_new(void)
{
	struct folder *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->fd = -1;
	return f;
}

int sqlite_drill_begin(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, char into[128], struct engine_target *t, struct err *e)
{
	struct folder *f = folder_new();
	int r = folder_make(f, c, e);

	(void)m;
	if (r == 0 && snprintf(into, 128, "%s/" FILE_NAME, f->path) >= 128)
		r = err_set(e, ENAMETOOLONG, "%s: the path is too long", f->path);
	if (r < 0) {
		folder_remove(f);
		free(f);
		return r;
	}
	*out = *c;
	t->state = f;
	return 0;
}

void sqlite_drill_end(
	const struct engine_call *c, struct engine_call *drill, struct engine_target *t)
{
	(void)c;
	(void)drill;
	folder_remove(t->state);
	free(TAKE_PTR(t->state));
}

struct proof {
	struct sqlite_writing writing;
	struct folder folder;
	char *path;
	int fd;
};

static int proof_finish(struct sink *s, struct err *e)
{
	return sqlite_db_check(((struct proof *)s)->path, e);
}

static void proof_free(struct sink *s)
{
	struct proof *p = (struct proof *)s;

	close_p(&p->fd);
	folder_remove(&p->folder);
	free(p->path);
	free(p);
}

int sqlite_proof(const struct engine_call *c, const struct manifest_member *m, struct sink **out,
	struct err *e)
{
	static const struct sink_ops ops = {sqlite_write, proof_finish, proof_free};
	struct proof *p = calloc(1, sizeof(*p));
	int r;

	(void)m;
	if (!p)
		abort();
	p->writing.sink.ops = &ops;
	p->fd = p->folder.fd = -1;
	r = folder_make(&p->folder, c, e);
	if (r == 0) {
		p->path = str_format("%s/" FILE_NAME, p->folder.path);
		p->fd = open(p->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		p->writing.fd = p->fd;
		r = p->fd < 0 ? err_sys(e, "create %s", p->path) : 0;
	}
	if (r < 0) {
		proof_free(&p->writing.sink);
		return r;
	}
	*out = &p->writing.sink;
	return 0;
}
