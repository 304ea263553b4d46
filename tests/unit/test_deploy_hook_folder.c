/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of one run of a hook: its secrets, its results.
 */
#include "agent/deploy_hook_folder.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "deploy-hooks/hook.h"
#include "tests/unit/scratch.h"

static struct deploy_hook_folder folder;
static struct buf out;
static struct err e;

static void make(void)
{
	scratch_make();
	memset(&folder, 0, sizeof(folder));
	buf_init(&out, HOOK_OUTPUT_MAX);
}

static void drop(void)
{
	deploy_hook_folder_remove(&folder);
	buf_done(&out);
	scratch_remove();
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

START_TEST(secrets_are_files_in_memory_for_its_eyes_only)
{
	const struct deploy_secret secrets[] = {{"token", "s3cret"}, {"deploy_key.pem", "a\nb\n"}};
	char path[600], text[16] = "";
	struct statfs fs;
	FILE *f;

	ck_assert_int_eq(deploy_hook_folder_make(scratch_path("run"), secrets, 2, &folder, &e), 0);
	ck_assert_int_eq(statfs(folder.path, &fs), 0);
	ck_assert(folder.is_on_disk || fs.f_type == TMPFS_MAGIC);
	ck_assert_int_eq(mode_of(folder.path), 0700);
	ck_assert_int_eq(mode_of(folder.credentials), 0700);
	ck_assert_int_eq(mode_of(folder.output), 0600);
	(void)snprintf(path, sizeof(path), "%s/token", folder.credentials);
	ck_assert_int_eq(mode_of(path), 0400);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fread(text, 1, sizeof(text), f), 6);
	ck_assert_str_eq(text, "s3cret");
	ck_assert_int_eq(fclose(f), 0);
	(void)snprintf(path, sizeof(path), "%s", folder.path);
	deploy_hook_folder_remove(&folder);
	ck_assert_int_lt(access(path, F_OK), 0);
	ck_assert_ptr_null(folder.path);
	deploy_hook_folder_remove(&folder);
}
END_TEST

START_TEST(without_secrets_it_is_where_one_said)
{
	ck_assert_int_eq(deploy_hook_folder_make(scratch_path("run"), NULL, 0, &folder, &e), 0);
	ck_assert_ptr_null(folder.credentials);
	ck_assert_ptr_nonnull(strstr(folder.path, "/run/agent-hook-"));
	ck_assert_int_eq(deploy_hook_folder_results(&folder, &out, &e), 0);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(names_and_sizes_of_secrets_have_bounds)
{
	static const char *const bad[] = {
		"", ".", "..", "../x", "a/b", ".hidden", "-x", "a b", "ü"};
	static char huge[DEPLOY_SECRET_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct deploy_secret s = {bad[i], "value"};

		ck_assert_int_eq(
			deploy_hook_folder_make(scratch_path("run"), &s, 1, &folder, &e), -EINVAL);
		ck_assert_ptr_null(folder.path);
	}
	memset(huge, 'x', sizeof(huge) - 1);
	ck_assert_int_eq(deploy_hook_folder_make(scratch_path("run"),
				 &(struct deploy_secret){"a", huge}, 1, &folder, &e),
		-EFBIG);
}
END_TEST

static void expect_bad_results(void)
{
	buf_clear(&out);
	ck_assert_int_eq(deploy_hook_folder_results(&folder, &out, &e), -EBADMSG);
}

START_TEST(what_a_hook_puts_in_place_of_its_results_is_not_followed)
{
	ck_assert_int_eq(deploy_hook_folder_make(scratch_path("run"), NULL, 0, &folder, &e), 0);
	ck_assert_int_eq(truncate(folder.output, HOOK_OUTPUT_MAX), 0);
	ck_assert_int_eq(deploy_hook_folder_results(&folder, &out, &e), 0);
	ck_assert_uint_eq(out.len, HOOK_OUTPUT_MAX);
	ck_assert_int_eq(truncate(folder.output, HOOK_OUTPUT_MAX + 1), 0);
	expect_bad_results();
	ck_assert_int_eq(unlink(folder.output), 0);
	expect_bad_results();
	ck_assert_int_eq(symlink("/etc/passwd", folder.output), 0);
	expect_bad_results();
	ck_assert_int_eq(unlink(folder.output), 0);
	ck_assert_int_eq(mkfifo(folder.output, 0600), 0);
	expect_bad_results();
	ck_assert_int_eq(unlink(folder.output), 0);
	ck_assert_int_eq(mkdir(folder.output, 0700), 0);
	expect_bad_results();
}
END_TEST

START_TEST(what_a_hook_leaves_in_it_goes_and_what_it_links_to_stays)
{
	char path[700];

	scratch_write("kept", "x", 1);
	ck_assert_int_eq(deploy_hook_folder_make(scratch_path("run"), NULL, 0, &folder, &e), 0);
	(void)snprintf(path, sizeof(path), "%s/deep", folder.path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/deep/link", folder.path);
	ck_assert_int_eq(symlink(scratch, path), 0);
	deploy_hook_folder_remove(&folder);
	ck_assert(scratch_has("kept"));
	ck_assert_int_eq(rmdir(scratch_path("run")), 0);
}
END_TEST

static int seen;

static bool see(void *user, const char *path)
{
	ck_assert_ptr_nonnull(strstr(path, "/agent-hook-"));
	seen++;
	return *(bool *)user;
}

START_TEST(what_an_agent_left_behind_is_swept)
{
	bool remove = false;

	ck_assert_int_eq(
		mkdir(scratch_path("agent-hook-999999999-abcdef"), 0700), 0); /* no such pid */
	ck_assert_int_eq(mkdir(scratch_path("agent-hook-1-abcdef"), 0700), 0); /* lives */
	ck_assert_int_eq(mkdir(scratch_path("agent-hook-x"), 0700), 0);
	ck_assert_int_eq(mkdir(scratch_path("other-999999999-abcdef"), 0700), 0);
	scratch_write("agent-hook-999999999-abcdef/output", "x", 1);
	deploy_hook_folder_sweep(scratch, see, &remove);
	ck_assert_int_eq(seen, 1);
	ck_assert(scratch_has("agent-hook-999999999-abcdef"));
	remove = true;
	deploy_hook_folder_sweep(scratch, see, &remove);
	ck_assert(!scratch_has("agent-hook-999999999-abcdef"));
	ck_assert(scratch_has("agent-hook-1-abcdef"));
	ck_assert(scratch_has("agent-hook-x"));
	ck_assert(scratch_has("other-999999999-abcdef"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_hook_folder");
	TCase *c = tcase_create("deploy_hook_folder");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, make, drop);
	tcase_add_test(c, secrets_are_files_in_memory_for_its_eyes_only);
	tcase_add_test(c, without_secrets_it_is_where_one_said);
	tcase_add_test(c, names_and_sizes_of_secrets_have_bounds);
	tcase_add_test(c, what_a_hook_puts_in_place_of_its_results_is_not_followed);
	tcase_add_test(c, what_a_hook_leaves_in_it_goes_and_what_it_links_to_stays);
	tcase_add_test(c, what_an_agent_left_behind_is_swept);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
