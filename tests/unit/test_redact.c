/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/redact.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static char shown[8192];

static const char *redact(const char *text, bool cut)
{
	struct buf out = BUF_INIT(sizeof(shown) - 1);

	redact_text(text, strlen(text), cut, &out);
	ck_assert(!out.overflow);
	(void)snprintf(shown, sizeof(shown), "%s", buf_str(&out));
	buf_done(&out);
	return shown;
}

START_TEST(a_secret_is_hidden_by_its_value)
{
	redact_add("s3cr.t!");
	redact_add("s3cr.t!"); /* twice is once */
	ck_assert_str_eq(redact("login with s3cr.t! failed", false), "login with *** failed");
	ck_assert_str_eq(redact("s3cr.t!s3cr.t!", false), "******");
	ck_assert_str_eq(redact("s3crxt!", false), "s3crxt!");
	ck_assert_str_eq(redact("", false), "");
}
END_TEST

START_TEST(the_newline_of_a_secret_file_does_not_count)
{
	redact_add("from-a-file\r\n");
	ck_assert_str_eq(redact("(from-a-file)", false), "(***)");
}
END_TEST

START_TEST(the_longer_of_two_that_begin_alike_is_hidden_whole)
{
	redact_add("abcd");
	redact_add("abcdEFGH");
	ck_assert_str_eq(redact("abcdEFGH abcd", false), "*** ***");
}
END_TEST

START_TEST(nothing_and_too_short_texts_hide_nothing)
{
	redact_add(NULL);
	redact_add("");
	redact_add("a\n");
	ck_assert_str_eq(redact("a fat cat", false), "a fat cat");
}
END_TEST

START_TEST(half_a_secret_at_a_cut_is_not_shown)
{
	redact_add("0123456789");
	/* The first 9 bytes may be the end of one. */
	ck_assert_str_eq(redact("456789 and then", true), "d then");
	ck_assert_str_eq(redact("456 0123456789 x", true), "*** x");
}
END_TEST

START_TEST(many_secrets_are_bounded)
{
	char text[32];

	for (int i = 0; i < 3 * REDACT_MAX; i++) {
		(void)snprintf(text, sizeof(text), "secret-%05d", i);
		redact_add(text);
	}
	ck_assert_str_eq(redact(text, false), "***");
	ck_assert_str_eq(redact("secret-00000", false), "secret-00000");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("redact");
	TCase *tc = tcase_create("redact");
	SRunner *sr;
	int failed;

	/* First: how much is left out depends on all secrets, and with Valgrind all tests are one process. */
	tcase_add_test(tc, half_a_secret_at_a_cut_is_not_shown);
	tcase_add_test(tc, a_secret_is_hidden_by_its_value);
	tcase_add_test(tc, the_newline_of_a_secret_file_does_not_count);
	tcase_add_test(tc, the_longer_of_two_that_begin_alike_is_hidden_whole);
	tcase_add_test(tc, nothing_and_too_short_texts_hide_nothing);
	tcase_add_test(tc, many_secrets_are_bounded);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
