/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploys.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "deploys_case.h"
#include "lives.h"

START_TEST(a_deploy_goes_through_all_stages)
{
	int64_t id = deploy_one();
	json_t *j = record(id);

	ck_assert_str_eq(json_view_text(j, "state"), "done");
	ck_assert_str_eq(json_view_text(j, "commit"), "1111111111111111111111111111111111111111");
	ck_assert_str_eq(json_view_text(json_object_get(j, "new"), "container"), "v1");
	ck_assert_str_eq(text_in("calls"), "1 fetch apply\n1 build apply\n1 start apply\n"
					   "1 probe apply\n1 route apply\n1 probe status\n"
					   "1 retire apply");
	ck_assert_str_eq(text_in("routed"), "v1");
	json_decref(j);
}
END_TEST

START_TEST(the_next_version_replaces_it)
{
	int64_t first = deploy_one(), second = deploy_one();

	ck_assert_str_eq(text_in("routed"), "v2");
	ck_assert(!runs(first));
	ck_assert(runs(second));
	ck_assert_str_eq(ended.old.container, "v1");
}
END_TEST

START_TEST(its_source_goes_and_its_log_stays)
{
	_cleanup_(free_p) char *path = NULL;
	int64_t id;

	hook("build", "mine", "echo compiling; pwd >${0%/hooks*}/where; say image x");
	id = deploy_one();
	path = deploys_log_path(deploys, "shop", id);
	ck_assert_int_eq(access(path, R_OK), 0);
	ck_assert_int_ne(access(text_in("where"), F_OK), 0);
}
END_TEST

START_TEST(a_build_that_fails_touches_nothing_and_says_why)
{
	int64_t first = deploy_one();

	hook("build", "mine", "echo no rule to make it; exit 3");
	deploy_one();
	ck_assert_int_eq(ended.state, DEPLOY_FAILED);
	ck_assert_str_eq(ended.error, "build: exit status 3: no rule to make it");
	ck_assert_str_eq(text_in("routed"), "v1");
	ck_assert(runs(first));
}
END_TEST

START_TEST(a_version_that_never_gets_healthy_is_removed)
{
	int64_t first = deploy_one(), second;

	hook("probe", "tcp", "echo no answer; exit 1");
	second = deploy_one();
	ck_assert_int_eq(ended.state, DEPLOY_FAILED);
	ck_assert_str_eq(ended.error, "probe: exit status 1: no answer");
	ck_assert_str_eq(text_in("routed"), "v1");
	ck_assert(runs(first) && !runs(second));
}
END_TEST

START_TEST(a_version_that_does_not_stay_healthy_gives_way_to_the_old_one)
{
	int64_t first = deploy_one(), second;

	hook("probe", "tcp", "test $verb = apply || { echo it answers 500; exit 1; }");
	second = deploy_one();
	ck_assert_int_eq(ended.state, DEPLOY_ROLLED_BACK);
	ck_assert_str_eq(ended.error, "probe: exit status 1: it answers 500");
	ck_assert_str_eq(text_in("routed"), "v1");
	ck_assert(runs(first) && !runs(second));
}
END_TEST

static void restart_it(void)
{
	vitals.restarts = 1;
}

static void take_its_memory(void)
{
	vitals.oom_kills = 1;
}

/* What is measured counts from the start of the watch on. */
static void rolled_back_by(void (*change)(void), const char *why)
{
	int64_t id;

	deploy_one();
	vitals = (struct deploys_vitals){true, true, 0, 0};
	watch = "2s";
	configure("");
	id = request();
	TURN_UNTIL(loop, strcmp(state_of(id), "watching") == 0);
	change();
	run_to_the_end(id);
	ck_assert_int_eq(ended.state, DEPLOY_ROLLED_BACK);
	ck_assert_str_eq(ended.error, why);
	ck_assert_str_eq(text_in("routed"), "v1");
}

START_TEST(a_restart_during_the_watch_brings_the_old_version_back)
{
	rolled_back_by(restart_it, "the new version was restarted (1 times)");
}
END_TEST

