/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/engine_mysql.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine_case.h"
#include "tests/unit/format_case.h"

static void make_call(void)
{
	call_new("mariadb");
}

#define USUAL                                                                                      \
	"--single-transaction --quick --routines --events --triggers --hex-blob --no-tablespaces " \
	"--skip-lock-tables --default-character-set=utf8mb4 --max-allowed-packet=1G "

static const char *dump_command(const struct mysql_tool *tool, const char *server, bool is_mariadb)
{
	struct mysql_server s = {.is_mariadb = is_mariadb};
	struct args argv = {NULL, 0}, env = {NULL, 0};
	const char *text;

	(void)snprintf(s.version, sizeof(s.version), "%s", server);
	mysql_dump_command(&call, tool, &s, "-shop", &argv, &env);
	text = joined(&argv);
	args_done(&argv);
	args_done(&env);
	return text;
}

START_TEST(each_family_has_its_arguments)
{
	struct mysql_tool mariadb = {"mariadb-dump", "10.11.6", true};
	struct mysql_tool mysql = {"mysqldump", "8.0.36", false};

	ck_assert_str_eq(dump_command(&mariadb, "10.11.6-MariaDB", true),
		"mariadb-dump --user=root " USUAL "-- -shop");
	ck_assert_str_eq(dump_command(&mysql, "8.0.36", false),
		"mysqldump --user=root " USUAL "--set-gtid-purged=OFF -- -shop");
	ck_assert_str_eq(dump_command(&mysql, "5.7.44", false),
		"mysqldump --user=root " USUAL
		"--set-gtid-purged=OFF --column-statistics=0 -- -shop");
	ck_assert_str_eq(dump_command(&mysql, "10.11.6-MariaDB", true),
		"mysqldump --user=root " USUAL
		"--set-gtid-purged=OFF --column-statistics=0 -- -shop");
}
END_TEST

START_TEST(row_32_the_password_is_in_no_argument)
{
	struct args argv = {NULL, 0}, env = {NULL, 0};

	job.user = "backup";
	job.host = "10.0.0.5";
	job.port = 3307;
	call.password = "hush";
	mysql_connection(&call, &argv, &env);
	ck_assert_str_eq(joined(&argv), "--host=10.0.0.5 --protocol=tcp --port=3307 --user=backup");
	ck_assert_str_eq(joined(&env), "MYSQL_PWD=hush LC_ALL=C");
	args_done(&argv);
	args_done(&env);
}
END_TEST

START_TEST(a_throw_away_server_is_reached_as_the_call_says)
{
	struct args argv = {NULL, 0}, env = {NULL, 0};

	job.user = "backup";
	job.socket = "/run/mysqld/mysqld.sock";
	call.host = "127.0.0.1";
	call.login = "root";
	call.port = 3306;
	mysql_connection(&call, &argv, &env);
	ck_assert_str_eq(joined(&argv), "--host=127.0.0.1 --protocol=tcp --port=3306 --user=root");
	args_done(&argv);
	args_done(&env);
}
END_TEST

static void check_version(const char *text, const char *version, bool is_mariadb)
{
	struct mysql_tool t;

	ck_assert_int_eq(mysql_tool_version(text, &t, &e), 0);
	ck_assert_str_eq(t.version, version);
	ck_assert_int_eq(t.is_mariadb, is_mariadb);
}

START_TEST(versions_of_tools_are_read)
{
	struct mysql_tool t;

	check_version(
		"mariadb-dump  Ver 10.19 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)",
		"10.11.6", true);
	check_version(
		"mariadb-dump from 11.4.2-MariaDB, client 10.19 for debian-linux-gnu (x86_64)",
		"11.4.2", true);
	check_version("mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)",
		"8.0.36", false);
	check_version("mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)", "5.7.44", false);
	ck_assert_int_eq(mysql_tool_version("not found", &t, &e), -EBADMSG);
}
END_TEST

