/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of backups in a line: never wider than the terminal, and true.
 */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "agent/backup_bar.h"

static char line[4096];

static const char *drawn(size_t columns, const char *run)
{
	const struct term t = {.columns = columns, .rows = 24, .utf8 = false};
	struct buf out = BUF_INIT(sizeof(line) - 1);
	json_t *j = json_loads(run, 0, NULL);

	ck_assert_ptr_nonnull(j);
	backup_bar(&t, j, &out);
	(void)snprintf(line, sizeof(line), "%s", buf_str(&out));
	ck_assert_uint_le(term_width_of(line), columns);
	buf_done(&out);
	json_decref(j);
	return line;
}

static const char *ended(const char *run)
{
	const struct term t = {.columns = 80, .rows = 24};
	struct buf out = BUF_INIT(sizeof(line) - 1);
	json_t *j = json_loads(run, 0, NULL);

	ck_assert_ptr_nonnull(j);
	backup_bar_end(&t, j, &out);
	(void)snprintf(line, sizeof(line), "%s", buf_str(&out));
	buf_done(&out);
	json_decref(j);
	return line;
}

#define RUNNING                                                                                    \
	"{\"job\":\"shop\",\"state\":\"running\",\"stage\":\"dump\",\"plain_bytes\":536870912,"    \
	"\"expected_bytes\":1073741824,\"rate_bytes\":91226112,\"left_ms\":5800}"

START_TEST(it_shows_how_far_it_is_and_how_long_it_takes)
{
	const char *l = drawn(100, RUNNING);

	ck_assert_ptr_nonnull(strstr(l, "shop"));
	ck_assert_ptr_nonnull(strstr(l, "50%"));
	ck_assert_ptr_nonnull(strstr(l, "512M of 1.0G"));
	ck_assert_ptr_nonnull(strstr(l, "87M/s"));
	ck_assert_ptr_nonnull(strstr(l, "6s left"));
}
END_TEST

START_TEST(it_fits_into_any_terminal)
{
	for (size_t columns = 34; columns < 200; columns++)
		(void)drawn(columns, RUNNING);
}
END_TEST

START_TEST(more_than_was_expected_is_no_percentage)
{
	const char *l = drawn(100, "{\"job\":\"shop\",\"state\":\"running\",\"stage\":\"dump\","
				   "\"plain_bytes\":2000000,\"expected_bytes\":1000000,"
				   "\"left_ms\":-1}");

	ck_assert_ptr_null(strstr(l, "%"));
	ck_assert_ptr_null(strstr(l, " of "));
	ck_assert_ptr_null(strstr(l, "left"));
}
END_TEST

START_TEST(where_no_bytes_move_there_are_none)
{
	const char *l = drawn(100, "{\"job\":\"shop\",\"state\":\"running\",\"stage\":\"commit\","
				   "\"plain_bytes\":500,\"expected_bytes\":1000}");

	ck_assert_ptr_nonnull(strstr(l, "commit"));
	ck_assert_ptr_null(strstr(l, "500"));
	ck_assert_ptr_nonnull(
		strstr(drawn(100, "{\"job\":\"shop\",\"state\":\"waiting\"}"), "waiting"));
}
END_TEST

START_TEST(a_good_end_says_where_it_is)
{
	ck_assert_str_eq(
		ended("{\"job\":\"shop\",\"what\":\"backup\",\"state\":\"done\",\"started_ms\":1,"
		      "\"duration_ms\":12000,\"plain_bytes\":1048576,\"stored_bytes\":524288,"
		      "\"backup\":\"20261121T030000Z-3f9a2c\",\"stores\":[{\"name\":\"local\","
		      "\"ok\":true},{\"name\":\"offsite\",\"ok\":true}]}"),
		"shop  done in 12s: 1.0 MiB, stored as 512 KiB in local, offsite "
		"(20261121T030000Z-3f9a2c)\n");
}
END_TEST

START_TEST(a_bad_end_says_at_which_step_and_why)
{
	ck_assert_str_eq(ended("{\"job\":\"shop\",\"what\":\"backup\",\"state\":\"failed\","
			       "\"started_ms\":1,\"duration_ms\":3000,\"stage\":\"dump\","
			       "\"error\":\"no such database\"}"),
		"shop  failed at dump after 3s\n  no such database\n");
}
END_TEST

START_TEST(row_09_what_did_not_reach_all_stores_is_not_called_done)
{
	const char *l =
		ended("{\"job\":\"shop\",\"what\":\"backup\",\"state\":\"failed\",\"partial\":true,"
		      "\"started_ms\":1,\"plain_bytes\":10,\"stored_bytes\":5,\"error\":\"x\","
		      "\"stores\":[{\"name\":\"local\",\"ok\":true},{\"name\":\"offsite\","
		      "\"ok\":false,\"error\":\"the bucket is gone\"}]}");

	ck_assert_ptr_nonnull(strstr(l, "done in part"));
	ck_assert_ptr_nonnull(strstr(l, "in local"));
	ck_assert_ptr_nonnull(strstr(l, "store offsite: the bucket is gone"));
}
END_TEST

START_TEST(the_same_words_are_not_said_twice)
{
	ck_assert_str_eq(ended("{\"job\":\"shop\",\"state\":\"failed\",\"started_ms\":1,"
			       "\"error\":\"files: store nas: it is away\",\"stores\":[{\"name\":"
			       "\"nas\",\"ok\":false,\"error\":\"store nas: it is away\"}],"
			       "\"warnings\":[\"store nas: it is away\",\"the clock is off\"]}"),
		"shop  failed after 0s\n  files: store nas: it is away\n  the clock is off\n");
	/* In part: the error of the run is that of a store. */
	ck_assert_ptr_nonnull(strstr(
		ended("{\"job\":\"shop\",\"state\":\"failed\",\"partial\":true,\"started_ms\":1,"
		      "\"error\":\"store nas: it is away\",\"stores\":[{\"name\":\"nas\",\"ok\":"
		      "false,\"error\":\"store nas: it is away\"}]}"),
		"\n  store nas: it is away\n"));
}
END_TEST

START_TEST(what_a_program_said_cannot_drive_the_terminal)
{
	ck_assert_ptr_null(strchr(ended("{\"job\":\"shop\",\"state\":\"failed\",\"error\":"
					"\"\\u001b[2Jgone\",\"warnings\":[\"a\\u001bb\"]}"),
		'\033'));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("backup_bar");
	TCase *tc = tcase_create("backup_bar");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, it_shows_how_far_it_is_and_how_long_it_takes);
	tcase_add_test(tc, it_fits_into_any_terminal);
	tcase_add_test(tc, more_than_was_expected_is_no_percentage);
	tcase_add_test(tc, where_no_bytes_move_there_are_none);
	tcase_add_test(tc, a_good_end_says_where_it_is);
	tcase_add_test(tc, a_bad_end_says_at_which_step_and_why);
	tcase_add_test(tc, row_09_what_did_not_reach_all_stores_is_not_called_done);
	tcase_add_test(tc, the_same_words_are_not_said_twice);
	tcase_add_test(tc, what_a_program_said_cannot_drive_the_terminal);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
