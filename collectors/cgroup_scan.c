/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup_scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct scan {
	int root;
	cgroup_found_fn fn;
	void *user;
	char path[CGROUP_PATH_MAX];
};

static DIR *open_folder(const struct scan *s)
{
	int fd = openat(
		s->root, *s->path ? s->path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		close_p(&fd);
	return d;
}

/* Recursion ends at CGROUP_DEPTH_MAX, where cgroup_path_classify() finds nothing any more. */
static void scan(struct scan *s)
{
	_cleanup_(closedir_p) DIR *d = NULL;
	const struct dirent *entry;
	struct cgroup_name name;
	size_t len = strlen(s->path);

	cgroup_path_classify(s->path, &name);
	if (name.kind == CGROUP_IGNORE)
		return;
	s->fn(s->user, s->path, &name);
	if (!name.descend)
		return;
	d = open_folder(s);
	while (d && (entry = readdir(d))) {
		int n;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		n = snprintf(s->path + len, sizeof(s->path) - len, "%s%s", len ? "/" : "",
			entry->d_name);
		if ((size_t)n < sizeof(s->path) - len)
			scan(s);
		s->path[len] = '\0';
	}
}

void cgroup_scan(const struct cgroup_tree *t, const char *path, cgroup_found_fn fn, void *user)
{
	struct scan s = {.root = cgroup_tree_walk_fd(t), .fn = fn, .user = user};

	if (s.root >= 0 && str_copy(s.path, sizeof(s.path), path))
		scan(&s);
}
