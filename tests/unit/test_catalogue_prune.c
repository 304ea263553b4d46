/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/catalogue_case.h"

static void decided(void *user, const struct manifest *m, bool keep, const char *why)
{
	buf_addf(user, "%c%d:%s ", keep ? '+' : '-', (int)((now_ms - m->started_ms) / day_ms), why);
}

static void removed(void *user, const struct manifest *m, int r, const struct err *e)
{
	buf_addf(user, "removed%d:%s ", (int)((now_ms - m->started_ms) / day_ms),
		r == 0 ? "ok" : e->msg);
}

/* What was told is in `said` until the next call. */
static char said[4096];

static int prune(struct fake_store *f, int last, bool dry_run, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(sizeof(said) - 1);
	const struct prune_report report = {decided, removed, &b};
	const struct retention_policy p = {.last = last};
	int r = catalogue_prune(&f->store, NULL, "shop", "web-1", &p, dry_run, now_ms, &report, e);

	(void)str_copy(said, sizeof(said), buf_str(&b));
	return r;
}

/* Whether the backup is there, whole. */
static bool is_whole(struct fake_store *f, const char *job, const char *id)
{
	return fake_has(f, key_of(job, id, "shop.pgdump.zst.age")) &&
	       fake_has(f, key_of(job, id, "shop.pgdump.zst.age.002")) &&
	       fake_has(f, key_of(job, id, "globals.sql.zst.age")) &&
	       fake_has(f, key_of(job, id, MANIFEST_NAME));
}

static bool is_gone(struct fake_store *f, const char *job, const char *id)
{
	for (size_t i = 0; i < f->n_objects; i++)
		if (str_starts(f->objects[i].key, key_of(job, id, "")))
			return false;
	return true;
}

START_TEST(row_14_only_keys_of_this_job_and_host_are_removed)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	char old[BACKUP_ID_SIZE], other_job[BACKUP_ID_SIZE], other_host[BACKUP_ID_SIZE];
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 2, NULL);
	put_backup(f, "shop", "web-1", 3, old);
	put_backup(f, "shop", "web-2", 9, other_host);
	put_backup(f, "shop-2", "web-1", 9, other_job);
	(void)fake_add(f, "shop/notes.txt", "x", 1);
	(void)fake_add(f, "other", "x", 1);
	/* A backup that is being made has no manifest yet. */
	(void)fake_add(f, "shop/20261121T030000Z-3f9a2c/shop.sql", "x", 1);
	ck_assert_msg(prune(f, 2, false, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(said, "+1:last +2:last -3:not in the policy removed3:ok ");
	ck_assert(is_gone(f, "shop", old));
	ck_assert(is_whole(f, "shop", other_host));
	ck_assert(is_whole(f, "shop-2", other_job));
	ck_assert(fake_has(f, "shop/notes.txt") && fake_has(f, "other"));
	ck_assert(fake_has(f, "shop/20261121T030000Z-3f9a2c/shop.sql"));
}
END_TEST

START_TEST(row_14_failed_ones_do_not_count)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	char bad[BACKUP_ID_SIZE], good[BACKUP_ID_SIZE];
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 2, bad);
	put_backup(f, "shop", "web-1", 3, good);
	(void)fake_add(f, key_of("shop", bad, "verified-5.json"), "{\"bad_ms\":5}", 12);
	ck_assert_int_eq(prune(f, 2, false, &e), 0);
	ck_assert_str_eq(said, "+1:last -2:bad +3:last removed2:ok ");
	ck_assert(is_gone(f, "shop", bad));
	ck_assert(is_whole(f, "shop", good));
}
END_TEST

START_TEST(row_14_never_the_newest_verified_one)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	char verified[BACKUP_ID_SIZE];
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 2, NULL);
	put_backup(f, "shop", "web-1", 3, verified);
	(void)fake_add(f, key_of("shop", verified, "verified-5.json"), "{\"verified_ms\":5}", 17);
	ck_assert_int_eq(prune(f, 1, false, &e), 0);
	ck_assert_str_eq(said, "+1:last -2:not in the policy +3:newest verified one removed2:ok ");
	ck_assert(is_whole(f, "shop", verified));
}
END_TEST

