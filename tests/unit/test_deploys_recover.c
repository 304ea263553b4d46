/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent ends in the middle of a deploy, at each of its states: before the hook of that state ran, while it runs, and
 * the next agent brings it to its defined end by itself.
 */
#include <stdlib.h>

#include "agent/deploys.h"
#include "deploys_case.h"
#include "lives.h"

static const char *const states[] = {"fetching", "building", "starting", "probing", "routing",
	"watching", "draining", "pushing", "releasing"};
static const char *const stages[] = {"fetch", "build", "start", "probe", "route", NULL, "retire"};

static const char *cut_at;
static bool cut;

static void look_for_the_cut(const struct deploy *d)
{
	if (cut_at && d->id == 2 && strcmp(deploy_state_name(d->state), cut_at) == 0)
		cut = true;
}

static void restart_daemon(void)
{
	deploys_free(deploys);
	deploys = NULL;
	start_daemon();
}

static void check_the_end(void)
{
	ck_assert_int_eq(ended.state, DEPLOY_DONE);
	ck_assert_str_eq(text_in("routed"), "v2");
	ck_assert(runs(2) && !runs(1));
	ck_assert_uint_eq(deploys_running(deploys), 0);
}

static int64_t cut_in(const char *state)
{
	int64_t id;

	cut_at = state;
	cut = false;
	on_each_change = look_for_the_cut;
	id = request();
	TURN_UNTIL(loop, cut);
	on_each_change = NULL;
	restart_daemon();
	return id;
}

/* Once per row of `states`. */
START_TEST(one_that_is_cut_between_two_steps_comes_to_its_end)
{
	int64_t id;

	deploy_one();
	watch = "1s";
	configure("");
	id = cut_in(states[_i]);
	run_to_the_end(id);
	check_the_end();
}
END_TEST

static void check_the_old_one_serves(void)
{
	ck_assert_str_eq(text_in("routed"), "v1");
	ck_assert(runs(1) && !runs(2));
	ck_assert_uint_eq(deploys_running(deploys), 0);
}

/* Hooks start in it, also those that only look. */
START_TEST(a_source_that_is_gone_holds_up_nobody)
{
	int64_t id;

	deploy_one();
	watch = "1s";
	configure("");
	cut_at = "watching";
	cut = false;
	on_each_change = look_for_the_cut;
	id = request();
	TURN_UNTIL(loop, cut);
	on_each_change = NULL;
	deploys_free(deploys);
	deploys = NULL;
	ck_assert_int_eq(rmdir(scratch_path("state/deploys/shop/work-2")), 0);
	start_daemon();
	run_to_the_end(id);
	check_the_end();
}
END_TEST

/* On the way back too. */
START_TEST(one_that_is_cut_while_the_new_version_is_removed_fails)
{
	deploy_one();
	hook("probe", "tcp", "exit 1");
	run_to_the_end(cut_in("removing"));
	ck_assert_int_eq(ended.state, DEPLOY_FAILED);
	check_the_old_one_serves();
}
END_TEST

START_TEST(one_that_is_cut_while_the_old_version_is_put_back_is_rolled_back)
{
	deploy_one();
	hook("probe", "tcp", "[ $verb = apply ]");
	run_to_the_end(cut_in("returning"));
	ck_assert_int_eq(ended.state, DEPLOY_ROLLED_BACK);
	check_the_old_one_serves();
}
END_TEST

/* Where only one can run: the old version may have been stopped by then, and comes back. */
START_TEST(one_that_is_cut_while_the_old_version_stops_leaves_one_that_serves)
{
	configure("overlap = false");
	deploy_one();
	run_to_the_end(cut_in("stopping"));
	if (ended.state == DEPLOY_ROLLED_BACK)
		check_the_old_one_serves();
	else
		check_the_end();
}
END_TEST

/* The hook does what it has to, notes its number, and stays until it is killed; the next time it does not stay. */
static void let_it_hang(const char *stage, const char *name, const char *body)
{
	_cleanup_(free_p) char *text =
		str_format("%s\n[ $DEPLOY_ID = 2 ] && [ $verb = apply ] && "
			   "[ ! -f ${0%%/hooks*}/hung ] || exit 0\n"
			   "echo $$ >${0%%/hooks*}/new; mv ${0%%/hooks*}/new ${0%%/hooks*}/hung\n"
			   "exec sleep 300",
			body);

	hook(stage, name, text);
}

static void hang_in(const char *stage)
{
	if (strcmp(stage, "fetch") == 0)
		let_it_hang(stage, "git", "");
	else if (strcmp(stage, "build") == 0)
		let_it_hang(stage, "mine", "say image shop:$DEPLOY_ID");
	else if (strcmp(stage, "start") == 0)
		let_it_hang(stage, "mine", start_body);
	else if (strcmp(stage, "probe") == 0)
		let_it_hang(stage, "tcp", "");
	else if (strcmp(stage, "route") == 0)
		let_it_hang(stage, "mine", route_body);
	else
		let_it_hang(stage, "mine", "");
}

