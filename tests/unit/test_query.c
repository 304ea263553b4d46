/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/api_series.h"
#include "agent/web/query.h"
#include "base/buf.h"

#define NOW 1795237260
#define DAY 86400
#define YEAR (365 * (int64_t)DAY)

static struct query q;
static struct err e;

static void parse(const char *text)
{
	query_done(&q);
	ck_assert_msg(query_parse(text, &q, &e) == 0, "%s: %s", text, e.msg);
}

static void refused(const char *text, int code)
{
	struct query bad = {0};

	ck_assert_int_eq(query_parse(text, &bad, &e), -code);
	ck_assert_ptr_null(bad.params);
}

static void teardown(void)
{
	query_done(&q);
}

START_TEST(names_and_values_are_decoded)
{
	parse("entity=filesystem%2F%2Fvar%2Flib&how=a+b&%c3%a4=%C3%A4");
	ck_assert_str_eq(query_get(&q, "entity"), "filesystem//var/lib");
	ck_assert_str_eq(query_get(&q, "how"), "a b");
	ck_assert_str_eq(query_get(&q, "\xc3\xa4"), "\xc3\xa4");
	ck_assert_ptr_null(query_get(&q, "Entity"));
}
END_TEST

START_TEST(repeated_names_are_walked_in_order)
{
	size_t at = 0;

	parse("m=a&x=1&m=b&m=&m");
	ck_assert_str_eq(query_next(&q, "m", &at), "a");
	ck_assert_str_eq(query_next(&q, "m", &at), "b");
	ck_assert_str_eq(query_next(&q, "m", &at), "");
	ck_assert_str_eq(query_next(&q, "m", &at), "");
	ck_assert_ptr_null(query_next(&q, "m", &at));
}
END_TEST

START_TEST(empty_pieces_are_nothing)
{
	parse("");
	ck_assert_uint_eq(q.n, 0);
	parse("&&a=1&");
	ck_assert_uint_eq(q.n, 1);
	parse("=v&a==b=c");
	ck_assert_str_eq(query_get(&q, ""), "v");
	ck_assert_str_eq(query_get(&q, "a"), "=b=c");
}
END_TEST

START_TEST(what_cannot_be_text_is_refused)
{
	refused("a=%", EINVAL);
	refused("a=%4", EINVAL);
	refused("a=%g1", EINVAL);
	refused("a=%4g", EINVAL);
	refused("%00=1", EINVAL);
	refused("a=1&b=x%00y", EINVAL);
	refused("a=%ff", EINVAL);
	refused("a=%c3", EINVAL);
	refused("a=%ed%a0%80", EINVAL);
	refused("a=\xff", EINVAL);
}
END_TEST

START_TEST(number_of_parameters_is_bounded)
{
	struct buf b = BUF_INIT(10000);

	for (int i = 0; i < QUERY_PARAMS_MAX; i++)
		buf_adds(&b, i ? "&a=1" : "a=1");
	parse(buf_str(&b));
	ck_assert_uint_eq(q.n, QUERY_PARAMS_MAX);
	buf_adds(&b, "&a=1");
	refused(buf_str(&b), E2BIG);
	buf_done(&b);
}
END_TEST

START_TEST(numbers_have_a_default_and_a_range)
{
	int64_t v = 7;

	parse("a=12&b=-3&c=x&d=&e=99999999999999999999");
	ck_assert_int_eq(query_i64(&q, "absent", 5, 0, 100, &v, &e), 0);
	ck_assert_int_eq(v, 5);
	ck_assert_int_eq(query_i64(&q, "a", 5, 0, 100, &v, &e), 0);
	ck_assert_int_eq(v, 12);
	ck_assert_int_eq(query_i64(&q, "b", 5, -5, 100, &v, &e), 0);
	ck_assert_int_eq(v, -3);
	ck_assert_int_eq(query_i64(&q, "a", 5, 0, 11, &v, &e), -EINVAL);
	ck_assert_str_eq(e.msg, "a must be a whole number from 0 to 11");
	ck_assert_int_eq(query_i64(&q, "c", 5, 0, 100, &v, &e), -EINVAL);
	ck_assert_int_eq(query_i64(&q, "d", 5, 0, 100, &v, &e), -EINVAL);
	ck_assert_int_eq(query_i64(&q, "e", 5, 0, INT64_MAX, &v, &e), -EINVAL);
	ck_assert_int_eq(v, -3);
}
END_TEST

static struct series_request s;

static void series(const char *text)
{
	parse(text);
	ck_assert_msg(series_request_parse(&q, NOW, YEAR, &s, &e) == 0, "%s: %s", text, e.msg);
}

static void series_refused(const char *text, const char *why)
{
	parse(text);
	ck_assert_int_eq(series_request_parse(&q, NOW, YEAR, &s, &e), -EINVAL);
	ck_assert_msg(strstr(e.msg, why), "%s: %s", text, e.msg);
}

