/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

START_TEST(a_copy_is_cut_between_characters)
{
	char to[5];

	ck_assert(str_copy(to, sizeof(to), "abcd"));
	ck_assert_str_eq(to, "abcd");
	ck_assert(!str_copy(to, sizeof(to), "abcde"));
	ck_assert_str_eq(to, "abcd");
	ck_assert(!str_copy(to, sizeof(to), "abc\u00fcx"));
	ck_assert_str_eq(to, "abc");
	ck_assert(str_copy(to, sizeof(to), "ab\u00fc"));
	ck_assert_str_eq(to, "ab\u00fc");
	ck_assert(!str_copy(to, sizeof(to), "a\u20acxyz"));
	ck_assert_str_eq(to, "a\u20ac");
	ck_assert(!str_copy(to, sizeof(to), "\U0001f600\U0001f600"));
	ck_assert_str_eq(to, "\U0001f600");
	ck_assert(!str_copy(to, 1, "x"));
	ck_assert_str_eq(to, "");
	ck_assert(!str_copy(to, sizeof(to), "\x80\x80\x80\x80\x80\x80\x80"));
}
END_TEST

START_TEST(duplicates_are_the_callers)
{
	_cleanup_(free_p) char *a = str_dup("text"), *b = str_ndup("text", 2);
	_cleanup_(free_p) char *c = str_format("%d-%s", 5, "x");

	ck_assert_str_eq(a, "text");
	ck_assert_str_eq(b, "te");
	ck_assert_str_eq(c, "5-x");
	ck_assert_ptr_null(str_dup(NULL));
}
END_TEST

START_TEST(prefixes_and_suffixes)
{
	ck_assert(str_starts("docker-abc", "docker-"));
	ck_assert(str_starts("abc", ""));
	ck_assert(!str_starts("dock", "docker"));
	ck_assert(str_ends("a.scope", ".scope"));
	ck_assert(str_ends("abc", ""));
	ck_assert(!str_ends("ope", "scope"));
}
END_TEST

START_TEST(only_valid_utf8_counts)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{"", 0},
		{"a", 1},
		{"\x7f", 1},
		{"\x80", 0},
		{"\xc1\x81", 0}, /* overlong 'A' */
		{"\xc2\x80", 2},
		{"\xc2", 0},
		{"\xc2z", 0},
		{"\xe0\x9f\xbf", 0}, /* overlong */
		{"\xe0\xa0\x80", 3},
		{"\xe2\x82\xac", 3},
		{"\xe2\x82", 0},
		{"\xed\x9f\xbf", 3},
		{"\xed\xa0\x80", 0}, /* surrogate */
		{"\xed\xbf\xbf", 0},
		{"\xee\x80\x80", 3},
		{"\xf0\x8f\xbf\xbf", 0}, /* overlong */
		{"\xf0\x9f\x98\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\xf4\x90\x80\x80", 0}, /* past U+10FFFF */
		{"\xf5\x80\x80\x80", 0},
		{"\xff", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(str_utf8_char(cases[i].text) == cases[i].n, "case %zu", i);
}
END_TEST

START_TEST(whole_numbers_are_read_strictly)
{
	static const char *const bad[] = {
		"", " 1", "1 ", "+1", "-1", "1.0", "0x10", "1e3", "a", "1a"};
	uint64_t v = 7;
	struct err e = {""};

	ck_assert_int_eq(str_to_u64("0", &v, &e), 0);
	ck_assert_uint_eq(v, 0);
	ck_assert_int_eq(str_to_u64("18446744073709551615", &v, &e), 0);
	ck_assert_uint_eq(v, UINT64_MAX);
	ck_assert_int_eq(str_to_u64("007", &v, &e), 0);
	ck_assert_uint_eq(v, 7);
	ck_assert_int_eq(str_to_u64("18446744073709551616", &v, &e), -ERANGE);
	ck_assert_int_eq(str_to_u64("99999999999999999999999", &v, &e), -ERANGE);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(str_to_u64(bad[i], &v, &e) == -EINVAL, "%s", bad[i]);
	ck_assert_uint_eq(v, 7); /* untouched */
	ck_assert_str_eq(e.msg, "\"1a\" is not a whole number");
}
END_TEST

