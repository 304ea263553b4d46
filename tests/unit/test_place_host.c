/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/place.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "backup/stop.h"
#include "fork.h"
#include "place_case.h"

#define SH(script) ((const char *const[]){"sh", "-c", script, NULL})

static struct place *host;

static void make_host(void)
{
	struct err e;

	scratch_make();
	stop_install(); /* a worker does; SIGPIPE would end it */
	ck_assert_int_eq(place_host(&host, &e), 0);
}

static void remove_host(void)
{
	place_free(host);
	scratch_remove();
}

static int run(const char *const *argv, struct buf *out, struct err *e)
{
	return place_run(host, &(struct place_command){.argv = argv}, 20000, out, e);
}

static struct source *source_of(const char *script)
{
	struct source *s = NULL;
	struct err e = {""};

	ck_assert_msg(place_source(host, &(struct place_command){.argv = SH(script)}, &s, &e) == 0,
		"%s", e.msg);
	return s;
}

static size_t read_all(struct source *s)
{
	static char bytes[70000];
	struct err e = {""};
	size_t all = 0;
	ssize_t n;

	while ((n = source_read(s, bytes, sizeof(bytes), &e)) > 0)
		all += (size_t)n;
	ck_assert_msg(n == 0, "%s", e.msg);
	return all;
}

START_TEST(row_01_status_of_every_child_counts)
{
	struct source *s = source_of("head -c 100000 /dev/zero; echo 'no space' >&2; exit 3");
	struct err e = {""};

	/* All bytes came, and still it was no success. */
	ck_assert_uint_eq(read_all(s), 100000);
	ck_assert_int_eq(source_finish(s, &e), -EREMOTEIO);
	ck_assert_str_eq(e.msg, "sh: exit status 3: no space");
	source_free(s);

	s = source_of("head -c 100 /dev/zero; kill -9 $$");
	ck_assert_uint_eq(read_all(s), 100);
	ck_assert_int_eq(source_finish(s, &e), -EREMOTEIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "killed by signal 9"));
	source_free(s);

	s = source_of("echo good");
	ck_assert_uint_eq(read_all(s), 5);
	ck_assert_int_eq(source_finish(s, &e), 0);
	source_free(s);
}
END_TEST

START_TEST(row_07_words_on_stderr_are_no_failure_but_the_status_is)
{
	struct source *s = source_of("echo 'warning: old server' >&2; echo data");
	struct place_command c = {.argv = SH("echo 'warning: old server' >&2; cat")};
	struct sink *t;
	struct err e = {""};

	ck_assert_uint_eq(read_all(s), 5);
	ck_assert_int_eq(source_finish(s, &e), 0);
	source_free(s);
	ck_assert_int_eq(place_target(host, &c, NULL, &t, &e), 0);
	ck_assert_int_eq(sink_finish(t, &e), 0);
	ck_assert_str_eq(place_target_stderr(t), "warning: old server\n");
	sink_free(t);
	ck_assert_int_eq(run(SH("echo first >&2; echo last >&2; exit 1"), NULL, &e), -EREMOTEIO);
	ck_assert_str_eq(e.msg, "sh: exit status 1: first; last");
}
END_TEST

START_TEST(row_07_the_end_of_a_long_stderr_is_kept)
{
	struct source *s =
		source_of("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); "
			  "done; echo data; echo the very end >&2; exit 4");
	struct err e = {""};

	ck_assert_uint_eq(read_all(s), 5);
	ck_assert_int_eq(source_finish(s, &e), -EREMOTEIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "line 19999; the very end"));
	source_free(s);
}
END_TEST

START_TEST(row_32_secrets_are_hidden_in_all_that_is_said)
{
	struct place_command c = {.argv = SH("echo \"password $SECRET is wrong\" >&2; exit 1"),
		.env = (const char *const[]){"SECRET=hunter-2", NULL}};
	struct err e = {""};

	place_hide("hunter-2\n");
	ck_assert_int_eq(place_run(host, &c, 20000, NULL, &e), -EREMOTEIO);
	ck_assert_str_eq(e.msg, "sh: exit status 1: password *** is wrong");
}
END_TEST

START_TEST(stderr_before_stdout_does_not_block)
{
	/* Far more than a pipe holds, with not one byte of data meanwhile. */
	struct source *s = source_of("head -c 3000000 /dev/zero | tr '\\0' x >&2; echo data");
	struct err e = {""};

	ck_assert_uint_eq(read_all(s), 5);
	ck_assert_int_eq(source_finish(s, &e), 0);
	source_free(s);
}
END_TEST

START_TEST(whoever_waits_for_the_descriptor_is_woken_by_stderr_too)
{
	struct source *s = source_of("head -c 3000000 /dev/zero | tr '\\0' x >&2; echo data");
	struct pollfd p = {source_fd(s), POLLIN, 0};
	struct err e = {""};

	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	ck_assert_uint_eq(read_all(s), 5);
	ck_assert_int_eq(source_finish(s, &e), 0);
	source_free(s);
}
END_TEST

