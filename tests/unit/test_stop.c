/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/stop.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

START_TEST(nothing_is_stopped_before_a_signal)
{
	struct pollfd p;

	ck_assert_int_eq(stop_fd(), -1);
	stop_install();
	p = (struct pollfd){stop_fd(), POLLIN, 0};
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	ck_assert(!stop_requested());
	ck_assert_int_eq(stop_check(NULL), 0);
}
END_TEST

START_TEST(a_signal_stops_and_interrupts)
{
	int signo = _i ? SIGINT : SIGTERM;
	struct pollfd p;
	struct err e;

	stop_install();
	p = (struct pollfd){stop_fd(), POLLIN, 0};
	ck_assert_int_eq(raise(signo), 0);
	ck_assert(stop_requested());
	ck_assert_int_eq(stop_check(&e), -ECANCELED);
	ck_assert_str_eq(e.msg, "stopped");
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	/* Nobody takes it away: all that wait later see it too. */
	ck_assert_int_eq(poll(&p, 1, 0), 1);
}
END_TEST

START_TEST(a_pipe_without_reader_is_an_error_and_not_the_end)
{
	int fds[2];

	stop_install();
	ck_assert_int_eq(pipe(fds), 0);
	(void)close(fds[0]);
	ck_assert_int_eq(write(fds[1], "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	(void)close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stop");
	TCase *tc = tcase_create("stop");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, nothing_is_stopped_before_a_signal);
	tcase_add_loop_test(tc, a_signal_stops_and_interrupts, 0, 2);
	tcase_add_test(tc, a_pipe_without_reader_is_an_error_and_not_the_end);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
