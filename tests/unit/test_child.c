/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/child.h"
#include "tests/unit/child_run.h"
#include "tests/unit/descriptors.h"

START_TEST(output_and_status_come_back)
{
	run("echo out; echo err >&2; exit 3");
	ck_assert_str_eq(ended.output, "out\nerr\n");
	ck_assert(WIFEXITED(ended.status));
	ck_assert_int_eq(WEXITSTATUS(ended.status), 3);
	ck_assert(!ended.timed_out);
	ck_assert(!ended.cut);
}
END_TEST

START_TEST(a_child_without_output_ends_too)
{
	run("exit 0");
	ck_assert_int_eq(ended.status, 0);
	ck_assert_str_eq(ended.output, "");
}
END_TEST

START_TEST(a_missing_program_is_reported_at_once)
{
	const char *argv[] = {"no-such-program-here", NULL};
	struct child_options o = {.argv = argv, .output_max = 10, .pass_fd = -1};
	struct child *c = NULL;
	struct err e = {""};
	int before = count_descriptors();

	if (under_valgrind()) /* it makes a fork of posix_spawn, which cannot report this */
		return;
	ck_assert_int_eq(child_start(loop, &o, on_done, &ended, &c, &e), -ENOENT);
	ck_assert_ptr_null(c);
	ck_assert_ptr_nonnull(strstr(e.msg, "no-such-program-here"));
	ck_assert_int_eq(count_descriptors(), before);
	turn_idle(loop);
	ck_assert_int_eq(ended.count, 0);
}
END_TEST

START_TEST(arguments_reach_the_child_as_they_are)
{
	const char *argv[] = {"printf", "%s|", "a b", "$HOME", "\"; exit 9", "", NULL};
	struct child_options o = {.argv = argv, .output_max = 1000, .pass_fd = -1};

	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_str_eq(ended.output, "a b|$HOME|\"; exit 9||");
}
END_TEST

START_TEST(the_program_can_be_another_than_the_name_it_gets)
{
	const char *argv[] = {"agent", "-c", "echo $0", NULL};
	struct child_options o = {
		.argv = argv, .program = "/bin/sh", .output_max = 100, .pass_fd = -1};

	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_str_eq(ended.output, "agent\n");
}
END_TEST

START_TEST(the_environment_is_clean)
{
	ck_assert_int_eq(setenv("SECRET", "x", 1), 0);
	run("env | sed 's/=.*//' | grep -v -e '^_$' -e PWD -e SHLVL -e OLDPWD | sort | tr '\\n' ' "
	    "'");
	ck_assert_str_eq(ended.output, "LANG PATH ");
}
END_TEST

START_TEST(a_given_environment_is_all_there_is)
{
	const char *env[] = {"A=1", "B=two words", NULL};
	struct child_options o = script_options("echo $A-$B-$LANG");

	o.env = env;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_str_eq(ended.output, "1-two words-\n");
}
END_TEST

/* Without a shell in between: one that starts puts some of this right by itself. */
static void run_program(const char *const *argv)
{
	struct child_options o = {.argv = argv, .output_max = 1000, .pass_fd = -1};

	ended.count = 0;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
}

START_TEST(signals_and_stdin_are_as_in_a_fresh_login)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	const char *mask[] = {"sed", "-n", "s/^SigBlk:\t*//p", "/proc/self/status", NULL};
	const char *ignored[] = {"sed", "-n", "s/^SigIgn:\t*//p", "/proc/self/status", NULL};
	const char *input[] = {"readlink", "/proc/self/fd/0", NULL};

	ck_assert_int_eq(sigaction(SIGUSR1, &ignore, NULL), 0);
	run_program(mask);
	ck_assert_str_eq(ended.output, "0000000000000000\n");
	run_program(ignored);
	/* Signals 32 and 33 belong to the C library, which has its own ideas about them. */
	ck_assert_uint_eq(ended.len, 17);
	ck_assert_uint_eq(strtoull(ended.output, NULL, 16) & 0xfffffffe7fffffffULL, 0);
	run_program(input);
	ck_assert_str_eq(ended.output, "/dev/null\n");
}
END_TEST

static void run_with_input(const char *script, const void *input, size_t len)
{
	struct child_options o = script_options(script);

	o.input = input;
	o.input_len = len;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
}

START_TEST(input_arrives_whole_and_then_ends)
{
	static char zeros[1000000];

	run_with_input("cat", "a\0b\n", 4);
	ck_assert_uint_eq(ended.len, 4);
	ck_assert_int_eq(memcmp(ended.output, "a\0b\n", 4), 0);
	/* More than a pipe would hold. */
	ended.count = 0;
	run_with_input("wc -c", zeros, sizeof(zeros));
	ck_assert_str_eq(ended.output, "1000000\n");
}
END_TEST

START_TEST(empty_input_is_at_its_end_at_once)
{
	run_with_input("wc -c", "", 0);
	ck_assert_str_eq(ended.output, "0\n");
}
END_TEST

