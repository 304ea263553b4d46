/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/pause.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/docker.h"
#include "backup/lease.h"
#include "base/clock.h"
#include "base/str.h"

#define FOLDER "backup/pauses"

enum {
	TRIES_MAX = 600, /* of the watchdog, while the engine does not answer */
	TRY_MS = 1000,
	/* Exit statuses of the watchdog. */
	WATCH_DONE = 0,
	WATCH_TIME_OVER = 2,
};

struct pause {
	char *socket, *id, *name;
	pid_t watchdog; /* 0: it has ended, with this status */
	int status;
	int fd; /* the watchdog reads it; a byte: all is done */
	int64_t max_ms;
	struct lease *lease;
};

/* --- the watchdog, a fork of a worker that has no threads yet */

/* 0 also when it is not paused any more, or gone. */
static int let_go(const struct pause *p, struct err *e)
{
	int r = docker_unpause(p->socket, p->id, e);

	return r == -EBUSY || r == -ENOENT ? 0 : r;
}

static void let_go_for_sure(struct pause *p)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		if (let_go(p, NULL) == 0) {
			lease_done(p->lease);
			return;
		}
		(void)poll(NULL, 0, TRY_MS);
	}
}

/* Connections, locks and pipes of the worker would stay open with this process: 3 is the end of the pipe, 4 the lock of
 * the lease. */
static void drop_descriptors(int end, int lease)
{
	int null = open("/dev/null", O_RDWR);
	/* Out of the way of the numbers that they get. */
	int high_end = fcntl(end, F_DUPFD, 10), high_lease = fcntl(lease, F_DUPFD, 10);

	for (int i = 0; i < 3; i++)
		(void)dup2(null, i);
	(void)dup2(high_end, 3);
	(void)dup2(high_lease, 4);
	(void)syscall(SYS_close_range, 5U, ~0U, 0U);
}

static void watch(struct pause *p, int fd)
{
	int64_t until = clock_mono_ms() + p->max_ms;
	struct pollfd end = {3, POLLIN, 0};
	struct sigaction sa;
	char byte;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
	(void)setsid();
	drop_descriptors(fd, lease_fd(p->lease));
	while (poll(&end, 1, (int)(until > clock_mono_ms() ? until - clock_mono_ms() : 0)) < 0)
		;
	if (end.revents && read(3, &byte, 1) == 1)
		_exit(WATCH_DONE);
	let_go_for_sure(p);
	_exit(end.revents ? WATCH_DONE : WATCH_TIME_OVER);
}

/* --- the worker */

static void pause_free(struct pause *p)
{
	close_p(&p->fd);
	lease_leave(p->lease);
	free(p->socket);
	free(p->id);
	free(p->name);
	free(p);
}

static int start_watchdog(struct pause *p, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	p->watchdog = fork();
	if (p->watchdog == 0) {
		(void)close(fds[1]);
		watch(p, fds[0]);
	}
	(void)close(fds[0]);
	p->fd = fds[1];
	return p->watchdog < 0 ? err_sys(e, "fork") : 0;
}

/* `done`: nothing is left to do for it. Returns its exit status. */
static int end_watchdog(struct pause *p, bool done)
{
	if (done && write(p->fd, "", 1) < 0)
		done = false; /* it has ended already */
	close_p(&p->fd);
	p->fd = -1;
	while (p->watchdog > 0 && waitpid(p->watchdog, &p->status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(p->status) ? WEXITSTATUS(p->status) : -1;
}

static int start_lease(struct pause *p, const char *state_dir, struct err *e)
{
	_cleanup_(free_p) char *folder = str_format("%s/" FOLDER, state_dir);
	_cleanup_(free_p) char *text = str_format("%s %s %s\n", p->id, p->name, p->socket);

	return lease_new(folder, text, &p->lease, e);
}

int pause_begin(const char *socket, const char *container, const char *state_dir, int64_t max_ms,
	struct pause **out, struct err *e)
{
	_cleanup_(docker_container_free_p) struct docker_container *c = NULL;
	struct pause *p;
	int r;

	*out = NULL;
	r = docker_inspect(socket, container, &c, e);
	if (r < 0 || !c->running || c->paused)
		return r;
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	*p = (struct pause){.fd = -1, .max_ms = max_ms};
	p->socket = str_dup(socket);
	p->id = str_dup(c->id);
	p->name = str_dup(c->name);
	/* First who watches, then what is to be watched. */
	r = start_lease(p, state_dir, e);
	if (r == 0)
		r = start_watchdog(p, e);
	if (r == 0)
		r = docker_pause(socket, p->id, e);
	if (r < 0) {
		/* It may be paused all the same: the answer may have been lost. */
		if (p->watchdog > 0)
			(void)end_watchdog(p, false);
		else
			lease_done(TAKE_PTR(p->lease));
		(void)err_wrap(e, r, "pause container %s", c->name);
		pause_free(p);
		return r;
	}
	*out = p;
	return 0;
}

static int time_over(const struct pause *p, struct err *e)
{
	char max[32];

	str_from_duration_ms(max, sizeof(max), p->max_ms);
	return err_set(e, ETIMEDOUT,
		"container %s was paused for longer than pause_max (%s) and goes on: its files are "
		"not consistent",
		p->name, max);
}

int pause_check(struct pause *p, struct err *e)
{
	int status;

	if (!p || p->watchdog <= 0 || waitpid(p->watchdog, &status, WNOHANG) != p->watchdog)
		return 0;
	p->watchdog = 0;
	p->status = status;
	return WIFEXITED(status) && WEXITSTATUS(status) == WATCH_TIME_OVER ? time_over(p, e) : 0;
}

int pause_end(struct pause *p, struct err *e)
{
	int r, status;

	if (!p)
		return 0;
	r = let_go(p, e);
	/* Without it having worked the watchdog tries on, for minutes. */
	if (r == 0)
		lease_done(TAKE_PTR(p->lease));
	status = end_watchdog(p, r == 0);
	if (status == WATCH_TIME_OVER)
		r = time_over(p, e);
	else if (r < 0)
		r = err_wrap(e, r, "let container %s go on", p->name);
	pause_free(p);
	return r;
}

/* --- the next worker */

struct pause_sweep {
	void (*tell)(void *user, const char *text);
	void *user;
};

static bool sweep_one(void *user, const char *text)
{
	const struct pause_sweep *s = user;
	char id[129], name[257], socket[257], said[600];
	struct err e = {""};
	int r;

	if (sscanf(text, "%128s %256s %256[^\n]", id, name, socket) != 3)
		return true;
	r = docker_unpause(socket, id, &e);
	if (r == -EBUSY || r == -ENOENT)
		return true;
	if (r == 0)
		(void)snprintf(said, sizeof(said),
			"container %s, which a killed worker had left paused, goes on", name);
	else
		(void)snprintf(said, sizeof(said),
			"container %s, which a killed worker had left paused, could not be let go "
			"on: %.250s",
			name, e.msg);
	s->tell(s->user, said);
	return r == 0;
}

void pause_sweep(const char *state_dir, void (*tell)(void *user, const char *text), void *user)
{
	_cleanup_(free_p) char *folder = str_format("%s/" FOLDER, state_dir);
	struct pause_sweep s = {tell, user};

	lease_sweep(folder, sweep_one, &s);
}
