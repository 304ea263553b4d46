/* SPDX-License-Identifier: Apache-2.0
 *
 * A small disk that can be filled or made read-only, mounted over the scratch folder in a child of
 * its own, so that nothing else of the machine sees it.
 */
#ifndef TESTS_UNIT_SMALL_DISK_H
#define TESTS_UNIT_SMALL_DISK_H

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/unit/fork.h"
#include "tests/unit/scratch.h"

/* In the child of with_small_disk() Check's own asserts would be lost. */
#define EXPECT(what)                                                                               \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);   \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

enum { CANNOT_MOUNT = 77 };

/* Runs `body` in the child; it says what it expects with EXPECT. */
static inline void with_small_disk(const char *mount_options, void (*body)(void))
{
	int status;
	pid_t pid = fork_in_test();
	if (pid == 0) {
		if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
			mount("none", "/", "", MS_REC | MS_PRIVATE, "") < 0 ||
			mount("tmpfs", scratch, "tmpfs", 0, mount_options) < 0)
			_exit(CANNOT_MOUNT);
		body();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT_MOUNT) {
		(void)printf("skipped: a small or read-only disk: no right to mount one\n");
		return;
	}
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

/* Fills what is left of the disk. */
static inline void fill_disk(const char *name)
{
	static const char block[4096] = {1};
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	EXPECT(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	(void)close(fd);
}

static inline void make_read_only(void)
{
	EXPECT(mount("none", scratch, "", MS_REMOUNT | MS_RDONLY, "") == 0);
}

#endif
