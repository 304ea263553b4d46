/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/catalogue_case.h"

#include <time.h>

#include "tests/unit/scratch.h"

START_TEST(backups_of_a_job_are_listed_newest_first)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	char ids[3][BACKUP_ID_SIZE];

	put_backup(f, "shop", "web-1", 3, ids[2]);
	put_backup(f, "shop", "web-2", 1, ids[0]);
	put_backup(f, "shop", "web-1", 2, ids[1]);
	put_backup(f, "shop-2", "web-1", 1, NULL);
	(void)fake_add(f, "shop/notes.txt", "x", 1);
	(void)fake_add(f, "shop/20261121T030000Z-3f9a2c/x.sql", "x", 1);
	l = read_list(f, NULL, "shop");
	ck_assert_uint_eq(l.n, 3);
	ck_assert_uint_eq(l.broken, 0);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(l.items[i]->id, ids[i]);
	ck_assert_int_eq(l.items[0]->bad_ms, 0);
}
END_TEST

START_TEST(a_manifest_that_cannot_be_read_is_counted_and_named)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	struct fake_object *o;
	char id[BACKUP_ID_SIZE], other[BACKUP_ID_SIZE];
	const char *key;

	put_backup(f, "shop", "web-1", 1, id);
	put_backup(f, "shop", "web-1", 2, other);
	/* Somebody copied a manifest to another backup's place. */
	key = key_of("shop", "20261121T030000Z-3f9a2c", MANIFEST_NAME);
	o = fake_find(f->objects, f->n_objects, key_of("shop", id, MANIFEST_NAME));
	(void)fake_add(f, key, buf_str(&o->data), o->data.len);
	(void)fake_add(f, key_of("shop", "20261121T040000Z-3f9a2c", MANIFEST_NAME), "{", 1);
	l = read_list(f, NULL, "shop");
	ck_assert_uint_eq(l.n, 2);
	ck_assert_uint_eq(l.broken, 2);
	ck_assert_msg(
		strstr(l.broken_why, "20261121T030000Z-3f9a2c/manifest.json: it is of") != NULL,
		"%s", l.broken_why);
}
END_TEST

START_TEST(a_store_that_fails_gives_no_list_with_holes)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	int fail_at = 1;

	put_backup(f, "shop", "web-1", 1, NULL);
	put_backup(f, "shop", "web-1", 2, NULL);
	for (;; fail_at++) {
		struct catalogue_list l = {.n = 7};
		struct err e = {""};

		f->calls = 0;
		f->fail_at = fail_at;
		if (catalogue_read(&f->store, NULL, "shop", &l, &e) == 0) {
			ck_assert_uint_eq(l.n, 2);
			catalogue_list_done(&l);
			break;
		}
		ck_assert_uint_eq(l.n, 7);
		ck_assert_ptr_nonnull(strstr(e.msg, "the fake store fails"));
	}
	ck_assert_int_eq(fail_at, 4);
}
END_TEST

static const char *const lost[] = {
	"shop.pgdump.zst.age", "shop.pgdump.zst.age.002", "globals.sql.zst.age"};

START_TEST(a_backup_with_data_missing_is_bad_and_not_restored)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	const struct manifest *m = NULL;
	char id[BACKUP_ID_SIZE], older[BACKUP_ID_SIZE];
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, id);
	put_backup(f, "shop", "web-1", 2, older);
	drop_key(f, key_of("shop", id, lost[_i]));
	l = read_list(f, NULL, "shop");
	ck_assert(l.items[0]->is_incomplete && l.items[0]->bad_ms);
	ck_assert_ptr_nonnull(strstr(l.items[0]->bad_why, lost[_i]));
	ck_assert_int_eq(catalogue_pick(&l, NULL, NULL, "web-1", now_ms, &m, &e), 0);
	ck_assert_str_eq(m->id, older);
	ck_assert_int_eq(catalogue_pick(&l, id, NULL, "web-1", now_ms, &m, &e), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, "is missing"));
}
END_TEST

START_TEST(data_of_another_length_is_bad)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	char id[BACKUP_ID_SIZE];

	put_backup(f, "shop", "web-1", 1, id);
	buf_add(&fake_find(f->objects, f->n_objects, key_of("shop", id, lost[0]))->data, "x", 1);
	l = read_list(f, NULL, "shop");
	ck_assert(l.items[0]->is_incomplete);
	ck_assert_ptr_nonnull(strstr(l.items[0]->bad_why, "has another length"));
}
END_TEST

