/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	PASSED_FD = 3,
	READ_BYTES = 16384,
};

struct child {
	struct loop *loop;
	pid_t pid;
	int fd; /* reading end of its output, -1 when that has ended or is not collected */
	struct loop_fd *watch;
	/* Runs for the deadline, then for the grace, then for the rest of the output. */
	struct loop_timer *timer;
	struct buf output; /* up to twice output_max, so that the old end is seldom cut off */
	size_t output_max;
	bool output_cut;
	int64_t grace_ms;
	bool reaped;
	bool timed_out;
	bool stopped; /* was told to end */
	int status;
	child_done_fn done;
	void *user;
};

static void child_free(struct child *c)
{
	if (!c)
		return;
	loop_remove_fd(c->watch);
	loop_timer_free(c->timer);
	if (c->fd >= 0)
		(void)close(c->fd);
	buf_done(&c->output);
	free(c);
}
DEFINE_CLEANUP(struct child *, child_free);

static void keep_last(struct child *c, size_t n)
{
	if (c->output.len <= n)
		return;
	buf_consume(&c->output, c->output.len - n);
	c->output_cut = true;
}

static void finish(struct child *c)
{
	struct child_result r = {.status = c->status, .timed_out = c->timed_out};

	/* What did not heed TERM in time is not left behind. The leader's number is still that
	 * of its group. */
	if (c->stopped)
		(void)kill(-c->pid, SIGKILL);
	keep_last(c, c->output_max);
	r.output = buf_str(&c->output);
	r.output_len = c->output.len;
	r.output_cut = c->output_cut;
	c->done(c->user, &r);
	child_free(c);
}

static void on_output(void *user, int fd, uint32_t events)
{
	struct child *c = user;
	char bytes[READ_BYTES];
	size_t keep = c->output_max;
	ssize_t n = read(fd, bytes, sizeof(bytes));

	(void)events;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		loop_remove_fd(c->watch);
		c->watch = NULL;
		(void)close(take_fd(&c->fd));
		if (c->reaped)
			finish(c);
		return;
	}
	if ((size_t)n > keep) {
		c->output_cut = true;
		buf_clear(&c->output);
		buf_add(&c->output, bytes + ((size_t)n - keep), keep);
		return;
	}
	if (c->output.len + (size_t)n > 2 * keep)
		keep_last(c, keep);
	buf_add(&c->output, bytes, (size_t)n);
}

static void on_end(void *user, pid_t pid, int status)
{
	struct child *c = user;

	(void)pid;
	c->reaped = true;
	c->status = status;
	if (c->fd < 0)
		finish(c);
	else
		loop_timer_after(c->timer, CHILD_DRAIN_MS);
}

void child_stop(struct child *c)
{
	if (c->reaped || c->stopped)
		return;
	c->stopped = true;
	child_signal(c, SIGTERM);
	child_signal(c, SIGCONT); /* one that is stopped could not act on TERM */
	loop_timer_after(c->timer, c->grace_ms);
}

static void on_timer(void *user)
{
	struct child *c = user;

	if (c->reaped) {
		finish(c);
	} else if (c->stopped) {
		child_signal(c, SIGKILL);
	} else {
		c->timed_out = true;
		child_stop(c);
	}
}

/* A copy of fd above all numbers the child gives a meaning to, so that none overwrites another. */
static int copy_above(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, PASSED_FD + 1);
}

/* What the child is to have; -1: not this one. */
struct files {
	int in, out, pass;
};

static void files_done(struct files *f)
{
	close_p(&f->in);
	close_p(&f->out);
	close_p(&f->pass);
}

