/* SPDX-License-Identifier: Apache-2.0
 *
 * What `agent status` and `agent top` make of a sample: order, columns, marks; keys of the
 * terminal.
 */
#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/host_view.h"
#include "agent/screen.h"
#include "agent/table.h"
#include "agent/view.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/metric.h"

static const struct term term = {.columns = 80, .rows = 24};
static const struct term coloured = {.columns = 80, .rows = 24, .colours = true};
static struct buf out = BUF_INIT(1 << 16);
static json_t *entities;

static void setup(void)
{
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	entities = json_array();
}

static void teardown(void)
{
	json_decref(entities);
	buf_done(&out);
}

static json_t *add(const char *class_name, const char *key, const char *state)
{
	const struct entity_class *c = entity_class_find(class_name);
	json_t *values = json_array(), *e;

	for (size_t i = 0; i < c->n_metrics; i++)
		(void)json_array_append_new(values, json_null());
	e = json_pack("{s:s, s:s, s:{s:s}, s:o}", "class", class_name, "key", key, "labels",
		"state", state, "values", values);
	(void)json_array_append_new(entities, e);
	return e;
}

static void set(json_t *e, size_t metric, double v)
{
	(void)json_array_set_new(json_object_get(e, "values"), metric, json_real(v));
}

static const char *order(enum table_sort by)
{
	static char names[128];
	const json_t **list;
	size_t n = table_sorted(entities, "container", by, &list);

	names[0] = '\0';
	for (size_t i = 0; i < n; i++)
		(void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s ",
			view_key(list[i]));
	free(list);
	return names;
}

START_TEST(rows_are_in_the_order_asked_for_and_unknown_is_last)
{
	json_t *a = add("container", "a", "running"), *b = add("container", "b", "running");

	(void)add("container", "c", "exited");
	(void)add("service", "ssh", "active");
	set(a, CGROUP_cpu_used_percent, 0);
	set(b, CGROUP_cpu_used_percent, 50);
	set(a, CGROUP_memory_used_bytes, 2000);
	set(b, CGROUP_memory_used_bytes, 1000);
	set(a, CGROUP_network_sent_bytes_per_second, 5);
	set(b, CGROUP_network_received_bytes_per_second, 6);
	ck_assert_str_eq(order(TABLE_CPU), "b a c ");
	ck_assert_str_eq(order(TABLE_MEMORY), "a b c ");
	ck_assert_str_eq(order(TABLE_NETWORK), "b a c ");
	ck_assert_str_eq(order(TABLE_DISK), "a b c ");
	ck_assert_str_eq(order(TABLE_NAME), "a b c ");
	ck_assert_uint_eq(view_count(entities, "container"), 3);
	ck_assert_str_eq(view_key(view_first(entities, "service")), "ssh");
	ck_assert_ptr_null(view_first(entities, "disk"));
}
END_TEST

static const char *row(const struct term *t, const json_t *e, bool selected)
{
	buf_clear(&out);
	table_row(t, e, selected, &out);
	return buf_str(&out);
}

START_TEST(a_row_shows_what_is_known_in_its_columns)
{
	json_t *e = add("container", "shop-web", "running");

	set(e, CGROUP_cpu_used_percent, 12.34);
	set(e, CGROUP_memory_used_bytes, 70 << 20);
	set(e, CGROUP_memory_used_percent, 13.7);
	set(e, CGROUP_network_received_bytes_per_second, 2048);
	ck_assert_str_eq(row(&term, e, false), "shop-web             12.3%    70M  13.7%   2.0K"
					       "      -      -      -  running");
	buf_clear(&out);
	table_head(&term, "CONTAINER", TABLE_CPU, &out);
	ck_assert_str_eq(buf_str(&out), "CONTAINER              CPU MEMORY  LIMIT NET IN    OUT   "
					"READ  WRITE  STATE     ");
}
END_TEST

START_TEST(a_row_is_never_wider_than_the_terminal)
{
	json_t *e = add("container", "a-name-that-is-far-too-long-for-\u6771\u4eac-and-goes-on",
		"restarting-for-ever");

	set(e, CGROUP_cpu_used_percent, 6400);
	set(e, CGROUP_memory_used_bytes, 1023.4 * 1024 * 1024 * 1024);
	for (size_t columns = TABLE_COLUMNS_MIN; columns < 140; columns++) {
		struct term t = {.columns = columns};

		ck_assert_uint_le(term_width_of(row(&t, e, false)), columns);
		ck_assert_uint_eq(term_width_of(row(&t, e, true)), columns);
	}
	ck_assert_ptr_nonnull(strstr(row(&term, e, false), "~"));
}
END_TEST