START_TEST(a_child_that_does_not_read_its_input_ends_well)
{
	int before = count_descriptors();

	run_with_input("exit 0", "unread", 6);
	ck_assert_int_eq(ended.status, 0);
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(input_has_a_bound)
{
	const char *argv[] = {"cat", NULL};
	struct child_options o = {.argv = argv, .output_max = 10, .pass_fd = -1, .input = ""};
	struct child *c = NULL;
	struct err e = {""};
	int before = count_descriptors();

	o.input_len = CHILD_INPUT_MAX + 1;
	ck_assert_int_eq(child_start(loop, &o, on_done, &ended, &c, &e), -EMSGSIZE);
	ck_assert_ptr_nonnull(strstr(e.msg, "cat"));
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(the_child_leads_its_own_group)
{
	struct child_options o = script_options("ps -o pgid= -p $$ || cut -d' ' -f5 /proc/$$/stat");
	struct child *c = start_child(&o);
	pid_t pid = child_pid(c);

	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(atoi(ended.output), pid);
	ck_assert_int_ne(pid, getpgrp());
}
END_TEST

START_TEST(no_descriptor_but_the_three_leaks_into_the_child)
{
	int leaked =
		open("/dev/zero", O_RDONLY); /* not close-on-exec, as a careless library does */

	ck_assert_int_ge(leaked, 3);
	run("i=0; while [ $i -lt 50 ]; do"
	    " if [ -e /proc/$$/fd/$i ]; then echo $i; fi; i=$((i + 1)); done");
	ck_assert_str_eq(ended.output, "0\n1\n2\n");
	ck_assert_int_eq(close(leaked), 0);
}
END_TEST

START_TEST(a_descriptor_can_be_passed)
{
	struct child_options o = script_options("echo hello >&3");
	char text[6] = "";
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	o.pass_fd = fds[1];
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(ended.status, 0);
	ck_assert_int_eq(fcntl(fds[1], F_GETFD), FD_CLOEXEC); /* the caller still has its own */
	ck_assert_int_eq(close(fds[1]), 0);
	ck_assert_int_eq(read(fds[0], text, 5), 5);
	ck_assert_str_eq(text, "hello");
	ck_assert_int_eq(close(fds[0]), 0);
}
END_TEST

/* A daemon started with its first descriptors closed gets 0 to 3 for whatever it opens next. */
START_TEST(low_descriptor_numbers_do_not_overwrite_each_other)
{
	struct child_options o = script_options("echo out; echo three >&3");
	int saved[4], fds[2];
	char text[8] = "";

	o.output_max = 1000;
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 20);
	for (int i = 0; i < 3; i++)
		(void)close(i);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0); /* 0 and 1 */
	o.pass_fd = fds[1];
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	(void)!read(fds[0], text, 6);
	for (int i = 0; i < 3; i++)
		(void)dup2(saved[i], i);
	ck_assert_str_eq(ended.output, "out\n");
	ck_assert_str_eq(text, "three\n");
}
END_TEST

START_TEST(inherited_output_is_not_collected)
{
	struct child_options o = script_options("echo to the parent; echo and this >&2");
	int fd = open(scratch_path("out"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int out = fcntl(1, F_DUPFD_CLOEXEC, 20), err = fcntl(2, F_DUPFD_CLOEXEC, 20);
	char text[100] = "";

	o.inherit_output = true;
	ck_assert_int_eq(dup2(fd, 1), 1);
	ck_assert_int_eq(dup2(fd, 2), 2);
	(void)start_child(&o);
	ck_assert_int_eq(dup2(out, 1), 1);
	ck_assert_int_eq(dup2(err, 2), 2);
	TURN_UNTIL(loop, ended.count);
	ck_assert_uint_eq(ended.len, 0);
	ck_assert_uint_gt(scratch_read("out", text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "to the parent\nand this\n");
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(niceness_is_added)
{
	struct child_options o = script_options("sleep 0.1; nice");
	int own = getpriority(PRIO_PROCESS, 0);

	o.nice = 7;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(atoi(ended.output), own + 7 < 19 ? own + 7 : 19);
}
END_TEST

static Suite *child_suite(void)
{
	Suite *s = suite_create("child");
	TCase *tc = tcase_create("child");

	tcase_add_checked_fixture(tc, start_loop, finish_loop);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, output_and_status_come_back);
	tcase_add_test(tc, a_child_without_output_ends_too);
	tcase_add_test(tc, a_missing_program_is_reported_at_once);
	tcase_add_test(tc, arguments_reach_the_child_as_they_are);
	tcase_add_test(tc, the_program_can_be_another_than_the_name_it_gets);
	tcase_add_test(tc, the_environment_is_clean);
	tcase_add_test(tc, a_given_environment_is_all_there_is);
	tcase_add_test(tc, signals_and_stdin_are_as_in_a_fresh_login);
	tcase_add_test(tc, input_arrives_whole_and_then_ends);
	tcase_add_test(tc, empty_input_is_at_its_end_at_once);
	tcase_add_test(tc, a_child_that_does_not_read_its_input_ends_well);
	tcase_add_test(tc, input_has_a_bound);
	tcase_add_test(tc, the_child_leads_its_own_group);
	tcase_add_test(tc, no_descriptor_but_the_three_leaks_into_the_child);
	tcase_add_test(tc, a_descriptor_can_be_passed);
	tcase_add_test(tc, low_descriptor_numbers_do_not_overwrite_each_other);
	tcase_add_test(tc, inherited_output_is_not_collected);
	tcase_add_test(tc, niceness_is_added);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(child_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
