/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/daemon_parts.h"
#include "agent/schema.h"
#include "base/wire.h"

static struct daemon d;
static struct buf reply = BUF_INIT(CONTROL_QUEUE_MAX);
static struct err err;

static void setup(void)
{
	struct mistakes m = {0};
	struct entity *e;

	memset(&d, 0, sizeof(d));
	d.state = (struct state_dir){NULL, -1, -1, false};
	ck_assert_int_eq(config_from_memory(&options_all, "test.conf", "", 0, &d.config, &m), 0);
	d.problems = problems_new(NULL, NULL);
	d.registry = registry_new();
	ck_assert_int_ge(
		db_open(":memory:", schema_migrations, schema_migrations_count, &d.db, &err), 0);
	ck_assert_int_eq(catalogue_new(d.db, &d.catalogue, &err), 0);
	memcpy(d.tokens.admin, "admin-token-000000", 19);
	memcpy(d.tokens.viewer, "viewer-token-00000", 19);
	registry_begin(d.registry);
	e = registry_get(d.registry, &class_container, "we\"b");
	entity_label(e, "image", "nginx");
	entity_gauge(e, CGROUP_processes, 3);
	entity_missing(e, CGROUP_memory_limit_bytes, "no limit is set");
	d.sampling.time = 1795000000;
}

static void teardown(void)
{
	buf_done(&reply);
	catalogue_free(d.catalogue);
	db_close(d.db);
	registry_free(d.registry);
	problems_free(d.problems);
	config_free(d.config);
}

/* The parsed answer to a request; the caller drops it. */
static json_t *ask(bool is_web, const char *request)
{
	json_t *q = wire_parse(request, strlen(request), &err);
	struct control_call call = {.daemon = &d, .request = q, .is_web = is_web, .reply = &reply};
	json_t *a;

	ck_assert_ptr_nonnull(q);
	operation_answer(&call);
	json_decref(q);
	a = wire_parse(buf_str(&reply), reply.len, &err);
	ck_assert_msg(a != NULL, "%s: %s", err.msg, buf_str(&reply));
	return a;
}

static void expect_code(bool is_web, const char *request, const char *code)
{
	json_t *a = ask(is_web, request);

	ck_assert(json_is_false(json_object_get(a, "ok")));
	ck_assert_str_eq(json_string_value(json_object_get(a, "code")), code);
	json_decref(a);
}

START_TEST(unknown_and_missing_operations_are_bad_requests)
{
	expect_code(false, "{\"op\":\"no.such\"}", "bad_request");
	expect_code(false, "{}", "bad_request");
	expect_code(false, "{\"op\":7}", "bad_request");
}
END_TEST

START_TEST(roles_are_enforced)
{
	expect_code(true, "{\"op\":\"token.rotate\",\"as\":{\"role\":\"viewer\"}}", "forbidden");
	expect_code(true, "{\"op\":\"host\",\"as\":{\"role\":\"none\"}}", "forbidden");
	expect_code(true, "{\"op\":\"host\",\"as\":{\"role\":\"root\"}}", "forbidden");
	expect_code(true, "{\"op\":\"config.reload\"}", "forbidden");
	/* Not even an administrator's browser gets the tokens. */
	expect_code(true, "{\"op\":\"token.show\",\"as\":{\"role\":\"admin\"}}", "forbidden");
	/* The doors of the web process are closed to the command line. */
	expect_code(false, "{\"op\":\"session.new\",\"role\":\"admin\"}", "forbidden");
}
END_TEST

START_TEST(id_is_echoed_and_token_opens)
{
	json_t *a = ask(true, "{\"id\":42,\"op\":\"auth.token\",\"token\":\"viewer-token-00000\"}");

	ck_assert_int_eq(json_integer_value(json_object_get(a, "id")), 42);
	ck_assert_str_eq(json_string_value(json_object_get(a, "role")), "viewer");
	json_decref(a);
	expect_code(true, "{\"op\":\"auth.token\",\"token\":\"wrong\"}", "forbidden");
	expect_code(true, "{\"op\":\"auth.token\"}", "forbidden");
}
END_TEST

START_TEST(latest_gives_values_in_table_order_with_reasons)
{
	json_t *a = ask(false, "{\"op\":\"latest\",\"classes\":[\"container\"]}");
	json_t *e = json_array_get(json_object_get(a, "entities"), 0);
	json_t *values = json_object_get(e, "values");

	ck_assert_str_eq(json_string_value(json_object_get(e, "key")), "we\"b");
	ck_assert_uint_eq(json_array_size(values), class_container.n_metrics);
	ck_assert_double_eq(json_number_value(json_array_get(values, CGROUP_processes)), 3);
	ck_assert(json_is_null(json_array_get(values, CGROUP_cpu_used_percent)));
	ck_assert_str_eq(json_string_value(json_object_get(
				 json_object_get(e, "missing"), "memory_limit_bytes")),
		"no limit is set");
	json_decref(a);
}
END_TEST

START_TEST(filters_choose_entities)
{
	json_t *a = ask(false, "{\"op\":\"latest\",\"classes\":[\"host\"]}");

	ck_assert_uint_eq(json_array_size(json_object_get(a, "entities")), 0);
	json_decref(a);
	a = ask(false, "{\"op\":\"latest\",\"entities\":[\"container/we\\\"b\"]}");
	ck_assert_uint_eq(json_array_size(json_object_get(a, "entities")), 1);
	json_decref(a);
}
END_TEST

START_TEST(vanished_entities_are_listed_when_asked)
{
	json_t *a, *e;

	ck_assert_int_eq(catalogue_seen(d.catalogue, &class_container, "old", 1794000000, &err), 0);
	ck_assert_int_eq(
		catalogue_seen(d.catalogue, &class_container, "we\"b", 1794000000, &err), 0);
	a = ask(false, "{\"op\":\"latest\",\"gone\":true}");
	ck_assert_uint_eq(json_array_size(json_object_get(a, "entities")), 2);
	e = json_array_get(json_object_get(a, "entities"), 1);
	ck_assert(json_is_false(json_object_get(e, "live")));
	ck_assert_int_eq(json_integer_value(json_object_get(e, "last_seen")), 1794000000);
	json_decref(a);
}
END_TEST

START_TEST(settings_are_shown_with_their_origin)
{
	json_t *a = ask(false, "{\"op\":\"config.show\"}");
	json_t *list = json_object_get(a, "settings"), *one;
	size_t i;
	bool found = false;

	json_array_foreach(list, i,
		one) if (strcmp(json_string_value(json_object_get(one, "name")), "interval") == 0)
	{
		found = true;
		ck_assert_str_eq(json_string_value(json_object_get(one, "value")), "20s");
		ck_assert_str_eq(json_string_value(json_object_get(one, "origin")), "default");
	}
	ck_assert(found);
	json_decref(a);
}
END_TEST

START_TEST(before_the_first_sample_is_unavailable_not_empty)
{
	d.sampling.time = 0;
	expect_code(false, "{\"op\":\"latest\"}", "unavailable");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("operation");
	TCase *t = tcase_create("operation");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, unknown_and_missing_operations_are_bad_requests);
	tcase_add_test(t, roles_are_enforced);
	tcase_add_test(t, id_is_echoed_and_token_opens);
	tcase_add_test(t, latest_gives_values_in_table_order_with_reasons);
	tcase_add_test(t, filters_choose_entities);
	tcase_add_test(t, vanished_entities_are_listed_when_asked);
	tcase_add_test(t, settings_are_shown_with_their_origin);
	tcase_add_test(t, before_the_first_sample_is_unavailable_not_empty);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
