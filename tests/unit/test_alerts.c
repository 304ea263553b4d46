/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/alerts_case.h"

#include <errno.h>
#include <stdio.h>

#define FS &class_filesystem
#define FULL FILESYSTEM_used_percent

static void disk_rule(void)
{
	struct rule_settings *s = case_rule("disk", "filesystem.used_percent", "> 90", "> 97");

	s->clear = "< 85";
	s->critical_clear = "< 95";
	s->for_ms = MINUTE_MS;
	s->clear_for_ms = MINUTE_MS;
	s->doc = "Make room.";
}

static const struct alert *only_alert(void)
{
	const struct alert *list[2];

	ck_assert_uint_eq(alerts_list(w.alerts, list, 2), 1);
	return list[0];
}

START_TEST(alert_fires_once_and_recovers_once)
{
	disk_rule();
	case_start();
	put(FS, "/", FULL, 50);
	turns(5);
	put(FS, "/", FULL, 93.1);
	turns(3);
	ck_assert_uint_eq(w.n_told, 0);
	ck_assert_int_eq(only_alert()->life.state, ALERT_PENDING);
	turn();
	expect_told(0, EVENT_ALERT_FIRING, "Disk / is 93.1 % full");
	ck_assert_int_eq(last_told()->severity, SEVERITY_WARNING);
	turns(50);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_uint_eq(alerts_firing(w.alerts, NULL), 1);
	put(FS, "/", FULL, 71);
	turns(4);
	expect_told(1, EVENT_ALERT_RECOVERED, "Disk / is back to 71 % after 19m");
	ck_assert(last_told()->is_end);
	ck_assert_uint_eq(alerts_firing(w.alerts, NULL), 0);
	ck_assert_uint_eq(alerts_list(w.alerts, NULL, 0), 0);
}
END_TEST

/* An hour around the limit: two messages, not two hundred. */
START_TEST(value_that_wobbles_sends_two_messages)
{
	disk_rule();
	case_start();
	for (int i = 0; i < 180; i++) {
		put(FS, "/", FULL, i % 2 ? 92 : 88);
		turn();
	}
	put(FS, "/", FULL, 92);
	turns(4);
	for (int i = 0; i < 180; i++) {
		put(FS, "/", FULL, i % 3 ? 89.9 : 90.1);
		turn();
	}
	put(FS, "/", FULL, 60);
	turns(4);
	ck_assert_uint_eq(w.n_told, 2);
	ck_assert_str_eq(w.told[0]->kind, EVENT_ALERT_FIRING);
	ck_assert_str_eq(w.told[1]->kind, EVENT_ALERT_RECOVERED);
}
END_TEST

START_TEST(worse_is_told_again_and_better_is_not)
{
	disk_rule();
	case_start();
	put(FS, "/", FULL, 92);
	turns(4);
	put(FS, "/", FULL, 98);
	turns(2);
	expect_told(1, EVENT_ALERT_FIRING, "Disk / is 98 % full");
	ck_assert_int_eq(last_told()->severity, SEVERITY_CRITICAL);
	put(FS, "/", FULL, 92);
	turns(10);
	ck_assert_uint_eq(w.n_told, 2);
	put(FS, "/", FULL, 10);
	turns(4);
	expect_told(2, EVENT_ALERT_RECOVERED, "Disk / is back to 10 % after 6m 20s");
	/* Those who hear of critical alerts only hear the end of this one. */
	ck_assert_int_eq(last_told()->severity, SEVERITY_CRITICAL);
	ck_assert_str_eq(fact(last_told(), "Worst"), "98 %");
}
END_TEST

START_TEST(each_entity_has_an_alert_of_its_own)
{
	const struct alert *list[8];

	disk_rule();
	case_start();
	put(FS, "/", FULL, 92);
	put(FS, "/data", FULL, 99);
	put(FS, "/home", FULL, 20);
	put(FS, "/srv", FULL, 92);
	put(&class_host, "host", HOST_load1, 99);
	turns(4);
	ck_assert_uint_eq(w.n_told, 3);
	ck_assert_uint_eq(alerts_list(w.alerts, list, 8), 3);
	ck_assert_str_eq(list[0]->entity, "/data"); /* the worst first */
	ck_assert_str_eq(list[1]->entity, "/");
	ck_assert_str_eq(list[2]->entity, "/srv");
	ck_assert_uint_eq(alerts_watched(w.alerts, "disk"), 4);
	ck_assert_uint_eq(alerts_firing(w.alerts, "disk"), 3);
	ck_assert_uint_eq(alerts_firing(w.alerts, "other"), 0);
	drop("/home");
	turn();
	ck_assert_uint_eq(alerts_watched(w.alerts, "disk"), 3);
}
END_TEST

