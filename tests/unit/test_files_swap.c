/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/files_swap.h"

#include <dirent.h>
#include <errno.h>
#include <sys/mount.h>

#include "scratch.h"

static struct err e;

static struct files_swap *begin(const char *name)
{
	struct files_swap *s = NULL;

	ck_assert_msg(files_swap_begin(scratch_path(name), &s, &e) == 0, "%s", e.msg);
	return s;
}

/* A file in the folder aside. */
static void put(const struct files_swap *s, const char *name, const char *text)
{
	char path[600];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", files_swap_folder(s), name);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static size_t entries(const char *name)
{
	DIR *d = opendir(scratch_path(name));
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n - 2;
}

static void make_old(void)
{
	ck_assert_int_eq(mkdir(scratch_path("top"), 0755), 0);
	scratch_write("top/old", "1", 1);
	ck_assert_int_eq(mkdir(scratch_path("top/sub"), 0755), 0);
	scratch_write("top/sub/old", "2", 1);
}

START_TEST(a_folder_is_replaced_at_once_and_whole)
{
	struct files_swap *s;

	make_old();
	s = begin("top");
	put(s, "new", "3");
	ck_assert(scratch_has("top/old"));
	ck_assert_msg(files_swap_commit(s, &e) == 0, "%s", e.msg);
	ck_assert(scratch_has("top/new"));
	ck_assert_uint_eq(entries("top"), 1);
	ck_assert_uint_eq(entries("."), 1);
}
END_TEST

START_TEST(one_that_is_not_there_is_made)
{
	struct files_swap *s = begin("fresh");

	put(s, "new", "3");
	ck_assert(!scratch_has("fresh"));
	ck_assert_int_eq(files_swap_commit(s, &e), 0);
	ck_assert_uint_eq(entries("fresh"), 1);
}
END_TEST

START_TEST(a_restore_that_failed_leaves_what_was)
{
	struct files_swap *s;

	make_old();
	s = begin("top");
	put(s, "half", "3");
	files_swap_abort(s);
	ck_assert(scratch_has("top/old"));
	ck_assert(scratch_has("top/sub/old"));
	ck_assert_uint_eq(entries("top"), 2);
	ck_assert_uint_eq(entries("."), 1);
}
END_TEST

START_TEST(what_a_killed_restore_left_goes_with_the_next)
{
	struct files_swap *s;

	make_old();
	ck_assert_int_eq(mkdir(scratch_path("top" FILES_SWAP_MARK "abcdef"), 0700), 0);
	scratch_write("top" FILES_SWAP_MARK "abcdef/half", "x", 1);
	ck_assert_int_eq(mkdir(scratch_path("other" FILES_SWAP_MARK "abcdef"), 0700), 0);
	s = begin("top");
	ck_assert(!scratch_has("top" FILES_SWAP_MARK "abcdef"));
	ck_assert(scratch_has("other" FILES_SWAP_MARK "abcdef"));
	files_swap_abort(s);
}
END_TEST

START_TEST(contents_of_a_mount_point_are_replaced)
{
	struct files_swap *s;

	ck_assert_int_eq(mkdir(scratch_path("top"), 0755), 0);
	if (mount("none", scratch_path("top"), "tmpfs", 0, "size=1m") < 0) {
		printf("skipped: a mount needs root\n");
		return;
	}
	scratch_write("top/old", "1", 1);
	scratch_write("top/both", "1", 1);
	s = begin("top");
	put(s, "both", "22");
	put(s, "new", "3");
	ck_assert_int_eq(chmod(files_swap_folder(s), 0711), 0);
	ck_assert_msg(files_swap_commit(s, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(entries("top"), 2);
	{
		struct stat st;

		ck_assert_int_eq(stat(scratch_path("top/both"), &st), 0);
		ck_assert_int_eq(st.st_size, 2);
		ck_assert_int_eq(stat(scratch_path("top"), &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0711);
	}
	ck_assert_int_eq(umount(scratch_path("top")), 0);
}
END_TEST

START_TEST(contents_of_a_mount_within_the_same_filesystem_are_replaced)
{
	struct files_swap *s;

	make_old();
	ck_assert_int_eq(mkdir(scratch_path("real"), 0755), 0);
	if (mount(scratch_path("real"), scratch_path("top"), "none", MS_BIND, NULL) < 0) {
		printf("skipped: a mount needs root\n");
		return;
	}
	scratch_write("top/mounted", "1", 1);
	s = begin("top");
	put(s, "new", "3");
	ck_assert_msg(files_swap_commit(s, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(umount(scratch_path("top")), 0);
	ck_assert(scratch_has("real/new"));
	ck_assert_uint_eq(entries("real"), 1);
	ck_assert(scratch_has("top/old")); /* what the mount hid */
}
END_TEST

START_TEST(what_cannot_be_replaced_is_refused)
{
	struct files_swap *s = NULL;

	scratch_write("file", "x", 1);
	ck_assert_int_eq(files_swap_begin(scratch_path("file"), &s, &e), -ENOTDIR);
	ck_assert_int_eq(files_swap_begin(scratch_path("none/x"), &s, &e), -ENOENT);
	ck_assert_int_eq(files_swap_begin("/", &s, &e), -EINVAL);
	ck_assert_int_eq(files_swap_begin("relative", &s, &e), -EINVAL);
	/* Through a link it would be another folder than the one that was named. */
	ck_assert_int_eq(symlink("/tmp", scratch_path("link")), 0);
	ck_assert_int_eq(files_swap_begin(scratch_path("link"), &s, &e), -ENOTDIR);
}
END_TEST

START_TEST(a_tree_of_any_depth_is_removed)
{
	int fd, levels = under_valgrind() ? 300 : 3000;

	ck_assert_int_eq(mkdir(scratch_path("deep"), 0755), 0);
	fd = open(scratch_path("deep"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < levels; i++) {
		int next;

		ck_assert_int_eq(mkdirat(fd, "folder", 0755), 0);
		ck_assert_int_eq(symlinkat("/", fd, "link"), 0);
		next = openat(fd, "folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		(void)close(fd);
		fd = next;
	}
	(void)close(fd);
	ck_assert_int_eq(chmod(scratch_path("deep"), 0), 0);
	ck_assert_msg(files_remove_tree(AT_FDCWD, scratch_path("deep"), &e) == 0, "%s", e.msg);
	ck_assert(!scratch_has("deep"));
	ck_assert_int_eq(files_remove_tree(AT_FDCWD, scratch_path("deep"), &e), 0);
}
END_TEST

START_TEST(a_link_is_removed_and_not_followed)
{
	make_old();
	ck_assert_int_eq(mkdir(scratch_path("gone"), 0755), 0);
	ck_assert_int_eq(symlink(scratch_path("top"), scratch_path("gone/link")), 0);
	ck_assert_int_eq(files_remove_tree(AT_FDCWD, scratch_path("gone"), &e), 0);
	ck_assert(scratch_has("top/sub/old"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("files_swap");
	TCase *tc = tcase_create("files_swap");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_folder_is_replaced_at_once_and_whole);
	tcase_add_test(tc, one_that_is_not_there_is_made);
	tcase_add_test(tc, a_restore_that_failed_leaves_what_was);
	tcase_add_test(tc, what_a_killed_restore_left_goes_with_the_next);
	tcase_add_test(tc, contents_of_a_mount_point_are_replaced);
	tcase_add_test(tc, contents_of_a_mount_within_the_same_filesystem_are_replaced);
	tcase_add_test(tc, what_cannot_be_replaced_is_refused);
	tcase_add_test(tc, a_tree_of_any_depth_is_removed);
	tcase_add_test(tc, a_link_is_removed_and_not_followed);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
