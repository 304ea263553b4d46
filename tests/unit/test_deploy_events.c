/* SPDX-License-Identifier: Apache-2.0
 *
 * What people are told about deploys.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploy_events.h"
#include "agent/deploy_phrase.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "deploy-hooks/deploy_stages.h"

enum { T0 = 1795237567 };
static const int64_t start_ms = (int64_t)T0 * 1000;
static struct deploy *d;
static struct deploy_event_facts facts;
static struct event *ev;

static void setup(void)
{
	d = deploy_new("shop");
	d->id = 12;
	str_copy(d->trigger, sizeof(d->trigger), "webhook");
	str_copy(d->by, sizeof(d->by), "octocat");
	str_copy(d->ref, sizeof(d->ref), "refs/heads/main");
	str_copy(d->commit, sizeof(d->commit), "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c");
	str_copy(d->author, sizeof(d->author), "Ada");
	str_copy(d->subject, sizeof(d->subject), "Fix the login");
	str_copy(d->old.container, sizeof(d->old.container), "shop-11");
	d->started_ms = start_ms;
	deploy_stages_begin(d, "fetch", "apply", start_ms);
	deploy_stages_end(d, "done", start_ms + 1200);
	deploy_stages_begin(d, "filter", "apply", start_ms + 1200);
	deploy_stages_end(d, "done", start_ms + 1200);
	deploy_stages_begin(d, "build", "apply", start_ms + 1200);
	facts = (struct deploy_event_facts){.now_ms = start_ms + 60000};
}

static void teardown(void)
{
	event_free(ev);
	ev = NULL;
	deploy_free(d);
}

static void end(enum deploy_state state, const char *stage_state, const char *error)
{
	deploy_stages_end(d, stage_state, start_ms + 35200);
	str_copy(d->error, sizeof(d->error), error);
	deploy_end(d, state, start_ms + 36000);
	ev = deploy_event(d, NULL, &facts);
}

static const char *fact(const char *name)
{
	for (size_t i = 0; i < ev->n_facts; i++)
		if (strcmp(ev->facts[i].name, name) == 0)
			return ev->facts[i].value;
	return "";
}

START_TEST(a_success_says_what_of_whom_and_how_long_it_took)
{
	d->downtime_ms = 1240;
	end(DEPLOY_DONE, "done", "");
	ck_assert_str_eq(ev->kind, EVENT_DEPLOY_DONE);
	ck_assert_int_eq(ev->severity, SEVERITY_INFO);
	ck_assert_str_eq(ev->key, "deploy shop");
	ck_assert_str_eq(ev->title, "shop is deployed: 0d1a26e6 of main");
	ck_assert_str_eq(ev->text, "Fix the login (Ada)\n");
	ck_assert_str_eq(fact("Commit"), "Fix the login (Ada)");
	ck_assert_str_eq(fact("Asked for by"), "octocat (webhook)");
	ck_assert_str_eq(fact("Took"), "36 s (fetch 1.2 s, build 34 s)");
	ck_assert_str_eq(fact("Nothing served for"), "1.2 s");
	ck_assert_str_eq(fact("Deploy"), "12");
	ck_assert_str_eq(fact("Failed in"), "");
	ck_assert(!ev->is_end);
}
END_TEST

START_TEST(what_could_not_be_cleared_away_is_told_with_a_success)
{
	end(DEPLOY_DONE, "done", "the image of deploy 3 could not be removed");
	ck_assert_ptr_nonnull(strstr(ev->text, "But: the image of deploy 3"));
}
END_TEST

START_TEST(a_failure_says_where_why_the_last_lines_and_what_serves)
{
	struct deploy *serves = deploy_new("shop");
	char log[6000];
	size_t n = 0;

	for (int i = 1; i <= 100; i++)
		n += (size_t)snprintf(log + n, sizeof(log) - n,
			"2026-11-21T03:00:%02dZ build | line %d\n", i % 60, i);
	serves->id = 11;
	serves->ended_ms = start_ms - 3600000;
	str_copy(serves->commit, sizeof(serves->commit), "aaaabbbbccccdddd");
	facts.serves = serves;
	facts.log_tail = log;
	end(DEPLOY_FAILED, "failed", "the hook build/dockerfile failed: exit status 1");
	ck_assert_str_eq(ev->kind, EVENT_DEPLOY_FAILED);
	ck_assert_int_eq(ev->severity, SEVERITY_WARNING);
	ck_assert_str_eq(ev->title, "Deploy of shop failed in build, nothing was changed");
	ck_assert(str_starts(ev->text,
		"the hook build/dockerfile failed: exit status 1\nWhat serves is deploy 11 of "));
	ck_assert_ptr_nonnull(strstr(ev->text, ": aaaabbbb.\n"));
	ck_assert_ptr_nonnull(strstr(ev->text, "The end of its log:\nbuild | line 86\n"));
	ck_assert_ptr_nonnull(
		strstr(ev->text, "\nbuild | line 100\nWhat to do: \"agent deploy log 12\""));
	ck_assert_str_eq(fact("Failed in"), "build");
	deploy_free(serves);
}
END_TEST

START_TEST(a_first_deploy_that_fails_changes_nothing_but_nothing_serves)
{
	d->old.container[0] = '\0';
	end(DEPLOY_FAILED, "failed", "no");
	ck_assert_str_eq(ev->title, "Deploy of shop failed in build");
	ck_assert_ptr_nonnull(strstr(ev->text, "No version of it serves yet."));
}
END_TEST

START_TEST(a_return_and_a_broken_app_are_told_apart)
{
	deploy_stages_end(d, "done", start_ms + 2000);
	deploy_stages_begin(d, "watch", "", start_ms + 2000);
	deploy_stages_end(d, "failed", start_ms + 9000);
	deploy_stages_begin(d, "route", "revert", start_ms + 9000);
	end(DEPLOY_ROLLED_BACK, "done", "it restarted 3 times");
	ck_assert_str_eq(ev->kind, EVENT_DEPLOY_ROLLED_BACK);
	ck_assert_str_eq(ev->title, "Deploy of shop failed in watch, the old version is back");
	ck_assert_ptr_nonnull(strstr(ev->text, "The old version serves."));
	event_free(ev);
	end(DEPLOY_BROKEN, "failed", "the router does not answer");
	ck_assert_int_eq(ev->severity, SEVERITY_CRITICAL);
	ck_assert_str_eq(ev->title, "shop does not work: its deploy failed in watch, and the old "
				    "version could not be put back");
	ck_assert_ptr_nonnull(strstr(ev->text, "agent deploy rollback shop"));
}
END_TEST

START_TEST(the_first_good_one_ends_the_story)
{
	facts.story_ms = start_ms - 600000;
	end(DEPLOY_DONE, "done", "");
	ck_assert_str_eq(ev->kind, EVENT_DEPLOY_RECOVERED);
	ck_assert_str_eq(ev->key, "deploy shop");
	ck_assert(ev->is_end);
	ck_assert_int_eq(ev->duration_ms, 660000);
	ck_assert_str_eq(ev->title, "Deploys of shop work again: 0d1a26e6 of main");
}
END_TEST

START_TEST(a_return_by_hand_is_called_so)
{
	d->rollback_of = 9;
	end(DEPLOY_DONE, "done", "");
	ck_assert_str_eq(ev->title, "shop is back at the version of deploy 9");
}
END_TEST

START_TEST(what_changed_nothing_by_intent_is_not_told)
{
	end(DEPLOY_SKIPPED, "skipped", "no path matches");
	ck_assert_ptr_null(ev);
	end(DEPLOY_SUPERSEDED, "skipped", "");
	ck_assert_ptr_null(ev);
	d->started_ms = 0;
	end(DEPLOY_CANCELLED, "cancelled", "");
	ck_assert_ptr_null(ev);
	d->started_ms = start_ms;
	end(DEPLOY_CANCELLED, "cancelled", "cancelled by root");
	ck_assert_int_eq(ev->severity, SEVERITY_INFO);
	ck_assert_str_eq(ev->title, "Deploy of shop was cancelled");
	ck_assert(str_starts(ev->text, "cancelled by root\n"));
}
END_TEST

/* Whoever pushes writes the subject. */
START_TEST(hostile_texts_stay_in_their_place)
{
	char log[5000];

	memset(log, 'x', sizeof(log) - 1);
	log[sizeof(log) - 1] = '\0';
	facts.log_tail = log;
	memset(d->subject, 'A', sizeof(d->subject) - 1);
	str_copy(d->author, sizeof(d->author), "Eve\n\x1b[31m\xff");
	str_copy(d->ref, sizeof(d->ref), "refs/heads/%s%n");
	end(DEPLOY_FAILED, "failed", "%s%n");
	ck_assert_ptr_nonnull(strstr(fact("Version"), "of %s%n"));
	ck_assert_ptr_null(strchr(fact("Commit"), '\n'));
	ck_assert_ptr_null(strchr(fact("Commit"), '\x1b'));
	ck_assert(str_starts(ev->text, "%s%n\n"));
	ck_assert_uint_lt(strlen(ev->text), 2600);
}
END_TEST

