/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/machine_case.h"

/* Whole ways. What is not in the script goes well. */
static const struct {
	const char *script, *expected;
	enum deploy_state failed_in;
	const char *error;
} ways[] = {
	{"", BUILDS STARTS ENDS "post-deploy done", DEPLOY_QUEUED, ""},

	{"fetch=fail", "fetch on-failure failed", DEPLOY_FETCHING, "exit status 1"},
	{"filter=fail", "fetch filter on-failure failed", DEPLOY_FETCHING, "exit status 1"},
	{"pre-build=fail", "fetch filter pre-build on-failure failed", DEPLOY_BUILDING,
		"exit status 1"},
	{"build=fail", "fetch filter pre-build build on-failure failed", DEPLOY_BUILDING,
		"exit status 1"},
	{"push=fail", "fetch filter pre-build build push on-failure failed", DEPLOY_PUSHING,
		"exit status 1"},
	{"release=fail", "fetch filter pre-build build push release on-failure failed",
		DEPLOY_RELEASING, "exit status 1"},
	{"pre-start=fail", BUILDS "on-failure failed", DEPLOY_RELEASING, "exit status 1"},
	/* A container was made: it goes first. The old version was never touched. */
	{"start=fail", BUILDS "start -start on-failure failed", DEPLOY_STARTING, "exit status 1"},
	{"probe=fail", BUILDS "start probe -start on-failure failed", DEPLOY_PROBING,
		"exit status 1"},
	{"pre-route=fail", BUILDS "start probe pre-route -start on-failure failed", DEPLOY_PROBING,
		"exit status 1"},
	{"probe=fail -start=fail", BUILDS "start probe -start on-failure failed", DEPLOY_PROBING,
		"exit status 1; the new version could not be removed: exit status 1"},
	/* From here on the old version is put back. */
	{"route=fail",
		BUILDS "start probe pre-route route -stop -route -start on-rollback rolled_back",
		DEPLOY_ROUTING, "exit status 1"},
	{"watch=unhealthy", BUILDS STARTS "-stop -route -start on-rollback rolled_back",
		DEPLOY_WATCHING, "the new version did not stay healthy"},
	{"watch=unhealthy -start=fail", BUILDS STARTS "-stop -route -start on-rollback rolled_back",
		DEPLOY_WATCHING,
		"the new version did not stay healthy; the new version could not be taken away: "
		"exit status 1"},
	/* Somebody must look; what gets the requests is let be. */
	{"route=fail -stop=fail", BUILDS "start probe pre-route route -stop on-failure broken",
		DEPLOY_ROUTING,
		"exit status 1; the old version could not be put back: exit status 1"},
	{"watch=unhealthy -route=fail", BUILDS STARTS "-stop -route on-failure broken",
		DEPLOY_WATCHING,
		"the new version did not stay healthy; the old version could not be put back: "
		"exit status 1"},
	/* The new version serves: nothing that follows changes that. */
	{"stop=fail", BUILDS STARTS ENDS "post-deploy done", DEPLOY_QUEUED,
		"not cleared away: exit status 1"},
	{"retire=fail", BUILDS STARTS ENDS "post-deploy done", DEPLOY_QUEUED,
		"not cleared away: exit status 1"},

	/* Nothing to deploy. */
	{"fetch=skip", "fetch skipped", DEPLOY_QUEUED, ""},
	{"filter=skip", "fetch filter skipped", DEPLOY_QUEUED, ""},
	{"build=skip", "fetch filter pre-build build skipped", DEPLOY_QUEUED, ""},
	{"start=skip", BUILDS "start skipped", DEPLOY_QUEUED, ""},
	/* Nothing to do in a stage. */
	{"pre-build=skip push=skip release=skip pre-start=skip probe=skip pre-route=skip "
	 "route=skip "
	 "stop=skip retire=skip post-deploy=skip",
		BUILDS STARTS ENDS "post-deploy done", DEPLOY_QUEUED, ""},
	{"watch=unhealthy -stop=skip -route=skip -start=skip",
		BUILDS STARTS "-stop -route -start on-rollback rolled_back", DEPLOY_WATCHING,
		"the new version did not stay healthy"},

	/* Observers cannot change how it ended. */
	{"post-deploy=fail", BUILDS STARTS ENDS "post-deploy done", DEPLOY_QUEUED, ""},
	{"build=fail on-failure=fail", "fetch filter pre-build build on-failure failed",
		DEPLOY_BUILDING, "exit status 1"},

	/* Twice is not too often. */
	{"build=again build=again push=again push=again",
		"fetch filter pre-build build build build push push push release pre-start " STARTS
			ENDS "post-deploy done",
		DEPLOY_QUEUED, ""},
	{"build=again build=again build=again",
		"fetch filter pre-build build build build on-failure failed", DEPLOY_BUILDING,
		"build failed"},
	{"route=again route=again route=again",
		BUILDS "start probe pre-route route route route -stop -route -start on-rollback "
		       "rolled_back",
		DEPLOY_ROUTING, "route failed"},
	/* Undoing is tried for longer. */
	{"watch=unhealthy -stop=again -stop=again -stop=again -stop=again",
		BUILDS STARTS "-stop -stop -stop -stop -stop -route -start on-rollback rolled_back",
		DEPLOY_WATCHING, "the new version did not stay healthy"},

	/* Cancelled. */
	{"fetch=cancel", "fetch cancelled", DEPLOY_FETCHING, "cancelled"},
	{"build=cancel", "fetch filter pre-build build cancelled", DEPLOY_BUILDING, "cancelled"},
	{"push=cancel", "fetch filter pre-build build push cancelled", DEPLOY_PUSHING, "cancelled"},
	{"release=cancel", "fetch filter pre-build build push release cancelled", DEPLOY_RELEASING,
		"cancelled"},
	{"start=cancel", BUILDS "start -start cancelled", DEPLOY_STARTING, "cancelled"},
	{"probe=cancel", BUILDS "start probe -start cancelled", DEPLOY_PROBING, "cancelled"},
	{"route=cancel", BUILDS "start probe pre-route route -stop -route -start cancelled",
		DEPLOY_ROUTING, "cancelled"},
	{"watch=cancel", BUILDS STARTS "-stop -route -start cancelled", DEPLOY_WATCHING,
		"cancelled"},
	{"watch=cancel -route=fail", BUILDS STARTS "-stop -route on-failure broken",
		DEPLOY_WATCHING, "cancelled; the old version could not be put back: exit status 1"},
	/* Too late: it is finished. */
	{"drain=cancel stop=cancel retire=cancel post-deploy=cancel",
		BUILDS STARTS ENDS "post-deploy done", DEPLOY_QUEUED, ""},
	{"start=fail -start=cancel", BUILDS "start -start on-failure failed", DEPLOY_STARTING,
		"exit status 1"},
	{"watch=unhealthy -route=cancel",
		BUILDS STARTS "-stop -route -start on-rollback rolled_back", DEPLOY_WATCHING,
		"the new version did not stay healthy"},
};