START_TEST(memory_that_ends_during_the_watch_brings_the_old_version_back)
{
	rolled_back_by(take_its_memory, "the new version ran out of memory");
}
END_TEST

START_TEST(a_newer_one_takes_the_place_of_one_that_waits)
{
	int64_t first, second, third;
	json_t *j;

	hook("build", "mine", "while [ ! -f ${0%/hooks*}/go ]; do sleep 0.05; done; say image x");
	first = request();
	TURN_UNTIL(loop, strstr(text_in("calls"), "1 build apply"));
	second = request();
	third = request();
	scratch_write("go", "", 0);
	run_to_the_end(third);
	j = record(second);
	ck_assert_str_eq(json_view_text(j, "state"), "superseded");
	ck_assert_int_eq(json_view_int(j, "superseded_by"), third);
	ck_assert_ptr_null(strstr(text_in("calls"), "2 "));
	ck_assert_str_eq(text_in("routed"), "v3");
	ck_assert(!runs(first));
	json_decref(j);
}
END_TEST

START_TEST(the_same_delivery_is_deployed_once)
{
	struct deploys_accepted a[2];

	for (int i = 0; i < 2; i++) {
		struct deploy *d = deploy_new("shop");

		(void)str_copy(d->trigger, sizeof(d->trigger), "webhook");
		(void)str_copy(d->delivery, sizeof(d->delivery), "abc");
		(void)str_copy(d->ref, sizeof(d->ref), "refs/heads/main");
		ck_assert_int_eq(deploys_accept(deploys, d, &a[i], NULL), 0);
		run_to_the_end(1);
	}
	ck_assert_int_eq(a[0].what, DEPLOYS_QUEUED);
	ck_assert_int_eq(a[1].what, DEPLOYS_DUPLICATE);
	ck_assert_int_eq(a[1].id, a[0].id);
}
END_TEST

static const struct deploy *cancelled;
static struct deploy cancelled_copy;

static void on_cancelled(void *user, const struct deploy *d)
{
	(void)user;
	cancelled_copy = *d;
	cancelled = &cancelled_copy;
}

START_TEST(a_cancelled_build_ends_with_all_its_processes)
{
	int64_t id;
	pid_t left;

	cancelled = NULL;
	hook("build", "mine", "sleep 300 & echo $! >${0%/hooks*}/pid; wait");
	id = request();
	TURN_UNTIL(loop, *text_in("pid"));
	left = atoi(text_in("pid"));
	ck_assert_int_eq(deploys_cancel(deploys, id, "root", on_cancelled, NULL, NULL), 0);
	TURN_UNTIL(loop, cancelled);
	ck_assert_int_eq(cancelled->state, DEPLOY_CANCELLED);
	ck_assert_str_eq(cancelled->error, "cancelled by root");
	ck_assert(!lives(left));
}
END_TEST

START_TEST(what_is_undone_cannot_be_cancelled)
{
	struct err e = {""};
	int64_t id;

	hook("start", "mine",
		"case $verb in apply) exit 1 ;; revert) : >${0%/hooks*}/undoing; sleep 300 ;; "
		"esac");
	id = request();
	TURN_UNTIL(loop, access(scratch_path("undoing"), F_OK) == 0);
	ck_assert_int_eq(deploys_cancel(deploys, id, "root", on_cancelled, NULL, &e), -EALREADY);
	ck_assert_ptr_nonnull(strstr(e.msg, "is removing: that is finished first"));
}
END_TEST

START_TEST(one_that_waits_is_cancelled_at_once)
{
	int64_t id;

	free_disk = 0;
	id = request();
	turn_idle(loop);
	ck_assert_int_eq(
		deploys_cancel(deploys, id, "root", on_cancelled, NULL, NULL), DEPLOYS_CANCELLED);
	ck_assert_int_eq(ended.state, DEPLOY_CANCELLED);
	ck_assert_int_eq(deploys_cancel(deploys, id, "root", on_cancelled, NULL, NULL), -ENOENT);
}
END_TEST

