/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child_spawn.h"
#include "base/cleanup.h"

enum { READ_BYTES = 16384 };

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
	child_output_fn tell; /* NULL: nobody wants it as it comes */
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

static void keep_output(struct child *c, const char *bytes, size_t n)
{
	size_t keep = c->output_max;

	if (n > keep) {
		c->output_cut = true;
		buf_clear(&c->output);
		buf_add(&c->output, bytes + (n - keep), keep);
		return;
	}
	if (c->output.len + n > 2 * keep)
		keep_last(c, keep);
	buf_add(&c->output, bytes, n);
}

static void on_output(void *user, int fd, uint32_t events)
{
	struct child *c = user;
	char bytes[READ_BYTES];
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
	keep_output(c, bytes, (size_t)n);
	if (c->tell)
		c->tell(c->user, bytes, (size_t)n);
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
	return fcntl(fd, F_DUPFD_CLOEXEC, CHILD_PASSED_FD + 1);
}

static void files_done(struct child_files *f)
{
	close_p(&f->in);
	close_p(&f->out);
	close_p(&f->pass);
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
	struct child *c, const struct child_options *o, struct child_files *f, struct err *e)
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
	_cleanup_(files_done) struct child_files files = {-1, -1, -1};
	int r;

	if (!c)
		abort();
	*c = (struct child){.loop = l, .fd = -1, .done = done, .tell = o->output, .user = user};
	c->output_max = o->output_max ? o->output_max : 1;
	c->grace_ms = o->grace_ms ? o->grace_ms : CHILD_GRACE_MS;
	buf_init(&c->output, 2 * c->output_max);
	c->timer = loop_timer_new(l, on_timer, c);
	r = open_files(c, o, &files, e);
	if (r < 0)
		return r;
	r = child_spawn(o, &files, &c->pid);
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
