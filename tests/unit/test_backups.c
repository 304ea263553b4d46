/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's side of backups: what is accepted is run, one at a time, kept and told.
 */
#include "tests/unit/backups_case.h"

START_TEST(a_run_is_done_and_its_figures_are_kept)
{
	json_t *j;
	int64_t run;

	worker_does("say '{\"type\":\"stage\",\"stage\":\"dump\",\"member\":\"shop\"}'\n"
		    "say '{\"type\":\"progress\",\"plain_bytes\":500,\"stored_bytes\":100,"
		    "\"expected_bytes\":1000}'\n" GOOD_RESULT);
	configure(SHOP);
	start_backups();
	run = ask_for("shop", "backup");
	ck_assert_str_eq(state_of(run), "waiting");
	run_to_end(run);
	j = run_of(run);
	ck_assert_str_eq(json_view_text(j, "state"), "done");
	ck_assert_str_eq(json_view_text(j, "backup"), "20261121T030000Z-3f9a2c");
	ck_assert_int_eq(json_view_int(j, "plain_bytes"), 1000);
	ck_assert_int_eq(json_view_int(j, "stored_bytes"), 300);
	ck_assert_str_eq(json_view_text(j, "trigger"), "command");
	ck_assert_str_eq(json_view_text(j, "by"), "root");
	ck_assert_ptr_null(json_object_get(j, "asked"));
	ck_assert_uint_eq(says_seen, 2);
	ck_assert_uint_eq(n_told, 0); /* a good one is no news */
	json_decref(j);
}
END_TEST

START_TEST(a_failure_is_told_with_all_one_needs_to_know)
{
	int64_t run;

	worker_does(BAD_RESULT);
	configure(SHOP);
	start_backups();
	run = ask_for("shop", "backup");
	run_to_end(run);
	ck_assert_str_eq(state_of(run), "failed");
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0]->kind, EVENT_BACKUP_FAILED);
	ck_assert_int_eq(told[0]->severity, SEVERITY_CRITICAL);
	ck_assert_str_eq(told[0]->key, "backup shop");
	ck_assert_str_eq(told[0]->title, "Backup of shop failed");
	ck_assert_ptr_nonnull(strstr(told[0]->text, "pg_dump: no such database"));
	ck_assert_ptr_nonnull(strstr(told[0]->text, "Last good backup: none so far"));
	ck_assert_ptr_nonnull(strstr(told[0]->text, "agent backup doctor shop"));
	ck_assert_str_eq(told[0]->facts[1].value, "output of /bin/true");
	ck_assert_str_eq(told[0]->facts[2].value, "dump, shop");
}
END_TEST

START_TEST(the_first_good_one_after_failures_ends_the_story)
{
	worker_does(BAD_RESULT);
	configure(SHOP);
	start_backups();
	run_to_end(ask_for("shop", "backup"));
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 2);
	worker_does(GOOD_RESULT);
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 3);
	ck_assert_str_eq(told[2]->kind, EVENT_BACKUP_RECOVERED);
	ck_assert(told[2]->is_end);
	ck_assert_str_eq(told[2]->key, told[0]->key);
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 3);
}
END_TEST

START_TEST(successes_are_told_to_who_wants_them)
{
	worker_does(GOOD_RESULT);
	configure("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]; "
		  "notify_success = true } }");
	start_backups();
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0]->kind, EVENT_BACKUP_SUCCEEDED);
	ck_assert(!told[0]->is_end);
}
END_TEST

START_TEST(row_28_a_run_is_good_whether_or_not_anybody_can_be_told)
{
	int64_t run;

	tell_result = -ENOSPC;
	worker_does(GOOD_RESULT);
	configure("databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ]; "
		  "notify_success = true\n"
		  "ping_url = \"http://127.0.0.1:1/\" } }");
	start_backups();
	run = ask_for("shop", "backup");
	run_to_end(run);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(state_of(run), "done");
}
END_TEST

