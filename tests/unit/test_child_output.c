/* SPDX-License-Identifier: Apache-2.0
 *
 * What children print, as it comes; where they start and what they are born in.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "tests/unit/cgroup_case.h"
#include "tests/unit/child_run.h"
#include "tests/unit/descriptors.h"

static struct buf told = BUF_INIT(64 << 20);
static size_t told_times;

static void on_output(void *user, const char *data, size_t n)
{
	ck_assert_ptr_eq(user, &ended);
	ck_assert_int_eq(ended.count, 0); /* never after the end */
	buf_add(&told, data, n);
	told_times++;
}

static void make(void)
{
	start_loop();
	cgroup_make();
	buf_done(&told);
	told_times = 0;
}

static void drop(void)
{
	finish_loop();
	cgroup_drop();
}

static void run_told(struct child_options o)
{
	o.output = on_output;
	ended.count = 0;
	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
}

START_TEST(output_is_told_as_it_comes)
{
	struct child_options o = script_options("echo one; echo two >&2; read x <fifo; echo three");

	o.folder = scratch;
	o.output = on_output;
	ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0600), 0);
	(void)start_child(&o);
	TURN_UNTIL(loop, told.len == 8);
	ck_assert_str_eq(told.data, "one\ntwo\n");
	ck_assert_int_eq(ended.count, 0);
	scratch_write("fifo", "x\n", 2);
	TURN_UNTIL(loop, ended.count);
	ck_assert_str_eq(told.data, "one\ntwo\nthree\n");
	ck_assert_str_eq(ended.output, "one\ntwo\nthree\n");
}
END_TEST

START_TEST(all_is_told_though_only_the_end_is_kept)
{
	struct child_options o = script_options("head -c 5000000 /dev/zero; echo end");

	o.output_max = 5;
	run_told(o);
	ck_assert_uint_eq(told.len, 5000004);
	ck_assert_str_eq(ended.output + 1, "end\n");
	ck_assert(ended.cut);
	ck_assert_uint_gt(told_times, 1);
}
END_TEST

START_TEST(a_child_starts_in_its_folder_with_its_umask)
{
	struct child_options o = script_options("pwd; umask");

	o.folder = scratch;
	o.umask = 077;
	run_told(o);
	ck_assert_ptr_nonnull(strstr(told.data, scratch));
	ck_assert_ptr_nonnull(strstr(told.data, "\n0077\n"));
	ck_assert_int_ne(umask(022), 077);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_said_at_once)
{
	struct child_options o = script_options("true");
	struct child *c = NULL;
	int before = count_descriptors();

	if (under_valgrind())
		return;
	o.folder = "/nonexistent/folder";
	ck_assert_int_eq(child_start(loop, &o, on_done, &ended, &c, NULL), -ENOENT);
	ck_assert_int_eq(count_descriptors(), before);
	o.folder = NULL;
	o.cgroup = "/nonexistent/cgroup";
	ck_assert_int_eq(child_start(loop, &o, on_done, &ended, &c, NULL), -ENOENT);
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(a_child_is_born_in_its_cgroup)
{
	struct child_options o =
		script_options("cat /proc/self/cgroup; pwd; umask; cat; echo $0 $A-$LANG; "
			       "ls -l /proc/$$/fd | wc -l; cut -d' ' -f5 /proc/$$/stat");
	const char *env[] = {"A=1", "PATH=/usr/bin:/bin", NULL};
	char group[16];

	if (!*cgroup_path || under_valgrind()) /* it knows no births in a cgroup */
		return;
	o.cgroup = cgroup_path;
	o.folder = scratch;
	o.umask = 077;
	o.env = env;
	o.input = "input\n";
	o.input_len = 6;
	o.output = on_output;
	(void)snprintf(group, sizeof(group), "\n%d\n", (int)child_pid(start_child(&o)));
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(ended.status, 0);
	ck_assert_ptr_nonnull(strstr(told.data, strrchr(cgroup_path, '/')));
	ck_assert_ptr_nonnull(strstr(told.data, scratch));
	ck_assert_ptr_nonnull(
		strstr(told.data, "\n0077\ninput\nsh 1-\n4\n")); /* "total", 0, 1, 2 */
	ck_assert_ptr_nonnull(strstr(told.data, group));
}
END_TEST

START_TEST(in_a_cgroup_too_signals_are_as_in_a_fresh_login)
{
	const char *argv[] = {"grep", "-E", "SigBlk|SigIgn", "/proc/self/status", NULL};
	struct child_options o = {
		.argv = argv, .output_max = 1000, .pass_fd = -1, .cgroup = cgroup_path};
	unsigned long long blocked, ignored;

	if (!*cgroup_path)
		return;
	run_told(o);
	ck_assert_int_eq(sscanf(told.data, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	ck_assert_uint_eq(blocked, 0);
	ck_assert_uint_eq(ignored & 0xfffffffe7fffffffULL, 0);
}
END_TEST

START_TEST(in_a_cgroup_too_a_missing_program_is_said_at_once)
{
	const char *argv[] = {"no-such-program-here", NULL};
	struct child_options o = {
		.argv = argv, .output_max = 10, .pass_fd = -1, .cgroup = cgroup_path};
	struct child *c = NULL;
	int before = count_descriptors();

	if (!*cgroup_path || under_valgrind())
		return;
	ck_assert_int_eq(child_start(loop, &o, on_done, &ended, &c, NULL), -ENOENT);
	ck_assert_int_eq(count_descriptors(), before);
	o.folder = "/nonexistent/folder";
	argv[0] = "true";
	ck_assert_int_eq(child_start(loop, &o, on_done, &ended, &c, NULL), -ENOENT);
	turn_idle(loop);
	ck_assert_int_eq(ended.count, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("child_output");
	TCase *c = tcase_create("child_output");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, make, drop);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, output_is_told_as_it_comes);
	tcase_add_test(c, all_is_told_though_only_the_end_is_kept);
	tcase_add_test(c, a_child_starts_in_its_folder_with_its_umask);
	tcase_add_test(c, a_folder_that_is_not_there_is_said_at_once);
	tcase_add_test(c, a_child_is_born_in_its_cgroup);
	tcase_add_test(c, in_a_cgroup_too_signals_are_as_in_a_fresh_login);
	tcase_add_test(c, in_a_cgroup_too_a_missing_program_is_said_at_once);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
