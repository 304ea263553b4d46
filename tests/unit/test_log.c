/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static int saved_stderr = -1;
static int ends[2];

/* stderr is a pipe while a test runs. */
static void start(void)
{
	ck_assert_int_eq(pipe(ends), 0);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
}

static void finish(void)
{
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* What has been logged since the last call. */
static const char *logged(void)
{
	static char text[8192];
	ssize_t n;

	ck_assert_int_eq(write(ends[1], "", 1), 1); /* so that the read never waits */
	n = read(ends[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	return text;
}

/* Under systemd, stderr is what JOURNAL_STREAM names. */
static void make_journal(void)
{
	char name[64];
	struct stat st;

	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", name, 1), 0);
}

START_TEST(the_journal_gets_priorities)
{
	make_journal();
	log_init(LOG_LEVEL_DEBUG, NULL);
	log_error("disk %s", "full");
	log_warning("b");
	log_info("c");
	log_debug("d");
	ck_assert_str_eq(logged(), "<3>disk full\n<4>b\n<6>c\n<7>d\n");
}
END_TEST

START_TEST(a_terminal_gets_time_and_level_even_below_a_service)
{
	const char *line;

	ck_assert_int_eq(setenv("JOURNAL_STREAM", "8:12345", 1), 0);
	log_init(LOG_LEVEL_INFO, "web");
	log_warning("careful");
	line = logged();
	ck_assert_uint_eq(strspn(line, "0123456789-: "), 20);
	ck_assert_str_eq(line + 20, "warning web: careful\n");
}
END_TEST

START_TEST(lower_levels_are_left_out)
{
	make_journal();
	log_init(LOG_LEVEL_WARNING, "web");
	log_debug("no");
	log_info("no");
	log_warning("yes");
	ck_assert_str_eq(logged(), "<4>web: yes\n");
}
END_TEST

START_TEST(one_call_is_one_line)
{
	make_journal();
	log_init(LOG_LEVEL_INFO, NULL);
	log_info("a\n<0>forged\r\x1b[31m\x7f gr\u00fcn");
	ck_assert_str_eq(logged(), "<6>a?<0>forged??[31m? gr\u00fcn\n");
}
END_TEST

START_TEST(a_long_message_is_cut)
{
	static char text[5000];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	make_journal();
	log_init(LOG_LEVEL_INFO, NULL);
	log_info("%s", text);
	line = logged();
	ck_assert_uint_lt(strlen(line), 2100);
	ck_assert_uint_gt(strlen(line), 2000);
	ck_assert_int_eq(line[strlen(line) - 1], '\n');
}
END_TEST

static Suite *log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, start, finish);
	tcase_add_test(tc, the_journal_gets_priorities);
	tcase_add_test(tc, a_terminal_gets_time_and_level_even_below_a_service);
	tcase_add_test(tc, lower_levels_are_left_out);
	tcase_add_test(tc, one_call_is_one_line);
	tcase_add_test(tc, a_long_message_is_cut);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(log_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
