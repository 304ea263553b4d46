/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/db.h"
#include "tests/unit/db_open.h"

START_TEST(values_come_back_as_they_were_bound)
{
	_cleanup_(db_close_p) struct db *db = open_ok(2);
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	char text[] = "grün";
	struct err e = {""};

	ck_assert_int_eq(db_prepare(db, "SELECT ?1, ?2, ?3, ?4, NULL; ", &s, &e), 0);
	db_bind_int(s, 1, INT64_MIN);
	db_bind_double(s, 2, 0.1);
	db_bind_text(s, 3, text);
	db_bind_text(s, 4, NULL);
	memset(text, 'x', sizeof(text) - 1); /* it was copied */
	ck_assert_int_eq(db_step(s, &e), DB_ROW);
	ck_assert_int_eq(db_int(s, 0), INT64_MIN);
	ck_assert_double_eq(db_double(s, 1), 0.1);
	ck_assert_str_eq(db_text(s, 2), "grün");
	ck_assert_ptr_null(db_text(s, 3));
	ck_assert_ptr_null(db_text(s, 4));
	ck_assert_int_eq(db_int(s, 4), 0);
	ck_assert_double_eq(db_double(s, 4), 0);
	ck_assert_int_eq(db_step(s, &e), DB_DONE);
}
END_TEST

START_TEST(a_statement_can_be_used_again)
{
	_cleanup_(db_close_p) struct db *db = open_ok(2);
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	struct err e = {""};

	ck_assert_int_eq(db_prepare(db, "INSERT INTO parent(name) VALUES (?1)", &s, &e), 0);
	db_bind_text(s, 1, "a");
	ck_assert_int_eq(db_step(s, &e), DB_DONE);
	ck_assert_int_eq(db_last_id(db), 1);
	db_bind_text(s, 1, "a");
	ck_assert_int_eq(db_step(s, &e), -EEXIST);
	ck_assert_ptr_nonnull(strstr(e.msg, "parent.name"));
	db_bind_text(s, 1, "b");
	ck_assert_int_eq(db_step(s, &e), DB_DONE);
	ck_assert_int_eq(db_last_id(db), 2);
	exec_ok(db, "UPDATE parent SET note = 'x'");
	ck_assert_int_eq(db_changes(db), 2);
}
END_TEST

START_TEST(foreign_keys_are_enforced)
{
	_cleanup_(db_close_p) struct db *db = open_ok(2);
	struct err e = {""};

	ck_assert_int_eq(db_exec(db, "INSERT INTO child VALUES (77, 1)", &e), -EEXIST);
	exec_ok(db, "INSERT INTO parent(id) VALUES (1); INSERT INTO child VALUES (1, 1)");
	exec_ok(db, "DELETE FROM parent");
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM child"), 0);
}
END_TEST

START_TEST(a_transaction_is_all_or_nothing)
{
	_cleanup_(db_close_p) struct db *db = open_ok(2);
	struct err e = {""};

	ck_assert_int_eq(db_begin(db, &e), 0);
	exec_ok(db, "INSERT INTO parent(name) VALUES ('gone')");
	db_rollback(db);
	db_rollback(db); /* none is under way: nothing happens */
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM parent"), 0);
	ck_assert_int_eq(db_begin(db, &e), 0);
	ck_assert_int_lt(db_begin(db, &e), 0);
	exec_ok(db, "INSERT INTO parent(name) VALUES ('here')");
	ck_assert_int_eq(db_commit(db, &e), 0);
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM parent"), 1);
}
END_TEST

START_TEST(wrong_sql_is_reported_with_its_text)
{
	_cleanup_(db_close_p) struct db *db = open_ok(2);
	struct db_stmt *s = NULL;
	struct err e = {""};

	ck_assert_int_eq(db_prepare(db, "SELECT nope FROM parent", &s, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "SELECT nope"));
	ck_assert_int_eq(db_prepare(db, "SELECT 1; SELECT 2", &s, &e), -EINVAL);
	ck_assert_int_eq(db_prepare(db, " ", &s, &e), -EINVAL);
	ck_assert_ptr_null(s);
}
END_TEST

/* Another program that holds the write lock until it is told to end, or for a while. Returns when it has the lock. */
static pid_t hold_lock(int for_ms)
{
	struct timespec wait = {for_ms / 1000, for_ms % 1000 * 1000000L};
	sqlite3 *other = NULL;
	int fds[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (sqlite3_open(scratch_path("state.db"), &other) == SQLITE_OK &&
			sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
			write(fds[1], "x", 1) == 1)
			(void)nanosleep(&wait, NULL);
		_exit(0);
	}
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return pid;
}

START_TEST(a_lock_held_by_another_program_for_a_moment_is_waited_for)
{
	_cleanup_(db_close_p) struct db *db = open_ok(2);
	struct err e = {""};
	pid_t pid = hold_lock(300);

	ck_assert_msg(db_begin(db, &e) == 0, "%s", e.msg);
	db_rollback(db);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(a_lock_held_for_long_is_reported)
{
	_cleanup_(db_close_p) struct db *db = open_ok(2);
	struct err e = {""};
	pid_t pid = hold_lock(60000);

	ck_assert_int_eq(db_begin(db, &e), -EBUSY);
	ck_assert_str_ne(e.msg, "");
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(db_begin(db, &e), 0);
	db_rollback(db);
}
END_TEST

static Suite *db_suite(void)
{
	Suite *s = suite_create("db");
	TCase *tc = tcase_create("db");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, values_come_back_as_they_were_bound);
	tcase_add_test(tc, a_statement_can_be_used_again);
	tcase_add_test(tc, foreign_keys_are_enforced);
	tcase_add_test(tc, a_transaction_is_all_or_nothing);
	tcase_add_test(tc, wrong_sql_is_reported_with_its_text);
	tcase_add_test(tc, a_lock_held_by_another_program_for_a_moment_is_waited_for);
	tcase_add_test(tc, a_lock_held_for_long_is_reported);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(db_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
