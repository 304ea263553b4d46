/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/entity.h"

#define SECOND 1000000000LL

static struct registry *r;

static void setup(void)
{
	r = registry_new();
}

static void teardown(void)
{
	registry_free(r);
}

/* One sample of a disk that has read `bytes` in all. */
static struct entity *read_disk(int64_t at_ns, double bytes)
{
	struct entity *e;

	registry_begin(r);
	e = registry_get(r, &class_disk, "vda");
	entity_read_at(e, at_ns);
	entity_counter(e, DISK_read_bytes_per_second, bytes);
	return e;
}

START_TEST(first_read_of_a_counter_is_unknown_not_zero)
{
	struct entity *e = read_disk(1 * SECOND, 5000);

	ck_assert_double_nan(entity_value(e, DISK_read_bytes_per_second));
	ck_assert_double_eq(e->totals[DISK_read_bytes_per_second], 5000);
}
END_TEST

START_TEST(rate_covers_the_true_time_between_reads)
{
	struct entity *e;

	read_disk(1 * SECOND, 5000);
	e = read_disk(1 * SECOND + 25 * SECOND, 5000 + 2500);
	ck_assert_double_eq_tol(entity_value(e, DISK_read_bytes_per_second), 100, 1e-9);
	ck_assert_double_eq(entity_increase(e, DISK_read_bytes_per_second), 2500);
}
END_TEST

START_TEST(rate_after_a_missed_sample_covers_both_intervals)
{
	struct entity *e;

	read_disk(20 * SECOND, 0);
	registry_begin(r); /* this sample did not read the disk */
	e = read_disk(60 * SECOND, 4000);
	ck_assert_double_eq_tol(entity_value(e, DISK_read_bytes_per_second), 100, 1e-9);
}
END_TEST

/* The host is filled from many files; one of them may fail while the others are read. */
START_TEST(counter_that_one_sample_left_out_gets_the_rate_of_both_intervals)
{
	struct entity *e;

	read_disk(20 * SECOND, 0);
	registry_begin(r);
	e = registry_get(r, &class_disk, "vda");
	entity_read_at(e, 40 * SECOND);
	entity_counter(e, DISK_reads_per_second, 7);
	e = read_disk(60 * SECOND, 4000);
	ck_assert_double_eq_tol(entity_value(e, DISK_read_bytes_per_second), 100, 1e-9);
}
END_TEST

START_TEST(counter_that_went_backwards_is_a_new_baseline)
{
	struct entity *e;

	read_disk(20 * SECOND, 1e9);
	e = read_disk(40 * SECOND, 10);
	ck_assert_double_nan(entity_value(e, DISK_read_bytes_per_second));
	e = read_disk(60 * SECOND, 2010);
	ck_assert_double_eq_tol(entity_value(e, DISK_read_bytes_per_second), 100, 1e-9);
}
END_TEST

START_TEST(entity_known_to_be_new_has_rates_at_once)
{
	struct entity *e;

	registry_begin(r);
	e = registry_get(r, &class_container, "job");
	entity_started_at(e, 10 * SECOND);
	entity_read_at(e, 14 * SECOND);
	entity_counter(e, CGROUP_cpu_used_percent, 2.0);
	entity_counter(e, CGROUP_oom_kills, 1);
	ck_assert_double_eq_tol(entity_value(e, CGROUP_cpu_used_percent), 50, 1e-9);
	ck_assert_double_eq(entity_value(e, CGROUP_oom_kills), 1);
}
END_TEST

START_TEST(replaced_container_starts_from_a_new_baseline)
{
	struct entity *e;

	read_disk(20 * SECOND, 100);
	registry_begin(r);
	e = registry_get(r, &class_disk, "vda");
	entity_rebase(e);
	entity_read_at(e, 40 * SECOND);
	entity_counter(e, DISK_read_bytes_per_second, 1e12);
	ck_assert_double_nan(entity_value(e, DISK_read_bytes_per_second));
}
END_TEST

START_TEST(values_are_unknown_again_in_the_next_sample)
{
	struct entity *e;

	registry_begin(r);
	e = registry_get(r, &class_host, "host");
	entity_gauge(e, HOST_load1, 3);
	entity_missing(e, HOST_memory_arc_bytes, "no ZFS");
	registry_begin(r);
	ck_assert_double_nan(entity_value(e, HOST_load1));
	ck_assert_ptr_null(e->missing[HOST_memory_arc_bytes]);
}
END_TEST

static void count_gone(void *user, struct entity *e)
{
	ck_assert_str_eq(e->key, "old");
	(*(int *)user)++;
}

START_TEST(sweep_removes_what_was_not_seen)
{
	int gone = 0;

	registry_begin(r);
	registry_get(r, &class_container, "old");
	registry_get(r, &class_container, "kept");
	registry_begin(r);
	registry_get(r, &class_container, "kept");
	registry_sweep(r, count_gone, &gone);
	ck_assert_int_eq(gone, 1);
	ck_assert_uint_eq(registry_count(r), 1);
	ck_assert_ptr_null(registry_find(r, &class_container, "old"));
	ck_assert_ptr_nonnull(registry_find(r, &class_container, "kept"));
}
END_TEST

START_TEST(same_key_in_two_classes_is_two_entities)
{
	registry_begin(r);
	ck_assert_ptr_ne(
		registry_get(r, &class_container, "web"), registry_get(r, &class_service, "web"));
}
END_TEST