START_TEST(row_09_a_backup_that_some_store_does_not_have_is_a_failure)
{
	json_t *jobs;

	worker_does(
		"say '{\"type\":\"result\",\"ok\":false,\"partial\":true,\"id\":\"x\",\"stores\":"
		"[{\"name\":\"local\",\"ok\":true},{\"name\":\"offsite\",\"ok\":false,"
		"\"error\":\"the bucket is gone\"}]}'");
	configure(SHOP);
	start_backups();
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0]->kind, EVENT_BACKUP_FAILED);
	ck_assert_str_eq(told[0]->title, "Backup of shop did not reach all stores");
	ck_assert_str_eq(told[0]->facts[3].value, "local: good; offsite: the bucket is gone");
	jobs = backups_jobs(backups);
	ck_assert_int_eq(json_view_int(json_array_get(jobs, 0), "last_success_ms"), 0);
	json_decref(jobs);
}
END_TEST

START_TEST(row_09_a_waiting_run_of_a_job_that_is_gone_fails_loudly)
{
	int64_t run;

	worker_does(GOOD_RESULT);
	configure(SHOP);
	start_backups();
	run = ask_for("shop", "backup");
	configure("databases = { blog = { engine = \"command\"; command = [ \"/bin/true\" ] } }");
	run_to_end(run);
	ck_assert_str_eq(state_of(run), "failed");
	ck_assert_uint_eq(n_told, 1);
	ck_assert_ptr_nonnull(strstr(told[0]->text, "there is no backup job \"shop\""));
}
END_TEST

START_TEST(row_13_runs_go_one_after_the_other_those_asked_for_first)
{
	const struct backups_request scheduled = {
		.job = "a", .what = "backup", .trigger = "schedule", .by = "schedule"};
	int64_t first, second, by_hand;

	worker_does("until [ -e go ]; do :; done; " GOOD_RESULT);
	ck_assert_int_eq(chdir(scratch), 0);
	configure("databases = { a = { engine = \"command\"; command = [ \"/bin/true\" ] }; b = { "
		  "engine = \"command\"; command = [ \"/bin/true\" ] } }");
	start_backups();
	first = ask_for("a", "backup");
	TURN_UNTIL(loop, is_in(first, "running"));
	ck_assert_int_eq(backups_start(backups, &scheduled, &second, NULL), 0);
	by_hand = ask_for("b", "verify");
	turn_idle(loop);
	ck_assert_str_eq(state_of(second), "waiting");
	ck_assert_str_eq(state_of(by_hand), "waiting");
	ck_assert_uint_eq(backups_running(backups), 1);
	scratch_write("go", "", 0);
	TURN_UNTIL(loop, !is_in(by_hand, "waiting"));
	ck_assert_str_eq(state_of(first), "done");
	ck_assert_str_eq(state_of(second), "waiting");
	run_to_end(second);
	ck_assert_str_eq(state_of(second), "done");
}
END_TEST

START_TEST(a_worker_that_is_killed_is_a_failure)
{
	int64_t run;

	worker_does("echo last words; kill -9 $$");
	configure(SHOP);
	start_backups();
	run = ask_for("shop", "backup");
	run_to_end(run);
	ck_assert_str_eq(state_of(run), "failed");
	ck_assert_uint_eq(n_told, 1);
	ck_assert_ptr_nonnull(
		strstr(told[0]->text, "interrupted: its worker ended early (killed by "
				      "signal 9"));
	ck_assert_ptr_nonnull(strstr(told[0]->text, "last words"));
}
END_TEST

START_TEST(a_run_that_takes_too_long_is_ended_and_told)
{
	int64_t run;

	worker_does("while :; do :; done");
	configure(SHOP);
	backup_config->jobs[0].deadline_ms = 200;
	start_backups();
	run = ask_for("shop", "backup");
	run_to_end(run);
	ck_assert_str_eq(state_of(run), "timed_out");
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0]->title, "Backup of shop took too long and was ended");
}
END_TEST

static const json_t *cancelled_run;
static char cancelled_state[32], cancelled_why[100];

static void on_cancelled(void *user, const json_t *run)
{
	(void)user;
	cancelled_run = run;
	(void)str_copy(cancelled_state, sizeof(cancelled_state), json_view_text(run, "state"));
	(void)str_copy(cancelled_why, sizeof(cancelled_why), json_view_text(run, "error"));
}

