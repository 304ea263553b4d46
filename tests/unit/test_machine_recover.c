/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent ended in the middle of a deploy, and goes on.
 */
#include "tests/unit/machine_case.h"

/* To the stage (a "-" before those that undo), where the agent ends. */
static void gets_to(const char *stage, const char *script)
{
	_cleanup_(free_p) char *words = str_format(" %s ", script);
	struct machine_step s = machine_next(d, MACHINE_BEGIN, NULL, now_ms);
	bool undo = *stage == '-';

	for (int i = 0; i < STEPS_MAX; i++) {
		bool undoes = s.verb && strcmp(s.verb, "revert") == 0;

		if (undo == undoes && strcmp(d->stage, stage + undo) == 0)
			return;
		s = machine_next(d, comes_of(&s, words), "exit status 1", now_ms);
	}
	ck_abort_msg("it never gets to %s", stage);
}

/* The agent is back a minute later. */
static const char *recovers(enum recovery_what what)
{
	now_ms += 60000;
	return goes_on(machine_recover(d, what, now_ms), "");
}

/* Each continuation of the table in recovery.c, from the states that have it. */
static const struct {
	const char *at, *script;
	enum deploy_strategy strategy;
	enum recovery_what what;
	const char *expected;
	const char *error;
} ways[] = {
	{"fetch", "", DEPLOY_START_FIRST, RECOVERY_REQUEUE, "queued", ""},
	{"pre-build", "", DEPLOY_START_FIRST, RECOVERY_REQUEUE, "queued", ""},
	{"build", "", DEPLOY_START_FIRST, RECOVERY_REQUEUE, "queued", ""},
	{"release", "", DEPLOY_START_FIRST, RECOVERY_REQUEUE, "queued", ""},
	{"start", "", DEPLOY_START_FIRST, RECOVERY_REMOVE_AND_REQUEUE, "-start queued", ""},
	{"probe", "", DEPLOY_START_FIRST, RECOVERY_REMOVE_AND_REQUEUE, "-start queued", ""},
	{"route", "", DEPLOY_START_FIRST, RECOVERY_REMOVE_AND_REQUEUE, "-start queued", ""},
	{"route", "", DEPLOY_START_FIRST, RECOVERY_GO_ON, "route watch " ENDS "post-deploy done",
		""},
	{"route", "", DEPLOY_START_FIRST, RECOVERY_RETURN,
		"-stop -route -start on-rollback rolled_back",
		"the agent ended while it was routing"},
	{"watch", "", DEPLOY_START_FIRST, RECOVERY_GO_ON, "watch " ENDS "post-deploy done", ""},
	{"watch", "", DEPLOY_START_FIRST, RECOVERY_RETURN,
		"-stop -route -start on-rollback rolled_back",
		"the agent ended while it was watching"},
	{"drain", "", DEPLOY_START_FIRST, RECOVERY_GO_ON, ENDS "post-deploy done", ""},
	{"stop", "", DEPLOY_START_FIRST, RECOVERY_GO_ON, "stop retire post-deploy done", ""},
	{"retire", "", DEPLOY_START_FIRST, RECOVERY_GO_ON, "retire post-deploy done", ""},
	{"retire", "", DEPLOY_START_FIRST, RECOVERY_RETURN,
		"-stop -route -start on-rollback rolled_back",
		"the agent ended while it was draining"},

	{"stop", "", DEPLOY_RECREATE, RECOVERY_GO_ON, "stop " STARTS "retire post-deploy done", ""},
	{"stop", "", DEPLOY_RECREATE, RECOVERY_RETURN,
		"-start -stop -route on-rollback rolled_back",
		"the agent ended while it was stopping"},
	{"start", "", DEPLOY_RECREATE, RECOVERY_GO_ON, STARTS "retire post-deploy done", ""},
	{"probe", "", DEPLOY_RECREATE, RECOVERY_GO_ON,
		"probe pre-route route watch retire post-deploy done", ""},
	{"start", "", DEPLOY_RECREATE, RECOVERY_RETURN,
		"-start -stop -route on-rollback rolled_back",
		"the agent ended while it was starting"},

	/* What was being undone is undone from the beginning, and ends as it would have. */
	{"-start", "probe=fail", DEPLOY_START_FIRST, RECOVERY_GO_ON, "-start on-failure failed",
		"exit status 1"},
	{"-start", "probe=cancel", DEPLOY_START_FIRST, RECOVERY_GO_ON, "-start cancelled",
		"exit status 1"},
	{"-start", "probe=fail", DEPLOY_START_FIRST, RECOVERY_RETURN,
		"-stop -route -start on-rollback rolled_back", "exit status 1"},
	{"-stop", "watch=unhealthy", DEPLOY_START_FIRST, RECOVERY_GO_ON,
		"-stop -route -start on-rollback rolled_back", "exit status 1"},
	{"-start", "watch=unhealthy", DEPLOY_START_FIRST, RECOVERY_GO_ON,
		"-stop -route -start on-rollback rolled_back", "exit status 1"},
	{"-route", "watch=cancel", DEPLOY_START_FIRST, RECOVERY_GO_ON,
		"-stop -route -start cancelled", "exit status 1"},
	{"-stop", "probe=fail", DEPLOY_RECREATE, RECOVERY_GO_ON,
		"-start -stop -route on-rollback rolled_back", "exit status 1"},
};