START_TEST(data_goes_first_the_manifest_last)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	char old[BACKUP_ID_SIZE];
	_cleanup_(free_p) char *want = NULL;
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 3, old);
	(void)fake_add(f, key_of("shop", old, "verified-5.json"), "{}", 2);
	buf_clear(&f->log);
	ck_assert_int_eq(prune(f, 1, false, &e), 0);
	want = str_format("remove shop/%s/globals.sql.zst.age\n"
			  "remove shop/%s/shop.pgdump.zst.age.002\n"
			  "remove shop/%s/shop.pgdump.zst.age\n"
			  "remove shop/%s/verified-5.json\n"
			  "remove shop/%s/manifest.json\n",
		old, old, old, old, old);
	ck_assert_str_eq(buf_str(&f->log), want);
}
END_TEST

START_TEST(a_dry_run_changes_nothing)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	char old[BACKUP_ID_SIZE];
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 3, old);
	buf_clear(&f->log);
	ck_assert_int_eq(prune(f, 1, true, &e), 0);
	ck_assert_str_eq(said, "+1:last -3:not in the policy ");
	ck_assert_str_eq(buf_str(&f->log), "");
}
END_TEST

/* Whatever call the store fails at, once or for good: what is half removed is not offered for a restore, and the next prune ends
 * it; what should stay is whole. */
START_TEST(row_16_a_removal_that_was_cut_short_is_finished_by_the_next)
{
	int fail_at = 1;

	for (;; fail_at++) {
		_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
		_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
		char ids[4][BACKUP_ID_SIZE];
		struct err e = {""};
		int r;

		for (int i = 0; i < 4; i++)
			put_backup(f, "shop", "web-1", i + 1, ids[i]);
		f->calls = 0;
		f->fail_at = fail_at;
		f->stay_broken = _i;
		r = prune(f, 2, false, &e);
		f->fail_at = 0;
		l = read_list(f, NULL, "shop");
		for (size_t i = 0; i < l.n; i++)
			ck_assert_int_eq(
				!l.items[i]->is_incomplete, is_whole(f, "shop", l.items[i]->id));
		ck_assert(is_whole(f, "shop", ids[0]) && is_whole(f, "shop", ids[1]));
		if (r < 0)
			ck_assert_str_ne(e.msg, "");
		ck_assert_int_eq(prune(f, 2, false, &e), 0);
		ck_assert(is_gone(f, "shop", ids[2]) && is_gone(f, "shop", ids[3]));
		ck_assert(is_whole(f, "shop", ids[0]) && is_whole(f, "shop", ids[1]));
		if (r == 0 && f->calls > 0 && fail_at > 30)
			break;
	}
}
END_TEST

START_TEST(row_15_a_failed_removal_is_told)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct err e = {""};

	for (int i = 1; i <= 9; i++)
		put_backup(f, "shop", "web-1", i, NULL);
	f->calls = 0;
	f->fail_at = 11; /* the list and nine manifests were read */
	f->stay_broken = true;
	ck_assert_int_eq(prune(f, 1, false, &e), -EIO);
	ck_assert_msg(
		strstr(e.msg, "8 of 8 backups could not be removed: the fake store fails") != NULL,
		"%s", e.msg);
	/* Not each of them is tried with a store that is out of order. */
	ck_assert_ptr_nonnull(strstr(said, "removed7:the fake store"));
	ck_assert_ptr_null(strstr(said, "removed5:"));
}
END_TEST

START_TEST(row_26_what_the_store_keeps_is_retained_and_no_failure)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	char old[BACKUP_ID_SIZE], older[BACKUP_ID_SIZE];
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 2, old);
	put_backup(f, "shop", "web-1", 3, older);
	fake_find(f->objects, f->n_objects, key_of("shop", older, "globals.sql.zst.age"))
		->is_locked = true;
	ck_assert_int_eq(prune(f, 1, false, &e), 0);
	ck_assert_ptr_nonnull(strstr(said, "removed3:locked removed2:ok "));
	ck_assert(is_whole(f, "shop", older));
	ck_assert(is_gone(f, "shop", old));
}
END_TEST

START_TEST(row_26_without_the_right_to_delete_all_is_retained)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct err e = {""};

	for (int i = 1; i <= 4; i++)
		put_backup(f, "shop", "web-1", i, NULL);
	buf_clear(&f->log);
	f->forbid_removal = true;
	ck_assert_int_eq(prune(f, 1, false, &e), 0);
	ck_assert_ptr_nonnull(strstr(said, "removed4:AccessDenied removed3:AccessDenied "
					   "removed2:AccessDenied "));
	/* It is asked once. */
	ck_assert_ptr_null(strstr(strstr(buf_str(&f->log), "remove") + 1, "remove"));
}
END_TEST

