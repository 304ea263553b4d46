/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "tests/unit/scratch.h"
#include "tests/unit/small_disk.h"

START_TEST(a_file_is_read_whole)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100000);
	static char data[50000];
	struct err e = {""};

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	scratch_write("f", data, sizeof(data));
	buf_adds(&b, "what was there before");
	ck_assert_int_eq(fs_read(AT_FDCWD, scratch_path("f"), &b, &e), 0);
	ck_assert_uint_eq(b.len, sizeof(data));
	ck_assert_mem_eq(b.data, data, sizeof(data));
}
END_TEST

START_TEST(an_empty_file_is_read)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(10);
	struct err e = {""};

	scratch_write("f", "", 0);
	ck_assert_int_eq(fs_read(AT_FDCWD, scratch_path("f"), &b, &e), 0);
	ck_assert_str_eq(buf_str(&b), "");
}
END_TEST

START_TEST(the_bound_of_a_read_holds)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(5000);
	static char data[5001];
	struct err e = {""};

	scratch_write("f", data, 5000);
	ck_assert_int_eq(fs_read(AT_FDCWD, scratch_path("f"), &b, &e), 0);
	scratch_write("f", data, 5001);
	ck_assert_int_eq(fs_read(AT_FDCWD, scratch_path("f"), &b, &e), -EFBIG);
	ck_assert_ptr_nonnull(strstr(e.msg, "5000 bytes"));
}
END_TEST

START_TEST(a_file_of_unknown_size_is_read)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100000);
	struct err e = {""};

	ck_assert_int_eq(fs_read(AT_FDCWD, "/proc/self/stat", &b, &e), 0);
	ck_assert_uint_gt(b.len, 20);
}
END_TEST

START_TEST(a_read_that_fails_names_the_file)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct err e = {""};

	ck_assert_int_eq(fs_read(AT_FDCWD, scratch_path("none"), &b, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "none: No such file"));
	ck_assert_int_eq(fs_read(AT_FDCWD, scratch, &b, &e), -EISDIR);
}
END_TEST

START_TEST(paths_are_relative_to_the_folder_given)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct err e = {""};
	_cleanup_(close_p) int dir = fs_open_dir(AT_FDCWD, scratch, &e);

	ck_assert_int_ge(dir, 0);
	ck_assert_int_eq(fs_write_atomic(dir, "f", "text", 4, 0600, &e), 0);
	ck_assert_int_eq(fs_read(dir, "f", &b, &e), 0);
	ck_assert_str_eq(buf_str(&b), "text");
	ck_assert_int_eq(fs_open_dir(dir, "f", &e), -ENOTDIR);
	ck_assert_int_eq(fs_open_dir(dir, "none", &e), -ENOENT);
}
END_TEST

START_TEST(a_file_is_replaced_as_a_whole)
{
	char text[100] = "";
	struct err e = {""};
	struct stat st;
	mode_t mask = umask(0077);

	scratch_write("f", "a longer text than the new one", 30);
	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, scratch_path("f"), "new", 3, 0644, &e), 0);
	(void)umask(mask);
	ck_assert_uint_eq(scratch_read("f", text, sizeof(text)), 3);
	ck_assert_str_eq(text, "new");
	ck_assert_int_eq(stat(scratch_path("f"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0644); /* whatever the umask is */
	ck_assert(!scratch_has("f.new"));
}
END_TEST

START_TEST(what_a_crash_left_aside_is_no_obstacle)
{
	char text[100] = "";
	struct err e = {""};

	scratch_write("f.new", "half", 4);
	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, scratch_path("f"), "new", 3, 0600, &e), 0);
	ck_assert_uint_eq(scratch_read("f", text, sizeof(text)), 3);
	ck_assert(!scratch_has("f.new"));
}
END_TEST

START_TEST(a_link_left_aside_is_not_followed)
{
	char text[100] = "";
	struct err e = {""};

	scratch_write("victim", "precious", 8);
	ck_assert_int_eq(symlink(scratch_path("victim"), scratch_path("f.new")), 0);
	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, scratch_path("f"), "new", 3, 0600, &e), 0);
	ck_assert_uint_eq(scratch_read("victim", text, sizeof(text)), 8);
}
END_TEST

