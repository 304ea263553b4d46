/* SPDX-License-Identifier: Apache-2.0
 *
 * What configuration files give: values, defaults, origins, blocks.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config.h"
#include "tests/unit/config_case.h"

START_TEST(nothing_set_gives_the_defaults)
{
	const char *const *list;

	good("");
	ck_assert_str_eq(config_string(config, "listen"), "0.0.0.0:4500");
	ck_assert_str_eq(config_origin(config, "listen"), "default");
	ck_assert_int_eq(config_duration_ms(config, "interval"), 20000);
	ck_assert_int_eq(config_int(config, "max_connections"), 64);
	ck_assert(!config_bool(config, "filesystems.network"));
	ck_assert_uint_eq(config_choice(config, "log_level"), 2);
	ck_assert_uint_eq(config_list(config, "hosts", &list), 0);
	ck_assert_uint_eq(config_list(config, "container_sockets", &list), 2);
	ck_assert_str_eq(list[1], "/run/podman/podman.sock");
	ck_assert_str_eq(config_origin(config, "hostname"), "system");
	ck_assert(*config_string(config, "hostname") && *config_string(config, "timezone"));
	ck_assert(!config_is_set(config, "interval"));
	ck_assert_uint_eq(config_layout(config)->n_archives, 3);
}
END_TEST

START_TEST(what_is_set_is_taken_with_its_origin)
{
	const char *const *list;

	good("# comment\n\nlisten = \"[::]:80\"\ninterval: \"1m\";\nmax_connections = 0x10\n"
	     "filesystems = {\n\tnetwork = TRUE\n\texclude = \"/mnt/*\"\n}\n"
	     "hosts = (\"a.example.com\", \"b\")\nlog_level = \"debug\"\n");
	ck_assert_str_eq(config_string(config, "listen"), "[::]:80");
	ck_assert_str_eq(config_origin(config, "listen"), "a.conf:3");
	ck_assert(config_is_set(config, "listen"));
	ck_assert_int_eq(config_duration_ms(config, "interval"), 60000);
	ck_assert_int_eq(config_int(config, "max_connections"), 16);
	ck_assert(config_bool(config, "filesystems.network"));
	ck_assert_str_eq(config_origin(config, "filesystems.network"), "a.conf:7");
	ck_assert_uint_eq(config_list(config, "filesystems.exclude", &list), 1);
	ck_assert_str_eq(list[0], "/mnt/*");
	ck_assert_uint_eq(config_list(config, "hosts", &list), 2);
	ck_assert_uint_eq(config_choice(config, "log_level"), 3);
}
END_TEST

START_TEST(an_editor_may_leave_a_byte_order_mark_and_crlf)
{
	good("\xef\xbb\xbfinterval = \"1m\"\r\nhosts = [\"a\",\r\n\"b\"]\r\n");
	ck_assert_int_eq(config_duration_ms(config, "interval"), 60000);
}
END_TEST

static void check_retention(const char *text, size_t n, const char *joined)
{
	struct buf b = BUF_INIT(500);
	const char *const *list;

	good(text);
	ck_assert_uint_eq(config_list(config, "retention", &list), n);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", list[i]);
	ck_assert_str_eq(buf_str(&b), joined);
	ck_assert_uint_eq(config_layout(config)->n_archives, n);
	ck_assert_int_eq(
		config_layout(config)->step_seconds, config_duration_ms(config, "interval") / 1000);
	buf_done(&b);
}

START_TEST(retention_follows_the_interval)
{
	check_retention("", 3, "20s for 2d, 5m for 30d, 2h for 1y");
	check_retention("interval = \"30s\"", 3, "30s for 2d, 5m for 30d, 2h for 1y");
	check_retention("interval = \"1s\"", 4, "1s for 144m, 20s for 2d, 5m for 30d, 2h for 1y");
	check_retention(
		"interval = \"7s\"", 4, "7s for 1008m, 21s for 2d, 301s for 30d, 7203s for 1y");
	check_retention("interval = \"1h\"", 2, "1h for 30d, 2h for 1y");
	check_retention("retention = [\"1m for 7d\"]", 1, "1m for 7d");
	ck_assert_int_eq(config_layout(config)->archives[0].span_seconds, 604800);
}
END_TEST

static bool watched(const char *group, const char *name)
{
	struct patterns p = config_patterns(config, group);

	return str_matches_any(p.list, p.n, name, true);
}

START_TEST(includes_and_excludes_become_one_list)
{
	good("containers = { exclude = [\"tmp-*\"] }");
	ck_assert(watched("containers", "web"));
	ck_assert(!watched("containers", "tmp-1"));
	ck_assert(watched("disks", "sda"));
	good("containers = { exclude = [\"web-test\"] include = [\"web-*\", \"db\"] }");
	ck_assert(watched("containers", "web-1"));
	ck_assert(watched("containers", "db"));
	ck_assert(!watched("containers", "web-test"));
	ck_assert(!watched("containers", "other"));
	ck_assert(watched("services", "ssh"));
}
END_TEST

START_TEST(named_blocks)
{
	const char *names[4];

	ck_assert_int_eq(
		load_table(&blocks,
			"stores = {\n offsite = { bucket = \"b\"; labels = { x = \"1\" } }\n"
			" here = { bucket = \"c\"; part = \"1M\"; hook = { url = \"u\" } }\n}"),
		0);
	ck_assert_uint_eq(config_names(config, "stores", names, 4), 2);
	ck_assert_str_eq(names[0], "here");
	ck_assert_str_eq(names[1], "offsite");
	ck_assert_uint_eq(config_names(config, "stores", names, 1), 2);
	ck_assert_str_eq(config_string(config, "stores.offsite.bucket"), "b");
	ck_assert_str_eq(config_origin(config, "stores.offsite"), "a.conf:2");
	ck_assert_int_eq(config_size_bytes(config, "stores.here.part"), 1 << 20);
	ck_assert_int_eq(config_size_bytes(config, "stores.offsite.part"), 8 << 20);
	ck_assert_str_eq(config_origin(config, "stores.offsite.part"), "default");
	ck_assert(config_is_set(config, "stores.here.hook"));
	ck_assert(!config_is_set(config, "stores.offsite.hook"));
	ck_assert_ptr_null(config_string(config, "stores.offsite.hook.url"));
	ck_assert_uint_eq(config_names(config, "stores.offsite.labels", names, 4), 1);
	ck_assert_str_eq(config_string(config, "stores.offsite.labels.x"), "1");
	ck_assert_ptr_null(config_string(config, "stores.nowhere.bucket"));
	ck_assert_int_eq(config_size_bytes(config, "stores.nowhere.part"), 0);
}
END_TEST

START_TEST(no_file_at_all_is_fine_but_a_named_one_must_exist)
{
	ck_assert_int_eq(load_path(scratch), 0);
	ck_assert_str_eq(config_string(config, "listen"), "0.0.0.0:4500");
	ck_assert_int_eq(load_path(scratch_path("none.conf")), -EINVAL);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "none.conf"));
	ck_assert_int_eq(load_path("/dev/null"), 0);
}
END_TEST

START_TEST(a_folder_has_its_main_file_and_more_in_order)
{
	ck_assert_int_eq(mkdir(scratch_path("conf.d"), 0755), 0);
	write_file("agent.conf", "interval = \"10s\"\nhostname = \"main\"\n"
				 "containers = { exclude = [\"a\"] }\n");
	write_file("conf.d/20.conf", "\nhostname = \"twenty\"\n");
	write_file("conf.d/10.conf", "hostname = \"ten\"\ncontainers = { include = [\"b\"] }\n");
	write_file("conf.d/99.txt", "nonsense");
	ck_assert_int_eq(load_path(scratch), 0);
	ck_assert_str_eq(config_string(config, "hostname"), "twenty");
	ck_assert(str_ends(config_origin(config, "hostname"), "/conf.d/20.conf:2"));
	ck_assert_int_eq(config_duration_ms(config, "interval"), 10000);
	ck_assert(!watched("containers", "a") && watched("containers", "b"));
}
END_TEST

START_TEST(includes_are_taken_in_with_their_own_lines)
{
	ck_assert_int_eq(mkdir(scratch_path("sub"), 0755), 0);
	write_file("agent.conf", "hosts = []\n@include \"sub/one.conf\"\n"
				 "  @include \"sub/x*.conf\" # patterns too\ninterval = \"1m\"\n"
				 "/*\n@include \"not/this\"\n*/\n");
	write_file("sub/one.conf", "# first\n@include \"two.conf\"\n");
	write_file("sub/two.conf", "\n\nhostname = \"two\"");
	ck_assert_int_eq(load_path(scratch_path("agent.conf")), 0);
	ck_assert(str_ends(config_origin(config, "hostname"), "/sub/two.conf:3"));
	ck_assert(str_ends(config_origin(config, "interval"), "/agent.conf:4"));
	write_file("sub/two.conf", "\n\nzebra = 2");
	ck_assert_int_eq(load_path(scratch_path("agent.conf")), -EINVAL);
	ck_assert_ptr_nonnull(strstr(mistakes.list[0], "/sub/two.conf:3: zebra"));
}
END_TEST

