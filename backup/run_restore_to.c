/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/run_apply.h"
#include "backup/run_restore.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

/* A file that is there under its name only when it is whole. */
struct file_sink {
	struct sink sink;
	char *path, *aside;
	int fd;
	bool is_stdout;
};

static int file_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct file_sink *f = (struct file_sink *)s;
	const char *from = data;

	while (n) {
		ssize_t w = write(f->fd, from, n);

		if (w < 0 && errno != EINTR)
			return err_sys(e, "%s", f->path);
		if (w > 0) {
			from += w;
			n -= (size_t)w;
		}
	}
	return 0;
}

static int file_finish(struct sink *s, struct err *e)
{
	struct file_sink *f = (struct file_sink *)s;

	if (f->is_stdout)
		return 0;
	if (fsync(f->fd) < 0 || close(take_fd(&f->fd)) < 0 || rename(f->aside, f->path) < 0)
		return err_sys(e, "%s", f->path);
	free(f->aside);
	f->aside = NULL;
	return 0;
}

static void file_free(struct sink *s)
{
	struct file_sink *f = (struct file_sink *)s;

	if (f->aside)
		(void)unlink(f->aside);
	if (!f->is_stdout)
		close_p(&f->fd);
	free(f->aside);
	free(f->path);
	free(f);
}

static int file_open(const char *path, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {file_write, file_finish, file_free};
	struct file_sink *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->sink.ops = &ops;
	f->path = str_dup(path);
	f->is_stdout = strcmp(path, "-") == 0;
	f->fd = STDOUT_FILENO;
	*out = &f->sink;
	if (f->is_stdout)
		return 0;
	f->aside = str_format("%s.part", path);
	f->fd = open(f->aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0) {
		int r = err_sys(e, "%s", f->aside);

		free(f->aside);
		f->aside = NULL;
		return r;
	}
	return 0;
}

static bool is_folder(const char *to)
{
	return str_ends(to, "/");
}

static char *path_of(const char *to, const struct manifest_member *m)
{
	const struct format *f = format_find(m->format);

	return is_folder(to) ? str_format("%s%s%s", to, m->name, f ? f->suffix : "") : str_dup(to);
}

int restore_to_check(const struct run *r, const struct manifest *m, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_members; i++)
		n += apply_wants(r, &m->members[i]);
	if (n > 1 && !is_folder(r->o->restore.to))
		return err_set(e, EINVAL,
			"the backup has %zu members: choose one, or give a folder (\"%s/\")", n,
			strcmp(r->o->restore.to, "-") == 0 ? "restored" : r->o->restore.to);
	return 0;
}

bool restore_to_replaces(const struct run *r, const struct manifest *m, struct buf *text)
{
	bool any = false;

	for (size_t i = 0; i < m->n_members; i++) {
		_cleanup_(free_p) char *path = path_of(r->o->restore.to, &m->members[i]);
		struct stat st;

		if (!apply_wants(r, &m->members[i]) || lstat(path, &st) < 0)
			continue;
		buf_addf(text, "%s%s", any ? ", " : "the file ", path);
		any = true;
	}
	if (any)
		buf_adds(text, " will be replaced");
	return any;
}

static int one_to(struct run *r, const struct chosen *c, const struct manifest_member *m,
	const struct read_keys *k, struct err *e)
{
	_cleanup_(free_p) char *path = path_of(r->o->restore.to, m);
	_cleanup_(sink_free_p) struct sink *to = NULL;
	int result = file_open(path, &to, e);

	return result < 0 ? result : apply_member(r, c, m, k, to, e);
}

int restore_to(struct run *r, const struct chosen *c, const struct read_keys *k, struct err *e)
{
	const struct manifest *m = c->manifest;
	int result = is_folder(r->o->restore.to) ? fs_mkdirs(r->o->restore.to, 0700, e) : 0;

	for (size_t i = 0; i < m->n_members && result == 0; i++)
		if (apply_wants(r, &m->members[i]))
			result = one_to(r, c, &m->members[i], k, e);
	return result;
}
