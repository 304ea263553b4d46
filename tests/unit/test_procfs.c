/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/procfs.h"

static char folder[64];
static int dir = -1;

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_procfs.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
}

static void teardown(void)
{
	(void)unlinkat(dir, "f", 0);
	(void)close(dir);
	(void)rmdir(folder);
}

static void put(const char *text)
{
	int fd = openat(dir, "f", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(a_file_is_read_whole_or_not_at_all)
{
	char text[8];
	struct err e;

	put("1234567");
	ck_assert_int_eq(proc_read(dir, "f", text, sizeof(text), &e), 7);
	ck_assert_str_eq(text, "1234567");
	put("12345678");
	ck_assert_int_eq(proc_read(dir, "f", text, sizeof(text), &e), -EFBIG);
	put("");
	ck_assert_int_eq(proc_read(dir, "f", text, sizeof(text), &e), 0);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(messages_name_the_file_in_full)
{
	char text[8], want[100];
	uint64_t v = 7;
	struct err e;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(proc_read(dir, "f", text, sizeof(text), &e), -ENOENT);
	(void)snprintf(want, sizeof(want), "%s/f: No such file or directory", folder);
	ck_assert_str_eq(e.msg, want);
	ck_assert_int_eq(proc_read(proc, "nothing", text, sizeof(text), &e), -ENOENT);
	ck_assert_str_eq(e.msg, "/proc/nothing: No such file or directory");
	put("twelve\n");
	ck_assert_int_eq(proc_read_u64(dir, "f", &v, &e), -EINVAL);
	(void)snprintf(want, sizeof(want), "%s/f: not a whole number", folder);
	ck_assert_str_eq(e.msg, want);
	ck_assert_uint_eq(v, 7);
	ck_assert_int_eq(proc_read_u64(dir, "f", &v, NULL), -EINVAL);
	(void)close(proc);
}
END_TEST

START_TEST(a_number_file_is_read)
{
	uint64_t v;

	put("18446744073709551615\n");
	ck_assert_int_eq(proc_read_u64(dir, "f", &v, NULL), 0);
	ck_assert_uint_eq(v, UINT64_MAX);
	put("18446744073709551616\n");
	ck_assert_int_eq(proc_read_u64(dir, "f", &v, NULL), -EINVAL);
	put("12x\n");
	ck_assert_int_eq(proc_read_u64(dir, "f", &v, NULL), -EINVAL);
}
END_TEST

START_TEST(a_kept_file_shows_new_content_each_time)
{
	struct kept_file f = {0};
	char text[16];

	ck_assert_int_eq(proc_read_kept(&f, dir, "f", text, sizeof(text), NULL), -ENOENT);
	put("one");
	ck_assert_int_eq(proc_read_kept(&f, dir, "f", text, sizeof(text), NULL), 3);
	put("three");
	ck_assert_int_eq(proc_read_kept(&f, dir, "f", text, sizeof(text), NULL), 5);
	ck_assert_str_eq(text, "three");
	kept_file_close(&f);
	kept_file_close(&f);
	ck_assert_int_eq(f.fd_plus_1, 0);
}
END_TEST

START_TEST(a_kept_file_is_opened_again_when_its_descriptor_fails)
{
	struct kept_file f = {0};
	char text[16];

	put("new");
	f.fd_plus_1 = open("/tmp", O_RDONLY | O_CLOEXEC) + 1; /* reading a folder fails */
	ck_assert_int_eq(proc_read_kept(&f, dir, "f", text, sizeof(text), NULL), 3);
	ck_assert_str_eq(text, "new");
	kept_file_close(&f);
}
END_TEST

/* /proc gives a page at a time; mapping-rich files are longer than one. */
START_TEST(files_of_proc_longer_than_a_page_are_read_to_their_end)
{
	static char whole[1 << 20];
	struct kept_file f = {0};
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = proc_read_kept(&f, proc, "kallsyms", whole, 5000, NULL);

	ck_assert_int_eq(n, -EFBIG);
	n = proc_read(proc, "self/smaps", whole, sizeof(whole), NULL);
	ck_assert_int_gt(n, 4096);
	ck_assert_ptr_nonnull(strstr(whole, "[stack]"));
	(void)close(proc);
}
END_TEST

static int append(void *user, char *line)
{
	char *all = user;

	(void)snprintf(all + strlen(all), 200 - strlen(all), "%s|", line);
	return strcmp(line, "stop") == 0 ? 5 : 0;
}

static int walk(const char *text, char *all)
{
	char buf[8];
	int fd, r;

	put(text);
	all[0] = '\0';
	fd = openat(dir, "f", O_RDONLY | O_CLOEXEC);
	r = proc_each_line(fd, buf, sizeof(buf), append, all);
	(void)close(fd);
	return r;
}

START_TEST(lines_of_a_long_file_come_one_by_one)
{
	char all[200];

	ck_assert_int_eq(walk("a\nbcd\n\nefghi\nlast", all), 0);
	ck_assert_str_eq(all, "a|bcd||efghi|last|");
	ck_assert_int_eq(walk("", all), 0);
	ck_assert_str_eq(all, "");
	ck_assert_int_eq(walk("x\nstop\ny\n", all), 5);
	ck_assert_str_eq(all, "x|stop|");
	/* 7 bytes fit. */
	ck_assert_int_eq(walk("123456789012345678\nb\n1234567\nc\n12345678", all), 0);
	ck_assert_str_eq(all, "1234567|b|1234567|c|1234567|");
}
END_TEST

START_TEST(lines_and_fields_are_walked)
{
	char text[] = " a\tbb  c \n\nd";
	char *p = text, *line, *field;

	ck_assert(proc_next_line(&p, &line));
	ck_assert(proc_next_field(&line, &field));
	ck_assert_str_eq(field, "a");
	ck_assert(proc_next_field(&line, &field));
	ck_assert_str_eq(field, "bb");
	ck_assert(proc_next_field(&line, &field));
	ck_assert_str_eq(field, "c");
	ck_assert(!proc_next_field(&line, &field));
	ck_assert(proc_next_line(&p, &line));
	ck_assert_str_eq(line, "");
	ck_assert(proc_next_line(&p, &line));
	ck_assert_str_eq(line, "d");
	ck_assert(!proc_next_line(&p, &line));
}
END_TEST

START_TEST(numbers_are_taken_at_the_cursor)
{
	char text[] = " 12 8:48 99999999999999999999";
	char *p = text;
	uint64_t v;

	ck_assert(proc_next_u64(&p, &v));
	ck_assert_uint_eq(v, 12);
	ck_assert(proc_next_u64(&p, &v));
	ck_assert_uint_eq(v, 8);
	ck_assert(!proc_next_u64(&p, &v));
	ck_assert_int_eq(*p, ':');
	p++;
	ck_assert(proc_next_u64(&p, &v));
	ck_assert_uint_eq(v, 48);
	ck_assert(!proc_next_u64(&p, &v));
	ck_assert_uint_eq(v, 48);
}
END_TEST

START_TEST(decimals_are_taken_at_the_cursor)
{
	char text[] = " 0.15 1200.07 3 .5";
	char *p = text;
	double v;

	ck_assert(proc_next_decimal(&p, &v));
	ck_assert_double_eq_tol(v, 0.15, 1e-12);
	ck_assert(proc_next_decimal(&p, &v));
	ck_assert_double_eq_tol(v, 1200.07, 1e-9);
	ck_assert(proc_next_decimal(&p, &v));
	ck_assert_double_eq(v, 3);
	ck_assert(!proc_next_decimal(&p, &v));
}
END_TEST

START_TEST(the_number_behind_a_key_is_strict)
{
	uint64_t v;

	ck_assert(proc_u64(" 12", &v));
	ck_assert(proc_u64(":   24684092 kB", &v));
	ck_assert_uint_eq(v, 24684092);
	ck_assert(!proc_u64("", &v));
	ck_assert(!proc_u64(": -3", &v));
	ck_assert(!proc_u64(" 12x", &v));
	ck_assert(!proc_u64(" max", &v));
	ck_assert_uint_eq(v, 24684092);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("procfs");
	TCase *t = tcase_create("procfs");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_file_is_read_whole_or_not_at_all);
	tcase_add_test(t, messages_name_the_file_in_full);
	tcase_add_test(t, a_number_file_is_read);
	tcase_add_test(t, a_kept_file_shows_new_content_each_time);
	tcase_add_test(t, a_kept_file_is_opened_again_when_its_descriptor_fails);
	tcase_add_test(t, files_of_proc_longer_than_a_page_are_read_to_their_end);
	tcase_add_test(t, lines_of_a_long_file_come_one_by_one);
	tcase_add_test(t, lines_and_fields_are_walked);
	tcase_add_test(t, numbers_are_taken_at_the_cursor);
	tcase_add_test(t, decimals_are_taken_at_the_cursor);
	tcase_add_test(t, the_number_behind_a_key_is_strict);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
