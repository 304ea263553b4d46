/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/format.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct format_ends dump = {
	.title = "a dump",
	.head = "HEAD",
	.head_len = 4,
	.tail = "-- done",
	.tail_len = 7,
	.within = 16,
	.min_bytes = 20,
};

static struct err e;

/* In pieces of `piece` bytes. */
static int check(const struct format_ends *f, const char *text, size_t piece)
{
	size_t n = strlen(text);
	struct sink *s = NULL;
	int r = format_ends_new(f, &s, &e);

	ck_assert_int_eq(r, 0);
	for (size_t i = 0; i < n && r == 0; i += piece)
		r = sink_write(s, text + i, n - i < piece ? n - i : piece, &e);
	if (r == 0)
		r = sink_finish(s, &e);
	sink_free(s);
	return r;
}

START_TEST(a_whole_dump_is_good_in_pieces_of_any_size)
{
	for (size_t piece = 1; piece < 40; piece++)
		ck_assert_int_eq(check(&dump, "HEAD rows rows rows rows -- done today", piece), 0);
}
END_TEST

START_TEST(row_05_a_cut_or_tiny_or_foreign_dump_is_bad)
{
	for (size_t piece = 1; piece < 40; piece++) {
		ck_assert_int_eq(check(&dump, "", piece), -EBADMSG);
		ck_assert_int_eq(check(&dump, "HEA", piece), -EBADMSG);
		ck_assert_int_eq(check(&dump, "HEAX rows rows rows rows -- done", piece), -EBADMSG);
		ck_assert_int_eq(check(&dump, "HEAD -- done", piece), -EBADMSG);
		ck_assert_int_eq(check(&dump, "HEAD rows rows rows rows -- don", piece), -EBADMSG);
		/* The last text in the middle is none. */
		ck_assert_int_eq(check(&dump, "HEAD -- done rows rows rows rows", piece), -EBADMSG);
	}
	ck_assert_str_eq(e.msg, "a dump does not end as it should: it was cut short");
}
END_TEST

START_TEST(the_end_is_found_behind_much_data)
{
	char *text = malloc(100001);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', 100000);
	memcpy(text, "HEAD", 4);
	memcpy(text + 100000 - 8, "-- done\n", 9);
	ck_assert_int_eq(check(&dump, text, 100000), 0);
	ck_assert_int_eq(check(&dump, text, 4097), 0);
	ck_assert_int_eq(check(&dump, text, 7), 0);
	text[100000 - 5] = '\0';
	ck_assert_int_eq(check(&dump, text, 4097), -EBADMSG);
	free(text);
}
END_TEST

START_TEST(row_05_raw_output_must_not_be_empty)
{
	struct sink *s = NULL;

	ck_assert_ptr_eq(format_find("raw"), &format_raw);
	ck_assert_ptr_null(format_find("cooked"));
	ck_assert_int_eq(format_raw.checker(&s, &e), 0);
	ck_assert_int_eq(sink_finish(s, &e), -EBADMSG);
	sink_free(s);
	ck_assert_int_eq(format_raw.checker(&s, &e), 0);
	ck_assert_int_eq(sink_write(s, "", 1, &e), 0);
	ck_assert_int_eq(sink_finish(s, &e), 0);
	sink_free(s);
}
END_TEST

START_TEST(formats_are_in_alphabetical_order)
{
	for (size_t i = 0; formats[i] && formats[i + 1]; i++)
		ck_assert_int_lt(strcmp(formats[i]->name, formats[i + 1]->name), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("format_ends");
	TCase *tc = tcase_create("format_ends");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_whole_dump_is_good_in_pieces_of_any_size);
	tcase_add_test(tc, row_05_a_cut_or_tiny_or_foreign_dump_is_bad);
	tcase_add_test(tc, the_end_is_found_behind_much_data);
	tcase_add_test(tc, row_05_raw_output_must_not_be_empty);
	tcase_add_test(tc, formats_are_in_alphabetical_order);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