static const char *missing(const char *grants, bool want_routines)
{
	static char text[200];
	struct buf b = BUF_INIT(sizeof(text) - 1);
	bool routines;

	mysql_missing_rights(grants, "my_shop", &b, &routines);
	ck_assert_int_eq(routines, want_routines);
	(void)snprintf(text, sizeof(text), "%s", buf_str(&b));
	buf_done(&b);
	return text;
}

/* Without these rights parts are left out, and the tool says nothing. */
START_TEST(row_06_rights_that_a_whole_dump_needs)
{
	ck_assert_str_eq(
		missing("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION\n",
			true),
		"");
	ck_assert_str_eq(missing("GRANT USAGE ON *.* TO `a`@`%`\n"
				 "GRANT ALL PRIVILEGES ON `my\\_shop`.* TO `a`@`%`\n",
				 true),
		"");
	ck_assert_str_eq(missing("GRANT SELECT, LOCK TABLES ON `my_shop`.* TO `a`@`%`\n", false),
		"SHOW VIEW, TRIGGER, EVENT");
	ck_assert_str_eq(
		missing("GRANT SELECT, SHOW VIEW, TRIGGER ON *.* TO `a`@`%`\n", true), "EVENT");
	ck_assert_str_eq(missing("GRANT SELECT, SHOW VIEW ON `my%`.* TO `a`@`%`\n"
				 "GRANT EVENT, TRIGGER ON `myXshop`.* TO `a`@`%`\n"
				 "GRANT EVENT, TRIGGER ON `my_shop`.`orders` TO `a`@`%`\n",
				 false),
		"TRIGGER, EVENT");
	ck_assert_str_eq(missing("GRANT USAGE ON *.* TO `a`@`%`\n", false),
		"SELECT, SHOW VIEW, TRIGGER, EVENT");
	ck_assert_str_eq(missing("", false), "SELECT, SHOW VIEW, TRIGGER, EVENT");
	ck_assert_str_eq(
		missing("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `my_shop`.* TO `a`@`%`\n"
			"GRANT SHOW_ROUTINE ON *.* TO `a`@`%`\n",
			true),
		"");
}
END_TEST

static const char *filtered(const char *script, size_t want_made)
{
	static const char *const have[] = {"`root`@`localhost`", "`app;`@`%`", "`old`", NULL};
	static char text[4096];
	struct buf b = BUF_INIT(sizeof(text) - 1);
	size_t made;

	mysql_users_filter(script, strlen(script), have, &b, &made);
	ck_assert_uint_eq(made, want_made);
	(void)snprintf(text, sizeof(text), "%s", buf_str(&b));
	buf_done(&b);
	return text;
}

START_TEST(users_that_are_there_keep_what_they_have)
{
	ck_assert_str_eq(
		filtered("-- Users and their rights\nCREATE ROLE `old`;\nCREATE ROLE `r``1`;\n"
			 "CREATE USER `app;`@`%` IDENTIFIED BY PASSWORD '*X';\n"
			 "CREATE USER `new`@`%` IDENTIFIED BY PASSWORD '*Y;';\n"
			 "GRANT ALL PRIVILEGES ON *.* TO `app;`@`%` IDENTIFIED BY PASSWORD '*X';\n"
			 "GRANT SELECT ON `a TO ``b`.* TO `new`@`%` WITH GRANT OPTION;\n"
			 "GRANT `r``1` TO `new`@`%`;\nGRANT `old` TO `root`@`localhost`;\n"
			 "SET DEFAULT ROLE `r``1` FOR `new`@`%`;\nSET DEFAULT ROLE `old` FOR "
			 "`app;`@`%`;\n"
			 "\n-- Dump completed\n",
			2),
		"CREATE ROLE `r``1`;\nCREATE USER `new`@`%` IDENTIFIED BY PASSWORD '*Y;';\n"
		"GRANT SELECT ON `a TO ``b`.* TO `new`@`%` WITH GRANT OPTION;\n"
		"GRANT `r``1` TO `new`@`%`;\nSET DEFAULT ROLE `r``1` FOR `new`@`%`;\n");
}
END_TEST