static int set_files(posix_spawn_file_actions_t *fa, const struct files *f)
{
	int r;

	if (f->in >= 0)
		r = posix_spawn_file_actions_adddup2(fa, f->in, STDIN_FILENO);
	else
		r = posix_spawn_file_actions_addopen(fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (r == 0 && f->out >= 0)
		r = posix_spawn_file_actions_adddup2(fa, f->out, STDOUT_FILENO);
	if (r == 0 && f->out >= 0)
		r = posix_spawn_file_actions_adddup2(fa, f->out, STDERR_FILENO);
	if (r == 0 && f->pass >= 0)
		r = posix_spawn_file_actions_adddup2(fa, f->pass, PASSED_FD);
	/* Libraries, and whoever started this process, may have left descriptors open for children. */
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(
			fa, f->pass >= 0 ? PASSED_FD + 1 : PASSED_FD);
	return r;
}

static int set_attributes(posix_spawnattr_t *a)
{
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setflags(
		a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (r == 0)
		r = posix_spawnattr_setpgroup(a, 0);
	if (r == 0)
		r = posix_spawnattr_setsigmask(a, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(a, &all);
	return r;
}

/* posix_spawn takes both lists without const, but does not change them. */
static char *const *unconst(const char *const *list)
{
	return (char *const *)(uintptr_t)list;
}

static int spawn(const struct child_options *o, const struct files *f, pid_t *pid)
{
	const char *path = getenv("PATH");
	char path_entry[4096];
	const char *plain_env[] = {path_entry, "LANG=C.UTF-8", NULL};
	const char *const *env = o->env ? o->env : plain_env;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t a;
	int r;

	(void)snprintf(path_entry, sizeof(path_entry), "PATH=%s",
		path && *path ? path
			      : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	r = posix_spawn_file_actions_init(&fa);
	if (r)
		return r;
	r = posix_spawnattr_init(&a);
	if (r == 0) {
		r = set_files(&fa, f);
		if (r == 0)
			r = set_attributes(&a);
		if (r == 0)
			r = posix_spawnp(pid, o->program ? o->program : o->argv[0], &fa, &a,
				unconst(o->argv), unconst(env));
		(void)posix_spawnattr_destroy(&a);
	}
	(void)posix_spawn_file_actions_destroy(&fa);
	return r;
}

/* Both ends; the child's is copied above the numbers it will have. */
static int open_output(struct child *c, int *out_fd, struct err *e)
{
	_cleanup_(close_p) int low_fd = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	c->fd = fds[0];
	low_fd = fds[1];
	*out_fd = copy_above(low_fd);
	if (*out_fd < 0 || fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "pipe");
	return loop_add_fd(c->loop, c->fd, EPOLLIN, on_output, c, &c->watch, e);
}

/* A file in memory: the child reads it at its own pace, and nobody waits for it. */
static int open_input(const struct child_options *o, int *in_fd, struct err *e)
{
	_cleanup_(close_p) int low_fd = -1;
	const char *bytes = o->input;
	size_t written = 0;

	if (o->input_len > CHILD_INPUT_MAX)
		return err_set(e, EMSGSIZE, "input of %zu bytes for %s, at most %d", o->input_len,
			o->argv[0], CHILD_INPUT_MAX);
	low_fd = memfd_create("stdin", MFD_CLOEXEC);
	while (low_fd >= 0 && written < o->input_len) {
		ssize_t n = write(low_fd, bytes + written, o->input_len - written);

		if (n < 0 && errno != EINTR)
			return err_sys(e, "input for %s", o->argv[0]);
		written += n > 0 ? (size_t)n : 0;
	}
	if (low_fd < 0 || lseek(low_fd, 0, SEEK_SET) < 0 || (*in_fd = copy_above(low_fd)) < 0)
		return err_sys(e, "input for %s", o->argv[0]);
	return 0;
}

static int open_files(
	struct child *c, const struct child_options *o, struct files *f, struct err *e)
{
	int r = 0;

	if (o->pass_fd >= 0 && (f->pass = copy_above(o->pass_fd)) < 0)
		return err_sys(e, "pass descriptor %d to %s", o->pass_fd, o->argv[0]);
	if (o->input)
		r = open_input(o, &f->in, e);
	if (r == 0 && !o->inherit_output)
		r = open_output(c, &f->out, e);
	return r;
}

/* From linux/ioprio.h, which not every kernel's headers have. */
enum { IOPRIO_WHO_PGRP = 2, IOPRIO_IDLE = 3 << 13 };

static void lower_priority(pid_t pid, const struct child_options *o)
{
	if (o->nice > 0)
		(void)setpriority(PRIO_PGRP, (id_t)pid, getpriority(PRIO_PROCESS, 0) + o->nice);
	if (o->io_idle)
		(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, pid, IOPRIO_IDLE);
}

int child_start(struct loop *l, const struct child_options *o, child_done_fn done, void *user,
	struct child **out, struct err *e)
{
	_cleanup_(child_free_p) struct child *c = calloc(1, sizeof(*c));
	_cleanup_(files_done) struct files files = {-1, -1, -1};
	int r;

	if (!c)
		abort();
	*c = (struct child){.loop = l, .fd = -1, .done = done, .user = user};
	c->output_max = o->output_max ? o->output_max : 1;
	c->grace_ms = o->grace_ms ? o->grace_ms : CHILD_GRACE_MS;
	buf_init(&c->output, 2 * c->output_max);
	c->timer = loop_timer_new(l, on_timer, c);
	r = open_files(c, o, &files, e);
	if (r < 0)
		return r;
	r = spawn(o, &files, &c->pid);
	if (r)
		return err_set(e, r, "start %s: %s", o->argv[0], err_text(-r));
	lower_priority(c->pid, o);
	if (o->deadline_ms > 0)
		loop_timer_after(c->timer, o->deadline_ms);
	loop_watch_child(l, c->pid, on_end, c);
	*out = TAKE_PTR(c);
	return 0;
}

pid_t child_pid(const struct child *c)
{
	return c->pid;
}

void child_signal(struct child *c, int signo)
{
	(void)kill(-c->pid, signo);
}

void child_abandon(struct child *c)
{
	if (!c)
		return;
	child_signal(c, SIGKILL);
	loop_forget_child(c->loop, c->pid);
	while (!c->reaped && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	child_free(c);
}

void child_describe(char *to, size_t size, int status)
{
	if (WIFSIGNALED(status))
		(void)snprintf(to, size, "killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		(void)snprintf(to, size, "exit status %d", WEXITSTATUS(status));
}
