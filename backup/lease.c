/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

struct lease {
	char *path;
	int fd;
};

void lease_leave(struct lease *l)
{
	if (!l)
		return;
	close_p(&l->fd);
	free(l->path);
	free(l);
}

void lease_done(struct lease *l)
{
	if (l)
		(void)unlink(l->path);
	lease_leave(l);
}
DEFINE_CLEANUP(struct lease *, lease_done);

/* Locked before it says anything: a sweep leaves alone what is empty. */
static int write_text(struct lease *l, const char *text)
{
	ssize_t n = (ssize_t)strlen(text);

	l->fd = open(l->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (l->fd < 0)
		return -errno;
	if (flock(l->fd, LOCK_EX) < 0 || write(l->fd, text, (size_t)n) != n)
		return errno ? -errno : -EIO;
	return 0;
}

int lease_new(const char *folder, const char *text, struct lease **out, struct err *e)
{
	_cleanup_(lease_done_p) struct lease *l = NULL;
	unsigned long long random;
	int r = fs_mkdirs(folder, 0700, e);

	if (r < 0)
		return r;
	l = calloc(1, sizeof(*l));
	if (!l || getrandom(&random, sizeof(random), 0) != sizeof(random))
		abort();
	l->path = str_format("%s/%016llx", folder, random);
	errno = 0;
	r = write_text(l, text);
	if (r < 0)
		return err_set(e, -r, "%s: %s", l->path, err_text(r));
	*out = TAKE_PTR(l);
	return 0;
}

int lease_fd(const struct lease *l)
{
	return l->fd;
}

struct sweep {
	bool (*fn)(void *user, const char *text);
	void *user;
};

static int sweep_one(void *user, int dirfd, const char *name)
{
	_cleanup_(close_p) int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(buf_done) struct buf text = BUF_INIT(LEASE_TEXT_MAX);
	const struct sweep *s = user;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	if (fs_read(dirfd, name, &text, NULL) < 0 || text.len == 0)
		return 0;
	if (s->fn(s->user, buf_str(&text)))
		(void)unlinkat(dirfd, name, 0);
	return 0;
}

void lease_sweep(const char *folder, bool (*fn)(void *user, const char *text), void *user)
{
	struct sweep s = {fn, user};

	(void)fs_list(AT_FDCWD, folder, sweep_one, &s, NULL);
}