/* MySQL 5.7 quotes otherwise. */
START_TEST(users_in_single_quotes_are_known_too)
{
	ck_assert_str_eq(filtered("CREATE USER 'root'@'localhost' IDENTIFIED WITH 'x' AS 'y';\n"
				  "GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION;\n",
				 0),
		"");
}
END_TEST

START_TEST(nothing_else_of_such_a_script_is_run)
{
	ck_assert_str_eq(
		filtered("DROP DATABASE x;\nSET PASSWORD FOR 'root'@'localhost' = 'x';\n", 0), "");
}
END_TEST

START_TEST(rights_are_given_once_the_tables_are_there)
{
	struct buf script = BUF_INIT(1000), b = BUF_INIT(1000);

	buf_adds(&script, "CREATE ROLE `r`;\nCREATE USER `a`@`%` IDENTIFIED BY PASSWORD '*Y;';\n"
			  "GRANT SELECT (id) ON `shop`.`t` TO `a`@`%`;\n"
			  "SET DEFAULT ROLE `r` FOR `a`@`%`;\n");
	mysql_users_only_rights(&script, &b);
	ck_assert_str_eq(buf_str(&b), "GRANT SELECT (id) ON `shop`.`t` TO `a`@`%`;\n"
				      "SET DEFAULT ROLE `r` FOR `a`@`%`;\n");
	buf_done(&script);
	buf_done(&b);
}
END_TEST

/* Clients print the statement that failed, and the server quotes the end of one it does not understand. */
START_TEST(row_32_an_error_about_users_shows_no_password)
{
	char text[200] = "";

	ck_assert(mysql_first_error(
		"--------------\nGRANT SELECT ON `a`.`b` TO `x`@`%` IDENTIFIED BY "
		"PASSWORD '*HASH'\n--------------\n\n"
		"ERROR 1146 (42S02) at line 3: Table 'a.b' doesn't exist\n",
		text, sizeof(text)));
	ck_assert_str_eq(text, "ERROR 1146 (42S02) at line 3: Table 'a.b' doesn't exist");
	ck_assert(mysql_first_error("ERROR 1064 (42000) at line 1: You have an error in your SQL "
				    "syntax near 'PASSWORD '*HASH''\n",
		text, sizeof(text)));
	ck_assert_str_eq(text, "ERROR 1064 (42000) at line 1");
	ck_assert(!mysql_first_error("mysql: [Warning] something\n", text, sizeof(text)));
}
END_TEST

START_TEST(names_and_texts_are_quoted)
{
	struct buf b = BUF_INIT(200);
	char to[8];

	mysql_add_name(&b, "a`b");
	mysql_add_text(&b, "plain name");
	mysql_add_text(&b, "a'b\\");
	ck_assert_str_eq(buf_str(&b), "`a``b`'plain name'CONVERT(0x6127625C USING utf8)");
	buf_done(&b);
	ck_assert(mysql_unhex("73686F70", to, sizeof(to)));
	ck_assert_str_eq(to, "shop");
	ck_assert(!mysql_unhex("7368006F70", to, sizeof(to)));
	ck_assert(!mysql_unhex("7", to, sizeof(to)));
	ck_assert(!mysql_unhex("zz", to, sizeof(to)));
	ck_assert(!mysql_unhex("7373737373737373", to, sizeof(to)));
}
END_TEST

