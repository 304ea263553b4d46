/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/rule_case.h"

#define UNKNOWN ((double)NAN)
static const struct rule *find(const struct rule_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->rules[i].name, name) == 0)
			return &set->rules[i];
	return NULL;
}

static const char *metric_name(const struct rule *r)
{
	return r->class->metrics[r->metric].name;
}

/* The built-in rules. */

START_TEST(the_built_in_rules_are_sound)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);

	ck_assert_uint_eq(set->n + set->n_off, rules_builtin_count);
	for (size_t i = 0; i < rules_builtin_count; i++) {
		const struct rule_settings *s = &rules_builtin[i];
		struct err e = {""};

		ck_assert_msg(rule_check(s, &e) == 0, "%s: %s", s->name, e.msg);
		ck_assert_ptr_eq(rule_builtin_find(s->name), s);
		ck_assert_msg(i == 0 || strcmp(rules_builtin[i - 1].name, s->name) < 0,
			"%s is not in alphabetical order", s->name);
		ck_assert_msg(s->doc && strlen(s->doc) > 40 && strlen(s->doc) < 200,
			"%s needs a short text on what to do", s->name);
		ck_assert_str_eq(s->origin, "built in");
		ck_assert(s->is_builtin);
	}
	ck_assert_ptr_null(rule_builtin_find("nothing"));
}
END_TEST

/* What the design promises to be on without any configuration. */
START_TEST(what_matters_is_watched_by_default)
{
	static const char *const names[] = {"app_down", "clock_offset", "container_memory", "cpu",
		"disk", "disk_forecast", "inodes", "memory", "oom_kill", "pressure_io",
		"pressure_memory", "reboot_pending", "restart_loop", "swap", "unhealthy"};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		ck_assert_msg(find(set, names[i]), "%s", names[i]);
	ck_assert_ptr_null(find(set, "container_gone"));
	ck_assert_uint_eq(set->n_off, 1);
	ck_assert_str_eq(set->off[0], "container_gone");
}
END_TEST

START_TEST(the_disk_rule_is_as_documented)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);
	const struct rule *r = find(set, "disk");

	ck_assert_ptr_eq(r->class, &class_filesystem);
	ck_assert_str_eq(metric_name(r), "used_percent");
	ck_assert(r->is_builtin && !r->is_pattern && r->recovery);
	ck_assert(rule_exceeds(r, 90.1) && !rule_exceeds(r, 90) && !rule_exceeds(r, UNKNOWN));
	ck_assert_int_eq(rule_judge(r, 98, SEVERITY_INFO), READING_CRITICAL);
	ck_assert_int_eq(rule_judge(r, 91, SEVERITY_INFO), READING_WARNING);
	ck_assert_int_eq(rule_judge(r, 87, SEVERITY_INFO), READING_BETWEEN);
	ck_assert_int_eq(rule_judge(r, 84, SEVERITY_INFO), READING_CLEAR);
	ck_assert_int_gt(r->repeat_ms, 0);
}
END_TEST

/* The container may be gone with the next sample: one value must be enough. */
START_TEST(an_oom_kill_is_told_at_once_and_its_end_is_not)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);
	const struct rule *r = find(set, "oom_kill");

	ck_assert_int_eq(r->for_ms, 0);
	ck_assert_int_eq((int)r->how, WINDOW_LAST);
	ck_assert(rule_exceeds(r, 1) && !rule_exceeds(r, 0));
	ck_assert(!r->recovery);
}
END_TEST

/* Order and numbers. */

START_TEST(a_set_is_sorted_by_class_and_metric)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);

	for (size_t i = 1; i < set->n; i++) {
		const struct rule *a = &set->rules[i - 1], *b = &set->rules[i];
		int order = strcmp(a->class->name, b->class->name);

		ck_assert_int_le(order, 0);
		if (order == 0)
			ck_assert_uint_le(a->metric, b->metric);
		ck_assert_uint_eq(b->number, i);
	}
}
END_TEST

/* The user's rules. */

START_TEST(a_rule_of_the_user_changes_just_what_it_sets)
{
	struct rule_settings own[] = {
		OWN(.name = "disk", .critical = "> 99", .repeat_ms = 3600000)};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 1);
	const struct rule *r = find(set, "disk"), *was;
	_cleanup_(rule_set_free_p) struct rule_set *builtin = set_with(NULL, 0);

	was = find(builtin, "disk");
	ck_assert_double_eq(r->critical.value, 99);
	ck_assert_int_eq(r->repeat_ms, 3600000);
	ck_assert_double_eq(r->warning.value, was->warning.value);
	ck_assert_int_eq(r->for_ms, was->for_ms);
	ck_assert_str_eq(r->doc, was->doc);
	ck_assert_str_eq(r->origin, "/etc/agent/agent.conf:12");
	ck_assert(r->is_builtin);
	ck_assert_uint_eq(set->n, builtin->n);
}
END_TEST

