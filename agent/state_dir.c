/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

/* The lock file holds the pid of its holder, for the message to the next one. */
static int take_lock(int dir_fd, const char *path, int *out_fd, struct err *e)
{
	_cleanup_(close_p) int fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char pid[32] = "";

	if (fd < 0)
		return err_sys(e, "the state folder %s cannot be written", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

		pid[n > 0 ? n : 0] = '\0';
		return err_set(e, EBUSY,
			"an agent (pid %s) already runs with the state folder %s; choose another "
			"with"
			" --state",
			*pid ? pid : "unknown", path);
	}
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, strlen(pid), 0) < 0)
		return err_sys(e, "the state folder %s cannot be written", path);
	*out_fd = take_fd(&fd);
	return 0;
}

int state_dir_open(const char *path, struct state_dir *out, struct err *e)
{
	struct state_dir s = {NULL, -1, -1, true};
	int r = fs_mkdirs(path, 0700, e);

	if (r < 0)
		return err_wrap(e, r, "state folder %s", path);
	s.path = realpath(path, NULL);
	if (!s.path)
		return err_sys(e, "state folder %s", path);
	s.fd = fs_open_dir(AT_FDCWD, s.path, e);
	if (s.fd < 0) {
		r = s.fd;
		state_dir_close(&s);
		return r;
	}
	r = take_lock(s.fd, s.path, &s.lock_fd, e);
	if (r == -EBUSY) {
		state_dir_close(&s);
		return r;
	}
	s.writable = r == 0;
	*out = s;
	return 0;
}

void state_dir_close(struct state_dir *s)
{
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->path);
	*s = (struct state_dir){NULL, -1, -1, false};
}
