/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/journal.h"

#include <check.h>
#include <sys/wait.h>

#include "backup/segments.h"
#include "tests/unit/catalogue_case.h"
#include "tests/unit/small_disk.h"

#define ID "20261121T030000Z-3f9a2c"
#define KEY "shop/" ID "/shop.sql"
#define FILE_NAME "backup/uploads/shop." ID ".journal"

static struct sweep_result swept;

static int sweep(struct fake_store *a, struct fake_store *b, struct err *e)
{
	struct store *stores[] = {&a->store, b ? &b->store : NULL};
	static const char *const jobs[] = {"shop"};

	buf_clear(&a->log);
	return journal_sweep(scratch, stores, b ? 2 : 1, jobs, 1, now_ms, &swept, e);
}

/* A run that notes these and is killed. Keys by turns with tokens. */
static void run_and_die(const char *store, const char *const *notes, bool with_manifest)
{
	struct journal *j = NULL;
	struct err e = {""};

	ck_assert_msg(journal_new(scratch, "shop", ID, &j, &e) == 0, "%s", e.msg);
	for (; *notes; notes += 2)
		ck_assert_int_eq(journal_note(j, store, notes[0], notes[1], &e), 0);
	if (with_manifest)
		ck_assert_int_eq(journal_note_manifest(j, store, ID, &e), 0);
	journal_free(j);
}

START_TEST(what_ended_well_leaves_no_file)
{
	struct journal *j = NULL;
	struct err e = {""};

	ck_assert_int_eq(journal_new(scratch, "shop", ID, &j, &e), 0);
	ck_assert(scratch_has(FILE_NAME));
	ck_assert_int_eq(journal_note(j, "offsite", KEY, "", &e), 0);
	journal_done(j);
	ck_assert(!scratch_has(FILE_NAME));
}
END_TEST

START_TEST(row_11_uploads_of_a_killed_run_are_abandoned)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	static const char *const notes[] = {
		KEY, "", KEY, "upload-1", KEY ".002", "", KEY, "upload-1", NULL};
	struct err e = {""};

	run_and_die("offsite", notes, false);
	ck_assert_msg(sweep(f, NULL, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(buf_str(&f->log), "abandon " KEY ".002 \nabandon " KEY " upload-1\n");
	ck_assert_uint_eq(swept.uploads, 2);
	ck_assert(!scratch_has(FILE_NAME));
}
END_TEST

START_TEST(an_upload_that_was_begun_anew_is_abandoned_twice)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	static const char *const notes[] = {KEY, "", KEY, "one", KEY, "", KEY, "two", NULL};
	struct err e = {""};

	run_and_die("offsite", notes, false);
	ck_assert_int_eq(sweep(f, NULL, &e), 0);
	ck_assert_str_eq(buf_str(&f->log), "abandon " KEY " one\nabandon " KEY " two\n");
}
END_TEST

START_TEST(row_12_objects_without_a_manifest_are_removed)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	static const char *const notes[] = {KEY, "", NULL};
	struct err e = {""};

	run_and_die("offsite", notes, false);
	(void)fake_add(f, KEY, "x", 1);
	(void)fake_add(f, "shop/" ID "/globals.sql", "x", 1);
	(void)fake_add(f, "shop/20261121T040000Z-3f9a2c/shop.sql", "x", 1);
	ck_assert_int_eq(sweep(f, NULL, &e), 0);
	ck_assert_uint_eq(swept.objects, 2);
	ck_assert_uint_eq(f->n_objects, 1);
	ck_assert(fake_has(f, "shop/20261121T040000Z-3f9a2c/shop.sql"));
}
END_TEST

START_TEST(a_backup_with_a_manifest_is_left_alone)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	static const char *const notes[] = {KEY, "", NULL};
	struct err e = {""};

	run_and_die("offsite", notes, true);
	(void)fake_add(f, KEY, "x", 1);
	(void)fake_add(f, "shop/" ID "/manifest.json", "x", 1);
	ck_assert_int_eq(sweep(f, NULL, &e), 0);
	ck_assert_uint_eq(f->n_objects, 2);
	ck_assert(!scratch_has(FILE_NAME));
}
END_TEST