START_TEST(whole_numbers_may_be_negative)
{
	int64_t v = 7;
	struct err e = {""};

	ck_assert_int_eq(str_to_i64("-12", &v, &e), 0);
	ck_assert_int_eq(v, -12);
	ck_assert_int_eq(str_to_i64("-0", &v, &e), 0);
	ck_assert_int_eq(v, 0);
	ck_assert_int_eq(str_to_i64("9223372036854775807", &v, &e), 0);
	ck_assert_int_eq(v, INT64_MAX);
	ck_assert_int_eq(str_to_i64("-9223372036854775808", &v, &e), 0);
	ck_assert_int_eq(v, INT64_MIN);
	ck_assert_int_eq(str_to_i64("9223372036854775808", &v, &e), -ERANGE);
	ck_assert_int_eq(str_to_i64("-9223372036854775809", &v, &e), -ERANGE);
	ck_assert_int_eq(str_to_i64("--5", &v, &e), -EINVAL);
	ck_assert_str_eq(e.msg, "\"--5\" is not a whole number");
	ck_assert_int_eq(str_to_i64("-", &v, &e), -EINVAL);
}
END_TEST

START_TEST(decimal_numbers_are_read_strictly)
{
	static const char *const bad[] = {
		"", "inf", "nan", "0x1p3", " 1", "1 ", "1,5", ".", "-", "1e", "1.2.3", "1-2"};
	double v = 7;
	struct err e = {""};

	ck_assert_int_eq(str_to_double("-12.5e1", &v, &e), 0);
	ck_assert_double_eq(v, -125);
	ck_assert_int_eq(str_to_double(".5", &v, &e), 0);
	ck_assert_double_eq(v, 0.5);
	ck_assert_int_eq(str_to_double("1e999", &v, &e), -ERANGE);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(str_to_double(bad[i], &v, &e) == -EINVAL, "%s", bad[i]);
	ck_assert_double_eq(v, 0.5);
}
END_TEST

START_TEST(durations_are_read_and_written)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {{"0s", 0}, {"500ms", 500}, {"20s", 20000}, {"90s", 90000}, {"5m", 300000},
		{"12h", 43200000}, {"2d", 172800000}, {"4w", 2419200000}, {"1y", 31536000000}};
	static const char *const bad[] = {"", "s", "5", "5 m", "m5", "-5s", "1.5h", "5S", "5mm",
		"5min", "5s ", "99999999999999999999s"};
	char text[32];
	int64_t v = 7;
	struct err e = {""};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_int_eq(str_to_duration_ms(cases[i].text, &v, &e), 0);
		ck_assert_int_eq(v, cases[i].ms);
		str_from_duration_ms(text, sizeof(text), v);
		ck_assert_str_eq(text, cases[i].text);
	}
	ck_assert_int_eq(str_to_duration_ms("0", &v, &e), 0);
	ck_assert_int_eq(v, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(str_to_duration_ms(bad[i], &v, &e) == -EINVAL, "%s", bad[i]);
	ck_assert_ptr_nonnull(strstr(e.msg, "20s")); /* says how to write it */
	ck_assert_int_eq(str_to_duration_ms("300000000y", &v, &e), -ERANGE);
	str_from_duration_ms(text, sizeof(text), 120000);
	ck_assert_str_eq(text, "2m");
	str_from_duration_ms(text, sizeof(text), 1001);
	ck_assert_str_eq(text, "1001ms");
}
END_TEST

