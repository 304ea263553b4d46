/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a process of a test still runs.
 */
#ifndef TESTS_UNIT_LIVES_H
#define TESTS_UNIT_LIVES_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* A process that has ended and that nobody reaps does not. */
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

#endif
