/* SPDX-License-Identifier: Apache-2.0
 *
 * A deploy in words: what it is of, how it ended, what serves now, and the exit code that says the same.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/command.h"
#include "agent/deploy_words.h"

static char said[8192];

static json_t *parsed(const char *text)
{
	json_t *j = text ? json_loads(text, 0, NULL) : NULL;

	ck_assert(!text || j);
	return j;
}

static const char *say(struct buf *b)
{
	(void)snprintf(said, sizeof(said), "%s", buf_str(b));
	buf_done(b);
	return said;
}

static const char *what(const char *text)
{
	struct buf b = BUF_INIT(sizeof(said) - 1);
	json_t *j = parsed(text);

	deploy_words_what(j, &b);
	json_decref(j);
	return say(&b);
}

static const char *who(const char *text)
{
	struct buf b = BUF_INIT(sizeof(said) - 1);
	json_t *j = parsed(text);

	deploy_words_who(j, &b);
	json_decref(j);
	return say(&b);
}

/* How it ended, of a deploy 12 of shop that began at 1 s and ended at 43 s. */
static const char *ended(const char *more, const char *serves)
{
	const struct term t = {.columns = 100, .rows = 24};
	struct buf b = BUF_INIT(sizeof(said) - 1);
	json_t *j = parsed("{\"id\":12,\"app\":\"shop\",\"ref\":\"refs/heads/main\",\"commit\":"
			   "\"3f9a2c1b00\",\"started_ms\":1000,\"ended_ms\":43000}"),
	       *rest = parsed(more), *now = parsed(serves);

	ck_assert_int_eq(json_object_update(j, rest), 0);
	deploy_words_end(&t, j, now, &b);
	json_decref(j);
	json_decref(rest);
	json_decref(now);
	return say(&b);
}

#define NINE "{\"id\":9,\"ref\":\"refs/heads/main\",\"commit\":\"8e2f0d1100\"}"

START_TEST(what_is_deployed_is_named_as_people_do)
{
	ck_assert_str_eq(what("{\"ref\":\"refs/heads/main\"}"), "main");
	ck_assert_str_eq(what("{\"ref\":\"refs/heads/main\",\"commit\":\"3f9a2c1b0011\","
			      "\"subject\":\"Mend the basket\"}"),
		"main 3f9a2c1b Mend the basket");
	ck_assert_str_eq(what("{\"ref\":\"refs/tags/v1.2\",\"commit\":\"3f9a2c1b0011\"}"),
		"tag v1.2 3f9a2c1b");
	ck_assert_str_eq(
		what("{\"new\":{\"image\":\"registry/shop:2\"}}"), "image registry/shop:2");
	ck_assert_str_eq(
		what("{\"rollback_of\":9,\"ref\":\"refs/heads/main\",\"commit\":\"8e2f0d11\"}"),
		"back to deploy 9: main 8e2f0d11");
}
END_TEST

START_TEST(what_strangers_wrote_cannot_move_the_cursor)
{
	ck_assert_str_eq(what("{\"ref\":\"refs/heads/a\\u001b[2J\",\"subject\":\"x\\u0007\\ny\"}"),
		"a?[2J x??y");
	ck_assert_str_eq(
		who("{\"by\":\"a\\u001b[2J\",\"trigger\":\"webhook\"}"), "a?[2J by a webhook");
}
END_TEST

START_TEST(who_asked_and_how)
{
	ck_assert_str_eq(
		who("{\"by\":\"root\",\"trigger\":\"command\"}"), "root on the command line");
	ck_assert_str_eq(
		who("{\"by\":\"octocat\",\"trigger\":\"webhook\"}"), "octocat by a webhook");
	ck_assert_str_eq(who("{\"by\":\"ann\",\"trigger\":\"push\"}"), "ann by git push");
	ck_assert_str_eq(who("{\"by\":\"\",\"trigger\":\"webhook\"}"), "by a webhook");
}
END_TEST

START_TEST(one_that_is_done_serves)
{
	ck_assert_str_eq(ended("{\"state\":\"done\"}", NULL),
		"shop  done in 42s: deploy 12 (main 3f9a2c1b) serves\n");
	ck_assert_str_eq(ended("{\"state\":\"done\",\"downtime_ms\":830}", NULL),
		"shop  done in 42s: deploy 12 (main 3f9a2c1b) serves, it was away for 830 ms\n");
	ck_assert_str_eq(ended("{\"state\":\"done\"}", NINE),
		"shop  done in 42s: deploy 9 (main 8e2f0d11) serves by now\n");
	ck_assert_str_eq(ended("{\"state\":\"done\",\"error\":\"not cleared away: x\"}", NULL),
		"shop  done in 42s: deploy 12 (main 3f9a2c1b) serves\n  not cleared away: x\n");
}
END_TEST