START_TEST(order_is_by_class)
{
	const struct entity *e;

	registry_begin(r);
	registry_get(r, &class_service, "s");
	registry_get(r, &class_container, "a");
	registry_get(r, &class_disk, "d");
	registry_get(r, &class_container, "b");
	e = registry_first(r);
	ck_assert_str_eq(e->key, "a");
	ck_assert_str_eq(e->next->key, "b");
	ck_assert_str_eq(e->next->next->key, "d");
	ck_assert_str_eq(e->next->next->next->key, "s");
}
END_TEST

START_TEST(hostile_keys_are_made_valid)
{
	char longer[400];
	const struct entity *e, *f;

	registry_begin(r);
	ck_assert_str_eq(registry_get(r, &class_container, "")->key, "_");
	ck_assert_str_eq(registry_get(r, &class_container, "a\nb\x7f")->key, "a_b_");
	ck_assert_str_eq(registry_get(r, &class_container, "\xff\xfe ok")->key, "__ ok");
	ck_assert_str_eq(
		registry_get(r, &class_container, "gr\xc3\xbc\xc3\x9f")->key, "gr\xc3\xbc\xc3\x9f");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	e = registry_get(r, &class_container, longer);
	ck_assert_uint_le(strlen(e->key), ENTITY_KEY_MAX);
	longer[398] = 'y';
	f = registry_get(r, &class_container, longer);
	ck_assert_ptr_ne(e, f);
	ck_assert_ptr_eq(registry_find(r, &class_container, longer), f);
}
END_TEST

START_TEST(labels_are_set_replaced_removed_and_bounded)
{
	char value[2000];
	struct entity *e;

	registry_begin(r);
	e = registry_get(r, &class_container, "web");
	entity_label(e, "image", "nginx:1");
	entity_label(e, "image", "nginx:2");
	ck_assert_uint_eq(e->n_labels, 1);
	ck_assert_str_eq(entity_label_get(e, "image"), "nginx:2");
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	entity_label(e, "image", value);
	ck_assert_uint_eq(strlen(entity_label_get(e, "image")), ENTITY_LABEL_MAX);
	entity_label(e, "image", "");
	ck_assert_ptr_null(entity_label_get(e, "image"));
}
END_TEST

START_TEST(changes_of_labels_are_counted)
{
	char value[2 * ENTITY_LABEL_MAX + 1] = "x";
	struct entity *e;
	unsigned n;

	registry_begin(r);
	e = registry_get(r, &class_container, "web");
	n = e->labelled;
	entity_label(e, "image", NULL);
	ck_assert_uint_eq(e->labelled, n);
	entity_label(e, "image", "nginx:1");
	ck_assert_uint_ne(e->labelled, n);
	n = e->labelled;
	entity_label(e, "image", "nginx:1");
	ck_assert_uint_eq(e->labelled, n);
	entity_label(e, "image", "");
	ck_assert_uint_ne(e->labelled, n);
	/* One that is cut, in the middle of a character, is the same again. */
	for (size_t i = 1; i + 2 < sizeof(value); i += 2)
		memcpy(value + i, "\u00e4", 3);
	entity_label(e, "image", value);
	n = e->labelled;
	entity_label(e, "image", value);
	ck_assert_uint_eq(e->labelled, n);
}
END_TEST

/* The tables are what everything else trusts. */
START_TEST(metric_tables_are_complete)
{
	for (size_t i = 0; entity_classes[i]; i++) {
		const struct entity_class *c = entity_classes[i];

		if (i)
			ck_assert_int_lt(strcmp(entity_classes[i - 1]->name, c->name), 0);
		for (size_t m = 0; m < c->n_metrics; m++) {
			const struct metric *x = &c->metrics[m];

			ck_assert_msg(x->doc[strlen(x->doc) - 1] == '.',
				"%s: doc without full stop", x->name);
			ck_assert_msg(x->scale != 0 && x->prom_scale != 0, "%s: scale 0", x->name);
			ck_assert_int_eq(metric_find(c, x->name), (int)m);
			if (x->ds)
				ck_assert_msg(
					strlen(x->ds) <= 19 &&
						strspn(x->ds,
							"abcdefghijklmnopqrstuvwxyz0123456789_") ==
							strlen(x->ds),
					"%s: bad data source name", x->name);
			for (size_t n = 0; n < m; n++)
				ck_assert_msg(!x->ds || !c->metrics[n].ds ||
						      strcmp(x->ds, c->metrics[n].ds) != 0,
					"%s: data source twice", x->name);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("entity");
	TCase *t = tcase_create("entity");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, first_read_of_a_counter_is_unknown_not_zero);
	tcase_add_test(t, rate_covers_the_true_time_between_reads);
	tcase_add_test(t, rate_after_a_missed_sample_covers_both_intervals);
	tcase_add_test(t, counter_that_one_sample_left_out_gets_the_rate_of_both_intervals);
	tcase_add_test(t, counter_that_went_backwards_is_a_new_baseline);
	tcase_add_test(t, entity_known_to_be_new_has_rates_at_once);
	tcase_add_test(t, replaced_container_starts_from_a_new_baseline);
	tcase_add_test(t, values_are_unknown_again_in_the_next_sample);
	tcase_add_test(t, sweep_removes_what_was_not_seen);
	tcase_add_test(t, same_key_in_two_classes_is_two_entities);
	tcase_add_test(t, order_is_by_class);
	tcase_add_test(t, hostile_keys_are_made_valid);
	tcase_add_test(t, labels_are_set_replaced_removed_and_bounded);
	tcase_add_test(t, changes_of_labels_are_counted);
	tcase_add_test(t, metric_tables_are_complete);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
