/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collectors/rrd_file.h"

#define T0 1795000000L /* a multiple of 20 and of 300 - 100 */

static char folder[64];
static char path[128];
static struct rrd_writer writer;
static struct err err;

static const struct rrd_layout layout = {
	.step_seconds = 20, .archives = {{20, 3600}, {300, 86400}}, .n_archives = 2};

/* Two releases of one class: the later one has another metric between the old ones. */
static const struct metric old_metrics[] = {
	{.name = "a", .ds = "a", .scale = 1, .doc = "A."},
	{.name = "now_only", .scale = 1, .doc = "Not stored."},
	{.name = "b", .ds = "b", .scale = 1, .doc = "B."},
};
static const struct metric new_metrics[] = {
	{.name = "a", .ds = "a", .scale = 1, .doc = "A."},
	{.name = "added", .ds = "added", .scale = 1, .doc = "New."},
	{.name = "b", .ds = "b", .scale = 1, .doc = "B."},
};
static const struct entity_class old_class = {
	.name = "thing", .metrics = old_metrics, .n_metrics = 3};
static const struct entity_class new_class = {
	.name = "thing", .metrics = new_metrics, .n_metrics = 3};

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_rrd_file.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/thing/x.rrd", folder);
	rrd_writer_init(&writer, &old_class);
}

static void teardown(void)
{
	char command[128];

	rrd_writer_done(&writer);
	(void)unlink(path);
	(void)snprintf(command, sizeof(command), "%s/thing", folder);
	(void)rmdir(command);
	(void)rmdir(folder);
}

static void create(void)
{
	ck_assert_msg(
		rrd_file_create(path, &old_class, &layout, T0, NULL, &err) == 0, "%s", err.msg);
}

/* Rows 1 to n after T0: a = the row's number, b = its tenfold. */
static void fill(int n)
{
	for (int i = 1; i <= n; i++) {
		const double v[] = {i, 99, i * 10};

		ck_assert_msg(
			rrd_file_update(&writer, path, T0 + i * 20, v, &err) == 0, "%s", err.msg);
	}
}

static struct rrd_series fetch(const struct entity_class *c, size_t metric, time_t from, time_t to,
	size_t points, enum rrd_consolidation how)
{
	struct rrd_series s;

	ck_assert_msg(rrd_file_fetch(path, c, &metric, 1, from, to, points, how, &s, &err) == 0,
		"%s", err.msg);
	return s;
}

START_TEST(what_is_stored_is_what_was_measured)
{
	struct rrd_series s;

	create();
	fill(10);
	s = fetch(&old_class, 2, T0, T0 + 200, 100, RRD_AVERAGE);
	ck_assert_int_eq(s.start, T0 + 20);
	ck_assert_int_eq(s.step_seconds, 20);
	ck_assert_uint_eq(s.n_points, 10);
	for (size_t i = 0; i < 10; i++)
		ck_assert_double_eq(s.values[i], (double)(i + 1) * 10);
	rrd_series_done(&s);
}
END_TEST

START_TEST(unknown_stays_unknown_and_one_lost_sample_is_bridged)
{
	const double unknown[] = {NAN, 0, 1}, two[] = {2, 0, 2}, five[] = {5, 0, 5};
	const size_t both[] = {0, 2};
	struct rrd_series s;

	create();
	ck_assert_int_eq(rrd_file_update(&writer, path, T0 + 20, unknown, &err), 0);
	ck_assert_int_eq(rrd_file_update(&writer, path, T0 + 60, two, &err), 0);
	ck_assert_int_eq(rrd_file_update(&writer, path, T0 + 140, five, &err), 0);
	ck_assert_int_eq(
		rrd_file_fetch(path, &old_class, both, 2, T0, T0 + 140, 100, RRD_AVERAGE, &s, &err),
		0);
	ck_assert_uint_eq(s.n_points, 7);
	ck_assert_double_nan(s.values[0]); /* a was unknown */
	ck_assert_double_eq(s.values[1], 1);
	ck_assert_double_eq(
		s.values[2 * 2], 2); /* the sample at +40 was lost: its row takes the next value */
	ck_assert_double_eq(s.values[1 * 2], 2);
	ck_assert_double_nan(s.values[4 * 2]); /* a gap of 80 s is a gap */
	rrd_series_done(&s);
}
END_TEST

START_TEST(points_are_bounded_aligned_and_keep_the_maximum)
{
	struct rrd_series s, later;

	create();
	fill(180);
	s = fetch(&old_class, 0, T0, T0 + 3600, 20, RRD_MAXIMUM);
	ck_assert_uint_le(s.n_points, 20);
	ck_assert_int_eq(s.start % s.step_seconds, 0);
	ck_assert_double_eq(s.values[s.n_points - 1], 180);
	later = fetch(&old_class, 0, T0 + 20, T0 + 3600, 20, RRD_MAXIMUM);
	ck_assert_int_eq(later.start % later.step_seconds, 0);
	rrd_series_done(&later);
	rrd_series_done(&s);
}
END_TEST

START_TEST(older_range_comes_from_the_coarser_archive_with_true_maxima)
{
	struct rrd_series average, maximum;

	create();
	fill(400);
	average = fetch(&old_class, 0, T0, T0 + 8000, 1000, RRD_AVERAGE);
	maximum = fetch(&old_class, 0, T0, T0 + 8000, 1000, RRD_MAXIMUM);
	ck_assert_int_eq(average.step_seconds, 300);
	ck_assert_int_eq(maximum.step_seconds, 300);
	ck_assert_int_eq(average.start, maximum.start);
	/* 15 rows of 20 s make one: the maximum is 7 above the average of a ramp. */
	ck_assert_double_eq_tol(maximum.values[3] - average.values[3], 7, 1e-6);
	rrd_series_done(&average);
	rrd_series_done(&maximum);
}
END_TEST

