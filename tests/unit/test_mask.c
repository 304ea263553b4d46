/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets in text, in the forms in which programs print them.
 */
#include "deploy-hooks/mask.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"

static struct mask *mask;

static void make(void)
{
	mask = mask_new();
}

static void drop(void)
{
	mask_free(mask);
}

/* The text with a `*` for each byte that is masked. */
static const char *masked(const char *text)
{
	static char out[8192];
	unsigned char marks[8192] = {0};
	size_t n = strlen(text);

	ck_assert_uint_lt(n, sizeof(out));
	mask_find(mask, text, n, marks);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(marks[i] ? '*' : text[i]);
	out[n] = '\0';
	return out;
}

START_TEST(a_secret_is_found_wherever_it_stands)
{
	mask_add(mask, "hunter2!");
	ck_assert_str_eq(masked("hunter2!"), "********");
	ck_assert_str_eq(masked("pw=hunter2!&x"), "pw=********&x");
	ck_assert_str_eq(masked("hunter2!hunter2!"), "****************");
	ck_assert_str_eq(masked("hunter2"), "hunter2");
	ck_assert_str_eq(masked("hhunter2!"), "h********");
	ck_assert_str_eq(masked("Hunter2!"), "Hunter2!");
	ck_assert_str_eq(masked(""), "");
}
END_TEST

START_TEST(short_ones_are_left_for_they_are_in_every_word)
{
	mask_add(mask, "");
	mask_add(mask, "admin");
	mask_add(mask, "1234567");
	ck_assert_str_eq(masked("admin 1234567"), "admin 1234567");
}
END_TEST

START_TEST(percent_encoding_hides_nothing)
{
	mask_add(mask, "p@ss wörd%/");
	ck_assert_str_eq(masked("u=p%40ss%20w%C3%B6rd%25%2F&"), "u=************************&");
	ck_assert_str_eq(masked("p%40ss+w%c3%b6rd%25/"), "********************");
	ck_assert_str_eq(masked("%70%40%73%73%20%77%C3%B6%72%64%25%2f"),
		"************************************");
	ck_assert_str_eq(masked("p%40ss"), "p%40ss");
	ck_assert_str_eq(masked("p%4"), "p%4");
	ck_assert_str_eq(masked("%"), "%");
}
END_TEST

START_TEST(backslashes_hide_nothing)
{
	mask_add(mask, "a\"b\\c/d $e");
	ck_assert_str_eq(masked("{\"a\\\"b\\\\c\\/d $e\"}"), "{\"*************\"}");
	ck_assert_str_eq(masked("a\\\"b\\\\c/d\\ \\$e"), "**************");
	ck_assert_str_eq(masked("\\"), "\\");
	mask_add(mask, "back\\\\slashes");
	ck_assert_str_eq(masked("back\\\\slashes"), "*************");
}
END_TEST

/* `docker login` and curl make "user:secret" of it before they encode. */
START_TEST(base64_hides_nothing_whatever_stands_around)
{
	static const char *const before[] = {"", "u", "us", "use", "user:"};
	static const char *const after[] = {"", "\n", "ab", "abc"};
	static const char secret[] = "s3cret-Key?>~~";

	mask_add(mask, secret);
	for (size_t i = 0; i < ARRAY_LEN(before) * ARRAY_LEN(after); i++) {
		struct buf text = BUF_INIT(100);
		char whole[64];
		const char *first, *last;

		(void)snprintf(whole, sizeof(whole), "%s%s%s", before[i / ARRAY_LEN(after)], secret,
			after[i % ARRAY_LEN(after)]);
		base64_encode(&text, whole, strlen(whole), 0);
		for (int url = 0; url < 2; url++) {
			const char *got = masked(text.data);

			first = strchr(got, '*');
			last = strrchr(got, '*');
			ck_assert_msg(first, "%s", text.data);
			/* All characters but those it shares with its neighbours. */
			ck_assert_msg(last - first + 1 >= (long)strlen(secret) * 8 / 6 - 1,
				"%s of %s", got, text.data);
			for (size_t k = 0; k < text.len; k++)
				text.data[k] = (char)(text.data[k] == '+'   ? '-'
						      : text.data[k] == '/' ? '_'
									    : text.data[k]);
		}
		buf_done(&text);
	}
}
END_TEST

START_TEST(base64_that_is_percent_encoded_too_hides_nothing)
{
	mask_add(mask, "\xfb\xff\xfe\xfb\xff\xfe\xfb\xff\xfe"); /* "+//++//++//+" */
	ck_assert_str_eq(masked("x=%2B%2F%2f++%2F/++/%2F%2B"), "x=************************");
}
END_TEST

START_TEST(each_line_of_a_key_is_a_secret)
{
	mask_add(mask, "-----BEGIN KEY-----\r\nAAAAbbbbCCCC\nshort\nDDDDeeeeFFFF\n");
	ck_assert_str_eq(masked("AAAAbbbbCCCC"), "************");
	ck_assert_str_eq(masked("x DDDDeeeeFFFF\\n"), "x ************\\n");
	ck_assert_str_eq(masked("short"), "short");
}
END_TEST

START_TEST(a_long_secret_is_found_whole)
{
	char secret[2 * MASK_PIECE_MAX + 4], want[sizeof(secret)];

	for (size_t i = 0; i + 1 < sizeof(secret); i++)
		secret[i] = (char)('a' + i * i % 23);
	secret[sizeof(secret) - 1] = '\0';
	memset(want, '*', sizeof(want));
	want[sizeof(want) - 1] = '\0';
	mask_add(mask, secret);
	ck_assert_str_eq(masked(secret), want);
}
END_TEST

START_TEST(the_same_secret_again_costs_nothing)
{
	for (int i = 0; i < 100000; i++)
		mask_add(mask, "the same one");
	ck_assert_str_eq(masked("the same one"), "************");
}
END_TEST

START_TEST(of_secrets_that_overlap_all_is_masked)
{
	mask_add(mask, "abcdefgh");
	mask_add(mask, "efghijkl");
	mask_add(mask, "abcdefghij");
	ck_assert_str_eq(masked("abcdefghijkl-abcdefgh"), "************-********");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mask");
	TCase *c = tcase_create("mask");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, make, drop);
	tcase_add_test(c, a_secret_is_found_wherever_it_stands);
	tcase_add_test(c, short_ones_are_left_for_they_are_in_every_word);
	tcase_add_test(c, percent_encoding_hides_nothing);
	tcase_add_test(c, backslashes_hide_nothing);
	tcase_add_test(c, base64_hides_nothing_whatever_stands_around);
	tcase_add_test(c, base64_that_is_percent_encoded_too_hides_nothing);
	tcase_add_test(c, each_line_of_a_key_is_a_secret);
	tcase_add_test(c, a_long_secret_is_found_whole);
	tcase_add_test(c, the_same_secret_again_costs_nothing);
	tcase_add_test(c, of_secrets_that_overlap_all_is_masked);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