START_TEST(list_gives_the_first_when_there_is_no_room_for_all)
{
	const struct alert *list[1];

	disk_rule();
	case_start();
	put(FS, "/", FULL, 92);
	turn();
	put(FS, "/data", FULL, 92);
	turns(4);
	ck_assert_uint_eq(alerts_list(w.alerts, list, 1), 1);
	ck_assert_str_eq(list[0]->entity, "/"); /* the oldest */
}
END_TEST

START_TEST(entity_that_is_gone_ends_its_alert_after_a_while)
{
	disk_rule();
	case_start();
	put(FS, "/mnt", FULL, 92);
	turns(4);
	drop("/mnt");
	turns(29);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_int_eq(only_alert()->life.state, ALERT_NO_DATA);
	turns(2);
	expect_told(1, EVENT_ALERT_RECOVERED, "Not watched any more: Disk /mnt is 92 % full");
	ck_assert(last_told()->is_end);
	turns(200);
	ck_assert_uint_eq(w.n_told, 2);
	ck_assert_int_eq(count_rows("1"), 0);
}
END_TEST

START_TEST(entity_that_comes_back_goes_on_where_it_was)
{
	disk_rule();
	case_start();
	put(FS, "/mnt", FULL, 92);
	turns(4);
	drop("/mnt");
	turns(10);
	put(FS, "/mnt", FULL, 93);
	turns(5);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_int_eq(only_alert()->life.state, ALERT_FIRING);
	put(FS, "/mnt", FULL, 20);
	turns(4);
	expect_told(1, EVENT_ALERT_RECOVERED, "Disk /mnt is back to 20 % after 7m 20s");
}
END_TEST

START_TEST(unknown_value_is_neither_good_nor_bad)
{
	disk_rule();
	case_start();
	put(FS, "/", FULL, NAN);
	turns(20);
	ck_assert_uint_eq(w.n_told, 0);
	put(FS, "/", FULL, 92);
	turns(4);
	put(FS, "/", FULL, NAN);
	turns(10);
	put(FS, "/", FULL, 92);
	turns(10);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert(only_alert()->value == 92);
}
END_TEST

START_TEST(windows_are_over_time)
{
	struct rule_settings *s = case_rule("hot", "host.cpu_used_percent", "> 90", NULL);

	s->how = "average";
	s->window_ms = 5 * MINUTE_MS;
	case_start();
	put(&class_host, "host", HOST_cpu_used_percent, 50);
	turns(15);
	put(&class_host, "host", HOST_cpu_used_percent, 99);
	turns(11);
	ck_assert_uint_eq(w.n_told, 0);
	turns(2);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert(last_told()->value > 90 && last_told()->value < 99);
	ck_assert_str_eq(fact(last_told(), "Limit"), "average of 5m above 90 %");
}
END_TEST

START_TEST(sum_counts_what_happened_at_once)
{
	struct rule_settings *s = case_rule("loop", "container.restarts", NULL, "> 3");

	s->how = "sum";
	s->window_ms = 10 * MINUTE_MS;
	s->critical_clear = "< 1";
	case_start();
	put(&class_container, "shop", CGROUP_restarts, 2);
	turns(2);
	expect_told(0, EVENT_ALERT_FIRING, "shop keeps restarting: 4 times within 10m");
	put(&class_container, "shop", CGROUP_restarts, 0);
	turns(31);
	expect_told(1, EVENT_ALERT_RECOVERED, "shop has stopped restarting after 10m");
}
END_TEST

START_TEST(forecast_says_when)
{
	struct rule_settings *s = case_rule("full_soon", "filesystem.used_percent", "< 24h", NULL);

	s->type = "forecast";
	s->window_ms = 60 * MINUTE_MS;
	s->target = "100";
	case_start();
	for (int i = 0; i < 190; i++) {
		put(FS, "/", FULL, 50 + i * 0.1); /* 18 % an hour */
		turn();
	}
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_msg(str_starts(last_told()->title, "Disk / will be full in 1h 47m"), "%s",
		last_told()->title);
	ck_assert_str_eq(last_told()->unit, "seconds");
	ck_assert_str_eq(fact(last_told(), "Limit"), "time left below 24h");
	ck_assert(last_told()->chart.limit == 100);
}
END_TEST

START_TEST(change_is_within_its_window)
{
	struct rule_settings *s = case_rule("ro", "filesystem.read_only", NULL, "> 0");

	s->type = "change";
	s->window_ms = 10 * MINUTE_MS;
	case_start();
	put(FS, "/cdrom", FILESYSTEM_read_only, 1);
	put(FS, "/", FILESYSTEM_read_only, 0);
	turns(40);
	ck_assert_uint_eq(w.n_told, 0);
	put(FS, "/", FILESYSTEM_read_only, 1);
	turn();
	expect_told(0, EVENT_ALERT_FIRING, "Disk / has become read-only");
}
END_TEST

