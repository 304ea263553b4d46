/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/sql_split.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* The statements, with a | behind each. */
static const char *split(enum sql_dialect dialect, const char *script)
{
	static char out[4096];
	struct sql_script s = {script, script + strlen(script), dialect};
	const char *text;
	size_t n, len = 0;

	out[0] = '\0';
	while (sql_next(&s, &text, &n))
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%.*s|", (int)n, text);
	return out;
}

START_TEST(statements_end_at_semicolons)
{
	ck_assert_str_eq(split(SQL_POSTGRESQL, "a;\n b ; c"), "a;|b ;|c|");
	ck_assert_str_eq(split(SQL_POSTGRESQL, " \n-- x;\n/* y; */ "), "");
	ck_assert_str_eq(split(SQL_MYSQL, "# x;\na;"), "a;|");
}
END_TEST

START_TEST(semicolons_in_texts_names_and_comments_are_none)
{
	ck_assert_str_eq(split(SQL_POSTGRESQL, "a 'x;''y;' \"n;\"\"\" b;c;"),
		"a 'x;''y;' \"n;\"\"\" b;|c;|");
	ck_assert_str_eq(split(SQL_POSTGRESQL, "a '\\'; b;"), "a '\\';|b;|");
	ck_assert_str_eq(split(SQL_POSTGRESQL, "a E'\\'; b'; c;"), "a E'\\'; b';|c;|");
	ck_assert_str_eq(
		split(SQL_POSTGRESQL, "a $t$ ; $ ; $t$; b $1;"), "a $t$ ; $ ; $t$;|b $1;|");
	ck_assert_str_eq(split(SQL_POSTGRESQL, "a /* ; */ -- ;\n; b;"), "a /* ; */ -- ;\n;|b;|");
	ck_assert_str_eq(
		split(SQL_MYSQL, "a 'x\\';' `;` \"\\\";\"; b;"), "a 'x\\';' `;` \"\\\";\";|b;|");
}
END_TEST

START_TEST(comments_that_mysql_runs_are_statements)
{
	ck_assert_str_eq(split(SQL_MYSQL, "/*!40101 SET x='a;b' */;\n/*M!100 y*/;"),
		"/*!40101 SET x='a;b' */;|/*M!100 y*/;|");
}
END_TEST

START_TEST(commands_of_psql_stand_alone)
{
	ck_assert_str_eq(split(SQL_POSTGRESQL, "\\restrict abc\na;\n\\! rm -rf;x\nb;"),
		"\\restrict abc\n|a;|\\! rm -rf;x\n|b;|");
}
END_TEST

START_TEST(what_never_ends_ends_with_the_script)
{
	ck_assert_str_eq(split(SQL_POSTGRESQL, "a 'x;"), "a 'x;|");
	ck_assert_str_eq(split(SQL_POSTGRESQL, "a $x$;"), "a $x$;|");
	ck_assert_str_eq(split(SQL_POSTGRESQL, "a /* ;"), "a /* ;|");
	ck_assert_str_eq(split(SQL_MYSQL, "a 'x\\"), "a 'x\\|");
}
END_TEST

START_TEST(words_and_names_are_read)
{
	const char *text = "create  role \"a \"\"b\" with x;", *rest, *at;
	char name[16];

	ck_assert(sql_begins(text, strlen(text), "CREATE ROLE", &rest));
	ck_assert(sql_name(&rest, text + strlen(text), '"', name, sizeof(name)));
	ck_assert_str_eq(name, "a \"b");
	ck_assert_str_eq(rest, " with x;");
	ck_assert(!sql_begins(text, strlen(text), "CREATE ROL", &rest));
	ck_assert(!sql_begins("create rolex", 12, "CREATE ROLE", &rest));
	at = "plain;";
	ck_assert(sql_name(&at, at + 6, '"', name, sizeof(name)));
	ck_assert_str_eq(name, "plain");
	at = "far_too_long_a_name";
	ck_assert(!sql_name(&at, at + strlen(at), '"', name, sizeof(name)));
	at = "\"open";
	ck_assert(!sql_name(&at, at + 5, '"', name, sizeof(name)));
	at = ";";
	ck_assert(!sql_name(&at, at + 1, '"', name, sizeof(name)));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sql_split");
	TCase *tc = tcase_create("sql_split");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, statements_end_at_semicolons);
	tcase_add_test(tc, semicolons_in_texts_names_and_comments_are_none);
	tcase_add_test(tc, comments_that_mysql_runs_are_statements);
	tcase_add_test(tc, commands_of_psql_stand_alone);
	tcase_add_test(tc, what_never_ends_ends_with_the_script);
	tcase_add_test(tc, words_and_names_are_read);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
