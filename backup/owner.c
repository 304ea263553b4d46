/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/owner.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

static void boot_id(char to[37])
{
	struct buf text = BUF_INIT(64);

	(void)fs_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text, NULL);
	(void)snprintf(to, 37, "%.36s", buf_str(&text));
	buf_done(&text);
}

/* 0: there is no such process, or it is a zombie. */
static unsigned long long start_time(long pid)
{
	struct buf text = BUF_INIT(4096);
	unsigned long long ticks = 0;
	char path[40], state = 'Z';
	const char *after;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	(void)fs_read(AT_FDCWD, path, &text, NULL);
	/* Its name, in brackets, may hold anything. */
	after = strrchr(buf_str(&text), ')');
	if (!after ||
		sscanf(after + 1,
			" %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			"%*d %llu",
			&state, &ticks) != 2 ||
		state == 'Z')
		ticks = 0;
	buf_done(&text);
	return ticks;
}

void owner_self(char to[OWNER_SIZE])
{
	char boot[37];

	boot_id(boot);
	(void)snprintf(to, OWNER_SIZE, "%s/%ld/%llu", boot, (long)getpid(), start_time(getpid()));
}

bool owner_lives(const char *owner)
{
	unsigned long long ticks = 0;
	char boot[37], said[37];
	long pid = 0;

	boot_id(boot);
	if (sscanf(owner, "%36[^/]/%ld/%llu", said, &pid, &ticks) != 3 || pid <= 0 || !ticks)
		return false;
	return strcmp(said, boot) == 0 && start_time(pid) == ticks;
}
