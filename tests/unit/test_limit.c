/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "notify/limit.h"
#include "notify/severity.h"

#define KIB 1024.0
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const struct {
	const char *text;
	enum metric_unit unit;
	enum limit_op op;
	double value;
} good[] = {
	{"> 90", UNIT_PERCENT, LIMIT_ABOVE, 90},
	{">90%", UNIT_PERCENT, LIMIT_ABOVE, 90},
	{" >= 97.5 % ", UNIT_PERCENT, LIMIT_AT_LEAST, 97.5},
	{"<-5", UNIT_PERCENT, LIMIT_BELOW, -5},
	{"<= 5G", UNIT_BYTES, LIMIT_AT_MOST, 5 * GIB},
	{"> 1.5GiB", UNIT_BYTES, LIMIT_ABOVE, 1.5 * GIB},
	{"> 500 kB", UNIT_BYTES, LIMIT_ABOVE, 500 * KIB},
	{"> 512B", UNIT_BYTES, LIMIT_ABOVE, 512},
	{"> 10M/s", UNIT_BYTES_PER_SECOND, LIMIT_ABOVE, 10 * MIB},
	{"> 10M", UNIT_BYTES_PER_SECOND, LIMIT_ABOVE, 10 * MIB},
	{"> 2T", UNIT_BYTES_PER_SECOND, LIMIT_ABOVE, 2048 * GIB},
	{"< 24h", UNIT_SECONDS, LIMIT_BELOW, 86400},
	{"> 250ms", UNIT_SECONDS, LIMIT_ABOVE, 0.25},
	{"> 1", UNIT_SECONDS, LIMIT_ABOVE, 1},
	{"> 1.5m", UNIT_SECONDS, LIMIT_ABOVE, 90},
	{"> 2w", UNIT_SECONDS, LIMIT_ABOVE, 1209600},
	{"> +-100ms", UNIT_SECONDS, LIMIT_BEYOND, 0.1},
	{"< ±100ms", UNIT_SECONDS, LIMIT_WITHIN, 0.1},
	{"> 80 °C", UNIT_CELSIUS, LIMIT_ABOVE, 80},
	{"> 80C", UNIT_CELSIUS, LIMIT_ABOVE, 80},
	{"> 1.5 cores", UNIT_CORES, LIMIT_ABOVE, 1.5},
	{"> 100/s", UNIT_PER_SECOND, LIMIT_ABOVE, 100},
	{"< 1", UNIT_BOOLEAN, LIMIT_BELOW, 1},
	{"> 3", UNIT_NONE, LIMIT_ABOVE, 3},
	{"", UNIT_PERCENT, LIMIT_NONE, 0},
	{"  ", UNIT_PERCENT, LIMIT_NONE, 0},
};

START_TEST(limits_are_read_in_the_unit_of_their_metric)
{
	struct limit l = {LIMIT_NONE, -1};
	struct err e = {""};
	int r = limit_parse(good[_i].text, good[_i].unit, &l, &e);

	ck_assert_msg(r == 0, "%s: %s", good[_i].text, e.msg);
	ck_assert_msg((int)l.op == (int)good[_i].op, "%s: operator %d", good[_i].text, (int)l.op);
	ck_assert_msg(
		l.value == good[_i].value || l.op == LIMIT_NONE, "%s: %g", good[_i].text, l.value);
}
END_TEST

static const struct {
	const char *text;
	enum metric_unit unit;
	const char *expected; /* in the message */
} bad[] = {
	{"90", UNIT_PERCENT, "expected >, >=, < or <="},
	{"= 90", UNIT_PERCENT, "expected >, >=, < or <="},
	{"> 9O", UNIT_PERCENT, "a percentage, such as \"> 90\""},
	{"> ", UNIT_PERCENT, "a percentage"},
	{">", UNIT_PERCENT, "a percentage"},
	{"> 90G", UNIT_PERCENT, "a percentage"},
	{"> 90 %%", UNIT_PERCENT, "a percentage"},
	{"> --5", UNIT_PERCENT, "a percentage"},
	{"> 1 2", UNIT_PERCENT, "a percentage"},
	{"> 90%", UNIT_BYTES, "a size, such as \"> 5G\""},
	{"> 5Q", UNIT_BYTES, "a size"},
	{"> 5iB", UNIT_BYTES, "a size"},
	{"> 10M/s", UNIT_BYTES, "a size"},
	{"> 10M/h", UNIT_BYTES_PER_SECOND, "a size per second"},
	{"< 24 hours", UNIT_SECONDS, "a duration, such as \"> 5m\""},
	{"> nan", UNIT_NONE, "a number"},
	{"> inf", UNIT_NONE, "a number"},
	{"> 0x10", UNIT_NONE, "a number"},
	{"> 11111111111111111111111111111111111111111111", UNIT_NONE, "a number"},
	{"> +--5", UNIT_SECONDS, "no sign"},
	{"> 5 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", UNIT_NONE, "a number"},
};

