/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/exec_record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "backup/container_processes.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

enum { RECORD_MAX = 512 };

struct exec_record {
	char *path;
	int fd;
};

static char *folder;

void exec_record_set_folder(const char *state_dir)
{
	free(folder);
	folder = state_dir ? str_format("%s/backup/execs", state_dir) : NULL;
}

struct exec_record *exec_record_new(const char *container_id, const char *mark)
{
	struct exec_record *r;
	int n;

	if (!folder || fs_mkdirs(folder, 0700, NULL) < 0)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	r->path = str_format("%s/%s", folder, mark);
	/* Locked before it says anything: a sweep leaves alone what is empty. */
	r->fd = open(r->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	n = r->fd < 0 || flock(r->fd, LOCK_EX | LOCK_NB) < 0
		    ? -1
		    : dprintf(r->fd, "%s %s\n", container_id, mark);
	if (n > 0)
		return r;
	exec_record_done(r);
	return NULL;
}

void exec_record_leave(struct exec_record *r)
{
	if (!r)
		return;
	close_p(&r->fd);
	free(r->path);
	free(r);
}

void exec_record_done(struct exec_record *r)
{
	if (r)
		(void)unlink(r->path);
	exec_record_leave(r);
}

struct sweep {
	size_t ended, left;
};

static int sweep_one(void *user, int dirfd, const char *name)
{
	_cleanup_(close_p) int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(buf_done) struct buf text = BUF_INIT(RECORD_MAX);
	char id[129], mark[CONTAINER_MARK_SIZE];
	struct sweep *s = user;
	size_t found = 0, left = 0;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	if (fs_read(dirfd, name, &text, NULL) < 0 || text.len == 0)
		return 0;
	if (sscanf(buf_str(&text), "%128[0-9a-f] %32[0-9a-f]", id, mark) == 2)
		left = container_end(id, mark, &found);
	s->ended += found - left;
	s->left += left;
	if (left == 0)
		(void)unlinkat(dirfd, name, 0);
	return 0;
}

void exec_record_sweep(size_t *ended, size_t *left)
{
	struct sweep s = {0, 0};

	if (folder)
		(void)fs_list(AT_FDCWD, folder, sweep_one, &s, NULL);
	*ended = s.ended;
	*left = s.left;
}