START_TEST(a_failure_says_why_what_serves_and_where_to_look)
{
	ck_assert_str_eq(
		ended("{\"state\":\"failed\",\"failed_in\":\"building\",\"error\":\"no disk\"}",
			NINE),
		"shop  failed while building after 42s; deploy 9 (main 8e2f0d11) serves, as "
		"before\n"
		"  no disk\n"
		"  All of it: agent deploy log 12\n");
	ck_assert_ptr_nonnull(
		strstr(ended("{\"state\":\"failed\",\"failed_in\":\"building\"}", NULL),
			"; nothing that serves was changed\n"));
}
END_TEST

START_TEST(what_had_requests_is_told_apart_from_what_never_did)
{
	ck_assert_ptr_nonnull(strstr(
		ended("{\"state\":\"rolled_back\",\"failed_in\":\"watching\"}", NINE),
		"rolled back while watching after 42s; deploy 9 (main 8e2f0d11) serves again\n"));
	ck_assert_ptr_nonnull(
		strstr(ended("{\"state\":\"cancelled\",\"failed_in\":\"watching\"}", NINE),
			" serves again\n"));
	ck_assert_ptr_nonnull(
		strstr(ended("{\"state\":\"cancelled\",\"failed_in\":\"starting\"}", NINE),
			" serves, as before\n"));
	/* There the old one had stopped already. */
	ck_assert_ptr_nonnull(strstr(ended("{\"state\":\"failed\",\"failed_in\":\"starting\","
					   "\"strategy\":\"recreate\"}",
					     NINE),
		" serves again\n"));
	ck_assert_ptr_nonnull(
		strstr(ended("{\"state\":\"failed\",\"failed_in\":\"routing\"}", NULL),
			"; nothing serves: there was no version before\n"));
}
END_TEST

START_TEST(when_nothing_serves_somebody_must_look)
{
	ck_assert_str_eq(
		ended("{\"state\":\"broken\",\"failed_in\":\"routing\",\"error\":\"gone\"}", NINE),
		"shop  BROKEN while routing after 42s; neither version serves: somebody must look\n"
		"  gone\n"
		"  All of it: agent deploy log 12\n");
}
END_TEST

START_TEST(what_never_began_has_no_time_and_no_log)
{
	ck_assert_str_eq(ended("{\"state\":\"superseded\",\"superseded_by\":13,\"started_ms\":0,"
			       "\"error\":\"superseded by deploy 13\"}",
				 NULL),
		"shop  superseded by deploy 13, which is newer; it never began\n");
	ck_assert_str_eq(ended("{\"state\":\"cancelled\",\"started_ms\":0,\"error\":\"cancelled by "
			       "root\"}",
				 NULL),
		"shop  cancelled; nothing that serves was changed\n  cancelled by root\n");
	ck_assert_str_eq(ended("{\"state\":\"skipped\",\"error\":\"no path matches\"}", NULL),
		"shop  nothing to do in 42s\n  no path matches\n");
}
END_TEST

START_TEST(each_end_has_its_exit_code)
{
	static const struct {
		const char *state;
		int code;
	} rows[] = {{"done", 0}, {"skipped", 0}, {"failed", 20}, {"rolled_back", 21},
		{"cancelled", 22}, {"superseded", 22}, {"broken", 23}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *j = json_pack("{s:s}", "state", rows[i].state);

		ck_assert_int_eq(deploy_words_exit(j), rows[i].code);
		ck_assert(deploy_words_is_over(j));
		json_decref(j);
	}
}
END_TEST

START_TEST(why_one_waits)
{
	char text[300];
	static const char *const rows[][2] = {
		{"{\"state\":\"queued\",\"position\":1}", "next in the queue"},
		{"{\"state\":\"queued\",\"position\":3}", "number 3 in the queue"},
		{"{\"state\":\"queued\",\"position\":1,\"waits_for\":\"the disk\"}", "the disk"},
		{"{\"state\":\"building\"}", ""}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *j = parsed(rows[i][0]);

		deploy_words_waits(j, text, sizeof(text));
		ck_assert_str_eq(text, rows[i][1]);
		json_decref(j);
	}
}
END_TEST

START_TEST(times_are_as_exact_as_they_matter)
{
	char text[64];
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {{-5, "0ms"}, {830, "830ms"}, {1000, "1.0s"}, {9949, "9.9s"}, {9950, "10s"},
		{59600, "1m 0s"}, {123456, "2m 3s"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		deploy_words_took(text, sizeof(text), rows[i].ms);
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_words");
	TCase *tc = tcase_create("deploy_words");
	SRunner *r;
	int failed;

	tcase_add_test(tc, what_is_deployed_is_named_as_people_do);
	tcase_add_test(tc, what_strangers_wrote_cannot_move_the_cursor);
	tcase_add_test(tc, who_asked_and_how);
	tcase_add_test(tc, one_that_is_done_serves);
	tcase_add_test(tc, a_failure_says_why_what_serves_and_where_to_look);
	tcase_add_test(tc, what_had_requests_is_told_apart_from_what_never_did);
	tcase_add_test(tc, when_nothing_serves_somebody_must_look);
	tcase_add_test(tc, what_never_began_has_no_time_and_no_log);
	tcase_add_test(tc, each_end_has_its_exit_code);
	tcase_add_test(tc, why_one_waits);
	tcase_add_test(tc, times_are_as_exact_as_they_matter);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
