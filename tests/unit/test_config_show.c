/* SPDX-License-Identifier: Apache-2.0
 *
 * The sample file, the list for programs and the manual's section say what the table says.
 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_show.h"
#include "base/cleanup.h"
#include "base/str.h"

static const struct option block_rows[] = {
	{"list", OPTION_INT, OPTION_LIST, "", 0, 9, NULL, NULL, "A list."},
	{"secret", OPTION_STRING, OPTION_SECRET, "s3cret", 0, 0, NULL, NULL, "A secret."},
	{"stores.*.bucket", OPTION_STRING, 0, "b", 0, 0, NULL, NULL, "A bucket."},
	{"stores.*.keep.daily", OPTION_INT, 0, "7", 0, 99, NULL, NULL, "Days."},
	{"stores.*.region", OPTION_STRING, OPTION_EXAMPLE, "eu", 0, 0, NULL, NULL, "A region."},
	{"stores.*.type", OPTION_CHOICE, 0, "s3", 0, 0, "s3 rclone", NULL, "A type."},
	{"zero", OPTION_BOOL, 0, "true", 0, 0, NULL, NULL, "Zero."},
};
static const struct options blocks = {block_rows, 7};

static struct config *load(const struct options *t, const char *text)
{
	struct mistakes m = {NULL, 0, 0};
	struct config *c = NULL;
	int r = config_from_memory(t, "a.conf", text, strlen(text), &c, &m);

	ck_assert_msg(r == 0, "%s\n%s", m.n ? m.list[0] : "?", text);
	return c;
}

static void count(void *user, const char *name)
{
	(void)name;
	(*(size_t *)user)++;
}

/* Takes the '#' off every line that holds a setting: "# " is prose. With `with_blocks`, groups of
 * named blocks too; their examples need not fit together. */
static void uncomment(const char *text, bool with_blocks, struct buf *out)
{
	bool inside = false;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *line = *p == '#' && p[1] != ' ' ? p + 1 : p;

		if (!inside && str_starts(line + strcspn(line, "\n"), "\n#\tNAME = {"))
			inside = true;
		if (inside && !with_blocks)
			line = p;
		if (str_starts(p, "#}"))
			inside = false;

		buf_add(out, line, strcspn(line, "\n"));
		buf_addc(out, '\n');
	}
}

static void check_sample(const struct options *t, bool with_blocks, const char *plain)
{
	_cleanup_(buf_done) struct buf sample = BUF_INIT(1 << 20);
	_cleanup_(buf_done) struct buf active = BUF_INIT(1 << 20);
	_cleanup_(config_free_p) struct config *untouched = NULL;
	_cleanup_(config_free_p) struct config *all_set = NULL;
	_cleanup_(config_free_p) struct config *defaults = load(t, plain);
	size_t changed = 0;

	config_show_sample(t, &sample);
	untouched = load(t, buf_str(&sample));
	uncomment(buf_str(&sample), with_blocks, &active);
	all_set = load(t, buf_str(&active));
	config_diff(defaults, all_set, count, &changed);
	ck_assert_uint_eq(changed, 0);
	for (size_t i = 0; i < t->n; i++) {
		ck_assert_ptr_nonnull(strstr(buf_str(&sample), t->rows[i].doc));
		if (with_blocks || !strchr(t->rows[i].name, '*'))
			ck_assert_msg(
				config_is_set(all_set, t->rows[i].name), "%s", t->rows[i].name);
	}
}

START_TEST(the_sample_is_valid_with_and_without_its_comment_marks)
{
	check_sample(&options_all, false,
		"containers={} disks={} filesystems={} interfaces={} services={} "
		"hostname=\"vps1\" timezone=\"UTC\" url=\"https://vps1.example.com:4500\"");
}
END_TEST

START_TEST(the_sample_shows_named_blocks)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);

	config_show_sample(&blocks, &b);
	ck_assert_ptr_nonnull(
		strstr(buf_str(&b), "\n#stores = {\n#\tNAME = {\n#\t\t# A bucket.\n"
				    "#\t\tbucket = \"b\"\n#\t\tkeep = {\n#\t\t\t# Days.\n"
				    "#\t\t\tdaily = 7\n#\t\t}\n"
				    "#\t\t# A region. For example:\n#\t\tregion = \"eu\"\n"
				    "#\t\t# A type.\n"
				    "#\t\ttype = \"s3\"\n#\t}\n#}\n"));
}
END_TEST

START_TEST(an_example_is_not_set)
{
	_cleanup_(config_free_p) struct config *c = load(&blocks, "stores = { a = { } }");

	ck_assert_ptr_null(config_string(c, "stores.a.region"));
	ck_assert(!config_is_set(c, "stores.a.region"));
	ck_assert_str_eq(config_string(c, "stores.a.bucket"), "b");
}
END_TEST

START_TEST(the_list_for_programs_has_types_and_no_secrets)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
	_cleanup_(config_free_p) struct config *c = load(&blocks, "list = [1, 2]\nzero = false\n");
	json_t *all, *s;

	config_show_json(c, &b);
	ck_assert_ptr_null(strstr(buf_str(&b), "s3cret"));
	all = json_loads(buf_str(&b), 0, NULL);
	ck_assert_uint_eq(json_array_size(all), 3);
	s = json_array_get(all, 0);
	ck_assert_str_eq(json_string_value(json_object_get(s, "name")), "list");
	ck_assert_str_eq(json_string_value(json_object_get(s, "origin")), "a.conf:1");
	ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(s, "value"), 1)), 2);
	s = json_array_get(all, 1);
	ck_assert_str_eq(json_string_value(json_object_get(s, "value")), "***");
	s = json_array_get(all, 2);
	ck_assert(json_is_false(json_object_get(s, "value")));
	json_decref(all);
}
END_TEST

START_TEST(the_manual_has_every_option)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
	char item[256];

	config_show_manual(&options_all, &b);
	for (size_t i = 0; i < options_all.n; i++) {
		(void)snprintf(item, sizeof(item), ".It Ic %s\n", options_all.rows[i].name);
		ck_assert_ptr_nonnull(strstr(buf_str(&b), item));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_show");
	TCase *t = tcase_create("config_show");
	SRunner *sr;
	int failed;

	tcase_add_test(t, the_sample_is_valid_with_and_without_its_comment_marks);
	tcase_add_test(t, the_sample_shows_named_blocks);
	tcase_add_test(t, an_example_is_not_set);
	tcase_add_test(t, the_list_for_programs_has_types_and_no_secrets);
	tcase_add_test(t, the_manual_has_every_option);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