START_TEST(rows_are_split)
{
	char text[] = "a\tb\nc\n\td", *at = text, *columns[2];

	ck_assert(mysql_next_row(&at, columns, 2));
	ck_assert_str_eq(columns[1], "b");
	ck_assert(mysql_next_row(&at, columns, 2));
	ck_assert_str_eq(columns[0], "c");
	ck_assert_str_eq(columns[1], "");
	ck_assert(mysql_next_row(&at, columns, 2));
	ck_assert_str_eq(columns[1], "d");
	ck_assert(!mysql_next_row(&at, columns, 2));
}
END_TEST

/* Newer clients print the rows of a statement that failed. */
START_TEST(row_32_messages_do_not_quote_rows)
{
	struct err x;

	(void)err_set(&x, EINVAL,
		"mariadb: exit status 1: (1,'secret ERROR x'); --------------; ; ERROR 1062 "
		"(23000) at line "
		"3: Duplicate entry");
	mysql_shorten(&x);
	ck_assert_str_eq(
		x.msg, "mariadb: exit status 1: ERROR 1062 (23000) at line 3: Duplicate entry");
	(void)err_set(&x, EINVAL, "mariadb: killed");
	mysql_shorten(&x);
	ck_assert_str_eq(x.msg, "mariadb: killed");
}
END_TEST

static int check(const char *text)
{
	return format_check(&format_mysql_sql, text, strlen(text), 5, &e);
}

#define BODY "CREATE TABLE a (b int);\nINSERT INTO a VALUES (1),(2),(3);\n"

START_TEST(row_04_a_dump_without_its_last_line_is_bad)
{
	ck_assert_int_eq(check("-- MySQL dump 10.13  Distrib\n" BODY
			       "\n-- Dump completed on 2026-11-21 12:00:00\n"),
		0);
	ck_assert_int_eq(
		check("-- Database utf8mb4 utf8mb4_bin\n/*M!999999\\- enable the sandbox mode */ \n"
		      "-- MariaDB dump 10.19\n" BODY "\n-- Dump completed\n"),
		0);
	ck_assert_int_eq(check("-- MariaDB dump 10.19\n" BODY BODY), -EBADMSG);
	ck_assert_int_eq(check(BODY BODY "\n-- Dump completed\n"), -EBADMSG);
	ck_assert_int_eq(check(""), -EBADMSG);
}
END_TEST

START_TEST(arguments_that_would_break_the_dump_are_refused)
{
	static const char *const bad[] = {"--skip-comments", "--compact", "-psecret",
		"--result-file=/tmp/x", "--all-databases"};
	const char *own[] = {NULL, NULL};

	job.arguments = (struct job_list){own, 1};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		own[0] = bad[i];
		ck_assert_int_eq(engine_mariadb.check_job(&job, &e), -EINVAL);
	}
	own[0] = "--ignore-table=shop.cache";
	ck_assert_int_eq(engine_mysql.check_job(&job, &e), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine_mysql");
	TCase *tc = tcase_create("engine_mysql");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, make_call, call_done);
	tcase_add_test(tc, each_family_has_its_arguments);
	tcase_add_test(tc, row_32_the_password_is_in_no_argument);
	tcase_add_test(tc, a_throw_away_server_is_reached_as_the_call_says);
	tcase_add_test(tc, versions_of_tools_are_read);
	tcase_add_test(tc, row_06_rights_that_a_whole_dump_needs);
	tcase_add_test(tc, users_that_are_there_keep_what_they_have);
	tcase_add_test(tc, users_in_single_quotes_are_known_too);
	tcase_add_test(tc, nothing_else_of_such_a_script_is_run);
	tcase_add_test(tc, rights_are_given_once_the_tables_are_there);
	tcase_add_test(tc, row_32_an_error_about_users_shows_no_password);
	tcase_add_test(tc, names_and_texts_are_quoted);
	tcase_add_test(tc, rows_are_split);
	tcase_add_test(tc, row_32_messages_do_not_quote_rows);
	tcase_add_test(tc, row_04_a_dump_without_its_last_line_is_bad);
	tcase_add_test(tc, arguments_that_would_break_the_dump_are_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