START_TEST(a_verdict_is_there_for_another_server_too)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	char id[BACKUP_ID_SIZE];
	struct err e = {""};
	size_t before;

	put_backup(f, "shop", "web-1", 1, id);
	before = f->n_objects;
	l = read_list(f, NULL, "shop");
	l.items[0]->verified_ms = 1000;
	ck_assert_int_eq(catalogue_mark(&f->store, l.items[0], &e), 0);
	l.items[0]->drilled_ms = 2000;
	ck_assert_int_eq(catalogue_mark(&f->store, l.items[0], &e), 0);
	l.items[0]->bad_ms = 3000;
	l.items[0]->bad_why = str_dup("a byte\n is \xff wrong");
	ck_assert_int_eq(catalogue_mark(&f->store, l.items[0], &e), 0);
	/* Old verdicts are not kept for ever. */
	ck_assert_uint_eq(f->n_objects, before + 1);
	catalogue_list_done(&l);
	l = read_list(f, NULL, "shop");
	ck_assert_int_eq(l.items[0]->verified_ms, 1000);
	ck_assert_int_eq(l.items[0]->drilled_ms, 2000);
	ck_assert_int_eq(l.items[0]->bad_ms, 3000);
	ck_assert_str_eq(l.items[0]->bad_why, "a byte  is \xef\xbf\xbd wrong");
}
END_TEST

/* As in a store with object lock, or without the right to delete. */
START_TEST(the_newest_verdict_counts_where_old_ones_stay)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	char id[BACKUP_ID_SIZE];
	struct err e = {""};

	put_backup(f, "shop", "web-1", 1, id);
	f->store.may_delete = false;
	/* One of a server whose clock is far ahead. */
	(void)fake_add(f, key_of("shop", id, "verified-9000000000000.json"), "{\"bad_ms\":5}", 12);
	(void)fake_add(f, key_of("shop", id, "verified-900000000000.json"), "{\"bad_ms\":6}", 12);
	l = read_list(f, NULL, "shop");
	ck_assert_int_eq(l.items[0]->bad_ms, 5);
	l.items[0]->bad_ms = 0;
	for (int i = 1; i <= 3; i++) {
		l.items[0]->verified_ms = i;
		ck_assert_int_eq(catalogue_mark(&f->store, l.items[0], &e), 0);
	}
	catalogue_list_done(&l);
	l = read_list(f, NULL, "shop");
	ck_assert_int_eq(l.items[0]->verified_ms, 3);
	ck_assert_int_eq(l.items[0]->bad_ms, 0);
	ck_assert_ptr_null(strstr(buf_str(&f->log), "remove"));
}
END_TEST

START_TEST(a_verdict_that_cannot_be_read_is_none)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	char id[BACKUP_ID_SIZE];

	put_backup(f, "shop", "web-1", 1, id);
	(void)fake_add(f, key_of("shop", id, "verified-1.json"), "{\"verified_ms\":", 15);
	l = read_list(f, NULL, "shop");
	ck_assert_uint_eq(l.n, 1);
	ck_assert_int_eq(l.items[0]->verified_ms, 0);
}
END_TEST

START_TEST(manifests_are_read_once)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("off/site");
	struct catalogue_list l;
	char id[BACKUP_ID_SIZE], name[200];

	put_backup(f, "shop", "web-1", 1, id);
	put_backup(f, "shop", "web-1", 2, NULL);
	l = read_list(f, scratch, "shop");
	catalogue_list_done(&l);
	ck_assert_int_eq(f->reads, 2);
	l = read_list(f, scratch, "shop");
	ck_assert_uint_eq(l.n, 2);
	ck_assert_str_eq(l.items[0]->id, id);
	catalogue_list_done(&l);
	ck_assert_int_eq(f->reads, 2);
	/* What is gone from the store is gone from the copies. */
	drop_key(f, key_of("shop", id, MANIFEST_NAME));
	l = read_list(f, scratch, "shop");
	ck_assert_uint_eq(l.n, 1);
	catalogue_list_done(&l);
	(void)snprintf(
		name, sizeof(name), "backup/manifests/off%%2Fsite/shop.%s.manifest.json", id);
	ck_assert(!scratch_has(name));
}
END_TEST

static void harm(const char *path, int how)
{
	char text[8192];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = read(fd, text, sizeof(text));
	ck_assert_int_gt(n, 600);
	if (how == 0)
		ck_assert_int_eq(ftruncate(fd, n / 2), 0);
	else if (how == 1)
		ck_assert_int_eq(ftruncate(fd, 0), 0);
	else
		ck_assert_int_eq(pwrite(fd, "X", 1, how == 2 ? n - 3 : how), 1);
	(void)close(fd);
}