START_TEST(a_build_waits_for_room_and_says_so)
{
	int64_t id;
	json_t *j;

	free_memory = 1000;
	id = request();
	turn_idle(loop);
	j = record(id);
	ck_assert_str_eq(json_view_text(j, "state"), "queued");
	ck_assert_ptr_nonnull(strstr(json_view_text(j, "waits_for"), "memory: "));
	ck_assert_int_eq(json_view_int(j, "position"), 1);
	json_decref(j);
	free_memory = INT64_MAX;
	deploys_configure(deploys, deploy_config); /* else at the next tick */
	run_to_the_end(id);
	ck_assert_int_eq(ended.state, DEPLOY_DONE);
}
END_TEST

START_TEST(a_build_that_waits_for_room_does_not_hold_up_a_return)
{
	struct deploys_accepted a;
	int64_t waiting;

	apps = "blog = { source = \"/srv/blog.git\" build = \"mine\" swap = \"mine\" }";
	configure("");
	deploy_one();
	deploy_one();
	free_disk = 0;
	waiting = request_of("blog");
	turn_idle(loop);
	ck_assert_str_eq(state_of(waiting), "queued");
	ck_assert_int_eq(deploys_rollback(deploys, "shop", 0, "root", "command", &a, NULL), 0);
	TURN_UNTIL(loop, strcmp(state_of(a.id), "done") == 0);
	ck_assert_str_eq(state_of(waiting), "queued");
}
END_TEST

/* The agent was killed while it built, or while it removed. */
START_TEST(sources_that_were_left_behind_go_at_the_start)
{
	_cleanup_(free_p) char *left = str_format("%s/state/deploys/shop/work-77", scratch);
	_cleanup_(free_p) char *gone = str_format("%s.gone-5", left);

	deploy_one();
	ck_assert_int_eq(fs_mkdirs(left, 0700, NULL), 0);
	ck_assert_int_eq(fs_mkdirs(gone, 0700, NULL), 0);
	deploys_free(deploys);
	deploys = NULL;
	start_daemon();
	TURN_UNTIL(loop, access(left, F_OK) < 0 && access(gone, F_OK) < 0);
}
END_TEST

START_TEST(only_the_newest_logs_are_kept)
{
	char name[60];
	int64_t id = deploy_one();

	for (int i = 2; i < DEPLOYS_LOGS_KEPT + 12; i++) {
		(void)snprintf(name, sizeof(name), "state/deploys/shop/%d.log", 1000 + i);
		scratch_write(name, "x", 1);
	}
	ck_assert_int_eq(id, 1);
	deploy_one();
	ck_assert(!scratch_has("state/deploys/shop/1.log"));
	ck_assert(!scratch_has("state/deploys/shop/1011.log"));
	ck_assert(scratch_has("state/deploys/shop/1012.log"));
	(void)snprintf(name, sizeof(name), "state/deploys/shop/%d.log", 1011 + DEPLOYS_LOGS_KEPT);
	ck_assert(scratch_has(name));
}
END_TEST

START_TEST(a_rollback_takes_the_version_before_without_a_build)
{
	struct deploys_accepted a;

	deploy_one();
	deploy_one();
	(void)unlink(scratch_path("calls"));
	hook("start", "mine",
		"test $verb = apply || exit 0; touch ${0%/hooks*}/runs.$DEPLOY_CONTAINER\n"
		"say container $DEPLOY_CONTAINER; say address 127.0.0.1:9000");
	ck_assert_int_eq(deploys_rollback(deploys, "shop", 0, "root", "command", &a, NULL), 0);
	run_to_the_end(a.id);
	ck_assert_int_eq(ended.state, DEPLOY_DONE);
	ck_assert_int_eq(ended.rollback_of, 1);
	ck_assert_str_eq(ended.new.image, "shop:1");
	ck_assert_str_eq(text_in("routed"), "v1");
	ck_assert_ptr_null(strstr(text_in("calls"), "build"));
}
END_TEST

