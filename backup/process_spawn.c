/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/process_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/container_processes.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { GROUPS_MAX = 128, ENV_MAX = 64, FIRST_FREE_FD = 3 };

#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* All that the child needs between fork and exec. */
struct start {
	char *path;
	char *const *argv;
	char **env;
	const char *cwd;
	int fds[3]; /* copies above the numbers they will have */
	int report; /* where the child writes its errno */
	int tell; /* and its number, before it becomes the program; -1: nowhere */
	pid_t parent;
	bool has_user;
	uid_t uid;
	gid_t gid;
	gid_t groups[GROUPS_MAX];
	int n_groups;
};

static const char *search_path(void)
{
	const char *path = getenv("PATH");

	return path && *path ? path : USUAL_PATH;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int process_find(const char *program, struct buf *out, struct err *e)
{
	const char *p = search_path();

	buf_clear(out);
	if (strchr(program, '/')) {
		buf_adds(out, program);
		return is_program(program) ? 0 : err_set(e, ENOENT, "%s: no such program", program);
	}
	while (*p) {
		size_t n = strcspn(p, ":");

		buf_clear(out);
		buf_add(out, n ? p : ".", n ? n : 1);
		buf_addc(out, '/');
		buf_adds(out, program);
		if (!out->overflow && is_program(buf_str(out)))
			return 0;
		p += n + (p[n] == ':');
	}
	return err_set(e, ENOENT, "%s: no such program on this host", program);
}

/* --- before the fork */

static bool has_entry(const char *const *env, const char *entry)
{
	size_t n = strcspn(entry, "=") + 1;

	for (; env && *env; env++)
		if (strncmp(*env, entry, n) == 0)
			return true;
	return false;
}

static void add_usual(struct start *s, size_t *n, const char *const *added, char *entry)
{
	if (has_entry(added, entry))
		free(entry);
	else
		s->env[(*n)++] = entry;
}

static int make_env(struct start *s, const struct place_command *c, const char *mark,
	const char *home, struct err *e)
{
	size_t n = 0;

	s->env = calloc(ENV_MAX + 5, sizeof(*s->env));
	if (!s->env)
		abort();
	for (; c->env && c->env[n]; n++) {
		if (n == ENV_MAX)
			return err_set(e, E2BIG, "%s: more than %d variables", c->argv[0], ENV_MAX);
		s->env[n] = str_dup(c->env[n]);
	}
	add_usual(s, &n, c->env, str_format("PATH=%s", search_path()));
	add_usual(s, &n, c->env, str_dup("LANG=C.UTF-8"));
	add_usual(s, &n, c->env, str_format("HOME=%s", home ? home : "/"));
	if (mark)
		s->env[n++] = str_format("%s=%s", CONTAINER_MARK_NAME, mark);
	return 0;
}

static int find_user(struct start *s, const char *name, const struct passwd **out, struct err *e)
{
	const struct passwd *pw;
	uint64_t number = 0;

	if (!name)
		return 0;
	pw = getpwnam(name);
	if (!pw && str_to_u64(name, &number, NULL) == 0 && number < UINT32_MAX)
		pw = getpwuid((uid_t)number);
	if (!pw)
		return err_set(e, ENOENT, "no such user: %s", name);
	*out = pw;
	if (pw->pw_uid == geteuid())
		return 0;
	if (geteuid() != 0)
		return err_set(e, EPERM, "only root can run a program as %s", name);
	s->has_user = true;
	s->uid = pw->pw_uid;
	s->gid = pw->pw_gid;
	s->n_groups = GROUPS_MAX;
	if (getgrouplist(name, pw->pw_gid, s->groups, &s->n_groups) < 0)
		return err_set(e, E2BIG, "user %s: more than %d groups", name, GROUPS_MAX);
	return 0;
}

static int copy_fds(struct start *s, const int fds[3], struct err *e)
{
	for (int i = 0; i < 3; i++) {
		_cleanup_(close_p) int null_fd = -1;

		if (fds[i] < 0)
			null_fd = open("/dev/null", (i ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
		s->fds[i] = fcntl(fds[i] < 0 ? null_fd : fds[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
		if (s->fds[i] < 0)
			return err_sys(e, "descriptors for a program");
	}
	return 0;
}

static void start_done(struct start *s)
{
	free(s->path);
	for (size_t i = 0; s->env && s->env[i]; i++)
		free(s->env[i]);
	free(s->env);
	for (int i = 0; i < 3; i++)
		close_p(&s->fds[i]);
	close_p(&s->report);
}

static int prepare(struct start *s, const struct place_command *c, const char *mark,
	const int fds[3], struct err *e)
{
	struct buf path = BUF_INIT(4096);
	const struct passwd *pw = NULL;
	int r = process_find(c->argv[0], &path, e);

	s->path = buf_take(&path);
	s->argv = (char *const *)(uintptr_t)c->argv; /* execve(2) does not change them */
	s->cwd = c->cwd;
	s->parent = getpid();
	if (r == 0)
		r = find_user(s, c->user, &pw, e);
	if (r == 0)
		r = make_env(s, c, mark, pw ? pw->pw_dir : getenv("HOME"), e);
	if (r == 0)
		r = copy_fds(s, fds, e);
	return r;
}

/* --- in the child: async-signal-safe calls only */

static void default_signals(void)
{
	struct sigaction sa;
	sigset_t none;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	for (int signo = 1; signo < NSIG; signo++)
		(void)sigaction(signo, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool become(const struct start *s)
{
	/* The kernel's calls, since the library's tell other threads, which are not there after a fork. */
	return !s->has_user || (syscall(SYS_setgroups, s->n_groups, s->groups) == 0 &&
				       syscall(SYS_setresgid, s->gid, s->gid, s->gid) == 0 &&
				       syscall(SYS_setresuid, s->uid, s->uid, s->uid) == 0);
}

static bool arrange(const struct start *s)
{
	(void)setpgid(0, 0);
	for (int i = 0; i < 3; i++)
		if (dup2(s->fds[i], i) < 0)
			return false;
	if (!become(s) || (s->cwd && chdir(s->cwd) < 0))
		return false;
	/* After the change of user, which clears it. A parent that died before cannot be told by it. */
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == s->parent;
}

static bool say_number(int to)
{
	const pid_t own = getpid();

	return write(to, &own, sizeof(own)) == (ssize_t)sizeof(own);
}

static void child(const struct start *s)
{
	int code;

	/* Signals stay blocked until all handlers of the parent are gone. */
	if (arrange(s)) {
		default_signals();
		/* All others are close-on-exec; libraries may have forgotten it. */
		(void)syscall(
			SYS_close_range, FIRST_FREE_FD, ~0U, 1U << 2); /* CLOSE_RANGE_CLOEXEC */
		if (s->tell < 0 || say_number(s->tell))
			(void)execve(s->path, s->argv, s->env);
	}
	code = errno;
	if (write(s->report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

/* --- */

static pid_t fork_quietly(const struct start *s)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		child(s);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int process_spawn(const struct place_command *c, const char *mark, const int fds[3], int tell,
	pid_t *pid, struct err *e)
{
	_cleanup_(start_done) struct start s = {.fds = {-1, -1, -1}, .report = -1, .tell = tell};
	_cleanup_(close_p) int report = -1;
	int pipe_fds[2], code = 0;
	ssize_t n;
	int r = prepare(&s, c, mark, fds, e);

	if (r < 0)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	report = pipe_fds[0];
	s.report = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	(void)close(pipe_fds[1]);
	*pid = fork_quietly(&s);
	if (*pid < 0)
		return err_sys(e, "start %s", c->argv[0]);
	(void)setpgid(*pid, *pid); /* whichever of the two comes first */
	close_p(&s.report);
	s.report = -1;
	do
		n = read(report, &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	(void)waitpid(*pid, NULL, 0);
	return err_set(e, code ? code : EIO, "start %s: %s", c->argv[0], err_text(-code));
}