START_TEST(overrides_win_and_are_checked_too)
{
	const struct config_override listen = {"listen", "127.0.0.1:99", "--listen"};
	const struct config_override wrong = {"listen", "nowhere", "--listen"};

	write_file("agent.conf", "listen = \"0.0.0.0:1\"\n");
	ck_assert_int_eq(
		config_load(scratch_path("agent.conf"), &listen, 1, &config, &mistakes), 0);
	ck_assert_str_eq(config_string(config, "listen"), "127.0.0.1:99");
	ck_assert_str_eq(config_origin(config, "listen"), "--listen");
	config_free(config);
	config = NULL;
	ck_assert_int_eq(
		config_load(scratch_path("agent.conf"), &wrong, 1, &config, &mistakes), -EINVAL);
	ck_assert(str_starts(mistakes.list[0], "--listen: \"nowhere\""));
}
END_TEST

static void add_name(void *user, const char *name)
{
	buf_addf(user, "%s ", name);
}

START_TEST(a_diff_names_what_changed)
{
	struct buf names = BUF_INIT(1000);
	struct config *other = NULL;
	static const char text[] = "interval = \"30s\"\nhosts = [\"a\"]\nlisten = \"0.0.0.0:4500\"";

	good("hosts = [\"a\"]\n\nlog_level = \"debug\"");
	ck_assert_int_eq(
		config_from_memory(&options_all, "b.conf", text, strlen(text), &other, &mistakes),
		0);
	ck_assert_uint_eq(config_diff(config, other, add_name, &names), 3);
	ck_assert_str_eq(buf_str(&names), "interval log_level retention ");
	ck_assert_uint_eq(config_diff(other, other, add_name, &names), 0);
	config_free(other);
	buf_done(&names);
}
END_TEST