START_TEST(a_run_that_is_under_way_is_left_alone)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct journal *j = NULL;
	struct err e = {""};

	ck_assert_int_eq(journal_new(scratch, "shop", ID, &j, &e), 0);
	ck_assert_int_eq(journal_note(j, "offsite", KEY, "upload-1", &e), 0);
	(void)fake_add(f, "shop/" ID "/globals.sql", "x", 1);
	/* A dump may take days. */
	fake_add_unfinished(f, KEY, "upload-1", now_ms - 3 * day_ms);
	ck_assert_int_eq(sweep(f, NULL, &e), 0);
	ck_assert_str_eq(buf_str(&f->log), "");
	ck_assert(scratch_has(FILE_NAME));
	journal_free(j);
	ck_assert_int_eq(sweep(f, NULL, &e), 0);
	ck_assert_uint_eq(f->n_objects, 0);
	ck_assert_uint_eq(f->n_unfinished, 0);
}
END_TEST

START_TEST(row_11_uploads_nobody_knows_of_are_abandoned_after_a_day)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct err e = {""};

	fake_add_unfinished(f, "shop/" ID "/a.sql", "old", now_ms - day_ms - 1);
	fake_add_unfinished(f, "shop/" ID "/b.sql", "young", now_ms - day_ms + 1);
	fake_add_unfinished(f, "shop/" ID "/c.sql", "unknown", 0);
	fake_add_unfinished(f, "blog/" ID "/d.sql", "of another job", now_ms - 9 * day_ms);
	ck_assert_int_eq(sweep(f, NULL, &e), 0);
	ck_assert_str_eq(buf_str(&f->log), "abandon shop/" ID "/a.sql old\n");
	ck_assert_uint_eq(swept.uploads, 1);
}
END_TEST

START_TEST(what_another_store_has_waits_for_it)
{
	_cleanup_(fake_store_free_p) struct fake_store *a = fake_store_new("a");
	_cleanup_(fake_store_free_p) struct fake_store *b = fake_store_new("b");
	static const char *const notes[] = {KEY, "", NULL};
	struct err e = {""};

	run_and_die("b", notes, false);
	(void)fake_add(a, KEY, "of another run, no doubt", 1);
	ck_assert_int_eq(sweep(a, NULL, &e), 0);
	ck_assert(scratch_has(FILE_NAME));
	ck_assert_uint_eq(a->n_objects, 1);
	ck_assert_int_eq(sweep(a, b, &e), 0);
	ck_assert_str_eq(buf_str(&b->log), "abandon " KEY " \n");
	ck_assert(!scratch_has(FILE_NAME));
}
END_TEST

START_TEST(a_store_that_fails_is_asked_again_the_next_time)
{
	for (int fail_at = 1; fail_at <= 5; fail_at++) {
		_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
		static const char *const notes[] = {KEY, "u", NULL};
		struct err e = {""};

		run_and_die("offsite", notes, false);
		(void)fake_add(f, KEY, "x", 1);
		f->fail_at = fail_at;
		ck_assert_int_eq(sweep(f, NULL, &e), -EIO);
		ck_assert_uint_eq(swept.failed, 1);
		ck_assert_ptr_nonnull(strstr(e.msg, "the fake store fails"));
		f->fail_at = 0;
		ck_assert_int_eq(sweep(f, NULL, &e), 0);
		ck_assert_uint_eq(f->n_objects, 0);
		ck_assert(!scratch_has(FILE_NAME));
	}
}
END_TEST

START_TEST(a_store_that_keeps_objects_is_not_asked_for_ever)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	static const char *const notes[] = {KEY, "", NULL};
	struct err e = {""};

	run_and_die("offsite", notes, false);
	(void)fake_add(f, KEY, "x", 1);
	f->forbid_removal = true;
	ck_assert_int_eq(sweep(f, NULL, &e), 0);
	ck_assert(!scratch_has(FILE_NAME));
}
END_TEST

