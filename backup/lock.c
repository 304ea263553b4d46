/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/file.h>

#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

/* flock(2) cannot wait with a time limit, and a signal just before it would be missed. */
enum { TRY_AGAIN_MS = 250 };

static int wait_for(int fd, const char *path, void (*waits)(void *user), void *user, struct err *e)
{
	bool told = false;
	int r;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};

		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(e, "%s", path);
		r = stop_check(e);
		if (r < 0)
			return r;
		if (!told && waits)
			waits(user);
		told = true;
		(void)poll(&stop, 1, TRY_AGAIN_MS);
	}
	return 0;
}

int lock_job(const char *state_dir, const char *job, void (*waits)(void *user), void *user,
	struct err *e)
{
	_cleanup_(free_p) char *folder = str_format("%s/backup/locks", state_dir);
	_cleanup_(free_p) char *path = str_format("%s/%s.lock", folder, job);
	_cleanup_(close_p) int fd = -1;
	int r;

	r = fs_mkdirs(folder, 0700, e);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "%s", path);
	r = wait_for(fd, path, waits, user, e);
	return r < 0 ? r : take_fd(&fd);
}
