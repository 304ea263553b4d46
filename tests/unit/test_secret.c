/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets from files, systemd credentials and the environment.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/secret.h"
#include "base/cleanup.h"
#include "tests/unit/scratch.h"

static void setup(void)
{
	scratch_make();
	(void)setenv("CREDENTIALS_DIRECTORY", scratch, 1);
}

static void is(const char *source, const char *expected)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(SECRET_MAX);
	struct err e = {""};

	ck_assert_int_eq(secret_parse(source, &e), 0);
	ck_assert_msg(secret_check(source, &e) == 0, "%s", e.msg);
	ck_assert_msg(secret_read(source, &b, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(buf_str(&b), expected);
}

static void is_refused(const char *source, int code, const char *words)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(SECRET_MAX);
	struct err e = {""};

	ck_assert_int_eq(secret_read(source, &b, &e), -code);
	ck_assert_msg(strstr(e.msg, words) != NULL, "%s", e.msg);
}

START_TEST(a_file_without_its_line_end)
{
	scratch_write("s", "top secret\r\n", 12);
	is(scratch_path("s"), "top secret");
}
END_TEST

START_TEST(a_credential_by_its_name)
{
	scratch_write("ops.token", "t0ken", 5);
	is("ops.token", "t0ken");
	is_refused("other", ENOENT, "other");
	(void)setenv("CREDENTIALS_DIRECTORY", "", 1);
	is_refused("ops.token", ENOENT, "LoadCredential=");
}
END_TEST

START_TEST(a_variable)
{
	struct err e;

	(void)setenv("OPS_TOKEN", "from outside", 1);
	is("env:OPS_TOKEN", "from outside");
	(void)unsetenv("OPS_TOKEN");
	is_refused("env:OPS_TOKEN", ENOENT, "OPS_TOKEN");
	/* A check in a terminal does not know the agent's environment. */
	ck_assert_int_eq(secret_check("env:OPS_TOKEN", &e), 0);
}
END_TEST

START_TEST(what_others_can_read_is_refused)
{
	scratch_write("s", "x", 1);
	ck_assert_int_eq(chmod(scratch_path("s"), 0644), 0);
	is_refused(scratch_path("s"), EPERM, "chmod 600");
}
END_TEST

START_TEST(what_is_no_line_of_text_is_refused)
{
	static char long_text[SECRET_MAX + 1];

	scratch_write("empty", "\n", 1);
	is_refused(scratch_path("empty"), EINVAL, "empty");
	scratch_write("two", "a\nb\n", 4);
	is_refused(scratch_path("two"), EINVAL, "one line");
	scratch_write("nul", "a\0b", 3);
	is_refused(scratch_path("nul"), EINVAL, "one line");
	memset(long_text, 'x', sizeof(long_text));
	scratch_write("long", long_text, sizeof(long_text));
	is_refused(scratch_path("long"), EFBIG, "larger");
}
END_TEST

START_TEST(a_source_has_one_of_three_forms)
{
	static const char *const bad[] = {"", "a/b", "../x", ".x", "env:", "env:a b", "http://x/y"};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(secret_parse(bad[i], &e) == -EINVAL, "%s", bad[i]);
	ck_assert_int_eq(secret_parse("/a b", &e), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("secret");
	TCase *t = tcase_create("secret");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, scratch_remove);
	tcase_add_test(t, a_file_without_its_line_end);
	tcase_add_test(t, a_credential_by_its_name);
	tcase_add_test(t, a_variable);
	tcase_add_test(t, what_others_can_read_is_refused);
	tcase_add_test(t, what_is_no_line_of_text_is_refused);
	tcase_add_test(t, a_source_has_one_of_three_forms);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
