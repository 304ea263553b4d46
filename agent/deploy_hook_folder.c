/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_hook_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

static const char shared_memory[] = "/dev/shm";
static const char prefix[] = "agent-hook-"; /* then the agent's pid, and something random */

static bool is_in_memory(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 &&
	       (fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC);
}

static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= DEPLOY_SECRET_NAME_MAX && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       n;
}

static int write_file(const char *path, const char *data, size_t n, mode_t mode, struct err *e)
{
	_cleanup_(close_p) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	/* A file in memory takes all at once or has no room. */
	if (fd < 0 || (n && write(fd, data, n) != (ssize_t)n) || close(take_fd(&fd)) < 0)
		return err_sys(e, "write %s", path);
	return 0;
}

static int write_secrets(
	const char *folder, const struct deploy_secret *secrets, size_t n, struct err *e)
{
	if (mkdir(folder, 0700) < 0)
		return err_sys(e, "make folder %s", folder);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(free_p) char *path = str_format("%s/%s", folder, secrets[i].name);
		size_t size = strlen(secrets[i].value);
		int r;

		if (!name_is_valid(secrets[i].name))
			return err_set(
				e, EINVAL, "\"%.64s\" is not a name of a secret", secrets[i].name);
		if (size > DEPLOY_SECRET_MAX)
			return err_set(e, EFBIG, "secret %s has more than %d bytes",
				secrets[i].name, DEPLOY_SECRET_MAX);
		r = write_file(path, secrets[i].value, size, 0400, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int make_folder(const char *parent, struct deploy_hook_folder *f, struct err *e)
{
	_cleanup_(free_p) char *path = str_format("%s/%s%d-XXXXXX", parent, prefix, (int)getpid());

	if (!mkdtemp(path))
		return err_sys(e, "make a folder in %s", parent);
	f->path = TAKE_PTR(path);
	return 0;
}

int deploy_hook_folder_make(const char *parent, const struct deploy_secret *secrets, size_t n,
	struct deploy_hook_folder *out, struct err *e)
{
	_cleanup_(deploy_hook_folder_remove) struct deploy_hook_folder f = {.path = NULL};
	int r = fs_mkdirs(parent, 0700, e);

	if (r == 0 && n && !is_in_memory(parent)) {
		f.is_on_disk = !is_in_memory(shared_memory);
		if (!f.is_on_disk)
			parent = shared_memory;
	}
	if (r == 0)
		r = make_folder(parent, &f, e);
	if (r < 0)
		return r;
	f.output = str_format("%s/output", f.path);
	r = write_file(f.output, "", 0, 0600, e);
	if (r == 0 && n) {
		f.credentials = str_format("%s/credentials", f.path);
		r = write_secrets(f.credentials, secrets, n, e);
	}
	if (r < 0)
		return r;
	*out = f;
	f = (struct deploy_hook_folder){.path = NULL};
	return 0;
}

int deploy_hook_folder_results(const struct deploy_hook_folder *f, struct buf *out, struct err *e)
{
	_cleanup_(close_p) int fd = open(f->output, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *to;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, EBADMSG, "the file for results was replaced or removed");
	if (st.st_size > (off_t)out->max)
		return err_set(e, EBADMSG, "more than %zu bytes of results", out->max);
	to = buf_reserve(out, out->max);
	n = read(fd, to, out->max);
	if (n < 0)
		return err_sys(e, "read the results");
	buf_grew(out, (size_t)n);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

static void remove_all(const char *path)
{
	enum { DESCRIPTORS = 8 };

	(void)nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void deploy_hook_folder_remove(struct deploy_hook_folder *f)
{
	if (f->path)
		remove_all(f->path);
	free(f->path);
	free(f->output);
	free(f->credentials);
	*f = (struct deploy_hook_folder){.path = NULL};
}

struct sweep {
	const char *parent;
	deploy_hook_folder_fn fn;
	void *user;
};

/* Whether the agent that made it is gone. One with our own number was before us: we have made none yet. */
static bool is_left_over(const char *name)
{
	int pid = 0;

	return str_starts(name, prefix) && sscanf(name + strlen(prefix), "%9d-", &pid) == 1 &&
	       pid > 0 && (pid == getpid() || (kill(pid, 0) < 0 && errno == ESRCH));
}

static int sweep_one(void *user, int dirfd, const char *name)
{
	struct sweep *s = user;
	struct stat st;

	if (is_left_over(name) && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode) && st.st_uid == geteuid()) {
		_cleanup_(free_p) char *path = str_format("%s/%s", s->parent, name);

		if (s->fn(s->user, path))
			remove_all(path);
	}
	return 0;
}

void deploy_hook_folder_sweep(const char *parent, deploy_hook_folder_fn fn, void *user)
{
	struct sweep s = {parent, fn, user};

	(void)fs_list(AT_FDCWD, parent, sweep_one, &s, NULL);
	s.parent = shared_memory;
	if (strcmp(parent, shared_memory) != 0)
		(void)fs_list(AT_FDCWD, shared_memory, sweep_one, &s, NULL);
}