START_TEST(the_clear_limit_moves_along)
{
	struct rule_settings own[] = {OWN(.name = "disk", .warning = "> 45", .critical = "> 50"),
		OWN(.name = "disk_forecast", .warning = "< 12h", .critical = "< 2h"),
		OWN(.name = "clock_offset", .warning = "> +-1s")};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 3);
	const struct rule *r = find(set, "disk");

	ck_assert_double_eq_tol(r->warning_clear.value, 42.5, 1e-9);
	ck_assert_int_eq((int)r->warning_clear.op, LIMIT_BELOW);
	ck_assert_double_eq_tol(r->critical_clear.value, 50.0 * 95 / 97, 1e-9);
	r = find(set, "disk_forecast");
	ck_assert_double_eq_tol(r->warning_clear.value, 24 * 3600, 1e-6);
	ck_assert_int_eq((int)r->warning_clear.op, LIMIT_ABOVE);
	r = find(set, "clock_offset");
	ck_assert_double_eq_tol(r->warning_clear.value, 0.5, 1e-9);
}
END_TEST

START_TEST(a_rule_is_switched_on_and_off_by_name)
{
	struct rule_settings own[] = {OWN(.name = "cpu", .enabled = 0),
		OWN(.name = "container_gone", .enabled = 1, .entities = TEXTS("shop-*"))};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 2);

	ck_assert_ptr_null(find(set, "cpu"));
	ck_assert_ptr_nonnull(find(set, "container_gone"));
	ck_assert_uint_eq(set->n_off, 1);
	ck_assert_str_eq(set->off[0], "cpu");
}
END_TEST

START_TEST(a_limit_can_be_taken_away)
{
	struct rule_settings own[] = {OWN(.name = "disk", .warning = "")};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 1);
	const struct rule *r = find(set, "disk");

	ck_assert(!rule_exceeds(r, 96) && rule_exceeds(r, 98));
	ck_assert_int_eq(rule_judge(r, 96, SEVERITY_CRITICAL), READING_BETWEEN);
	ck_assert_int_eq(rule_judge(r, 94, SEVERITY_CRITICAL), READING_CLEAR);
}
END_TEST

START_TEST(another_metric_makes_it_another_rule)
{
	struct rule_settings own[] = {
		OWN(.name = "disk", .metric = "filesystem.used_bytes", .warning = "> 10G")};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 1);
	const struct rule *r = find(set, "disk");

	ck_assert_str_eq(metric_name(r), "used_bytes");
	ck_assert_double_eq(r->warning.value, 10.0 * 1024 * 1024 * 1024);
	ck_assert_int_eq((int)r->critical.op, LIMIT_NONE);
	ck_assert_str_eq(r->doc, "");
}
END_TEST

START_TEST(a_pattern_watches_several_metrics)
{
	struct rule_settings own[] = {OWN(.name = "stalls",
		.metric = "container.pressure_*_some_percent", .warning = "> 50")};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 1);
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->rules[i].name, "stalls") != 0)
			continue;
		ck_assert(set->rules[i].is_pattern);
		ck_assert_ptr_eq(set->rules[i].class, &class_container);
		n++;
	}
	ck_assert_uint_eq(n, 3);
}
END_TEST

START_TEST(without_a_clear_limit_it_is_the_opposite)
{
	struct rule_settings own[] = {
		OWN(.name = "procs", .metric = "host.processes_total", .warning = "> 500")};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 1);
	const struct rule *r = find(set, "procs");

	ck_assert_int_eq(rule_judge(r, 501, SEVERITY_INFO), READING_WARNING);
	ck_assert_int_eq(rule_judge(r, 500, SEVERITY_WARNING), READING_CLEAR);
	ck_assert_int_eq((int)r->how, WINDOW_LAST);
	ck_assert(r->recovery && !r->is_builtin);
	ck_assert_int_eq(r->for_ms + r->clear_for_ms + r->repeat_ms, 0);
}
END_TEST

START_TEST(a_window_alone_means_its_average)
{
	struct rule_settings own[] = {
		OWN(.name = "load", .metric = "host.load1", .window_ms = 600000, .warning = "> 4")};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 1);

	ck_assert_int_eq((int)find(set, "load")->how, WINDOW_AVERAGE);
}
END_TEST

