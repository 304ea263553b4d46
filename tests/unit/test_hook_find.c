/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file serves a stage, in folders as people and attackers leave them.
 */
#include "deploy-hooks/hook.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/scratch.h"

static char etc[512], shipped[512];
static const char *folders[] = {etc, shipped, NULL};
static struct hook_file found;

static void make_folders(void)
{
	scratch_make();
	(void)snprintf(etc, sizeof(etc), "%s/etc", scratch);
	(void)snprintf(shipped, sizeof(shipped), "%s/shipped", scratch);
	for (size_t i = 0; folders[i]; i++) {
		char path[600];

		ck_assert_int_eq(mkdir(folders[i], 0755), 0);
		(void)snprintf(path, sizeof(path), "%s/build", folders[i]);
		ck_assert_int_eq(mkdir(path, 0755), 0);
	}
	found = (struct hook_file){NULL, NULL, false};
}

static void remove_folders(void)
{
	hook_file_done(&found);
	scratch_remove();
}

static void script_of(const char *name, const char *text, mode_t mode)
{
	scratch_write(name, text, strlen(text));
	ck_assert_int_eq(chmod(scratch_path(name), mode), 0);
}

static void script(const char *name, mode_t mode)
{
	script_of(name, "#!/bin/sh\nexit 0\n", mode);
}

static void find(const char *name)
{
	hook_file_done(&found);
	hook_find(folders, "build", name, &found);
}

/* It is there, but must not be taken, and is said to be wrong with these words. */
static void expect_problem(const char *name, const char *words)
{
	find(name);
	ck_assert_ptr_nonnull(found.problem);
	ck_assert_msg(strstr(found.problem, words), "%s", found.problem);
}

START_TEST(the_shipped_one_serves)
{
	script("shipped/build/docker", 0755);
	find("docker");
	ck_assert_ptr_null(found.problem);
	ck_assert_str_eq(found.path, scratch_path("shipped/build/docker"));
	ck_assert(!found.is_override);
}
END_TEST

START_TEST(one_of_ones_own_wins)
{
	script("shipped/build/docker", 0755);
	script("etc/build/docker", 0700);
	find("docker");
	ck_assert_ptr_null(found.problem);
	ck_assert_str_eq(found.path, scratch_path("etc/build/docker"));
	ck_assert(found.is_override);
}
END_TEST

START_TEST(one_of_ones_own_that_is_wrong_does_not_let_the_shipped_one_run)
{
	script("shipped/build/docker", 0755);
	script("etc/build/docker", 0644);
	expect_problem("docker", "chmod +x");
	ck_assert_str_eq(found.path, scratch_path("etc/build/docker"));
}
END_TEST

START_TEST(nothing_is_no_problem)
{
	find("nix");
	ck_assert_ptr_null(found.path);
	ck_assert_ptr_null(found.problem);
	/* Nor is a folder nobody made. */
	(void)rmdir(scratch_path("etc/build"));
	(void)rmdir(scratch_path("etc"));
	script("shipped/build/nix", 0755);
	find("nix");
	ck_assert_ptr_nonnull(found.path);
	ck_assert_ptr_null(found.problem);
}
END_TEST

START_TEST(what_others_can_change_is_not_run)
{
	script("etc/build/a", 0777);
	script("etc/build/b", 0775);
	script("etc/build/c", 0755);
	expect_problem("a", "chmod go-w");
	expect_problem("b", "chmod go-w");
	find("c");
	ck_assert_ptr_null(found.problem);
	ck_assert_int_eq(chmod(scratch_path("etc/build"), 0777), 0);
	expect_problem("c", "etc/build can be changed");
	ck_assert_int_eq(chmod(scratch_path("etc/build"), 0755), 0);
	ck_assert_int_eq(chmod(scratch_path("etc"), 0775), 0);
	expect_problem("c", "/etc can be changed");
}
END_TEST