START_TEST(a_write_that_fails_names_the_file_and_leaves_nothing)
{
	struct err e = {""};

	ck_assert_int_eq(
		fs_write_atomic(AT_FDCWD, scratch_path("no/f"), "x", 1, 0600, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "no/f"));
	ck_assert_int_eq(mkdir(scratch_path("d"), 0700), 0);
	ck_assert_int_lt(fs_write_atomic(AT_FDCWD, scratch_path("d"), "x", 1, 0600, &e), 0);
	ck_assert(!scratch_has("d.new"));
}
END_TEST

static void on_full_disk(void)
{
	static char data[100000];
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct err e = {""};

	EXPECT(fs_write_atomic(AT_FDCWD, scratch_path("f"), "old", 3, 0600, &e) == 0);
	fill_disk("ballast");
	EXPECT(fs_write_atomic(AT_FDCWD, scratch_path("f"), data, sizeof(data), 0600, &e) ==
		-ENOSPC);
	EXPECT(strstr(e.msg, "f.new") && strstr(e.msg, "No space left"));
	EXPECT(fs_read(AT_FDCWD, scratch_path("f"), &b, &e) == 0);
	EXPECT(strcmp(buf_str(&b), "old") == 0);
	EXPECT(!scratch_has("f.new"));
}

START_TEST(a_full_disk_leaves_the_old_file)
{
	with_small_disk("size=200k", on_full_disk);
}
END_TEST

static void on_read_only_disk(void)
{
	struct err e = {""};

	EXPECT(fs_mkdirs(scratch_path("a/b"), 0755, &e) == 0);
	make_read_only();
	EXPECT(fs_mkdirs(scratch_path("a/b"), 0755, &e) == 0); /* it is there */
	EXPECT(fs_mkdirs(scratch_path("a/c"), 0755, &e) == -EROFS);
	EXPECT(strstr(e.msg, "a/c: Read-only file system"));
	EXPECT(fs_write_atomic(AT_FDCWD, scratch_path("f"), "x", 1, 0600, &e) == -EROFS);
}

START_TEST(a_read_only_disk_is_said_so)
{
	with_small_disk("size=200k", on_read_only_disk);
}
END_TEST

