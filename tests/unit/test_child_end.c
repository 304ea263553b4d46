/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "tests/unit/child_run.h"
#include "tests/unit/descriptors.h"

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
	int64_t end_ms = turns_end_ms();

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

static Suite *child_end_suite(void)
{
	Suite *s = suite_create("child_end");
	TCase *tc = tcase_create("child_end");

	tcase_add_checked_fixture(tc, start_loop, finish_loop);
	tcase_set_timeout(tc, 60);
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
	tcase_add_test(tc, many_at_once_all_end_and_leave_nothing);
	tcase_add_test(tc, a_status_is_told_in_words);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(child_end_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