START_TEST(what_belongs_to_another_user_is_not_run)
{
	if (geteuid() != 0)
		return;
	script("etc/build/a", 0755);
	ck_assert_int_eq(chown(scratch_path("etc/build/a"), 12345, 0), 0);
	expect_problem("a", "12345");
	ck_assert_int_eq(chown(scratch_path("etc/build/a"), 0, 0), 0);
	ck_assert_int_eq(chown(scratch_path("etc/build"), 12345, 0), 0);
	expect_problem("a", "12345");
}
END_TEST

START_TEST(a_link_within_the_folder_is_followed)
{
	script("etc/common", 0755);
	ck_assert_int_eq(symlink("../common", scratch_path("etc/build/docker")), 0);
	find("docker");
	ck_assert_ptr_null(found.problem);
}
END_TEST

START_TEST(a_link_out_of_the_folder_is_not)
{
	script("outside", 0755);
	script("etcetera", 0755);
	ck_assert_int_eq(symlink("../../outside", scratch_path("etc/build/a")), 0);
	ck_assert_int_eq(symlink("/bin/sh", scratch_path("etc/build/b")), 0);
	ck_assert_int_eq(symlink("../../etcetera", scratch_path("etc/build/c")), 0);
	ck_assert_int_eq(symlink("nowhere", scratch_path("etc/build/d")), 0);
	ck_assert_int_eq(symlink("e", scratch_path("etc/build/e")), 0);
	expect_problem("a", "is not in");
	expect_problem("b", "is not in");
	expect_problem("c", "is not in");
	expect_problem("d", "No such file");
	expect_problem("e", "symbolic links");
}
END_TEST

START_TEST(a_link_through_a_folder_others_can_write_into_is_not)
{
	ck_assert_int_eq(mkdir(scratch_path("etc/open"), 0755), 0);
	script("etc/open/x", 0755);
	ck_assert_int_eq(symlink("../open/x", scratch_path("etc/build/docker")), 0);
	find("docker");
	ck_assert_ptr_null(found.problem);
	ck_assert_int_eq(chmod(scratch_path("etc/open"), 01777), 0);
	expect_problem("docker", "etc/open can be changed");
}
END_TEST

START_TEST(what_is_no_file_is_not_run_nor_waited_for)
{
	ck_assert_int_eq(mkdir(scratch_path("etc/build/folder"), 0755), 0);
	ck_assert_int_eq(mkfifo(scratch_path("etc/build/fifo"), 0755), 0);
	expect_problem("folder", "not a regular file");
	expect_problem("fifo", "not a regular file");
}
END_TEST

START_TEST(what_the_kernel_would_not_start_is_explained)
{
	script_of("etc/build/empty", "", 0755);
	script_of("etc/build/plain", "echo hello\n", 0755);
	script_of("etc/build/windows", "#!/bin/sh\r\nexit 0\r\n", 0755);
	script_of("etc/build/program", "\177ELF", 0755);
	expect_problem("empty", "#!");
	expect_problem("plain", "#!");
	expect_problem("windows", "Windows");
	find("program");
	ck_assert_ptr_null(found.problem);
}
END_TEST

START_TEST(names_are_plain)
{
	static const char *const bad[] = {"", ".", "..", "../build/x", "a/b", "A", "a b", "a_b",
		"a.sh", "-x", "a\n", "ü", "$(id)", "a;b"};

	script("etc/build/x", 0755);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		find(bad[i]);
		ck_assert_msg(found.problem && !found.path, "%s", bad[i]);
	}
	hook_file_done(&found);
	hook_find(folders, "../etc/build", "x", &found);
	ck_assert_ptr_nonnull(found.problem);
	ck_assert_ptr_null(found.path);
}
END_TEST

