/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_hook_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

enum { STAT_BYTES = 512, ENVIRONMENT_BYTES = 65536 };

struct search {
	pid_t group;
	const char *mark;
	int signo;
	size_t n;
	char *environment; /* room for one */
};

static ssize_t read_file(int proc_fd, const char *pid, const char *file, char *to, size_t size)
{
	_cleanup_(free_p) char *path = str_format("%s/%s", pid, file);
	_cleanup_(close_p) int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : read(fd, to, size);
}

/* The group of one that lives, not of a zombie nobody has reaped; 0: of none. proc(5): "pid (name) state parent group". */
static pid_t group_of(int proc_fd, const char *pid)
{
	char text[STAT_BYTES];
	ssize_t n = read_file(proc_fd, pid, "stat", text, sizeof(text) - 1);
	const char *after_name;
	char state = 0;
	int group = 0;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	after_name = strrchr(text, ')');
	if (!after_name || sscanf(after_name, ") %c %*d %d", &state, &group) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : group;
}

static bool has_mark(struct search *s, int proc_fd, const char *pid)
{
	ssize_t n = read_file(proc_fd, pid, "environ", s->environment, ENVIRONMENT_BYTES);

	return n > 0 && memmem(s->environment, (size_t)n, s->mark, strlen(s->mark));
}

static int look_at(void *user, int proc_fd, const char *name)
{
	struct search *s = user;
	uint64_t pid;
	pid_t group;

	if (*name < '0' || *name > '9' || str_to_u64(name, &pid, NULL) < 0 ||
		(pid_t)pid == getpid())
		return 0;
	group = group_of(proc_fd, name);
	if (group == 0 || !((s->group && group == s->group) || has_mark(s, proc_fd, name)))
		return 0;
	s->n++;
	if (s->signo)
		(void)kill((pid_t)pid, s->signo);
	return 0;
}

size_t deploy_hook_processes_signal(pid_t group, const char *mark, int signo)
{
	_cleanup_(free_p) char *room = malloc(ENVIRONMENT_BYTES);
	struct search s = {group, mark, signo, 0, room};

	if (!room)
		abort();
	(void)fs_list(AT_FDCWD, "/proc", look_at, &s, NULL);
	return s.n;
}