START_TEST(a_diff_names_blocks_that_come_and_go)
{
	struct buf names = BUF_INIT(1000);
	struct config *empty = NULL;
	static const char other[] = "stores = { b = { bucket = \"b\" } }";

	ck_assert_int_eq(load_table(&blocks, "stores = { a = { bucket = \"b\" } }"), 0);
	ck_assert_int_eq(config_from_memory(&blocks, "b.conf", "", 0, &empty, &mistakes), 0);
	ck_assert_uint_ge(config_diff(config, empty, add_name, &names), 2);
	ck_assert_ptr_nonnull(strstr(buf_str(&names), "stores.a.bucket "));
	buf_clear(&names);
	config_free(empty);
	ck_assert_int_eq(
		config_from_memory(&blocks, "b.conf", other, strlen(other), &empty, &mistakes), 0);
	(void)config_diff(config, empty, add_name, &names);
	ck_assert_ptr_nonnull(strstr(buf_str(&names), "stores.a.bucket "));
	ck_assert_ptr_nonnull(strstr(buf_str(&names), "stores.b.bucket "));
	ck_assert_ptr_nonnull(strstr(buf_str(&names), "stores.a "));
	config_free(empty);
	buf_done(&names);
}
END_TEST

static void count_view(void *user, const struct config_view *v)
{
	ck_assert_ptr_nonnull(v->option);
	ck_assert_ptr_nonnull(v->origin);
	(*(size_t *)user)++;
}

START_TEST(each_option_is_shown_once)
{
	size_t n = 0, expected = 0;

	for (size_t i = 0; i < options_all.n; i++)
		expected += !strchr(options_all.rows[i].name, '*') &&
			    !(options_all.rows[i].flags & OPTION_EXAMPLE);
	good("containers = { }");
	config_each(config, count_view, &n);
	ck_assert_uint_eq(n, expected);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *t = tcase_create("config");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nothing_set_gives_the_defaults);
	tcase_add_test(t, what_is_set_is_taken_with_its_origin);
	tcase_add_test(t, an_editor_may_leave_a_byte_order_mark_and_crlf);
	tcase_add_test(t, retention_follows_the_interval);
	tcase_add_test(t, includes_and_excludes_become_one_list);
	tcase_add_test(t, named_blocks);
	tcase_add_test(t, no_file_at_all_is_fine_but_a_named_one_must_exist);
	tcase_add_test(t, a_folder_has_its_main_file_and_more_in_order);
	tcase_add_test(t, includes_are_taken_in_with_their_own_lines);
	tcase_add_test(t, overrides_win_and_are_checked_too);
	tcase_add_test(t, a_diff_names_what_changed);
	tcase_add_test(t, a_diff_names_blocks_that_come_and_go);
	tcase_add_test(t, each_option_is_shown_once);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
