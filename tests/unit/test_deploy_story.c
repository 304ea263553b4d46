/* SPDX-License-Identifier: Apache-2.0
 *
 * A deploy as it is followed: every line once, below the stage it is of, however late the follower looks.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/deploy_line.h"
#include "agent/deploy_story.h"

static struct deploy_story story;
static struct buf out = BUF_INIT(1 << 20);
static json_t *deploy;

static void setup(void)
{
	story = (struct deploy_story){.term = {.columns = 100, .rows = 24}};
	buf_clear(&out);
	deploy = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:[]}", "id", 12, "app", "shop", "state",
		"building", "ref", "refs/heads/main", "by", "root", "trigger", "command", "stages");
}

static void teardown(void)
{
	json_decref(deploy);
	buf_done(&out);
}

/* Stages begin a second after another, from 03:00:01 of the day 0 on; ended after `took_ms`, or running (-1). */
static void stage(const char *name, const char *verb, const char *state, int took_ms)
{
	json_t *stages = json_object_get(deploy, "stages");
	json_int_t began = (3 * 3600 + (json_int_t)json_array_size(stages) + 1) * 1000;

	(void)json_array_append_new(
		stages, json_pack("{s:s, s:s, s:s, s:I, s:I, s:i}", "stage", name, "verb", verb,
				"state", state, "started_ms", began, "ended_ms",
				took_ms < 0 ? 0 : began + took_ms, "attempts", 1));
}

#define AT(s) "1970-01-01T03:00:0" #s "Z "

START_TEST(into_a_pipe_each_line_says_what_it_is_of)
{
	deploy_story_begin(&story, deploy, &out);
	stage("fetch", "apply", "done", 800);
	stage("build", "apply", "failed", 12000);
	deploy_story_log(&story,
		AT(1) "fetch | one\n" AT(2) "build | two\n" AT(3) "build | three\n", deploy, &out);
	deploy_story_take(&story, deploy, 0, &out);
	ck_assert_str_eq(buf_str(&out),
		"Deploy 12 of shop: main, asked for by root on the command line\n"
		"fetch | one\n"
		"fetch: done in 800ms\n"
		"build | two\n"
		"build | three\n"
		"build: failed after 12s\n");
}
END_TEST

START_TEST(on_a_terminal_stages_are_headings_and_what_runs_is_a_line_that_moves)
{
	story.live = true;
	stage("fetch", "apply", "done", 800);
	stage("build", "apply", "running", -1);
	deploy_story_log(&story, AT(1) "fetch | one\n", deploy, &out);
	deploy_story_take(&story, deploy, (3 * 3600 + 9) * 1000, &out);
	ck_assert_str_eq(buf_str(&out), "fetch\n  one\n  done in 800ms\n\r\033[Kbuild  7s");
	buf_clear(&out);
	deploy_story_log(&story, AT(2) "build | two\n", deploy, &out);
	ck_assert_str_eq(buf_str(&out), "\r\033[Kbuild\n  two\n");
}
END_TEST

START_TEST(a_time_to_wait_is_counted_down)
{
	story.live = true;
	stage("watch", "", "running", -1);
	(void)json_object_set_new(deploy, "deadline_ms", json_integer(100000));
	deploy_story_take(&story, deploy, 91500, &out);
	ck_assert_str_eq(buf_str(&out), "\r\033[Kwatch  9s left");
	buf_clear(&out);
	deploy_story_wipe(&story, &out);
	ck_assert_str_eq(buf_str(&out), "\r\033[K");
}
END_TEST

START_TEST(a_stage_that_nothing_serves_is_not_told)
{
	stage("filter", "apply", "done", 900);
	stage("build", "apply", "done", 10);
	stage("watch", "", "done", 3);
	(void)json_object_set_new(
		json_array_get(json_object_get(deploy, "stages"), 0), "nothing", json_true());
	deploy_story_take(&story, deploy, 0, &out);
	ck_assert_str_eq(buf_str(&out), "build: done in 10ms\n");
}
END_TEST

/* The record is older than the log: its stages come with the record that was asked for after the log. */
START_TEST(a_line_of_a_later_stage_ends_those_before)
{
	json_t *before;

	stage("fetch", "apply", "running", -1);
	before = json_deep_copy(deploy);
	(void)json_array_clear(json_object_get(deploy, "stages"));
	stage("fetch", "apply", "done", 200);
	stage("filter", "apply", "done", 300);
	stage("build", "apply", "running", -1);
	deploy_story_log(&story, AT(1) "fetch | one\n" AT(3) "build | two\n", deploy, &out);
	deploy_story_take(&story, before, 0, &out);
	deploy_story_log(&story, AT(3) "build | three\n", deploy, &out);
	ck_assert_str_eq(buf_str(&out), "fetch | one\n"
					"fetch: done in 200ms\n"
					"filter: done in 300ms\n"
					"build | two\n"
					"build | three\n");
	json_decref(before);
}
END_TEST

