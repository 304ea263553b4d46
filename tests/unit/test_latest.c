/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/latest.h"

static struct buf out;
static json_t *message;

static void setup(void)
{
	buf_init(&out, 1 << 20);
	message = NULL;
}

static void teardown(void)
{
	buf_done(&out);
	json_decref(message);
}

static const json_t *parse(const char *text)
{
	json_decref(message);
	message = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(message);
	return message;
}

/* What was written, read back. */
static json_t *written(void)
{
	json_t *j = json_loads(buf_str(&out), 0, NULL);

	ck_assert_msg(j != NULL, "%s", buf_str(&out));
	return j;
}

START_TEST(values_are_named_in_the_order_of_the_table)
{
	const json_t *e = parse("{\"class\":\"sensor\",\"key\":\"a \\\"b\\\"\",\"live\":true,"
				"\"labels\":{\"chip\":\"k10\"},\"values\":[41.5],"
				"\"missing\":{\"x\":\"why\"}}");

	latest_write(&out, e, 0);
	ck_assert_str_eq(buf_str(&out),
		"{\"class\": \"sensor\", \"key\": \"a \\\"b\\\"\", \"live\": true, "
		"\"labels\": {\"chip\": \"k10\"}, \"values\": {\"temperature_celsius\": 41.5}}");
	buf_clear(&out);
	latest_write(&out, e, LATEST_MISSING);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), ", \"missing\": {\"x\": \"why\"}}"));
}
END_TEST

START_TEST(what_is_not_a_number_is_null)
{
	json_t *j, *values;

	latest_write(
		&out, parse("{\"class\":\"host\",\"key\":\"host\",\"values\":[null,\"x\",7]}"), 0);
	j = written();
	values = json_object_get(j, "values");
	ck_assert_uint_eq(json_object_size(values), class_host.n_metrics);
	ck_assert(json_is_null(json_object_get(values, "cpu_used_percent")));
	ck_assert(json_is_null(json_object_get(values, "cpu_user_percent")));
	ck_assert_int_eq(json_integer_value(json_object_get(values, "cpu_nice_percent")), 7);
	ck_assert(json_is_null(json_object_get(values, "load1")));
	json_decref(j);
}
END_TEST

START_TEST(gone_has_when_it_was_last_seen)
{
	latest_write(&out,
		parse("{\"class\":\"container\",\"key\":\"a\",\"live\":false,\"last_seen\":"
		      "1795237260}"),
		LATEST_MISSING);
	ck_assert_str_eq(buf_str(&out),
		"{\"class\": \"container\", \"key\": \"a\", \"live\": false, "
		"\"labels\": {}, \"last_seen\": 1795237260}");
}
END_TEST

START_TEST(entities_of_unknown_classes_are_skipped)
{
	json_t *j;

	parse("{\"time\":1795237260,\"entities\":[{\"class\":\"planet\",\"key\":\"x\"},"
	      "{\"class\":\"host\"},{\"key\":\"host\"},7,{\"class\":\"disk\",\"key\":\"vda\"},"
	      "{\"class\":\"disk\",\"key\":\"vdb\"}]}");
	latest_write_message(&out, message, 0, NULL, NULL);
	j = written();
	ck_assert_int_eq(json_integer_value(json_object_get(j, "time")), 1795237260);
	ck_assert_uint_eq(json_array_size(json_object_get(j, "entities")), 2);
	json_decref(j);
}
END_TEST

START_TEST(message_of_nothing_is_whole)
{
	latest_write_message(&out, parse("{}"), 0, NULL, NULL);
	ck_assert_str_eq(buf_str(&out), "{\"time\": null, \"entities\": []}");
}
END_TEST

static bool is_vdb(const void *user, const json_t *entity)
{
	(void)user;
	return strcmp(latest_key(entity), "vdb") == 0;
}

START_TEST(an_event_is_one_line_of_what_is_wanted)
{
	json_t *j;

	parse("{\"time\":1,\"entities\":[{\"class\":\"disk\",\"key\":\"vda\"},"
	      "{\"class\":\"disk\",\"key\":\"vdb\",\"labels\":{\"a\":\"x\\ny\"}}]}");
	latest_write_message(&out, message, LATEST_ONE_LINE, is_vdb, NULL);
	ck_assert_ptr_null(strchr(buf_str(&out), '\n'));
	j = written();
	ck_assert_uint_eq(json_array_size(json_object_get(j, "entities")), 1);
	json_decref(j);
}
END_TEST

START_TEST(names_of_entities_are_taken_apart_at_the_first_slash)
{
	const char *key = NULL;

	ck_assert_ptr_eq(latest_parse_name("filesystem//var/lib", &key), &class_filesystem);
	ck_assert_str_eq(key, "/var/lib");
	ck_assert_ptr_eq(latest_parse_name("host/host", &key), &class_host);
	ck_assert_ptr_null(latest_parse_name("host", &key));
	ck_assert_ptr_null(latest_parse_name("host/", &key));
	ck_assert_ptr_null(latest_parse_name("/host", &key));
	ck_assert_ptr_null(latest_parse_name("hos/t", &key));
	ck_assert_ptr_null(latest_parse_name("hosts/host", &key));
	ck_assert_ptr_null(latest_parse_name("", &key));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("latest");
	TCase *t = tcase_create("latest");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, values_are_named_in_the_order_of_the_table);
	tcase_add_test(t, what_is_not_a_number_is_null);
	tcase_add_test(t, gone_has_when_it_was_last_seen);
	tcase_add_test(t, entities_of_unknown_classes_are_skipped);
	tcase_add_test(t, message_of_nothing_is_whole);
	tcase_add_test(t, an_event_is_one_line_of_what_is_wanted);
	tcase_add_test(t, names_of_entities_are_taken_apart_at_the_first_slash);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