START_TEST(each_way_leads_to_its_end)
{
	ck_assert_str_eq(runs(ways[_i].script), ways[_i].expected);
	ck_assert_int_eq(d->failed_in, ways[_i].failed_in);
	ck_assert_str_eq(d->error, ways[_i].error);
	ck_assert(deploy_state_is_end(d->state));
	ck_assert_int_gt(d->ended_ms, d->started_ms);
	ck_assert_int_eq(d->downtime_ms, -1);
}
END_TEST

START_TEST(one_that_waits_is_cancelled_at_once)
{
	ck_assert(machine_can_cancel(d));
	ck_assert_int_eq(
		machine_next(d, MACHINE_CANCEL, "by octocat", now_ms).state, DEPLOY_CANCELLED);
	ck_assert_str_eq(d->error, "by octocat");
	ck_assert_int_eq(d->ended_ms, now_ms);
	ck_assert(machine_next(d, MACHINE_BEGIN, NULL, now_ms).ignored);
}
END_TEST

START_TEST(who_may_be_cancelled_is_known_before)
{
	for (int s = 0; s < DEPLOY_STATES; s++) {
		d->state = (enum deploy_state)s;
		ck_assert_int_eq(machine_can_cancel(d), s < DEPLOY_DRAINING);
	}
}
END_TEST