/* The rates of what has just come need a second sample. */
START_TEST(value_of_a_newcomer_is_not_missing)
{
	case_rule("probe", "container.cpu_used_percent", NULL, NULL)->type = "missing";
	case_start();
	put(&class_container, "shop", CGROUP_cpu_used_percent, NAN);
	turns(2);
	put(&class_container, "shop", CGROUP_cpu_used_percent, 1);
	turns(5);
	ck_assert_uint_eq(w.n_told, 0);
	put(&class_container, "shop", CGROUP_cpu_used_percent, NAN);
	turn();
	expect_told(0, EVENT_ALERT_FIRING, "shop: CPU used is unknown");
	/* One that never has a value is missing soon. */
	put(&class_container, "mail", CGROUP_cpu_used_percent, NAN);
	turns(3);
	ck_assert_uint_eq(w.n_told, 2);
}
END_TEST

/* The database fails for hours: what is kept is bounded, and what matters most is kept. */
START_TEST(events_that_wait_are_bounded)
{
	char key[32];
	size_t firing = 0;

	disk_rule();
	w.settings[0].repeat_ms = MINUTE_MS;
	case_start();
	w.db_fails = true;
	for (int i = 0; i < WORLD_MAX; i++) {
		(void)snprintf(key, sizeof(key), "/data/%d", i);
		put(FS, key, FULL, 92);
	}
	turns(3 * 40);
	ck_assert_uint_eq(alerts_n_events(w.alerts), ALERTS_EVENTS_MAX);
	for (size_t i = 0; i < ALERTS_EVENTS_MAX; i++)
		firing += !strcmp(alerts_event_at(w.alerts, i)->kind, EVENT_ALERT_FIRING);
	ck_assert_uint_eq(firing, WORLD_MAX);
}
END_TEST

/* The container lived for 3 seconds and is in one sample only. */
START_TEST(oom_kill_of_a_short_life_is_told_with_the_name)
{
	struct rule_settings *s = case_rule("oom_kill", "container.oom_kills", NULL, NULL);

	s->for_ms = -1; /* as it is built in */
	case_start();
	turns(2);
	put(&class_container, "shop-job", CGROUP_oom_kills, 1);
	put(&class_container, "shop-job", CGROUP_running, 0);
	turn();
	expect_told(0, EVENT_ALERT_FIRING, "shop-job was killed for lack of memory");
	ck_assert_int_eq(last_told()->severity, SEVERITY_CRITICAL);
	drop("shop-job");
	turns(100);
	ck_assert_msg(w.n_told == 1, "a kill has no end to tell of");
	ck_assert_uint_eq(alerts_list(w.alerts, NULL, 0), 0);
}
END_TEST

START_TEST(labels_may_come_later)
{
	struct rule_settings *s = case_rule("mem", "container.memory_used_bytes", "> 10", NULL);
	const char *labels[] = {"image=shop*"};
	struct thing *t;

	s->labels = (struct rule_patterns){labels, 1};
	case_start();
	t = put(&class_container, "a", CGROUP_memory_used_bytes, 20);
	turns(2);
	ck_assert_uint_eq(alerts_watched(w.alerts, "mem"), 0);
	t->label = "image";
	t->label_value = "shop:1";
	turn();
	ck_assert_uint_eq(alerts_watched(w.alerts, "mem"), 1);
	ck_assert_uint_eq(w.n_told, 1);
	t->label_value = "shop:2";
	turns(3);
	ck_assert_uint_eq(w.n_told, 1);
	t->label_value = "mail:1";
	turn();
	ck_assert_uint_eq(alerts_watched(w.alerts, "mem"), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("alerts");
	TCase *c = tcase_create("alerts");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, case_setup, case_teardown);
	tcase_add_test(c, alert_fires_once_and_recovers_once);
	tcase_add_test(c, value_that_wobbles_sends_two_messages);
	tcase_add_test(c, worse_is_told_again_and_better_is_not);
	tcase_add_test(c, each_entity_has_an_alert_of_its_own);
	tcase_add_test(c, list_gives_the_first_when_there_is_no_room_for_all);
	tcase_add_test(c, entity_that_is_gone_ends_its_alert_after_a_while);
	tcase_add_test(c, entity_that_comes_back_goes_on_where_it_was);
	tcase_add_test(c, unknown_value_is_neither_good_nor_bad);
	tcase_add_test(c, windows_are_over_time);
	tcase_add_test(c, sum_counts_what_happened_at_once);
	tcase_add_test(c, forecast_says_when);
	tcase_add_test(c, change_is_within_its_window);
	tcase_add_test(c, oom_kill_of_a_short_life_is_told_with_the_name);
	tcase_add_test(c, labels_may_come_later);
	tcase_add_test(c, value_of_a_newcomer_is_not_missing);
	tcase_add_test(c, events_that_wait_are_bounded);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