START_TEST(a_filter_is_fed_while_it_talks_on_all_pipes)
{
	static char bytes[1 << 20];
	struct place_command c = {.argv = SH("tee /dev/stderr | cat")};
	struct buf out = BUF_INIT(8 << 20);
	struct sink *t = NULL;
	struct err e = {""};

	memset(bytes, 'y', sizeof(bytes));
	ck_assert_int_eq(place_target(host, &c, &out, &t, &e), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_msg(sink_write(t, bytes, sizeof(bytes), &e) == 0, "%s", e.msg);
	ck_assert_msg(sink_finish(t, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.len, 4 * sizeof(bytes));
	ck_assert_uint_eq(strlen(place_target_stderr(t)), PLACE_STDERR_MAX);
	sink_free(t);
	buf_done(&out);
}
END_TEST

START_TEST(a_target_that_ends_early_fails_the_write_with_its_words)
{
	static char bytes[1 << 20];
	struct place_command c = {
		.argv = SH("head -c 10 >/dev/null; echo 'syntax error at line 1' >&2; exit 3")};
	struct sink *t = NULL;
	struct err e = {""};
	int r = 0;

	ck_assert_int_eq(place_target(host, &c, NULL, &t, &e), 0);
	for (int i = 0; i < 10 && r == 0; i++)
		r = sink_write(t, bytes, sizeof(bytes), &e);
	ck_assert_int_eq(r, -EREMOTEIO);
	ck_assert_str_eq(e.msg, "sh: exit status 3: syntax error at line 1");
	sink_free(t);
}
END_TEST

START_TEST(a_target_that_ends_early_and_well_is_a_failure_too)
{
	static char bytes[1 << 20];
	struct sink *t = NULL;
	struct err e = {""};
	int r = 0;

	ck_assert_int_eq(
		place_target(host, &(struct place_command){.argv = SH("exit 0")}, NULL, &t, &e), 0);
	for (int i = 0; i < 10 && r == 0; i++)
		r = sink_write(t, bytes, sizeof(bytes), &e);
	ck_assert_int_eq(r, -EPIPE);
	sink_free(t);
}
END_TEST

START_TEST(run_gives_input_and_takes_output)
{
	struct place_command c = {
		.argv = (const char *const[]){"cat", NULL}, .input = "hello", .input_len = 5};
	struct buf out = BUF_INIT(100);
	struct err e = {""};

	ck_assert_int_eq(place_run(host, &c, 20000, &out, &e), 0);
	ck_assert_str_eq(buf_str(&out), "hello");
	buf_clear(&out);
	/* One that does not care for its input may succeed. */
	c.argv = SH("exec <&-; echo fine");
	ck_assert_int_eq(place_run(host, &c, 20000, &out, &e), 0);
	ck_assert_str_eq(buf_str(&out), "fine\n");
	buf_clear(&out);
	ck_assert_int_eq(run(SH("head -c 101 /dev/zero"), &out, &e), -EFBIG);
	buf_done(&out);
}
END_TEST

START_TEST(other_statuses_can_be_good)
{
	struct place_command c = {.argv = SH("exit 2"), .also_good = (const int[]){1, 2, 0}};
	struct err e = {""};

	ck_assert_int_eq(place_run(host, &c, 20000, NULL, &e), 0);
	c.argv = SH("exit 4");
	ck_assert_int_eq(place_run(host, &c, 20000, NULL, &e), -EREMOTEIO);
}
END_TEST

START_TEST(a_program_that_is_not_there_is_told_at_the_start)
{
	struct err e = {""};

	ck_assert_int_eq(run((const char *const[]){"no-such-program", NULL}, NULL, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "no-such-program: no such program"));
	ck_assert(place_has(host, "sh"));
	ck_assert(place_has(host, "/bin/sh"));
	ck_assert(!place_has(host, "no-such-program"));
	ck_assert(!place_has(host, "/etc/passwd"));
	ck_assert(place_is_host(host));
	ck_assert_ptr_null(place_docker(host));
	ck_assert_str_eq(place_title(host), "this host");
}
END_TEST

START_TEST(the_environment_is_small_and_the_signals_are_usual)
{
	/* 32 and 33 are the C library's own: who began the tests by posix_spawn(3) left them ignored, and nobody can
	 * change that by sigaction(2). */
	struct place_command c = {
		.argv = SH("env | cut -d= -f1 | sort | tr '\\n' ' '; "
			   "grep -E 'SigBlk|SigIgn' /proc/self/status | cut -f2 | "
			   "sed s/0000000180000000/0000000000000000/ | tr '\\n' ' '"),
		.env = (const char *const[]){"LANG=de_DE", "X=1", NULL},
		.cwd = "/"};
	struct buf out = BUF_INIT(1000);
	struct err e = {""};

	ck_assert_int_eq(setenv("LEAK", "1", 1), 0);
	ck_assert_int_eq(place_run(host, &c, 20000, &out, &e), 0);
	ck_assert_str_eq(buf_str(&out), "HOME LANG PATH PWD X 0000000000000000 0000000000000000 ");
	buf_done(&out);
}
END_TEST

START_TEST(a_deadline_ends_the_whole_group)
{
	char script[512];
	int64_t began = clock_mono_ms();
	struct err e = {""};

	(void)snprintf(script, sizeof(script), "sleep 60 & echo $! >%s/pid; wait", scratch);
	ck_assert_int_eq(
		place_run(host, &(struct place_command){.argv = SH(script)}, 300, NULL, &e),
		-ETIMEDOUT);
	ck_assert_str_eq(e.msg, "sh: not done after 300ms");
	ck_assert_int_lt(clock_mono_ms() - began, 4000); /* TERM was enough */
	until_gone(pid_in("pid"));
}
END_TEST

START_TEST(one_that_ignores_term_is_killed)
{
	char script[512];
	int64_t began = clock_mono_ms();
	struct source *s;
	pid_t pid;

	(void)snprintf(script, sizeof(script),
		"trap '' TERM; echo $$ >%s/pid; while :; do read -r x </dev/zero; done", scratch);
	s = source_of(script);
	pid = pid_in("pid");
	source_free(s);
	ck_assert(!lives(pid));
	ck_assert_int_lt(clock_mono_ms() - began, 15000);
}
END_TEST

START_TEST(freeing_a_source_ends_its_program)
{
	char script[512];
	struct source *s;
	pid_t pid;

	(void)snprintf(script, sizeof(script), "echo $$ >%s/pid; exec cat /dev/zero", scratch);
	s = source_of(script);
	pid = pid_in("pid");
	source_free(s);
	ck_assert(!lives(pid));
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(a_killed_worker_leaves_no_dump_running)
{
	char script[512];
	pid_t worker, dump;

	(void)snprintf(script, sizeof(script), "echo $$ >%s/pid; exec sleep 600", scratch);
	worker = fork_in_test();
	if (worker == 0) {
		struct source *s = source_of(script);
		char byte;

		(void)source_read(s, &byte, 1, NULL);
		_exit(0);
	}
	dump = pid_in("pid");
	ck_assert(lives(dump));
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	ck_assert_int_eq(waitpid(worker, NULL, 0), worker);
	until_gone(dump);
}
END_TEST

START_TEST(output_left_open_by_another_program_is_not_waited_for_for_ever)
{
	struct source *s = source_of("sleep 600 & echo data");
	struct err e = {""};

	ck_assert_uint_eq(read_all(s), 5);
	ck_assert_int_eq(source_finish(s, &e), -EREMOTEIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "stayed open"));
	source_free(s);
}
END_TEST

START_TEST(a_stop_ends_what_waits)
{
	char script[512];
	struct source *s;
	struct err e = {""};
	char byte;
	pid_t pid;

	(void)snprintf(script, sizeof(script), "echo $$ >%s/pid; exec sleep 600", scratch);
	s = source_of(script);
	pid = pid_in("pid");
	ck_assert_int_eq(raise(SIGTERM), 0);
	ck_assert_int_eq(source_read(s, &byte, 1, &e), -ECANCELED);
	source_free(s);
	ck_assert(!lives(pid));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("place_host");
	TCase *tc = tcase_create("place_host");

	tcase_add_checked_fixture(tc, make_host, remove_host);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, row_01_status_of_every_child_counts);
	tcase_add_test(tc, row_07_words_on_stderr_are_no_failure_but_the_status_is);
	tcase_add_test(tc, row_07_the_end_of_a_long_stderr_is_kept);
	tcase_add_test(tc, row_32_secrets_are_hidden_in_all_that_is_said);
	tcase_add_test(tc, stderr_before_stdout_does_not_block);
	tcase_add_test(tc, whoever_waits_for_the_descriptor_is_woken_by_stderr_too);
	tcase_add_test(tc, a_filter_is_fed_while_it_talks_on_all_pipes);
	tcase_add_test(tc, a_target_that_ends_early_fails_the_write_with_its_words);
	tcase_add_test(tc, a_target_that_ends_early_and_well_is_a_failure_too);
	tcase_add_test(tc, run_gives_input_and_takes_output);
	tcase_add_test(tc, other_statuses_can_be_good);
	tcase_add_test(tc, a_program_that_is_not_there_is_told_at_the_start);
	tcase_add_test(tc, the_environment_is_small_and_the_signals_are_usual);
	tcase_add_test(tc, a_deadline_ends_the_whole_group);
	tcase_add_test(tc, one_that_ignores_term_is_killed);
	tcase_add_test(tc, freeing_a_source_ends_its_program);
	tcase_add_test(tc, a_killed_worker_leaves_no_dump_running);
	tcase_add_test(tc, output_left_open_by_another_program_is_not_waited_for_for_ever);
	tcase_add_test(tc, a_stop_ends_what_waits); /* last: in one process the request stays */
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(make_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