START_TEST(all_of_a_gate_run_by_name_each_once)
{
	static const char *const ignored[] = {
		"x~", "x.bak", "x.sample", ".x.swp", ".hidden", "x.dpkg-old", "x.rpmnew"};
	struct hook_list l;
	char name[64];

	script("shipped/build/20-b", 0755);
	script("shipped/build/10-a", 0755);
	script("etc/build/10-a", 0755);
	script("etc/build/30-c", 0644);
	script("etc/build/15_wrong", 0755);
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
		(void)snprintf(name, sizeof(name), "etc/build/%s", ignored[i]);
		script(name, 0644);
	}
	ck_assert_int_eq(hook_find_all(folders, "build", &l, NULL), 0);
	ck_assert_uint_eq(l.n, 4);
	ck_assert_str_eq(l.files[0].path, scratch_path("etc/build/10-a"));
	ck_assert_ptr_null(l.files[0].problem);
	ck_assert_ptr_nonnull(strstr(l.files[1].problem, "15_wrong"));
	ck_assert_str_eq(l.files[2].path, scratch_path("shipped/build/20-b"));
	ck_assert_ptr_nonnull(strstr(l.files[3].problem, "chmod +x"));
	hook_list_done(&l);
	ck_assert_int_eq(hook_find_all(folders, "pre-start", &l, NULL), 0);
	ck_assert_uint_eq(l.n, 0);
	hook_list_done(&l);
}
END_TEST

START_TEST(a_folder_with_too_much_is_refused)
{
	struct hook_list l;
	struct err e = {""};
	char name[64];

	for (int i = 0; i <= HOOK_LIST_MAX; i++) {
		(void)snprintf(name, sizeof(name), "etc/build/%d", i);
		script(name, 0755);
	}
	ck_assert_int_eq(hook_find_all(folders, "build", &l, &e), -E2BIG);
	ck_assert_ptr_nonnull(strstr(e.msg, "etc/build"));
}
END_TEST

START_TEST(the_end_of_a_hook_means_what_the_contract_says)
{
	ck_assert_int_eq(hook_judge(0, false), HOOK_DONE);
	ck_assert_int_eq(hook_judge(0, true), HOOK_FAILED);
	ck_assert_int_eq(hook_judge(77 << 8, false), HOOK_SKIP);
	ck_assert_int_eq(hook_judge(75 << 8, false), HOOK_AGAIN);
	ck_assert_int_eq(hook_judge(1 << 8, false), HOOK_FAILED);
	ck_assert_int_eq(hook_judge(127 << 8, false), HOOK_FAILED);
	ck_assert_int_eq(hook_judge(SIGKILL, false), HOOK_FAILED);
	ck_assert_int_eq(hook_judge(75, false), HOOK_FAILED); /* a signal of that number */
}
END_TEST

START_TEST(stages_have_what_the_machine_needs)
{
	for (const struct hook_stage *s = hook_stages; s->name; s++) {
		ck_assert_ptr_eq(hook_stage_find(s->name), s); /* each once */
		ck_assert_int_gt(s->deadline_ms, 0);
		ck_assert(s->results && s->doc && *s->doc);
		if (s->role != HOOK_DRIVER)
			ck_assert_str_eq(s->results, "");
		ck_assert(deploy_state_is_end(s->state) == (s->role == HOOK_OBSERVER));
	}
	ck_assert_ptr_null(hook_stage_find("bui"));
	ck_assert_ptr_null(hook_stage_find(""));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hook_find");
	TCase *c = tcase_create("hook_find");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, make_folders, remove_folders);
	tcase_add_test(c, the_shipped_one_serves);
	tcase_add_test(c, one_of_ones_own_wins);
	tcase_add_test(c, one_of_ones_own_that_is_wrong_does_not_let_the_shipped_one_run);
	tcase_add_test(c, nothing_is_no_problem);
	tcase_add_test(c, what_others_can_change_is_not_run);
	tcase_add_test(c, what_belongs_to_another_user_is_not_run);
	tcase_add_test(c, a_link_within_the_folder_is_followed);
	tcase_add_test(c, a_link_out_of_the_folder_is_not);
	tcase_add_test(c, a_link_through_a_folder_others_can_write_into_is_not);
	tcase_add_test(c, what_is_no_file_is_not_run_nor_waited_for);
	tcase_add_test(c, what_the_kernel_would_not_start_is_explained);
	tcase_add_test(c, names_are_plain);
	tcase_add_test(c, all_of_a_gate_run_by_name_each_once);
	tcase_add_test(c, a_folder_with_too_much_is_refused);
	tcase_add_test(c, the_end_of_a_hook_means_what_the_contract_says);
	tcase_add_test(c, stages_have_what_the_machine_needs);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