START_TEST(an_older_file_grows_new_data_sources_and_keeps_its_history)
{
	struct rrd_series s;
	time_t last;

	create();
	fill(10);
	ck_assert_int_eq(rrd_file_check(path, &old_class, &layout, &last, &err), RRD_FILE_OK);
	ck_assert_int_eq(rrd_file_check(path, &new_class, &layout, &last, &err), RRD_FILE_OUTDATED);
	ck_assert_int_eq(last, T0 + 200);
	ck_assert_msg(
		rrd_file_create(path, &new_class, &layout, last, path, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(rrd_file_check(path, &new_class, &layout, &last, &err), RRD_FILE_OK);
	s = fetch(&new_class, 2, T0, T0 + 200, 100, RRD_AVERAGE);
	ck_assert_double_eq(s.values[9], 100);
	rrd_series_done(&s);
	s = fetch(&new_class, 1, T0, T0 + 200, 100, RRD_AVERAGE);
	ck_assert_double_nan(s.values[9]);
	rrd_series_done(&s);
}
END_TEST

START_TEST(a_clock_set_back_keeps_what_lies_before)
{
	const double v[] = {1000, 0, 1000};
	struct rrd_series s;
	time_t last;

	create();
	fill(100);
	ck_assert_int_eq(rrd_file_update(&writer, path, T0 + 1020, v, &err), -ERANGE);
	ck_assert_int_eq(rrd_file_create(path, &old_class, &layout, T0 + 1000, path, &err), 0);
	ck_assert_int_eq(rrd_file_check(path, &old_class, &layout, &last, &err), RRD_FILE_OK);
	ck_assert_int_eq(last, T0 + 1000);
	ck_assert_int_eq(rrd_file_update(&writer, path, T0 + 1020, v, &err), 0);
	s = fetch(&old_class, 0, T0 + 940, T0 + 1020, 100, RRD_AVERAGE);
	ck_assert_double_eq(s.values[2], 50);
	ck_assert_double_eq(s.values[3], 1000);
	rrd_series_done(&s);
}
END_TEST

START_TEST(broken_files_are_told_from_absent_ones)
{
	const double v[] = {1, 1, 1};
	const size_t a = 0;
	struct rrd_series s;
	time_t last;
	int fd;

	ck_assert_int_eq(rrd_file_check(path, &old_class, &layout, &last, &err), -ENOENT);
	ck_assert_int_eq(
		rrd_file_fetch(path, &old_class, &a, 1, T0, T0 + 20, 10, RRD_AVERAGE, &s, &err),
		-ENOENT);
	create();
	ck_assert_int_eq(truncate(path, 1000), 0);
	ck_assert_int_eq(rrd_file_update(&writer, path, T0 + 20, v, &err), -EBADMSG);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "no rrd at all", 13), 13);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(rrd_file_check(path, &old_class, &layout, &last, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.msg, path));
}
END_TEST

START_TEST(a_file_with_garbage_for_data_sources_is_broken)
{
	char garbage[600];
	time_t last;
	int fd;

	create();
	memset(garbage, 0xff, sizeof(garbage));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* Behind the static head begin the definitions of the data sources. */
	ck_assert_int_eq(pwrite(fd, garbage, sizeof(garbage), 128), sizeof(garbage));
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(rrd_file_check(path, &old_class, &layout, &last, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.msg, path));
}
END_TEST

START_TEST(metrics_without_history_and_empty_ranges_are_refused)
{
	const size_t now_only = 1, a = 0;
	struct rrd_series s;

	create();
	ck_assert_int_eq(rrd_file_fetch(path, &old_class, &now_only, 1, T0, T0 + 20, 10,
				 RRD_AVERAGE, &s, &err),
		-EINVAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "thing.now_only"));
	ck_assert_int_eq(rrd_file_fetch(path, &old_class, &a, 1, T0, T0, 10, RRD_AVERAGE, &s, &err),
		-EINVAL);
}
END_TEST

START_TEST(names_are_safe_and_short)
{
	char name[RRD_NAME_MAX], longer[1000];

	rrd_file_name(name, sizeof(name), &class_container, "shop-web");
	ck_assert_str_eq(name, "container/shop-web.rrd");
	rrd_file_name(name, sizeof(name), &class_filesystem, "/var/lib");
	ck_assert_str_eq(name, "filesystem/%2Fvar%2Flib.rrd");
	rrd_file_name(name, sizeof(name), &class_container, "../../etc/passwd");
	ck_assert_str_eq(name, "container/%2E.%2F..%2Fetc%2Fpasswd.rrd");
	memset(longer, '/', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	rrd_file_name(name, sizeof(name), &class_container, longer);
	ck_assert_uint_le(strlen(strchr(name, '/') + 1), 220);
	ck_assert_str_eq(name + strlen(name) - 4, ".rrd");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rrd_file");
	TCase *t = tcase_create("rrd_file");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_is_stored_is_what_was_measured);
	tcase_add_test(t, unknown_stays_unknown_and_one_lost_sample_is_bridged);
	tcase_add_test(t, points_are_bounded_aligned_and_keep_the_maximum);
	tcase_add_test(t, older_range_comes_from_the_coarser_archive_with_true_maxima);
	tcase_add_test(t, an_older_file_grows_new_data_sources_and_keeps_its_history);
	tcase_add_test(t, a_clock_set_back_keeps_what_lies_before);
	tcase_add_test(t, broken_files_are_told_from_absent_ones);
	tcase_add_test(t, a_file_with_garbage_for_data_sources_is_broken);
	tcase_add_test(t, metrics_without_history_and_empty_ranges_are_refused);
	tcase_add_test(t, names_are_safe_and_short);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
