/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/kept_list.h"
#include "agent/web/prometheus_backups.h"

static struct buf out;

static void setup(void)
{
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	buf_done(&out);
}

/* Writes the jobs given as JSON with ' for ". */
static void write_jobs(const char *text)
{
	char *json = strdup(text);
	json_t *jobs;

	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	jobs = json_loads(json, 0, NULL);
	ck_assert_ptr_nonnull(jobs);
	buf_clear(&out);
	buf_addc(&out, '\n'); /* has() looks for whole lines */
	prometheus_backups_write(&out, jobs);
	json_decref(jobs);
	free(json);
}

static bool has(const char *line)
{
	char whole[500];

	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	return strstr(buf_str(&out), whole) != NULL;
}

static bool names(const char *family)
{
	return strstr(buf_str(&out), family) != NULL;
}

START_TEST(a_job_that_works)
{
	write_jobs("[{'name': 'shop', 'last_success_ms': 1795237260500, 'last_size_bytes': 900, "
		   "'last_plain_bytes': 4000, 'last_duration_ms': 2500, 'next_ms': 1795312800000, "
		   "'overdue': false, 'last': {'state': 'done', 'ended_ms': 1795237260500}, "
		   "'last_verify': {'state': 'done', 'ended_ms': 1795237300000}, "
		   "'last_drill': {'state': 'failed', 'ended_ms': 1795237400000}}]");
	ck_assert(has("agent_backup_last_success_timestamp_seconds{backup=\"shop\"} 1795237260.5"));
	ck_assert(has("agent_backup_last_size_bytes{backup=\"shop\"} 900"));
	ck_assert(has("agent_backup_last_plain_size_bytes{backup=\"shop\"} 4000"));
	ck_assert(has("agent_backup_last_duration_seconds{backup=\"shop\"} 2.5"));
	ck_assert(has("agent_backup_last_run_ok{backup=\"shop\"} 1"));
	ck_assert(has("agent_backup_running{backup=\"shop\"} 0"));
	ck_assert(has("agent_backup_overdue{backup=\"shop\"} 0"));
	ck_assert(has("agent_backup_next_run_timestamp_seconds{backup=\"shop\"} 1795312800"));
	ck_assert(has("agent_backup_last_verify_timestamp_seconds{backup=\"shop\"} 1795237300"));
	ck_assert(has("agent_backup_last_verify_ok{backup=\"shop\"} 1"));
	ck_assert(has("agent_backup_last_drill_timestamp_seconds{backup=\"shop\"} 1795237400"));
	ck_assert(has("agent_backup_last_drill_ok{backup=\"shop\"} 0"));
	ck_assert(has("# TYPE agent_backup_overdue gauge"));
}
END_TEST

START_TEST(unknown_is_left_out_not_zero)
{
	write_jobs("[{'name': 'new', 'last_success_ms': 0, 'last_size_bytes': 0, "
		   "'last_plain_bytes': 0, "
		   "'last_duration_ms': 0, 'next_ms': 0, 'overdue': true, 'running': {'run': 1}}]");
	ck_assert(has("agent_backup_overdue{backup=\"new\"} 1"));
	ck_assert(has("agent_backup_running{backup=\"new\"} 1"));
	ck_assert(!names("_last_"));
	ck_assert(!names("_next_run_"));
}
END_TEST

START_TEST(every_bad_end_is_not_ok)
{
	static const char *const states[] = {"failed", "cancelled", "interrupted", "timed_out"};
	char text[200];

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		(void)snprintf(text, sizeof(text),
			"[{'name': 'a', 'last': {'state': '%s', 'ended_ms': 5}}]", states[i]);
		write_jobs(text);
		ck_assert_msg(has("agent_backup_last_run_ok{backup=\"a\"} 0"), "%s", states[i]);
	}
	write_jobs("[{'name': 'a', 'last': {'state': 'done', 'partial': true, 'ended_ms': 5}}]");
	ck_assert(has("agent_backup_last_run_ok{backup=\"a\"} 0"));
	write_jobs("[{'name': 'a', 'last': {'state': 'running', 'ended_ms': 0}}]");
	ck_assert(!names("_last_run_ok"));
}
END_TEST

START_TEST(one_head_for_all_jobs_and_names_are_escaped)
{
	const char *first;

	write_jobs("[{'name': 'a\\\\b', 'overdue': false}, {'name': 'c', 'overdue': true}]");
	ck_assert(has("agent_backup_overdue{backup=\"a\\\\b\"} 0"));
	ck_assert(has("agent_backup_overdue{backup=\"c\"} 1"));
	first = strstr(buf_str(&out), "# TYPE agent_backup_overdue");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "# TYPE agent_backup_overdue"));
}
END_TEST

START_TEST(without_jobs_there_is_nothing)
{
	prometheus_backups_write(&out, NULL);
	ck_assert_uint_eq(out.len, 0);
	write_jobs("[]");
	ck_assert_str_eq(buf_str(&out), "\n");
}
END_TEST

START_TEST(what_the_daemon_said_is_kept_for_a_while)
{
	json_t *answer = json_pack("{s:[{s:s}]}", "jobs", "name", "shop");
	struct kept_list known = {0};

	ck_assert(!kept_list_is_fresh(&known, 1000));
	kept_list_take(&known, answer, "jobs", 1000);
	json_decref(answer);
	ck_assert(kept_list_is_fresh(&known, 1000 + KEPT_LIST_FRESH_MS - 1));
	ck_assert(!kept_list_is_fresh(&known, 1000 + KEPT_LIST_FRESH_MS));
	ck_assert_uint_eq(json_array_size(known.list), 1);
	kept_list_forget(&known);
	ck_assert(!kept_list_is_fresh(&known, 1000));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("prometheus_backups");
	TCase *t = tcase_create("prometheus_backups");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_job_that_works);
	tcase_add_test(t, unknown_is_left_out_not_zero);
	tcase_add_test(t, every_bad_end_is_not_ok);
	tcase_add_test(t, one_head_for_all_jobs_and_names_are_escaped);
	tcase_add_test(t, without_jobs_there_is_nothing);
	tcase_add_test(t, what_the_daemon_said_is_kept_for_a_while);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
