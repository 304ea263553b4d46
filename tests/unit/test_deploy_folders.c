/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the hooks that ship are found: installed, in a source tree, and nowhere.
 */
#include "agent/deploy_folders.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "tests/unit/scratch.h"

static void make(const char *folder)
{
	_cleanup_(free_p) char *file = str_format("%s/lib/common.sh", folder);
	_cleanup_(free_p) char *lib = str_format("%s/%s/lib", scratch, folder);

	ck_assert_int_eq(fs_mkdirs(lib, 0755, NULL), 0);
	scratch_write(file, "", 0);
}

static void finds(const char *program, const char *expected)
{
	_cleanup_(free_p) char *have = deploy_shipped_hooks_of(scratch_path(program));

	ck_assert_str_eq(have, scratch_path(expected));
}

START_TEST(installed_they_are_beside_the_program)
{
	make("usr/lib/agent/hooks");
	finds("usr/bin/agent", "usr/lib/agent/hooks");
}
END_TEST

START_TEST(in_a_source_tree_they_are_above_the_program)
{
	make("src/deploy-hooks/hooks");
	finds("src/build/agent", "src/deploy-hooks/hooks");
	finds("src/build/asan/agent", "src/deploy-hooks/hooks");
	finds("src/build/asan/tests/test_x", "src/deploy-hooks/hooks");
}
END_TEST

START_TEST(an_installed_program_does_not_look_far)
{
	make("deploy-hooks/hooks");
	finds("a/b/c/d/e/bin/agent", "a/b/c/d/e/lib/agent/hooks");
}
END_TEST

START_TEST(without_any_it_is_said_where_they_would_be)
{
	finds("usr/bin/agent", "usr/lib/agent/hooks");
}
END_TEST

START_TEST(odd_paths_of_a_program_lead_to_the_system)
{
	_cleanup_(free_p) char *a = deploy_shipped_hooks_of("agent");
	_cleanup_(free_p) char *b = deploy_shipped_hooks_of("/agent");

	ck_assert_str_eq(a, "/usr/lib/agent/hooks");
	ck_assert_str_eq(b, "/usr/lib/agent/hooks");
}
END_TEST

START_TEST(this_program_finds_those_of_its_tree)
{
	_cleanup_(free_p) char *folder = deploy_shipped_hooks();
	_cleanup_(free_p) char *file = str_format("%s/fetch/git", folder);

	ck_assert_int_eq(access(file, X_OK), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_folders");
	TCase *tc = tcase_create("deploy_folders");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, installed_they_are_beside_the_program);
	tcase_add_test(tc, in_a_source_tree_they_are_above_the_program);
	tcase_add_test(tc, an_installed_program_does_not_look_far);
	tcase_add_test(tc, without_any_it_is_said_where_they_would_be);
	tcase_add_test(tc, odd_paths_of_a_program_lead_to_the_system);
	tcase_add_test(tc, this_program_finds_those_of_its_tree);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
