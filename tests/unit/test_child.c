/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "tests/unit/scratch.h"
#include "tests/unit/turns.h"

static struct loop *loop;

static struct ended {
	int count;
	int status;
	bool timed_out;
	bool cut;
	size_t len;
	char output[200000];
} ended;

static void on_done(void *user, const struct child_result *r)
{
	struct ended *x = user;

	x->count++;
	x->status = r->status;
	x->timed_out = r->timed_out;
	x->cut = r->output_cut;
	x->len = r->output_len;
	ck_assert_uint_lt(r->output_len, sizeof(x->output));
	memcpy(x->output, r->output, r->output_len + 1);
}

static void start(void)
{
	scratch_make();
	memset(&ended, 0, sizeof(ended));
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
}

static void finish(void)
{
	loop_free(loop);
	scratch_remove();
}

/* Options of a shell script; the test's own shell, not one of the code under test. */
static struct child_options script_options(const char *script)
{
	static const char *argv[4];

	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = script;
	argv[3] = NULL;
	return (struct child_options){.argv = argv, .output_max = 100000, .pass_fd = -1};
}

static struct child *start_child(const struct child_options *o)
{
	struct child *c = NULL;
	struct err e = {""};

	ck_assert_msg(child_start(loop, o, on_done, &ended, &c, &e) == 0, "%s", e.msg);
	return c;
}

