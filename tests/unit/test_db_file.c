/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/db.h"
#include "tests/unit/db_open.h"
#include "tests/unit/small_disk.h"

/* The name of a file kept aside that ends with `suffix`. */
static bool find_aside(const char *suffix, char *to, size_t size)
{
	_cleanup_(closedir_p) DIR *d = opendir(scratch);
	struct dirent *entry;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d))) {
		size_t n = strlen(entry->d_name), m = strlen(suffix);

		if (strncmp(entry->d_name, "state.db.broken-", 16) == 0 && n >= m &&
			strcmp(entry->d_name + n - m, suffix) == 0) {
			(void)snprintf(to, size, "%s", entry->d_name);
			return true;
		}
	}
	return false;
}

/* Databases kept aside. */
static int count_aside(void)
{
	_cleanup_(closedir_p) DIR *d = opendir(scratch);
	struct dirent *entry;
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)))
		n += strncmp(entry->d_name, "state.db.broken-", 16) == 0 &&
		     !strrchr(entry->d_name + 16, '-');
	return n;
}

START_TEST(a_new_file_gets_the_whole_schema_and_safe_settings)
{
	_cleanup_(db_close_p) struct db *db = open_ok(2);
	struct stat st;

	exec_ok(db, "INSERT INTO parent(name, note) VALUES ('a', 'b')");
	ck_assert_int_eq(ask(db, "PRAGMA user_version"), 2);
	ck_assert_int_eq(ask(db, "PRAGMA synchronous"), 2); /* FULL */
	ck_assert_int_eq(ask(db, "PRAGMA foreign_keys"), 1);
	ck_assert_int_eq(ask(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	ck_assert_int_eq(stat(scratch_path("state.db"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(scratch_path("state.db-wal"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(an_older_file_is_migrated_and_keeps_its_rows)
{
	struct db *db = open_ok(1);

	exec_ok(db, "INSERT INTO parent(name) VALUES ('kept')");
	db_close(db);
	db = open_ok(2);
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM parent WHERE name = 'kept'"), 1);
	ck_assert_int_eq(ask(db, "PRAGMA user_version"), 2);
	db_close(db);
	db_close(open_ok(2));
}
END_TEST

START_TEST(a_failing_migration_changes_nothing)
{
	const char *bad[] = {schema[0], "ALTER TABLE parent ADD COLUMN x; SELECT nonsense(;"};
	struct db *db = open_ok(1), *none = NULL;
	struct err e = {""};

	db_close(db);
	ck_assert_int_eq(db_open(scratch_path("state.db"), bad, 2, &none, &e), -EINVAL);
	ck_assert_ptr_null(none);
	ck_assert_ptr_nonnull(strstr(e.msg, "schema 1 to 2"));
	db = open_ok(1);
	ck_assert_int_eq(ask(db, "PRAGMA user_version"), 1);
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM pragma_table_info('parent')"), 2);
	db_close(db);
}
END_TEST

START_TEST(a_migration_may_rebuild_a_table_others_refer_to)
{
	const char *rebuild[] = {schema[0],
		"CREATE TABLE p2(id INTEGER PRIMARY KEY, name TEXT);"
		"INSERT INTO p2 SELECT id, name FROM parent; DROP TABLE parent;"
		"ALTER TABLE p2 RENAME TO parent;"};
	struct db *db = open_ok(1);
	struct err e = {""};

	exec_ok(db, "INSERT INTO parent VALUES (1, 'a'); INSERT INTO child VALUES (1, 2.5)");
	db_close(db);
	ck_assert_int_eq(db_open(scratch_path("state.db"), rebuild, 2, &db, &e), DB_OPENED);
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM child"), 1);
	db_close(db);
}
END_TEST

START_TEST(a_newer_file_is_refused_and_left_as_it_is)
{
	static char before[1 << 20], after[1 << 20];
	struct db *db = open_ok(2), *none = NULL;
	struct err e = {""};
	size_t n;

	exec_ok(db, "PRAGMA user_version = 9");
	db_close(db);
	n = scratch_read("state.db", before, sizeof(before));
	ck_assert_int_eq(db_open(scratch_path("state.db"), schema, 2, &none, &e), -EPROTO);
	ck_assert_ptr_null(none);
	ck_assert_ptr_nonnull(strstr(e.msg, "newer version"));
	ck_assert_ptr_nonnull(strstr(e.msg, "state.db"));
	ck_assert_uint_eq(scratch_read("state.db", after, sizeof(after)), n);
	ck_assert_mem_eq(before, after, n);
}
END_TEST

START_TEST(a_newer_file_with_a_log_left_by_a_crash_is_not_touched)
{
	static char before[1 << 20], after[1 << 20];
	struct err e = {""};
	struct db *none = NULL;
	pid_t pid = fork();
	size_t n;

	if (pid == 0) {
		struct db *db = open_ok(2);

		exec_ok(db, "PRAGMA user_version = 9");
		_exit(0); /* without closing: the commit is only in the log */
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(scratch_has("state.db-wal"));
	n = scratch_read("state.db", before, sizeof(before));
	ck_assert_int_eq(db_open(scratch_path("state.db"), schema, 2, &none, &e), -EPROTO);
	ck_assert_uint_eq(scratch_read("state.db", after, sizeof(after)), n);
	ck_assert_mem_eq(before, after, n);
	ck_assert(scratch_has("state.db-wal"));
}
END_TEST

START_TEST(a_commit_survives_a_process_that_dies_at_once)
{
	pid_t pid = fork();
	struct db *db;

	if (pid == 0) {
		db = open_ok(2);
		exec_ok(db, "INSERT INTO parent(name) VALUES ('committed')");
		exec_ok(db, "BEGIN; INSERT INTO parent(name) VALUES ('not')");
		(void)kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	db = open_ok(2);
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM parent"), 1);
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM parent WHERE name = 'committed'"), 1);
	db_close(db);
}
END_TEST

/* Expects that opening keeps the present file aside and gives an empty, working database. */
static void expect_recreated(void)
{
	char name[300];
	struct db *db = NULL;
	struct err e = {""};

	ck_assert_msg(
		db_open(scratch_path("state.db"), schema, 2, &db, &e) == DB_RECREATED, "%s", e.msg);
	ck_assert(find_aside("", name, sizeof(name)));
	ck_assert_ptr_nonnull(strstr(e.msg, ".broken-"));
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM parent"), 0);
	exec_ok(db, "INSERT INTO parent(name) VALUES ('new')");
	db_close(db);
	db = open_ok(2);
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM parent"), 1);
	db_close(db);
}

START_TEST(a_file_that_is_no_database_is_kept_aside)
{
	static const char text[] = "This was a note to self, much longer than any header.........."
				   ".........................................................";

	scratch_write("state.db", text, sizeof(text));
	expect_recreated();
}
END_TEST

START_TEST(an_empty_file_is_a_new_database)
{
	scratch_write("state.db", "", 0);
	db_close(open_ok(2));
}
END_TEST

/* A database of many pages whose middle is overwritten. */
static void make_broken_pages(void)
{
	static char image[1 << 20];
	struct db *db = open_ok(2);
	size_t n;

	exec_ok(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
		    "INSERT INTO parent(name, note) SELECT 'name' || i, hex(zeroblob(50)) FROM n");
	db_close(db);
	n = scratch_read("state.db", image, sizeof(image));
	ck_assert_uint_gt(n, 100000);
	memset(image + n / 2, 0x5a, 20000);
	scratch_write("state.db", image, n);
}

START_TEST(broken_pages_inside_are_found_at_opening)
{
	make_broken_pages();
	expect_recreated();
}
END_TEST

START_TEST(a_truncated_file_is_kept_aside)
{
	make_broken_pages();
	ck_assert_int_eq(truncate(scratch_path("state.db"), 30000), 0);
	expect_recreated();
}
END_TEST

START_TEST(the_log_of_a_broken_file_goes_aside_with_it)
{
	static char log[1 << 20], aside_log[1 << 20];
	char name[300];
	pid_t pid;
	size_t n;

	make_broken_pages();
	pid = fork();
	if (pid == 0) {
		sqlite3 *sql = NULL;

		(void)sqlite3_open(scratch_path("state.db"), &sql);
		(void)sqlite3_exec(sql, "INSERT INTO parent(id) VALUES (99999)", NULL, NULL, NULL);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	n = scratch_read("state.db-wal", log, sizeof(log));
	ck_assert_uint_gt(n, 4096);
	expect_recreated();
	ck_assert(find_aside("-wal", name, sizeof(name)));
	ck_assert_uint_eq(scratch_read(name, aside_log, sizeof(aside_log)), n);
	ck_assert_mem_eq(log, aside_log, n);
	ck_assert(find_aside("-shm", name, sizeof(name)));
}
END_TEST

START_TEST(a_second_broken_file_does_not_replace_the_first)
{
	/* Both within one second, most of the time. */
	make_broken_pages();
	expect_recreated();
	ck_assert_int_eq(unlink(scratch_path("state.db")), 0);
	make_broken_pages();
	expect_recreated();
	ck_assert_int_eq(count_aside(), 2);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
	struct db *none = NULL;
	struct err e = {""};

	ck_assert_int_eq(db_open(scratch_path("nowhere/state.db"), schema, 2, &none, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "nowhere/state.db"));
	ck_assert_ptr_nonnull(strstr(e.msg, "No such file"));
}
END_TEST

START_TEST(a_folder_in_place_of_the_file_is_an_error)
{
	struct db *none = NULL;
	struct err e = {""};

	ck_assert_int_eq(mkdir(scratch_path("state.db"), 0700), 0);
	ck_assert_int_lt(db_open(scratch_path("state.db"), schema, 2, &none, &e), 0);
	ck_assert(scratch_has("state.db"));
}
END_TEST

START_TEST(a_database_in_memory_leaves_no_file)
{
	_cleanup_(db_close_p) struct db *db = NULL;
	struct err e = {""};

	ck_assert_int_eq(db_open(":memory:", schema, 2, &db, &e), DB_OPENED);
	exec_ok(db, "INSERT INTO parent(name) VALUES ('a')");
	ck_assert_int_eq(ask(db, "SELECT count(*) FROM parent"), 1);
	ck_assert_int_ne(access(":memory:", F_OK), 0);
}
END_TEST

static void on_read_only_disk(void)
{
	struct db *db = NULL;
	struct err e = {""};

	EXPECT(db_open(scratch_path("state.db"), schema, 2, &db, &e) == DB_OPENED);
	db_close(db);
	db = NULL;
	make_read_only();
	EXPECT(db_open(scratch_path("state.db"), schema, 2, &db, &e) == -EROFS);
	EXPECT(!db && strstr(e.msg, "state.db") && strstr(e.msg, "Read-only file system"));
	e.msg[0] = '\0';
	EXPECT(db_open(scratch_path("other.db"), schema, 2, &db, &e) == -EROFS);
	EXPECT(!db && strstr(e.msg, "other.db") && strstr(e.msg, "Read-only file system"));
}

START_TEST(a_read_only_disk_is_said_so)
{
	with_small_disk("size=4m", on_read_only_disk);
}
END_TEST

static void on_full_disk(void)
{
	static const char insert[] = "INSERT INTO parent(note) VALUES (hex(zeroblob(20000)))";
	struct db *db = NULL, *other = NULL;
	struct err e = {""};

	EXPECT(db_open(scratch_path("state.db"), schema, 2, &db, &e) == DB_OPENED);
	EXPECT(db_exec(db, "INSERT INTO parent(name) VALUES ('before')", &e) == 0);
	fill_disk("ballast");
	EXPECT(db_exec(db, insert, &e) == -ENOSPC);
	EXPECT(strstr(e.msg, "state.db") && strstr(e.msg, "full"));
	EXPECT(db_begin(db, &e) == 0);
	EXPECT(db_exec(db, insert, &e) == -ENOSPC || db_commit(db, &e) == -ENOSPC);
	db_rollback(db);
	EXPECT(db_open(scratch_path("other.db"), schema, 2, &other, &e) == -ENOSPC);
	EXPECT(!other && strstr(e.msg, "other.db"));

	/* Room again: it goes on without being opened anew, and nothing was lost. */
	EXPECT(unlink(scratch_path("ballast")) == 0);
	EXPECT(db_exec(db, insert, &e) == 0);
	db_close(db);
	EXPECT(db_open(scratch_path("state.db"), schema, 2, &db, &e) == DB_OPENED);
	EXPECT(ask(db, "SELECT count(*) FROM parent") == 2);
	db_close(db);
}

START_TEST(a_full_disk_is_said_so_and_survived)
{
	with_small_disk("size=1m", on_full_disk);
}
END_TEST

static Suite *db_file_suite(void)
{
	Suite *s = suite_create("db_file");
	TCase *tc = tcase_create("db_file");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_new_file_gets_the_whole_schema_and_safe_settings);
	tcase_add_test(tc, an_older_file_is_migrated_and_keeps_its_rows);
	tcase_add_test(tc, a_failing_migration_changes_nothing);
	tcase_add_test(tc, a_migration_may_rebuild_a_table_others_refer_to);
	tcase_add_test(tc, a_newer_file_is_refused_and_left_as_it_is);
	tcase_add_test(tc, a_newer_file_with_a_log_left_by_a_crash_is_not_touched);
	tcase_add_test(tc, a_commit_survives_a_process_that_dies_at_once);
	tcase_add_test(tc, a_file_that_is_no_database_is_kept_aside);
	tcase_add_test(tc, an_empty_file_is_a_new_database);
	tcase_add_test(tc, broken_pages_inside_are_found_at_opening);
	tcase_add_test(tc, a_truncated_file_is_kept_aside);
	tcase_add_test(tc, the_log_of_a_broken_file_goes_aside_with_it);
	tcase_add_test(tc, a_second_broken_file_does_not_replace_the_first);
	tcase_add_test(tc, a_folder_that_is_not_there_is_named);
	tcase_add_test(tc, a_folder_in_place_of_the_file_is_an_error);
	tcase_add_test(tc, a_database_in_memory_leaves_no_file);
	tcase_add_test(tc, a_read_only_disk_is_said_so);
	tcase_add_test(tc, a_full_disk_is_said_so_and_survived);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(db_file_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