START_TEST(series_defaults)
{
	series("entity=filesystem//&metric=used_percent");
	ck_assert_uint_eq(s.n_entities, 1);
	ck_assert_ptr_eq(s.entities[0].class, &class_filesystem);
	ck_assert_str_eq(s.entities[0].key, "/");
	ck_assert_int_eq(s.from, NOW - 3600);
	ck_assert_int_eq(s.to, NOW);
	ck_assert_uint_eq(s.points, 400);
	ck_assert_int_eq(s.how, RRD_AVERAGE);
}
END_TEST

START_TEST(series_metrics_repeat_or_have_commas)
{
	series("entity=host/host&metric=load1,load5&metric=load15&metric=,");
	ck_assert_uint_eq(s.n_metrics, 3);
	ck_assert_str_eq(s.metrics[1], "load5");
	ck_assert_str_eq(s.metrics[2], "load15");
}
END_TEST

START_TEST(series_range_is_absolute_or_before_now)
{
	series("entity=host/host&metric=load1&from=-7200&to=-60&how=maximum");
	ck_assert_int_eq(s.from, NOW - 7200);
	ck_assert_int_eq(s.to, NOW - 60);
	ck_assert_int_eq(s.how, RRD_MAXIMUM);
	series("entity=host/host&metric=load1&from=1795230000&to=1795233600");
	ck_assert_int_eq(s.from, 1795230000);
	ck_assert_int_eq(s.to, 1795233600);
}
END_TEST

START_TEST(series_range_is_cut_to_what_can_be)
{
	series("entity=host/host&metric=load1&from=1&to=253402300799");
	ck_assert_int_eq(s.from, NOW - YEAR);
	ck_assert_int_eq(s.to, NOW);
}
END_TEST

START_TEST(series_mistakes_are_named)
{
	series_refused("metric=load1", "entity=CLASS/KEY is missing");
	series_refused("entity=host/host", "metric=NAME is missing");
	series_refused("entity=host&metric=load1", "CLASS/KEY");
	series_refused("entity=host/&metric=load1", "CLASS/KEY");
	series_refused("entity=planet/x&metric=load1", "CLASS/KEY");
	series_refused("entity=host/host&metric=loud", "no metric \"loud\"");
	series_refused("entity=host/host&metric=cpu_cores", "no history");
	series_refused("entity=host/host&entity=disk/vda&metric=load1", "no metric \"load1\"");
	series_refused("entity=host/host&metric=load1&points=1", "points");
	series_refused("entity=host/host&metric=load1&points=5001", "points");
	series_refused("entity=host/host&metric=load1&how=median", "how");
	series_refused("entity=host/host&metric=load1&from=-60&to=-60", "before");
	series_refused("entity=host/host&metric=load1&from=1x", "from");
	series_refused("entity=host/host&metric=load1&from=1&to=2", "no history of that time");
	series_refused("entity=host/host&metric=load1&from=253402300798&to=253402300799",
		"no history of that time");
}
END_TEST

/* SERIES_ENTITIES_MAX containers, then `rest`. */
static const char *many_entities(struct buf *b, const char *rest)
{
	buf_clear(b);
	for (int i = 0; i < SERIES_ENTITIES_MAX; i++)
		buf_addf(b, "entity=container/c%d&", i);
	buf_adds(b, rest);
	return buf_str(b);
}

START_TEST(series_size_is_bounded)
{
	struct buf b = BUF_INIT(10000);

	series("entity=host/host&metric=load1&points=5000");
	series(many_entities(&b, "metric=processes&points=2000"));
	series_refused(many_entities(&b, "metric=processes&points=2001"), "more than 400000");
	series_refused(
		many_entities(&b, "entity=container/x&metric=processes"), "at most 200 entities");
	buf_clear(&b);
	buf_adds(&b, "entity=host/host&metric=load1");
	for (int i = 1; i < SERIES_METRICS_MAX; i++)
		buf_adds(&b, ",load5");
	series(buf_str(&b));
	buf_adds(&b, ",load5");
	series_refused(buf_str(&b), "at most 30 metrics");
	buf_done(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("query");
	TCase *t = tcase_create("query");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, names_and_values_are_decoded);
	tcase_add_test(t, repeated_names_are_walked_in_order);
	tcase_add_test(t, empty_pieces_are_nothing);
	tcase_add_test(t, what_cannot_be_text_is_refused);
	tcase_add_test(t, number_of_parameters_is_bounded);
	tcase_add_test(t, numbers_have_a_default_and_a_range);
	tcase_add_test(t, series_defaults);
	tcase_add_test(t, series_metrics_repeat_or_have_commas);
	tcase_add_test(t, series_range_is_absolute_or_before_now);
	tcase_add_test(t, series_range_is_cut_to_what_can_be);
	tcase_add_test(t, series_mistakes_are_named);
	tcase_add_test(t, series_size_is_bounded);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
