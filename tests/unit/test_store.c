/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "collectors/expire.h"
#include "collectors/rrd_file.h"
#include "collectors/store.h"

#define T0 1795000000L

static char folder[32], command[256];
static struct err err;
static struct db *db;
static struct catalogue *catalogue;
static struct problems *problems;
static struct registry *r;
static struct store *store;

static const char *const migrations[] = {CATALOGUE_SCHEMA};
static const struct rrd_layout layout = {
	.step_seconds = 20, .archives = {{20, 3600}, {300, 86400}}, .n_archives = 2};

static void open_store(void)
{
	char rrd[64];

	(void)snprintf(rrd, sizeof(rrd), "%s/rrd", folder);
	r = registry_new();
	problems = problems_new(NULL, NULL);
	ck_assert_int_ge(db_open(":memory:", migrations, 1, &db, &err), 0);
	ck_assert_int_eq(catalogue_new(db, &catalogue, &err), 0);
	ck_assert_msg(
		store_new(rrd, &layout, problems, catalogue, &store, &err) == 0, "%s", err.msg);
}

static void close_store(void)
{
	store_close(store, r);
	catalogue_free(catalogue);
	db_close(db);
	problems_free(problems);
	registry_free(r);
}

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	open_store();
}

static int remove_entry(void *user, int dirfd, const char *name)
{
	(void)user;
	if (unlinkat(dirfd, name, 0) < 0 && errno == EISDIR) {
		(void)fs_list(dirfd, name, remove_entry, NULL, NULL);
		(void)unlinkat(dirfd, name, AT_REMOVEDIR);
	}
	return 0;
}

static void teardown(void)
{
	close_store();
	(void)fs_list(AT_FDCWD, folder, remove_entry, NULL, NULL);
	(void)rmdir(folder);
}

static void work(void)
{
	while (store_work(store))
		;
}

/* Sample number n: the container `key` (NULL: none) with processes = n, stored at T0 + 20 n. */
static void sample(const char *key, int n)
{
	registry_begin(r);
	if (key) {
		struct entity *e = registry_get(r, &class_container, key);

		entity_read_at(e, n * 20000000000LL);
		entity_gauge(e, CGROUP_processes, n);
	}
	for (struct entity *e = registry_first(r); e; e = e->next)
		if (e->seen != registry_sample(r))
			store_gone(store, e, T0 + 20 * n);
	registry_sweep(r, NULL, NULL);
	store_sample(store, r, T0 + 20 * n);
	work();
}

static const char *file_of(const char *key)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/rrd/container/%s.rrd", folder, key);
	return path;
}

/* The stored value of sample n. */
static double stored(const char *key, int n)
{
	const size_t m = CGROUP_processes;
	struct rrd_series s;
	double v;

	ck_assert_msg(rrd_file_fetch(file_of(key), &class_container, &m, 1, T0 + 20 * (n - 1),
			      T0 + 20 * n, 10, RRD_AVERAGE, &s, &err) == 0,
		"%s", err.msg);
	v = s.n_points ? s.values[s.n_points - 1] : NAN;
	rrd_series_done(&s);
	return v;
}

static bool has_problem(const char *key)
{
	for (size_t i = 0; i < problems_count(problems); i++)
		if (strcmp(problems_at(problems, i)->key, key) == 0)
			return true;
	return false;
}

START_TEST(what_is_there_at_the_start_is_stored_from_the_first_sample)
{
	for (int n = 1; n <= 5; n++)
		sample("web", n);
	for (int n = 1; n <= 5; n++)
		ck_assert_double_eq(stored("web", n), n);
}
END_TEST

START_TEST(short_lived_leave_no_file_and_longer_ones_lose_no_row)
{
	sample(NULL, 1);
	sample("job", 2);
	sample("job", 3);
	sample(NULL, 4);
	ck_assert_int_eq(access(file_of("job"), F_OK), -1);
	for (int n = 5; n <= 8; n++)
		sample("app", n);
	for (int n = 5; n <= 8; n++)
		ck_assert_double_eq(stored("app", n), n);
}
END_TEST

/* Megabytes for each deploy of an app, for the minute in which two versions of it run. */
START_TEST(what_is_only_passing_leaves_no_file)
{
	sample(NULL, 1);
	for (int n = 2; n <= 8; n++) {
		struct entity *e = registry_find(r, &class_container, "app@1");

		if (e)
			e->passing = true;
		sample("app@1", n);
	}
	ck_assert_int_eq(access(file_of("app@1"), F_OK), -1);
	/* The next one of that name is a new entity. */
	sample(NULL, 9);
	for (int n = 10; n <= 14; n++)
		sample("app@1", n);
	ck_assert_int_eq(access(file_of("app@1"), F_OK), 0);
}
END_TEST

START_TEST(same_name_continues_the_same_series)
{
	for (int n = 1; n <= 4; n++)
		sample("web", n);
	sample(NULL, 5);
	sample("web", 6);
	sample("web", 7);
	sample("web", 8);
	ck_assert_double_eq(stored("web", 4), 4);
	ck_assert_double_eq(stored("web", 6), 6);
	ck_assert_double_eq(stored("web", 8), 8);
}
END_TEST

START_TEST(restart_continues_the_same_series)
{
	for (int n = 1; n <= 4; n++)
		sample("web", n);
	close_store();
	open_store();
	sample("web", 5);
	sample("web", 6);
	ck_assert_double_eq(stored("web", 4), 4);
	ck_assert_double_eq(stored("web", 5), 5);
	ck_assert_double_eq(stored("web", 6), 6);
}
END_TEST

