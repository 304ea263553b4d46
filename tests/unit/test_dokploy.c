/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/cpuinfo.h"
#include "agent/web/dokploy_record.h"

#define MIB (1024.0 * 1024)
#define GIB (1024.0 * MIB)

static struct buf out;

static void setup(void)
{
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	buf_done(&out);
}

START_TEST(server_record_is_as_dokploy_reads_it)
{
	struct dokploy_facts f = {"AuthenticAMD AMD EPYC", 4, 2, 2445.404,
		"Debian GNU/Linux 12 (bookworm)", "6.1.0-18-amd64", "x86_64"};
	struct dokploy_server s = {1795237260, 12.345, 50, 4 * GIB, 8 * GIB, 86400.5, 33.333,
		40 * GIB, 1.5 * MIB, 2048 * MIB};

	dokploy_server_record(&out, &f, &s);
	ck_assert_str_eq(buf_str(&out),
		"{\"timestamp\":\"2026-11-21T05:01:00Z\",\"cpu\":\"12.35\","
		"\"cpuModel\":\"AuthenticAMD AMD EPYC\",\"cpuCores\":4,\"cpuPhysicalCores\":2,"
		"\"cpuSpeed\":2445.404,\"os\":\"Debian GNU/Linux 12 (bookworm)\","
		"\"distro\":\"Debian GNU/Linux 12 (bookworm)\",\"kernel\":\"6.1.0-18-amd64\","
		"\"arch\":\"x86_64\",\"memUsed\":\"50.00\",\"memUsedGB\":\"4.00\","
		"\"memTotal\":\"8.00\",\"uptime\":86400,\"diskUsed\":\"33.33\","
		"\"totalDisk\":\"40.00\",\"networkIn\":\"1.50\",\"networkOut\":\"2048.00\"}");
}
END_TEST

