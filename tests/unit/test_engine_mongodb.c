/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/engine_mongodb.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/engine_case.h"

static void make_call(void)
{
	call_new("mongodb");
}

/* Those of the tool itself, with a space between; *config: what it reads as its configuration. */
static const char *arguments(const char **config)
{
	static char text[2048], env[2048];
	struct mongo_tool t;
	bool own = false;

	mongo_tool_init(&t, &call, "mongodump");
	text[0] = env[0] = '\0';
	for (size_t i = 0; i < t.argv.n; i++) {
		own = own || strcmp(t.argv.v[i], "mongodump") == 0;
		if (own)
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				*text ? " " : "", t.argv.v[i]);
	}
	if (t.env.n)
		(void)snprintf(env, sizeof(env), "%s", t.env.v[0]);
	*config = env;
	mongo_tool_done(&t);
	return text;
}

START_TEST(without_a_password_there_is_no_shell_and_no_configuration)
{
	const char *config;

	job.host = "db1";
	job.port = 27018;
	ck_assert_str_eq(arguments(&config), "mongodump --host=db1 --port=27018");
	ck_assert_str_eq(config, "");
	job.host = NULL;
	job.port = 0;
	job.socket = "/tmp/mongodb-27017.sock";
	ck_assert_str_eq(arguments(&config), "mongodump --host=/tmp/mongodb-27017.sock");
}
END_TEST

START_TEST(row_32_the_password_is_in_no_argument)
{
	const char *config;

	job.user = "backup";
	job.auth_database = "shop";
	call.password = "a\"b\\c\nd$e";
	ck_assert_str_eq(
		arguments(&config), "mongodump --username=backup --authenticationDatabase=shop");
	ck_assert_str_eq(config, "AGENT_MONGO_CONFIG=password: \"a\\\"b\\\\c\\x0ad$e\"\n");
}
END_TEST

START_TEST(an_address_of_several_servers_is_taken_as_it_is)
{
	const char *config;

	job.host = "mongodb://db1,db2/?replicaSet=rs0";
	job.user = "backup";
	ck_assert_str_eq(
		arguments(&config), "mongodump --username=backup --authenticationDatabase=admin");
	ck_assert_str_eq(config, "AGENT_MONGO_CONFIG=uri: \"mongodb://db1,db2/?replicaSet=rs0\"\n");
}
END_TEST

START_TEST(versions_of_tools_are_read)
{
	char version[64];

	ck_assert_int_eq(
		mongo_tool_version("mongodump version: 100.9.4\ngit version: x\n", version, &e), 0);
	ck_assert_str_eq(version, "100.9.4");
	ck_assert_int_eq(mongo_tool_version("mongorestore version: r4.0.28\n", version, &e), 0);
	ck_assert_str_eq(version, "4.0.28");
	ck_assert_int_eq(mongo_tool_version("built-without-version-string", version, &e), -EBADMSG);
}
END_TEST

START_TEST(row_30_documents_that_were_refused_are_read)
{
	ck_assert_int_eq(
		mongo_failed_documents("x\t12 document(s) restored successfully. 30 document(s) "
				       "failed to restore.\n"),
		30);
	ck_assert_int_eq(mongo_failed_documents("12 document(s) restored successfully. 0 "
						"document(s) failed to restore."),
		0);
	ck_assert_int_eq(mongo_failed_documents("done"), -1);
	ck_assert_int_eq(mongo_failed_documents(" document(s) failed to restore"), -1);
}
END_TEST

START_TEST(known_errors_have_a_cure)
{
	(void)err_set(&e, EREMOTEIO, "mongodump: exit status 1: (AuthenticationFailed) x");
	ck_assert_int_eq(mongo_add_cure(&e, -EREMOTEIO), -EREMOTEIO);
	ck_assert(strstr(e.msg, "auth_database"));
	(void)err_set(&e, EREMOTEIO, "something else");
	ck_assert_int_eq(mongo_add_cure(&e, -EREMOTEIO), -EREMOTEIO);
	ck_assert_str_eq(e.msg, "something else");
	ck_assert_int_eq(mongo_add_cure(&e, 0), 0);
}
END_TEST

static int check_with(const char *argument)
{
	const char *items[] = {argument, NULL};

	job.arguments = (struct job_list){items, argument ? 1 : 0};
	return engine_mongodb.check_job(&job, &e);
}

START_TEST(arguments_that_would_break_the_dump_are_refused)
{
	static const char *const bad[] = {"--quiet", "--archive=/tmp/x", "--gzip", "-dshop",
		"--db=x", "--out", "-o", "--password=x", "-px", "--uri=mongodb://x", "--config=x",
		"--dumpDbUsersAndRoles"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(check_with(bad[i]), -EINVAL);
	ck_assert_int_eq(check_with("--oplog"), 0);
}
END_TEST

START_TEST(jobs_with_contradictions_are_refused)
{
	ck_assert_int_eq(check_with(NULL), 0);
	job.host = "mongodb://me:secret@db1/";
	ck_assert_int_eq(check_with(NULL), -EINVAL);
	ck_assert(!strstr(e.msg, "secret"));
	job.host = "db1";
	job.password_file = "/x";
	ck_assert_int_eq(check_with(NULL), -EINVAL);
	job.user = "u";
	ck_assert_int_eq(check_with(NULL), 0);
	job.socket = "/s";
	ck_assert_int_eq(check_with(NULL), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine_mongodb");
	TCase *tc = tcase_create("engine");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, make_call, call_done);
	tcase_add_test(tc, without_a_password_there_is_no_shell_and_no_configuration);
	tcase_add_test(tc, row_32_the_password_is_in_no_argument);
	tcase_add_test(tc, an_address_of_several_servers_is_taken_as_it_is);
	tcase_add_test(tc, versions_of_tools_are_read);
	tcase_add_test(tc, row_30_documents_that_were_refused_are_read);
	tcase_add_test(tc, known_errors_have_a_cure);
	tcase_add_test(tc, arguments_that_would_break_the_dump_are_refused);
	tcase_add_test(tc, jobs_with_contradictions_are_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
