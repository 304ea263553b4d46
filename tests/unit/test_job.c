/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs as the daemon writes them.
 */
#include "backup/job.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#define RECIPIENT "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
#define BASE "\"name\":\"shop\",\"engine\":\"command\",\"command\":[\"/bin/dump\",\"-a\"]"

static int read_job(const char *text, struct job **out, struct err *e)
{
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	int r;

	ck_assert_ptr_nonnull(j);
	r = job_from_json(j, out, e);
	json_decref(j);
	return r;
}

static struct job *good(const char *text)
{
	struct job *j = NULL;
	struct err e = {""};

	ck_assert_msg(read_job(text, &j, &e) == 0, "%s: %s", text, e.msg);
	return j;
}

static void bad(const char *text, const char *words)
{
	struct job *j = NULL;
	struct err e = {""};

	ck_assert_msg(read_job(text, &j, &e) == -EINVAL, "%s was taken", text);
	ck_assert_msg(strstr(e.msg, words) != NULL, "%s: %s", text, e.msg);
	ck_assert_ptr_null(j);
}

START_TEST(members_have_the_names_and_units_of_the_options)
{
	struct job *j =
		good("{" BASE ",\"compression\":\"xz\",\"level\":6,\"threads\":2,"
		     "\"keep\":{\"last\":3,\"daily\":7,\"min_age\":172800000},"
		     "\"command_deadline\":60000,\"min_size\":1048576,\"bandwidth\":10485760,"
		     "\"stores\":[\"offsite\",\"local\"],\"pre\":[\"/bin/true\"],\"port\":5432,"
		     "\"schedule\":\"0 3 * * *\"}");

	ck_assert_str_eq(j->name, "shop");
	ck_assert_uint_eq(j->command.n, 2);
	ck_assert_str_eq(j->command.items[1], "-a");
	ck_assert_ptr_null(j->command.items[2]);
	ck_assert_int_eq(j->codec.codec, CODEC_XZ);
	ck_assert_int_eq(j->codec.level, 6);
	ck_assert_int_eq(j->codec.threads, 2);
	ck_assert_int_eq(j->keep.last, 3);
	ck_assert_int_eq(j->keep.daily, 7);
	ck_assert_int_eq(j->keep.min_age_ms, 172800000);
	ck_assert_int_eq(j->command_deadline_ms, 60000);
	ck_assert_int_eq(j->min_bytes, 1048576);
	ck_assert_int_eq(j->bandwidth_bytes, 10485760);
	ck_assert_str_eq(j->stores.items[1], "local");
	ck_assert_int_eq(j->port, 5432);
	job_free(j);
}
END_TEST

START_TEST(what_is_not_set_has_its_default)
{
	struct job *j = good("{" BASE "}");

	ck_assert_int_eq(j->codec.codec, CODEC_ZSTD);
	ck_assert_int_eq(j->codec.threads, 1);
	ck_assert_int_eq(j->command_deadline_ms, 600000);
	ck_assert_int_eq(j->keep.last, 0);
	ck_assert_ptr_null(j->container);
	ck_assert_uint_eq(j->pre.n, 0);
	job_free(j);
}
END_TEST

START_TEST(mistakes_name_their_option)
{
	bad("{\"engine\":\"command\",\"command\":[\"/x\"]}", "name");
	bad("{\"name\":\"../x\",\"engine\":\"command\",\"command\":[\"/x\"]}", "name");
	bad("{\"name\":\"shop\"}", "engine");
	bad("{\"name\":\"shop\",\"engine\":\"oracle\"}", "oracle");
	bad("{\"name\":\"shop\",\"engine\":\"command\"}", "command");
	bad("{" BASE ",\"compression\":\"rar\"}", "compression");
	bad("{" BASE ",\"compression\":\"gzip\",\"level\":12}", "level");
	bad("{" BASE ",\"port\":70000}", "port");
	bad("{" BASE ",\"stores\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}", "stores");
	bad("{" BASE ",\"stores\":[1]}", "stores");
	bad("{" BASE ",\"keep\":{\"daily\":-1}}", "keep");
	bad("{" BASE ",\"pause\":true}", "container");
}
END_TEST

START_TEST(row_31_encryption_without_an_exported_key_is_refused)
{
	struct job *j = good("{" BASE ",\"encrypt\":[\"" RECIPIENT "\"],\"key_exported\":true}");

	ck_assert_uint_eq(j->encrypt.n, 1);
	job_free(j);
	bad("{" BASE ",\"encrypt\":[\"" RECIPIENT "\"]}", "key_exported");
	bad("{" BASE ",\"encrypt\":[\"" RECIPIENT "\"],\"key_exported\":false}", "key_exported");
	bad("{" BASE ",\"passphrase_file\":\"/x\"}", "key_exported");
	bad("{" BASE ",\"encrypt\":[\"age1nonsense\"],\"key_exported\":true}", "encrypt");
	bad("{" BASE ",\"encrypt\":[\"" RECIPIENT
	    "\"],\"passphrase_file\":\"/x\",\"key_exported\":true}",
		"passphrase_file");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("job");
	TCase *tc = tcase_create("job");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, members_have_the_names_and_units_of_the_options);
	tcase_add_test(tc, what_is_not_set_has_its_default);
	tcase_add_test(tc, mistakes_name_their_option);
	tcase_add_test(tc, row_31_encryption_without_an_exported_key_is_refused);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
