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

START_TEST(a_rule_with_everything)
{
	const struct rule_settings *r;

	build("channels = { ops = { type = \"command\"; command = [\"/bin/tell\", \"-q\"] } }\n"
	      "rules = { shop = { type = \"value\"; metric = \"container.memory_used_percent\";"
	      " entities = [\"shop-*\", \"!shop-test\"]; labels = \"image=shop*\";"
	      " how = \"average\"; window = \"5m\"; warning = \"> 80\"; critical = \"> 95\";"
	      " clear = \"< 70\"; critical_clear = \"< 90\"; for = \"1m\"; clear_for = \"2m\";"
	      " repeat = \"12h\"; enabled = true; recovery = false; channels = \"ops\";"
	      " doc = \"Look at it.\" } }");
	r = settings->rules;
	ck_assert_str_eq(r->metric, "container.memory_used_percent");
	ck_assert_str_eq(r->entities.list[1], "!shop-test");
	ck_assert_str_eq(r->labels.list[0], "image=shop*");
	ck_assert_str_eq(r->how, "average");
	ck_assert_int_eq(r->window_ms, 300000);
	ck_assert_str_eq(r->critical_clear, "< 90");
	ck_assert_int_eq(r->for_ms + r->clear_for_ms + r->repeat_ms, 60000 + 120000 + 43200000);
	ck_assert_int_eq(r->enabled, 1);
	ck_assert_int_eq(r->recovery, 0);
	ck_assert_str_eq(r->channels.list[0], "ops");
	ck_assert_str_eq(r->doc, "Look at it.");
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

START_TEST(a_command_ends_with_null)
{
	build("channels = { c = { type = \"command\"; command = [\"/bin/tell\", \"-q\"] } }");
	ck_assert_str_eq(settings->channels->command[0], "/bin/tell");
	ck_assert_str_eq(settings->channels->command[1], "-q");
	ck_assert_ptr_null(settings->channels->command[2]);
}
END_TEST

static const char *mail(const char *more)
{
	static char text[1024];

	(void)snprintf(text, sizeof(text),
		"channels = { m = { type = \"email\"; from = \"a@example.com\"; to = "
		"[\"b@example.com\", \"c@example.com\"]; %s } }",
		more);
	return text;
}

START_TEST(a_mail_server_has_its_usual_port)
{
	build(mail("server = \"mail.example.com\""));
	ck_assert_str_eq(settings->channels->url, "smtp://mail.example.com:587");
	ck_assert_str_eq(settings->channels->security, "starttls");
	ck_assert_str_eq(settings->channels->to[1], "c@example.com");
	build(mail("server = \"mail.example.com\"; security = \"tls\""));
	ck_assert_str_eq(settings->channels->url, "smtps://mail.example.com:465");
	build(mail("server = \"[::1]\"; security = \"none\""));
	ck_assert_str_eq(settings->channels->url, "smtp://[::1]:25");
	build(mail("server = \"127.0.0.1:2525\"; security = \"none\""));
	ck_assert_str_eq(settings->channels->url, "smtp://127.0.0.1:2525");
}
END_TEST

START_TEST(what_a_type_needs_is_asked_for_by_the_name_to_write)
{
	bad("channels = {\n a = { type = \"slack\" } }",
		"a.conf:2: channels.a: the type slack needs url_file");
	bad("channels = {\n a = { type = \"telegram\"; chat = \"-1\" } }",
		"a.conf:2: channels.a: the type telegram needs token_file");
	bad("channels = {\n a = { type = \"ntfy\" } }",
		"a.conf:2: channels.a: the type ntfy needs topic");
	bad("channels = {\n a = { type = \"command\" } }",
		"a.conf:2: channels.a: the type command needs command");
}
END_TEST

START_TEST(options_of_another_type_are_refused)
{
	bad("channels = { a = { type = \"webhook\"; url = \"http://x/\";\n chat = \"-1\" } }",
		"a.conf:2: channels.a.chat: is not of the type webhook, which takes url url_file "
		"secret_file template_file content_type ca_file");
	bad("channels = { a = { type = \"slack\";\n url = \"https://hooks.slack.com/x\" } }",
		"a.conf:2: channels.a.url: whoever knows this address can write to the channel: "
		"put "
		"it into a file of mode 0600 and name that in url_file");
}
END_TEST

START_TEST(a_name_is_not_too_long)
{
	char name[CHANNEL_NAME_MAX + 1], text[256];

	memset(name, 'n', CHANNEL_NAME_MAX);
	name[CHANNEL_NAME_MAX] = '\0';
	(void)snprintf(text, sizeof(text),
		"channels = { %s = { type = \"webhook\"; url = \"http://x/\" } }", name);
	ck_assert_int_eq(load_table(&options_all, text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], ": the name is longer than 63 bytes"));
	(void)snprintf(text, sizeof(text),
		"channels = { %s = { type = \"webhook\"; url = \"http://x/\" } }", name + 1);
	build(text);
	ck_assert_uint_eq(strlen(settings->channels->name), 63);
}
END_TEST

START_TEST(secrets_of_the_agent_are_no_mistake_of_a_check_but_of_a_start)
{
	(void)unsetenv("BOT_TOKEN");
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	good("channels = { a = { type = \"telegram\"; chat = \"-1\"; token_file = "
	     "\"env:BOT_TOKEN\" } }");
	ck_assert_int_eq(notify_config_new(config, &built, &mistakes), -EINVAL);
	ck_assert_str_eq(mistakes.list[0],
		"a.conf:1: channels.a.token_file: the variable BOT_TOKEN "
		"is not in the agent's environment");
	mistakes_done(&mistakes);
	(void)setenv("BOT_TOKEN", "1:abc", 1);
	ck_assert_int_eq(notify_config_new(config, &built, &mistakes), 0);
	ck_assert_str_eq(notify_config_settings(built)->channels->secret, "1:abc");
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
	tcase_add_test(t, a_rule_with_everything);
	tcase_add_test(t, a_mistake_in_a_rule_has_its_line);
	tcase_add_test(t, what_is_known_to_be_wrong_is_told_once);
	tcase_add_test(t, a_channel_with_its_defaults);
	tcase_add_test(t, a_channel_with_everything);
	tcase_add_test(t, a_command_ends_with_null);
	tcase_add_test(t, a_mail_server_has_its_usual_port);
	tcase_add_test(t, what_a_type_needs_is_asked_for_by_the_name_to_write);
	tcase_add_test(t, options_of_another_type_are_refused);
	tcase_add_test(t, a_name_is_not_too_long);
	tcase_add_test(t, secrets_of_the_agent_are_no_mistake_of_a_check_but_of_a_start);
	tcase_add_test(t, a_maintenance_window);
	tcase_add_test(t, each_type_can_be_configured);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
