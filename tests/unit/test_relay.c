/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/relay.h"
#include "base/wire.h"

static const struct route post = {
	"POST",
	"/things/{name}/paint",
	ROLE_ADMIN,
	NULL,
	"application/json",
	"",
	{{"name", "string", false, true, "Its name.", 1, 8},
		{"seconds", "integer", false, true, "How long.", 1, 3600},
		{"reason", "string", false, false, "Why.", 1, 10},
		{"wet", "boolean", false, false, "Whether it is wet.", 0, 0}},
};
static const struct route list = {
	"GET",
	"/things",
	ROLE_VIEWER,
	NULL,
	"application/json",
	"",
	{{"state", "string", false, false, "Only these.", 0, 10},
		{"limit", "integer", false, false, "The most.", 1, 500},
		{"all", "boolean", false, false, "The hidden ones too.", 0, 0}},
};
static const struct route no_body = {
	"POST",
	"/things/{name}/test",
	ROLE_ADMIN,
	NULL,
	"application/json",
	"",
	{{"name", "string", false, true, "Its name.", 1, 8}},
};

static json_t *request;
static struct err e;

static void setup(void)
{
	request = json_pack("{s:s}", "op", "paint");
}

static void teardown(void)
{
	json_decref(request);
}

static int take(const struct route *r, const char *text)
{
	json_t *body = wire_parse(text, strlen(text), &e);
	int result;

	ck_assert_msg(body != NULL, "%s", e.msg);
	result = relay_take_body(r, body, request, &e);
	json_decref(body);
	return result;
}

static void refused(const struct route *r, const char *text, const char *sentence)
{
	ck_assert_int_eq(take(r, text), -EINVAL);
	ck_assert_str_eq(e.msg, sentence);
}

static int address(const struct route *r, const char *path, const char *query)
{
	struct query q;
	int result;

	ck_assert_int_eq(query_parse(query, &q, &e), 0);
	result = relay_take_address(r, path, &q, request, &e);
	query_done(&q);
	return result;
}

START_TEST(members_of_the_body_are_asked_under_their_names)
{
	ck_assert_int_eq(
		take(&post, "{\"seconds\": 60, \"reason\": \"w\\u00e4r\", \"wet\": true}"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(request, "seconds")), 60);
	ck_assert_str_eq(json_string_value(json_object_get(request, "reason")), "w\xc3\xa4r");
	ck_assert(json_is_true(json_object_get(request, "wet")));
	ck_assert_str_eq(json_string_value(json_object_get(request, "op")), "paint");
}
END_TEST

START_TEST(unknown_members_are_refused_with_those_there_are)
{
	refused(&post, "{\"seconds\": 60, \"sekonds\": 1}",
		"the body may not have \"sekonds\"; it may have seconds, reason, wet");
	/* Neither what chooses the operation, nor who asks, nor what the path says. */
	refused(&post, "{\"op\": \"token.rotate\", \"seconds\": 1}",
		"the body may not have \"op\"; it may have seconds, reason, wet");
	refused(&post, "{\"as\": {\"role\": \"admin\"}, \"seconds\": 1}",
		"the body may not have \"as\"; it may have seconds, reason, wet");
	refused(&post, "{\"name\": \"x\", \"seconds\": 1}",
		"the body may not have \"name\"; it may have seconds, reason, wet");
	refused(&no_body, "{\"x\": 1}", "the body must be empty");
	ck_assert_str_eq(json_string_value(json_object_get(request, "op")), "paint");
}
END_TEST

START_TEST(values_that_do_not_fit_are_refused)
{
	refused(&post, "{}", "seconds is missing: How long.");
	refused(&post, "{\"seconds\": 0}", "seconds must be from 1 to 3600");
	refused(&post, "{\"seconds\": 3601}", "seconds must be from 1 to 3600");
	refused(&post, "{\"seconds\": \"60\"}", "seconds must be an integer");
	refused(&post, "{\"seconds\": 1.5}", "seconds must be an integer");
	refused(&post, "{\"seconds\": 1, \"reason\": null}", "reason must be a string");
	refused(&post, "{\"seconds\": 1, \"reason\": \"\"}", "reason must not be empty");
	refused(&post, "{\"seconds\": 1, \"reason\": \"12345678901\"}",
		"reason may have 10 bytes, not 11");
	refused(&post, "{\"seconds\": 1, \"wet\": 1}", "wet must be a boolean");
}
END_TEST

