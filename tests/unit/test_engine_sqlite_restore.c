/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sqlite_case.h"

#include <signal.h>
#include <sys/wait.h>

/* A database with `old` in it is replaced by a dump of one that make_db() made. */
static struct buf dump = BUF_INIT(1 << 24);
static struct engine_call call;

static void set_up(void)
{
	struct counts counts = {.n_items = 0};
	struct err e = {""};
	sqlite3 *db;

	scratch_make();
	make_db("source.db", "PRAGMA journal_mode = WAL");
	call = call_of("source.db");
	ck_assert_msg(dump_db(&call, &dump, &counts, &e) == 0, "%s", e.msg);
	db = open_db("app.db");
	run_sql(db, "PRAGMA journal_mode = WAL; CREATE TABLE old(x); INSERT INTO old VALUES(1)");
	(void)sqlite3_close(db);
	call = call_of("app.db");
}

static void tear_down(void)
{
	buf_done(&dump);
	scratch_remove();
}

static void check_old_is_there(void)
{
	ck_assert_int_eq(ask_db("app.db", "SELECT x FROM old"), 1);
}

static int other_files(void *user, int dirfd, const char *name)
{
	(void)user;
	(void)dirfd;
	return strstr(name, ".restore-") ? 1 : 0;
}

static void check_nothing_aside(void)
{
	ck_assert_int_eq(fs_list(AT_FDCWD, scratch, other_files, NULL, NULL), 0);
}