START_TEST(a_copy_that_is_wrong_never_hurts)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct catalogue_list l;
	char id[BACKUP_ID_SIZE], name[200];

	put_backup(f, "shop", "web-1", 1, id);
	l = read_list(f, scratch, "shop");
	catalogue_list_done(&l);
	(void)snprintf(name, sizeof(name), "backup/manifests/offsite/shop.%s.manifest.json", id);
	harm(scratch_path(name), _i);
	l = read_list(f, scratch, "shop");
	ck_assert_uint_eq(l.n, 1);
	ck_assert_uint_eq(l.broken, 0);
	ck_assert_int_eq(f->reads, 2);
	catalogue_list_done(&l);
	/* And is mended. */
	l = read_list(f, scratch, "shop");
	ck_assert_int_eq(f->reads, 2);
	catalogue_list_done(&l);
}
END_TEST

START_TEST(a_copy_of_another_object_is_not_used)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct catalogue_list l;
	char id[BACKUP_ID_SIZE];

	put_backup(f, "shop", "web-1", 1, id);
	l = read_list(f, scratch, "shop");
	catalogue_list_done(&l);
	fake_find(f->objects, f->n_objects, key_of("shop", id, MANIFEST_NAME))->modified_ms = 77;
	l = read_list(f, scratch, "shop");
	ck_assert_int_eq(f->reads, 2);
	catalogue_list_done(&l);
}
END_TEST

START_TEST(a_state_folder_that_cannot_be_written_is_no_obstacle)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct catalogue_list l;

	put_backup(f, "shop", "web-1", 1, NULL);
	scratch_write("backup", "a file in place of the folder", 10);
	l = read_list(f, scratch, "shop");
	ck_assert_uint_eq(l.n, 1);
	catalogue_list_done(&l);
	l = read_list(f, "/proc/none", "shop");
	ck_assert_uint_eq(l.n, 1);
	catalogue_list_done(&l);
}
END_TEST

static const struct {
	const char *id, *at;
	int days, r;
	const char *says;
} picks[] = {
	{NULL, NULL, 1, 0, NULL},
	{NULL, "2026-11-21", 1, 0, NULL},
	{NULL, "2026-11-20", 1, 0, NULL}, /* the whole day */
	{NULL, "2026-11-20 11:59", 2, 0, NULL},
	{NULL, "2026-11-20 12:00", 1, 0, NULL},
	{NULL, "2026-11-20T12:00:00", 1, 0, NULL},
	{NULL, "2026-11-20T11:59:59Z", 2, 0, NULL},
	{NULL, "today", 1, 0, NULL},
	{NULL, "yesterday", 1, 0, NULL},
	{NULL, "2d", 2, 0, NULL},
	{NULL, "36h", 2, 0, NULL},
	{NULL, "2026-11-17", 5, 0, NULL}, /* the one of 4 days ago is bad */
	{NULL, "2026-11-01", 0, -ENOENT, "the oldest is 2026-11-16 12:00 ("},
	{NULL, "soon", 0, -EINVAL, "is no time; write it as"},
	{NULL, "2026-02-30", 0, -EINVAL, "is no time"},
	{NULL, "2026-11-20 25:00", 0, -EINVAL, "is no time"},
	{"20261120T", NULL, 1, 0, NULL},
	{"20261117T", NULL, 4, 0, NULL}, /* bad, but asked for by name */
	{"202611", NULL, 0, -EINVAL, "is not clear: 2026-11-20 12:00 ("},
	{"2027", NULL, 0, -ENOENT, "there is no backup with id 2027; the newest is 2026-11-20"},
};

START_TEST(the_one_to_restore_is_found)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	const struct manifest *m = NULL;
	struct err e = {""};

	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	tzset();
	for (int days = 1; days <= 5; days++)
		put_backup(f, "shop", "web-1", days, NULL);
	l = read_list(f, NULL, "shop");
	l.items[3]->bad_ms = 5;
	ck_assert_int_eq(catalogue_pick(&l, picks[_i].id, picks[_i].at, "web-1", now_ms, &m, &e),
		picks[_i].r);
	if (picks[_i].r == 0)
		ck_assert_int_eq(m->started_ms, now_ms - picks[_i].days * day_ms);
	else
		ck_assert_msg(strstr(e.msg, picks[_i].says) != NULL, "%s", e.msg);
}
END_TEST