START_TEST(health_says_more_than_running)
{
	json_t *e = add("container", "a", "running");

	set(e, CGROUP_healthy, 1);
	ck_assert(str_ends(row(&term, e, false), "  healthy"));
	set(e, CGROUP_healthy, 0);
	ck_assert(str_ends(row(&term, e, false), "  unhealthy"));
	ck_assert(str_ends(row(&coloured, e, false), "\033[31munhealthy\033[0m"));
}
END_TEST

START_TEST(the_host_has_its_lines)
{
	json_t *host = json_pack("{s:s, s:s, s:s, s:i, s:i}", "hostname", "vps1", "os", "Debian",
		"kernel", "6.1", "boot_time", 1000, "cpu_cores", 2);
	json_t *e = add("host", "host", "");
	size_t n;

	host_view_title(&term, host, 1000 + 90061, &out);
	ck_assert_str_eq(buf_str(&out), "vps1  Debian, 6.1, up 1d 1h\n");
	buf_clear(&out);
	set(e, HOST_cpu_used_percent, 50);
	set(e, HOST_cpu_steal_percent, 7);
	set(e, HOST_memory_used_percent, 25);
	set(e, HOST_memory_total_bytes, 4.0 * 1024 * 1024 * 1024);
	n = host_view_lines(&term, host, e, &out);
	ck_assert_uint_eq(n, 5); /* no swap, no pressure */
	ck_assert_ptr_nonnull(strstr(
		buf_str(&out), "CPU       ##########..........  50.0%  2 cores, steal 7.0%\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "- of 4.0G, - available\n"));
	set(e, HOST_swap_total_bytes, 1024);
	set(e, HOST_pressure_cpu_some_percent, 1);
	ck_assert_uint_eq(host_view_lines(&term, host, e, &out), 7);
	ck_assert_uint_eq(host_view_lines(&term, host, NULL, &out), 5);
	json_decref(host);
}
END_TEST

START_TEST(the_fullest_filesystems_come_first)
{
	json_t *a = add("filesystem", "/", ""), *b = add("filesystem", "/data", "");

	(void)add("filesystem", "/unknown", "");
	set(a, FILESYSTEM_used_percent, 10);
	set(b, FILESYSTEM_used_percent, 50);
	set(b, FILESYSTEM_inodes_used_percent, 95);
	ck_assert_uint_eq(host_view_filesystems(&term, entities, 2, &out), 2);
	ck_assert(strstr(buf_str(&out), "/data") < strstr(buf_str(&out), "/  "));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "95.0%  /data  - of -, few inodes left\n"));
	ck_assert_ptr_null(strstr(buf_str(&out), "/unknown"));
}
END_TEST

START_TEST(programs_get_values_by_name)
{
	json_t *e = add("container", "a", "running"), *named, *values;

	set(e, CGROUP_cpu_used_percent, 1.5);
	named = view_named(entities);
	values = json_object_get(json_array_get(named, 0), "values");
	ck_assert(json_real_value(json_object_get(values, "cpu_used_percent")) == 1.5);
	ck_assert(json_is_null(json_object_get(values, "memory_used_bytes")));
	json_decref(named);
}
END_TEST

static int key(const char *bytes, size_t expected_used)
{
	size_t used;
	int k = screen_key(bytes, strlen(bytes), &used);

	ck_assert_uint_eq(used, expected_used);
	return k;
}

START_TEST(keys_of_the_terminal)
{
	ck_assert_int_eq(key("q", 1), 'q');
	ck_assert_int_eq(key("qq", 1), 'q');
	ck_assert_int_eq(key("\033[A", 3), KEY_UP);
	ck_assert_int_eq(key("\033OBx", 3), KEY_DOWN);
	ck_assert_int_eq(key("\033[6~", 4), KEY_PAGE_DOWN);
	ck_assert_int_eq(key("\033[1;5C", 6), KEY_OTHER);
	ck_assert_int_eq(key("\033", 1), KEY_OTHER);
	ck_assert_int_eq(key("\033[", 2), KEY_OTHER);
	ck_assert_int_eq(key("\033[200", 5), KEY_OTHER);
	ck_assert_int_eq(key("\033q", 1), KEY_OTHER);
	ck_assert_int_eq(key("\xc3\xbc", 1), 0xc3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cmd_format");
	TCase *t = tcase_create("cmd_format");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rows_are_in_the_order_asked_for_and_unknown_is_last);
	tcase_add_test(t, a_row_shows_what_is_known_in_its_columns);
	tcase_add_test(t, a_row_is_never_wider_than_the_terminal);
	tcase_add_test(t, health_says_more_than_running);
	tcase_add_test(t, the_host_has_its_lines);
	tcase_add_test(t, the_fullest_filesystems_come_first);
	tcase_add_test(t, programs_get_values_by_name);
	tcase_add_test(t, keys_of_the_terminal);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
