/* SPDX-License-Identifier: Apache-2.0
 *
 * What a worker is told.
 */
#include "backup/order.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#define BASE "\"do\":\"backup\",\"stores\":[],\"host\":\"vps1\",\"state\":\"/var/lib/agent\""

static int read_order(const char *text, struct order **out, struct err *e)
{
	json_t *j = json_loads(text, 0, NULL);
	int r;

	ck_assert_ptr_nonnull(j);
	r = order_from_json(j, out, e);
	json_decref(j);
	return r;
}

static struct order *good(const char *text)
{
	struct order *o = NULL;
	struct err e = {""};

	ck_assert_msg(read_order(text, &o, &e) == 0, "%s: %s", text, e.msg);
	return o;
}

static void bad(const char *text, const char *words)
{
	struct order *o = NULL;
	struct err e = {""};

	ck_assert_msg(read_order(text, &o, &e) == -EINVAL, "%s was taken", text);
	ck_assert_msg(strstr(e.msg, words) != NULL, "%s: %s", text, e.msg);
}

START_TEST(an_order_with_all_it_may_have)
{
	struct order *o = good(
		"{" BASE ",\"run\":7,\"job\":{\"name\":\"shop\",\"engine\":\"command\","
		"\"command\":[\"/x\"]},\"container_socket\":\"/run/docker.sock\","
		"\"agent_version\":\"1.2\",\"last\":{\"stored_bytes\":1,\"plain_bytes\":2,"
		"\"median_bytes\":3,\"duration_ms\":4},\"restore\":{\"id\":\"2026\",\"to\":\"/f\","
		"\"yes\":true},\"dry_run\":true,\"jobs\":[\"shop\"]}");

	ck_assert_str_eq(o->what, "backup");
	ck_assert_int_eq(o->run, 7);
	ck_assert_str_eq(o->job->name, "shop");
	ck_assert_int_eq(o->last.median_bytes, 3);
	ck_assert_str_eq(o->restore.id, "2026");
	ck_assert(o->restore.yes && o->dry_run);
	ck_assert_uint_eq(json_array_size(o->jobs), 1);
	order_free(o);
}
END_TEST

START_TEST(what_need_not_be_there)
{
	struct order *o = good("{" BASE ",\"job\":null,\"restore\":null}");

	ck_assert_ptr_null(o->job);
	ck_assert_ptr_null(o->restore.id);
	ck_assert_str_eq(o->agent_version, "");
	ck_assert_int_eq(o->last.median_bytes, 0);
	order_free(o);
}
END_TEST

START_TEST(mistakes_name_their_member)
{
	bad("[]", "do");
	bad("{\"stores\":[],\"host\":\"h\",\"state\":\"/x\"}", "do");
	bad("{\"do\":\"list\",\"host\":\"h\",\"state\":\"/x\"}", "stores");
	bad("{\"do\":\"list\",\"stores\":[],\"host\":\"h\",\"state\":\"x\"}", "state");
	bad("{\"do\":\"list\",\"stores\":[],\"state\":\"/x\"}", "host");
	bad("{" BASE ",\"job\":{\"name\":\"shop\"}}", "job: engine");
	bad("{" BASE ",\"dry_run\":1}", "dry_run");
	bad("{" BASE ",\"restore\":{\"id\":\"2\",\"at\":\"3d\"}}", "id or at");
	bad("{" BASE ",\"restore\":{\"into\":\"x\",\"to\":\"-\"}}", "into or to");
	bad("{" BASE ",\"restore\":{\"to\":\"x/y\"}}", "absolute");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("order");
	TCase *tc = tcase_create("order");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, an_order_with_all_it_may_have);
	tcase_add_test(tc, what_need_not_be_there);
	tcase_add_test(tc, mistakes_name_their_member);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
