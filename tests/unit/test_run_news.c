/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/run_news.h"

static struct run_news news;

static void setup(void)
{
	memset(&news, 0, sizeof(news));
}

static void teardown(void)
{
	run_news_done(&news);
}

static void put(int run, const char *stage)
{
	json_t *message = json_pack(
		"{s:s, s:{s:i, s:s}}", "event", "backup", "run", "run", run, "stage", stage);

	run_news_put(&news, message);
	json_decref(message);
}

static void next_is(uint64_t *serial, const char *text)
{
	struct frame *f = run_news_after(&news, serial);

	ck_assert_ptr_nonnull(f);
	ck_assert_str_eq(f->text, text);
	ck_assert_uint_eq(f->len, strlen(text));
}

START_TEST(each_word_comes_once_in_order)
{
	uint64_t serial = 0;

	put(7, "dump");
	put(3, "pre");
	next_is(&serial, "event: backup\ndata: {\"run\": {\"run\": 7, \"stage\": \"dump\"}}\n\n");
	next_is(&serial, "event: backup\ndata: {\"run\": {\"run\": 3, \"stage\": \"pre\"}}\n\n");
	ck_assert_ptr_null(run_news_after(&news, &serial));
}
END_TEST

START_TEST(of_one_run_only_the_newest_word_waits)
{
	uint64_t serial = 0;

	put(7, "dump");
	put(3, "pre");
	put(7, "commit");
	next_is(&serial, "event: backup\ndata: {\"run\": {\"run\": 3, \"stage\": \"pre\"}}\n\n");
	next_is(&serial, "event: backup\ndata: {\"run\": {\"run\": 7, \"stage\": \"commit\"}}\n\n");
	ck_assert_ptr_null(run_news_after(&news, &serial));
}
END_TEST

START_TEST(who_comes_later_gets_what_is_later)
{
	uint64_t serial;

	put(7, "dump");
	serial = news.last;
	ck_assert_ptr_null(run_news_after(&news, &serial));
	put(8, "dump");
	next_is(&serial, "event: backup\ndata: {\"run\": {\"run\": 8, \"stage\": \"dump\"}}\n\n");
}
END_TEST

START_TEST(many_runs_take_no_more_room)
{
	uint64_t serial = 0;
	unsigned n = 0;

	for (int run = 1; run <= 1000; run++)
		put(run, "dump");
	while (run_news_after(&news, &serial))
		n++;
	ck_assert_uint_eq(n, RUN_NEWS_MAX);
	ck_assert_uint_eq(serial, 1000);
}
END_TEST

START_TEST(a_run_that_is_too_large_comes_without_its_lists)
{
	uint64_t serial = 0;
	json_t *warnings = json_array(), *message;

	for (int i = 0; i < 10000; i++)
		(void)json_array_append_new(warnings, json_string("a table is locked"));
	message = json_pack("{s:s, s:{s:i, s:s, s:o}}", "event", "backup", "run", "run", 9, "state",
		"done", "warnings", warnings);
	run_news_put(&news, message);
	ck_assert_uint_eq(
		json_array_size(json_object_get(json_object_get(message, "run"), "warnings")),
		10000);
	json_decref(message);
	next_is(&serial, "event: backup\ndata: {\"run\": {\"run\": 9, \"state\": \"done\"}}\n\n");
}
END_TEST

static void put_deploy(int id, const char *state, const char *document)
{
	json_t *message = json_pack("{s:s, s:{s:i, s:s, s:s*}}", "event", "deploy", "deploy", "id",
		id, "state", state, "document", document);

	run_news_put(&news, message);
	json_decref(message);
}

START_TEST(deploys_have_numbers_of_their_own)
{
	uint64_t serial = 0;

	put(7, "dump");
	put_deploy(7, "building", NULL);
	put_deploy(7, "done", "all files of a large push");
	next_is(&serial, "event: backup\ndata: {\"run\": {\"run\": 7, \"stage\": \"dump\"}}\n\n");
	next_is(&serial, "event: deploy\ndata: {\"deploy\": {\"id\": 7, \"state\": \"done\"}}\n\n");
	ck_assert_ptr_null(run_news_after(&news, &serial));
}
END_TEST

START_TEST(what_is_no_run_is_ignored)
{
	static const char *const texts[] = {"{}", "{\"event\": \"backup\"}",
		"{\"run\": {\"run\": 7}}", "{\"event\": 1, \"run\": {\"run\": 7}}",
		"{\"event\": \"sample\", \"run\": {\"run\": 7}}",
		"{\"event\": \"backup\", \"run\": 7}", "{\"event\": \"backup\", \"run\": null}",
		"{\"event\": \"backup\", \"run\": {}}",
		"{\"event\": \"backup\", \"run\": {\"run\": -1}}",
		"{\"event\": \"backup\", \"run\": {\"run\": \"7\"}}",
		"{\"event\": \"deploy\", \"run\": {\"run\": 7}}",
		"{\"event\": \"deploy\", \"deploy\": {\"run\": 7}}"};
	uint64_t serial = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *message = json_loads(texts[i], 0, NULL);

		run_news_put(&news, message);
		json_decref(message);
	}
	ck_assert_ptr_null(run_news_after(&news, &serial));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("run_news");
	TCase *t = tcase_create("run_news");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, each_word_comes_once_in_order);
	tcase_add_test(t, of_one_run_only_the_newest_word_waits);
	tcase_add_test(t, who_comes_later_gets_what_is_later);
	tcase_add_test(t, many_runs_take_no_more_room);
	tcase_add_test(t, a_run_that_is_too_large_comes_without_its_lists);
	tcase_add_test(t, deploys_have_numbers_of_their_own);
	tcase_add_test(t, what_is_no_run_is_ignored);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
