/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/prometheus_deploys.h"

static struct buf out;

static void setup(void)
{
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	buf_done(&out);
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
	prometheus_deploys_write(&out, apps);
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
	prometheus_deploys_write(&out, NULL);
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
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