START_TEST(each_continuation_leads_to_its_end)
{
	d->strategy = ways[_i].strategy;
	gets_to(ways[_i].at, ways[_i].script);
	ck_assert_str_eq(recovers(ways[_i].what), ways[_i].expected);
	ck_assert_str_eq(d->error, ways[_i].error);
	ck_assert_int_eq(d->requeued, d->state == DEPLOY_QUEUED);
}
END_TEST

/* A build that takes the server down would do so for ever. */
START_TEST(the_second_time_it_fails)
{
	gets_to("build", "");
	ck_assert_str_eq(recovers(RECOVERY_REQUEUE), "queued");
	gets_to("build", "");
	buf_clear(&trace);
	ck_assert_str_eq(recovers(RECOVERY_REQUEUE), "on-failure failed");
	ck_assert_int_eq(d->failed_in, DEPLOY_BUILDING);
	ck_assert_str_eq(d->error, "the agent ended while it was building, for the second time");
}
END_TEST

START_TEST(the_second_time_it_fails_once_the_new_version_is_removed)
{
	gets_to("probe", "");
	ck_assert_str_eq(recovers(RECOVERY_REMOVE_AND_REQUEUE), "-start queued");
	gets_to("start", "");
	buf_clear(&trace);
	ck_assert_str_eq(recovers(RECOVERY_REMOVE_AND_REQUEUE), "-start on-failure failed");
	ck_assert_int_eq(d->failed_in, DEPLOY_STARTING);
}
END_TEST

START_TEST(removing_that_was_interrupted_itself_does_not_go_round_for_ever)
{
	gets_to("probe", "");
	(void)machine_recover(d, RECOVERY_REMOVE_AND_REQUEUE, now_ms);
	ck_assert_int_eq(d->state, DEPLOY_REMOVING);
	ck_assert_str_eq(recovers(RECOVERY_GO_ON), "-start queued");
	ck_assert_uint_eq(d->requeued, 1);
}
END_TEST

START_TEST(what_is_run_again_is_as_it_was_when_it_was_accepted)
{
	gets_to("probe", "");
	str_copy(d->new.container, sizeof(d->new.container), "shop-42");
	str_copy(d->new.address, sizeof(d->new.address), "172.17.0.3:8080");
	recovers(RECOVERY_REMOVE_AND_REQUEUE);
	ck_assert_int_eq(d->state, DEPLOY_QUEUED);
	ck_assert_str_eq(d->stage, "");
	ck_assert_str_eq(d->error, "");
	ck_assert_str_eq(d->new.container, "");
	ck_assert_str_eq(d->new.address, "");
	ck_assert_int_eq(d->started_ms, 0);
	ck_assert_int_eq(d->failed_in, DEPLOY_QUEUED);
	ck_assert_uint_eq(json_array_size(d->stages), 0);
	buf_clear(&trace);
	ck_assert_str_eq(runs(""), BUILDS STARTS ENDS "post-deploy done");
}
END_TEST

START_TEST(one_that_waits_goes_on_waiting)
{
	ck_assert_int_eq(machine_recover(d, RECOVERY_GO_ON, now_ms).state, DEPLOY_QUEUED);
	ck_assert_str_eq(runs(""), BUILDS STARTS ENDS "post-deploy done");
}
END_TEST

START_TEST(only_the_rest_of_the_watch_is_waited_for)
{
	struct machine_step s;

	gets_to("watch", "");
	s = machine_recover(d, RECOVERY_GO_ON, now_ms + 10000);
	ck_assert_int_eq(s.state, DEPLOY_WATCHING);
	ck_assert_ptr_null(s.stage);
	ck_assert_int_eq(s.wait_ms, WATCH_MS - 10000);
	ck_assert_int_eq(d->deadline_ms, now_ms + WATCH_MS);
	s = machine_recover(d, RECOVERY_GO_ON, now_ms + WATCH_MS + 5000);
	ck_assert_int_eq(s.wait_ms, 0);
	ck_assert_int_eq(d->state, DEPLOY_WATCHING); /* never done without having looked */
}
END_TEST