/* What web-1 gets of the job's backups of 1 and 3 days ago by web-2, and of 2 and 4 days ago by itself. */
static const struct {
	const char *host, *at;
	int days;
} of_hosts[] = {
	{"web-1", NULL, 2}, {"web-2", NULL, 1}, {"web-3", NULL, 1}, /* a new server */
	{"web-1", "2d", 2}, {"web-2", "2d", 3}, {"web-2", "4d", 4}, /* it was not there then */
};

START_TEST(of_two_hosts_with_one_job_name_each_gets_its_own)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	_cleanup_(catalogue_list_done) struct catalogue_list l = {.n = 0};
	const struct manifest *m = NULL;
	struct err e = {""};

	for (int days = 1; days <= 4; days++)
		put_backup(f, "shop", days % 2 ? "web-2" : "web-1", days, NULL);
	l = read_list(f, NULL, "shop");
	ck_assert_int_eq(
		catalogue_pick(&l, NULL, of_hosts[_i].at, of_hosts[_i].host, now_ms, &m, &e), 0);
	ck_assert_int_eq(m->started_ms, now_ms - of_hosts[_i].days * day_ms);
	/* That one's are all bad: the other's are not taken for them. */
	for (size_t i = 0; i < l.n; i++)
		if (strcmp(l.items[i]->host, "web-1") == 0)
			l.items[i]->bad_ms = 1;
	ck_assert_int_eq(catalogue_pick(&l, NULL, NULL, "web-1", now_ms, &m, &e), -ENOENT);
}
END_TEST

START_TEST(without_a_good_one_it_says_why)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct catalogue_list l = {.n = 0};
	const struct manifest *m = NULL;
	struct err e = {""};

	ck_assert_int_eq(catalogue_pick(&l, NULL, NULL, "web-1", now_ms, &m, &e), -ENOENT);
	ck_assert_str_eq(e.msg, "there is no backup");
	put_backup(f, "shop", "web-1", 1, NULL);
	l = read_list(f, NULL, "shop");
	l.items[0]->bad_ms = 1;
	l.items[0]->bad_why = str_dup("its hash is another");
	ck_assert_int_eq(catalogue_pick(&l, NULL, NULL, "web-1", now_ms, &m, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "is bad: its hash is another"));
	catalogue_list_done(&l);
}
END_TEST

START_TEST(what_could_not_be_read_back_is_not_committed)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("offsite");
	struct manifest *m = manifest_case("shop", "web-1", now_ms);
	struct err e = {""};

	m->members[0].stored_bytes++;
	ck_assert_int_eq(catalogue_commit(&f->store, NULL, m, &e), -EBADMSG);
	ck_assert_uint_eq(f->n_objects, 0);
	manifest_free(m);
}
END_TEST

static Suite *catalogue_suite(void)
{
	Suite *s = suite_create("catalogue");
	TCase *tc = tcase_create("catalogue");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, backups_of_a_job_are_listed_newest_first);
	tcase_add_test(tc, a_manifest_that_cannot_be_read_is_counted_and_named);
	tcase_add_test(tc, a_store_that_fails_gives_no_list_with_holes);
	tcase_add_loop_test(
		tc, a_backup_with_data_missing_is_bad_and_not_restored, 0, (int)ARRAY_LEN(lost));
	tcase_add_test(tc, data_of_another_length_is_bad);
	tcase_add_test(tc, a_verdict_is_there_for_another_server_too);
	tcase_add_test(tc, the_newest_verdict_counts_where_old_ones_stay);
	tcase_add_test(tc, a_verdict_that_cannot_be_read_is_none);
	tcase_add_test(tc, manifests_are_read_once);
	tcase_add_loop_test(tc, a_copy_that_is_wrong_never_hurts, 0, 4);
	tcase_add_test(tc, a_copy_of_another_object_is_not_used);
	tcase_add_test(tc, a_state_folder_that_cannot_be_written_is_no_obstacle);
	tcase_add_loop_test(tc, the_one_to_restore_is_found, 0, (int)ARRAY_LEN(picks));
	tcase_add_loop_test(
		tc, of_two_hosts_with_one_job_name_each_gets_its_own, 0, (int)ARRAY_LEN(of_hosts));
	tcase_add_test(tc, without_a_good_one_it_says_why);
	tcase_add_test(tc, what_could_not_be_read_back_is_not_committed);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(catalogue_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
