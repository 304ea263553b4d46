/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of options is in order and complete, and values are checked and printed as people write
 * them.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/options.h"
#include "base/buf.h"

static const struct option test_rows[] = {
	{"interval", OPTION_DURATION, 0, "20s", 1000, 3600000, NULL, NULL, "Interval."},
	{"stores.*.bucket", OPTION_STRING, OPTION_REQUIRED, NULL, 0, 0, NULL, NULL, "Bucket."},
	{"stores.*.keep.daily", OPTION_INT, 0, "7", 0, 1000, NULL, NULL, "Days."},
	{"stores.*.labels.*", OPTION_STRING, 0, NULL, 0, 0, NULL, NULL, "Labels."},
};
static const struct options table = {test_rows, 4};

static const char *parse_error(const struct option *o, const char *text)
{
	static struct err e;
	int64_t number = -77;

	e.msg[0] = '\0';
	if (option_parse(o, text, &number, &e) < 0) {
		ck_assert_int_eq(number, -77); /* outputs are untouched on failure */
		return e.msg;
	}
	return NULL;
}

static int64_t parse_number(const struct option *o, const char *text)
{
	int64_t number = -1;
	struct err e = {""};

	ck_assert_msg(option_parse(o, text, &number, &e) == 0, "%s: %s", text, e.msg);
	return number;
}

struct defaults {
	const struct option *option;
	size_t n;
};

static void parse_default(void *user, const char *value)
{
	struct defaults *d = user;
	struct err e = {""};
	int64_t number;

	ck_assert_msg(option_parse(d->option, value, &number, &e) == 0, "%s: default \"%s\": %s",
		d->option->name, value, e.msg);
	d->n++;
}

START_TEST(rows_are_sorted_and_documented)
{
	for (size_t i = 0; i < options_all.n; i++) {
		const struct option *o = &options_all.rows[i];
		size_t n = strlen(o->doc);

		ck_assert_msg(i == 0 || strcmp(options_all.rows[i - 1].name, o->name) < 0,
			"%s is not in order", o->name);
		ck_assert_msg(n > 10 && o->doc[n - 1] == '.', "%s: doc needs a full stop", o->name);
		ck_assert_msg(o->doc[0] >= 'A' && o->doc[0] <= 'Z', "%s: doc", o->name);
		ck_assert_msg((o->type == OPTION_CHOICE) == (o->choices != NULL), "%s", o->name);
		ck_assert_msg(!(o->flags & OPTION_LIST) || o->max > 0, "%s: list length", o->name);
		ck_assert_ptr_eq(options_find(&options_all, o->name), o);
	}
}
END_TEST

START_TEST(defaults_are_values_a_user_could_write)
{
	for (size_t i = 0; i < options_all.n; i++) {
		struct defaults d = {&options_all.rows[i], 0};

		option_each_default(d.option, parse_default, &d);
		if (d.option->flags & OPTION_LIST)
			ck_assert_int_ge((int64_t)d.n, d.option->min);
		else if (!(d.option->flags & OPTION_SYSTEM))
			ck_assert_uint_eq(d.n, 1);
	}
}
END_TEST

START_TEST(names_in_blocks_are_found)
{
	ck_assert_ptr_eq(options_find(&table, "stores.offsite.bucket"), &test_rows[1]);
	ck_assert_ptr_eq(options_find(&table, "stores.a.keep.daily"), &test_rows[2]);
	ck_assert_ptr_eq(options_find(&table, "stores.a.labels.x"), &test_rows[3]);
	ck_assert_ptr_null(options_find(&table, "stores"));
	ck_assert_ptr_null(options_find(&table, "stores.offsite"));
	ck_assert_ptr_null(options_find(&table, "stores.offsite.bucket.x"));
	ck_assert_ptr_null(options_find(&table, "interval.x"));
	ck_assert_ptr_null(options_find(&table, ""));
	ck_assert(options_is_group(&table, "stores"));
	ck_assert(options_is_group(&table, "stores.any"));
	ck_assert(options_is_group(&table, "stores.any.keep"));
	ck_assert(!options_is_group(&table, "interval"));
	ck_assert(!options_is_group(&table, "stores.any.bucket"));
}
END_TEST

