/* SPDX-License-Identifier: Apache-2.0
 *
 * Cgroups of hooks, in a real hierarchy where the machine has one to spare.
 */
#include "agent/deploy_cgroup.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "agent/deploy_cgroup_home.h"
#include "tests/unit/cgroup_case.h"
#include "tests/unit/child_run.h"

static const struct deploy_cgroup_limits no_limits;
static char *cgroup;

static void make(void)
{
	start_loop();
	cgroup_make();
	cgroup = NULL;
	if (*cgroup_path)
		ck_assert_int_eq(
			deploy_cgroup_new(cgroup_path, "hook-1", &no_limits, &cgroup, NULL), 0);
}

static void drop(void)
{
	if (cgroup)
		TURN_UNTIL(loop, deploy_cgroup_remove(cgroup, NULL) == 0);
	free(cgroup);
	cgroup_drop();
	finish_loop();
}

static void start_in(const char *path, const char *script)
{
	struct child_options o = script_options(script);

	o.cgroup = path;
	(void)start_child(&o);
}

START_TEST(it_is_populated_while_a_process_is_in_it)
{
	struct err e = {""};

	if (!cgroup)
		return;
	ck_assert(!deploy_cgroup_is_populated(cgroup));
	start_in(cgroup, "exec sleep 1000");
	ck_assert(deploy_cgroup_is_populated(cgroup));
	ck_assert_int_eq(deploy_cgroup_remove(cgroup, &e), -EBUSY);
	ck_assert_uint_eq(deploy_cgroup_signal(cgroup, SIGTERM), 1);
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(WTERMSIG(ended.status), SIGTERM);
	TURN_UNTIL(loop, !deploy_cgroup_is_populated(cgroup));
	ck_assert_int_eq(deploy_cgroup_remove(cgroup, &e), 0);
	ck_assert_int_eq(deploy_cgroup_remove(cgroup, &e), 0);
	ck_assert(!deploy_cgroup_is_populated(cgroup));
}
END_TEST

START_TEST(those_below_belong_to_it)
{
	char *below = NULL;

	if (!cgroup)
		return;
	ck_assert_int_eq(deploy_cgroup_new(cgroup, "below", &no_limits, &below, NULL), 0);
	start_in(below, "trap '' TERM; exec sleep 1000");
	ck_assert(deploy_cgroup_is_populated(cgroup));
	ck_assert_uint_ge(deploy_cgroup_signal(cgroup, 0), 1);
	(void)deploy_cgroup_signal(cgroup, SIGKILL);
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(WTERMSIG(ended.status), SIGKILL);
	TURN_UNTIL(loop, deploy_cgroup_remove(cgroup, NULL) == 0);
	free(below);
}
END_TEST

START_TEST(a_cgroup_that_is_gone_is_empty)
{
	ck_assert(!deploy_cgroup_is_populated("/nonexistent"));
	ck_assert_uint_eq(deploy_cgroup_signal("/nonexistent", SIGKILL), 0);
	ck_assert_uint_eq(deploy_cgroup_oom_kills("/nonexistent"), 0);
	ck_assert_int_eq(deploy_cgroup_remove("/nonexistent", NULL), 0);
}
END_TEST

START_TEST(what_was_not_delegated_is_left_alone)
{
	struct err e = {""};
	char *home = NULL;

	if (!cgroup)
		return;
	ck_assert_int_eq(deploy_cgroup_home(cgroup_path, "/hook-1", &home, &e), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(e.msg, "Delegate=yes"));
	ck_assert_ptr_null(home);
}
END_TEST

START_TEST(what_was_delegated_is_divided)
{
	struct err e = {""};
	char *home = NULL;

	if (!cgroup || setxattr(cgroup, "trusted.delegate", "1", 1, 0) < 0)
		return;
	start_in(cgroup, "cat; exec sleep 1000");
	ck_assert_msg(deploy_cgroup_home(cgroup_path, "/hook-1", &home, &e) == 0, "%s", e.msg);
	ck_assert_ptr_nonnull(strstr(home, "/hook-1/hooks"));
	/* Who was in it is one below, and so finds it again the next time. */
	free(home);
	ck_assert_msg(
		deploy_cgroup_home(cgroup_path, "/hook-1/agent", &home, &e) == 0, "%s", e.msg);
	ck_assert_ptr_nonnull(strstr(home, "/hook-1/hooks"));
	free(home);
	(void)deploy_cgroup_signal(cgroup, SIGKILL);
	TURN_UNTIL(loop, ended.count);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_cgroup");
	TCase *c = tcase_create("deploy_cgroup");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, make, drop);
	tcase_add_test(c, it_is_populated_while_a_process_is_in_it);
	tcase_add_test(c, those_below_belong_to_it);
	tcase_add_test(c, a_cgroup_that_is_gone_is_empty);
	tcase_add_test(c, what_was_not_delegated_is_left_alone);
	tcase_add_test(c, what_was_delegated_is_divided);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