/* Runs a script to its end. */
static void run(const char *script)
{
	struct child_options o = script_options(script);

	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(ended.count, 1);
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static pid_t read_pid(const char *name)
{
	char text[32] = "";
	size_t n = scratch_has(name) ? scratch_read(name, text, sizeof(text) - 1) : 0;

	return n && text[n - 1] == '\n' ? atoi(text) : 0;
}

static int count_descriptors(void)
{
	_cleanup_(closedir_p) DIR *d = opendir("/proc/self/fd");
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	return n;
}

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

START_TEST(signals_and_stdin_are_as_in_a_fresh_login)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	ck_assert_int_eq(sigaction(SIGUSR1, &ignore, NULL), 0);
	/* Signals 32 and 33 belong to the C library, which has its own ideas about them. */
	run("sed -n 's/^Sig\\(Blk\\|Ign\\):.*\\(........\\)$/\\1 \\2/p' /proc/self/status;"
	    "readlink /proc/self/fd/0");
	ck_assert_int_eq(strncmp(ended.output, "Blk 00000000\nIgn ", 17), 0);
	ck_assert_uint_eq(strtoul(ended.output + 17, NULL, 16) & 0x7fffffff, 0);
	ck_assert_ptr_nonnull(strstr(ended.output, "/dev/null\n"));
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

START_TEST(the_last_bytes_of_much_output_are_kept)
{
	struct child_options o = script_options(
		"i=0; while [ $i -lt 60000 ]; do echo $i; i=$((i + 1)); done; printf END");

	o.output_max = 1000;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert(ended.cut);
	ck_assert_uint_eq(ended.len, 1000);
	ck_assert_str_eq(ended.output + 1000 - 15, "59998\n59999\nEND");
}
END_TEST

START_TEST(output_that_just_fits_is_whole)
{
	struct child_options o = script_options("printf 12345");

	o.output_max = (size_t)_i;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_str_eq(ended.output, &"12345"[5 - (_i < 5 ? _i : 5)]);
	ck_assert(ended.cut == (_i < 5));
}
END_TEST

START_TEST(a_large_single_write_is_cut_to_its_end)
{
	struct child_options o = script_options("head -c 10000000 /dev/zero; printf END");

	o.output_max = 5;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_uint_eq(ended.len, 5);
	ck_assert_mem_eq(ended.output, "\0\0END", 5);
}
END_TEST

START_TEST(output_closed_early_does_not_end_the_child)
{
	int64_t start_ms = clock_mono_ms();

	run("exec >&- 2>&-; sleep 0.3; exit 4");
	ck_assert_int_eq(WEXITSTATUS(ended.status), 4);
	ck_assert_int_ge(clock_mono_ms() - start_ms, 290);
}
END_TEST

START_TEST(a_grandchild_that_holds_the_output_delays_the_end_only_for_a_while)
{
	int64_t start_ms = clock_mono_ms();
	pid_t pid;

	run("echo first; sleep 60 & echo $!");
	ck_assert_int_ge(clock_mono_ms() - start_ms, CHILD_DRAIN_MS - 10);
	ck_assert_int_lt(clock_mono_ms() - start_ms, CHILD_DRAIN_MS + 5000);
	ck_assert_int_eq(ended.status, 0);
	ck_assert_ptr_eq(strstr(ended.output, "first\n"), ended.output);
	pid = atoi(ended.output + 6);
	ck_assert(is_alive(pid)); /* a service a hook started stays */
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}
END_TEST

START_TEST(the_deadline_ends_the_whole_group)
{
	struct child_options o;
	char script[200];
	int64_t start_ms = clock_mono_ms();

	(void)snprintf(
		script, sizeof(script), "sleep 60 & echo $! >%s; wait", scratch_path("grandchild"));
	o = script_options(script);
	o.deadline_ms = 300;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert(ended.timed_out);
	ck_assert(WIFSIGNALED(ended.status));
	ck_assert_int_eq(WTERMSIG(ended.status), SIGTERM);
	ck_assert_int_ge(clock_mono_ms() - start_ms, 299);
	ck_assert_int_lt(clock_mono_ms() - start_ms, CHILD_GRACE_MS);
	ck_assert_int_gt(read_pid("grandchild"), 0);
	TURN_UNTIL(loop, !is_alive(read_pid("grandchild")));
}
END_TEST

START_TEST(what_ignores_term_is_killed_after_the_grace)
{
	struct child_options o = script_options("trap '' TERM; while :; do sleep 1; done");
	int64_t start_ms = clock_mono_ms();

	o.deadline_ms = 100;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert(ended.timed_out);
	ck_assert_int_eq(WTERMSIG(ended.status), SIGKILL);
	ck_assert_int_ge(clock_mono_ms() - start_ms, CHILD_GRACE_MS + 99);
}
END_TEST

START_TEST(a_grandchild_that_ignores_term_does_not_outlive_the_deadline)
{
	struct child_options o;
	char script[300];

	(void)snprintf(script, sizeof(script),
		"(trap '' TERM; while :; do sleep 1; done) & echo $! >%s; wait",
		scratch_path("grandchild"));
	o = script_options(script);
	o.deadline_ms = 500;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert(ended.timed_out);
	ck_assert_int_gt(read_pid("grandchild"), 0);
	TURN_UNTIL(loop, !is_alive(read_pid("grandchild")));
}
END_TEST

START_TEST(a_stopped_child_ends_at_the_deadline)
{
	struct child_options o = script_options("kill -STOP $$; sleep 60");
	int64_t start_ms = clock_mono_ms();

	o.deadline_ms = 200;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(WTERMSIG(ended.status), SIGTERM);
	ck_assert_int_lt(clock_mono_ms() - start_ms, CHILD_GRACE_MS);
}
END_TEST

START_TEST(signals_reach_the_group)
{
	struct child_options o = script_options(
		"trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.05; done");
	struct child *c = start_child(&o);
	int64_t end_ms = clock_mono_ms() + TURNS_DEADLINE_MS;

	/* Sent again until the trap is set up. */
	while (!ended.count) {
		ck_assert_int_lt(clock_mono_ms(), end_ms);
		ck_assert_int_eq(loop_turn(loop, 100, NULL), 0);
		if (!ended.count)
			child_signal(c, SIGUSR1);
	}
	if (WIFEXITED(ended.status))
		ck_assert_int_eq(WEXITSTATUS(ended.status), 5);
	else
		ck_assert_int_eq(WTERMSIG(ended.status), SIGUSR1);
}
END_TEST

START_TEST(an_abandoned_child_is_dead_and_silent)
{
	struct child_options o = script_options("trap '' TERM; sleep 60");
	int before = count_descriptors();
	struct child *c = start_child(&o);
	pid_t pid = child_pid(c);

	child_abandon(c);
	ck_assert(!is_alive(pid));
	turn_idle(loop);
	ck_assert_int_eq(ended.count, 0);
	ck_assert_int_eq(count_descriptors(), before);
	child_abandon(NULL);
}
END_TEST

START_TEST(a_child_can_be_abandoned_after_its_leader_has_gone)
{
	struct child_options o = script_options("sleep 60 & exit 0");
	struct child *c = start_child(&o);
	pid_t pid = child_pid(c);

	TURN_UNTIL(loop, !is_alive(pid));
	ck_assert_int_eq(ended.count, 0);
	child_abandon(c);
	turn_idle(loop);
	ck_assert_int_eq(ended.count, 0);
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

	o.nice = 7;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(atoi(ended.output), getpriority(PRIO_PROCESS, 0) + 7);
}
END_TEST

START_TEST(many_at_once_all_end_and_leave_nothing)
{
	struct child_options o = script_options("echo x");
	int before = count_descriptors();

	for (int i = 0; i < 30; i++)
		(void)start_child(&o);
	TURN_UNTIL(loop, ended.count == 30);
	ck_assert_int_eq(count_descriptors(), before);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(a_status_is_told_in_words)
{
	char text[100];

	child_describe(text, sizeof(text), 3 << 8);
	ck_assert_str_eq(text, "exit status 3");
	child_describe(text, sizeof(text), SIGKILL);
	ck_assert_str_eq(text, "killed by signal 9 (Killed)");
}
END_TEST

static Suite *child_suite(void)
{
	Suite *s = suite_create("child");
	TCase *tc = tcase_create("child");

	tcase_add_checked_fixture(tc, start, finish);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, output_and_status_come_back);
	tcase_add_test(tc, a_child_without_output_ends_too);
	tcase_add_test(tc, a_missing_program_is_reported_at_once);
	tcase_add_test(tc, arguments_reach_the_child_as_they_are);
	tcase_add_test(tc, the_environment_is_clean);
	tcase_add_test(tc, a_given_environment_is_all_there_is);
	tcase_add_test(tc, signals_and_stdin_are_as_in_a_fresh_login);
	tcase_add_test(tc, the_child_leads_its_own_group);
	tcase_add_test(tc, no_descriptor_but_the_three_leaks_into_the_child);
	tcase_add_test(tc, a_descriptor_can_be_passed);
	tcase_add_test(tc, low_descriptor_numbers_do_not_overwrite_each_other);
	tcase_add_test(tc, the_last_bytes_of_much_output_are_kept);
	tcase_add_loop_test(tc, output_that_just_fits_is_whole, 1, 7);
	tcase_add_test(tc, a_large_single_write_is_cut_to_its_end);
	tcase_add_test(tc, output_closed_early_does_not_end_the_child);
	tcase_add_test(tc, a_grandchild_that_holds_the_output_delays_the_end_only_for_a_while);
	tcase_add_test(tc, the_deadline_ends_the_whole_group);
	tcase_add_test(tc, what_ignores_term_is_killed_after_the_grace);
	tcase_add_test(tc, a_grandchild_that_ignores_term_does_not_outlive_the_deadline);
	tcase_add_test(tc, a_stopped_child_ends_at_the_deadline);
	tcase_add_test(tc, signals_reach_the_group);
	tcase_add_test(tc, an_abandoned_child_is_dead_and_silent);
	tcase_add_test(tc, a_child_can_be_abandoned_after_its_leader_has_gone);
	tcase_add_test(tc, inherited_output_is_not_collected);
	tcase_add_test(tc, niceness_is_added);
	tcase_add_test(tc, many_at_once_all_end_and_leave_nothing);
	tcase_add_test(tc, a_status_is_told_in_words);
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
