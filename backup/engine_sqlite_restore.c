/* SPDX-License-Identifier: Apache-2.0
 *
 * A restore writes a new file beside the old one, has SQLite check all of it, and renames it over the old one: until then nothing has
 * changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/engine_sqlite.h"
#include "backup/sqlite_db.h"
#include "base/str.h"

struct restoring {
	struct sqlite_file file;
	char aside[300]; /* name of the new file */
	int fd;
	bool is_drill;
};

static int sync_it(struct sink *s, struct err *e)
{
	return fsync(((struct sqlite_writing *)s)->fd) < 0 ? err_sys(e, "write the database") : 0;
}

static void writing_free(struct sink *s)
{
	free(s);
}

/* Where the restored file goes. A file in a container cannot be replaced from here without its program knowing. */
static int find_target(const struct engine_call *c, const struct engine_restore *r,
	struct sqlite_file *out, struct err *e)
{
	if (r->into && *r->into != '/')
		return err_set(e, EINVAL, "into: it must be the absolute path of a file");
	if (!r->into && c->job->container && !c->job->volume)
		return err_set(e, ENOTSUP,
			"a file in a container is not replaced: restore into a file of this host "
			"(--into /PATH), and copy it into the container while its program is "
			"stopped");
	return sqlite_file_find(c, r->into, out, e);
}

static int check_unused(const struct sqlite_file *f, struct err *e)
{
	_cleanup_(buf_done) struct buf who = BUF_INIT(300);

	if (f->exists && sqlite_file_is_open(f, &who))
		return err_set(e, EBUSY,
			"%s is open in %s: stop it, or restore into another file (--into)", f->path,
			buf_str(&who));
	return 0;
}

int sqlite_restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e)
{
	struct sqlite_file f;
	char size[32] = "";
	struct stat st;
	int result = find_target(c, r, &f, e);

	if (result < 0)
		return result;
	if (f.exists && fstatat(f.dir, f.name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		str_human_bytes(size, sizeof(size), (double)st.st_size);
		buf_addf(text, "database file %s (%s) will be replaced", f.path, size);
	} else {
		buf_addf(text, "database file %s will be made", f.path);
	}
	*destructive = f.exists;
	result = r->is_drill ? 0 : check_unused(&f, e);
	sqlite_file_done(&f);
	return result;
}

static void restoring_free(struct restoring *w)
{
	if (*w->aside)
		(void)unlinkat(w->file.dir, w->aside, 0);
	close_p(&w->fd);
	sqlite_file_done(&w->file);
	free(w);
}

int sqlite_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e)
{
	struct restoring *w = calloc(1, sizeof(*w));
	char aside[sizeof(w->aside)];
	int result;

	if (!w)
		abort();
	w->fd = w->file.dir = -1;
	w->is_drill = r->is_drill;
	result = find_target(c, r, &w->file, e);
	if (result == 0 && !r->is_drill)
		result = check_unused(&w->file, e);
	if (result == 0) {
		(void)snprintf(
			aside, sizeof(aside), "%.200s.restore-%ld", w->file.name, (long)getpid());
		/* Of a process with the same number that was killed. */
		(void)unlinkat(w->file.dir, aside, 0);
		w->fd = openat(w->file.dir, aside,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		result = w->fd < 0 ? err_sys(e, "create %s beside %s", aside, w->file.path) : 0;
	}
	if (result < 0) {
		restoring_free(w);
		return result;
	}
	(void)str_copy(w->aside, sizeof(w->aside), aside);
	t->state = w;
	return 0;
}

int sqlite_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {sqlite_write, sync_it, writing_free};
	const struct restoring *w = t->state;
	struct sqlite_writing *writing = calloc(1, sizeof(*writing));

	(void)c;
	(void)r;
	if (!writing)
		abort();
	if (strcmp(m->format, format_sqlite.name) != 0) {
		free(writing);
		return err_set(e, EPROTO, "%s is no SQLite database", m->title);
	}
	*writing = (struct sqlite_writing){.sink.ops = &ops, .fd = w->fd};
	*out = &writing->sink;
	return 0;
}

/* Owner and mode of the old file; without one, the owner of the folder: the program that will use it. */
static int take_owner(const struct restoring *w, struct err *e)
{
	struct stat st;
	mode_t mode = 0600;

	if (fstatat(w->file.dir, w->file.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		mode = st.st_mode & 07777;
	else if (fstat(w->file.dir, &st) < 0)
		return err_sys(e, "folder of %s", w->file.path);
	if ((geteuid() == 0 && fchown(w->fd, st.st_uid, st.st_gid) < 0) || fchmod(w->fd, mode) < 0)
		return err_sys(e, "owner of %s", w->file.path);
	return 0;
}

/* Of the old database; SQLite would take them for the new one's and damage it. */
static int remove_journals(const struct restoring *w, struct err *e)
{
	static const char *const endings[] = {"-wal", "-shm", "-journal"};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		_cleanup_(free_p) char *name = str_format("%s%s", w->file.name, endings[i]);

		if (unlinkat(w->file.dir, name, 0) < 0 && errno != ENOENT)
			return err_sys(e, "remove %s%s", w->file.path, endings[i]);
	}
	return 0;
}

static int put_in_place(struct restoring *w, struct err *e)
{
	_cleanup_(free_p) char *folder =
		str_ndup(w->file.path, (size_t)(w->file.name - w->file.path));
	_cleanup_(free_p) char *aside = str_format("%s%s", folder, w->aside);
	int r = sqlite_db_check(aside, e);

	if (r == 0)
		r = check_unused(&w->file, e);
	/* So that the old one is whole without its journals, should we be ended before the rename. */
	if (r == 0 && w->file.exists)
		r = sqlite_db_settle(w->file.path, e);
	if (r == 0)
		r = take_owner(w, e);
	if (r == 0 && fsync(w->fd) < 0)
		r = err_sys(e, "write %s", w->file.path);
	if (r == 0)
		r = remove_journals(w, e);
	if (r < 0)
		return r;
	if (renameat(w->file.dir, w->aside, w->file.dir, w->file.name) < 0)
		return err_sys(e, "rename %s", aside);
	*w->aside = '\0';
	return fsync(w->file.dir) < 0 ? err_sys(e, "sync %s", folder) : 0;
}

int sqlite_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e)
{
	struct restoring *w = t->state;
	int result = ok ? put_in_place(w, e) : 0;

	(void)c;
	(void)r;
	restoring_free(w);
	t->state = NULL;
	return result;
}
