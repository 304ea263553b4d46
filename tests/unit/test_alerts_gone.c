/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/alerts_case.h"

static void gone_rule(void)
{
	struct rule_settings *s = case_rule("gone", "container.running", NULL, NULL);

	s->type = "gone";
	s->severity = "critical";
	s->for_ms = MINUTE_MS;
}

START_TEST(container_that_left_is_gone_until_it_is_back)
{
	gone_rule();
	case_start();
	put(&class_container, "shop", CGROUP_running, 1);
	turns(3);
	drop("shop");
	turns(4);
	expect_told(0, EVENT_ALERT_FIRING, "shop is gone");
	ck_assert_int_eq(last_told()->severity, SEVERITY_CRITICAL);
	turns(100);
	ck_assert_uint_eq(w.n_told, 1);
	put(&class_container, "shop", CGROUP_running, 1);
	turn();
	expect_told(1, EVENT_ALERT_RECOVERED, "shop is back after 34m 40s");
}
END_TEST

START_TEST(container_that_stopped_is_gone_too)
{
	gone_rule();
	case_start();
	put(&class_container, "shop", CGROUP_running, 1);
	turns(3);
	put(&class_container, "shop", CGROUP_running, 0);
	turns(4);
	expect_told(0, EVENT_ALERT_FIRING, "shop does not run any more");
	drop("shop"); /* docker rm */
	turns(10);
	ck_assert_uint_eq(w.n_told, 1);
	put(&class_container, "shop", CGROUP_running, 1);
	turn();
	ck_assert_uint_eq(w.n_told, 2);
}
END_TEST

START_TEST(new_labels_and_a_reload_do_not_make_it_a_stranger)
{
	struct thing *t;

	gone_rule();
	case_start();
	t = put(&class_container, "shop", CGROUP_running, 1);
	turns(3);
	t->label = "image";
	t->label_value = "shop:2";
	t->value = 0;
	turn();
	alerts_set_rules(w.alerts, case_rules());
	turns(3);
	expect_told(0, EVENT_ALERT_FIRING, "shop does not run any more");
}
END_TEST

START_TEST(replaced_container_was_not_gone)
{
	gone_rule();
	case_start();
	put(&class_container, "shop", CGROUP_running, 1);
	turns(3);
	drop("shop");
	turns(2);
	put(&class_container, "shop", CGROUP_running, 1);
	turns(50);
	ck_assert_uint_eq(w.n_told, 0);
}
END_TEST

START_TEST(container_that_never_ran_here_is_not_gone)
{
	gone_rule();
	case_start();
	put(&class_container, "job", CGROUP_running, 0);
	turns(20);
	drop("job");
	turns(20);
	ck_assert_uint_eq(w.n_told, 0);
	ck_assert_uint_eq(alerts_list(w.alerts, NULL, 0), 0);
}
END_TEST

START_TEST(what_is_gone_for_a_day_is_given_up)
{
	gone_rule();
	case_start();
	put(&class_container, "shop", CGROUP_running, 1);
	turn();
	drop("shop");
	turns(4);
	ck_assert_uint_eq(w.n_told, 1);
	w.now_ms += ALERTS_GONE_MS;
	turns(3);
	expect_told(1, EVENT_ALERT_RECOVERED, "Not watched any more: shop is gone");
	ck_assert_int_eq(count_rows("1"), 0);
}
END_TEST

START_TEST(missing_value_fires_and_so_does_a_missing_entity)
{
	struct rule_settings *s = case_rule("probe", "container.healthy", NULL, NULL);
	const char *entities[] = {"shop"};

	s->type = "missing";
	s->for_ms = MINUTE_MS;
	s->entities = (struct rule_patterns){entities, 1};
	case_start();
	put(&class_container, "shop", CGROUP_healthy, 1);
	put(&class_container, "other", CGROUP_healthy, NAN);
	turns(5);
	put(&class_container, "shop", CGROUP_healthy, NAN);
	turns(4);
	expect_told(0, EVENT_ALERT_FIRING, "shop: Healthy is unknown");
	drop("shop");
	turns(4);
	put(&class_container, "shop", CGROUP_healthy, 0);
	turns(4);
	expect_told(1, EVENT_ALERT_RECOVERED, "shop: Healthy is known again after 2m 40s");
}
END_TEST

