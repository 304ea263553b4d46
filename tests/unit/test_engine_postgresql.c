/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/engine_postgresql.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_postgresql_restore.h"
#include "tests/unit/engine_case.h"

static void make_call(void)
{
	call_new("postgresql");
}

START_TEST(row_32_the_password_is_in_no_argument)
{
	struct pg_tool t;

	job.user = "backup";
	job.host = "10.0.0.5";
	job.port = 5433;
	call.password = "hush";
	pg_dump_tool(&t, &call, "shop");
	ck_assert_str_eq(joined(&t.argv),
		"pg_dump --format=custom --compress=0 --no-password --lock-wait-timeout=60s");
	ck_assert_str_eq(joined(&t.env), "LC_ALL=C PGAPPNAME=agent PGCONNECT_TIMEOUT=20 "
					 "PGUSER=backup PGHOST=10.0.0.5 PGPORT=5433 "
					 "PGPASSWORD=hush PGDATABASE=shop");
	pg_tool_done(&t);
}
END_TEST

START_TEST(arguments_of_the_users_own_come_last)
{
	const char *own[] = {"--exclude-table=cache", NULL};
	struct pg_tool t;

	job.arguments = (struct job_list){own, 1};
	pg_dump_tool(&t, &call, "-shop");
	ck_assert_str_eq(t.argv.v[t.argv.n - 1], "--exclude-table=cache");
	ck_assert_str_eq(t.env.v[t.env.n - 1], "PGDATABASE=-shop");
	pg_tool_done(&t);
}
END_TEST

START_TEST(roles_of_one_who_is_no_superuser_come_without_passwords)
{
	struct pg_tool t;

	pg_globals_tool(&t, &call, true);
	ck_assert_str_eq(joined(&t.argv), "pg_dumpall --globals-only --no-password");
	pg_tool_done(&t);
	pg_globals_tool(&t, &call, false);
	ck_assert_str_eq(
		joined(&t.argv), "pg_dumpall --globals-only --no-password --no-role-passwords");
	pg_tool_done(&t);
}
END_TEST

START_TEST(a_throw_away_server_is_reached_as_the_call_says)
{
	struct pg_tool t;

	job.socket = "/run/postgresql";
	job.user = "shop";
	job.port = 6000;
	call.host = "127.0.0.1";
	call.login = "postgres";
	call.port = 5432;
	pg_tool_init(&t, &call, "psql", NULL);
	ck_assert_str_eq(joined(&t.env), "LC_ALL=C PGAPPNAME=agent PGCONNECT_TIMEOUT=20 "
					 "PGUSER=postgres PGHOST=127.0.0.1 PGPORT=5432");
	pg_tool_done(&t);
}
END_TEST

START_TEST(no_name_breaks_out_of_a_connection_string)
{
	struct buf b = BUF_INIT(200);

	pg_conninfo(&b, "a'b\\c host=evil");
	ck_assert_str_eq(buf_str(&b), "dbname='a\\'b\\\\c host=evil'");
	buf_done(&b);
}
END_TEST

START_TEST(names_that_are_too_long_stay_apart)
{
	char a[PG_NAME_MAX + 1], b[PG_NAME_MAX + 1];
	const char *x = "a_name_of_sixty_three_bytes_which_is_the_most_there_can_be_xxx1";
	const char *y = "a_name_of_sixty_three_bytes_which_is_the_most_there_can_be_xxx2";

	pg_name_with(a, "shop", "_restore_0a1b2c");
	ck_assert_str_eq(a, "shop_restore_0a1b2c");
	pg_name_with(a, x, "_restore_0a1b2c");
	pg_name_with(b, y, "_restore_0a1b2c");
	ck_assert_uint_le(strlen(a), PG_NAME_MAX);
	ck_assert_str_ne(a, b);
	ck_assert_ptr_nonnull(strstr(a, "_restore_0a1b2c"));
	pg_database_name(a, &call, x);
	ck_assert_str_eq(a, x);
	call.prefix = "agent_drill_0a1b2c_";
	pg_database_name(a, &call, "shop");
	ck_assert_str_eq(a, "agent_drill_0a1b2c_shop");
	pg_database_name(a, &call, x);
	pg_database_name(b, &call, y);
	ck_assert_str_ne(a, b);
	ck_assert_ptr_eq(strstr(a, call.prefix), a);
}
END_TEST

START_TEST(versions_of_tools_are_read)
{
	char version[32];
	int major = 0;

	ck_assert_int_eq(pg_tool_version("pg_dump (PostgreSQL) 15.9 (Debian 15.9-0+deb12u1)\n",
				 version, &major, &e),
		0);
	ck_assert_str_eq(version, "15.9");
	ck_assert_int_eq(major, 15);
	ck_assert_int_eq(pg_tool_version("pg_dump (PostgreSQL) 17beta1\n", version, &major, &e), 0);
	ck_assert_int_eq(major, 17);
	ck_assert_int_eq(pg_tool_version("9.6.24", version, &major, &e), 0);
	ck_assert_int_eq(major, 9);
	ck_assert_int_eq(pg_tool_version("command not found", version, &major, &e), -EBADMSG);
	ck_assert_int_eq(pg_major(150009), 15);
	ck_assert_int_eq(pg_major(90624), 9);
}
END_TEST

