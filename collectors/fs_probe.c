/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/fs_probe.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What goes through the pipe; less than PIPE_BUF, so it comes whole. */
struct answer {
	int result;
	struct fs_usage usage;
};

int fs_usage_read(int root_fd, const char *path, struct fs_usage *out)
{
	const char *relative = path[0] == '/' && path[1] ? path + 1 : ".";
	/* O_PATH: no permission on the folder is needed, and nothing is mounted by looking. */
	_cleanup_(close_p) int fd = openat(root_fd, relative, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	struct statvfs s;
	uint64_t unit;

	if (fd < 0 || fstatvfs(fd, &s) < 0)
		return errno ? -errno : -EIO;
	unit = s.f_frsize ? s.f_frsize : s.f_bsize;
	*out = (struct fs_usage){
		.size_bytes = s.f_blocks * unit,
		.free_bytes = s.f_bfree * unit,
		.available_bytes = s.f_bavail * unit,
		.inodes = s.f_files,
		.inodes_free = s.f_ffree,
		.read_only = s.f_flag & ST_RDONLY,
	};
	return 0;
}

static void close_others(int keep_a, int keep_b)
{
	int low = keep_a < keep_b ? keep_a : keep_b;
	int high = keep_a < keep_b ? keep_b : keep_a;
	bool done = true;

	if (low > 0)
		done = close_range(0, (unsigned)low - 1, 0) == 0;
	if (high > low + 1)
		done = close_range((unsigned)low + 1, (unsigned)high - 1, 0) == 0 && done;
	done = close_range((unsigned)high + 1, ~0U, 0) == 0 && done;
	for (int fd = 0; !done && fd < 1024; fd++) /* kernels before 5.9 */
		if (fd != keep_a && fd != keep_b)
			(void)close(fd);
}

/* Nothing of the parent must live on in a process that may hang for days: no descriptors, no
 * signal handlers. It dies with its parent. */
static _Noreturn void run_child(
	fs_usage_fn fn, int root_fd, const char *path, int out_fd, pid_t parent)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2, SIGPIPE};
	const struct sigaction normal = {.sa_handler = SIG_DFL};
	struct answer a;
	sigset_t none;

	memset(&a, 0, sizeof(a));
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &normal, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	close_others(root_fd, out_fd);
	a.result = fn(root_fd, path, &a.usage);
	_exit(write(out_fd, &a, sizeof(a)) == (ssize_t)sizeof(a) ? 0 : 1);
}

int fs_probe_ask(struct fs_probe *p, fs_usage_fn fn, int root_fd, const char *path, int64_t now_ns,
	struct err *e)
{
	pid_t parent = getpid();
	int fds[2];
	pid_t pid;

	assert(!fs_probe_is_busy(p));
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "pipe");
	pid = fork();
	if (pid == 0)
		run_child(fn, root_fd, path, fds[1], parent);
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return err_sys(e, "fork");
	}
	p->pid = pid;
	p->fd_plus_1 = fds[0] + 1;
	p->asked_ns = now_ns;
	return 0;
}

bool fs_probe_is_busy(const struct fs_probe *p)
{
	return p->pid || p->fd_plus_1;
}

static void close_pipe(struct fs_probe *p)
{
	if (p->fd_plus_1)
		(void)close(p->fd_plus_1 - 1);
	p->fd_plus_1 = 0;
}

/* ECHILD: somebody else in this process has buried it. */
static void bury(struct fs_probe *p, int flags)
{
	pid_t r;

	if (!p->pid)
		return;
	do
		r = waitpid(p->pid, NULL, flags);
	while (r < 0 && errno == EINTR);
	if (r == p->pid || (r < 0 && errno == ECHILD))
		p->pid = 0;
}

void fs_probe_look(struct fs_probe *p, int64_t now_ns)
{
	struct answer a;
	ssize_t n;

	if (p->fd_plus_1) {
		n = read(p->fd_plus_1 - 1, &a, sizeof(a));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		p->answered_ns = now_ns;
		p->result = n == (ssize_t)sizeof(a) ? a.result : -EIO;
		if (p->result == 0)
			p->usage = a.usage;
		close_pipe(p);
	}
	bury(p, WNOHANG);
}

int64_t fs_probe_waiting_ns(const struct fs_probe *p, int64_t now_ns)
{
	return p->fd_plus_1 ? now_ns - p->asked_ns : 0;
}

/* Its end of the pipe is closed when it dies, a moment before it can be buried. */
static bool is_dying(const struct fs_probe *p, int wait_ms)
{
	struct pollfd end = {.fd = p->fd_plus_1 - 1, .events = POLLIN};
	struct answer a;

	if (!p->fd_plus_1)
		return true; /* it has answered, so it does not hang */
	while (poll(&end, 1, wait_ms) == 1 && !(end.revents & POLLHUP))
		if (read(end.fd, &a, sizeof(a)) <= 0)
			break;
	return end.revents & POLLHUP;
}

bool fs_probe_abandon(struct fs_probe *p, int wait_ms)
{
	if (p->pid) {
		(void)kill(p->pid, SIGKILL);
		bury(p, wait_ms > 0 && is_dying(p, wait_ms) ? 0 : WNOHANG);
	}
	if (!p->pid)
		close_pipe(p);
	return !p->pid;
}