START_TEST(a_restore_replaces_the_file_with_its_owner_and_mode)
{
	struct err e = {""};
	struct stat st;

	ck_assert_int_eq(chmod(scratch_path("app.db"), 0640), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(scratch_path("app.db"), 12345, 54321), 0);
	ck_assert_msg(restore_db(&call, NULL, &dump, dump.len, true, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(stat(scratch_path("app.db"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	if (geteuid() == 0)
		ck_assert(st.st_uid == 12345 && st.st_gid == 54321);
	ck_assert_int_eq(ask_db("app.db", "SELECT count(*) FROM a"), 1000);
	check_nothing_aside();
}
END_TEST

START_TEST(a_new_file_belongs_to_whom_the_folder_belongs)
{
	struct err e = {""};
	struct stat st;

	ck_assert_int_eq(mkdir(scratch_path("data"), 0700), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(scratch_path("data"), 12345, 54321), 0);
	call = call_of("data/app.db");
	ck_assert_msg(restore_db(&call, NULL, &dump, dump.len, true, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(stat(scratch_path("data/app.db"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	if (geteuid() == 0)
		ck_assert(st.st_uid == 12345 && st.st_gid == 54321);
}
END_TEST

START_TEST(row_30_a_restore_that_is_cut_leaves_what_was_there)
{
	struct err e = {""};

	ck_assert_int_eq(restore_db(&call, NULL, &dump, dump.len / 2, false, &e), 0);
	check_old_is_there();
	check_nothing_aside();
}
END_TEST

START_TEST(row_30_a_broken_database_is_not_put_in_place)
{
	struct err e = {""};

	/* Somewhere in a page of a table. */
	memset(dump.data + dump.len / 2, 0x55, 2000);
	ck_assert_int_eq(restore_db(&call, NULL, &dump, dump.len, true, &e), -EBADMSG);
	ck_assert_str_ne(e.msg, "");
	check_old_is_there();
	check_nothing_aside();
}
END_TEST

START_TEST(row_30_what_is_in_use_is_not_replaced)
{
	const struct engine_restore how = {.into = NULL};
	_cleanup_(buf_done) struct buf text = BUF_INIT(1000);
	bool destructive = false;
	int ready[2], status;
	struct err e = {""};
	char one;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		sqlite3 *db = open_db("app.db");

		run_sql(db, "SELECT * FROM old");
		(void)!write(ready[1], "x", 1);
		(void)pause();
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &one, 1), 1);
	ck_assert_int_eq(restore_db(&call, NULL, &dump, dump.len, true, &e), -EBUSY);
	ck_assert_msg(strstr(e.msg, "is open in ") && strstr(e.msg, "(process "), "%s", e.msg);
	ck_assert_int_eq(engine_sqlite.restore_plan(&call, &how, &text, &destructive, &e), -EBUSY);
	/* Into another file it may go. */
	ck_assert_int_eq(restore_db(&call, scratch_path("other.db"), &dump, dump.len, true, &e), 0);
	ck_assert_int_eq(ask_db("other.db", "SELECT count(*) FROM a"), 1000);
	(void)kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(restore_db(&call, NULL, &dump, dump.len, true, &e), 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
}
END_TEST

/* What a killed program left in its WAL must not be taken for the new database's. */
START_TEST(journals_of_the_old_one_are_gone)
{
	struct err e = {""};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		sqlite3 *db = open_db("app.db");

		run_sql(db, "PRAGMA wal_autocheckpoint = 0; UPDATE old SET x = 2");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(scratch_has("app.db-wal"));
	ck_assert_msg(restore_db(&call, NULL, &dump, dump.len, true, &e) == 0, "%s", e.msg);
	ck_assert(!scratch_has("app.db-wal"));
	ck_assert_int_eq(ask_db("app.db", "SELECT count(*) FROM a"), 1000);
	ck_assert_int_eq(ask_db("app.db", "SELECT count(*) FROM pragma_integrity_check WHERE "
					  "integrity_check = 'ok'"),
		1);
}
END_TEST

START_TEST(a_link_is_followed_to_the_file)
{
	struct err e = {""};
	struct stat st;

	ck_assert_int_eq(symlink("app.db", scratch_path("link.db")), 0);
	call = call_of("link.db");
	ck_assert_msg(restore_db(&call, NULL, &dump, dump.len, true, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(lstat(scratch_path("link.db"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(ask_db("app.db", "SELECT count(*) FROM a"), 1000);
}
END_TEST

static int plan(const char *into, struct buf *text, bool *destructive)
{
	const struct engine_restore how = {.into = into};
	struct err e = {""};

	buf_clear(text);
	return engine_sqlite.restore_plan(&call, &how, text, destructive, &e);
}

START_TEST(the_plan_says_what_would_be_lost)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1000);
	bool destructive = false;

	ck_assert_int_eq(plan(NULL, &text, &destructive), 0);
	ck_assert(destructive);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "app.db (8.0 KiB) will be replaced"));
	ck_assert_int_eq(plan(scratch_path("new.db"), &text, &destructive), 0);
	ck_assert(!destructive);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "new.db will be made"));
	ck_assert_int_eq(plan("relative.db", &text, &destructive), -EINVAL);
	ck_assert_int_eq(plan(scratch_path("none/new.db"), &text, &destructive), -ENOENT);
	ck_assert_int_eq(plan(scratch, &text, &destructive), -EINVAL);
	the_job.container = "c";
	ck_assert_int_eq(plan(NULL, &text, &destructive), -ENOTSUP);
}
END_TEST

START_TEST(a_drill_restores_and_counts_and_leaves_nothing)
{
	struct engine_call drill = call;
	struct engine_member member = {.format = &format_sqlite};
	struct engine_target t = {.state = NULL};
	struct counts counts = {.n_items = 0};
	struct err e = {""};
	char into[128];

	ck_assert_msg(
		engine_sqlite.drill_begin(&call, NULL, &drill, into, &t, &e) == 0, "%s", e.msg);
	ck_assert_msg(restore_db(&drill, into, &dump, dump.len, true, &e) == 0, "%s", e.msg);
	(void)snprintf(member.title, sizeof(member.title), "%s", into);
	ck_assert_msg(engine_sqlite.count(&drill, &member, &counts, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(counts_get(&counts, "rows"), 1000);
	ck_assert_int_eq(counts_get(&counts, "tables"), 2);
	engine_sqlite.drill_end(&call, &drill, &t);
	ck_assert_int_eq(rmdir(scratch_path("backup")), 0);
	check_old_is_there();
}
END_TEST

static int prove(size_t n, struct err *e)
{
	const struct manifest_member m = {.title = (char *)"app.db"};
	struct sink *s = NULL;
	int r = engine_sqlite.proof(&call, &m, &s, e);

	ck_assert_msg(r == 0, "%s", e->msg);
	ck_assert_int_eq(sink_write(s, dump.data, n, e), 0);
	r = sink_finish(s, e);
	sink_free(s);
	return r;
}

START_TEST(a_proof_finds_what_no_header_tells)
{
	struct err e = {""};

	/* What a killed proof left is cleared away by the next. */
	ck_assert_int_eq(mkdir(scratch_path("backup/sqlite-left00"), 0700), 0);
	scratch_write("backup/sqlite-left00/drill.db", "x", 1);
	ck_assert_msg(prove(dump.len, &e) == 0, "%s", e.msg);
	memset(dump.data + dump.len / 2, 0x55, 2000);
	ck_assert_int_eq(prove(dump.len, &e), -EBADMSG);
	ck_assert_int_eq(rmdir(scratch_path("backup")), 0);
}
END_TEST

static Suite *restore_suite(void)
{
	Suite *s = suite_create("engine_sqlite_restore");
	TCase *tc = tcase_create("engine_sqlite_restore");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_restore_replaces_the_file_with_its_owner_and_mode);
	tcase_add_test(tc, a_new_file_belongs_to_whom_the_folder_belongs);
	tcase_add_test(tc, row_30_a_restore_that_is_cut_leaves_what_was_there);
	tcase_add_test(tc, row_30_a_broken_database_is_not_put_in_place);
	tcase_add_test(tc, row_30_what_is_in_use_is_not_replaced);
	tcase_add_test(tc, journals_of_the_old_one_are_gone);
	tcase_add_test(tc, a_link_is_followed_to_the_file);
	tcase_add_test(tc, the_plan_says_what_would_be_lost);
	tcase_add_test(tc, a_drill_restores_and_counts_and_leaves_nothing);
	tcase_add_test(tc, a_proof_finds_what_no_header_tells);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(restore_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