START_TEST(a_run_can_be_cancelled_and_unwinds)
{
	int64_t run, waiting;

	worker_does(
		"trap 'say "
		"\"{\\\"type\\\":\\\"result\\\",\\\"ok\\\":false,\\\"error\\\":\\\"stopped\\\"}\"; "
		"exit 1' TERM; : >begun; while :; do :; done");
	ck_assert_int_eq(chdir(scratch), 0);
	configure(SHOP);
	start_backups();
	run = ask_for("shop", "backup");
	waiting = ask_for("shop", "verify");
	TURN_UNTIL(loop, scratch_has("begun"));
	ck_assert_int_eq(backups_cancel(backups, waiting, "ann", on_cancelled, NULL, NULL),
		BACKUPS_CANCELLED);
	ck_assert_str_eq(state_of(waiting), "cancelled");
	cancelled_run = NULL;
	ck_assert_int_eq(backups_cancel(backups, run, "ann", on_cancelled, NULL, NULL), 0);
	TURN_UNTIL(loop, cancelled_run);
	ck_assert_str_eq(cancelled_state, "cancelled");
	ck_assert_str_eq(cancelled_why, "cancelled by ann");
	ck_assert_uint_eq(n_told, 0); /* who did it knows */
	ck_assert_int_eq(backups_cancel(backups, run, "ann", on_cancelled, NULL, NULL), -ENOENT);
}
END_TEST

START_TEST(a_failed_verification_has_a_story_of_its_own)
{
	worker_does(BAD_RESULT);
	configure(SHOP);
	start_backups();
	run_to_end(ask_for("shop", "verify"));
	ck_assert_str_eq(told[0]->kind, EVENT_BACKUP_VERIFY_FAILED);
	ck_assert_str_eq(told[0]->key, "backup shop verify");
	worker_does(GOOD_RESULT);
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 1);
	run_to_end(ask_for("shop", "verify"));
	ck_assert_uint_eq(n_told, 2);
	ck_assert_str_eq(told[1]->kind, EVENT_BACKUP_VERIFIED);
	ck_assert(told[1]->is_end);
}
END_TEST

START_TEST(row_15_what_could_not_be_removed_is_told)
{
	worker_does("say '{\"type\":\"removed\",\"store\":\"local\",\"id\":\"old\",\"ok\":false,"
		    "\"error\":\"access denied\"}'\n" GOOD_RESULT);
	configure(SHOP);
	start_backups();
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0]->kind, EVENT_BACKUP_PRUNE_FAILED);
	ck_assert_int_eq(told[0]->severity, SEVERITY_WARNING);
	ck_assert_ptr_nonnull(strstr(told[0]->text, "access denied"));
}
END_TEST

START_TEST(row_26_what_a_lock_keeps_is_told_to_nobody)
{
	worker_does("say '{\"type\":\"removed\",\"store\":\"local\",\"id\":\"old\",\"ok\":false,"
		    "\"retained\":true,\"error\":\"locked\"}'\n" GOOD_RESULT);
	configure(SHOP);
	start_backups();
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

START_TEST(the_same_warning_is_told_once)
{
	worker_does("say '{\"type\":\"warning\",\"text\":\"2 tables are MyISAM\"}'\n" GOOD_RESULT);
	configure(SHOP);
	start_backups();
	run_to_end(ask_for("shop", "backup"));
	run_to_end(ask_for("shop", "backup"));
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0]->kind, EVENT_BACKUP_WARNING);
	ck_assert_str_eq(told[0]->text, "2 tables are MyISAM");
}
END_TEST

static json_t *listed;

static void on_listed(void *user, const json_t *catalogue)
{
	(void)user;
	listed = json_incref((json_t *)(uintptr_t)catalogue);
}

