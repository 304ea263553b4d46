/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/pg_archive.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/format_case.h"

/* pg_dump 15: tables, a view, a function, a trigger, large objects, a database with an encoding and settings of its own. */
#define DUMP "tests/fixtures/backup/pg15.pgdump"

static struct err e;
static char *dump;
static size_t dump_size;

static void read_dump(void)
{
	dump = malloc(1 << 20);
	ck_assert_ptr_nonnull(dump);
	dump_size = format_read(DUMP, dump, 1 << 20);
	ck_assert_uint_gt(dump_size, 1000);
}

static void free_dump(void)
{
	free(dump);
}

static int check(const void *data, size_t n, size_t piece)
{
	return format_check(&format_pg_custom, data, n, piece, &e);
}

START_TEST(a_dump_is_good_in_pieces_of_any_size)
{
	for (size_t piece = 1; piece < 300; piece += 7)
		ck_assert_msg(check(dump, dump_size, piece) == 0, "%s", e.msg);
}
END_TEST

/* pg_restore --list is content with half a file. */
START_TEST(row_04_a_dump_cut_anywhere_is_bad)
{
	for (size_t n = 0; n < dump_size; n++)
		ck_assert_msg(check(dump, n, 4096) == -EBADMSG, "cut at %zu of %zu", n, dump_size);
}
END_TEST

START_TEST(a_block_too_many_is_bad)
{
	char *longer = malloc(dump_size + 64);

	ck_assert_ptr_nonnull(longer);
	memcpy(longer, dump, dump_size);
	memset(longer + dump_size, 0, 64);
	longer[dump_size] = 1;
	ck_assert_int_eq(check(longer, dump_size + 64, 4096), -EBADMSG);
	longer[dump_size] = 'x';
	ck_assert_int_eq(check(longer, dump_size + 1, 4096), -EBADMSG);
	free(longer);
}
END_TEST

START_TEST(something_else_is_bad)
{
	ck_assert_int_eq(check("", 0, 1), -EBADMSG);
	ck_assert_int_eq(check("--\n-- PostgreSQL database dump\n--\n", 34, 5), -EBADMSG);
	dump[5] = 2; /* version 2.14 */
	ck_assert_int_eq(check(dump, dump_size, 4096), -EBADMSG);
}
END_TEST

/* One that does not exist yet: nothing is known about it, and pg_restore will say what it thinks. */
START_TEST(a_version_that_is_not_known_is_let_through)
{
	dump[6] = 99;
	ck_assert_int_eq(check(dump, dump_size, 4096), 0);
}
END_TEST

struct seen {
	unsigned entries, tables, blobs;
	char creation[PG_ARCHIVE_TEXT_MAX], owner[256], grant[PG_ARCHIVE_TEXT_MAX];
};

static void note(void *user, const struct pg_archive_entry *x)
{
	struct seen *s = user;

	s->entries++;
	s->tables += strcmp(x->description, "TABLE") == 0;
	s->blobs += strcmp(x->description, "BLOB") == 0;
	if (strcmp(x->description, "DATABASE") == 0)
		(void)snprintf(s->creation, sizeof(s->creation), "%s", x->definition);
	if (strcmp(x->description, "TABLE") == 0 && strcmp(x->tag, "orders") == 0)
		(void)snprintf(s->owner, sizeof(s->owner), "%s", x->owner);
	if (strcmp(x->description, "ACL") == 0 && strstr(x->tag, "orders"))
		(void)snprintf(s->grant, sizeof(s->grant), "%s", x->definition);
}

START_TEST(the_table_of_contents_is_told)
{
	struct seen s = {0};
	struct pg_archive *a = pg_archive_new(note, &s);
	size_t n = 0;

	while (!pg_archive_toc_is_done(a) && n < dump_size)
		ck_assert_int_eq(sink_write(pg_archive_sink(a), dump + n++, 1, &e), 0);
	ck_assert_uint_lt(n, dump_size);
	ck_assert_uint_gt(s.entries, 20);
	ck_assert_uint_eq(s.tables, 2);
	ck_assert_uint_eq(s.blobs, 1);
	ck_assert_str_eq(s.owner, "shop owner");
	ck_assert_str_eq(s.creation, "CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = "
				     "'UTF8' LOCALE_PROVIDER = libc "
				     "LOCALE = 'C';\n");
	ck_assert_ptr_nonnull(strstr(s.grant, "GRANT SELECT ON TABLE shop.orders TO reader"));
	sink_free(pg_archive_sink(a));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_archive");
	TCase *tc = tcase_create("pg_archive");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, read_dump, free_dump);
	tcase_add_test(tc, a_dump_is_good_in_pieces_of_any_size);
	tcase_add_test(tc, row_04_a_dump_cut_anywhere_is_bad);
	tcase_add_test(tc, a_block_too_many_is_bad);
	tcase_add_test(tc, something_else_is_bad);
	tcase_add_test(tc, a_version_that_is_not_known_is_let_through);
	tcase_add_test(tc, the_table_of_contents_is_told);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
