/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/process_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { TOLD_FD, INPUT_FD, FIRST_FREE_FD };

/* Async-signal-safe calls only. All signals are blocked: what ends the worker's group must not end it first. */
static void guard(int told, int input)
{
	pid_t program = 0, said;
	ssize_t n;

	(void)setpgid(0, 0);
	if (dup2(told, TOLD_FD) < 0 || dup2(input, INPUT_FD) < 0)
		_exit(1);
	(void)syscall(SYS_close_range, FIRST_FREE_FD, ~0U, 0U);
	for (;;) {
		n = read(TOLD_FD, &said, sizeof(said));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(said) || !said)
			break;
		program = said;
	}
	/* The end of the pipe without a word is the end of the worker. */
	if (n == 0 && program > 0)
		(void)kill(-program, SIGKILL);
	_exit(0);
}

static pid_t fork_guard(int told, int input)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		guard(told, input);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int process_guard_start(struct process_guard *g, int input, struct err *e)
{
	_cleanup_(close_p) int theirs = -1, ours = -1, copy = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	/* Above the numbers they will have, here and in the program. */
	ours = fcntl(fds[1], F_DUPFD_CLOEXEC, FIRST_FREE_FD + 1);
	(void)close(fds[1]);
	theirs = fcntl(fds[0], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	(void)close(fds[0]);
	copy = fcntl(input, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	if (ours < 0 || theirs < 0 || copy < 0)
		return err_sys(e, "descriptors for a program");
	g->pid = fork_guard(theirs, copy);
	if (g->pid < 0) {
		g->pid = 0;
		return err_sys(e, "fork");
	}
	g->tell = take_fd(&ours);
	return 0;
}

void process_guard_end(struct process_guard *g)
{
	const pid_t done = 0;

	if (!g->pid)
		return;
	if (write(g->tell, &done, sizeof(done)) < 0)
		(void)kill(g->pid, SIGKILL);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close_p(&g->tell);
	g->pid = 0;
}
