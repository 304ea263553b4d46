/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/mongo_archive.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "backup/crc.h"
#include "tests/unit/format_case.h"

/* Made by mongodump itself: two collections and an oplog. Out of the tests of the MongoDB Database Tools (Apache-2.0). */
#define ARCHIVE "tests/fixtures/backup/mongodump-oplog.archive"

static struct err e;
static unsigned char archive[8192];
static size_t size;

static void read_archive(void)
{
	size = format_read(ARCHIVE, archive, sizeof(archive));
	ck_assert_uint_eq(size, 4506);
}

static int check(const void *data, size_t n, size_t piece)
{
	return format_check(&format_mongo_archive, data, n, piece, &e);
}

START_TEST(an_archive_is_good_in_pieces_of_any_size)
{
	for (size_t piece = 1; piece < 300; piece += 7)
		ck_assert_msg(check(archive, size, piece) == 0, "%s", e.msg);
}
END_TEST

START_TEST(what_is_in_it_is_counted)
{
	struct mongo_archive *a = mongo_archive_new();

	ck_assert(!mongo_archive_is_announced(a));
	ck_assert_int_eq(sink_write(mongo_archive_sink(a), archive, size, &e), 0);
	ck_assert(mongo_archive_is_announced(a));
	ck_assert(mongo_archive_has_oplog(a));
	ck_assert_int_eq(mongo_archive_collections(a), 2);
	ck_assert_int_eq(mongo_archive_documents(a), 44);
	sink_free(mongo_archive_sink(a));
}
END_TEST

START_TEST(row_04_a_dump_cut_anywhere_is_bad)
{
	for (size_t n = 0; n < size; n++)
		ck_assert_msg(check(archive, n, 4096) == -EBADMSG, "cut at %zu", n);
}
END_TEST

START_TEST(more_behind_the_end_is_bad)
{
	memset(archive + size, 0, 4);
	for (size_t more = 1; more <= 4; more++)
		ck_assert_int_eq(check(archive, size + more, 4096), -EBADMSG);
	memset(archive + size, 0xff, 4);
	ck_assert_int_eq(check(archive, size + 4, 4096), -EBADMSG);
}
END_TEST

/* Between the end of the list of collections and the end, only the names in headers have no sum. */
START_TEST(row_05_documents_that_changed_are_noticed)
{
	static const char needle[] = "_id";
	size_t found = 0;

	for (size_t i = 0; i + sizeof(needle) < size; i++) {
		if (memcmp(archive + i, needle, sizeof(needle)) != 0)
			continue;
		/* The value behind the name of the element. */
		archive[i + sizeof(needle)] ^= 1;
		if (check(archive, size, 512) == -EBADMSG && strstr(e.msg, "check sum"))
			found++;
		archive[i + sizeof(needle)] ^= 1;
	}
	ck_assert_uint_gt(found, 0);
}
END_TEST

START_TEST(something_else_is_named_so)
{
	ck_assert_int_eq(check("PGDMP\1\16\0", 8, 8), -EBADMSG);
	ck_assert(strstr(e.msg, "no archive of mongodump"));
	ck_assert_int_eq(check("", 0, 1), -EBADMSG);
}
END_TEST

/* A length that would fill the memory. */
START_TEST(lengths_are_bounded)
{
	static const unsigned char large[] = {0x6d, 0xe2, 0x99, 0x81, 0xff, 0xff, 0xff, 0x7f, 0};
	static const unsigned char small[] = {0x6d, 0xe2, 0x99, 0x81, 4, 0, 0, 0, 0};

	ck_assert_int_eq(check(large, sizeof(large), 1), -EBADMSG);
	ck_assert_int_eq(check(small, sizeof(small), 1), -EBADMSG);
}
END_TEST

/* The catalogue's value for CRC-64/XZ. */
START_TEST(the_sum_is_that_of_ecma_182)
{
	struct crc_table t;

	crc_table_init(&t, CRC64_ECMA);
	ck_assert_uint_eq(
		~crc_update(&t, UINT64_MAX, "123456789", 9), UINT64_C(0x995dc9bbdf1939fa));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mongo_archive");
	TCase *tc = tcase_create("archive");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, read_archive, NULL);
	tcase_add_test(tc, an_archive_is_good_in_pieces_of_any_size);
	tcase_add_test(tc, what_is_in_it_is_counted);
	tcase_add_test(tc, row_04_a_dump_cut_anywhere_is_bad);
	tcase_add_test(tc, more_behind_the_end_is_bad);
	tcase_add_test(tc, row_05_documents_that_changed_are_noticed);
	tcase_add_test(tc, something_else_is_named_so);
	tcase_add_test(tc, lengths_are_bounded);
	tcase_add_test(tc, the_sum_is_that_of_ecma_182);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
