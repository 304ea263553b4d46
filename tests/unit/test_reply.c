/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests are read strictly, answers are JSON whatever is in them, and who asks is named.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/reply.h"
#include "base/cleanup.h"

static struct control_call call;

static void ask(const char *request)
{
	json_decref(call.request);
	call.request = json_loads(request, 0, NULL);
	ck_assert_ptr_nonnull(call.request);
}

static void forget(void)
{
	json_decref(call.request);
	call = (struct control_call){0};
}

START_TEST(numbers_have_bounds)
{
	static const char *const bad[] = {"{\"n\":0}", "{\"n\":501}", "{\"n\":\"7\"}",
		"{\"n\":7.5}", "{\"n\":null}", "{\"n\":true}"};
	struct err e;
	int64_t n = -1;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ask(bad[i]);
		ck_assert_int_eq(request_int(&call, "n", 1, 500, 50, &n, &e), -EINVAL);
		ck_assert_str_eq(e.msg, "n must be a whole number from 1 to 500");
		ck_assert_int_eq(n, -1);
	}
	ask("{\"n\":500}");
	ck_assert_int_eq(request_int(&call, "n", 1, 500, 50, &n, &e), 0);
	ck_assert_int_eq(n, 500);
	ask("{}");
	ck_assert_int_eq(request_int(&call, "n", 1, 500, 50, &n, &e), 0);
	ck_assert_int_eq(n, 50);
}
END_TEST

START_TEST(texts_of_another_kind_are_absent)
{
	ask("{\"a\":\"x\",\"b\":7,\"c\":null}");
	ck_assert_str_eq(request_text(&call, "a"), "x");
	ck_assert_str_eq(request_text(&call, "b"), "");
	ck_assert_str_eq(request_text(&call, "c"), "");
	ck_assert_str_eq(request_text(&call, "d"), "");
}
END_TEST

START_TEST(an_answer_is_json)
{
	static const char *const list[] = {"a", "\"b\\"};
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);
	json_t *all;

	buf_adds(&b, "{\"ok\":true");
	reply_open_list(&b, "list");
	for (int i = 0; i < 2; i++) {
		reply_open_object(&b);
		reply_int(&b, "id", i);
		reply_text(&b, "text", "x,{[\"\n\xff");
		reply_text_if(&b, "empty", "");
		reply_text_if(&b, "none", NULL);
		reply_number(&b, "nan", (double)NAN);
		reply_bool(&b, "yes", true);
		reply_texts(&b, "texts", list, (size_t)i * 2);
		buf_addc(&b, '}');
	}
	buf_adds(&b, "]}");
	all = json_loads(buf_str(&b), JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(all != NULL, "%s", buf_str(&b));
	ck_assert_uint_eq(json_array_size(json_object_get(all, "list")), 2);
	json_decref(all);
}
END_TEST

START_TEST(members_of_a_later_answer_begin_with_a_comma)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);

	reply_bool(&b, "sent", false);
	reply_int(&b, "status", 404);
	ck_assert_str_eq(buf_str(&b), ",\"sent\":false,\"status\":404");
}
END_TEST

START_TEST(who_asks_is_named)
{
	char by[64];

	ask("{\"as\":{\"role\":\"admin\",\"from\":\"192.0.2.1\"}}");
	call.is_web = true;
	call.role = ROLE_ADMIN;
	request_by(&call, by, sizeof(by));
	ck_assert_str_eq(by, "web admin 192.0.2.1");
	ask("{}");
	request_by(&call, by, sizeof(by));
	ck_assert_str_eq(by, "web admin");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reply");
	TCase *t = tcase_create("reply");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, NULL, forget);
	tcase_add_test(t, numbers_have_bounds);
	tcase_add_test(t, texts_of_another_kind_are_absent);
	tcase_add_test(t, an_answer_is_json);
	tcase_add_test(t, members_of_a_later_answer_begin_with_a_comma);
	tcase_add_test(t, who_asks_is_named);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