START_TEST(critical_stays_until_it_is_clear_of_critical)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);
	const struct rule *r = find(set, "disk"); /* > 97 until < 95; > 90 until < 85 */

	ck_assert_int_eq(rule_judge(r, 96, SEVERITY_CRITICAL), READING_CRITICAL);
	ck_assert_int_eq(rule_judge(r, 96, SEVERITY_WARNING), READING_WARNING);
	ck_assert_int_eq(rule_judge(r, 94, SEVERITY_CRITICAL), READING_WARNING);
	ck_assert_int_eq(rule_judge(r, 88, SEVERITY_CRITICAL), READING_BETWEEN);
	ck_assert_int_eq(rule_judge(r, UNKNOWN, SEVERITY_CRITICAL), READING_UNKNOWN);
}
END_TEST

START_TEST(limits_may_lead_downwards)
{
	struct rule_settings own[] = {OWN(.name = "low", .metric = "filesystem.available_bytes",
		.warning = "<= 5G", .critical = "< 1G", .clear = "> 6G")};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 1);
	const struct rule *r = find(set, "low");
	const double gib = 1024.0 * 1024 * 1024;

	ck_assert(rule_exceeds(r, 5 * gib) && !rule_exceeds(r, 5 * gib + 1));
	ck_assert_int_eq(rule_judge(r, gib / 2, SEVERITY_INFO), READING_CRITICAL);
	ck_assert_int_eq(rule_judge(r, 5.5 * gib, SEVERITY_INFO), READING_BETWEEN);
	ck_assert_int_eq(rule_judge(r, 7 * gib, SEVERITY_INFO), READING_CLEAR);
}
END_TEST

START_TEST(a_limit_may_be_meant_for_both_sides)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);
	const struct rule *r = find(set, "clock_offset");

	ck_assert(rule_exceeds(r, 0.2) && rule_exceeds(r, -0.2) && !rule_exceeds(r, -0.1));
	ck_assert_int_eq(rule_judge(r, -0.2, SEVERITY_INFO), READING_WARNING);
	ck_assert_int_eq(rule_judge(r, -0.07, SEVERITY_INFO), READING_BETWEEN);
	ck_assert_int_eq(rule_judge(r, 0.01, SEVERITY_INFO), READING_CLEAR);
}
END_TEST

START_TEST(a_forecast_is_judged_in_seconds)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);
	const struct rule *r = find(set, "disk_forecast");

	ck_assert_int_eq((int)r->how, WINDOW_LINE);
	ck_assert_int_eq((int)r->unit, UNIT_SECONDS);
	ck_assert_double_eq(r->target, 100);
	ck_assert_int_eq(rule_judge(r, 3600, SEVERITY_INFO), READING_CRITICAL);
	ck_assert_int_eq(rule_judge(r, 20 * 3600, SEVERITY_INFO), READING_WARNING);
	ck_assert_int_eq(rule_judge(r, (double)INFINITY, SEVERITY_INFO), READING_CLEAR);
	ck_assert(!rule_exceeds(r, (double)INFINITY) && rule_exceeds(r, 0));
}
END_TEST

START_TEST(missing_and_gone_have_a_severity)
{
	struct rule_settings own[] = {
		OWN(.name = "blind", .type = "missing", .metric = "host.clock_offset_seconds",
			.severity = "critical"),
		OWN(.name = "unmounted", .type = "gone", .metric = "filesystem.*")};
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 2);
	const struct rule *r = find(set, "blind");
	size_t n = 0;

	ck_assert_int_eq(rule_judge(r, UNKNOWN, SEVERITY_INFO), READING_CRITICAL);
	ck_assert_int_eq(rule_judge(r, 0, SEVERITY_CRITICAL), READING_CLEAR);
	ck_assert(!rule_exceeds(r, 0) && !rule_exceeds(r, 1e9));
	r = find(set, "unmounted");
	ck_assert_int_eq(rule_judge(r, 0, SEVERITY_INFO), READING_WARNING);
	ck_assert_int_eq(rule_judge(r, 1, SEVERITY_INFO), READING_CLEAR);
	ck_assert(rule_exceeds(r, 0) && !rule_exceeds(r, 1));
	for (size_t i = 0; i < set->n; i++)
		n += strcmp(set->rules[i].name, "unmounted") == 0;
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(the_quick_question_agrees_with_the_full_one)
{
	static const char *const limits[] = {"> 10", ">= 10", "< 10", "<= 10", "> +-10"};
	static const double values[] = {-11, -10, 0, 9.999, 10, 10.001, 100};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rule_settings own[] = {
			OWN(.name = "x", .metric = "host.load1", .warning = limits[i])};
		_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 1);
		const struct rule *r = find(set, "x");

		for (size_t j = 0; j < sizeof(values) / sizeof(*values); j++)
			ck_assert_msg(rule_exceeds(r, values[j]) ==
					      (rule_judge(r, values[j], SEVERITY_INFO) ==
						      READING_WARNING),
				"%s and %g", limits[i], values[j]);
	}
}
END_TEST