START_TEST(the_query_is_asked_under_its_names)
{
	ck_assert_int_eq(address(&list, "/things", "state=sent&limit=20&other=1"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(request, "state")), "sent");
	ck_assert_int_eq(json_integer_value(json_object_get(request, "limit")), 20);
	ck_assert_ptr_null(json_object_get(request, "other"));
}
END_TEST

START_TEST(yes_and_no_in_a_query)
{
	ck_assert_int_eq(address(&list, "/things", "all=true"), 0);
	ck_assert(json_is_true(json_object_get(request, "all")));
	ck_assert_int_eq(address(&list, "/things", "all=0"), 0);
	ck_assert(json_is_false(json_object_get(request, "all")));
	ck_assert_int_eq(address(&list, "/things", "all=yes"), -EINVAL);
	ck_assert_str_eq(e.msg, "all must be true or false");
}
END_TEST

START_TEST(empty_parameters_are_absent)
{
	ck_assert_int_eq(address(&list, "/things", "state=&limit="), 0);
	ck_assert_uint_eq(json_object_size(request), 1);
}
END_TEST

START_TEST(parameters_out_of_bounds_are_refused)
{
	ck_assert_int_eq(address(&list, "/things", "limit=0"), -EINVAL);
	ck_assert_str_eq(e.msg, "limit must be from 1 to 500");
	ck_assert_int_eq(address(&list, "/things", "limit=1e3"), -EINVAL);
	ck_assert_str_eq(e.msg, "limit must be a whole number");
	ck_assert_int_eq(address(&list, "/things", "state=12345678901"), -EINVAL);
}
END_TEST

START_TEST(segments_of_the_path_are_decoded)
{
	ck_assert_int_eq(address(&post, "/things/a%2Fb+c/paint", "name=other&seconds=9"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(request, "name")), "a/b+c");
	/* A POST has its parameters in its body. */
	ck_assert_ptr_null(json_object_get(request, "seconds"));
	ck_assert_int_eq(address(&post, "/things/%zz/paint", ""), -EINVAL);
	ck_assert_int_eq(address(&post, "/things/%00/paint", ""), -EINVAL);
	ck_assert_int_eq(address(&post, "/things/%ff/paint", ""), -EINVAL);
	ck_assert_int_eq(address(&post, "/things/123456789/paint", ""), -EINVAL);
}
END_TEST

START_TEST(the_answer_is_what_the_daemon_said_without_the_protocol)
{
	static const char answer[] =
		"{\"id\": 7, \"ok\": true, \"alerts\": [{\"id\": 3, \"value\": 93.1, "
		"\"title\": \"</script>\\n\", \"limit\": null}], \"firing\": 1}";
	struct buf b = BUF_INIT(4096);
	json_t *a = json_loads(answer, 0, NULL);

	relay_write(&b, a);
	ck_assert_str_eq(buf_str(&b), "{\"alerts\": [{\"id\": 3, \"value\": 93.1, \"title\": "
				      "\"</script>\\n\", \"limit\": null}], \"firing\": 1}\n");
	json_decref(a);
	buf_done(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay");
	TCase *t = tcase_create("relay");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, members_of_the_body_are_asked_under_their_names);
	tcase_add_test(t, unknown_members_are_refused_with_those_there_are);
	tcase_add_test(t, values_that_do_not_fit_are_refused);
	tcase_add_test(t, the_query_is_asked_under_its_names);
	tcase_add_test(t, yes_and_no_in_a_query);
	tcase_add_test(t, empty_parameters_are_absent);
	tcase_add_test(t, parameters_out_of_bounds_are_refused);
	tcase_add_test(t, segments_of_the_path_are_decoded);
	tcase_add_test(t, the_answer_is_what_the_daemon_said_without_the_protocol);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