static json_t *run_of(int id, const char *state, int ended)
{
	return json_pack("{s:i,s:s,s:i}", "id", id, "state", state, "ended_ms", ended);
}

START_TEST(a_story_begins_with_the_first_of_the_bad_ones_in_a_row)
{
	json_t *runs = json_array();

	(void)json_array_append_new(runs, run_of(8, "failed", 8000));
	(void)json_array_append_new(runs, run_of(7, "done", 7000));
	(void)json_array_append_new(runs, run_of(6, "cancelled", 6000));
	(void)json_array_append_new(runs, run_of(5, "rolled_back", 5000));
	(void)json_array_append_new(runs, run_of(4, "superseded", 4000));
	(void)json_array_append_new(runs, run_of(3, "failed", 3000));
	(void)json_array_append_new(runs, run_of(2, "done", 2000));
	(void)json_array_append_new(runs, run_of(1, "failed", 1000));
	ck_assert_int_eq(deploy_event_story_ms(runs, 9), 8000);
	ck_assert_int_eq(deploy_event_story_ms(runs, 8), 0);
	ck_assert_int_eq(deploy_event_story_ms(runs, 7), 3000);
	ck_assert_int_eq(deploy_event_story_ms(runs, 3), 0);
	ck_assert_int_eq(deploy_event_story_ms(runs, 2), 1000);
	ck_assert_int_eq(deploy_event_story_ms(runs, 1), 0);
	json_decref(runs);
}
END_TEST