START_TEST(attempts_wait_longer_each_time)
{
	struct machine_step s = machine_next(d, MACHINE_BEGIN, NULL, now_ms);

	ck_assert_uint_eq(d->attempt, 1);
	ck_assert_int_eq(s.wait_ms, 0);
	s = machine_next(d, MACHINE_STEP_AGAIN, NULL, now_ms);
	ck_assert_str_eq(s.stage, "fetch");
	ck_assert_str_eq(s.verb, "apply");
	ck_assert_uint_eq(d->attempt, 2);
	ck_assert_int_eq(s.wait_ms, 5000);
	s = machine_next(d, MACHINE_STEP_AGAIN, NULL, now_ms);
	ck_assert_uint_eq(d->attempt, 3);
	ck_assert_int_eq(s.wait_ms, 30000);
	s = machine_next(d, MACHINE_STEP_DONE, NULL, now_ms);
	ck_assert_str_eq(s.stage, "filter");
	ck_assert_uint_eq(d->attempt, 1);
	ck_assert_int_eq(s.wait_ms, 0);
}
END_TEST

/* An engine that is updated is away for minutes. */
START_TEST(the_way_back_is_tried_for_a_quarter_of_an_hour_and_not_for_ever)
{
	struct buf script = BUF_INIT(4096);
	int64_t began_ms;

	buf_adds(&script, "watch=unhealthy");
	for (int i = 0; i < 100; i++)
		buf_adds(&script, " -stop=again");
	began_ms = now_ms;
	runs(buf_str(&script));
	ck_assert_int_eq(d->state, DEPLOY_BROKEN);
	ck_assert_int_gt(now_ms - began_ms, 15 * 60 * 1000);
	ck_assert_int_lt(now_ms - began_ms, 20 * 60 * 1000);
	buf_done(&script);
}
END_TEST

START_TEST(the_watch_and_the_drain_have_deadlines_in_wall_time)
{
	struct machine_step s = machine_next(d, MACHINE_BEGIN, NULL, now_ms);

	while (d->state != DEPLOY_WATCHING)
		s = machine_next(d, MACHINE_STEP_DONE, NULL, now_ms);
	ck_assert_ptr_null(s.stage);
	ck_assert_int_eq(s.wait_ms, WATCH_MS);
	ck_assert_int_eq(d->deadline_ms, now_ms + WATCH_MS);
	ck_assert(machine_next(d, MACHINE_DRAIN_OVER, NULL, now_ms).ignored);
	ck_assert(machine_next(d, MACHINE_STEP_DONE, NULL, now_ms).ignored);
	s = machine_next(d, MACHINE_WATCH_OVER, NULL, now_ms + WATCH_MS);
	ck_assert_int_eq(s.state, DEPLOY_DRAINING);
	ck_assert_ptr_null(s.stage);
	ck_assert_int_eq(s.wait_ms, DRAIN_MS);
	ck_assert_int_eq(d->deadline_ms, now_ms + WATCH_MS + DRAIN_MS);
	ck_assert(machine_next(d, MACHINE_UNHEALTHY, NULL, now_ms).ignored);
	s = machine_next(d, MACHINE_DRAIN_OVER, NULL, now_ms);
	ck_assert_str_eq(s.stage, "stop");
	ck_assert_int_eq(d->deadline_ms, 0);
}
END_TEST

START_TEST(events_that_come_late_mean_nothing)
{
	static const enum machine_event late[] = {
		MACHINE_BEGIN, MACHINE_WATCH_OVER, MACHINE_UNHEALTHY, MACHINE_DRAIN_OVER};

	(void)machine_next(d, MACHINE_BEGIN, NULL, now_ms);
	for (size_t i = 0; i < ARRAY_LEN(late); i++)
		ck_assert(machine_next(d, late[i], NULL, now_ms).ignored);
	ck_assert_str_eq(d->stage, "fetch");
	ck_assert_int_eq(d->state, DEPLOY_FETCHING);
}
END_TEST