START_TEST(the_nearest_name_is_offered)
{
	char near[64];

	ck_assert(options_nearest(&table, "", "intervall", near, sizeof(near)));
	ck_assert_str_eq(near, "interval");
	ck_assert(options_nearest(&table, "stores.offsite", "buket", near, sizeof(near)));
	ck_assert_str_eq(near, "bucket");
	ck_assert(!options_nearest(&table, "", "password", near, sizeof(near)));
	ck_assert(!options_nearest(&table, "stores.offsite", "interval", near, sizeof(near)));
}
END_TEST

START_TEST(values_of_each_type)
{
	struct option o = {.name = "x"};

	o.type = OPTION_DURATION;
	ck_assert_int_eq(parse_number(&o, "90s"), 90000);
	o.type = OPTION_SIZE;
	ck_assert_int_eq(parse_number(&o, "512M"), 512 << 20);
	o.type = OPTION_INT;
	ck_assert_int_eq(parse_number(&o, "-5"), -5);
	o.type = OPTION_BOOL;
	ck_assert_int_eq(parse_number(&o, "true"), 1);
	ck_assert_int_eq(parse_number(&o, "false"), 0);
	ck_assert_ptr_nonnull(parse_error(&o, "yes"));
	o.type = OPTION_CHOICE;
	o.choices = "error warning info";
	ck_assert_int_eq(parse_number(&o, "warning"), 1);
	ck_assert_str_eq(
		parse_error(&o, "warn"), "\"warn\" is not known; expected error, warning or info");
	ck_assert_ptr_nonnull(parse_error(&o, ""));
	o.type = OPTION_PATH;
	parse_number(&o, "/var/lib/docker");
	ck_assert_ptr_nonnull(strstr(parse_error(&o, "var/lib"), "absolute"));
}
END_TEST

START_TEST(addresses)
{
	struct option o = {.name = "listen", .type = OPTION_ADDRESS};

	ck_assert_ptr_null(parse_error(&o, "0.0.0.0:4500"));
	ck_assert_ptr_null(parse_error(&o, "127.0.0.1:0"));
	ck_assert_ptr_null(parse_error(&o, "[::]:4500"));
	ck_assert_ptr_null(parse_error(&o, "[2001:db8::1]:80"));
	ck_assert_ptr_nonnull(parse_error(&o, ""));
	ck_assert_ptr_nonnull(parse_error(&o, "4500"));
	ck_assert_ptr_nonnull(parse_error(&o, ":4500"));
	ck_assert_ptr_nonnull(parse_error(&o, "localhost:4500"));
	ck_assert_ptr_nonnull(parse_error(&o, "::1:4500"));
	ck_assert_ptr_nonnull(parse_error(&o, "1.2.3.4:"));
	ck_assert_ptr_nonnull(parse_error(&o, "[::]"));
	ck_assert_ptr_nonnull(strstr(parse_error(&o, "1.2.3.4:65536"), "65535"));
}
END_TEST

START_TEST(a_value_out_of_range_is_refused_with_the_range)
{
	ck_assert_str_eq(
		parse_error(&test_rows[0], "500ms"), "500ms is out of range; expected 1s to 1h");
	ck_assert_int_eq(parse_number(&test_rows[0], "1s"), 1000);
	ck_assert_int_eq(parse_number(&test_rows[0], "1h"), 3600000);
	ck_assert_ptr_nonnull(parse_error(&test_rows[0], "3600001ms"));
	ck_assert_ptr_nonnull(parse_error(&test_rows[0], "999ms"));
}
END_TEST

