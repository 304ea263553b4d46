/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"

static char changes[1000];

static void on_change(void *user, const char *key, const char *text)
{
	size_t n = strlen(changes);

	ck_assert_ptr_eq(user, changes);
	(void)snprintf(changes + n, sizeof(changes) - n, "%s=%s;", key, text ? text : "gone");
}

static struct problems *make(void)
{
	changes[0] = '\0';
	return problems_new(on_change, changes);
}

START_TEST(a_problem_is_told_when_it_appears_and_when_it_is_gone)
{
	struct problems *p = make();

	problem_set(p, "store.full", "the disk is full, %d bytes left", 5);
	problem_set(p, "store.full", "the disk is full, %d bytes left", 5);
	problem_set(p, "store.full", "the disk is full, %d bytes left", 4); /* a counter */
	ck_assert_uint_eq(problems_count(p), 1);
	ck_assert_str_eq(problems_at(p, 0)->key, "store.full");
	ck_assert_str_eq(problems_at(p, 0)->text, "the disk is full, 4 bytes left");
	ck_assert_int_gt(problems_at(p, 0)->since, 0);
	problem_clear(p, "store.full");
	problem_clear(p, "store.full");
	ck_assert_uint_eq(problems_count(p), 0);
	ck_assert_str_eq(changes, "store.full=the disk is full, 5 bytes left;store.full=gone;");
	problems_free(p);
}
END_TEST

START_TEST(problems_are_told_apart)
{
	struct problems *p = make();

	problem_set(p, "a", "1");
	problem_set(p, "ab", "2");
	problem_set(p, "b", "3");
	problem_clear(p, "a");
	problem_clear(p, "never");
	ck_assert_uint_eq(problems_count(p), 2);
	ck_assert_str_eq(problems_at(p, 0)->text, "2");
	ck_assert_str_eq(problems_at(p, 1)->text, "3");
	ck_assert_ptr_null(problems_at(p, 2));
	problems_free(p);
}
END_TEST

START_TEST(long_texts_and_keys_are_cut)
{
	struct problems *p = make();
	char text[600], key[100];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	problem_set(p, key, "%s", text);
	problem_set(p, key, "%s", text);
	ck_assert_uint_eq(problems_count(p), 1);
	ck_assert_uint_eq(strlen(problems_at(p, 0)->key), 63);
	ck_assert_uint_eq(strlen(problems_at(p, 0)->text), 511);
	problem_clear(p, key);
	ck_assert_uint_eq(problems_count(p), 0);
	problems_free(p);
}
END_TEST

START_TEST(their_number_is_bounded)
{
	struct problems *p = make();
	char key[20];

	for (int i = 0; i < PROBLEMS_MAX + 50; i++) {
		(void)snprintf(key, sizeof(key), "p%d", i);
		problem_set(p, key, "x");
	}
	ck_assert_uint_eq(problems_count(p), PROBLEMS_MAX);
	for (int i = PROBLEMS_MAX + 50; i-- > 0;) {
		(void)snprintf(key, sizeof(key), "p%d", i);
		problem_clear(p, key);
	}
	ck_assert_uint_eq(problems_count(p), 0);
	problems_free(p);
	problems_free(NULL);
}
END_TEST

static Suite *problem_suite(void)
{
	Suite *s = suite_create("problem");
	TCase *tc = tcase_create("problem");

	tcase_add_test(tc, a_problem_is_told_when_it_appears_and_when_it_is_gone);
	tcase_add_test(tc, problems_are_told_apart);
	tcase_add_test(tc, long_texts_and_keys_are_cut);
	tcase_add_test(tc, their_number_is_bounded);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(problem_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
