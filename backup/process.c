/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/container_processes.h"
#include "backup/exec_record.h"
#include "backup/process_guard.h"
#include "backup/process_spawn.h"
#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum {
	READ_BYTES = 16384,
	END_POLL_MS = 20, /* between two looks whether it has ended, on kernels before 5.3 */
};

struct process {
	struct running base;
	pid_t pid;
	int pidfd; /* -1: the kernel has none */
	int in, out, err; /* our ends; -1: closed */
	int both; /* epoll of out and err, for those who wait with other things */
	bool ended; /* but not reaped: its number is still that of its group */
	bool left_open; /* it ended, and something else kept its stdout open */
	int64_t ended_at;
	struct lease *record;
	struct process_guard guard; /* of `in` */
};

/* What one turn is to wait for, and what it found. */
enum { IN = 1, OUT = 2, END = 4 };

static void close_fd(struct process *p, int *fd)
{
	if (fd == &p->in)
		process_guard_end(&p->guard);
	if (*fd >= 0 && (fd == &p->out || fd == &p->err) && p->both >= 0)
		(void)epoll_ctl(p->both, EPOLL_CTL_DEL, *fd, NULL);
	close_p(fd);
	*fd = -1;
}

static void look_for_end(struct process *p)
{
	siginfo_t info;

	if (p->ended)
		return;
	memset(&info, 0, sizeof(info));
	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid == p->pid) {
		p->ended = true;
		p->ended_at = clock_mono_ms();
	}
}

/* One read from stderr, or from a stdout that nobody asks for. False: nothing is there now. */
static bool drain(struct process *p, int *fd)
{
	char bytes[READ_BYTES];
	ssize_t n = read(*fd, bytes, sizeof(bytes));

	if (n < 0)
		return errno == EINTR;
	if (n == 0) {
		close_fd(p, fd);
		return false;
	}
	if (fd == &p->err)
		running_add_stderr(&p->base, bytes, (size_t)n);
	else
		running_add_stdout(&p->base, bytes, (size_t)n);
	return true;
}

static void drain_all(struct process *p, int *fd)
{
	while (*fd >= 0 && drain(p, fd))
		;
}

static int shorter(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* How long a turn may wait at most. */
static int turn_ms(const struct process *p, int want, int left_ms)
{
	if (p->ended && (want & OUT)) {
		int64_t open_ms = clock_mono_ms() - p->ended_at;

		left_ms = shorter(left_ms,
			open_ms < PROCESS_LEFT_OPEN_MS ? (int)(PROCESS_LEFT_OPEN_MS - open_ms) : 0);
	}
	if (!p->ended && p->pidfd < 0)
		left_ms = shorter(left_ms, END_POLL_MS);
	return left_ms;
}

/* Waits until one of the things in `want` may be done; takes stderr meanwhile, and stdout when nobody reads it. */
static int turn(struct process *p, int want, int left_ms, bool heed_stop)
{
	bool own_out = p->base.collects && p->out >= 0;
	struct pollfd fds[5] = {
		{p->err, POLLIN, 0},
		{want & OUT || own_out ? p->out : -1, POLLIN, 0},
		{want & IN ? p->in : -1, POLLOUT, 0},
		{p->ended ? -1 : p->pidfd, POLLIN, 0},
		{heed_stop ? stop_fd() : -1, POLLIN, 0},
	};
	int found = 0;
	int n = poll(fds, ARRAY_LEN(fds), turn_ms(p, want, left_ms));

	if (n < 0 && errno != EINTR)
		abort();
	look_for_end(p);
	if (n <= 0)
		return p->ended ? want & END : 0;
	if (fds[0].revents)
		(void)drain(p, &p->err);
	if (fds[1].revents && own_out)
		(void)drain(p, &p->out);
	else if (fds[1].revents)
		found |= OUT;
	if (fds[2].revents)
		found |= IN;
	if (p->ended)
		found |= want & END;
	return found;
}

/* --- the contract of running.h */

static struct process *self(struct running *r)
{
	return (struct process *)(void *)r;
}

static int process_fd(struct running *r)
{
	return self(r)->both;
}

static ssize_t process_read(struct running *r, void *to, size_t n, struct err *e)
{
	struct process *p = self(r);

	while (p->out >= 0) {
		ssize_t got = read(p->out, to, n);
		int bad;

		if (got > 0) {
			if (p->ended)
				p->ended_at = clock_mono_ms();
			return got;
		}
		if (got == 0) {
			close_fd(p, &p->out);
			break;
		}
		if (errno != EAGAIN && errno != EINTR)
			return err_sys(e, "%s: read", r->name);
		bad = running_check(r, e);
		if (bad < 0)
			return bad;
		if (turn(p, OUT, running_left_ms(r), true) == 0 && p->ended &&
			clock_mono_ms() - p->ended_at >= PROCESS_LEFT_OPEN_MS) {
			p->left_open = true;
			close_fd(p, &p->out);
		}
	}
	return 0;
}

static ssize_t process_write(struct running *r, const void *data, size_t n, struct err *e)
{
	struct process *p = self(r);

	while (p->in >= 0) {
		ssize_t put = n ? write(p->in, data, n) : 0;
		int bad = running_check(r, e);

		if (put > 0)
			return put;
		if (bad < 0)
			return bad;
		/* Also when something else holds its stdin open: what it started will not make a success of it. */
		if (p->ended || (put < 0 && errno == EPIPE)) {
			close_fd(p, &p->in);
			break;
		}
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "%s: write", r->name);
		(void)turn(p, IN, running_left_ms(r), true);
	}
	return 0;
}