START_TEST(there_is_nothing_to_go_back_to_at_first)
{
	struct deploys_accepted a;
	struct err e = {""};

	ck_assert_int_eq(deploys_rollback(deploys, "shop", 0, "root", "command", &a, &e), -ENOENT);
	deploy_one();
	ck_assert_int_eq(deploys_rollback(deploys, "shop", 0, "root", "command", &a, &e), -ENOENT);
	ck_assert_int_eq(deploys_rollback(deploys, "shop", 1, "root", "command", &a, &e), -EINVAL);
	ck_assert_str_eq(e.msg, "the version of deploy 1 serves already");
}
END_TEST

START_TEST(an_app_that_leaves_the_configuration_leaves_nothing_waiting)
{
	_cleanup_(free_p) char *text = str_format("hooks_dir = \"%s/hooks\"", scratch);
	struct deploy_config *old = deploy_config;
	struct config *old_config = config;
	int64_t id;

	free_disk = 0;
	id = request();
	turn_idle(loop);
	config = NULL;
	good(text);
	ck_assert_int_eq(deploy_config_new(config, &deploy_config, &mistakes), 0);
	deploys_configure(deploys, deploy_config);
	deploy_config_free(old);
	config_free(old_config);
	run_to_the_end(id);
	ck_assert_int_eq(ended.state, DEPLOY_CANCELLED);
	ck_assert_str_eq(ended.error, "the app is no longer in the configuration");
}
END_TEST

START_TEST(refs_and_images_that_are_none_are_refused)
{
	static const struct deploys_request bad[] = {
		{.app = "shop", .trigger = "api", .ref = "--upload-pack=x"},
		{.app = "shop", .trigger = "api", .ref = "main\n"},
		{.app = "shop", .trigger = "api", .ref = "a..b"},
		{.app = "shop", .trigger = "api", .commit = "HEAD"},
		{.app = "shop", .trigger = "api", .image = "-v"},
		{.app = "shop", .trigger = "api", .image = "x;rm"},
		{.app = "shop", .trigger = "api", .image = "x", .ref = "main"},
	};
	struct deploys_accepted a;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(deploys_start(deploys, &bad[i], &a, NULL), -EINVAL);
}
END_TEST

static Suite *deploys_suite(void)
{
	Suite *s = suite_create("deploys");
	TCase *tc = tcase_create("deploys");

	tcase_add_checked_fixture(tc, start_case, finish_case);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_deploy_goes_through_all_stages);
	tcase_add_test(tc, the_next_version_replaces_it);
	tcase_add_test(tc, its_source_goes_and_its_log_stays);
	tcase_add_test(tc, a_build_that_fails_touches_nothing_and_says_why);
	tcase_add_test(tc, a_version_that_never_gets_healthy_is_removed);
	tcase_add_test(tc, a_version_that_does_not_stay_healthy_gives_way_to_the_old_one);
	tcase_add_test(tc, a_restart_during_the_watch_brings_the_old_version_back);
	tcase_add_test(tc, memory_that_ends_during_the_watch_brings_the_old_version_back);
	tcase_add_test(tc, a_newer_one_takes_the_place_of_one_that_waits);
	tcase_add_test(tc, the_same_delivery_is_deployed_once);
	tcase_add_test(tc, a_cancelled_build_ends_with_all_its_processes);
	tcase_add_test(tc, what_is_undone_cannot_be_cancelled);
	tcase_add_test(tc, one_that_waits_is_cancelled_at_once);
	tcase_add_test(tc, a_build_waits_for_room_and_says_so);
	tcase_add_test(tc, a_build_that_waits_for_room_does_not_hold_up_a_return);
	tcase_add_test(tc, sources_that_were_left_behind_go_at_the_start);
	tcase_add_test(tc, only_the_newest_logs_are_kept);
	tcase_add_test(tc, a_rollback_takes_the_version_before_without_a_build);
	tcase_add_test(tc, there_is_nothing_to_go_back_to_at_first);
	tcase_add_test(tc, an_app_that_leaves_the_configuration_leaves_nothing_waiting);
	tcase_add_test(tc, refs_and_images_that_are_none_are_refused);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(deploys_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