START_TEST(broken_file_is_kept_aside_and_named)
{
	char aside[160];

	for (int n = 1; n <= 3; n++)
		sample("web", n);
	ck_assert_int_eq(truncate(file_of("web"), 3000), 0);
	sample("web", 4);
	sample("web", 5);
	ck_assert(has_problem("store.broken"));
	ck_assert_ptr_nonnull(strstr(problems_at(problems, 0)->text, "web.rrd.broken"));
	(void)snprintf(aside, sizeof(aside), "%s.broken", file_of("web"));
	ck_assert_int_eq(access(aside, F_OK), 0);
	ck_assert_double_eq(stored("web", 4), 4);
	ck_assert_double_eq(stored("web", 5), 5);
}
END_TEST

START_TEST(file_removed_by_hand_is_made_again)
{
	for (int n = 1; n <= 3; n++)
		sample("web", n);
	ck_assert_int_eq(unlink(file_of("web")), 0);
	sample("web", 4);
	ck_assert_double_eq(stored("web", 4), 4);
}
END_TEST

START_TEST(clock_set_back_drops_only_what_lies_ahead)
{
	for (int n = 1; n <= 20; n++)
		sample("web", n);
	sample("web", 11);
	sample("web", 12);
	ck_assert_double_eq(stored("web", 9), 9);
	ck_assert_double_eq(stored("web", 12), 12);
	ck_assert_double_nan(stored("web", 15));
}
END_TEST

START_TEST(full_disk_is_reported_and_survived)
{
	char rrd[64];
	int fd;

	(void)snprintf(rrd, sizeof(rrd), "%s/rrd", folder);
	if (geteuid() != 0 || mount("tmpfs", rrd, "tmpfs", 0, "size=3m") < 0) {
		printf("SKIP full_disk_is_reported_and_survived: needs root to mount a small "
		       "disk\n");
		return;
	}
	sample("web", 1);
	(void)snprintf(command, sizeof(command), "%s/filler", rrd);
	fd = open(command, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, command, sizeof(command)) > 0)
		;
	ck_assert_int_eq(errno, ENOSPC);
	sample("web", 2);
	ck_assert(has_problem("store.full"));
	sample("web", 3);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	(void)close(fd);
	sample("web", 4);
	ck_assert(!has_problem("store.full"));
	sample("web", 5);
	/* Rows of the time without space waited in memory. */
	ck_assert_double_eq(stored("web", 3), 3);
	ck_assert_double_eq(stored("web", 5), 5);
	ck_assert_int_eq(umount2(rrd, MNT_DETACH), 0);
}
END_TEST

static int count_rows(void *user, const struct entity_class *class, const char *key,
	int64_t first_seen, int64_t last_seen)
{
	(void)class;
	(void)key;
	ck_assert_int_le(first_seen, last_seen);
	(*(int *)user)++;
	return 0;
}

START_TEST(history_of_the_gone_is_kept_in_proportion_and_then_removed)
{
	char rrd[64];
	int rows = 0;

	(void)snprintf(rrd, sizeof(rrd), "%s/rrd", folder);
	for (int n = 1; n <= 30; n++) /* lived 10 minutes: kept for 100 */
		sample("job", n);
	sample(NULL, 31);
	history_expire(rrd, 86400, catalogue, r, problems, T0 + 31 * 20 + 90 * 60);
	ck_assert_int_eq(access(file_of("job"), F_OK), 0);
	history_expire(rrd, 86400, catalogue, r, problems, T0 + 31 * 20 + 110 * 60);
	ck_assert_int_eq(access(file_of("job"), F_OK), -1);
	ck_assert_int_eq(catalogue_each(catalogue, count_rows, &rows, &err), 0);
	ck_assert_int_eq(rows, 0);
	ck_assert_int_eq(catalogue_keep_seconds(0, 30 * 86400, 31536000), 300 * 86400);
	ck_assert_int_eq(catalogue_keep_seconds(0, 60 * 86400, 31536000), 31536000);
	ck_assert_int_eq(catalogue_keep_seconds(0, 10, 31536000), 3600);
}
END_TEST

START_TEST(living_entities_never_expire)
{
	char rrd[64];

	(void)snprintf(rrd, sizeof(rrd), "%s/rrd", folder);
	for (int n = 1; n <= 5; n++)
		sample("web", n);
	history_expire(rrd, 86400, catalogue, r, problems, T0 + 10 * 31536000LL);
	ck_assert_int_eq(access(file_of("web"), F_OK), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("store");
	TCase *t = tcase_create("store");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_is_there_at_the_start_is_stored_from_the_first_sample);
	tcase_add_test(t, short_lived_leave_no_file_and_longer_ones_lose_no_row);
	tcase_add_test(t, what_is_only_passing_leaves_no_file);
	tcase_add_test(t, same_name_continues_the_same_series);
	tcase_add_test(t, restart_continues_the_same_series);
	tcase_add_test(t, broken_file_is_kept_aside_and_named);
	tcase_add_test(t, file_removed_by_hand_is_made_again);
	tcase_add_test(t, clock_set_back_drops_only_what_lies_ahead);
	tcase_add_test(t, full_disk_is_reported_and_survived);
	tcase_add_test(t, history_of_the_gone_is_kept_in_proportion_and_then_removed);
	tcase_add_test(t, living_entities_never_expire);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
