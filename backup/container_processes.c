/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/container_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backup/running.h"
#include "base/clock.h"
#include "base/fs.h"

enum {
	PROCESSES_MAX = 4096, /* of one container; more are not looked at */
	ENVIRON_MAX = 256 * 1024,
	LOOK_MS = 50, /* between two looks whether they are gone */
	KILLED_MS = 2000, /* for the kernel to end what was killed */
};

struct found {
	pid_t pid, parent;
	bool marked;
};

struct search {
	const char *container_id, *mark;
	struct found *items;
	size_t n;
};

void container_mark_new(char to[CONTAINER_MARK_SIZE])
{
	unsigned char bytes[(CONTAINER_MARK_SIZE - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort();
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

static bool read_file(int dirfd, pid_t pid, const char *name, struct buf *out)
{
	char path[64];

	buf_clear(out);
	(void)snprintf(path, sizeof(path), "%ld/%s", (long)pid, name);
	return fs_read(dirfd, path, out, NULL) == 0;
}

/* Of a process that runs: -1 for a zombie or none. */
static pid_t parent_of(int proc, pid_t pid)
{
	struct buf text = BUF_INIT(4096);
	const char *after = NULL;
	char state = 'Z';
	int parent = -1;

	if (read_file(proc, pid, "stat", &text))
		after = strrchr(buf_str(&text), ')');
	if (!after || sscanf(after + 1, " %c %d", &state, &parent) != 2 || state == 'Z' ||
		state == 'X')
		parent = -1;
	buf_done(&text);
	return parent;
}

static bool is_in_container(int proc, pid_t pid, const char *id)
{
	struct buf text = BUF_INIT(64 * 1024);
	bool in;

	if (strcmp(id, CONTAINER_NONE) == 0)
		return true;
	in = read_file(proc, pid, "cgroup", &text) && strstr(buf_str(&text), id);

	buf_done(&text);
	return in;
}

static bool has_mark(int proc, pid_t pid, const char *mark)
{
	char entry[sizeof(CONTAINER_MARK_NAME) + CONTAINER_MARK_SIZE];
	struct buf text = BUF_INIT(ENVIRON_MAX);
	size_t len;
	bool has = false;

	len = (size_t)snprintf(entry, sizeof(entry), "%s=%s", CONTAINER_MARK_NAME, mark);
	if (read_file(proc, pid, "environ", &text))
		has = memmem(buf_str(&text), text.len, entry, len) != NULL;
	buf_done(&text);
	return has;
}

static int look_at(void *user, int proc, const char *name)
{
	struct search *s = user;
	char *end;
	long pid = strtol(name, &end, 10);
	pid_t parent;

	if (*end || pid <= 1 || s->n == PROCESSES_MAX)
		return 0;
	parent = parent_of(proc, (pid_t)pid);
	if (parent < 0 || !is_in_container(proc, (pid_t)pid, s->container_id))
		return 0;
	s->items[s->n++] = (struct found){(pid_t)pid, parent, has_mark(proc, (pid_t)pid, s->mark)};
	return 0;
}

/* Those that changed their environment (su, sudo) are known by where they come from. */
static void mark_descendants(struct search *s)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < s->n; i++)
			for (size_t k = 0; k < s->n && !s->items[i].marked; k++)
				if (s->items[k].marked && s->items[k].pid == s->items[i].parent)
					changed = s->items[i].marked = true;
	}
}

/* Through a pidfd, when the kernel has them: the number may belong to another process by now, and then this one is gone. */
static void signal_one(const struct search *s, const struct found *f, int signo)
{
	int fd = (int)syscall(SYS_pidfd_open, f->pid, 0U);
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (proc >= 0 && is_in_container(proc, f->pid, s->container_id) &&
		parent_of(proc, f->pid) >= 0) {
		if (fd >= 0)
			(void)syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0U);
		else if (errno == ENOSYS)
			(void)kill(f->pid, signo);
	}
	if (fd >= 0)
		(void)close(fd);
	if (proc >= 0)
		(void)close(proc);
}

size_t container_signal(const char *container_id, const char *mark, int signo)
{
	struct search s = {.container_id = container_id, .mark = mark};
	size_t n = 0;

	/* An id that is no id would match the cgroup of others. */
	if ((strlen(container_id) < 12 && strcmp(container_id, CONTAINER_NONE) != 0) ||
		strlen(mark) != CONTAINER_MARK_SIZE - 1)
		return 0;
	s.items = calloc(PROCESSES_MAX, sizeof(*s.items));
	if (!s.items)
		abort();
	(void)fs_list(AT_FDCWD, "/proc", look_at, &s, NULL);
	mark_descendants(&s);
	for (size_t i = 0; i < s.n; i++) {
		n += s.items[i].marked;
		if (s.items[i].marked && signo)
			signal_one(&s, &s.items[i], signo);
	}
	free(s.items);
	return n;
}

static size_t until_gone(const char *container_id, const char *mark, int64_t within_ms)
{
	int64_t until = clock_mono_ms() + within_ms;
	size_t n;

	while ((n = container_signal(container_id, mark, 0)) > 0 && clock_mono_ms() < until)
		(void)poll(NULL, 0, LOOK_MS);
	return n;
}

size_t container_end(const char *container_id, const char *mark, size_t *found)
{
	size_t n = container_signal(container_id, mark, SIGTERM);

	if (found)
		*found = n;
	if (n == 0 || until_gone(container_id, mark, RUNNING_GRACE_MS) == 0)
		return 0;
	(void)container_signal(container_id, mark, SIGKILL);
	return until_gone(container_id, mark, KILLED_MS);
}