static const struct {
	const char *text;
	int uploads, failed;
} torn[] = {
	{"{\"job\":\"shop\",\"id\":\"" ID "\"}\n{\"store\":\"offsite\",\"key\":\"" KEY "\",\"tok",
		0, 0},
	{"{\"job\":\"shop\",\"id\":\"" ID "\"}\n{\"store\":\"offsite\",\"key\":\"" KEY
	 "\",\"token\":\"\"}\n{\"st",
		1, 0},
	{"{\"job\":\"shop\",\"id\":\"" ID "\"}\nnonsense\n{\"store\":\"offsite\",\"key\":\"" KEY
	 "\",\"token\":\"\"}\n",
		1, 0},
	/* A file that was changed must not lead into other backups. */
	{"{\"job\":\"shop\",\"id\":\"" ID "\"}\n{\"store\":\"offsite\",\"key\":\"blog/x\","
	 "\"token\":\"\"}\n",
		0, 0},
	{"{\"job\":\"..\",\"id\":\"" ID "\"}\n", 0, 1},
	{"", 0, 1},
};

START_TEST(a_torn_file_is_read_as_far_as_it_goes)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct err e = {""};

	ck_assert_int_eq(mkdir(scratch_path("backup"), 0700), 0);
	ck_assert_int_eq(mkdir(scratch_path("backup/uploads"), 0700), 0);
	scratch_write(FILE_NAME, torn[_i].text, strlen(torn[_i].text));
	(void)sweep(f, NULL, &e);
	ck_assert_int_eq((int)swept.uploads, torn[_i].uploads);
	ck_assert_int_eq((int)swept.failed, torn[_i].failed);
	ck_assert(!scratch_has(FILE_NAME));
}
END_TEST

START_TEST(without_a_journal_there_is_nothing_to_do)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct err e = {""};

	ck_assert_int_eq(sweep(f, NULL, &e), 0);
	ck_assert_uint_eq(swept.uploads + swept.objects + swept.failed, 0);
}
END_TEST

static void on_a_full_disk(void)
{
	struct journal *j = NULL, *second = NULL;
	struct err e = {""};
	int notes = 0, r;

	EXPECT(journal_new(scratch, "shop", ID, &j, &e) == 0);
	fill_disk("rest");
	EXPECT(journal_new(scratch, "shop", "20261121T040000Z-3f9a2c", &second, &e) == -ENOSPC);
	EXPECT(strstr(e.msg, "journal of uploads"));
	while ((r = journal_note(j, "offsite", KEY, "token", &e)) == 0 && notes < 10000)
		notes++;
	EXPECT(r == -ENOSPC);
	journal_free(j);
}

START_TEST(row_08_a_full_state_folder_is_said_before_the_run)
{
	with_small_disk("size=64k", on_a_full_disk);
}
END_TEST

/* A store whose every call may be the last of the process. */
static int steps_left;
static struct store *real;

static void step(void)
{
	if (steps_left-- == 0)
		_exit(9);
}

static int (*real_write)(struct sink *, const void *, size_t, struct err *);
static int (*real_commit)(struct upload *, struct store_object *, struct err *);

static int mortal_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	int r = real_write(s, data, n, e);

	step();
	return r;
}

static int mortal_commit(struct upload *u, struct store_object *out, struct err *e)
{
	int r = real_commit(u, out, e);

	step();
	return r;
}

static int mortal_upload(struct store *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e)
{
	static struct sink_ops ops;
	int r;

	(void)s;
	step();
	r = real->ops->upload(real, key, o, out, e);
	step();
	if (r < 0)
		return r;
	ops = *(*out)->sink.ops;
	real_write = ops.write;
	ops.write = mortal_write;
	(*out)->sink.ops = &ops;
	real_commit = (*out)->commit;
	(*out)->commit = mortal_commit;
	if (!o->is_manifest)
		(*out)->room = 1000; /* so that there are segments */
	return 0;
}