START_TEST(one_that_is_cut_within_a_hook_comes_to_its_end)
{
	int64_t id;
	pid_t hung;

	if (!stages[_i])
		return;
	deploy_one();
	hang_in(stages[_i]);
	id = request();
	TURN_UNTIL(loop, scratch_has("hung"));
	hung = atoi(text_in("hung"));
	restart_daemon();
	run_to_the_end(id);
	check_the_end();
	ck_assert(!lives(hung));
}
END_TEST

/* Nothing waits for an engine that is away; when it is back it goes on. */
START_TEST(a_router_that_does_not_answer_is_waited_for)
{
	_cleanup_(free_p) char *away = str_format("[ $verb = status ] && exit 75\n%s", route_body);
	int64_t id;
	json_t *j;

	deploy_one();
	cut_at = "routing";
	cut = false;
	on_each_change = look_for_the_cut;
	id = request();
	TURN_UNTIL(loop, cut);
	on_each_change = NULL;
	hook("route", "mine", away);
	restart_daemon();
	TURN_UNTIL(loop, strstr(text_in("calls"), "2 route status"));
	turn_idle(loop);
	j = record(id);
	TURN_UNTIL(
		loop, json_object_get(j, "waits_for") || (json_decref(j), j = record(id), false));
	ck_assert_str_eq(json_view_text(j, "state"), "routing");
	json_decref(j);
	hook("route", "mine", route_body);
	run_to_the_end(id);
	check_the_end();
}
END_TEST

/* A build that ends the agent, or the server, is not tried for ever. */
START_TEST(a_build_that_is_cut_twice_fails)
{
	int64_t id;

	deploy_one();
	cut_at = "building";
	on_each_change = look_for_the_cut;
	id = request();
	for (int i = 0; i < 2; i++) {
		cut = false;
		TURN_UNTIL(loop, cut);
		restart_daemon();
	}
	on_each_change = NULL;
	run_to_the_end(id);
	ck_assert_int_eq(ended.state, DEPLOY_FAILED);
	ck_assert_str_eq(ended.error, "the agent ended while it was building, for the second time");
	ck_assert_str_eq(text_in("routed"), "v1");
	ck_assert(runs(1));
}
END_TEST

/* After a reboot the switch is empty. */
START_TEST(a_route_that_is_gone_is_laid_again)
{
	deploy_one();
	ck_assert_int_eq(unlink(scratch_path("routed")), 0);
	restart_daemon();
	TURN_UNTIL(loop, strcmp(text_in("routed"), "v1") == 0);
	turn_idle(loop);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

/* The first look takes until the test says so. */
static const char slow_status_body[] = "[ $verb = status ] || exit 0; touch ${0%/hooks*}/looking\n"
				       "while [ ! -f ${0%/hooks*}/go ]; do sleep 0.05; done\n"
				       "say serves new";

START_TEST(a_route_that_leads_where_it_should_is_let_be)
{
	deploy_one();
	(void)unlink(scratch_path("calls"));
	restart_daemon();
	TURN_UNTIL(loop, strcmp(text_in("calls"), "1 route status") == 0);
	turn_idle(loop);
	ck_assert_str_eq(text_in("calls"), "1 route status");
}
END_TEST

/* Else the route that is laid again would be that of the version which has just left. */
START_TEST(no_deploy_begins_while_its_route_is_looked_at)
{
	int64_t id;

	deploy_one();
	hook("route", "mine", slow_status_body);
	restart_daemon();
	TURN_UNTIL(loop, scratch_has("looking"));
	id = request();
	turn_idle(loop);
	ck_assert_str_eq(state_of(id), "queued");
	scratch_write("go", "", 0);
	run_to_the_end(id);
	ck_assert_int_eq(ended.state, DEPLOY_DONE);
}
END_TEST

static Suite *deploys_recover_suite(void)
{
	Suite *s = suite_create("deploys_recover");
	TCase *tc = tcase_create("deploys_recover");

	tcase_add_checked_fixture(tc, start_case, finish_case);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
		tc, one_that_is_cut_between_two_steps_comes_to_its_end, 0, ARRAY_LEN(states));
	tcase_add_loop_test(
		tc, one_that_is_cut_within_a_hook_comes_to_its_end, 0, ARRAY_LEN(stages));
	tcase_add_test(tc, a_source_that_is_gone_holds_up_nobody);
	tcase_add_test(tc, one_that_is_cut_while_the_new_version_is_removed_fails);
	tcase_add_test(tc, one_that_is_cut_while_the_old_version_is_put_back_is_rolled_back);
	tcase_add_test(tc, one_that_is_cut_while_the_old_version_stops_leaves_one_that_serves);
	tcase_add_test(tc, a_router_that_does_not_answer_is_waited_for);
	tcase_add_test(tc, a_build_that_is_cut_twice_fails);
	tcase_add_test(tc, a_route_that_is_gone_is_laid_again);
	tcase_add_test(tc, no_deploy_begins_while_its_route_is_looked_at);
	tcase_add_test(tc, a_route_that_leads_where_it_should_is_let_be);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(deploys_recover_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
