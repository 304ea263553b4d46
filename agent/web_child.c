/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum {
	DELAY_FIRST_MS = 1000,
	DELAY_MAX_MS = 30000,
	STABLE_MS = 60000, /* lived that long: a later end is a new story */
	END_MS = 2000,
};

struct web_child {
	struct loop *loop;
	int listen_fd, rrd_fd;
	struct problems *problems;
	web_child_started_fn started;
	void *user;
	pid_t pid;
	int64_t started_ms;
	int64_t delay_ms;
	struct loop_timer *again;
};

extern char **environ;

/* Descriptors 3, 4 and 5 of the child. They are duplicated high first, so that none is
 * overwritten before it is copied. */
static int add_descriptors(posix_spawn_file_actions_t *a, int control_fd, int listen_fd, int rrd_fd)
{
	const int from[] = {control_fd, listen_fd, rrd_fd};
	const int high = 100;
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++)
		if (from[i] >= 0)
			r = posix_spawn_file_actions_adddup2(a, from[i], high + i);
	for (int i = 0; i < 3 && r == 0; i++)
		if (from[i] >= 0)
			r = posix_spawn_file_actions_adddup2(a, high + i, 3 + i);
	for (int i = 0; i < 3 && r == 0; i++)
		if (from[i] >= 0)
			r = posix_spawn_file_actions_addclose(a, high + i);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	return r;
}

/* The web process reads the internet: what may be secret in the agent's environment (secret.h) is not
 * for it. Free the array alone. */
static char **environment(void)
{
	static const char *const passed[] = {"ASAN_OPTIONS=", "JOURNAL_STREAM=", "LANG=", "LC_",
		"LD_", "LSAN_OPTIONS=", "PATH=", "TZ=", "UBSAN_OPTIONS="};
	size_t n = 0, all = 0;
	char **list;

	while (environ[all])
		all++;
	list = calloc(all + 1, sizeof(*list));
	if (!list)
		abort();
	for (size_t i = 0; i < all; i++)
		for (size_t j = 0; j < ARRAY_LEN(passed); j++)
			if (str_starts(environ[i], passed[j]))
				list[n++] = environ[i];
	return list;
}

static int spawn(const struct web_child *w, int control_fd, pid_t *out)
{
	char *argv[] = {(char[]){"agent"}, (char[]){"web"}, NULL};
	_cleanup_(free_p) char **env = environment();
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attr) != 0)
		abort();
	(void)posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	r = add_descriptors(&actions, control_fd, w->listen_fd, w->rrd_fd);
	if (r == 0)
		r = posix_spawn(out, "/proc/self/exe", &actions, &attr, argv, env);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static void start(void *user);

static void start_later(struct web_child *w)
{
	loop_timer_after(w->again, w->delay_ms);
	w->delay_ms = w->delay_ms ? w->delay_ms * 2 : DELAY_FIRST_MS;
	if (w->delay_ms > DELAY_MAX_MS)
		w->delay_ms = DELAY_MAX_MS;
}

static void on_end(void *user, pid_t pid, int status)
{
	struct web_child *w = user;
	char how[64];

	child_describe(how, sizeof(how), status);
	w->pid = 0;
	if (clock_mono_ms() - w->started_ms >= STABLE_MS)
		w->delay_ms = 0;
	log_warning("the web process (pid %d) ended: %s; it is started again", (int)pid, how);
	if (w->delay_ms)
		problem_set(w->problems, "web.restart",
			"the web process keeps ending (%s): the dashboard is not reachable all the "
			"time",
			how);
	start_later(w);
}

static void start(void *user)
{
	struct web_child *w = user;
	int pair[2];
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		problem_set(w->problems, "web.start", "start the web process: %s", err_text(errno));
		start_later(w);
		return;
	}
	r = spawn(w, pair[1], &w->pid);
	(void)close(pair[1]);
	if (r < 0) {
		(void)close(pair[0]);
		w->pid = 0;
		problem_set(w->problems, "web.start", "start the web process: %s", err_text(r));
		start_later(w);
		return;
	}
	problem_clear(w->problems, "web.start");
	w->started_ms = clock_mono_ms();
	loop_watch_child(w->loop, w->pid, on_end, w);
	w->started(w->user, pair[0]);
}

int web_child_new(struct loop *l, int listen_fd, int rrd_fd, struct problems *problems,
	web_child_started_fn started, void *user, struct web_child **out, struct err *e)
{
	struct web_child *w = calloc(1, sizeof(*w));

	(void)e;
	if (!w)
		abort();
	*w = (struct web_child){.loop = l,
		.listen_fd = listen_fd,
		.rrd_fd = rrd_fd,
		.problems = problems,
		.started = started,
		.user = user};
	w->again = loop_timer_new(l, start, w);
	start(w);
	*out = w;
	return 0;
}

/* Waits for the end of the process with a limit; the loop is no longer running. */
static void wait_for_end(pid_t pid)
{
	int64_t deadline = clock_mono_ms() + END_MS;
	int status;

	(void)kill(pid, SIGTERM);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms() >= deadline)
			(void)kill(pid, SIGKILL);
		(void)poll(NULL, 0, 5);
	}
}

void web_child_free(struct web_child *w)
{
	if (!w)
		return;
	if (w->pid) {
		loop_forget_child(w->loop, w->pid);
		wait_for_end(w->pid);
	}
	loop_timer_free(w->again);
	free(w);
}

pid_t web_child_pid(const struct web_child *w)
{
	return w->pid;
}