/* Which entities. */

static bool watches(const struct rule_settings *own, const char *key)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(own, 1);
	struct registry *registry = registry_new();
	struct entity *e;
	bool yes;

	registry_begin(registry);
	e = registry_get(registry, &class_container, key);
	entity_label(e, "image", "shop:1.2");
	entity_label(e, "project", "live");
	yes = rule_watches(find(set, "x"), e);
	registry_free(registry);
	return yes;
}

#define WATCHES(key, ...)                                                                          \
	watches(&(const struct rule_settings)OWN(.name = "x", .metric = "container.processes",     \
			.warning = "> 9", __VA_ARGS__),                                            \
		key)

START_TEST(entities_are_chosen_by_name)
{
	ck_assert(WATCHES("shop-web", .doc = NULL));
	ck_assert(WATCHES("shop-web", .entities = TEXTS("shop-*")));
	ck_assert(!WATCHES("blog", .entities = TEXTS("shop-*")));
	ck_assert(!WATCHES("shop-web", .entities = TEXTS("!shop-web")));
	ck_assert(WATCHES("blog", .entities = TEXTS("!shop-web")));
	ck_assert(!WATCHES("shop-test", .entities = TEXTS("!shop-test", "shop-*")));
	ck_assert(!WATCHES("blog", .entities = TEXTS("!shop-test", "shop-*")));
	ck_assert(WATCHES("shop-web", .entities = TEXTS("!shop-test", "shop-*")));
}
END_TEST

START_TEST(entities_are_chosen_by_label)
{
	ck_assert(WATCHES("a", .labels = TEXTS("image=shop*")));
	ck_assert(!WATCHES("a", .labels = TEXTS("image=blog*")));
	ck_assert(!WATCHES("a", .labels = TEXTS("!project=live")));
	ck_assert(WATCHES("a", .labels = TEXTS("!project=test")));
	ck_assert(!WATCHES("a", .labels = TEXTS("image=shop*", "project=test")));
	ck_assert(WATCHES("a", .labels = TEXTS("image=shop*", "project=l*")));
	/* An absent one is empty. */
	ck_assert(WATCHES("a", .labels = TEXTS("pod=")));
	ck_assert(!WATCHES("a", .labels = TEXTS("pod=?*")));
	ck_assert(WATCHES("a", .labels = TEXTS("!pod=?*")));
}
END_TEST

START_TEST(another_class_is_not_watched)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_with(NULL, 0);
	struct registry *registry = registry_new();
	struct entity *e;

	registry_begin(registry);
	e = registry_get(registry, &class_service, "nginx");
	ck_assert(!rule_watches(find(set, "oom_kill"), e));
	ck_assert(rule_watches(find(set, "service_oom_kill"), e));
	registry_free(registry);
}
END_TEST

static Suite *rule_suite(void)
{
	Suite *s = suite_create("rule");
	TCase *tc = tcase_create("rule");

	tcase_add_test(tc, the_built_in_rules_are_sound);
	tcase_add_test(tc, what_matters_is_watched_by_default);
	tcase_add_test(tc, the_disk_rule_is_as_documented);
	tcase_add_test(tc, an_oom_kill_is_told_at_once_and_its_end_is_not);
	tcase_add_test(tc, a_set_is_sorted_by_class_and_metric);
	tcase_add_test(tc, a_rule_of_the_user_changes_just_what_it_sets);
	tcase_add_test(tc, the_clear_limit_moves_along);
	tcase_add_test(tc, a_rule_is_switched_on_and_off_by_name);
	tcase_add_test(tc, a_limit_can_be_taken_away);
	tcase_add_test(tc, another_metric_makes_it_another_rule);
	tcase_add_test(tc, a_pattern_watches_several_metrics);
	tcase_add_test(tc, without_a_clear_limit_it_is_the_opposite);
	tcase_add_test(tc, a_window_alone_means_its_average);
	tcase_add_test(tc, critical_stays_until_it_is_clear_of_critical);
	tcase_add_test(tc, limits_may_lead_downwards);
	tcase_add_test(tc, a_limit_may_be_meant_for_both_sides);
	tcase_add_test(tc, a_forecast_is_judged_in_seconds);
	tcase_add_test(tc, missing_and_gone_have_a_severity);
	tcase_add_test(tc, the_quick_question_agrees_with_the_full_one);
	tcase_add_test(tc, entities_are_chosen_by_name);
	tcase_add_test(tc, entities_are_chosen_by_label);
	tcase_add_test(tc, another_class_is_not_watched);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(rule_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