START_TEST(folders_are_made_with_all_above_them)
{
	struct err e = {""};
	struct stat st;

	ck_assert_int_eq(fs_mkdirs(scratch_path("a//b/c/"), 0700, &e), 0);
	ck_assert_int_eq(stat(scratch_path("a/b/c"), &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(fs_mkdirs(scratch_path("a/b/c"), 0700, &e), 0);
	ck_assert_int_eq(fs_mkdirs("/", 0700, &e), 0);
	ck_assert_int_eq(fs_mkdirs("/tmp", 0700, &e), 0);
	ck_assert_int_eq(symlink(scratch_path("a"), scratch_path("link")), 0);
	ck_assert_int_eq(fs_mkdirs(scratch_path("link/d"), 0700, &e), 0);
	ck_assert_int_eq(fs_mkdirs(scratch_path("link"), 0700, &e), 0);
}
END_TEST

START_TEST(a_file_in_place_of_a_folder_is_an_error)
{
	struct err e = {""};

	scratch_write("f", "", 0);
	ck_assert_int_eq(fs_mkdirs(scratch_path("f"), 0700, &e), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(e.msg, "/f: Not a directory"));
	ck_assert_int_eq(fs_mkdirs(scratch_path("f/g"), 0700, &e), -ENOTDIR);
	ck_assert_int_lt(fs_mkdirs("", 0700, &e), 0);
}
END_TEST

struct names {
	int n, stop_at;
	char last[300];
};

static int on_name(void *user, int dirfd, const char *name)
{
	struct names *x = user;
	struct stat st;

	ck_assert_int_eq(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_str_ne(name, ".");
	ck_assert_str_ne(name, "..");
	(void)snprintf(x->last, sizeof(x->last), "%s", name);
	return ++x->n == x->stop_at ? 77 : 0;
}

START_TEST(names_in_a_folder_are_listed)
{
	struct names all = {0}, some = {.stop_at = 2};
	struct err e = {""};

	scratch_write(".hidden", "", 0);
	scratch_write("a b", "", 0);
	scratch_write("c", "", 0);
	ck_assert_int_eq(fs_list(AT_FDCWD, scratch, on_name, &all, &e), 0);
	ck_assert_int_eq(all.n, 3);
	ck_assert_int_eq(fs_list(AT_FDCWD, scratch, on_name, &some, &e), 77);
	ck_assert_int_eq(some.n, 2);
	ck_assert_int_eq(fs_list(AT_FDCWD, scratch_path("none"), on_name, &all, &e), -ENOENT);
	ck_assert_int_eq(fs_list(AT_FDCWD, scratch_path("c"), on_name, &all, &e), -ENOTDIR);
}
END_TEST

START_TEST(a_secret_others_can_read_is_refused)
{
	static const struct {
		mode_t mode;
		bool good;
	} cases[] = {{0600, true}, {0400, true}, {0640, true}, {0660, false}, {0644, false},
		{0604, false}, {0602, false}, {0601, false}, {0666, false}};
	struct err e = {""};

	scratch_write("s", "secret", 6);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool good = cases[i].good && (cases[i].mode != 0640 || geteuid() == 0);

		ck_assert_int_eq(chmod(scratch_path("s"), cases[i].mode), 0);
		ck_assert_msg(
			fs_check_secret(AT_FDCWD, scratch_path("s"), &e) == (good ? 0 : -EPERM),
			"mode %o", (unsigned)cases[i].mode);
	}
	ck_assert_ptr_nonnull(strstr(e.msg, "chmod 600"));
	ck_assert_int_eq(fs_check_secret(AT_FDCWD, scratch, &e), -EPERM);
	ck_assert_int_eq(fs_check_secret(AT_FDCWD, scratch_path("none"), &e), -ENOENT);
}
END_TEST

START_TEST(a_secret_of_an_ordinary_user_is_not_for_the_group)
{
	struct err e = {""};

	if (geteuid() != 0) {
		(void)printf("skipped: a secrets file of another user: needs root\n");
		return;
	}
	scratch_write("s", "secret", 6);
	ck_assert_int_eq(chown(scratch_path("s"), 12345, 12345), 0);
	ck_assert_int_eq(chmod(scratch_path("s"), 0640), 0);
	ck_assert_int_eq(fs_check_secret(AT_FDCWD, scratch_path("s"), &e), -EPERM);
	ck_assert_int_eq(chmod(scratch_path("s"), 0600), 0);
	ck_assert_int_eq(fs_check_secret(AT_FDCWD, scratch_path("s"), &e), 0);
}
END_TEST

static void check_absolute(const char *path, const char *want)
{
	_cleanup_(free_p) char *got = fs_absolute(path);

	ck_assert_str_eq(got, want);
}

START_TEST(a_path_is_told_from_the_root)
{
	ck_assert_int_eq(chdir("/usr/bin"), 0);
	check_absolute("./var/backups", "/usr/bin/var/backups");
	check_absolute("var/./a//b/.", "/usr/bin/var/a/b");
	check_absolute(".", "/usr/bin");
	check_absolute("", "/usr/bin/");
	check_absolute("/srv//./x", "/srv/x");
	check_absolute("/", "/");
	check_absolute("/.", "/");
	/* What these mean is for the file system to say. */
	check_absolute("../.hidden/..", "/usr/bin/../.hidden/..");
	check_absolute("folder/", "/usr/bin/folder/");
}
END_TEST

static Suite *fs_suite(void)
{
	Suite *s = suite_create("fs");
	TCase *tc = tcase_create("fs");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, a_file_is_read_whole);
	tcase_add_test(tc, an_empty_file_is_read);
	tcase_add_test(tc, the_bound_of_a_read_holds);
	tcase_add_test(tc, a_file_of_unknown_size_is_read);
	tcase_add_test(tc, a_read_that_fails_names_the_file);
	tcase_add_test(tc, paths_are_relative_to_the_folder_given);
	tcase_add_test(tc, a_file_is_replaced_as_a_whole);
	tcase_add_test(tc, what_a_crash_left_aside_is_no_obstacle);
	tcase_add_test(tc, a_link_left_aside_is_not_followed);
	tcase_add_test(tc, a_write_that_fails_names_the_file_and_leaves_nothing);
	tcase_add_test(tc, a_full_disk_leaves_the_old_file);
	tcase_add_test(tc, a_read_only_disk_is_said_so);
	tcase_add_test(tc, folders_are_made_with_all_above_them);
	tcase_add_test(tc, a_file_in_place_of_a_folder_is_an_error);
	tcase_add_test(tc, names_in_a_folder_are_listed);
	tcase_add_test(tc, a_path_is_told_from_the_root);
	tcase_add_test(tc, a_secret_others_can_read_is_refused);
	tcase_add_test(tc, a_secret_of_an_ordinary_user_is_not_for_the_group);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(fs_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