START_TEST(rules_of_single_options)
{
	const struct option *zone = options_find(&options_all, "timezone");
	const struct option *hosts = options_find(&options_all, "hosts");
	const struct option *pattern = options_find(&options_all, "containers.exclude");
	const struct option *retention = options_find(&options_all, "retention");
	const struct option *interval = options_find(&options_all, "interval");

	ck_assert_ptr_null(parse_error(zone, "UTC"));
	ck_assert_ptr_nonnull(parse_error(zone, "../../etc/passwd"));
	ck_assert_ptr_nonnull(parse_error(zone, "Mars/Olympus"));
	ck_assert_ptr_null(parse_error(hosts, "vps1.example.com"));
	ck_assert_ptr_null(parse_error(hosts, "[::1]"));
	ck_assert_ptr_nonnull(parse_error(hosts, "[::1"));
	ck_assert_ptr_nonnull(parse_error(hosts, "a b"));
	ck_assert_ptr_nonnull(parse_error(hosts, "host:80"));
	ck_assert_ptr_nonnull(parse_error(pattern, "!web"));
	ck_assert_ptr_nonnull(parse_error(pattern, ""));
	ck_assert_ptr_null(parse_error(retention, "1m for 7d"));
	ck_assert_ptr_nonnull(parse_error(retention, "1m"));
	ck_assert_ptr_nonnull(parse_error(retention, "7d for 1m"));
	ck_assert_ptr_nonnull(parse_error(interval, "1500ms"));
}
END_TEST

static const char *printed(const struct option *o, const char *const *values, size_t n)
{
	static char text[256];
	struct buf b = BUF_INIT(255);

	option_print(o, values, n, &b);
	(void)strcpy(text, buf_str(&b));
	buf_done(&b);
	return text;
}

START_TEST(values_are_printed_as_they_are_written)
{
	const struct option text = {.name = "x", .type = OPTION_STRING};
	const struct option list = {.name = "x", .type = OPTION_STRING, .flags = OPTION_LIST};
	const struct option number = {.name = "x", .type = OPTION_INT};
	const char *two[] = {"a\"b", "c\\d"};
	const char *control[] = {"a\n"};
	const char *five[] = {"5"};

	ck_assert_str_eq(printed(&text, two, 1), "\"a\\\"b\"");
	ck_assert_str_eq(printed(&text, control, 1), "\"a\\x0a\"");
	ck_assert_str_eq(printed(&list, two, 2), "[\"a\\\"b\", \"c\\\\d\"]");
	ck_assert_str_eq(printed(&list, NULL, 0), "[]");
	ck_assert_str_eq(printed(&number, five, 1), "5");
}
END_TEST

START_TEST(secrets_are_not_printed)
{
	const struct option secret = {
		.name = "x", .type = OPTION_STRING, .flags = OPTION_SECRET | OPTION_LIST};
	const struct option url = {.name = "x", .type = OPTION_STRING};
	const char *password[] = {"hunter2"};
	const char *with[] = {"https://me:hunter2@example.com/a:b@c"};
	const char *without[] = {"https://example.com/a:b@c"};

	ck_assert_str_eq(printed(&secret, password, 1), "[\"***\"]");
	ck_assert_str_eq(printed(&url, with, 1), "\"https://me:***@example.com/a:b@c\"");
	ck_assert_str_eq(printed(&url, without, 1), "\"https://example.com/a:b@c\"");
}
END_TEST

static const char *described(const char *name)
{
	static char text[128];

	option_describe(options_find(&options_all, name), text, sizeof(text));
	return text;
}

START_TEST(what_is_expected_is_described)
{
	ck_assert_str_eq(described("interval"), "a duration from 1s to 1h");
	ck_assert_str_eq(described("log_level"), "error, warning, info or debug");
	ck_assert_str_eq(described("container_sockets"), "a list of absolute paths");
	ck_assert_str_eq(described("max_connections"), "a whole number from 4 to 4096");
	ck_assert_str_eq(described("hostname"), "a string");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *t = tcase_create("options");
	SRunner *sr;
	int failed;

	tcase_add_test(t, rows_are_sorted_and_documented);
	tcase_add_test(t, defaults_are_values_a_user_could_write);
	tcase_add_test(t, names_in_blocks_are_found);
	tcase_add_test(t, the_nearest_name_is_offered);
	tcase_add_test(t, values_of_each_type);
	tcase_add_test(t, addresses);
	tcase_add_test(t, a_value_out_of_range_is_refused_with_the_range);
	tcase_add_test(t, rules_of_single_options);
	tcase_add_test(t, values_are_printed_as_they_are_written);
	tcase_add_test(t, secrets_are_not_printed);
	tcase_add_test(t, what_is_expected_is_described);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
