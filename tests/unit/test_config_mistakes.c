/* SPDX-License-Identifier: Apache-2.0
 *
 * Each kind of mistake in a configuration, with its file and line.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config.h"
#include "tests/unit/config_case.h"

START_TEST(retention_must_fit)
{
	bad("interval = \"30s\"\nretention = [\"20s for 2d\"]",
		"a.conf:2: retention: \"20s for 2d\": the row must be a multiple of the interval "
		"(30s)");
	bad("retention = [\"5m for 30d\", \"20s for 2d\"]",
		"a.conf:1: retention: \"20s for 2d\" must be wider and kept longer than the one "
		"before it");
	bad("retention = [\"20s for 2d\", \"5m for 2d\"]",
		"a.conf:1: retention: \"5m for 2d\" must be wider and kept longer than the one "
		"before it");
	bad("retention = []", "a.conf:1: retention: has 0 values; expected 1 to 8");
}
END_TEST

START_TEST(a_misspelt_name_gets_a_suggestion)
{
	bad("\nintervall = \"20s\"",
		"a.conf:2: intervall: there is no such option; did you mean interval?");
	bad("containers = {\n exclud = []\n}",
		"a.conf:2: containers.exclud: there is no such option; did you mean exclude?");
	bad("zebra = 1", "a.conf:1: zebra: there is no such option");
}
END_TEST

START_TEST(a_wrong_type_says_how_to_write_it)
{
	bad("interval = 20", "a.conf:1: interval: 20 has no unit; expected a duration from 1s to "
			     "1h, such as \"20s\"");
	bad("max_connections = \"64\"", "a.conf:1: max_connections: expected a whole number from 4 "
					"to 4096, without quotes");
	bad("max_connections = 1.5", "a.conf:1: max_connections: expected a whole number from 4 to "
				     "4096, without quotes");
	bad("filesystems = { network = \"yes\" }",
		"a.conf:1: filesystems.network: expected true or false, without quotes");
	bad("hostname = 5", "a.conf:1: hostname: expected a string, in quotes: \"5\"");
	bad("hosts = 5", "a.conf:1: hosts: expected a string, in quotes: \"5\"");
	bad("listen = [\"a\"]", "a.conf:1: listen: is a list; expected an address and port");
	bad("listen = { }", "a.conf:1: listen: is a group; expected an address and port");
	bad("hosts = { }", "a.conf:1: hosts: is a group; expected a list of strings");
	bad("containers = [\"a\"]", "a.conf:1: containers: expected a group: { NAME = VALUE ... }");
	bad("hosts = [\"a\", 5]", "a.conf:1: the values in [ ] must all be of one kind");
}
END_TEST

START_TEST(a_wrong_value_says_what_is_expected)
{
	bad("interval = \"2x\"",
		"a.conf:1: interval: \"2x\" is not a duration such as \"20s\", \"5m\", \"12h\", "
		"\"2d\"");
	bad("interval = \"2h\"", "a.conf:1: interval: 2h is out of range; expected 1s to 1h");
	bad("log_level = \"loud\"", "a.conf:1: log_level: \"loud\" is not known; expected error, "
				    "warning, info or debug");
	bad("listen = \"localhost\"",
		"a.conf:1: listen: \"localhost\" is not an address and port such as "
		"\"0.0.0.0:4500\" or \"[::]:4500\"");
	bad("hosts = [\"a\",\n\"b c\"]",
		"a.conf:2: hosts: \"b c\" is not a host name; expected letters, digits, '-' and "
		"'.'");
	bad("log_level = \"\x1b[2J\\n\"", "a.conf:1: log_level: \"?[2J?\" is not known; expected "
					  "error, warning, info or debug");
	bad("hostname = \"\xff\"", "a.conf:1: hostname: the value is not valid UTF-8");
}
END_TEST

START_TEST(a_name_given_twice_is_named_and_the_rest_still_checked)
{
	bad("listen = \"0.0.0.0:1\"\nlisten = \"0.0.0.0:2\"",
		"a.conf:2: listen is given twice; expected it once");
	bad("hosts = []; listen = \"0.0.0.0:1\"; listen = \"0.0.0.0:2\"",
		"a.conf:1: listen is given twice; expected it once");
	ck_assert_int_eq(load_table(&options_all,
				 "disks = {\n exclude = []\n exclude = []\n exclude = []\n}\n"
				 "hosts = []\nhosts = []\ninterval = 1\n"),
		-EINVAL);
	ck_assert_uint_eq(mistakes.n, 4);
	ck_assert_str_eq(mistakes.list[0], "a.conf:3: exclude is given twice; expected it once");
	ck_assert_str_eq(mistakes.list[1], "a.conf:4: exclude is given twice; expected it once");
	ck_assert_str_eq(mistakes.list[2], "a.conf:7: hosts is given twice; expected it once");
	ck_assert(str_starts(mistakes.list[3], "a.conf:8: interval: 1 has no unit"));
}
END_TEST

START_TEST(syntax_errors_have_their_line_and_a_hint)
{
	bad("hosts = []\ninterval = 20s\nlisten = \"0.0.0.0:1\"",
		"a.conf:2: a text needs quotes: interval = \"20s\"");
	bad("log_level = info\n", "a.conf:1: a text needs quotes: log_level = \"info\"");
	bad("containers.exclude = []",
		"a.conf:1: a name cannot have a dot; write containers = { ... } around it");
	bad("listen 5", "a.conf:1: expected '=' after listen");
	bad("hosts = []\nlisten \"0.0.0.0:1\"",
		"a.conf:2: a string is not expected here; is there a '=' or ',' missing?");
	bad("interval =\nlisten = \"0.0.0.0:1\"", "a.conf:1: there is no value behind interval =");
	bad("hosts = []\n]\n", "a.conf:2: ']' closes nothing");
	bad("containers = {\n exclude = [ }\n}\n", "a.conf:2: '}' where ']' was expected");
	bad("\n\ncontainers = {\n exclude = []\n",
		"a.conf:3: the '{' opened here is never closed; expected '}'");
	bad("hosts = []\nlisten = \"0.0.0.0:1\ninterval = \"20s\"\n",
		"a.conf:2: a string is not closed in its line");
	bad("hosts = []\n/* never\n\n", "a.conf:2: the comment that begins here is never closed");
	bad("sto*es = 1\n", "a.conf:1: sto*es: a name cannot have '*' in it");
	bad("= 5\n", "a.conf:1: syntax error; expected NAME = VALUE");
}
END_TEST

START_TEST(a_binary_file_is_refused)
{
	int r = config_from_memory(
		&options_all, "a.conf", "hosts = []\n\0\n", 13, &config, &mistakes);

	ck_assert_int_eq(r, -EINVAL);
	ck_assert_str_eq(mistakes.list[0], "a.conf:2: a NUL byte; this is not a text file");
}
END_TEST

START_TEST(nesting_and_size_are_bounded)
{
	struct buf b = BUF_INIT(2 << 20);

	for (int i = 0; i < 2000; i++)
		buf_adds(&b, "a={");
	ck_assert_int_eq(load_table(&options_all, buf_str(&b)), -EINVAL);
	ck_assert_str_eq(mistakes.list[0], "a.conf:1: groups are nested deeper than 32");
	buf_clear(&b);
	for (int i = 0; i < 6000; i++)
		buf_addf(&b, "a%d=1\n", i);
	ck_assert_int_eq(load_table(&options_all, buf_str(&b)), -EINVAL);
	ck_assert_str_eq(mistakes.list[0], "a.conf:5001: more than 5000 settings");
	buf_clear(&b);
	while (b.len < (1 << 20))
		buf_adds(&b, "# a long comment\n");
	ck_assert_int_eq(load_table(&options_all, buf_str(&b)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "larger than 1 MiB"));
	buf_done(&b);
}
END_TEST

START_TEST(all_mistakes_are_reported_to_a_limit)
{
	struct buf b = BUF_INIT(100000);

	for (int i = 0; i < 150; i++)
		buf_addf(&b, "zebra%d = 1\n", i);
	ck_assert_int_eq(load_table(&options_all, buf_str(&b)), -EINVAL);
	ck_assert_uint_eq(mistakes.n, MISTAKES_MAX);
	ck_assert_uint_eq(mistakes_count(&mistakes), 150);
	ck_assert_str_eq(mistakes.list[99], "a.conf:100: zebra99: there is no such option");
	buf_done(&b);
}
END_TEST

START_TEST(what_a_block_must_have)
{
	ck_assert_int_eq(
		load_table(&blocks, "stores = {\n a = { }\n b = { bucket = \"x\"; hook = { } }\n}"),
		-EINVAL);
	ck_assert_uint_eq(mistakes.n, 2);
	ck_assert_str_eq(mistakes.list[0], "a.conf:2: stores.a: bucket is missing");
	ck_assert_str_eq(mistakes.list[1], "a.conf:3: stores.b.hook: url is missing");
}
END_TEST

START_TEST(settings_of_alerts_are_checked_where_they_stand)
{
	bad("rules = { a = {\n metric = \"filesystm.used_percent\" } }",
		"a.conf:2: rules.a.metric: there is no metric \"filesystm.used_percent\"; did you "
		"mean \"filesystem.used_percent\"?");
	bad("rules = { a = { metric = \"host.zebra_quux_percentage\" } }",
		"a.conf:1: rules.a.metric: there is no metric \"host.zebra_quux_percentage\"; "
		"docs/metrics.md lists them all");
	bad("rules = { a = { metric = \"disk\" } }",
		"a.conf:1: rules.a.metric: \"disk\" is not of the form CLASS.METRIC, such as "
		"\"filesystem.used_percent\"");
	bad("rules = { a = { metric = \"host.cpu_used_percent\"; labels = [\"x\"] } }",
		"a.conf:1: rules.a.labels: \"x\" is not of the form NAME=PATTERN, such as "
		"\"image=shop*\"");
	bad("maintenance = { a = { schedule = \"0 3 * *\"; duration = \"1h\" } }",
		"a.conf:1: maintenance.a.schedule: \"0 3 * *\" has 4 fields, not 5: minute, "
		"hour, day of month, month, day of week");
	bad("url = \"vps1\"", "a.conf:1: url: \"vps1\" is not an address such as "
			      "\"https://vps1.example.com:4500\"");
	bad("channels = { a = { typ = \"slack\"; type = \"command\"; command = \"x\" } }",
		"a.conf:1: channels.a.typ: there is no such option; did you mean type?");
	bad("channels = { a = { type = \"command\"; command = \"x\"; quiet = \"22-7\" } }",
		"a.conf:1: channels.a.quiet: \"22-7\" is no time span such as "
		"\"22:00-07:00\", \"sat,sun 00:00-24:00\" or \"mon-fri 20:00-08:00\"");
	bad("channels = { a = { type = \"email\"; server = \"mail:0\"; to = \"a@b\" } }",
		"a.conf:1: channels.a.server: \"mail:0\" has no port from 1 to 65535 behind the "
		"':'");
}
END_TEST

static void load_secret(mode_t mode)
{
	_cleanup_(free_p) char *text = str_format(
		"stores = { a = { bucket = \"b\"; key_file = \"%s\" } }", scratch_path("key"));

	write_file("key", "secret");
	ck_assert_int_eq(chmod(scratch_path("key"), mode), 0);
	(void)load_table(&blocks, text);
}

START_TEST(a_secrets_file_others_can_read_is_refused)
{
	load_secret(0600);
	ck_assert_ptr_nonnull(config);
	load_secret(0644);
	ck_assert_ptr_null(config);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "chmod"));
	ck_assert_int_eq(
		load_table(&blocks,
			"stores = { a = { bucket = \"b\"; key_file = \"/nonexistent\" } }"),
		-EINVAL);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "/nonexistent"));
}
END_TEST

START_TEST(mistakes_of_all_files_are_reported)
{
	ck_assert_int_eq(mkdir(scratch_path("conf.d"), 0755), 0);
	write_file("agent.conf", "zebra = 1\n");
	write_file("conf.d/10.conf", "= nonsense\n");
	write_file("conf.d/20.conf", "\ninterval = 5\n");
	ck_assert_int_eq(load_path(scratch), -EINVAL);
	ck_assert_uint_eq(mistakes.n, 3);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "/agent.conf:1: zebra"));
	ck_assert_ptr_nonnull(strstr(mistakes.list[1], "/conf.d/10.conf:1: "));
	ck_assert_ptr_nonnull(strstr(mistakes.list[2], "/conf.d/20.conf:2: interval"));
}
END_TEST

START_TEST(a_bad_include_is_named)
{
	write_file("agent.conf", "hosts = []\n@include \"none.conf\"\n");
	ck_assert_int_eq(load_path(scratch_path("agent.conf")), -EINVAL);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "/agent.conf:2: the included file "));
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "none.conf"));
	write_file("agent.conf", "@include \"agent.conf\"\n");
	ck_assert_int_eq(load_path(scratch_path("agent.conf")), -EINVAL);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "8 deep"));
	ck_assert_uint_eq(mistakes.n, 1);
	bad("@include \"/etc/passwd\"\n", "a.conf:1: @include cannot be used here");
}
END_TEST

START_TEST(a_file_others_can_write_is_refused_when_root)
{
	write_file("agent.conf", "hosts = []\n");
	ck_assert_int_eq(chmod(scratch_path("agent.conf"), 0666), 0);
	if (geteuid() != 0) {
		ck_assert_int_eq(load_path(scratch_path("agent.conf")), 0);
		return;
	}
	ck_assert_int_eq(load_path(scratch_path("agent.conf")), -EINVAL);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "chmod go-w"));
	ck_assert_int_eq(chmod(scratch_path("agent.conf"), 0644), 0);
	ck_assert_int_eq(load_path(scratch_path("agent.conf")), 0);
}
END_TEST

START_TEST(an_unreadable_file_is_named)
{
	ck_assert_int_eq(mkdir(scratch_path("conf.d"), 0755), 0);
	ck_assert_int_eq(mkdir(scratch_path("conf.d/x.conf"), 0755), 0);
	ck_assert_int_eq(load_path(scratch), -EINVAL);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "x.conf"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_mistakes");
	TCase *t = tcase_create("config_mistakes");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, retention_must_fit);
	tcase_add_test(t, a_misspelt_name_gets_a_suggestion);
	tcase_add_test(t, a_wrong_type_says_how_to_write_it);
	tcase_add_test(t, a_wrong_value_says_what_is_expected);
	tcase_add_test(t, a_name_given_twice_is_named_and_the_rest_still_checked);
	tcase_add_test(t, syntax_errors_have_their_line_and_a_hint);
	tcase_add_test(t, a_binary_file_is_refused);
	tcase_add_test(t, nesting_and_size_are_bounded);
	tcase_add_test(t, all_mistakes_are_reported_to_a_limit);
	tcase_add_test(t, what_a_block_must_have);
	tcase_add_test(t, settings_of_alerts_are_checked_where_they_stand);
	tcase_add_test(t, a_secrets_file_others_can_read_is_refused);
	tcase_add_test(t, mistakes_of_all_files_are_reported);
	tcase_add_test(t, a_bad_include_is_named);
	tcase_add_test(t, a_file_others_can_write_is_refused_when_root);
	tcase_add_test(t, an_unreadable_file_is_named);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
