/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "notify/consumers.h"

static struct registry *r;
static struct event *ev;

static void setup(void)
{
	r = registry_new();
	registry_begin(r);
	ev = event_new(EVENT_TEST, SEVERITY_INFO, "");
}

static void teardown(void)
{
	event_free(ev);
	registry_free(r);
}

static void set(const struct entity_class *c, const char *key, size_t metric, double v)
{
	registry_get(r, c, key)->values[metric] = v;
}

static const char *fact_for(const struct entity_class *c, const char *metric)
{
	int m = metric_find(c, metric);

	ck_assert_int_ge(m, 0);
	consumers_add_fact(ev, r, c, (size_t)m);
	return ev->n_facts ? ev->facts[ev->n_facts - 1].value : NULL;
}

START_TEST(three_with_the_most_are_named_greatest_first)
{
	set(&class_container, "db", CGROUP_memory_used_bytes, 2048.0 * 1024 * 1024);
	set(&class_container, "shop-web", CGROUP_memory_used_bytes, 300.0 * 1024 * 1024);
	set(&class_container, "small", CGROUP_memory_used_bytes, 1024);
	set(&class_service, "cron.service", CGROUP_memory_used_bytes, 512.0 * 1024 * 1024);
	ck_assert_str_eq(fact_for(&class_host, "memory_used_percent"),
		"db 2 GiB, cron 512 MiB, shop-web 300 MiB");
	ck_assert_str_eq(ev->facts[0].name, "Top memory");
}
END_TEST

START_TEST(unknown_and_nothing_are_no_consumers)
{
	set(&class_container, "a", CGROUP_memory_used_bytes, NAN);
	set(&class_container, "b", CGROUP_memory_used_bytes, 0);
	ck_assert_ptr_null(fact_for(&class_host, "memory_used_percent"));
	set(&class_container, "c", CGROUP_memory_used_bytes, 1024);
	ck_assert_str_eq(fact_for(&class_host, "memory_used_percent"), "c 1 KiB");
}
END_TEST

START_TEST(order_does_not_depend_on_who_came_first)
{
	static const double values[][4] = {{1, 2, 3, 4}, {4, 3, 2, 1}, {2, 4, 1, 3}, {3, 1, 4, 2}};
	static const char *const names[] = {"", "one", "two", "three", "four"};

	for (int i = 0; i < 4; i++)
		set(&class_container, names[(int)values[_i][i]], CGROUP_cpu_used_percent,
			values[_i][i]);
	ck_assert_str_eq(fact_for(&class_host, "load5"), "four 4 %, three 3 %, two 2 %");
	ck_assert_str_eq(ev->facts[0].name, "Top CPU");
}
END_TEST

START_TEST(disk_use_is_reading_and_writing)
{
	set(&class_container, "reader", CGROUP_disk_read_bytes_per_second, 3 << 20);
	set(&class_container, "both", CGROUP_disk_read_bytes_per_second, 2 << 20);
	set(&class_container, "both", CGROUP_disk_written_bytes_per_second, 2 << 20);
	ck_assert_str_eq(
		fact_for(&class_host, "pressure_io_some_percent"), "both 4 MiB/s, reader 3 MiB/s");
	ck_assert_str_eq(fact_for(&class_disk, "busy_percent"), "both 4 MiB/s, reader 3 MiB/s");
	ck_assert_str_eq(
		fact_for(&class_disk, "read_bytes_per_second"), "reader 3 MiB/s, both 2 MiB/s");
}
END_TEST

START_TEST(each_resource_has_its_consumers)
{
	static const struct {
		const struct entity_class *class;
		const char *metric;
		size_t consumer;
		const char *name;
	} cases[] = {
		{&class_host, "cpu_used_percent", CGROUP_cpu_used_percent, "Top CPU"},
		{&class_core, "used_percent", CGROUP_cpu_used_percent, "Top CPU"},
		{&class_host, "pressure_cpu_some_percent", CGROUP_cpu_used_percent, "Top CPU"},
		{&class_host, "pressure_memory_full_percent", CGROUP_memory_used_bytes,
			"Top memory"},
		{&class_host, "swap_used_percent", CGROUP_memory_swap_bytes, "Top swap"},
		{&class_host, "oom_kills", CGROUP_memory_used_bytes, "Top memory"},
		{&class_host, "cpu_iowait_percent", CGROUP_disk_written_bytes_per_second,
			"Top disk use"},
		{&class_host, "processes_total", CGROUP_processes, "Top processes"},
		{&class_interface, "sent_bytes_per_second", CGROUP_network_sent_bytes_per_second,
			"Top sent"},
	};

	set(&class_container, "shop", cases[_i].consumer, 5);
	ck_assert_ptr_nonnull(fact_for(cases[_i].class, cases[_i].metric));
	ck_assert_str_eq(ev->facts[0].name, cases[_i].name);
}
END_TEST

START_TEST(what_nobody_consumes_has_no_fact)
{
	set(&class_container, "shop", CGROUP_memory_used_bytes, 5);
	set(&class_container, "shop", CGROUP_cpu_used_percent, 5);
	ck_assert_ptr_null(fact_for(&class_host, "clock_offset_seconds"));
	ck_assert_ptr_null(fact_for(&class_filesystem, "used_percent"));
	ck_assert_ptr_null(fact_for(&class_container, "memory_used_percent"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("consumers");
	TCase *c = tcase_create("consumers");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, three_with_the_most_are_named_greatest_first);
	tcase_add_test(c, unknown_and_nothing_are_no_consumers);
	tcase_add_loop_test(c, order_does_not_depend_on_who_came_first, 0, 4);
	tcase_add_test(c, disk_use_is_reading_and_writing);
	tcase_add_loop_test(c, each_resource_has_its_consumers, 0, 9);
	tcase_add_test(c, what_nobody_consumes_has_no_fact);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