static void backup_in_small_steps(const json_t *settings)
{
	struct store_ops ops;
	struct store mortal;
	struct journal *j = NULL;
	struct store_context c = {.net = NULL};
	struct upload_options o = {.expected_bytes = 0};
	struct manifest *m = manifest_case_empty("shop", "web-1", ID, now_ms);
	struct sink *g = NULL;
	struct manifest_member *member;
	char key[MANIFEST_KEY_MAX];
	static const char zeros[900];
	struct err e = {""};

	EXPECT(journal_new(scratch, "shop", ID, &j, &e) == 0);
	step();
	c.journal = j;
	EXPECT(store_directory.open(settings, &c, &real, &e) == 0);
	mortal = *real;
	ops = *real->ops;
	ops.upload = mortal_upload;
	mortal.ops = &ops;
	manifest_case_member(m, "shop", ".sql", 900, 0);
	member = &m->members[0];
	manifest_data_key(key, "shop", ID, "shop", ".sql", 1);
	EXPECT(segments_new(&mortal, key, &o, &g, &e) == 0);
	for (int i = 0; i < 3; i++)
		EXPECT(sink_write(g, zeros, sizeof(zeros), &e) == 0);
	member->stored_bytes = 3 * sizeof(zeros);
	EXPECT(sink_finish(g, &e) == 0);
	EXPECT(segments_commit(g, member, &e) == 0);
	step();
	EXPECT(catalogue_commit(&mortal, NULL, m, &e) == 0);
	EXPECT(journal_note_manifest(j, "local", ID, &e) == 0);
	step();
	journal_done(j);
	step();
	_exit(0);
}

static int files_found;

static int count_files(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	files_found += type == FTW_F && st->st_size >= 0;
	return 0;
}

/* Killed after each step of a backup: after the sweep there is a whole backup, or nothing. */
START_TEST(row_11_a_kill_at_any_step_leaves_a_backup_or_nothing)
{
	json_t *settings = json_pack("{s:s, s:s}", "name", "local", "path", scratch_path("store"));
	const struct store_context c = {.net = NULL};
	static const char *const jobs[] = {"shop"};
	bool had_backup = false;
	int status = 9 << 8;

	for (int steps = 0; WEXITSTATUS(status) == 9; steps++) {
		_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
		struct store *s = NULL;
		struct err e = {""};
		pid_t pid = fork();

		if (pid == 0) {
			steps_left = steps;
			backup_in_small_steps(settings);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 1);
		ck_assert_int_eq(store_directory.open(settings, &c, &s, &e), 0);
		ck_assert_msg(journal_sweep(scratch, &s, 1, jobs, 1, now_ms, &swept, &e) == 0, "%s",
			e.msg);
		ck_assert_int_eq(catalogue_read(s, NULL, "shop", &l, &e), 0);
		ck_assert_uint_le(l.n, 1);
		ck_assert_uint_eq(l.broken, 0);
		ck_assert(!had_backup || l.n == 1);
		had_backup = l.n == 1;
		ck_assert(l.n == 0 || l.items[0]->bad_ms == 0);
		files_found = 0;
		(void)nftw(scratch_path("store"), count_files, 16, FTW_PHYS);
		ck_assert_int_eq(files_found, l.n ? 4 : 0);
		ck_assert(!scratch_has(FILE_NAME));
		s->ops->free(s);
		(void)nftw(scratch_path("store"), scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	ck_assert(had_backup);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	json_decref(settings);
}
END_TEST

static Suite *journal_suite(void)
{
	Suite *s = suite_create("journal");
	TCase *tc = tcase_create("journal");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, what_ended_well_leaves_no_file);
	tcase_add_test(tc, row_11_uploads_of_a_killed_run_are_abandoned);
	tcase_add_test(tc, an_upload_that_was_begun_anew_is_abandoned_twice);
	tcase_add_test(tc, row_12_objects_without_a_manifest_are_removed);
	tcase_add_test(tc, a_backup_with_a_manifest_is_left_alone);
	tcase_add_test(tc, a_run_that_is_under_way_is_left_alone);
	tcase_add_test(tc, row_11_uploads_nobody_knows_of_are_abandoned_after_a_day);
	tcase_add_test(tc, what_another_store_has_waits_for_it);
	tcase_add_test(tc, a_store_that_fails_is_asked_again_the_next_time);
	tcase_add_test(tc, a_store_that_keeps_objects_is_not_asked_for_ever);
	tcase_add_loop_test(tc, a_torn_file_is_read_as_far_as_it_goes, 0, (int)ARRAY_LEN(torn));
	tcase_add_test(tc, without_a_journal_there_is_nothing_to_do);
	tcase_add_test(tc, row_08_a_full_state_folder_is_said_before_the_run);
	tcase_add_test(tc, row_11_a_kill_at_any_step_leaves_a_backup_or_nothing);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(journal_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
