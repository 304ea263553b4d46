/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/block_devices.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

void block_devices_init(struct block_devices *b, int sys_fd)
{
	b->sys_fd = sys_fd;
	b->n = 0;
}

void block_devices_forget(struct block_devices *b)
{
	b->n = 0;
}

/* /sys/dev/block/7:0 is a link to .../block/loop0. */
static bool is_memory_or_file(int sys_fd, const char *path)
{
	char target[512];
	ssize_t n = readlinkat(sys_fd, path, target, sizeof(target) - 1);
	const char *name;

	if (n < 0)
		return false;
	target[n] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	return strncmp(name, "loop", 4) == 0 || strncmp(name, "zram", 4) == 0;
}

/* A partition has no slaves folder; a whole device always has one. */
static bool is_stacked(int sys_fd, const char *path)
{
	char slaves[80];
	_cleanup_(closedir_p) DIR *d = NULL;
	const struct dirent *entry;
	int fd;

	(void)snprintf(slaves, sizeof(slaves), "%s/slaves", path);
	fd = openat(sys_fd, slaves, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	d = fdopendir(fd);
	if (!d) {
		(void)close(fd);
		return false;
	}
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			return true;
	return false;
}

bool block_device_counts(void *block_devices, unsigned major, unsigned minor)
{
	struct block_devices *b = block_devices;
	char path[64];
	bool counts;

	for (size_t i = 0; i < b->n; i++)
		if (b->known[i].major == major && b->known[i].minor == minor)
			return b->known[i].counts;
	(void)snprintf(path, sizeof(path), "dev/block/%u:%u", major, minor);
	counts = !is_memory_or_file(b->sys_fd, path) && !is_stacked(b->sys_fd, path);
	if (b->n < BLOCK_DEVICES_KEPT) {
		b->known[b->n].major = major;
		b->known[b->n].minor = minor;
		b->known[b->n++].counts = counts;
	}
	return counts;
}