START_TEST(the_way_back_is_told_in_words)
{
	stage("route", "apply", "failed", 500);
	stage("route", "revert", "done", 500);
	stage("start", "revert", "done", 500);
	deploy_story_take(&story, deploy, 0, &out);
	ck_assert_str_eq(buf_str(&out), "route: failed after 500ms\n"
					"back to the old version: done in 500ms\n"
					"removing the new version: done in 500ms\n");
}
END_TEST

START_TEST(while_it_is_watched_the_probe_speaks)
{
	story.live = true;
	stage("probe", "apply", "done", 500);
	stage("watch", "", "running", -1);
	deploy_story_log(&story, AT(1) "probe | healthy\n" AT(2) "probe | still\n", deploy, &out);
	/* Both are of the stage; the second one could be of the watch. */
	deploy_story_take(&story, deploy, 0, &out);
	ck_assert_ptr_nonnull(
		strstr(buf_str(&out), "probe\n  healthy\n  still\n  done in 500ms\n"));
	buf_clear(&out);
	deploy_story_log(&story, AT(3) "probe | healthy\n", deploy, &out);
	ck_assert_str_eq(buf_str(&out), "\r\033[Kwatch\n  healthy\n");
}
END_TEST

START_TEST(after_a_restart_the_stages_are_told_again)
{
	story.live = true;
	stage("fetch", "apply", "done", 200);
	stage("build", "apply", "running", -1);
	deploy_story_log(&story, AT(1) "fetch | one\n" AT(2) "build | two\n", deploy, &out);
	buf_clear(&out);
	(void)json_array_clear(json_object_get(deploy, "stages"));
	(void)json_object_set_new(deploy, "requeued", json_integer(1));
	stage("fetch", "apply", "running", -1);
	deploy_story_log(&story,
		AT(2) "build | three\n" AT(3) "build | the agent ended here; it goes on now "
					      "(x)\n" AT(3) "fetch | one\n",
		deploy, &out);
	ck_assert_str_eq(
		buf_str(&out), "  three\nthe agent ended here; it goes on now (x)\nfetch\n  one\n");
}
END_TEST

START_TEST(why_it_waits_is_told_once)
{
	(void)json_object_set_new(deploy, "state", json_string("queued"));
	(void)json_object_set_new(deploy, "position", json_integer(2));
	deploy_story_take(&story, deploy, 0, &out);
	deploy_story_take(&story, deploy, 0, &out);
	(void)json_object_set_new(deploy, "waits_for", json_string("the disk"));
	deploy_story_take(&story, deploy, 0, &out);
	(void)json_object_set_new(deploy, "state", json_string("building"));
	(void)json_object_del(deploy, "waits_for");
	deploy_story_take(&story, deploy, 0, &out);
	ck_assert_str_eq(buf_str(&out), "waiting: number 2 in the queue\nwaiting: the disk\n");
}
END_TEST

START_TEST(a_line_has_the_time_of_this_place_or_is_json)
{
	(void)setenv("TZ", "UTC-2", 1);
	tzset(); /* with Valgrind all tests are one process */
	deploy_line_print(AT(1) "build | a \"b\"\n... 3 MiB left out ...\n", false, 4 * 3600, &out);
	ck_assert_str_eq(buf_str(&out), "05:00:01 build | a \"b\"\n... 3 MiB left out ...\n");
	buf_clear(&out);
	deploy_line_print(AT(1) "build | x\n", false, 86400 * 3, &out);
	ck_assert_str_eq(buf_str(&out), "1970-01-01 05:00:01 build | x\n");
	buf_clear(&out);
	deploy_line_print(AT(1) "build | a \"b\"\nno line of ours | x", true, 0, &out);
	ck_assert_str_eq(buf_str(&out),
		"{\"time\":\"1970-01-01T03:00:01Z\",\"stage\":\"build\",\"text\":\"a \\\"b\\\"\"}\n"
		"{\"stage\":\"\",\"text\":\"no line of ours | x\"}\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_story");
	TCase *tc = tcase_create("deploy_story");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, into_a_pipe_each_line_says_what_it_is_of);
	tcase_add_test(tc, on_a_terminal_stages_are_headings_and_what_runs_is_a_line_that_moves);
	tcase_add_test(tc, a_time_to_wait_is_counted_down);
	tcase_add_test(tc, a_stage_that_nothing_serves_is_not_told);
	tcase_add_test(tc, a_line_of_a_later_stage_ends_those_before);
	tcase_add_test(tc, the_way_back_is_told_in_words);
	tcase_add_test(tc, while_it_is_watched_the_probe_speaks);
	tcase_add_test(tc, after_a_restart_the_stages_are_told_again);
	tcase_add_test(tc, why_it_waits_is_told_once);
	tcase_add_test(tc, a_line_has_the_time_of_this_place_or_is_json);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
