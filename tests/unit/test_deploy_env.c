/* SPDX-License-Identifier: Apache-2.0
 *
 * The variables of an app: kept for root alone, whole lines, never half a change.
 */
#include "agent/deploy_env.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "tests/unit/scratch.h"

static struct deploy_env env;
static struct err e;

static void setup(void)
{
	scratch_make();
	env = (struct deploy_env){NULL, 0};
}

static void done(void)
{
	deploy_env_done(&env);
	scratch_remove();
}

static int load(void)
{
	deploy_env_done(&env);
	return deploy_env_load(scratch, "shop", &env, &e);
}

static void write_env(const char *text, mode_t mode)
{
	(void)mkdir(scratch_path("deploys"), 0700);
	(void)mkdir(scratch_path("deploys/shop"), 0700);
	scratch_write("deploys/shop/env", text, strlen(text));
	ck_assert_int_eq(chmod(scratch_path("deploys/shop/env"), mode), 0);
}

/* Both are JSON, or NULL. The names there are then, with commas between. */
static int change(const char *set, const char *unset, char *names, size_t size)
{
	json_t *s = set ? json_loads(set, JSON_ALLOW_NUL, NULL) : NULL;
	json_t *u = unset ? json_loads(unset, 0, NULL) : NULL;
	json_t *list = NULL;
	const json_t *name;
	size_t i;
	int r = deploy_env_change(scratch, "shop", s, u, &list, &e);

	*names = '\0';
	json_array_foreach(list, i, name)(void) snprintf(names + strlen(names),
		size - strlen(names), "%s%s", i ? "," : "", json_string_value(name));
	json_decref(s);
	json_decref(u);
	json_decref(list);
	return r;
}

START_TEST(an_app_without_any_has_none)
{
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(env.n, 0);
	ck_assert_ptr_null(deploy_env_get(&env, "A"));
}
END_TEST

START_TEST(what_is_set_is_there_after_a_restart)
{
	ck_assert_int_eq(deploy_env_set(&env, "URL", "postgres://u:p@db/x?a=b", &e), 0);
	ck_assert_int_eq(deploy_env_set(&env, "A", " spaced \"quoted\" ", &e), 0);
	ck_assert_int_eq(deploy_env_set(&env, "EMPTY", "", &e), 0);
	ck_assert_int_eq(deploy_env_set(&env, "A", "again", &e), 0);
	ck_assert_int_eq(deploy_env_store(scratch, "shop", &env, &e), 0);
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(env.n, 3);
	ck_assert_str_eq(deploy_env_get(&env, "URL"), "postgres://u:p@db/x?a=b");
	ck_assert_str_eq(deploy_env_get(&env, "A"), "again");
	ck_assert_str_eq(deploy_env_get(&env, "EMPTY"), "");
	ck_assert_str_eq(env.list[0].name, "A");
}
END_TEST