START_TEST(the_stores_are_asked_for_what_there_is)
{
	static char script[] =
		"cat >/dev/null; echo "
		"'{\"type\":\"catalogue\",\"store\":\"a\",\"backups\":[{\"id\":\"old\","
		"\"started_ms\":1},{\"id\":\"new\",\"started_ms\":3}]}' >&3\n"
		"echo '{\"type\":\"catalogue\",\"store\":\"b\",\"backups\":[{\"id\":\"mid\","
		"\"started_ms\":2}]}' >&3\n"
		"echo "
		"'{\"type\":\"result\",\"ok\":false,\"stores\":[{\"name\":\"c\",\"ok\":false,"
		"\"error\":"
		"\"not to be reached\"}]}' >&3; exit 1";
	json_t *list, *known;

	worker_argv[0] = "sh";
	worker_argv[1] = "-c";
	worker_argv[2] = script;
	configure(SHOP);
	start_backups();
	ck_assert_int_eq(backups_catalogue(backups, "shop", &known, NULL), 0);
	ck_assert_int_eq(json_view_int(known, "time_ms"), 0);
	json_decref(known);
	listed = NULL;
	ck_assert_int_eq(backups_refresh(backups, "shop", on_listed, NULL, NULL), 0);
	TURN_UNTIL(loop, listed);
	list = json_object_get(listed, "backups");
	ck_assert_uint_eq(json_array_size(list), 3);
	ck_assert_str_eq(json_view_text(json_array_get(list, 0), "id"), "new");
	ck_assert_str_eq(json_view_text(json_array_get(list, 1), "id"), "mid");
	ck_assert_str_eq(json_view_text(json_array_get(list, 1), "store"), "b");
	ck_assert_str_eq(
		json_view_text(json_array_get(json_object_get(listed, "errors"), 0), "error"),
		"not to be reached");
	ck_assert_int_eq(backups_catalogue(backups, "shop", &known, NULL), 0);
	ck_assert_int_ne(json_view_int(known, "time_ms"), 0);
	json_decref(known);
	json_decref(listed);
}
END_TEST

START_TEST(how_a_job_stands_is_what_its_last_run_came_to_while_the_next_one_goes_on)
{
	int64_t failed, next;
	json_t *jobs, *job;

	worker_does(BAD_RESULT);
	configure(SHOP);
	start_backups();
	failed = ask_for("shop", "backup");
	run_to_end(failed);
	worker_does("until [ -e go ]; do :; done; " GOOD_RESULT);
	ck_assert_int_eq(chdir(scratch), 0);
	next = ask_for("shop", "backup");
	for (int running = 0; running < 2; running++) {
		if (running)
			TURN_UNTIL(loop, is_in(next, "running"));
		jobs = backups_jobs(backups);
		job = json_array_get(jobs, 0);
		ck_assert_int_eq(json_view_int(json_object_get(job, "last"), "run"), failed);
		ck_assert_int_eq(json_view_int(job, "waiting"), !running);
		ck_assert_int_eq(json_is_object(json_object_get(job, "running")), running);
		json_decref(jobs);
	}
	scratch_write("go", "", 0);
	run_to_end(next);
}
END_TEST

START_TEST(a_restore_by_a_command_is_noted_and_told)
{
	json_t *result = json_pack("{s:b, s:s, s:i}", "ok", 1, "id", "x", "plain_bytes", 5);
	int64_t run;

	worker_does(GOOD_RESULT);
	configure(SHOP);
	start_backups();
	ck_assert_int_eq(
		backups_report(backups, "shop", "restore", result, 1000, "root", &run, NULL), 0);
	json_decref(result);
	ck_assert_str_eq(state_of(run), "done");
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0]->kind, EVENT_BACKUP_RESTORED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {a_run_is_done_and_its_figures_are_kept,
		a_failure_is_told_with_all_one_needs_to_know,
		the_first_good_one_after_failures_ends_the_story,
		successes_are_told_to_who_wants_them,
		row_28_a_run_is_good_whether_or_not_anybody_can_be_told,
		row_09_a_backup_that_some_store_does_not_have_is_a_failure,
		row_09_a_waiting_run_of_a_job_that_is_gone_fails_loudly,
		row_13_runs_go_one_after_the_other_those_asked_for_first,
		a_worker_that_is_killed_is_a_failure, a_run_that_takes_too_long_is_ended_and_told,
		a_run_can_be_cancelled_and_unwinds, a_failed_verification_has_a_story_of_its_own,
		row_15_what_could_not_be_removed_is_told,
		row_26_what_a_lock_keeps_is_told_to_nobody, the_same_warning_is_told_once,
		the_stores_are_asked_for_what_there_is,
		how_a_job_stands_is_what_its_last_run_came_to_while_the_next_one_goes_on,
		a_restore_by_a_command_is_noted_and_told};
	Suite *s = suite_create("backups");
	TCase *tc = tcase_create("backups");
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
