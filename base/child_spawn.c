/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

static int set_files(
	posix_spawn_file_actions_t *fa, const struct child_options *o, const struct child_files *f)
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
		r = posix_spawn_file_actions_adddup2(fa, f->pass, CHILD_PASSED_FD);
	/* Libraries, and whoever started this process, may have left descriptors open for children. */
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(
			fa, f->pass >= 0 ? CHILD_PASSED_FD + 1 : CHILD_PASSED_FD);
	if (r == 0 && o->folder)
		r = posix_spawn_file_actions_addchdir_np(fa, o->folder);
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

/* posix_spawn and execve take both lists without const, but do not change them. */
static char *const *unconst(const char *const *list)
{
	return (char *const *)(uintptr_t)list;
}

static const char *program_of(const struct child_options *o)
{
	return o->program ? o->program : o->argv[0];
}

static int spawn_here(const struct child_options *o, const struct child_files *f,
	const char *const *env, pid_t *pid)
{
	mode_t before = o->umask ? umask(o->umask) : 0;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t a;
	int r;

	r = posix_spawn_file_actions_init(&fa);
	if (r == 0) {
		r = posix_spawnattr_init(&a);
		if (r == 0) {
			r = set_files(&fa, o, f);
			if (r == 0)
				r = set_attributes(&a);
			if (r == 0)
				r = posix_spawnp(pid, program_of(o), &fa, &a, unconst(o->argv),
					unconst(env));
			(void)posix_spawnattr_destroy(&a);
		}
		(void)posix_spawn_file_actions_destroy(&fa);
	}
	if (o->umask)
		(void)umask(before);
	return r;
}

/* What posix_spawn does, which knows no cgroups. In the child: only what is safe after a fork, and all of it has to succeed. */
static void become(
	const struct child_options *o, const struct child_files *f, const char *const *env)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	unsigned first = f->pass >= 0 ? CHILD_PASSED_FD + 1 : CHILD_PASSED_FD;
	int in = f->in >= 0 ? f->in : open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++)
		(void)sigaction(signo, &usual, NULL);
	if (in < 0 || setpgid(0, 0) < 0 || (in != STDIN_FILENO && dup2(in, STDIN_FILENO) < 0))
		return;
	if (in == STDIN_FILENO && fcntl(in, F_SETFD, 0) < 0)
		return;
	if (f->out >= 0 && (dup2(f->out, STDOUT_FILENO) < 0 || dup2(f->out, STDERR_FILENO) < 0))
		return;
	if (f->pass >= 0 && dup2(f->pass, CHILD_PASSED_FD) < 0)
		return;
	/* Not closed at once: the one that tells of a failure is among them. Before Linux 5.11 it cannot be done, and only what
	 * libraries left open gets into the child. */
	(void)close_range(first, ~0U, CLOSE_RANGE_CLOEXEC);
	if (o->umask)
		(void)umask(o->umask);
	if (o->folder && chdir(o->folder) < 0)
		return;
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return;
	(void)execvpe(program_of(o), unconst(o->argv), unconst(env));
}

/* Born in the cgroup, with clone3(2), for whatever is moved later may have children by then. ENOSYS: the kernel, or
 * what guards it (containers), does not let us. */
static int spawn_in(int cgroup_fd, const struct child_options *o, const struct child_files *f,
	const char *const *env, pid_t *pid)
{
	struct clone_args args = {.flags = CLONE_INTO_CGROUP | CLONE_VFORK,
		.exit_signal = SIGCHLD,
		.cgroup = (unsigned)cgroup_fd};
	_cleanup_(close_p) int told = -1;
	int fds[2], why = 0;
	sigset_t all, before;
	long r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return errno;
	told = fds[0];
	/* No handler of ours runs in the child. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	r = syscall(SYS_clone3, &args, sizeof(args));
	if (r == 0) {
		int tell = fcntl(fds[1], F_DUPFD_CLOEXEC, CHILD_PASSED_FD + 1);

		become(o, f, env);
		why = errno;
		(void)!write(tell, &why, sizeof(why));
		_exit(127);
	}
	if (r < 0)
		why = errno == EINVAL || errno == E2BIG || errno == EPERM ? ENOSYS : errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)close(fds[1]);
	if (r < 0)
		return why;
	*pid = (pid_t)r;
	if (read(told, &why, sizeof(why)) != (ssize_t)sizeof(why))
		return 0;
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return why ? why : EIO;
}

static int move(int cgroup_fd, pid_t pid)
{
	_cleanup_(close_p) int fd = openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", (int)pid);

	return fd < 0 || write(fd, text, (size_t)n) < 0 ? errno : 0;
}

/* One that has no limits when it was to have some does not run. */
static int spawn_and_move(int cgroup_fd, const struct child_options *o, const struct child_files *f,
	const char *const *env, pid_t *pid)
{
	int r = spawn_here(o, f, env, pid);

	if (r)
		return r;
	r = move(cgroup_fd, *pid);
	if (r) {
		(void)kill(-*pid, SIGKILL);
		while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	return r;
}

int child_spawn(const struct child_options *o, const struct child_files *f, pid_t *pid)
{
	const char *path = getenv("PATH");
	char path_entry[4096];
	const char *plain_env[] = {path_entry, "LANG=C.UTF-8", NULL};
	const char *const *env = o->env ? o->env : plain_env;
	_cleanup_(close_p) int cgroup_fd = -1;
	int r;

	(void)snprintf(path_entry, sizeof(path_entry), "PATH=%s",
		path && *path ? path
			      : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if (!o->cgroup)
		return spawn_here(o, f, env, pid);
	cgroup_fd = open(o->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup_fd < 0)
		return errno;
	r = spawn_in(cgroup_fd, o, f, env, pid);
	return r == ENOSYS ? spawn_and_move(cgroup_fd, o, f, env, pid) : r;
}