START_TEST(who_did_what_is_noted)
{
	ev = deploy_event_audit("shop", d, "started", "octocat");
	ck_assert_str_eq(ev->title, "Deploy 12 of shop: started by octocat (webhook)");
	ck_assert_str_eq(ev->key, "");
	ck_assert_str_eq(ev->kind, "audit.deploy");
	event_free(ev);
	ev = deploy_event_audit("shop", NULL, "variables DB_URL, TOKEN set", "root");
	ck_assert_str_eq(ev->title, "shop: variables DB_URL, TOKEN set by root");
}
END_TEST

static const char *what(void)
{
	static char to[300];
	_cleanup_(buf_done) struct buf b = BUF_INIT(sizeof(to));

	deploy_phrase_what(d, &b);
	str_copy(to, sizeof(to), buf_str(&b));
	return to;
}

START_TEST(what_is_deployed_has_a_name_in_each_case)
{
	str_copy(d->ref, sizeof(d->ref), "refs/tags/v1.2");
	ck_assert_str_eq(what(), "0d1a26e6 of tag v1.2");
	d->commit[0] = '\0';
	ck_assert_str_eq(what(), "tag v1.2");
	d->ref[0] = '\0';
	ck_assert_str_eq(what(), "deploy 12");
	str_copy(d->new.image, sizeof(d->new.image), "me/shop:1.2");
	ck_assert_str_eq(what(), "image me/shop:1.2");
	str_copy(d->commit, sizeof(d->commit), "abc");
	ck_assert_str_eq(what(), "abc");
	d->rollback_of = 3;
	ck_assert_str_eq(what(), "the version of deploy 3");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_events");
	TCase *tc = tcase_create("deploy_events");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_success_says_what_of_whom_and_how_long_it_took);
	tcase_add_test(tc, what_could_not_be_cleared_away_is_told_with_a_success);
	tcase_add_test(tc, a_failure_says_where_why_the_last_lines_and_what_serves);
	tcase_add_test(tc, a_first_deploy_that_fails_changes_nothing_but_nothing_serves);
	tcase_add_test(tc, a_return_and_a_broken_app_are_told_apart);
	tcase_add_test(tc, the_first_good_one_ends_the_story);
	tcase_add_test(tc, a_return_by_hand_is_called_so);
	tcase_add_test(tc, what_changed_nothing_by_intent_is_not_told);
	tcase_add_test(tc, hostile_texts_stay_in_their_place);
	tcase_add_test(tc, a_story_begins_with_the_first_of_the_bad_ones_in_a_row);
	tcase_add_test(tc, who_did_what_is_noted);
	tcase_add_test(tc, what_is_deployed_has_a_name_in_each_case);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
