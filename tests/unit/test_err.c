/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

START_TEST(an_error_is_a_code_and_a_sentence)
{
	struct err e;

	ck_assert_int_eq(err_set(&e, EINVAL, "\"%s\" is wrong", "x"), -EINVAL);
	ck_assert_str_eq(e.msg, "\"x\" is wrong");
	ck_assert_int_eq(err_set(NULL, EINVAL, "nobody listens"), -EINVAL);
}
END_TEST

START_TEST(the_systems_reason_is_appended)
{
	struct err e;

	errno = ENOENT;
	ck_assert_int_eq(err_sys(&e, "open %s", "f"), -ENOENT);
	ck_assert_str_eq(e.msg, "open f: No such file or directory");
	errno = 0;
	ck_assert_int_lt(err_sys(&e, "odd"), 0); /* never success by mistake */
	errno = EACCES;
	ck_assert_int_eq(err_sys(NULL, "nobody listens"), -EACCES);
	ck_assert_str_eq(err_text(-EACCES), "Permission denied");
}
END_TEST

START_TEST(callers_add_context_in_front)
{
	struct err e;
	int r = err_set(&e, EINVAL, "bucket is missing");

	ck_assert_int_eq(err_wrap(&e, r, "agent.conf:%d", 12), -EINVAL);
	ck_assert_int_eq(err_wrap(&e, r, "check"), -EINVAL);
	ck_assert_str_eq(e.msg, "check: agent.conf:12: bucket is missing");
	ck_assert_int_eq(err_wrap(NULL, -EIO, "nobody listens"), -EIO);
	(void)err_set(&e, EINVAL, "of before");
	ck_assert_int_eq(err_wrap(&e, 0, "all is well"), 0);
	ck_assert_str_eq(e.msg, "of before");
}
END_TEST

START_TEST(long_texts_are_cut)
{
	char text[1000];
	struct err e;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&e, EINVAL, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	(void)err_wrap(&e, -EINVAL, "front");
	ck_assert_uint_eq(strlen(e.msg), sizeof(e.msg) - 1);
	ck_assert_int_eq(strncmp(e.msg, "front: xxx", 10), 0);
	for (size_t n = sizeof(e.msg) - 4; n < sizeof(e.msg) + 2; n++) {
		(void)err_set(&e, EINVAL, "tail");
		(void)err_wrap(&e, -EINVAL, "%.*s", (int)n, text);
		ck_assert_uint_lt(strlen(e.msg), sizeof(e.msg));
		errno = ENOENT;
		(void)err_sys(&e, "%.*s", (int)n, text);
		ck_assert_uint_lt(strlen(e.msg), sizeof(e.msg));
	}
}
END_TEST

static Suite *err_suite(void)
{
	Suite *s = suite_create("err");
	TCase *tc = tcase_create("err");

	tcase_add_test(tc, an_error_is_a_code_and_a_sentence);
	tcase_add_test(tc, the_systems_reason_is_appended);
	tcase_add_test(tc, callers_add_context_in_front);
	tcase_add_test(tc, long_texts_are_cut);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(err_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