START_TEST(row_26_rules_of_the_store_are_left_to_it)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 2, NULL);
	buf_clear(&f->log);
	f->store.may_delete = false;
	ck_assert_int_eq(prune(f, 1, false, &e), 0);
	ck_assert_str_eq(said, "+1:last -2:not in the policy ");
	ck_assert_str_eq(buf_str(&f->log), "");
}
END_TEST

START_TEST(a_verdict_that_was_locked_longer_goes_later)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	char old[BACKUP_ID_SIZE];
	struct fake_object *o;
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 2, old);
	o = fake_add(f, key_of("shop", old, "verified-5.json"), "{}", 2);
	o->is_locked = true;
	ck_assert_int_eq(prune(f, 1, false, &e), 0);
	ck_assert_ptr_nonnull(strstr(said, "removed2:ok"));
	ck_assert(!fake_has(f, key_of("shop", old, MANIFEST_NAME)));
	o = fake_find(f->objects, f->n_objects, key_of("shop", old, "verified-5.json"));
	ck_assert_ptr_nonnull(o);
	o->is_locked = false;
	ck_assert_int_eq(prune(f, 1, false, &e), 0);
	ck_assert(is_gone(f, "shop", old));
}
END_TEST

/* Stores that list late (Swift), or a copy of the list that lags: what is there by its name is there. */
START_TEST(row_14_what_a_list_leaves_out_is_not_taken_for_missing)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	char newer[BACKUP_ID_SIZE], older[BACKUP_ID_SIZE], unlisted[MANIFEST_KEY_MAX];
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, newer);
	put_backup(f, "shop", "web-1", 2, older);
	(void)str_copy(unlisted, sizeof(unlisted), key_of("shop", older, "globals.sql.zst.age"));
	f->unlisted = unlisted;
	ck_assert_int_eq(prune(f, 2, false, &e), 0);
	ck_assert_str_eq(said, "+1:last +2:last ");
	l = read_list(f, NULL, "shop");
	ck_assert(!l.items[1]->is_incomplete && l.items[1]->bad_ms == 0);
	/* And when the store cannot say, nothing is decided. */
	f->calls = 0;
	f->fail_at = 4; /* the list, two manifests, the object */
	ck_assert_int_eq(prune(f, 1, false, &e), -EIO);
	ck_assert_str_eq(said, "");
	f->fail_at = 0;
	ck_assert(is_whole(f, "shop", newer) && is_whole(f, "shop", older));
}
END_TEST

START_TEST(row_14_without_a_list_nothing_is_removed)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 2, NULL);
	buf_clear(&f->log);
	f->calls = 0;
	f->fail_at = 3;
	ck_assert_int_eq(prune(f, 1, false, &e), -EIO);
	ck_assert_str_eq(buf_str(&f->log), "");
	ck_assert_str_eq(said, "");
}
END_TEST

static Suite *prune_suite(void)
{
	Suite *s = suite_create("catalogue_prune");
	TCase *tc = tcase_create("catalogue_prune");

	tcase_add_test(tc, row_14_only_keys_of_this_job_and_host_are_removed);
	tcase_add_test(tc, row_14_failed_ones_do_not_count);
	tcase_add_test(tc, row_14_never_the_newest_verified_one);
	tcase_add_test(tc, data_goes_first_the_manifest_last);
	tcase_add_test(tc, a_dry_run_changes_nothing);
	tcase_add_loop_test(tc, row_16_a_removal_that_was_cut_short_is_finished_by_the_next, 0, 2);
	tcase_add_test(tc, row_15_a_failed_removal_is_told);
	tcase_add_test(tc, row_26_what_the_store_keeps_is_retained_and_no_failure);
	tcase_add_test(tc, row_26_without_the_right_to_delete_all_is_retained);
	tcase_add_test(tc, row_26_rules_of_the_store_are_left_to_it);
	tcase_add_test(tc, a_verdict_that_was_locked_longer_goes_later);
	tcase_add_test(tc, row_14_what_a_list_leaves_out_is_not_taken_for_missing);
	tcase_add_test(tc, row_14_without_a_list_nothing_is_removed);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(prune_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