/* Docker and the agent come up one after the other: nothing has disappeared. */
START_TEST(restart_makes_nothing_gone)
{
	gone_rule();
	case_start();
	put(&class_container, "shop", CGROUP_running, 1);
	turns(3);
	drop("shop");
	case_restart();
	turns(20);
	ck_assert_uint_eq(w.n_told, 0);
	put(&class_container, "shop", CGROUP_running, 1);
	turns(20);
	ck_assert_uint_eq(w.n_told, 0);
}
END_TEST

START_TEST(restart_does_not_tell_again_what_is_gone)
{
	gone_rule();
	case_start();
	put(&class_container, "shop", CGROUP_running, 1);
	turns(3);
	drop("shop");
	turns(10);
	ck_assert_uint_eq(w.n_told, 1);
	case_restart();
	turns(100);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_uint_eq(alerts_firing(w.alerts, "gone"), 1);
	case_stop();
	put(&class_container, "shop", CGROUP_running, 1); /* while the agent is down */
	case_start();
	turn();
	expect_told(1, EVENT_ALERT_RECOVERED, "shop is back after 36m 40s");
}
END_TEST

START_TEST(gone_waits_over_a_restart)
{
	gone_rule();
	w.settings[0].for_ms = 5 * MINUTE_MS;
	case_start();
	put(&class_container, "shop", CGROUP_running, 1);
	turns(3);
	drop("shop");
	turns(10);
	case_restart();
	turns(5);
	ck_assert_uint_eq(w.n_told, 0);
	turn();
	expect_told(0, EVENT_ALERT_FIRING, "shop is gone");
}
END_TEST

START_TEST(swap_of_the_deploy_engine_is_no_loss)
{
	gone_rule();
	case_start();
	put(&class_container, "shop", CGROUP_running, 1);
	turns(3);
	silences_swap(w.silences, "shop", w.now_ms + 10 * MINUTE_MS);
	drop("shop");
	turns(20);
	ck_assert_uint_eq(w.n_told, 0);
	put(&class_container, "shop", CGROUP_running, 1);
	turns(20);
	ck_assert_uint_eq(w.n_told, 0);
	/* One that does not come back is told when the time is over. */
	silences_swap(w.silences, "shop", w.now_ms + 10 * MINUTE_MS);
	drop("shop");
	turns(29);
	ck_assert_uint_eq(w.n_told, 0);
	turns(2);
	expect_told(0, EVENT_ALERT_FIRING, "shop is gone");
}
END_TEST

/* The old version of an app beside the new one; it stops whenever the deploy is done with it. */
START_TEST(version_that_is_passing_is_not_missed)
{
	struct entity *e;

	gone_rule();
	(void)case_rule("down", "container.running", "< 1", NULL);
	case_start();
	put(&class_container, "shop", CGROUP_running, 1);
	put(&class_container, "shop@0a1b2c3d4e5f", CGROUP_running, 1);
	turn();
	e = registry_find(w.registry, &class_container, "shop@0a1b2c3d4e5f");
	e->passing = true;
	turns(3);
	drop("shop@0a1b2c3d4e5f");
	put(&class_container, "shop@0a1b2c3d4e5f", CGROUP_running, 0);
	turns(20);
	drop("shop@0a1b2c3d4e5f");
	turns(20);
	ck_assert_uint_eq(w.n_told, 0);
	ck_assert_uint_eq(alerts_firing(w.alerts, NULL), 0);
	drop("shop");
	turns(20);
	expect_told(0, EVENT_ALERT_FIRING, "shop is gone");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("alerts_gone");
	TCase *c = tcase_create("alerts_gone");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, case_setup, case_teardown);
	tcase_add_test(c, container_that_left_is_gone_until_it_is_back);
	tcase_add_test(c, container_that_stopped_is_gone_too);
	tcase_add_test(c, replaced_container_was_not_gone);
	tcase_add_test(c, container_that_never_ran_here_is_not_gone);
	tcase_add_test(c, what_is_gone_for_a_day_is_given_up);
	tcase_add_test(c, missing_value_fires_and_so_does_a_missing_entity);
	tcase_add_test(c, restart_makes_nothing_gone);
	tcase_add_test(c, restart_does_not_tell_again_what_is_gone);
	tcase_add_test(c, gone_waits_over_a_restart);
	tcase_add_test(c, swap_of_the_deploy_engine_is_no_loss);
	tcase_add_test(c, version_that_is_passing_is_not_missed);
	tcase_add_test(c, new_labels_and_a_reload_do_not_make_it_a_stranger);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