START_TEST(nobody_else_can_read_the_file)
{
	struct stat st;

	ck_assert_int_eq(deploy_env_set(&env, "A", "1", &e), 0);
	ck_assert_int_eq(deploy_env_store(scratch, "shop", &env, &e), 0);
	ck_assert_int_eq(stat(scratch_path("deploys/shop/env"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(scratch_path("deploys/shop"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(chmod(scratch_path("deploys/shop/env"), 0644), 0);
	ck_assert_int_eq(load(), -EPERM);
	ck_assert_uint_eq(env.n, 0);
}
END_TEST

static const char *const bad_names[] = {"", "1A", "A-B", "A B", "A=B", "A\n", "Ä",
	"A2345678901234567890123456789012345678901234567890123456789"};

START_TEST(what_is_no_variable_is_refused)
{
	ck_assert_int_eq(deploy_env_set(&env, bad_names[_i], "x", &e), -EINVAL);
	ck_assert_uint_eq(env.n, 0);
}
END_TEST

static const char *const bad_values[] = {"a\nB=1", "a\r", "a\033[2J", "\177"};

START_TEST(a_value_is_one_line_and_never_told)
{
	ck_assert_int_eq(deploy_env_set(&env, "A", bad_values[_i], &e), -EINVAL);
	ck_assert_uint_eq(env.n, 0);
	ck_assert(strstr(e.msg, bad_values[_i]) == NULL);
	ck_assert((strstr(e.msg, "more than one line") != NULL) ==
		  (strpbrk(bad_values[_i], "\r\n") != NULL));
}
END_TEST

START_TEST(all_together_is_bounded)
{
	char *huge = calloc(1, DEPLOY_ENV_VALUE_MAX + 2);
	char name[16];
	int r = 0;

	memset(huge, 'x', DEPLOY_ENV_VALUE_MAX + 1);
	ck_assert_int_eq(deploy_env_set(&env, "A", huge, &e), -EINVAL);
	huge[DEPLOY_ENV_VALUE_MAX - 10] = '\0';
	ck_assert_int_eq(deploy_env_set(&env, "A", huge, &e), 0);
	ck_assert_int_eq(deploy_env_set(&env, "A", huge, &e), 0); /* is counted once */
	ck_assert_int_eq(deploy_env_set(&env, "B", huge, &e), 0);
	ck_assert_int_eq(deploy_env_set(&env, "C", "more than what is left", &e), -EINVAL);
	ck_assert_int_eq(deploy_env_store(scratch, "shop", &env, &e), 0);
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(env.n, 2);
	deploy_env_done(&env);
	for (int i = 0; i <= DEPLOY_ENV_COUNT_MAX && r == 0; i++) {
		(void)snprintf(name, sizeof(name), "V%d", i);
		r = deploy_env_set(&env, name, "x", &e);
	}
	ck_assert_int_eq(r, -EINVAL);
	ck_assert_uint_eq(env.n, DEPLOY_ENV_COUNT_MAX);
	free(huge);
}
END_TEST

START_TEST(a_file_by_hand_may_have_comments_but_no_other_lines)
{
	write_env("# by hand\n\nA=1\nB=x=y", 0600);
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(env.n, 2);
	ck_assert_str_eq(deploy_env_get(&env, "B"), "x=y");
	write_env("A=1\nhunter2-alone\n", 0600);
	ck_assert_int_eq(load(), -EBADMSG);
	ck_assert_uint_eq(env.n, 0);
	ck_assert(strstr(e.msg, "env:2: expected NAME=value") != NULL);
	ck_assert(strstr(e.msg, "hunter2") == NULL);
	write_env("export A=hunter2-alone\n", 0600);
	ck_assert_int_eq(load(), -EBADMSG);
	ck_assert(strstr(e.msg, "hunter2") == NULL);
}
END_TEST

START_TEST(a_file_cut_or_overgrown_is_not_half_taken)
{
	char *huge = calloc(1, DEPLOY_ENV_MAX + 3);

	memset(huge, 'x', DEPLOY_ENV_MAX + 2);
	memcpy(huge, "A=", 2);
	write_env(huge, 0600);
	ck_assert_int_eq(load(), -EFBIG);
	scratch_write("deploys/shop/env", "A=1\0B=2\n", 8);
	ck_assert_int_eq(load(), -EBADMSG);
	free(huge);
}
END_TEST

START_TEST(a_change_is_whole_or_not_at_all)
{
	char names[200];

	ck_assert_int_eq(change("{\"B\":\"1\",\"A\":\"2\"}", NULL, names, sizeof(names)), 0);
	ck_assert_str_eq(names, "A,B");
	ck_assert_int_eq(change(NULL, NULL, names, sizeof(names)), 0);
	ck_assert_str_eq(names, "A,B");
	ck_assert_int_eq(change("{\"C\":\"3\"}", "[\"nope\"]", names, sizeof(names)), -ENOENT);
	ck_assert_int_eq(change("{\"C\":3}", NULL, names, sizeof(names)), -EINVAL);
	ck_assert_int_eq(change("{\"C\":\"x\\u0000y\"}", NULL, names, sizeof(names)), -EINVAL);
	ck_assert_int_eq(
		change("{\"C\":\"3\",\"no good\":\"\"}", NULL, names, sizeof(names)), -EINVAL);
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(env.n, 2);
	ck_assert_int_eq(change("{\"C\":\"3\"}", "[\"A\"]", names, sizeof(names)), 0);
	ck_assert_str_eq(names, "B,C");
	ck_assert_int_eq(load(), 0);
	ck_assert_str_eq(deploy_env_get(&env, "C"), "3");
	ck_assert_ptr_null(deploy_env_get(&env, "A"));
}
END_TEST

START_TEST(a_name_that_is_not_there_is_answered_with_the_nearest)
{
	ck_assert_int_eq(deploy_env_set(&env, "DATABASE_URL", "x", &e), 0);
	ck_assert_int_eq(deploy_env_unset(&env, "DATABSE_URL", &e), -ENOENT);
	ck_assert(strstr(e.msg, "did you mean \"DATABASE_URL\"?") != NULL);
	ck_assert_int_eq(deploy_env_unset(&env, "DATABASE_URL", &e), 0);
	ck_assert_uint_eq(env.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_env");
	TCase *tc = tcase_create("deploy_env");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, done);
	tcase_add_test(tc, an_app_without_any_has_none);
	tcase_add_test(tc, what_is_set_is_there_after_a_restart);
	tcase_add_test(tc, nobody_else_can_read_the_file);
	tcase_add_loop_test(tc, what_is_no_variable_is_refused, 0, (int)ARRAY_LEN(bad_names));
	tcase_add_loop_test(tc, a_value_is_one_line_and_never_told, 0, (int)ARRAY_LEN(bad_values));
	tcase_add_test(tc, all_together_is_bounded);
	tcase_add_test(tc, a_file_by_hand_may_have_comments_but_no_other_lines);
	tcase_add_test(tc, a_file_cut_or_overgrown_is_not_half_taken);
	tcase_add_test(tc, a_change_is_whole_or_not_at_all);
	tcase_add_test(tc, a_name_that_is_not_there_is_answered_with_the_nearest);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
