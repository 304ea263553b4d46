/* SPDX-License-Identifier: Apache-2.0
 *
 * From the configuration to rules, channels and maintenance windows, and what is refused.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/notify_config.h"
#include "tests/unit/config_case.h"

static struct notify_config *built;
static const struct notify_settings *settings;

static void done(void)
{
	notify_config_free(built);
	built = NULL;
	teardown();
}

static void build(const char *text)
{
	notify_config_free(built);
	built = NULL;
	good(text);
	ck_assert_msg(notify_config_new(config, &built, &mistakes) == 0, "%s",
		mistakes.n ? mistakes.list[0] : "?");
	settings = notify_config_settings(built);
}

START_TEST(without_any_file_there_is_the_host_and_nothing_else)
{
	build("hostname = \"vps1\"");
	ck_assert_str_eq(settings->host, "vps1");
	ck_assert_str_eq(settings->url, "");
	ck_assert_uint_eq(settings->n_rules + settings->n_channels + settings->n_maintenance, 0);
}
END_TEST

START_TEST(links_are_made_by_appending)
{
	build("url = \"https://vps1.example.com:4500//\"");
	ck_assert_str_eq(settings->url, "https://vps1.example.com:4500");
}
END_TEST

START_TEST(a_rule_says_just_what_was_written)
{
	const struct rule_settings *r;

	build("rules = { cpu = { enabled = false }\n disk = { warning = \"> 80\"; for = \"0s\" } "
	      "}");
	ck_assert_uint_eq(settings->n_rules, 2);
	r = &settings->rules[0];
	ck_assert_str_eq(r->name, "cpu");
	ck_assert_int_eq(r->enabled, 0);
	ck_assert_ptr_null(r->metric);
	ck_assert_int_eq(r->for_ms, -1);
	ck_assert_int_eq(r->recovery, -1);
	ck_assert_uint_eq(r->entities.n, 0);
	r = &settings->rules[1];
	ck_assert_int_eq(r->enabled, -1);
	ck_assert_int_eq(r->for_ms, 0);
	ck_assert_str_eq(r->warning, "> 80");
	ck_assert_str_eq(r->origin, "a.conf:2");
}
END_TEST

START_TEST(a_mistake_in_a_rule_has_its_line)
{
	bad("rules = {\n disk = {\n warning = \"90\" } }",
		"a.conf:3: rules.disk.warning: \"90\" is not a limit: expected >, >=, < or <= and "
		"a "
		"percentage, such as \"> 90\"");
	bad("rules = {\n mine = { warning = \"> 90\" } }",
		"a.conf:2: rules.mine: metric: is missing; expected CLASS.METRIC, such as "
		"\"filesystem.used_percent\"");
	bad("rules = {\n disc = { warning = \"> 90\" } }",
		"a.conf:2: rules.disc: metric: is missing, and there is no built-in rule "
		"\"disc\"; did you mean \"disk\"?");
	bad("rules = {\n disk = {\n channels = [\"op\"] } }",
		"a.conf:3: rules.disk.channels: there is no channel \"op\"");
}
END_TEST

START_TEST(what_is_known_to_be_wrong_is_told_once)
{
	bad("rules = { mine = { metric = \"host.cpu_usd_percent\"; warning = \"> 90\" } }",
		"a.conf:1: rules.mine.metric: there is no metric \"host.cpu_usd_percent\"; did you "
		"mean \"host.cpu_used_percent\"?");
}
END_TEST

START_TEST(a_channel_with_its_defaults)
{
	const struct channel *c;

	build("channels = { hook = {\n type = \"webhook\"; url = \"https://example.com/x\" } }");
	c = settings->channels;
	ck_assert_str_eq(c->name, "hook");
	ck_assert_str_eq(c->type->name, "webhook");
	ck_assert_str_eq(c->origin, "a.conf:1");
	ck_assert_str_eq(c->url, "https://example.com/x");
	ck_assert_ptr_null(c->secret);
	ck_assert_int_eq(c->min_severity, SEVERITY_INFO);
	ck_assert_int_eq(c->quiet_below, SEVERITY_CRITICAL);
	ck_assert_int_eq(c->group_ms, 30000);
	ck_assert_uint_eq(c->per_minute, 0);
	ck_assert(c->recoveries && c->pictures);
}
END_TEST

START_TEST(a_channel_with_everything)
{
	_cleanup_(free_p) char *text = NULL;
	const struct channel *c;

	write_file("secret", "k3y\n");
	write_file("template", "{{title}}");
	text = str_format(
		"channels = { hook = { type = \"webhook\"; url = \"https://example.com/x\";"
		" secret_file = \"%s\"; template_file = \"%s\"; content_type = "
		"\"text/plain\"; min_severity = \"critical\"; events = [\"alert.*\"];"
		" entities = [\"host/*\", \"!host/x\"]; recoveries = false;"
		" pictures = false; quiet = [\"22:00-07:00\", \"sat,sun 00:00-24:00\"];"
		" quiet_below = \"warning\"; group = \"0s\"; per_minute = 7 } }",
		scratch_path("secret"), scratch_path("template"));
	build(text);
	c = settings->channels;
	ck_assert_str_eq(c->secret, "k3y");
	ck_assert_str_eq(c->template, "{{title}}");
	ck_assert_str_eq(c->content_type, "text/plain");
	ck_assert_int_eq(c->min_severity, SEVERITY_CRITICAL);
	ck_assert_int_eq(c->quiet_below, SEVERITY_WARNING);
	ck_assert_str_eq(c->events.list[0], "alert.*");
	ck_assert_uint_eq(c->entities.n, 2);
	ck_assert(!c->recoveries && !c->pictures);
	ck_assert_uint_eq(c->n_quiet, 2);
	ck_assert_int_eq(c->quiet[0].from_minute, 22 * 60);
	ck_assert_int_eq(c->group_ms, 0);
	ck_assert_uint_eq(c->per_minute, 7);
}
END_TEST

START_TEST(a_maintenance_window)
{
	const struct maintenance *m;

	build("maintenance = { nightly = { schedule = \"30 3 * * *\"; duration = \"45m\"; rules = "
	      "\"cpu\" } }");
	m = settings->maintenance;
	ck_assert_str_eq(m->name, "nightly");
	ck_assert_int_eq(m->duration_ms, 45 * 60000);
	ck_assert_uint_eq(m->schedule.hours, 1U << 3);
	ck_assert_str_eq(m->rules.list[0], "cpu");
	ck_assert_uint_eq(m->entities.n, 0);
}
END_TEST

START_TEST(each_type_can_be_configured)
{
	const struct option *o = options_find(&options_all, "channels.x.type");
	int64_t number;
	struct err e;

	for (size_t i = 0; channel_types[i]; i++)
		ck_assert_msg(
			option_parse(o, channel_types[i]->name, &number, &e) == 0, "%s", e.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify_config");
	TCase *t = tcase_create("notify_config");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, done);
	tcase_add_test(t, without_any_file_there_is_the_host_and_nothing_else);
	tcase_add_test(t, links_are_made_by_appending);
	tcase_add_test(t, a_rule_says_just_what_was_written);
	tcase_add_test(t, a_mistake_in_a_rule_has_its_line);
	tcase_add_test(t, what_is_known_to_be_wrong_is_told_once);
	tcase_add_test(t, a_channel_with_its_defaults);
	tcase_add_test(t, a_channel_with_everything);
	tcase_add_test(t, a_maintenance_window);
	tcase_add_test(t, each_type_can_be_configured);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
