/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking after processes that a test started: the script wrote its number into a file of the scratch folder.
 */
#ifndef TESTS_UNIT_PLACE_CASE_H
#define TESTS_UNIT_PLACE_CASE_H

#include <poll.h>
#include <sys/types.h>

#include "base/clock.h"
#include "scratch.h"

static inline bool lives(pid_t pid)
{
	char path[64], stat[512];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, stat, sizeof(stat) - 1);
	(void)close(fd);
	stat[n > 0 ? n : 0] = '\0';
	return n > 0 && !strstr(stat, ") Z");
}

static inline pid_t pid_in(const char *name)
{
	char text[32];
	int64_t until = clock_mono_ms() + 10000;

	for (;;) {
		if (scratch_has(name)) {
			size_t n = scratch_read(name, text, sizeof(text) - 1);

			text[n] = '\0';
			if (n && text[n - 1] == '\n')
				return (pid_t)strtol(text, NULL, 10);
		}
		ck_assert_int_lt(clock_mono_ms(), until);
		(void)poll(NULL, 0, 5);
	}
}

static inline void until_gone(pid_t pid)
{
	int64_t until = clock_mono_ms() + 10000;

	while (lives(pid)) {
		ck_assert_msg(clock_mono_ms() < until, "process %d is still there", pid);
		(void)poll(NULL, 0, 5);
	}
}

#endif