START_TEST(a_mistake_says_what_was_expected)
{
	struct limit l = {LIMIT_BELOW, 77};
	struct err e = {""};

	ck_assert_int_lt(limit_parse(bad[_i].text, bad[_i].unit, &l, &e), 0);
	ck_assert_msg(strstr(e.msg, bad[_i].expected), "%s: %s", bad[_i].text, e.msg);
	ck_assert_int_eq((int)l.op, LIMIT_BELOW);
	ck_assert_double_eq(l.value, 77);
}
END_TEST

START_TEST(a_target_is_just_a_number)
{
	double v = -1;
	struct err e = {""};

	ck_assert_int_eq(limit_parse_value("100", UNIT_PERCENT, &v, &e), 0);
	ck_assert_double_eq(v, 100);
	ck_assert_int_eq(limit_parse_value("5G", UNIT_BYTES, &v, &e), 0);
	ck_assert_double_eq(v, 5 * GIB);
	ck_assert_int_lt(limit_parse_value("", UNIT_PERCENT, &v, &e), 0);
	ck_assert_int_lt(limit_parse_value("> 100", UNIT_PERCENT, &v, &e), 0);
	ck_assert_str_eq(e.msg, "\"> 100\" is not a percentage such as \"90\"");
}
END_TEST

static bool holds(const char *text, double v)
{
	struct limit l;

	ck_assert_int_eq(limit_parse(text, UNIT_NONE, &l, NULL), 0);
	return limit_holds(&l, v);
}

START_TEST(limits_hold_on_their_side)
{
	ck_assert(holds("> 90", 90.1) && !holds("> 90", 90));
	ck_assert(holds(">= 90", 90) && !holds(">= 90", 89.9));
	ck_assert(holds("< 90", 89.9) && !holds("< 90", 90));
	ck_assert(holds("<= 90", 90) && !holds("<= 90", 90.1));
	ck_assert(holds("> +-2", -2.1) && holds("> +-2", 2.1) && !holds("> +-2", -2));
	ck_assert(holds("< +-2", -2) && !holds("< +-2", -2.1));
	ck_assert(!holds("", 0));
}
END_TEST

START_TEST(unknown_is_over_no_limit)
{
	static const char *const all[] = {"> 0", ">= 0", "< 0", "<= 0", "> +-0", "< +-0", ""};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		ck_assert_msg(!holds(all[i], (double)NAN), "%s", all[i]);
}
END_TEST

START_TEST(the_opposite_holds_where_the_limit_does_not)
{
	static const char *const all[] = {"> 2", ">= 2", "< 2", "<= 2", "> +-2", "< +-2"};
	static const double values[] = {-3, -2, 0, 2, 3};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct limit l, o;

		ck_assert_int_eq(limit_parse(all[i], UNIT_NONE, &l, NULL), 0);
		o = limit_opposite(&l);
		ck_assert(limit_is_upwards(&l) != limit_is_upwards(&o));
		for (size_t j = 0; j < sizeof(values) / sizeof(*values); j++)
			ck_assert(limit_holds(&l, values[j]) != limit_holds(&o, values[j]));
	}
}
END_TEST

