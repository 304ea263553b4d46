/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sqlite_case.h"

#include <signal.h>
#include <sys/wait.h>

#include "backup/sqlite_db.h"
#include "tests/unit/small_disk.h"

static const char *const modes[] = {"PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL",
	"PRAGMA page_size = 65536", "PRAGMA auto_vacuum = FULL; PRAGMA page_size = 512"};

/* Two writers beside the backup, one transaction each time: sum(n) of all rows never changes. */
static void write_for_ever(const char *path, int ready)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_busy_timeout(db, 10000) != SQLITE_OK)
		_exit(1);
	for (;;) {
		if (sqlite3_exec(db,
			    "BEGIN IMMEDIATE; UPDATE a SET n = n + 1 WHERE id % 2 = 0;"
			    "UPDATE a SET n = n - 1 WHERE id % 2 = 1;"
			    "UPDATE a SET t = hex(randomblob(60)); COMMIT",
			    NULL, NULL, NULL) != SQLITE_OK)
			_exit(2);
		(void)!write(ready, "x", 1);
	}
}

START_TEST(a_dump_is_the_database_byte_by_byte)
{
	_cleanup_(buf_done) struct buf dump = BUF_INIT(1 << 24);
	_cleanup_(buf_done) struct buf file = BUF_INIT(1 << 24);
	struct counts counts = {.n_items = 0};
	struct engine_call c;
	struct err e = {""};
	size_t other = 0;

	make_db("app.db", modes[_i]);
	c = call_of("app.db");
	ck_assert_msg(dump_db(&c, &dump, &counts, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(fs_read(AT_FDCWD, scratch_path("app.db"), &file, &e), 0);
	ck_assert_uint_eq(dump.len, file.len);
	for (size_t i = 0; i < dump.len; i++)
		other += dump.data[i] != file.data[i];
	/* SQLite's change counter, and where it stands again. */
	ck_assert_uint_le(other, 8);
	ck_assert_int_eq(counts_get(&counts, "tables"), 2);
	ck_assert_int_eq(counts_get(&counts, "indexes"), 1);
	ck_assert_int_eq(counts_get(&counts, "triggers"), 1);
	ck_assert_int_eq(counts_get(&counts, "views"), 1);
	ck_assert_int_eq(counts_get(&counts, "rows"), 1000);
	/* Nothing stays in the state folder. */
	ck_assert_int_eq(rmdir(scratch_path("backup")), 0);
}
END_TEST

START_TEST(a_dump_while_it_is_written_to_is_of_one_moment)
{
	sqlite3 *keep_open;
	int ready[2], status;
	char one;
	pid_t pid;

	make_db("app.db", modes[_i]);
	keep_open = open_db("app.db"); /* so that the WAL stays */
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0)
		write_for_ever(scratch_path("app.db"), ready[1]);
	ck_assert_int_eq(read(ready[0], &one, 1), 1);
	for (int i = 0; i < 4; i++) {
		_cleanup_(buf_done) struct buf dump = BUF_INIT(1 << 24);
		struct counts counts = {.n_items = 0};
		struct engine_call c = call_of("app.db");
		struct err e = {""};

		ck_assert_msg(dump_db(&c, &dump, &counts, &e) == 0, "%s", e.msg);
		c = call_of("copy.db");
		ck_assert_msg(restore_db(&c, NULL, &dump, dump.len, true, &e) == 0, "%s", e.msg);
		ck_assert_int_eq(ask_db("copy.db", "SELECT sum(n) FROM a"), 500500);
	}
	(void)kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	(void)sqlite3_close(keep_open);
	(void)close(ready[0]);
	(void)close(ready[1]);
}
END_TEST

/* Committed, but still in the WAL of a program that has it open. */
START_TEST(what_is_only_in_the_wal_is_in_the_dump)
{
	_cleanup_(buf_done) struct buf dump = BUF_INIT(1 << 24);
	struct counts counts = {.n_items = 0};
	struct engine_call c;
	struct err e = {""};
	struct stat before, after;
	sqlite3 *db;

	make_db("app.db", "PRAGMA journal_mode = WAL");
	db = open_db("app.db");
	run_sql(db,
		"PRAGMA wal_autocheckpoint = 0; CREATE TABLE late(x); INSERT INTO late VALUES(7)");
	ck_assert_int_eq(stat(scratch_path("app.db"), &before), 0);
	c = call_of("app.db");
	ck_assert_msg(dump_db(&c, &dump, &counts, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(stat(scratch_path("app.db"), &after), 0);
	ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	(void)sqlite3_close(db);
	c = call_of("copy.db");
	ck_assert_int_eq(restore_db(&c, NULL, &dump, dump.len, true, &e), 0);
	ck_assert_int_eq(ask_db("copy.db", "SELECT x FROM late"), 7);
	ck_assert_int_eq(counts_get(&counts, "tables"), 3);
}
END_TEST

START_TEST(row_06_a_wrong_path_is_an_error_and_makes_no_file)
{
	struct engine_call c = call_of("none.db");
	struct engine_info info = {.size_bytes = 0};
	struct source *s = NULL;
	struct err e = {""};

	ck_assert_int_eq(engine_sqlite.probe(&c, &info, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "none.db"));
	ck_assert_int_eq(engine_sqlite.dump(&c, NULL, &s, &e), -ENOENT);
	ck_assert(!scratch_has("none.db"));
	c = call_of("none/none.db");
	ck_assert_int_eq(engine_sqlite.probe(&c, &info, &e), -ENOENT);
}
END_TEST

START_TEST(row_06_an_empty_file_is_no_database)
{
	struct engine_call c = call_of("empty.db");
	struct engine_info info = {.size_bytes = 0};
	struct source *s = NULL;
	struct err e = {""};

	scratch_write("empty.db", "", 0);
	ck_assert_int_eq(engine_sqlite.probe(&c, &info, &e), -ENODATA);
	ck_assert_int_eq(engine_sqlite.dump(&c, NULL, &s, &e), -ENODATA);
	ck_assert_ptr_nonnull(strstr(e.msg, "is empty"));
}
END_TEST

START_TEST(row_06_a_database_without_tables_is_warned_about)
{
	struct engine_call c;
	struct engine_info info = {.size_bytes = 0};
	struct err e = {""};
	sqlite3 *db = open_db("app.db");

	run_sql(db, "PRAGMA user_version = 3");
	(void)sqlite3_close(db);
	c = call_of("app.db");
	ck_assert_int_eq(engine_sqlite.probe(&c, &info, &e), 0);
	ck_assert_str_eq(warned, "the database has no table");
	ck_assert_str_eq(info.members[0].title, "app.db");
	ck_assert_str_eq(info.server_version, sqlite3_libversion());
	ck_assert_int_gt(info.size_bytes, 0);
	free(info.members);
}
END_TEST

START_TEST(what_is_no_database_is_refused)
{
	struct engine_call c = call_of("text");
	struct engine_info info = {.size_bytes = 0};
	struct err e = {""};
	char text[2000];

	memset(text, 'x', sizeof(text));
	scratch_write("text", text, sizeof(text));
	ck_assert_int_eq(engine_sqlite.probe(&c, &info, &e), -EUCLEAN);
	c = call_of("/dev/null");
	ck_assert_int_eq(engine_sqlite.probe(&c, &info, &e), -EINVAL);
}
END_TEST

/* A program that is killed in a transaction leaves a journal which only a writer can apply. */
START_TEST(a_hot_journal_is_said_to_need_its_program)
{
	struct engine_call c;
	struct engine_info info = {.size_bytes = 0};
	struct source *s = NULL;
	struct err e = {""};
	int status;
	pid_t pid;

	make_db("app.db", "PRAGMA journal_mode = DELETE");
	pid = fork();
	if (pid == 0) {
		sqlite3 *db = NULL;

		(void)sqlite3_open(scratch_path("app.db"), &db);
		(void)sqlite3_exec(db,
			"PRAGMA cache_size = 1; BEGIN; UPDATE a SET t = hex(randomblob(70))", NULL,
			NULL, NULL);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(scratch_has("app.db-journal"));
	c = call_of("app.db");
	ck_assert_int_eq(engine_sqlite.probe(&c, &info, &e), -EROFS);
	ck_assert_msg(strstr(e.msg, "let it run again") != NULL, "%s", e.msg);
	ck_assert_int_eq(engine_sqlite.dump(&c, NULL, &s, &e), -EROFS);
	ck_assert(scratch_has("app.db-journal"));
}
END_TEST

static void with_a_read_only_folder(void)
{
	struct engine_call c = call_of("app.db");
	struct engine_info info = {.size_bytes = 0};
	struct err e = {""};

	make_db("app.db", "PRAGMA journal_mode = WAL");
	make_read_only();
	EXPECT(engine_sqlite.probe(&c, &info, &e) < 0);
	EXPECT(strstr(e.msg, "a database in WAL mode needs its -shm file"));
}

START_TEST(wal_in_a_read_only_folder_says_so)
{
	with_small_disk("size=2m", with_a_read_only_folder);
}
END_TEST

static void with_too_little_room(void)
{
	struct engine_call c = call_of("app.db");
	struct source *s = NULL;
	struct err e = {""};

	make_db("app.db", "PRAGMA page_size = 4096");
	EXPECT(engine_sqlite.dump(&c, NULL, &s, &e) == -ENOSPC);
	EXPECT(strstr(e.msg, "are free, a copy of the database"));
}

START_TEST(row_08_too_little_room_for_the_copy_is_said_before)
{
	with_small_disk("size=4m", with_too_little_room);
}
END_TEST

static const struct {
	struct job job;
	const char *says;
} jobs[] = {
	{{.path = NULL}, "path: engine sqlite needs it"},
	{{.path = "app.db"}, "path: it must begin with a slash"},
	{{.path = "/a", .container = "c", .volume = "v"}, "container: "},
	{{.path = "/a", .host = "h"}, "host: "},
	{{.path = "/a", .port = 1}, "port: "},
};

START_TEST(a_job_that_makes_no_sense_is_refused)
{
	struct err e = {""};

	ck_assert_int_eq(engine_sqlite.check_job(&jobs[_i].job, &e), -EINVAL);
	ck_assert_msg(strncmp(e.msg, jobs[_i].says, strlen(jobs[_i].says)) == 0, "%s", e.msg);
}
END_TEST

static void write_checked(const struct buf *b, size_t n, int want, const char *says)
{
	_cleanup_(sink_free_p) struct sink *s = NULL;
	struct err e = {""};
	int r;

	ck_assert_int_eq(format_sqlite.checker(&s, &e), 0);
	r = sink_write(s, b->data, n / 2, &e);
	if (r == 0)
		r = sink_write(s, b->data + n / 2, n - n / 2, &e);
	if (r == 0)
		r = sink_finish(s, &e);
	ck_assert_int_eq(r, want);
	ck_assert_msg(strstr(e.msg, says) != NULL, "%s", e.msg);
}

START_TEST(a_dump_that_is_cut_is_seen_by_its_length)
{
	_cleanup_(buf_done) struct buf file = BUF_INIT(1 << 24);
	struct err e = {""};

	make_db("app.db", modes[_i]);
	ck_assert_int_eq(fs_read(AT_FDCWD, scratch_path("app.db"), &file, &e), 0);
	write_checked(&file, file.len, 0, "");
	write_checked(&file, file.len - 1, -EBADMSG, "pages are");
	write_checked(&file, file.len / 2, -EBADMSG, "pages are");
	write_checked(&file, 99, -EBADMSG, "99 bytes are no SQLite database");
	write_checked(&file, 0, -EBADMSG, "0 bytes are no SQLite database");
	file.data[3] = 'x';
	write_checked(&file, file.len, -EBADMSG, "this is no SQLite database");
	file.data[3] = 'i';
	file.data[16] = 3;
	write_checked(&file, file.len, -EBADMSG, "its pages have");
}
END_TEST

static Suite *sqlite_suite(void)
{
	Suite *s = suite_create("engine_sqlite");
	TCase *tc = tcase_create("engine_sqlite");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_loop_test(tc, a_dump_is_the_database_byte_by_byte, 0, (int)ARRAY_LEN(modes));
	tcase_add_loop_test(tc, a_dump_while_it_is_written_to_is_of_one_moment, 0, 2);
	tcase_add_test(tc, what_is_only_in_the_wal_is_in_the_dump);
	tcase_add_test(tc, row_06_a_wrong_path_is_an_error_and_makes_no_file);
	tcase_add_test(tc, row_06_an_empty_file_is_no_database);
	tcase_add_test(tc, row_06_a_database_without_tables_is_warned_about);
	tcase_add_test(tc, what_is_no_database_is_refused);
	tcase_add_test(tc, a_hot_journal_is_said_to_need_its_program);
	tcase_add_test(tc, wal_in_a_read_only_folder_says_so);
	tcase_add_test(tc, row_08_too_little_room_for_the_copy_is_said_before);
	tcase_add_loop_test(tc, a_job_that_makes_no_sense_is_refused, 0, (int)ARRAY_LEN(jobs));
	tcase_add_loop_test(tc, a_dump_that_is_cut_is_seen_by_its_length, 0, (int)ARRAY_LEN(modes));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(sqlite_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