START_TEST(sizes_are_read)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {{"0", 0}, {"512", 512}, {"512B", 512}, {"64k", 65536}, {"64K", 65536},
		{"10M", 10485760}, {"10MB", 10485760}, {"10MiB", 10485760}, {"2G", 2147483648},
		{"1T", 1099511627776}};
	static const char *const bad[] = {"", "k", "-1k", "1.5G", "1 k", "1kk", "1iB", "1Bk", "1Ki",
		"1x", "99999999999999999999"};
	uint64_t v = 7;
	struct err e = {""};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_int_eq(str_to_size_bytes(cases[i].text, &v, &e), 0);
		ck_assert_uint_eq(v, cases[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(str_to_size_bytes(bad[i], &v, &e) == -EINVAL, "%s", bad[i]);
	ck_assert_int_eq(str_to_size_bytes("16777216T", &v, &e), -ERANGE);
	ck_assert_int_eq(str_to_size_bytes("16777215T", &v, &e), 0);
}
END_TEST

START_TEST(quantities_are_written_for_people)
{
	static const struct {
		double bytes;
		const char *text;
	} bytes[] = {{0, "0 B"}, {512, "512 B"}, {1023, "1023 B"}, {1024, "1.0 KiB"},
		{1288490189, "1.2 GiB"}, {38797312, "37 MiB"}, {10188, "9.9 KiB"},
		{10240, "10 KiB"}, {1048570, "1.0 MiB"}, {1.1e18, "977 PiB"}, {-2048, "-2.0 KiB"}};
	static const struct {
		int64_t s;
		const char *text;
	} durations[] = {{0, "0s"}, {8, "8s"}, {59, "59s"}, {60, "1m 0s"}, {725, "12m 5s"},
		{3600, "1h 0m"}, {86399, "23h 59m"}, {273600, "3d 4h"}, {-5, "0s"}};
	char text[32];

	for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
		str_human_bytes(text, sizeof(text), bytes[i].bytes);
		ck_assert_str_eq(text, bytes[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		str_human_duration(text, sizeof(text), durations[i].s);
		ck_assert_str_eq(text, durations[i].text);
	}
}
END_TEST

START_TEST(the_first_pattern_that_matches_decides)
{
	const char *const patterns[] = {"!tmp-*", "shop-?", "[ab]*"};

	ck_assert(str_matches_any(patterns, 3, "shop-1", false));
	ck_assert(!str_matches_any(patterns, 3, "shop-10", false));
	ck_assert(!str_matches_any(patterns, 3, "tmp-a", true));
	ck_assert(str_matches_any(patterns, 3, "b/.x", false));
	ck_assert(str_matches_any(patterns, 3, "other", true));
	ck_assert(str_matches_any(NULL, 0, "any", true));
	ck_assert(!str_matches_any(NULL, 0, "any", false));
}
END_TEST

START_TEST(distance_counts_edits)
{
	char long_name[65];

	ck_assert_uint_eq(str_distance("", ""), 0);
	ck_assert_uint_eq(str_distance("interval", "interval"), 0);
	ck_assert_uint_eq(str_distance("intervall", "interval"), 1);
	ck_assert_uint_eq(str_distance("kitten", "sitting"), 3);
	ck_assert_uint_eq(str_distance("", "abc"), 3);
	ck_assert_uint_eq(str_distance("abc", ""), 3);
	memset(long_name, 'x', 64);
	long_name[64] = '\0';
	ck_assert_uint_eq(str_distance(long_name, "x"), SIZE_MAX);
	ck_assert_uint_eq(str_distance(long_name + 1, long_name + 1), 0);
	ck_assert_uint_eq(str_distance("", long_name + 1), 63);
}
END_TEST

static Suite *str_suite(void)
{
	Suite *s = suite_create("str");
	TCase *tc = tcase_create("str");

	tcase_add_test(tc, a_copy_is_cut_between_characters);
	tcase_add_test(tc, duplicates_are_the_callers);
	tcase_add_test(tc, prefixes_and_suffixes);
	tcase_add_test(tc, only_valid_utf8_counts);
	tcase_add_test(tc, whole_numbers_are_read_strictly);
	tcase_add_test(tc, whole_numbers_may_be_negative);
	tcase_add_test(tc, decimal_numbers_are_read_strictly);
	tcase_add_test(tc, durations_are_read_and_written);
	tcase_add_test(tc, sizes_are_read);
	tcase_add_test(tc, quantities_are_written_for_people);
	tcase_add_test(tc, the_first_pattern_that_matches_decides);
	tcase_add_test(tc, distance_counts_edits);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(str_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