static const struct {
	double value;
	enum metric_unit unit;
	const char *text;
} values[] = {
	{93.14, UNIT_PERCENT, "93.1 %"},
	{100, UNIT_PERCENT, "100 %"},
	{99.96, UNIT_PERCENT, "100 %"},
	{7.128, UNIT_PERCENT, "7.13 %"},
	{0.02, UNIT_PERCENT, "0.02 %"},
	{0, UNIT_PERCENT, "0 %"},
	{1.25 * 1024 * 1024 * 1024, UNIT_BYTES, "1.25 GiB"},
	{512, UNIT_BYTES, "512 B"},
	{2.5 * 1024 * 1024, UNIT_BYTES_PER_SECOND, "2.5 MiB/s"},
	{12.34, UNIT_PER_SECOND, "12.3/s"},
	{725, UNIT_SECONDS, "12m 5s"},
	{266400, UNIT_SECONDS, "3d 2h"},
	{8.5, UNIT_SECONDS, "8.5s"},
	{0.0134, UNIT_SECONDS, "13.4ms"},
	{-0.25, UNIT_SECONDS, "-250ms"},
	{0, UNIT_SECONDS, "0s"},
	{(double)INFINITY, UNIT_SECONDS, "never"},
	{(double)INFINITY, UNIT_NONE, "infinite"},
	{1.5, UNIT_CORES, "1.5 cores"},
	{81.26, UNIT_CELSIUS, "81.3 °C"},
	{1, UNIT_BOOLEAN, "yes"},
	{0, UNIT_BOOLEAN, "no"},
	{1234567, UNIT_NONE, "1234567"},
	{(double)NAN, UNIT_PERCENT, "unknown"},
};

START_TEST(values_are_printed_for_people)
{
	char text[LIMIT_TEXT_MAX];

	limit_print_value(text, sizeof(text), values[_i].value, values[_i].unit);
	ck_assert_str_eq(text, values[_i].text);
}
END_TEST

static const struct {
	const char *limit;
	enum metric_unit unit;
	const char *text;
} printed[] = {
	{"> 90", UNIT_PERCENT, "above 90 %"},
	{">= 97.25", UNIT_PERCENT, "at least 97.25 %"},
	{"< 24h", UNIT_SECONDS, "below 24h"},
	{"< 3d", UNIT_SECONDS, "below 3d"},
	{"< 90m", UNIT_SECONDS, "below 90m"},
	{"<= 90s", UNIT_SECONDS, "at most 1m 30s"},
	{"> +-100ms", UNIT_SECONDS, "beyond ±100ms"},
	{"> 5G", UNIT_BYTES, "above 5 GiB"},
	{"> 10M", UNIT_BYTES_PER_SECOND, "above 10 MiB/s"},
	{"< 1", UNIT_BOOLEAN, "no"},
	{"> 0", UNIT_BOOLEAN, "yes"},
	{"", UNIT_PERCENT, ""},
};

START_TEST(limits_are_printed_for_people)
{
	char text[LIMIT_TEXT_MAX];
	struct limit l;

	ck_assert_int_eq(limit_parse(printed[_i].limit, printed[_i].unit, &l, NULL), 0);
	limit_print(text, sizeof(text), &l, printed[_i].unit);
	ck_assert_str_eq(text, printed[_i].text);
}
END_TEST

START_TEST(severities_have_names_and_an_order)
{
	enum severity s = SEVERITY_INFO;

	ck_assert_str_eq(severity_name(SEVERITY_INFO), "info");
	ck_assert(severity_from("warning", &s) && s == SEVERITY_WARNING);
	ck_assert(severity_from("critical", &s) && s == SEVERITY_CRITICAL);
	ck_assert(!severity_from("fatal", &s) && s == SEVERITY_CRITICAL);
	ck_assert(SEVERITY_INFO < SEVERITY_WARNING && SEVERITY_WARNING < SEVERITY_CRITICAL);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

static Suite *limit_suite(void)
{
	Suite *s = suite_create("limit");
	TCase *tc = tcase_create("limit");

	tcase_add_loop_test(tc, limits_are_read_in_the_unit_of_their_metric, 0, COUNT(good));
	tcase_add_loop_test(tc, a_mistake_says_what_was_expected, 0, COUNT(bad));
	tcase_add_test(tc, a_target_is_just_a_number);
	tcase_add_test(tc, limits_hold_on_their_side);
	tcase_add_test(tc, unknown_is_over_no_limit);
	tcase_add_test(tc, the_opposite_holds_where_the_limit_does_not);
	tcase_add_loop_test(tc, values_are_printed_for_people, 0, COUNT(values));
	tcase_add_loop_test(tc, limits_are_printed_for_people, 0, COUNT(printed));
	tcase_add_test(tc, severities_have_names_and_an_order);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(limit_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
