/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/prometheus.h"
#include "collectors/metric.h"

static struct buf out;
static json_t *entities;

static void setup(void)
{
	buf_init(&out, 1 << 20);
	entities = json_array();
}

static void teardown(void)
{
	buf_done(&out);
	json_decref(entities);
}

/* An entity of which one metric is known. */
static json_t *add(const struct entity_class *k, const char *key, size_t metric, double v)
{
	json_t *values = json_array(), *totals = json_array(), *e;
	bool gauge = k->metrics[metric].kind == METRIC_GAUGE;

	for (size_t i = 0; i < k->n_metrics; i++) {
		(void)json_array_append_new(
			values, i == metric && gauge ? json_real(v) : json_null());
		(void)json_array_append_new(
			totals, i == metric && !gauge ? json_real(v) : json_null());
	}
	e = json_pack("{s:s, s:s, s:b, s:{}, s:o, s:o}", "class", k->name, "key", key, "live", 1,
		"labels", "values", values, "totals", totals);
	(void)json_array_append_new(entities, e);
	return e;
}

static void label(json_t *entity, const char *name, const char *value)
{
	(void)json_object_set_new(json_object_get(entity, "labels"), name, json_string(value));
}

static const char *written(void)
{
	struct prometheus_facts facts = {.version = "1.2.3", .now_ms = 1795237260123};

	strcpy(facts.uname.sysname, "Linux");
	strcpy(facts.uname.release, "6.1.0");
	buf_clear(&out);
	buf_addc(&out, '\n'); /* has() looks for whole lines */
	prometheus_write(&out, entities, &facts);
	ck_assert(!out.overflow);
	return buf_str(&out);
}

static void has(const char *line)
{
	struct buf with_ends = BUF_INIT(10000);

	buf_addf(&with_ends, "\n%s\n", line);
	ck_assert_msg(strstr(written(), buf_str(&with_ends)) != NULL, "no line \"%s\" in:\n%s",
		line, buf_str(&out));
	buf_done(&with_ends);
}

static unsigned count(const char *text)
{
	unsigned n = 0;

	for (const char *p = written(); (p = strstr(p, text)); p++)
		n++;
	return n;
}

START_TEST(gauge_is_the_value_of_now)
{
	add(&class_host, "host", HOST_load1, 1.25);
	has("# HELP node_load1 Processes running or waiting, average over 1 minute.");
	has("# TYPE node_load1 gauge");
	has("node_load1 1.25");
}
END_TEST

START_TEST(counter_is_the_total_in_base_units)
{
	label(add(&class_core, "cpu0", CORE_user_percent, 123456), "cpu", "0");
	has("# TYPE node_cpu_seconds_total counter");
	has("node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 1234.56");
}
END_TEST

START_TEST(what_is_no_counter_by_name_is_untyped)
{
	add(&class_host, "host", HOST_oom_kills, 3);
	has("# TYPE node_vmstat_oom_kill untyped");
	has("node_vmstat_oom_kill 3");
}
END_TEST

START_TEST(large_totals_keep_their_digits)
{
	add(&class_interface, "eth0", INTERFACE_received_bytes_per_second, 123456789012345.0);
	has("node_network_receive_bytes_total{device=\"\"} 123456789012345");
	add(&class_interface, "eth1", INTERFACE_received_bytes_per_second, 18014398509481984.0);
	has("node_network_receive_bytes_total{device=\"\"} 18014398509481984");
}
END_TEST

START_TEST(unknown_values_and_empty_families_are_left_out)
{
	add(&class_host, "host", HOST_load1, 1);
	ck_assert_uint_eq(count("node_load5"), 0);
	ck_assert_uint_eq(count("nan"), 0);
	ck_assert_uint_eq(count("null"), 0);
}
END_TEST

START_TEST(rows_of_one_family_stand_together_under_one_head)
{
	const char *text;

	label(add(&class_core, "cpu0", CORE_user_percent, 100), "cpu", "0");
	label(add(&class_core, "cpu1", CORE_system_percent, 100), "cpu", "1");
	ck_assert_uint_eq(count("# TYPE node_cpu_seconds_total"), 1);
	ck_assert_uint_eq(count("# HELP node_cpu_seconds_total"), 1);
	text = strstr(written(), "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 1\n");
	ck_assert_ptr_nonnull(text);
	text = strchr(text, '\n') + 1;
	ck_assert_ptr_eq(
		strstr(text, "node_cpu_seconds_total{cpu=\"1\",mode=\"system\"} 1\n"), text);
}
END_TEST

