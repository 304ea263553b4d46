/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups over time: what the schedule brings about, and what a daemon's end leaves to the next one.
 */
#include "tests/unit/backups_case.h"

START_TEST(row_12_what_was_running_when_the_daemon_was_killed_is_interrupted_and_told)
{
	struct err e = {""};
	int64_t run, waiting;
	json_t *j;

	worker_does(GOOD_RESULT);
	configure(SHOP);
	start_backups();
	run = ask_for("shop", "backup");
	waiting = ask_for("shop", "verify");
	backups_free(backups); /* nothing began: as after a kill, but for this */
	backups = NULL;
	ck_assert_msg(db_exec(db,
			      "UPDATE backup_run SET state = 'running', body = replace(body, "
			      "'\"waiting\"', '\"running\"') WHERE what = 'backup'",
			      &e) == 0,
		"%s", e.msg);
	start_backups();
	ck_assert_str_eq(state_of(run), "interrupted");
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0]->kind, EVENT_BACKUP_FAILED);
	ck_assert_str_eq(told[0]->title, "Backup of shop was interrupted");
	/* What was accepted is done. */
	run_to_end(waiting);
	ck_assert_str_eq(state_of(waiting), "done");
	j = run_of(run);
	ck_assert_int_ne(json_view_int(j, "ended_ms"), 0);
	json_decref(j);
}
END_TEST

START_TEST(row_12_one_of_the_schedule_that_was_interrupted_is_made_again_once)
{
	const struct backups_request q = {
		.job = "shop", .what = "backup", .trigger = "schedule", .by = "schedule"};
	struct backup_runs_query all = {.job = "shop", .what = "backup", .limit = 10};
	static const char killed[] = "UPDATE backup_run SET state = 'running', body = "
				     "replace(body, '\"waiting\"', '\"running\"')";
	int64_t run;
	json_t *list;

	worker_does(GOOD_RESULT);
	configure("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]; "
		  "schedule = \"@yearly\" } }");
	start_backups();
	ck_assert_int_eq(backups_start(backups, &q, &run, NULL), 0);
	for (int i = 0; i < 2; i++) { /* and the second one, too */
		backups_free(backups);
		backups = NULL;
		ck_assert_int_eq(db_exec(db,
					 i == 0 ? killed
						: "UPDATE backup_run SET state = 'running', "
						  "body = replace(body, '\"waiting\"', "
						  "'\"running\"') WHERE state = 'waiting'",
					 NULL),
			0);
		start_backups();
	}
	ck_assert_int_eq(backups_list_runs(backups, &all, &list, NULL), 0);
	ck_assert_uint_eq(json_array_size(list), 2);
	ck_assert_str_eq(json_view_text(json_array_get(list, 0), "trigger"), "catch-up");
	ck_assert_str_eq(json_view_text(json_array_get(list, 0), "state"), "interrupted");
	ck_assert_str_eq(json_view_text(json_array_get(list, 1), "state"), "interrupted");
	json_decref(list);
}
END_TEST

START_TEST(row_12_after_the_boot_databases_get_time_to_start_unless_somebody_waits)
{
	const struct backups_request q = {
		.job = "shop", .what = "backup", .trigger = "catch-up", .by = "schedule"};
	int64_t late, asked;

	worker_does(GOOD_RESULT);
	configure(SHOP);
	quiet_until_ms = clock_mono_ms() + 3600 * 1000;
	start_backups();
	ck_assert_int_eq(backups_start(backups, &q, &late, NULL), 0);
	asked = ask_for("shop", "backup");
	run_to_end(asked);
	ck_assert_str_eq(state_of(asked), "done");
	ck_assert_str_eq(state_of(late), "waiting");
	backups_free(backups);
	quiet_until_ms = clock_mono_ms();
	start_backups();
	run_to_end(late);
	ck_assert_str_eq(state_of(late), "done");
}
END_TEST

START_TEST(the_daemon_s_end_lets_a_run_unwind)
{
	int64_t run;

	worker_does(
		"trap 'say "
		"\"{\\\"type\\\":\\\"result\\\",\\\"ok\\\":false,\\\"error\\\":\\\"stopped\\\"}\"; "
		": >unwound; exit 1' TERM; : >begun; while :; do :; done");
	ck_assert_int_eq(chdir(scratch), 0);
	configure(SHOP);
	start_backups();
	run = ask_for("shop", "backup");
	TURN_UNTIL(loop, scratch_has("begun"));
	loop_stop(loop, 0); /* as the daemon does */
	backups_free(backups);
	backups = NULL;
	ck_assert(scratch_has("unwound"));
	loop_resume(loop);
	start_backups();
	ck_assert_str_eq(state_of(run), "interrupted");
	ck_assert_uint_eq(n_told, 1);
}
END_TEST

START_TEST(row_29_a_job_without_a_good_backup_for_too_long_is_told_once)
{
	json_t *jobs;

	worker_does(GOOD_RESULT);
	configure("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]; "
		  "overdue = \"26h\" } }");
	start_backups();
	turn_idle(loop);
	ck_assert_uint_eq(n_told, 0);
	/* First seen two days ago, as far as it knows. */
	backups_free(backups);
	backups = NULL;
	ck_assert_int_eq(db_exec(db,
				 "UPDATE backup_number SET value = value - 172800000 WHERE name = "
				 "'first_seen'",
				 NULL),
		0);
	start_backups();
	TURN_UNTIL(loop, n_told);
	ck_assert_str_eq(told[0]->kind, EVENT_BACKUP_OVERDUE);
	ck_assert_int_eq(told[0]->severity, SEVERITY_CRITICAL);
	jobs = backups_jobs(backups);
	ck_assert(json_is_true(json_object_get(json_array_get(jobs, 0), "overdue")));
	json_decref(jobs);
	configure("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]; "
		  "overdue = \"25h\" } }");
	turn_idle(loop);
	ck_assert_uint_eq(n_told, 1);
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 2);
	ck_assert_str_eq(told[1]->kind, EVENT_BACKUP_RECOVERED);
	ck_assert_str_eq(told[1]->key, told[0]->key);
}
END_TEST

START_TEST(a_due_run_is_begun_by_the_clock)
{
	struct backup_runs_query all = {.job = "shop", .limit = 10};
	json_t *list = NULL;

	worker_does(GOOD_RESULT);
	configure("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]; "
		  "schedule = \"@yearly\" } }");
	start_backups();
	turn_idle(loop);
	backups_free(backups);
	backups = NULL;
	ck_assert_int_eq(
		db_exec(db,
			"UPDATE backup_number SET value = value - 32000000000 WHERE name = "
			"'handled.backup'",
			NULL),
		0);
	start_backups();
	turn_idle(loop);
	ck_assert_int_eq(backups_list_runs(backups, &all, &list, NULL), 0);
	ck_assert_uint_eq(json_array_size(list), 1);
	ck_assert_str_eq(json_view_text(json_array_get(list, 0), "trigger"), "catch-up");
	json_decref(list);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		row_12_what_was_running_when_the_daemon_was_killed_is_interrupted_and_told,
		row_12_one_of_the_schedule_that_was_interrupted_is_made_again_once,
		row_12_after_the_boot_databases_get_time_to_start_unless_somebody_waits,
		the_daemon_s_end_lets_a_run_unwind,
		row_29_a_job_without_a_good_backup_for_too_long_is_told_once,
		a_due_run_is_begun_by_the_clock};
	Suite *s = suite_create("backups_time");
	TCase *tc = tcase_create("backups_time");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, start_case, finish_case);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
