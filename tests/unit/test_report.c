/* SPDX-License-Identifier: Apache-2.0
 *
 * What a worker says.
 */
#include "backup/report.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/scratch.h"

static int ends[2];
static struct report *report;

static void setup(void)
{
	ck_assert_int_eq(pipe(ends), 0);
	report = report_new(ends[1]);
}

static void teardown(void)
{
	report_free(report);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* All that was said, as text. */
static const char *said(void)
{
	static char text[65536];
	ssize_t n;

	(void)close(ends[1]);
	ends[1] = -1;
	n = read(ends[0], text, sizeof(text) - 1);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

START_TEST(one_object_a_line)
{
	report_stage(report, "dump", "shop", NULL);
	report_warning(report, "two\nlines");
	ck_assert_str_eq(said(), "{\"type\":\"stage\",\"stage\":\"dump\",\"member\":\"shop\"}\n"
				 "{\"type\":\"warning\",\"text\":\"two\\nlines\"}\n");
}
END_TEST

START_TEST(what_programs_say_need_not_be_utf8)
{
	report_warning(report, "Tabelle \xe4 fehlt");
	ck_assert_str_eq(
		said(), "{\"type\":\"warning\",\"text\":\"Tabelle \xef\xbf\xbd fehlt\"}\n");
}
END_TEST

START_TEST(progress_is_not_a_flood)
{
	for (int i = 0; i < 1000; i++)
		report_progress(report, i, i, 1000);
	/* A new stage has progress of its own. */
	report_stage(report, "commit", NULL, NULL);
	report_progress(report, 1000, 1000, 1000);
	ck_assert_uint_le(lines(said()), 5);
}
END_TEST

START_TEST(warnings_are_bounded)
{
	for (int i = 0; i < 10 * REPORT_WARNINGS_MAX; i++)
		report_warning(report, "again");
	ck_assert_uint_eq(lines(said()), REPORT_WARNINGS_MAX);
}
END_TEST

START_TEST(a_run_goes_on_when_nobody_listens)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	ck_assert_int_eq(sigaction(SIGPIPE, &ignore, NULL), 0);
	(void)close(ends[0]);
	for (int i = 0; i < 3; i++)
		report_stage(report, "dump", NULL, NULL);
	ends[0] = -1;
}
END_TEST

int main(void)
{
	Suite *s = suite_create("report");
	TCase *tc = tcase_create("report");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_object_a_line);
	tcase_add_test(tc, what_programs_say_need_not_be_utf8);
	tcase_add_test(tc, progress_is_not_a_flood);
	tcase_add_test(tc, warnings_are_bounded);
	tcase_add_test(tc, a_run_goes_on_when_nobody_listens);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
