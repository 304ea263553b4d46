/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

#include "base/fs.h"
#include "base/str.h"
#include "collectors/procfs.h"

/* A server with a thousand containers has some 300 kB of mounts. */
enum { MOUNTINFO_MAX = 8 << 20 };

static const char *const controller_names[CGROUP_UNIFIED] = {
	[CGROUP_BLKIO] = "blkio",
	[CGROUP_CPU] = "cpu",
	[CGROUP_CPUACCT] = "cpuacct",
	[CGROUP_CPUSET] = "cpuset",
	[CGROUP_MEMORY] = "memory",
	[CGROUP_PIDS] = "pids",
};

const char *cgroup_mode_name(enum cgroup_mode m)
{
	static const char *const names[] = {"none", "v1", "v2", "hybrid"};

	return names[m];
}

/* Spaces and the like are written as \040 in mountinfo. */
static void decode_octal(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
			s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)(((s[1] - '0') << 6) | ((s[2] - '0') << 3) | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* The same tree may be mounted at several places; the usual one wins, else the first. */
static void set_mount(struct cgroup_layout *l, enum cgroup_controller c, const char *point)
{
	static const char usual[] = "/sys/fs/cgroup";
	char *mount = l->mounts[c];

	if (*mount && (strstr(mount, usual) || !strstr(point, usual)))
		return;
	if (!str_copy(mount, sizeof(l->mounts[c]), point))
		*mount = '\0';
}

/* The controllers of a v1 tree are among its super block options: "rw,cpu,cpuacct". */
static void take_v1(struct cgroup_layout *l, const char *point, char *options)
{
	char *save;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save))
		for (size_t c = 0; c < CGROUP_UNIFIED; c++)
			if (strcmp(o, controller_names[c]) == 0)
				set_mount(l, (enum cgroup_controller)c, point);
}

/* "31 23 0:28 / /sys/fs/cgroup/cpu rw,nosuid shared:9 - cgroup cgroup rw,cpu": the optional
 * fields end at "-". */
static void take_mount(struct cgroup_layout *l, char *line)
{
	enum { POINT = 4, FIXED = 6 };
	char *fields[FIXED];
	char *type, *source, *options, *f;
	size_t n = 0;

	while (n < FIXED && proc_next_field(&line, &fields[n]))
		n++;
	if (n < FIXED)
		return;
	do {
		if (!proc_next_field(&line, &f))
			return;
	} while (strcmp(f, "-") != 0);
	if (!proc_next_field(&line, &type) || !proc_next_field(&line, &source) ||
		!proc_next_field(&line, &options))
		return;
	decode_octal(fields[POINT]);
	if (strcmp(type, "cgroup2") == 0)
		set_mount(l, CGROUP_UNIFIED, fields[POINT]);
	else if (strcmp(type, "cgroup") == 0)
		take_v1(l, fields[POINT], options);
}

void cgroup_layout_parse(char *mountinfo, struct cgroup_layout *out)
{
	struct cgroup_layout l = {.mode = CGROUP_MODE_NONE};
	bool v1 = false;
	char *line;

	while (proc_next_line(&mountinfo, &line))
		take_mount(&l, line);
	for (size_t c = 0; c < CGROUP_UNIFIED; c++)
		v1 = v1 || *l.mounts[c];
	if (v1)
		l.mode = *l.mounts[CGROUP_UNIFIED] ? CGROUP_MODE_HYBRID : CGROUP_MODE_V1;
	else if (*l.mounts[CGROUP_UNIFIED])
		l.mode = CGROUP_MODE_V2;
	*out = l;
}

/* Where systemd mounts it, when mountinfo is hidden. v1 mounts each controller below its name. */
static void layout_by_statfs(int sys_fd, struct cgroup_layout *l)
{
	_cleanup_(close_p) int fd = openat(sys_fd, "fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs s;

	if (fd < 0 || fstatfs(fd, &s) < 0)
		return;
	if ((unsigned long)s.f_type == CGROUP2_SUPER_MAGIC) {
		l->mode = CGROUP_MODE_V2;
		(void)str_copy(l->mounts[CGROUP_UNIFIED], 256, "/sys/fs/cgroup");
		return;
	}
	for (size_t c = 0; c < CGROUP_UNIFIED; c++) {
		_cleanup_(close_p) int dir =
			openat(fd, controller_names[c], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (dir < 0)
			continue;
		l->mode = CGROUP_MODE_V1;
		(void)snprintf(l->mounts[c], sizeof(l->mounts[c]), "/sys/fs/cgroup/%s",
			controller_names[c]);
	}
}

void cgroup_tree_init(struct cgroup_tree *t)
{
	*t = (struct cgroup_tree){.mode = CGROUP_MODE_NONE};
	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
		t->dirs[c] = -1;
}

void cgroup_tree_done(struct cgroup_tree *t)
{
	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
		close_p(&t->dirs[c]);
	cgroup_tree_init(t);
}

static int open_mount(const char *point, int root_fd, int sys_fd)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	const char *sys = strstr(point, "/sys/fs/cgroup");

	if (sys)
		return openat(sys_fd, sys + strlen("/sys/"), flags);
	while (*point == '/')
		point++;
	return openat(root_fd, *point ? point : ".", flags);
}

/* The true root of a tree lacks cgroup.type (v2) and has release_agent (v1). */
static bool is_partial(const struct cgroup_tree *t)
{
	int fd = cgroup_tree_walk_fd(t);

	if (fd < 0)
		return false;
	if (t->mode == CGROUP_MODE_V2)
		return faccessat(fd, "cgroup.type", F_OK, 0) == 0;
	return faccessat(fd, "release_agent", F_OK, 0) < 0 && errno == ENOENT;
}

int cgroup_tree_open(
	struct cgroup_tree *t, int root_fd, int proc_fd, int sys_fd, bool live, struct err *e)
{
	struct cgroup_layout l = {.mode = CGROUP_MODE_NONE};
	struct buf text = BUF_INIT(MOUNTINFO_MAX);
	int r = fs_read(proc_fd, "self/mountinfo", &text, e);

	if (r == 0)
		cgroup_layout_parse(text.data ? text.data : (char[]){""}, &l);
	else if (live)
		layout_by_statfs(sys_fd, &l);
	buf_done(&text);
	if (r < 0 && l.mode == CGROUP_MODE_NONE)
		return err_wrap(e, r, "/proc");
	cgroup_tree_done(t);
	t->mode = l.mode;
	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (!*l.mounts[c])
			continue;
		t->dirs[c] = open_mount(l.mounts[c], root_fd, sys_fd);
		if (t->dirs[c] < 0 && errno != ENOENT)
			return err_sys(e, "open %s", l.mounts[c]);
	}
	t->partial = is_partial(t);
	return 0;
}

int cgroup_tree_walk_fd(const struct cgroup_tree *t)
{
	static const enum cgroup_controller order[] = {
		CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPUACCT, CGROUP_CPU};

	if (t->mode == CGROUP_MODE_V2)
		return t->dirs[CGROUP_UNIFIED];
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (t->dirs[order[i]] >= 0)
			return t->dirs[order[i]];
	return -1;
}

int cgroup_tree_fd(const struct cgroup_tree *t, enum cgroup_controller c)
{
	return t->dirs[t->mode == CGROUP_MODE_V2 ? CGROUP_UNIFIED : c];
}
