/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/fork.h"
#include "tests/unit/turns.h"

static struct loop *loop;

static void start(void)
{
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
}

static void finish(void)
{
	loop_free(loop);
}

static int signals[3];

static void on_signal(void *user, int signo)
{
	ck_assert_ptr_eq(user, signals);
	signals[signo == SIGHUP ? 0 : signo == SIGINT ? 1 : 2]++;
}

START_TEST(signals_are_callbacks)
{
	memset(signals, 0, sizeof(signals));
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0); /* nobody listens yet: nothing happens */
	turn_idle(loop);
	loop_on_signal(loop, on_signal, signals);
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
	ck_assert_int_eq(kill(getpid(), SIGINT), 0);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(kill(getpid(), SIGPIPE), 0);
	turn_idle(loop);
	ck_assert_int_eq(signals[0], 1);
	ck_assert_int_eq(signals[1], 1);
	ck_assert_int_eq(signals[2], 1);
}
END_TEST

struct exited {
	int calls;
	pid_t pid;
	int status;
	struct exited *then_watch;
};

static pid_t fork_exit(int status)
{
	pid_t pid = fork_in_test();
	if (pid == 0)
		_exit(status);
	return pid;
}

static void on_child(void *user, pid_t pid, int status)
{
	struct exited *x = user;

	x->calls++;
	x->pid = pid;
	x->status = status;
	for (int i = 0; x->then_watch && i < 10; i++)
		loop_watch_child(loop, fork_exit(9), on_child, x->then_watch);
	x->then_watch = NULL;
}

/* Waits until the process is a zombie, without reaping it. */
static void wait_dead(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

START_TEST(a_child_that_ends_is_reported_once)
{
	struct exited x = {0};
	pid_t pid = fork_exit(7);

	loop_watch_child(loop, pid, on_child, &x);
	TURN_UNTIL(loop, x.calls);
	turn_idle(loop);
	ck_assert_int_eq(x.calls, 1);
	ck_assert_int_eq(x.pid, pid);
	ck_assert_int_eq(WEXITSTATUS(x.status), 7);
}
END_TEST

START_TEST(a_child_that_ended_before_it_was_watched_is_reported)
{
	struct exited x = {0};
	pid_t pid = fork_exit(7);

	wait_dead(pid);
	turn_idle(loop); /* its signal is consumed */
	loop_watch_child(loop, pid, on_child, &x);
	TURN_UNTIL(loop, x.calls);
	ck_assert_int_eq(WEXITSTATUS(x.status), 7);
}
END_TEST

START_TEST(only_children_that_are_watched_are_reaped)
{
	struct exited x = {0}, forgotten = {0};
	pid_t mine = fork_exit(1), other = fork_exit(2), left = fork_exit(3);
	int status;

	wait_dead(other);
	wait_dead(left);
	loop_watch_child(loop, left, on_child, &forgotten);
	loop_watch_child(loop, mine, on_child, &x);
	loop_forget_child(loop, left);
	TURN_UNTIL(loop, x.calls);
	turn_idle(loop);
	ck_assert_int_eq(forgotten.calls, 0);
	ck_assert_int_eq(waitpid(other, &status, WNOHANG), other);
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	ck_assert_int_eq(waitpid(left, &status, WNOHANG), left);
}
END_TEST

START_TEST(many_that_end_at_once_are_all_reported)
{
	static struct exited x[50];
	struct exited more = {0};

	memset(x, 0, sizeof(x));
	x[0].then_watch = &more; /* the list grows while it is gone through */
	for (int i = 0; i < 50; i++)
		loop_watch_child(loop, fork_exit(i), on_child, &x[i]);
	TURN_UNTIL(loop, more.calls == 10);
	for (int i = 0; i < 50; i++) {
		TURN_UNTIL(loop, x[i].calls);
		ck_assert_int_eq(WEXITSTATUS(x[i].status), i);
	}
}
END_TEST

START_TEST(nothing_is_left_behind)
{
	struct loop *second = NULL;
	sigset_t before, after;
	int n = count_descriptors();

	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &before), 0);
	ck_assert_int_eq(loop_new(&second, NULL), 0);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &after), 0);
	ck_assert(sigismember(&after, SIGCHLD) == 1 && sigismember(&after, SIGTERM) == 1);
	loop_free(second);
	loop_free(NULL);
	ck_assert_int_eq(count_descriptors(), n);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &after), 0);
	for (int s = 1; s < 32; s++)
		ck_assert_int_eq(sigismember(&before, s), sigismember(&after, s));
}
END_TEST

static Suite *loop_child_suite(void)
{
	Suite *s = suite_create("loop_child");
	TCase *tc = tcase_create("loop_child");

	tcase_add_checked_fixture(tc, start, finish);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, signals_are_callbacks);
	tcase_add_test(tc, a_child_that_ends_is_reported_once);
	tcase_add_test(tc, a_child_that_ended_before_it_was_watched_is_reported);
	tcase_add_test(tc, only_children_that_are_watched_are_reaped);
	tcase_add_test(tc, many_that_end_at_once_are_all_reported);
	tcase_add_test(tc, nothing_is_left_behind);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(loop_child_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
