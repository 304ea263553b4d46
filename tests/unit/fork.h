/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that a test starts as a copy of itself: servers, writers, workers to be killed.
 *
 * A copy shares the file in which Check collects marks of ck_assert. One that marks after the test
 * has ended (a failed test does not wait) makes that file unreadable, and Check then names neither
 * the test nor the failure. So a copy asserts nothing unless the test waits for its end at once,
 * and it does not outlive the test.
 */
#ifndef TESTS_UNIT_FORK_H
#define TESTS_UNIT_FORK_H

#include <check.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Like fork(), but never fails. */
static inline pid_t fork_in_test(void)
{
	pid_t test = getpid(), pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != test)
			_exit(1);
		return 0;
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

#endif