/* The clock was set back while the agent was away. */
START_TEST(the_watch_is_never_longer_than_it_is)
{
	gets_to("watch", "");
	ck_assert_int_eq(machine_recover(d, RECOVERY_GO_ON, now_ms - 86400000).wait_ms, WATCH_MS);
}
END_TEST

START_TEST(attempts_are_counted_anew)
{
	gets_to("route", "");
	(void)machine_next(d, MACHINE_STEP_AGAIN, NULL, now_ms);
	(void)machine_next(d, MACHINE_STEP_AGAIN, NULL, now_ms);
	ck_assert_uint_eq(d->attempt, 3);
	(void)machine_recover(d, RECOVERY_GO_ON, now_ms);
	ck_assert_uint_eq(d->attempt, 1);
}
END_TEST

START_TEST(the_interrupted_stage_is_written_down_as_such)
{
	const char *state = NULL;

	gets_to("route", "");
	recovers(RECOVERY_RETURN);
	for (size_t i = 0; i < json_array_size(d->stages); i++) {
		const json_t *one = json_array_get(d->stages, i);

		if (strcmp(json_string_value(json_object_get(one, "stage")), "route") == 0 &&
			strcmp(json_string_value(json_object_get(one, "verb")), "apply") == 0)
			state = json_string_value(json_object_get(one, "state"));
	}
	ck_assert_ptr_nonnull(state);
	ck_assert_str_eq(state, "interrupted");
}
END_TEST

START_TEST(an_end_is_an_end_though_its_observers_were_interrupted)
{
	gets_to("post-deploy", "");
	ck_assert_str_eq(recovers(RECOVERY_END), "done");
	ck_assert_str_eq(d->error, "");
}
END_TEST

/* Written by another version of the agent, which had other stages. */
START_TEST(an_unknown_stage_begins_its_state_again)
{
	gets_to("pre-route", "");
	str_copy(d->stage, sizeof(d->stage), "post-probe");
	ck_assert_str_eq(machine_recover(d, RECOVERY_GO_ON, now_ms).stage, "probe");
}
END_TEST

/* Whatever is found, at whatever stage the agent ends: with hooks that do their work it comes to an end by itself. */
START_TEST(every_stage_and_every_finding_come_to_an_end)
{
	static const char *const stages[] = {"fetch", "pre-build", "build", "push", "release",
		"pre-start", "start", "probe", "pre-route", "route", "watch", "drain", "stop",
		"retire"};

	d->strategy = (enum deploy_strategy)_i;
	for (size_t i = 0; i < ARRAY_LEN(stages); i++)
		for (int seen = RECOVERY_OLD; seen < RECOVERY_SEEN; seen++) {
			enum deploy_strategy strategy = d->strategy;
			enum recovery_what what;

			if (strategy == DEPLOY_RECREATE && strcmp(stages[i], "drain") == 0)
				continue;
			teardown();
			setup();
			d->strategy = strategy;
			gets_to(stages[i], "");
			what = recovery_judge(d->state, strategy, (enum recovery_seen)seen);
			recovers(what);
			if (d->state == DEPLOY_QUEUED) {
				buf_clear(&trace);
				runs("");
			}
			ck_assert(d->state == DEPLOY_DONE || d->state == DEPLOY_ROLLED_BACK);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("machine_recover");
	TCase *tc = tcase_create("machine_recover");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, each_continuation_leads_to_its_end, 0, (int)ARRAY_LEN(ways));
	tcase_add_test(tc, the_second_time_it_fails);
	tcase_add_test(tc, the_second_time_it_fails_once_the_new_version_is_removed);
	tcase_add_test(tc, removing_that_was_interrupted_itself_does_not_go_round_for_ever);
	tcase_add_test(tc, what_is_run_again_is_as_it_was_when_it_was_accepted);
	tcase_add_test(tc, one_that_waits_goes_on_waiting);
	tcase_add_test(tc, only_the_rest_of_the_watch_is_waited_for);
	tcase_add_test(tc, the_watch_is_never_longer_than_it_is);
	tcase_add_test(tc, attempts_are_counted_anew);
	tcase_add_test(tc, the_interrupted_stage_is_written_down_as_such);
	tcase_add_test(tc, an_end_is_an_end_though_its_observers_were_interrupted);
	tcase_add_test(tc, an_unknown_stage_begins_its_state_again);
	tcase_add_loop_test(tc, every_stage_and_every_finding_come_to_an_end, 0, DEPLOY_STRATEGIES);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
