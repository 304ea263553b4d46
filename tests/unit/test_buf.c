/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

START_TEST(text_grows_and_stays_terminated)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	ck_assert_str_eq(buf_str(&b), "");
	buf_adds(&b, "a");
	buf_addc(&b, 'b');
	buf_add(&b, "cde", 2);
	buf_addf(&b, "-%d-%s", 5, "x");
	ck_assert_str_eq(buf_str(&b), "abcd-5-x");
	ck_assert_uint_eq(b.len, 8);
	for (int i = 0; i < 100; i++)
		buf_adds(&b, "12345678");
	ck_assert_uint_eq(b.len, 808);
	ck_assert_uint_eq(strlen(b.data), 808);
	ck_assert(!b.overflow);
}
END_TEST

START_TEST(a_write_past_the_bound_changes_nothing_and_is_remembered)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(5);

	buf_adds(&b, "1234");
	buf_adds(&b, "56");
	ck_assert_str_eq(buf_str(&b), "1234");
	ck_assert(b.overflow);
	buf_addc(&b, '5');
	ck_assert_str_eq(buf_str(&b), "12345");
	ck_assert(b.overflow);
	buf_addf(&b, "%d", 6);
	ck_assert_str_eq(buf_str(&b), "12345");
	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
	buf_clear(&b);
	ck_assert(!b.overflow);
	buf_adds(&b, "12345");
	ck_assert(!b.overflow);
}
END_TEST

START_TEST(room_can_be_reserved_and_filled)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(10000);
	char *to;

	ck_assert_ptr_nonnull(buf_reserve(&b, 10));
	ck_assert_str_eq(buf_str(&b), ""); /* even when nothing comes of it */
	buf_adds(&b, "x");
	to = buf_reserve(&b, 5000);
	ck_assert_ptr_nonnull(to);
	memset(to, 'y', 5000);
	buf_grew(&b, 3);
	ck_assert_str_eq(buf_str(&b), "xyyy");
	ck_assert_uint_eq(b.len, 4);
}
END_TEST

START_TEST(bytes_can_be_taken_from_the_front)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);

	buf_consume(&b, 0);
	buf_adds(&b, "abcdef");
	buf_consume(&b, 2);
	ck_assert_str_eq(buf_str(&b), "cdef");
	buf_consume(&b, 0);
	buf_consume(&b, 4);
	ck_assert_str_eq(buf_str(&b), "");
	buf_adds(&b, "new");
	ck_assert_str_eq(buf_str(&b), "new");
}
END_TEST

START_TEST(any_bytes_can_be_held)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);

	buf_add(&b, "a\0b", 3);
	buf_add(&b, NULL, 0);
	ck_assert_uint_eq(b.len, 3);
	ck_assert_mem_eq(b.data, "a\0b", 4);
}
END_TEST

START_TEST(the_memory_can_be_handed_over)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	_cleanup_(free_p) char *empty = buf_take(&b), *full = NULL;

	ck_assert_str_eq(empty, "");
	buf_adds(&b, "text");
	full = buf_take(&b);
	ck_assert_str_eq(full, "text");
	ck_assert_str_eq(buf_str(&b), "");
	buf_adds(&b, "again");
	ck_assert_str_eq(buf_str(&b), "again");
}
END_TEST

START_TEST(json_strings_read_back_as_they_were)
{
	static const char *const texts[] = {"", "plain", "quote \" and \\ and /",
		"tab\tnewline\n\r\b\f", "\x01\x1f\x7f", "gr\u00fcn \u20ac \U0001f600", "</script>"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
		json_t *j;

		buf_add_json_string(&b, texts[i]);
		ck_assert_ptr_null(strpbrk(b.data, "\n\r\t"));
		j = json_loads(b.data, JSON_DECODE_ANY, NULL);
		ck_assert_msg(j != NULL, "%s", b.data);
		ck_assert_str_eq(json_string_value(j), texts[i]);
		json_decref(j);
	}
}
END_TEST

START_TEST(bytes_that_are_no_text_become_replacement_characters)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	buf_add_json_string(&b, "a\xff\xc3(\xed\xa0\x80z\xe2\x82");
	ck_assert_str_eq(b.data, "\"a\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffdz\\ufffd\\ufffd\"");
}
END_TEST

START_TEST(json_numbers_are_short)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = {
		{0, "0"},
		{-0.0, "0"},
		{1, "1"},
		{-17, "-17"},
		{0.5, "0.5"},
		{-0.25, "-0.25"},
		{12.345678, "12.345678"},
		{0.1234567, "0.123457"},
		{0.9999999, "1"},
		{1.9999999, "2"},
		{-0.9999999, "-1"},
		{0.0001, "0.0001"},
		{100, "100"},
		{3.000001, "3.000001"},
		{4294967296, "4294967296"},
		{9007199254740991, "9007199254740991"},
		{9007199254740992, "9007199254740992"},
		{-9007199254740992, "-9007199254740992"},
		{1e20, "1e+20"},
		{NAN, "null"},
		{INFINITY, "null"},
		{-INFINITY, "null"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(100);

		buf_add_json_number(&b, cases[i].v);
		ck_assert_str_eq(buf_str(&b), cases[i].text);
	}
}
END_TEST

/* A fixed sequence of numbers of all sizes; the same in each run. */
START_TEST(json_numbers_read_back_nearly_as_they_were)
{
	uint64_t state = 1;

	for (int i = 0; i < 2000; i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT(100);
		double v, back;
		json_t *j;

		state = state * 6364136223846793005U + 1442695040888963407U;
		v = ((double)(state >> 11) / 9007199254740992.0 - 0.5) * pow(10, i % 40 - 12);
		buf_add_json_number(&b, v);
		j = json_loads(b.data, JSON_DECODE_ANY, NULL);
		ck_assert_msg(j && json_is_number(j), "%s", b.data);
		back = json_number_value(j);
		json_decref(j);
		ck_assert_msg(fabs(back - v) <= 0.51e-6 || fabs(back - v) <= fabs(v) * 1e-6,
			"%.17g became %s", v, b.data);
	}
}
END_TEST

static Suite *buf_suite(void)
{
	Suite *s = suite_create("buf");
	TCase *tc = tcase_create("buf");

	tcase_add_test(tc, text_grows_and_stays_terminated);
	tcase_add_test(tc, a_write_past_the_bound_changes_nothing_and_is_remembered);
	tcase_add_test(tc, room_can_be_reserved_and_filled);
	tcase_add_test(tc, bytes_can_be_taken_from_the_front);
	tcase_add_test(tc, any_bytes_can_be_held);
	tcase_add_test(tc, the_memory_can_be_handed_over);
	tcase_add_test(tc, json_strings_read_back_as_they_were);
	tcase_add_test(tc, bytes_that_are_no_text_become_replacement_characters);
	tcase_add_test(tc, json_numbers_are_short);
	tcase_add_test(tc, json_numbers_read_back_nearly_as_they_were);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(buf_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