START_TEST(container_has_the_labels_of_cadvisor)
{
	json_t *e = add(&class_container, "shop-web", CGROUP_cpu_used_percent, 12.5);

	label(e, "id", "/docker/3f");
	label(e, "image", "shop:1");
	label(e, "name", "shop-web-1");
	has("container_cpu_usage_seconds_total{id=\"/docker/3f\",image=\"shop:1\",name=\"shop-web-"
	    "1\"} 12.5");
}
END_TEST

START_TEST(service_is_a_cgroup_without_name)
{
	add(&class_service, "ssh", CGROUP_memory_used_bytes, 4096);
	has("container_memory_working_set_bytes{id=\"/system.slice/ssh.service\",image=\"\","
	    "name=\"\"} 4096");
}
END_TEST

START_TEST(label_values_are_escaped)
{
	label(add(&class_disk, "vda", DISK_reads_per_second, 1), "device", "a\\b\"c\nd");
	has("node_disk_reads_completed_total{device=\"a\\\\b\\\"c\\nd\"} 1");
}
END_TEST

START_TEST(entities_that_are_gone_or_unknown_are_left_out)
{
	json_t *e = add(&class_host, "host", HOST_load1, 1);

	(void)json_object_set_new(e, "live", json_false());
	e = add(&class_host, "host", HOST_load5, 1);
	(void)json_object_set_new(e, "class", json_string("planet"));
	ck_assert_uint_eq(count("node_load"), 0);
}
END_TEST

START_TEST(facts_are_there_without_any_entity)
{
	has("agent_build_info{version=\"1.2.3\"} 1");
	has("node_time_seconds 1795237260.123");
	has("node_uname_info{domainname=\"\",machine=\"\",nodename=\"\",release=\"6.1.0\","
	    "sysname=\"Linux\",version=\"\"} 1");
}
END_TEST

/* The format's rules, over every metric there is: known name characters, head before rows, each
 * family once. */
START_TEST(every_metric_of_every_class_is_well_formed)
{
	char *text, *line, *save = NULL;
	char families[300][80];
	char family[80] = "";
	unsigned n = 0, rows = 0;

	for (size_t k = 0; entity_classes[k]; k++)
		for (size_t i = 0; i < entity_classes[k]->n_metrics; i++)
			add(entity_classes[k], "x", i, 1);
	text = strdup(written());
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[80], type[16];

		if (sscanf(line, "# TYPE %79s %15s", name, type) == 2) {
			ck_assert_str_eq(name, family);
			continue;
		}
		if (sscanf(line, "# HELP %79s", name) == 1) {
			for (unsigned i = 0; i < n; i++)
				ck_assert_str_ne(families[i], name);
			ck_assert_uint_lt(n, 300);
			strcpy(families[n++], name);
			strcpy(family, name);
			continue;
		}
		rows++;
		ck_assert_int_eq(sscanf(line, "%79[a-zA-Z0-9_:]", name), 1);
		ck_assert_str_eq(name, family);
		ck_assert_msg(strchr("{ ", line[strlen(name)]) != NULL, "%s", line);
	}
	ck_assert_uint_gt(n, 80);
	ck_assert_uint_gt(rows, n);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("prometheus");
	TCase *t = tcase_create("prometheus");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, gauge_is_the_value_of_now);
	tcase_add_test(t, counter_is_the_total_in_base_units);
	tcase_add_test(t, what_is_no_counter_by_name_is_untyped);
	tcase_add_test(t, large_totals_keep_their_digits);
	tcase_add_test(t, unknown_values_and_empty_families_are_left_out);
	tcase_add_test(t, rows_of_one_family_stand_together_under_one_head);
	tcase_add_test(t, container_has_the_labels_of_cadvisor);
	tcase_add_test(t, service_is_a_cgroup_without_name);
	tcase_add_test(t, label_values_are_escaped);
	tcase_add_test(t, entities_that_are_gone_or_unknown_are_left_out);
	tcase_add_test(t, facts_are_there_without_any_entity);
	tcase_add_test(t, every_metric_of_every_class_is_well_formed);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
