/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/counts.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static struct counts shop(void)
{
	struct counts c = {.n_items = 0};

	counts_set(&c, "tables", 12, false);
	counts_set(&c, "triggers", 3, false);
	counts_set(&c, "rows", 90, true);
	return c;
}

START_TEST(the_same_is_the_same)
{
	struct counts a = shop(), b = shop();
	struct err e = {""};

	counts_set(&b, "rows", 95, true);
	counts_set(&b, "views", 1, false);
	ck_assert_int_eq(counts_compare(&a, &b, &e), 0);
	ck_assert_str_eq(e.msg, "");
}
END_TEST

START_TEST(each_difference_is_named)
{
	struct counts a = shop(), b = {.n_items = 0};
	struct err e = {""};

	counts_set(&b, "tables", 11, false);
	ck_assert_int_eq(counts_compare(&a, &b, &e), -EBADMSG);
	ck_assert_str_eq(e.msg, "tables: 12 were dumped, 11 are there; triggers: 3 were dumped, "
				"they cannot be counted");
}
END_TEST

START_TEST(setting_twice_replaces)
{
	struct counts c = shop();

	counts_set(&c, "tables", 13, false);
	ck_assert_int_eq(counts_get(&c, "tables"), 13);
	ck_assert_uint_eq(c.n_items, 3);
	ck_assert_int_eq(counts_get(&c, "views"), -1);
}
END_TEST

START_TEST(there_is_a_bound)
{
	struct counts c = {.n_items = 0};
	char name[16];

	for (int i = 0; i < COUNTS_MAX + 5; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		counts_set(&c, name, i, false);
	}
	ck_assert_uint_eq(c.n_items, COUNTS_MAX);
}
END_TEST

START_TEST(people_read_it)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(200);
	struct counts c = shop();

	counts_set(&c, "triggers", 1, false);
	counts_set(&c, "indexes", 1, false);
	counts_set(&c, "directories", 1, false);
	counts_describe(&c, &b);
	ck_assert_str_eq(buf_str(&b), "12 tables, 1 trigger, about 90 rows, 1 index, 1 directory");
}
END_TEST

START_TEST(json_keeps_everything)
{
	struct counts c = shop(), back = {.n_items = 0};
	json_t *j = counts_to_json(&c);
	char *text = json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);
	struct err e = {""};

	ck_assert_str_eq(text, "{\"tables\":12,\"triggers\":3,\"rows\":{\"about\":90}}");
	ck_assert_int_eq(counts_from_json(j, &back, &e), 0);
	ck_assert_uint_eq(back.n_items, 3);
	ck_assert_int_eq(counts_compare(&c, &back, &e), 0);
	ck_assert(back.items[2].loose || back.items[1].loose || back.items[0].loose);
	ck_assert_int_eq(counts_get(&back, "rows"), 90);
	free(text);
	json_decref(j);
}
END_TEST

static const char *const bad_json[] = {
	"[]",
	"{\"tables\":-1}",
	"{\"tables\":\"12\"}",
	"{\"tables\":1.5}",
	"{\"tables\":{\"around\":3}}",
	"{\"\":3}",
	"{\"Tables\\u001b[2J\":3}",
	"{\"a_name_that_is_much_longer_than_it_may_be\":3}",
	("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,"
	 "\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1}"),
};

START_TEST(json_that_is_not_counts_is_refused)
{
	json_t *j = json_loads(bad_json[_i], 0, NULL);
	struct counts out = {.n_items = 7};
	struct err e = {""};

	ck_assert_ptr_nonnull(j);
	ck_assert_int_eq(counts_from_json(j, &out, &e), -EBADMSG);
	ck_assert_str_ne(e.msg, "");
	ck_assert_uint_eq(out.n_items, 7);
	json_decref(j);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("counts");
	TCase *tc = tcase_create("counts");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, the_same_is_the_same);
	tcase_add_test(tc, each_difference_is_named);
	tcase_add_test(tc, setting_twice_replaces);
	tcase_add_test(tc, there_is_a_bound);
	tcase_add_test(tc, people_read_it);
	tcase_add_test(tc, json_keeps_everything);
	tcase_add_loop_test(tc, json_that_is_not_counts_is_refused, 0, (int)ARRAY_LEN(bad_json));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
