/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/prometheus_deploys.h"

static struct buf out;
static struct deploy_counts counts;

static void setup(void)
{
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	buf_done(&out);
	deploy_counts_done(&counts);
}

/* Writes the apps given as JSON with ' for ". */
static void write_apps(const char *text)
{
	char *json = strdup(text);
	json_t *apps;

	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	apps = json_loads(json, 0, NULL);
	ck_assert_ptr_nonnull(apps);
	buf_clear(&out);
	buf_addc(&out, '\n'); /* has() looks for whole lines */
	prometheus_deploys_write(&out, apps, &counts);
	json_decref(apps);
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

START_TEST(an_app_that_serves)
{
	write_apps("[{'name': 'shop', 'serves': {'state': 'done', 'started_ms': 1795237260500, "
		   "'ended_ms': 1795237350500, 'downtime_ms': 120}, 'last': {'state': 'done'}}]");
	ck_assert(has("agent_deploy_last_success_timestamp_seconds{app=\"shop\"} 1795237350.5"));
	ck_assert(has("agent_deploy_last_duration_seconds{app=\"shop\"} 90"));
	ck_assert(has("agent_deploy_last_downtime_seconds{app=\"shop\"} 0.12"));
	ck_assert(has("agent_deploy_last_ok{app=\"shop\"} 1"));
	ck_assert(has("agent_deploy_running{app=\"shop\"} 0"));
	ck_assert(has("agent_deploy_waiting{app=\"shop\"} 0"));
	ck_assert(has("# TYPE agent_deploy_running gauge"));
}
END_TEST

START_TEST(one_that_was_never_deployed)
{
	write_apps("[{'name': 'shop'}, {}, 7]");
	ck_assert(!names("agent_deploy_last"));
	ck_assert(has("agent_deploy_running{app=\"shop\"} 0"));
}
END_TEST

START_TEST(what_is_under_way)
{
	write_apps("[{'name': 'a', 'current': {'state': 'watching'}}, {'name': 'b', 'current': "
		   "{'state': 'queued'}}, {'name': 'c', 'current': {'state': 'nonsense'}}]");
	ck_assert(has("agent_deploy_running{app=\"a\"} 1"));
	ck_assert(has("agent_deploy_waiting{app=\"a\"} 0"));
	ck_assert(has("agent_deploy_running{app=\"b\"} 0"));
	ck_assert(has("agent_deploy_waiting{app=\"b\"} 1"));
	ck_assert(has("agent_deploy_running{app=\"c\"} 0"));
}
END_TEST

START_TEST(how_the_last_one_ended)
{
	static const struct {
		const char *state, *value; /* NULL: left out */
	} rows[] = {{"done", "1"}, {"skipped", "1"}, {"failed", "0"}, {"rolled_back", "0"},
		{"broken", "0"}, {"cancelled", NULL}, {"superseded", NULL}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[200], line[100];

		(void)snprintf(text, sizeof(text), "[{'name': 'a', 'last': {'state': '%s'}}]",
			rows[i].state);
		(void)snprintf(line, sizeof(line), "agent_deploy_last_ok{app=\"a\"} %s",
			rows[i].value ? rows[i].value : "");
		write_apps(text);
		ck_assert_msg(rows[i].value ? has(line) : !names("last_ok"), "%s", rows[i].state);
	}
}
END_TEST

START_TEST(a_downtime_that_was_not_measured_is_left_out)
{
	write_apps("[{'name': 'a', 'serves': {'downtime_ms': -1, 'started_ms': 0, 'ended_ms': "
		   "1795237350500}}]");
	ck_assert(!names("agent_deploy_last_downtime"));
	ck_assert(!names("agent_deploy_last_duration"));
	prometheus_deploys_write(&out, NULL, &counts);
}
END_TEST

static void tell(int id, const char *app, const char *state, const char *verdict)
{
	json_t *message = json_pack("{s:s, s:{s:i, s:s, s:s, s:s}}", "event", "deploy", "deploy",
		"id", id, "app", app, "state", state, "verdict_grade", verdict);

	deploy_counts_put(&counts, message);
	json_decref(message);
}

START_TEST(each_end_is_counted_once)
{
	tell(7, "shop", "building", "");
	tell(7, "shop", "done", "");
	tell(7, "shop", "done", "");
	tell(8, "shop", "failed", "");
	tell(9, "blog", "done", "");
	tell(10, "shop", "done", "");
	tell(7, "shop", "done", "good"); /* ten minutes later */
	tell(3, "shop", "done", "worse"); /* from before this process */
	write_apps("[{'name': 'shop'}, {'name': 'blog'}, {}]");
	ck_assert(has("# TYPE agent_deploys_total counter"));
	ck_assert(has("agent_deploys_total{app=\"shop\",state=\"done\"} 2"));
	ck_assert(has("agent_deploys_total{app=\"shop\",state=\"failed\"} 1"));
	ck_assert(has("agent_deploys_total{app=\"shop\",state=\"rolled_back\"} 0"));
	ck_assert(has("agent_deploys_total{app=\"blog\",state=\"done\"} 1"));
	ck_assert(!names("state=\"building\""));
}
END_TEST

START_TEST(what_is_no_deploy_is_not_counted)
{
	static const char *const texts[] = {"{}", "{\"deploy\": 7}",
		"{\"deploy\": {\"id\": 1, \"app\": \"a\"}}",
		"{\"deploy\": {\"id\": 1, \"state\": \"done\"}}",
		"{\"deploy\": {\"id\": 1, \"app\": 1, \"state\": \"done\"}}",
		"{\"deploy\": {\"app\": \"a\", \"state\": \"done\"}}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *message = json_loads(texts[i], 0, NULL);

		deploy_counts_put(&counts, message);
		json_decref(message);
	}
	ck_assert_uint_eq(counts.n, 0);
}
END_TEST

START_TEST(many_apps_and_many_deploys_take_no_more_room)
{
	for (int i = 1; i <= 1000; i++) {
		char app[20];

		(void)snprintf(app, sizeof(app), "app%d", i);
		tell(i, app, "done", "");
		tell(1000 + i, "app1", "done", "");
	}
	ck_assert_uint_eq(counts.n, DEPLOY_COUNTS_APPS_MAX);
	ck_assert_uint_eq(deploy_counts_get(&counts, "app1", DEPLOY_DONE), 1001);
	ck_assert_uint_eq(deploy_counts_get(&counts, "app999", DEPLOY_DONE), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("prometheus_deploys");
	TCase *t = tcase_create("prometheus_deploys");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_app_that_serves);
	tcase_add_test(t, one_that_was_never_deployed);
	tcase_add_test(t, what_is_under_way);
	tcase_add_test(t, how_the_last_one_ended);
	tcase_add_test(t, a_downtime_that_was_not_measured_is_left_out);
	tcase_add_test(t, each_end_is_counted_once);
	tcase_add_test(t, what_is_no_deploy_is_not_counted);
	tcase_add_test(t, many_apps_and_many_deploys_take_no_more_room);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
