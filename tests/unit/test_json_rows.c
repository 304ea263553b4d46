/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/json_rows.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PUT, ALL, STATEMENTS };

static const char *const migrations[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT);"};
static const char *const sql[STATEMENTS] = {[PUT] = "INSERT INTO t(body) VALUES(?1)",
	[ALL] = "SELECT id, body FROM t ORDER BY id DESC"};

static struct db *db;
static struct db_stmt *stmt[STATEMENTS];

static void setup(void)
{
	ck_assert_int_eq(db_open(":memory:", migrations, 1, &db, NULL), 0);
	ck_assert_int_eq(json_rows_prepare(db, sql, STATEMENTS, stmt, NULL), 0);
}

static void teardown(void)
{
	json_rows_finalize(stmt, STATEMENTS);
	memset(stmt, 0, sizeof(stmt));
	db_close(db);
}

static void put(const char *body)
{
	db_bind_text(stmt[PUT], 1, body);
	ck_assert_int_eq(json_rows_run(stmt[PUT], NULL), 0);
}

static void reads(const char *expected)
{
	json_t *list;
	char *text;

	ck_assert_int_eq(json_rows_read(stmt[ALL], "run", &list, NULL), 0);
	text = json_dumps(list, JSON_COMPACT);
	ck_assert_str_eq(text, expected);
	free(text);
	json_decref(list);
}

START_TEST(objects_come_back_with_the_number_of_their_row)
{
	reads("[]");
	put("{\"job\":\"shop\"}");
	put("{\"job\":\"blog\",\"run\":77}");
	reads("[{\"job\":\"blog\",\"run\":2},{\"job\":\"shop\",\"run\":1}]");
	reads("[{\"job\":\"blog\",\"run\":2},{\"job\":\"shop\",\"run\":1}]");
}
END_TEST

START_TEST(what_cannot_be_read_has_at_least_a_number)
{
	put("[1]");
	put("{\"job\":");
	put(NULL);
	reads("[{\"run\":3},{\"run\":2},{\"run\":1}]");
}
END_TEST

START_TEST(the_first_is_the_first)
{
	json_t *one = NULL;
	struct err e = {""};

	ck_assert_int_eq(json_rows_first(stmt[ALL], "run", &one, &e), -ENOENT);
	ck_assert_str_eq(e.msg, "there is no such run");
	ck_assert_ptr_null(one);
	put("{}");
	put("{}");
	ck_assert_int_eq(json_rows_first(stmt[ALL], "run", &one, &e), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(one, "run")), 2);
	json_decref(one);
}
END_TEST

START_TEST(a_text_is_read_as_the_object_it_was_made_of)
{
	json_t *object = json_pack("{s:s}", "subject", "caf\xC3\xA9 \"x\"\n");
	char *text = json_rows_text(object);

	put(text);
	reads("[{\"subject\":\"caf\xC3\xA9 \\\"x\\\"\\n\",\"run\":1}]");
	free(text);
	json_decref(object);
}
END_TEST

START_TEST(statements_that_are_wrong_are_told_and_freed)
{
	static const char *const wrong[] = {"SELECT 1", "SELECT nothing FROM nowhere", "SELECT 2"};
	struct db_stmt *some[3] = {NULL};
	struct err e = {""};

	ck_assert_int_lt(json_rows_prepare(db, wrong, 3, some, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "nowhere"));
	json_rows_finalize(some, 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json_rows");
	TCase *tc = tcase_create("json_rows");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, objects_come_back_with_the_number_of_their_row);
	tcase_add_test(tc, what_cannot_be_read_has_at_least_a_number);
	tcase_add_test(tc, the_first_is_the_first);
	tcase_add_test(tc, a_text_is_read_as_the_object_it_was_made_of);
	tcase_add_test(tc, statements_that_are_wrong_are_told_and_freed);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