/* Dokploy's page calls functions of these numbers: null would break it. */
START_TEST(unknown_is_zero_never_null)
{
	struct dokploy_facts f = {0};
	struct dokploy_server s = {1795237260, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	struct dokploy_container c = {1795237260, NAN, NAN, NAN, NAN, NAN, NAN};
	struct dokploy_container_facts cf = {"", "app", NAN};

	dokploy_server_record(&out, &f, &s);
	dokploy_container_records(&out, &cf, &c, 1);
	ck_assert_ptr_null(strstr(buf_str(&out), "null"));
	ck_assert_ptr_null(strstr(buf_str(&out), "nan"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\"cpu\":\"0.00\""));
}
END_TEST

START_TEST(container_record_is_as_dokploy_reads_it)
{
	struct dokploy_container c = {1795237260, 83.756, 2.26 * MIB, 306, 0, 28.7e3, 5e6};
	struct dokploy_container_facts f = {"0123456789ab", "app-1", 7.65 * GIB};

	dokploy_container_records(&out, &f, &c, 1);
	ck_assert_str_eq(buf_str(&out),
		"{\"timestamp\":\"2026-11-21T05:01:00Z\",\"CPU\":83.76,"
		"\"Memory\":{\"percentage\":0.03,\"used\":2.26,\"total\":7.65,"
		"\"usedUnit\":\"MiB\",\"totalUnit\":\"GiB\"},"
		"\"Network\":{\"input\":306,\"output\":0,\"inputUnit\":\"B\",\"outputUnit\":\"B\"},"
		"\"BlockIO\":{\"read\":28.7,\"write\":5,\"readUnit\":\"kB\",\"writeUnit\":\"MB\"},"
		"\"Container\":\"0123456789ab\",\"ID\":\"0123456789ab\",\"Name\":\"app-1\"}");
}
END_TEST

START_TEST(one_unit_for_all_records_of_an_answer)
{
	struct dokploy_container list[] = {
		{1795237240, 1, 900 * 1024, 500, 1, 1, 1},
		{1795237260, 1, 3 * MIB, 2.5e6, 1, 1, 1},
	};
	struct dokploy_container_facts f = {"0123456789ab", "app", 100 * MIB};
	json_t *records;

	buf_addc(&out, '[');
	dokploy_container_records(&out, &f, list, 2);
	buf_addc(&out, ']');
	records = json_loads(buf_str(&out), 0, NULL);
	ck_assert_uint_eq(json_array_size(records), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *r = json_array_get(records, i);
		const json_t *m = json_object_get(r, "Memory"), *n = json_object_get(r, "Network");

		ck_assert_str_eq(json_string_value(json_object_get(m, "usedUnit")), "MiB");
		ck_assert_str_eq(json_string_value(json_object_get(n, "inputUnit")), "MB");
		ck_assert_double_eq_tol(
			json_number_value(json_object_get(m, "used")), i ? 3 : 0.88, 1e-9);
		ck_assert_double_eq_tol(
			json_number_value(json_object_get(n, "input")), i ? 2.5 : 0, 1e-9);
	}
	json_decref(records);
}
END_TEST

START_TEST(no_record_is_no_text)
{
	struct dokploy_container_facts f = {"", "app", GIB};

	dokploy_container_records(&out, &f, NULL, 0);
	ck_assert_str_eq(buf_str(&out), "");
}
END_TEST

START_TEST(rates_become_the_counter_they_came_from)
{
	const double rates[] = {1, 2, NAN, 4};
	double total[4];

	dokploy_accumulate(rates, 4, 1, 20, 1000, total, 1);
	ck_assert_double_eq(total[3], 1000);
	ck_assert_double_eq(total[2], 920);
	ck_assert_double_eq(total[1], 920);
	ck_assert_double_eq(total[0], 880);
}
END_TEST

START_TEST(counter_never_goes_below_zero)
{
	const double rates[] = {100, 100};
	double total[2];

	dokploy_accumulate(rates, 2, 1, 20, 1500, total, 1);
	ck_assert_double_eq(total[1], 1500);
	ck_assert_double_eq(total[0], 0);
}
END_TEST

START_TEST(without_a_counter_the_sum_is_shown)
{
	const double rates[] = {0, 9, 1, 9, 2, 9};
	double total[6] = {-1, -1, -1, -1, -1, -1};

	dokploy_accumulate(rates, 3, 2, 10, NAN, total, 2);
	ck_assert_double_eq(total[0], 0);
	ck_assert_double_eq(total[2], 10);
	ck_assert_double_eq(total[4], 30);
	ck_assert_double_eq(total[1], -1);
}
END_TEST

START_TEST(containers_are_found_by_the_app_name)
{
	ck_assert_int_gt(dokploy_match("shop-x1", "shop-x1", NULL), 0);
	ck_assert_int_gt(dokploy_match("shop-x1", "other", "shop-x1"), 0);
	ck_assert_int_gt(dokploy_match("/shop-x1", "other", "shop-x1"), 0);
	ck_assert_int_gt(dokploy_match("shop-x1", "k", "shop-x1.1.k2xw0c9"), 0);
	ck_assert_int_gt(dokploy_match("shop-web", "k", "shop-web-1"), 0);
	ck_assert_int_gt(dokploy_match("shop_web", "k", "shop_web_1"), 0);
	ck_assert_int_eq(dokploy_match("shop", "shop-web", "shop-web-1"), 0);
	ck_assert_int_eq(dokploy_match("shop-web", "k", "shop-web-abc"), 0);
	ck_assert_int_eq(dokploy_match("shop-web", "k", "shop-web."), 0);
	ck_assert_int_eq(dokploy_match("shop-web", "k", "shop-web-"), 0);
	ck_assert_int_eq(dokploy_match("", "", ""), 0);
	ck_assert_int_eq(dokploy_match("/", "k", "k"), 0);
}
END_TEST

START_TEST(the_exact_name_fits_best)
{
	ck_assert_int_gt(
		dokploy_match("web-1", "k", "web-1"), dokploy_match("web-1", "web-1", NULL));
	ck_assert_int_gt(
		dokploy_match("web-1", "web-1", NULL), dokploy_match("web-1", "k", "web-1-1"));
}
END_TEST

START_TEST(ids_are_shortened)
{
	char id[13];

	dokploy_short_id(id, "3fa85f6457174562b3fc2c963f66afa6");
	ck_assert_str_eq(id, "3fa85f645717");
	dokploy_short_id(id, "/system.slice/docker-3fa85f6457174562b3fc.scope");
	ck_assert_str_eq(id, "3fa85f645717");
	dokploy_short_id(id, "/docker/abc");
	ck_assert_str_eq(id, "");
	dokploy_short_id(id, NULL);
	ck_assert_str_eq(id, "");
}
END_TEST

START_TEST(limit_is_bounded)
{
	ck_assert_uint_eq(dokploy_limit(NULL), 50);
	ck_assert_uint_eq(dokploy_limit(""), 50);
	ck_assert_uint_eq(dokploy_limit("x"), 50);
	ck_assert_uint_eq(dokploy_limit("0"), 50);
	ck_assert_uint_eq(dokploy_limit("-3"), 50);
	ck_assert_uint_eq(dokploy_limit("7"), 7);
	ck_assert_uint_eq(dokploy_limit("all"), 5000);
	ck_assert_uint_eq(dokploy_limit("999999999999999999999"), 50);
	ck_assert_uint_eq(dokploy_limit("1000000"), 5000);
}
END_TEST

static const char two_threads[] = "processor\t: 0\nvendor_id\t: GenuineIntel\n"
				  "model name\t: Intel(R) Xeon(R) CPU @ 2.20GHz\n"
				  "cpu MHz\t\t: 2200.152\nphysical id\t: 0\ncore id\t\t: 0\n\n"
				  "processor\t: 1\nvendor_id\t: GenuineIntel\n"
				  "cpu MHz\t\t: 1800.000\nphysical id\t: 0\ncore id\t\t: 0\n\n"
				  "processor\t: 2\nphysical id\t: 1\ncore id\t\t: 0\n";

START_TEST(cores_are_told_from_threads)
{
	struct cpuinfo c;

	cpuinfo_parse(two_threads, &c);
	ck_assert_str_eq(c.model, "GenuineIntel Intel(R) Xeon(R) CPU @ 2.20GHz");
	ck_assert_double_eq(c.mhz, 2200.152);
	ck_assert_int_eq(c.cores, 3);
	ck_assert_int_eq(c.physical_cores, 2);
}
END_TEST

START_TEST(processors_that_say_little_are_counted)
{
	struct cpuinfo c;

	cpuinfo_parse(
		"processor\t: 0\nBogoMIPS\t: 48.00\nFeatures\t: fp asimd\n\nprocessor\t: 1\n", &c);
	ck_assert_str_eq(c.model, "");
	ck_assert_double_eq(c.mhz, 0);
	ck_assert_int_eq(c.cores, 2);
	ck_assert_int_eq(c.physical_cores, 2);
	cpuinfo_parse("", &c);
	ck_assert_int_eq(c.cores, 0);
	cpuinfo_parse("no colon\n: no name\ncpu MHz : fast\n\n\n", &c);
	ck_assert_double_eq(c.mhz, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dokploy");
	TCase *t = tcase_create("dokploy");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, server_record_is_as_dokploy_reads_it);
	tcase_add_test(t, unknown_is_zero_never_null);
	tcase_add_test(t, container_record_is_as_dokploy_reads_it);
	tcase_add_test(t, one_unit_for_all_records_of_an_answer);
	tcase_add_test(t, no_record_is_no_text);
	tcase_add_test(t, rates_become_the_counter_they_came_from);
	tcase_add_test(t, counter_never_goes_below_zero);
	tcase_add_test(t, without_a_counter_the_sum_is_shown);
	tcase_add_test(t, containers_are_found_by_the_app_name);
	tcase_add_test(t, the_exact_name_fits_best);
	tcase_add_test(t, ids_are_shortened);
	tcase_add_test(t, limit_is_bounded);
	tcase_add_test(t, cores_are_told_from_threads);
	tcase_add_test(t, processors_that_say_little_are_counted);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
