/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/engine_api.h"

static bool has_docker_service(int walk_fd)
{
	int fd = openat(walk_fd, "system.slice", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedir_p) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!d) {
		close_p(&fd);
		return true; /* no systemd, or it cannot be seen: not known */
	}
	while ((entry = readdir(d)))
		if (strstr(entry->d_name, "docker") && str_ends(entry->d_name, ".service"))
			return true;
	return false;
}

bool engine_would_be_started(const char *socket, const struct cgroup_tree *tree)
{
	const char *slash = strrchr(socket, '/');
	char pid_file[256];

	if (!slash || strcmp(slash, "/docker.sock") != 0 || !tree)
		return false;
	(void)snprintf(
		pid_file, sizeof(pid_file), "%.*s/docker.pid", (int)(slash - socket), socket);
	return access(pid_file, F_OK) < 0 && !has_docker_service(cgroup_tree_walk_fd(tree));
}