START_TEST(the_reason_of_a_skip_is_kept)
{
	(void)machine_next(d, MACHINE_BEGIN, NULL, now_ms);
	ck_assert_int_eq(machine_next(d, MACHINE_STEP_SKIP, "no path matched", now_ms).state,
		DEPLOY_SKIPPED);
	ck_assert_str_eq(d->error, "no path matched");
}
END_TEST

START_TEST(a_rollback_builds_nothing)
{
	d->rollback_of = 41;
	str_copy(d->new.container, sizeof(d->new.container), "shop-40");
	ck_assert_str_eq(runs(""), "pre-start " STARTS ENDS "post-deploy done");
	ck_assert_str_eq(d->new.container, "shop-40");
}
END_TEST

START_TEST(an_image_is_not_fetched)
{
	*d->ref = '\0';
	str_copy(d->new.image, sizeof(d->new.image), "ghcr.io/acme/shop:1");
	ck_assert_str_eq(runs(""),
		"filter pre-build build push release pre-start " STARTS ENDS "post-deploy done");
}
END_TEST

/* The record has what was done, for how long, and how it went. */
START_TEST(the_stages_are_written_down)
{
	static const char *const expected[] = {"fetch apply done 7000 2",
		"filter apply done 1000 1", "pre-build apply skipped 1000 1",
		"build apply done 1000 1", "push apply done 1000 1", "release apply done 1000 1",
		"pre-start apply done 1000 1", "start apply done 1000 1", "probe apply done 1000 1",
		"pre-route apply done 1000 1", "route apply done 1000 1", "watch  failed 30000 1",
		"stop revert done 1000 1", "route revert done 1000 1", "start revert done 1000 1",
		"on-rollback apply done 1000 1"};

	runs("fetch=again pre-build=skip watch=unhealthy");
	ck_assert_uint_eq(json_array_size(d->stages), ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const char *stage, *verb, *state;
		json_int_t started_ms, ended_ms;
		int attempts;
		char text[128];

		ck_assert_int_eq(
			json_unpack(json_array_get(d->stages, i), "{s:s, s:s, s:s, s:I, s:I, s:i}",
				"stage", &stage, "verb", &verb, "state", &state, "started_ms",
				&started_ms, "ended_ms", &ended_ms, "attempts", &attempts),
			0);
		snprintf(text, sizeof(text), "%s %s %s %lld %d", stage, verb, state,
			(long long)(ended_ms - started_ms), attempts);
		ck_assert_str_eq(text, expected[i]);
	}
}
END_TEST

START_TEST(errors_are_bounded)
{
	char long_text[5000];

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	(void)machine_next(d, MACHINE_BEGIN, NULL, now_ms);
	(void)machine_next(d, MACHINE_STEP_FAILED, long_text, now_ms);
	ck_assert_uint_eq(strlen(d->error), DEPLOY_ERROR_SIZE - 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("machine");
	TCase *tc = tcase_create("machine");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, each_way_leads_to_its_end, 0, (int)ARRAY_LEN(ways));
	tcase_add_test(tc, one_that_waits_is_cancelled_at_once);
	tcase_add_test(tc, who_may_be_cancelled_is_known_before);
	tcase_add_test(tc, attempts_wait_longer_each_time);
	tcase_add_test(tc, the_way_back_is_tried_for_a_quarter_of_an_hour_and_not_for_ever);
	tcase_add_test(tc, the_watch_and_the_drain_have_deadlines_in_wall_time);
	tcase_add_test(tc, events_that_come_late_mean_nothing);
	tcase_add_test(tc, the_reason_of_a_skip_is_kept);
	tcase_add_test(tc, a_rollback_builds_nothing);
	tcase_add_test(tc, an_image_is_not_fetched);
	tcase_add_test(tc, the_stages_are_written_down);
	tcase_add_test(tc, errors_are_bounded);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