static void process_close_input(struct running *r)
{
	close_fd(self(r), &self(r)->in);
}

/* A group that has lost its leader: only this process may use its number until it is reaped. */
static void reap(struct process *p)
{
	while (p->pid > 0 && waitpid(p->pid, &p->base.status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
	close_fd(p, &p->pidfd);
}

static int wait_end(struct process *p, int64_t until, bool heed_stop, struct err *e)
{
	while (!p->ended) {
		int64_t grace = until < 0 ? -1 : until - clock_mono_ms();
		int left_ms = heed_stop ? running_left_ms(&p->base) : -1;
		int r = heed_stop ? running_check(&p->base, e) : 0;

		if (r < 0)
			return r;
		if (until >= 0 && grace <= 0)
			return err_set(e, ETIMEDOUT, "%s: does not end", p->base.name);
		(void)turn(p, END, grace < 0 ? left_ms : shorter((int)grace, left_ms), heed_stop);
	}
	return 0;
}

static int process_wait(struct running *r, int64_t grace_ms, struct err *e)
{
	struct process *p = self(r);
	int err = wait_end(p, grace_ms < 0 ? -1 : clock_mono_ms() + grace_ms, true, e);

	if (err < 0)
		return err;
	drain_all(p, &p->err);
	if (p->base.collects)
		drain_all(p, &p->out);
	if (p->left_open)
		(void)kill(-p->pid, SIGKILL);
	reap(p);
	if (p->left_open)
		return err_set(e, EREMOTEIO,
			"%s: it ended, but its output stayed open to another program", r->name);
	return 0;
}

static void end(struct process *p)
{
	/* TERM while the pipes still stand, so that the program ends in its own way. */
	if (!p->ended) {
		(void)kill(-p->pid, SIGTERM);
		(void)kill(-p->pid, SIGCONT); /* one that is stopped could not act on TERM */
		close_fd(p, &p->in);
		p->base.collects = true;
		p->base.collect = NULL;
		(void)wait_end(p, clock_mono_ms() + RUNNING_GRACE_MS, false, NULL);
	}
	(void)kill(-p->pid, SIGKILL);
	reap(p);
}

static void process_free(struct running *r)
{
	struct process *p = self(r);

	if (p->pid > 0)
		end(p);
	close_fd(p, &p->in);
	close_fd(p, &p->out);
	close_fd(p, &p->err);
	close_p(&p->both);
	close_p(&p->pidfd);
	lease_done(p->record);
	running_done(r);
	free(p);
}

static const struct running_ops ops = {
	process_fd, process_read, process_write, process_close_input, process_wait, process_free};

/* --- the start */

/* `ours` does not block; the other end is the child's. */
static int make_pipe(int *ours, int *theirs, bool we_write, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	*ours = fds[we_write];
	*theirs = fds[!we_write];
	if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "pipe");
	return 0;
}

static int watch(struct process *p, int fd, struct err *e)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(p->both, EPOLL_CTL_ADD, fd, &event) < 0 ? err_sys(e, "epoll") : 0;
}

static int open_pipes(struct process *p, bool has_input, int fds[3], struct err *e)
{
	int r = 0;

	p->both = epoll_create1(EPOLL_CLOEXEC);
	if (p->both < 0)
		return err_sys(e, "epoll");
	if (has_input)
		r = make_pipe(&p->in, &fds[0], true, e);
	if (r == 0)
		r = make_pipe(&p->out, &fds[1], false, e);
	if (r == 0)
		r = make_pipe(&p->err, &fds[2], false, e);
	if (r == 0)
		r = watch(p, p->out, e);
	return r == 0 ? watch(p, p->err, e) : r;
}

/* With a mark by which the next worker finds what this one leaves when it is killed. */
static int spawn(struct process *p, const struct place_command *c, const int fds[3], struct err *e)
{
	char mark[CONTAINER_MARK_SIZE];

	container_mark_new(mark);
	p->record = exec_record_new(CONTAINER_NONE, mark);
	return process_spawn(
		c, p->record ? mark : NULL, fds, p->guard.pid ? p->guard.tell : -1, &p->pid, e);
}

int process_start(const struct running_options *o, struct running **out, struct err *e)
{
	struct process *p = calloc(1, sizeof(*p));
	int fds[3] = {-1, -1, -1};
	int r;

	if (!p)
		abort();
	running_init(&p->base, &ops, o);
	p->in = p->out = p->err = p->both = p->pidfd = -1;
	r = open_pipes(p, o->has_input, fds, e);
	if (r == 0 && p->in >= 0)
		r = process_guard_start(&p->guard, p->in, e);
	if (r == 0)
		r = spawn(p, o->command, fds, e);
	for (int i = 0; i < 3; i++)
		close_p(&fds[i]);
	if (r < 0) {
		p->pid = 0;
		process_free(&p->base);
		return r;
	}
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0U);
	*out = &p->base;
	return 0;
}

bool process_has(const char *program)
{
	struct buf path = BUF_INIT(4096);
	int r = process_find(program, &path, NULL);

	buf_done(&path);
	return r == 0;
}
