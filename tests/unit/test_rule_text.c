/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rule_case.h"

static const struct {
	struct rule_settings own;
	const char *expected;
} mistakes[] = {
	{OWN(.name = NULL), "name: is missing"},
	{OWN(.name = "a b", .metric = "host.load1"), "name: \"a b\" is not of"},
	{OWN(.name = "x"), "metric: is missing; expected CLASS.METRIC"},
	{OWN(.name = "disks", .warning = "> 80"),
		"there is no built-in rule \"disks\"; did you mean \"disk\"?"},
	{OWN(.name = "x", .metric = "filesystem.used_procent", .warning = "> 80"),
		"metric: there is no metric \"filesystem.used_procent\"; did you mean "
		"\"filesystem.used_percent\"?"},
	{OWN(.name = "x", .metric = "filesytem.used_percent", .warning = "> 80"),
		"did you mean \"filesystem.used_percent\"?"},
	{OWN(.name = "x", .metric = "host.zzzzzzzz", .warning = "> 80"),
		"docs/metrics.md lists them all"},
	{OWN(.name = "x", .metric = "load1", .warning = "> 80"), "is not of the form CLASS.METRIC"},
	{OWN(.name = "x", .metric = "host.", .warning = "> 80"), "is not of the form CLASS.METRIC"},
	{OWN(.name = "x", .metric = "host.load1"), "warning: is missing; expected a limit"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "80"),
		"warning: \"80\" is not a limit: expected >"},
	{OWN(.name = "x", .metric = "host.cpu_used_percent", .critical = "> 80G"),
		"critical: \"> 80G\" is not a limit"},
	{OWN(.name = "x", .metric = "host.cpu_*", .warning = "> 5%"), "a number, such as"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .clear = "> 5"),
		"clear: above 5 is the same direction as the limit, above 8"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .clear = "< 9"),
		"clear: below 9 and the limit, above 8, overlap"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .critical = "> 6"),
		"critical: above 6 is not further out than warning, above 8"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .critical = "< 1"),
		"critical: below 1 is not further out"},
	{OWN(.name = "x", .metric = "host.load1", .critical = "> 8", .critical_clear = "< 9"),
		"critical_clear: below 9 and the limit"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "< +-8"), "+- is for limits with >"},
	{OWN(.name = "disk", .warning = "> 98"),
		"warning: above 98 % is further out than the built-in critical limit, above 97 %"},
	{OWN(.name = "disk", .warning = "> 80", .clear = "< 85"), "clear: below 85 %"},
	{OWN(.name = "x", .type = "valu", .metric = "host.load1", .warning = "> 8"),
		"type: there is no \"valu\"; did you mean \"value\"?"},
	{OWN(.name = "x", .type = "rate", .metric = "host.load1", .warning = "> 8"),
		"expected value change forecast missing or gone"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .how = "mean"),
		"how: there is no \"mean\"; expected last average maximum minimum or sum"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .how = "average"),
		"window: is missing"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .how = "last",
		 .window_ms = 1000),
		"how: \"last\" has no window"},
	{OWN(.name = "x", .type = "change", .metric = "host.load1", .warning = "> 8"),
		"window: is missing; expected the time to look back on"},
	{OWN(.name = "x", .type = "forecast", .metric = "host.load1", .warning = "< 1h",
		 .window_ms = 3600000),
		"target: is missing"},
	{OWN(.name = "x", .type = "forecast", .metric = "host.load1", .warning = "> 1h",
		 .window_ms = 3600000, .target = "5"),
		"warning: the limit of a forecast is the time that is left; expected <"},
	{OWN(.name = "x", .type = "forecast", .metric = "host.load1", .warning = "< 1h",
		 .window_ms = 60000, .target = "5"),
		"window: is too short for a forecast"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .target = "5"),
		"target: only a rule of type \"forecast\" has it"},
	{OWN(.name = "x", .type = "gone", .metric = "container.running", .warning = "> 8"),
		"warning: a rule of type \"gone\" has no limits"},
	{OWN(.name = "x", .type = "missing", .metric = "host.load1", .severity = "fatal"),
		"severity: there is no \"fatal\"; expected warning or critical"},
	{OWN(.name = "x", .type = "missing", .metric = "host.load1", .window_ms = 1000),
		"window: a rule of type \"missing\" has none"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .severity = "critical"),
		"severity: only rules of type"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8",
		 .for_ms = (int64_t)40 * 86400000),
		"for: is longer than 31 days"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .labels = TEXTS("image")),
		"labels: \"image\" is not of the form NAME=PATTERN"},
	{OWN(.name = "x", .metric = "host.load1", .warning = "> 8", .entities = TEXTS("!")),
		"entities: an empty pattern"},
};

START_TEST(a_mistake_is_named_with_what_was_expected)
{
	struct err e = {""};

	ck_assert_int_lt(rule_check(&mistakes[_i].own, &e), 0);
	ck_assert_msg(strstr(e.msg, mistakes[_i].expected), "%s\n  not: %s", e.msg,
		mistakes[_i].expected);
}
END_TEST

START_TEST(a_set_with_a_mistake_names_rule_and_place)
{
	struct rule_settings own[] = {OWN(.name = "load", .metric = "host.load1", .warning = "8")};
	struct rule_set *set = NULL;
	struct err e = {""};

	ck_assert_int_lt(rule_set_new(own, 1, &set, &e), 0);
	ck_assert_ptr_null(set);
	ck_assert_msg(
		strstr(e.msg, "rule \"load\" (/etc/agent/agent.conf:12): warning: "), "%s", e.msg);
	/* What is off may be wrong. */
	own[0].enabled = 0;
	rule_set_free(set_with(own, 1));
}
END_TEST

static const struct {
	const char *name, *text;
} conditions[] = {
	{"disk", "filesystem.used_percent above 90 %, critical above 97 %, for 2m"},
	{"cpu", "host.cpu_used_percent above 90 %, average of 10m, for 5m"},
	{"disk_forecast", "time until 100 % of filesystem.used_percent below 24h, critical below "
			  "4h, by the last 6h, for 1h"},
	{"disk_read_only", "change of filesystem.read_only to yes, within 10m (critical)"},
	{"oom_kill", "container.oom_kills above 0 (critical)"},
	{"unhealthy", "container.healthy is no for 1m (critical)"},
};

START_TEST(a_rule_says_what_it_waits_for)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);
	_cleanup_(buf_done) struct buf out = BUF_INIT(1000);

	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->rules[i].name, conditions[_i].name) == 0)
			rule_print_condition(&set->rules[i], &out);
	ck_assert_str_eq(buf_str(&out), conditions[_i].text);
}
END_TEST

static Suite *text_suite(void)
{
	Suite *s = suite_create("rule_text");
	TCase *tc = tcase_create("rule_text");

	tcase_add_loop_test(tc, a_mistake_is_named_with_what_was_expected, 0,
		(int)(sizeof(mistakes) / sizeof(*mistakes)));
	tcase_add_loop_test(tc, a_rule_says_what_it_waits_for, 0,
		(int)(sizeof(conditions) / sizeof(*conditions)));
	tcase_add_test(tc, a_set_with_a_mistake_names_rule_and_place);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(text_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