START_TEST(known_errors_have_a_cure)
{
	ck_assert_ptr_nonnull(strstr(
		pg_cure("FATAL:  password authentication failed for user \"x\""), "password_file"));
	ck_assert_ptr_nonnull(strstr(pg_cure("FATAL:  role \"postgres\" does not exist"), "user"));
	ck_assert_ptr_nonnull(
		strstr(pg_cure("ERROR:  permission denied for table t"), "pg_read_all_data"));
	ck_assert_ptr_null(pg_cure("ERROR:  role \"x\" cannot be dropped"));
	ck_assert_ptr_null(pg_cure("something else"));
}
END_TEST

/* What the script does to a server with the roles postgres and app and the tablespace pg_default. */
static const char *filtered(const char *script, const char *made)
{
	static char text[4096];
	json_t *roles = json_pack("[s, s]", "postgres", "app");
	json_t *spaces = json_pack("[s, s]", "pg_default", "fast"), *new = json_array();
	struct buf b = BUF_INIT(sizeof(text) - 1);
	char *names;

	pg_globals_filter(script, strlen(script), roles, spaces, &b, new);
	(void)snprintf(text, sizeof(text), "%s", buf_str(&b));
	names = json_dumps(new, JSON_COMPACT);
	ck_assert_str_eq(names, made);
	free(names);
	buf_done(&b);
	json_decref(roles);
	json_decref(spaces);
	json_decref(new);
	return text;
}

START_TEST(roles_that_are_there_keep_what_they_have)
{
	ck_assert_str_eq(filtered("--\n-- Roles\n--\nCREATE ROLE app;\n"
				  "ALTER ROLE app WITH LOGIN PASSWORD 'SCRAM-SHA-256$x;y';\n"
				  "CREATE ROLE \"shop owner\";\n"
				  "ALTER ROLE \"shop owner\" WITH LOGIN PASSWORD 'md5z';\n"
				  "COMMENT ON ROLE app IS 'CREATE ROLE x;';\n"
				  "GRANT \"shop owner\" TO app GRANTED BY postgres;\n",
				 "[\"shop owner\"]"),
		"CREATE ROLE \"shop owner\";\n"
		"ALTER ROLE \"shop owner\" WITH LOGIN PASSWORD 'md5z';\n"
		"GRANT \"shop owner\" TO app GRANTED BY postgres;\n");
	ck_assert_str_eq(filtered("CREATE TABLESPACE fast OWNER app LOCATION '/x';\n"
				  "CREATE TABLESPACE slow OWNER app LOCATION '/y';\n",
				 "[]"),
		"CREATE TABLESPACE slow OWNER app LOCATION '/y';\n");
}
END_TEST

/* Whoever could write to the backup must not run programs through psql; and older ones do not know \restrict. */
START_TEST(commands_of_psql_are_left_out)
{
	ck_assert_str_eq(
		filtered("\\restrict abc\nSET x = 1;\n\\! touch /tmp/x\n\\unrestrict abc\n", "[]"),
		"SET x = 1;\n");
}
END_TEST

START_TEST(jobs_with_contradictions_are_refused)
{
	const char *twice[] = {"shop", "blog", "shop", NULL};

	job.database = (struct job_list){twice, 2};
	ck_assert_int_eq(engine_postgresql.check_job(&job, &e), 0);
	job.database.n = 3;
	ck_assert_int_eq(engine_postgresql.check_job(&job, &e), -EINVAL);
	ck_assert_str_eq(e.msg, "database: shop is named twice");
	job.database.n = 0;
	job.host = "x";
	job.socket = "/y";
	ck_assert_int_eq(engine_postgresql.check_job(&job, &e), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine_postgresql");
	TCase *tc = tcase_create("engine_postgresql");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, make_call, call_done);
	tcase_add_test(tc, row_32_the_password_is_in_no_argument);
	tcase_add_test(tc, arguments_of_the_users_own_come_last);
	tcase_add_test(tc, roles_of_one_who_is_no_superuser_come_without_passwords);
	tcase_add_test(tc, a_throw_away_server_is_reached_as_the_call_says);
	tcase_add_test(tc, no_name_breaks_out_of_a_connection_string);
	tcase_add_test(tc, names_that_are_too_long_stay_apart);
	tcase_add_test(tc, versions_of_tools_are_read);
	tcase_add_test(tc, known_errors_have_a_cure);
	tcase_add_test(tc, roles_that_are_there_keep_what_they_have);
	tcase_add_test(tc, commands_of_psql_are_left_out);
	tcase_add_test(tc, jobs_with_contradictions_are_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
