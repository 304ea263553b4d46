/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

enum {
	DEPTH_MAX = 16, /* of cgroups a hook made below its own */
	TEXT_MAX = 1 << 20, /* of cgroup.procs: some 100,000 processes */
};

static int put(const char *folder, const char *file, const char *text)
{
	_cleanup_(free_p) char *path = str_format("%s/%s", folder, file);
	_cleanup_(close_p) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int put_limit(const char *path, const char *file, uint64_t value, struct err *e)
{
	char text[24];
	int r;

	if (value == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	r = put(path, file, text);
	if (r < 0)
		(void)err_set(e, -r, "%s cannot be set in %s: %s", file, path, err_text(r));
	return r < 0;
}

int deploy_cgroup_new(const char *parent, const char *name,
	const struct deploy_cgroup_limits *limits, char **out, struct err *e)
{
	_cleanup_(free_p) char *path = str_format("%s/%s", parent, name);
	int missing = 0;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make cgroup %s", path);
	missing |= put_limit(path, "memory.max", limits->memory_max_bytes, e);
	missing |= put_limit(path, "pids.max", limits->pids_max, e);
	missing |= put_limit(path, "cpu.weight", limits->cpu_weight, e);
	/* All of a build ends when memory is short, not one compiler of it. */
	(void)put(path, "memory.oom.group", "1");
	*out = TAKE_PTR(path);
	return missing;
}

/* The number behind a word that starts a line. */
static uint64_t number_of(const char *folder, const char *file, const char *word)
{
	_cleanup_(free_p) char *path = str_format("%s/%s", folder, file);
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);
	uint64_t number = 0;
	char *rest = NULL;

	if (fs_read(AT_FDCWD, path, &text, NULL) < 0 || !text.data)
		return 0;
	for (char *line = strtok_r(text.data, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest))
		if (str_starts(line, word) && line[strlen(word)] == ' ')
			(void)str_to_u64(line + strlen(word) + 1, &number, NULL);
	return number;
}

bool deploy_cgroup_is_populated(const char *path)
{
	return number_of(path, "cgroup.events", "populated") != 0;
}

uint64_t deploy_cgroup_oom_kills(const char *path)
{
	return number_of(path, "memory.events", "oom_kill");
}

static size_t signal_here(const char *folder, int signo)
{
	_cleanup_(free_p) char *path = str_format("%s/cgroup.procs", folder);
	_cleanup_(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	size_t n = 0;
	char *rest = NULL;

	if (fs_read(AT_FDCWD, path, &text, NULL) < 0 || !text.data)
		return 0;
	for (char *line = strtok_r(text.data, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest)) {
		int64_t pid;

		/* 0 stands for one of another PID namespace, and would be our own group. */
		if (str_to_i64(line, &pid, NULL) == 0 && pid > 0 && kill((pid_t)pid, signo) == 0)
			n++;
	}
	return n;
}

struct walk {
	const char *path;
	unsigned depth;
	int signo; /* -1: remove */
	size_t n;
};

static void walk(struct walk *w);

static int walk_below(void *user, int dirfd, const char *name)
{
	const struct walk *above = user;
	struct stat st;

	if (above->depth >= DEPTH_MAX || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISDIR(st.st_mode))
		return 0;
	{
		_cleanup_(free_p) char *path = str_format("%s/%s", above->path, name);
		struct walk below = {path, above->depth + 1, above->signo, 0};

		walk(&below);
		((struct walk *)user)->n += below.n;
	}
	return 0;
}

/* Those below first: a folder is removed when it has none in it. */
static void walk(struct walk *w)
{
	(void)fs_list(AT_FDCWD, w->path, walk_below, w, NULL);
	if (w->signo < 0)
		(void)rmdir(w->path);
	else
		w->n += signal_here(w->path, w->signo);
}

size_t deploy_cgroup_signal(const char *path, int signo)
{
	struct walk w = {path, 0, signo, 0};

	walk(&w);
	if (signo == SIGKILL)
		(void)put(path, "cgroup.kill", "1");
	return w.n;
}

int deploy_cgroup_remove(const char *path, struct err *e)
{
	struct walk w = {path, 0, -1, 0};

	walk(&w);
	if (access(path, F_OK) == 0)
		return err_set(e, EBUSY, "cgroup %s is still in use", path);
	return 0;
}
