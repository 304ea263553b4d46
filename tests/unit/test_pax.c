/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/pax.h"

#include <errno.h>

#include "backup/files_archive.h"
#include "backup/format.h"
#include "scratch.h"

static struct err e;
static struct buf archive;

static void on_warning(void *user, const char *text)
{
	(void)user;
	(void)text;
}

static void make(void)
{
	static char bytes[3000];
	struct files_walk_options o = {.warn = on_warning};
	struct source *s = NULL;
	char piece[5000];
	ssize_t n;

	scratch_make();
	buf_init(&archive, 1 << 20);
	ck_assert_int_eq(mkdir(scratch_path("tree"), 0755), 0);
	scratch_write("tree/file", bytes, sizeof(bytes));
	ck_assert_int_eq(symlink("file", scratch_path("tree/link")), 0);
	o.root = scratch_path("tree");
	ck_assert_int_eq(files_archive_source(&o, &s, &e), 0);
	while ((n = source_read(s, piece, sizeof(piece), &e)) > 0)
		buf_add(&archive, piece, (size_t)n);
	source_free(s);
}

static void done(void)
{
	buf_done(&archive);
	scratch_remove();
}

static int check(const char *data, size_t n, size_t piece, struct counts *counts)
{
	struct sink *s = NULL;
	int r = format_pax.checker(&s, &e);

	ck_assert_int_eq(r, 0);
	for (size_t i = 0; i < n && r == 0; i += piece)
		r = sink_write(s, data + i, n - i < piece ? n - i : piece, &e);
	if (r == 0)
		r = sink_finish(s, &e);
	if (counts)
		pax_check_counts(s, counts);
	sink_free(s);
	return r;
}

START_TEST(a_whole_archive_is_good_in_pieces_of_any_size)
{
	static const size_t pieces[] = {1, 7, 511, 512, 513, 100000};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct counts c = {0};

		ck_assert_msg(check(archive.data, archive.len, pieces[i], &c) == 0, "%s", e.msg);
		ck_assert_int_eq(counts_get(&c, "files"), 1);
		ck_assert_int_eq(counts_get(&c, "folders"), 1);
		ck_assert_int_eq(counts_get(&c, "links"), 1);
		ck_assert_int_eq(counts_get(&c, "bytes"), 3000);
	}
}
END_TEST

START_TEST(row_04_every_cut_of_an_archive_is_noticed)
{
	for (size_t n = 0; n < archive.len; n += n % 512 == 0 ? 1 : n % 512 == 511 ? 1 : 255)
		ck_assert_int_eq(check(archive.data, n, 4096, NULL), -EBADMSG);
}
END_TEST

START_TEST(a_changed_header_is_noticed)
{
	archive.data[3] ^= 1;
	ck_assert_int_eq(check(archive.data, archive.len, 4096, NULL), -EBADMSG);
	ck_assert_str_eq(
		e.msg, "this is no whole archive: the checksum of a file's header is wrong");
}
END_TEST

START_TEST(what_is_behind_the_end_must_be_empty)
{
	static const char zeroes[1024];

	buf_add(&archive, zeroes, sizeof(zeroes));
	ck_assert_int_eq(check(archive.data, archive.len, 4096, NULL), 0);
	archive.data[archive.len - 100] = 'x';
	ck_assert_int_eq(check(archive.data, archive.len, 4096, NULL), -EBADMSG);
}
END_TEST

START_TEST(something_else_is_no_archive)
{
	static char text[5000];

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(check(text, sizeof(text), 4096, NULL), -EBADMSG);
	ck_assert_int_eq(check("", 0, 4096, NULL), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pax");
	TCase *tc = tcase_create("pax");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, make, done);
	tcase_add_test(tc, a_whole_archive_is_good_in_pieces_of_any_size);
	tcase_add_test(tc, row_04_every_cut_of_an_archive_is_noticed);
	tcase_add_test(tc, a_changed_header_is_noticed);
	tcase_add_test(tc, what_is_behind_the_end_must_be_empty);
	tcase_add_test(tc, something_else_is_no_archive);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
