/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/alerts_case.h"

#include <errno.h>

static struct rule_settings *memory_rule(void)
{
	struct rule_settings *s = case_rule("mem", "host.memory_used_percent", "> 90", "> 95");

	s->clear = "< 80";
	s->critical_clear = "< 92";
	s->for_ms = MINUTE_MS;
	s->doc = "Look who grew.";
	return s;
}

static void use(double percent)
{
	put(&class_host, "host", HOST_memory_used_percent, percent);
}

START_TEST(event_is_complete_in_itself)
{
	const struct event *ev;
	int64_t since_ms;

	memory_rule();
	case_start();
	put(&class_container, "shop-web", CGROUP_memory_used_bytes, 512 << 20);
	put(&class_container, "db", CGROUP_memory_used_bytes, 1 << 30);
	use(96.3);
	turn();
	since_ms = w.now_ms;
	turns(3);
	expect_told(0, EVENT_ALERT_FIRING, "Memory is 96.3 % full");
	ev = last_told();
	ck_assert_int_eq(ev->severity, SEVERITY_CRITICAL);
	ck_assert_str_eq(ev->key, "mem host/host");
	ck_assert_str_eq(ev->host, "vps1");
	ck_assert_str_eq(ev->text, "Look who grew.");
	ck_assert_str_eq(ev->rule, "mem");
	ck_assert_str_eq(ev->class, "host");
	ck_assert_str_eq(ev->entity, "host");
	ck_assert_str_eq(ev->metric, "memory_used_percent");
	ck_assert_str_eq(ev->unit, "percent");
	ck_assert(ev->value == 96.3 && ev->limit == 95);
	ck_assert_int_eq(ev->time_ms, w.now_ms);
	ck_assert_int_eq(ev->since_ms, since_ms);
	ck_assert_int_eq(ev->duration_ms, 0);
	ck_assert(!ev->is_end);
	ck_assert_str_eq(ev->link, "/#/entity/host/host");
	ck_assert_str_eq(ev->chart.class, "host");
	ck_assert_str_eq(ev->chart.entity, "host");
	ck_assert_str_eq(ev->chart.metric, "memory_used_percent");
	ck_assert_int_eq(ev->chart.from, since_ms / 1000 - 3600);
	ck_assert_int_eq(ev->chart.to, w.now_ms / 1000);
	ck_assert(ev->chart.limit == 95);
	ck_assert_str_eq(fact(ev, "Value"), "96.3 %");
	ck_assert_str_eq(fact(ev, "Limit"), "above 95 % for 1m");
	ck_assert_str_eq(fact(ev, "Since"), "2026-11-21 06:01:20 CET");
	ck_assert_str_eq(fact(ev, "Top memory"), "db 1 GiB, shop-web 512 MiB");
	ck_assert_str_eq(fact(ev, "Rule"), "mem");
	ck_assert_ptr_null(fact(ev, "Worst"));
	ck_assert_ptr_null(fact(ev, "Lasted"));
}
END_TEST

START_TEST(recovery_says_how_long_and_how_bad)
{
	const struct event *ev;

	memory_rule();
	case_start();
	use(96);
	turns(4);
	use(99.5);
	turns(71);
	use(50);
	turn();
	expect_told(1, EVENT_ALERT_RECOVERED, "Memory is back to 50 % after 25m");
	ev = last_told();
	ck_assert(ev->is_end);
	ck_assert_str_eq(ev->text, "");
	ck_assert_str_eq(fact(ev, "Worst"), "99.5 %");
	ck_assert_str_eq(fact(ev, "Lasted"), "25m");
	ck_assert_int_eq(ev->duration_ms, 25 * MINUTE_MS);
	ck_assert_int_eq(ev->time_ms - ev->since_ms, 25 * MINUTE_MS);
	ck_assert_str_eq(ev->key, w.told[0]->key);
}
END_TEST

START_TEST(worst_of_one_story_is_not_that_of_the_next)
{
	memory_rule();
	case_start();
	use(99);
	turns(4);
	use(10);
	turn();
	use(92);
	turns(4);
	use(10);
	turn();
	ck_assert_uint_eq(w.n_told, 4);
	ck_assert_str_eq(fact(last_told(), "Worst"), "92 %");
	ck_assert_int_eq(last_told()->severity, SEVERITY_WARNING);
}
END_TEST

START_TEST(reminder_says_still_and_since_when)
{
	memory_rule()->repeat_ms = 60 * MINUTE_MS;
	case_start();
	use(91);
	turns(4 + 180);
	ck_assert_uint_eq(w.n_told, 2);
	ck_assert_str_eq(last_told()->kind, EVENT_ALERT_REMINDER);
	ck_assert_str_eq(last_told()->title, "Still, for 1h 1m: Memory is 91 % full");
	ck_assert_str_eq(fact(last_told(), "Since"), "2026-11-21 06:01:20 CET");
	turns(181);
	ck_assert_uint_eq(w.n_told, 3);
}
END_TEST

START_TEST(flapping_is_told_once_and_says_so)
{
	memory_rule()->for_ms = 0;
	case_start();
	for (int i = 0; i < 40; i++) {
		use(91);
		turns(3);
		use(20);
		turns(3);
	}
	ck_assert_uint_eq(w.n_told, 7);
	ck_assert_str_eq(last_told()->kind, EVENT_ALERT_FLAPPING);
	ck_assert_str_eq(last_told()->title, "Comes and goes: Memory is 91 % full");
	ck_assert_ptr_nonnull(strstr(last_told()->text, "4 times within an hour"));
	ck_assert_ptr_nonnull(strstr(last_told()->text, "Look who grew."));
}
END_TEST

START_TEST(rule_without_recovery_is_silent_at_the_end)
{
	memory_rule()->recovery = 0;
	case_start();
	use(91);
	turns(4);
	use(20);
	turns(10);
	ck_assert_uint_eq(w.n_told, 1);
}
END_TEST

START_TEST(what_is_silenced_is_told_when_the_silence_ends)
{
	struct silence one = {.rule = "mem", .reason = "moving"};
	const struct alert *list[1];
	int64_t id;

	memory_rule();
	case_start();
	one.from_ms = w.now_ms;
	one.until_ms = w.now_ms + 10 * MINUTE_MS;
	ck_assert_int_eq(silences_add(w.silences, &one, &id, &err), 0);
	use(91);
	turns(29);
	ck_assert_uint_eq(w.n_told, 0);
	ck_assert_uint_eq(alerts_list(w.alerts, list, 1), 1);
	ck_assert_str_eq(list[0]->muted, "moving");
	/* Its text stays readable when the silence is removed between two samples. */
	ck_assert_int_eq(silences_remove(w.silences, id, &err), 0);
	ck_assert_str_eq(list[0]->muted, "moving");
	turn();
	expect_told(0, EVENT_ALERT_FIRING, "Memory is 91 % full");
	ck_assert_ptr_null(list[0]->muted);
}
END_TEST

START_TEST(what_came_and_went_in_silence_is_not_told)
{
	struct silence one = {.rule = "mem"};
	int64_t id;

	memory_rule();
	case_start();
	one.from_ms = w.now_ms;
	one.until_ms = w.now_ms + 60 * MINUTE_MS;
	ck_assert_int_eq(silences_add(w.silences, &one, &id, &err), 0);
	use(91);
	turns(10);
	use(20);
	turns(200);
	ck_assert_uint_eq(w.n_told, 0);
}
END_TEST

START_TEST(acknowledged_alerts_are_not_reminded_of)
{
	const struct alert *list[1];

	memory_rule()->repeat_ms = 10 * MINUTE_MS;
	case_start();
	use(91);
	turns(4);
	ck_assert_int_eq(alerts_acknowledge(w.alerts, 0, "m*", "host", "root", "on it\n", &err), 1);
	turns(100);
	ck_assert_uint_eq(w.n_told, 1);
	case_restart();
	turns(100);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_uint_eq(alerts_list(w.alerts, list, 1), 1);
	ck_assert_str_eq(list[0]->acknowledged_by, "root");
	ck_assert_str_eq(list[0]->acknowledged_reason, "on it ");
	/* It gets worse: that is news. */
	use(99);
	turns(3);
	ck_assert_uint_eq(w.n_told, 2);
	ck_assert_ptr_null(list[0]->acknowledged_by);
	ck_assert_int_eq(count_rows("acknowledged_by IS NULL"), 1);
}
END_TEST

START_TEST(acknowledgement_is_of_what_fits_and_fires)
{
	const struct alert *list[4];

	memory_rule();
	case_rule("temp", "sensor.temperature_celsius", "> 80", NULL);
	case_start();
	use(91);
	put(&class_sensor, "cpu", SENSOR_temperature_celsius, 90);
	turn(); /* the memory is pending */
	ck_assert_int_eq(alerts_acknowledge(w.alerts, 0, "mem", NULL, "a", "", &err), -ENOENT);
	ck_assert_int_eq(alerts_acknowledge(w.alerts, 99, NULL, NULL, "a", "", &err), -ENOENT);
	ck_assert_int_eq(alerts_acknowledge(w.alerts, 0, NULL, "host/*", "a", "", &err), -ENOENT);
	turns(3);
	ck_assert_uint_eq(alerts_list(w.alerts, list, 4), 2);
	ck_assert_int_eq(alerts_acknowledge(w.alerts, list[0]->id, NULL, NULL, "a", "", &err), 1);
	ck_assert_ptr_nonnull(list[0]->acknowledged_by);
	ck_assert_ptr_null(list[1]->acknowledged_by);
	ck_assert_int_eq(alerts_acknowledge(w.alerts, 0, "", "!sensor/*", "b", "", &err), 1);
	ck_assert_int_eq(alerts_acknowledge(w.alerts, 0, NULL, NULL, "c", "", &err), 2);
}
END_TEST

START_TEST(rule_over_several_metrics_has_a_story_for_each)
{
	case_rule("psi", "host.pressure_*_some_percent", "> 50", NULL);
	case_start();
	put(&class_host, "host", HOST_pressure_cpu_some_percent, 60);
	put(&class_host, "host", HOST_pressure_io_some_percent, 70);
	turn();
	ck_assert_uint_eq(w.n_told, 2);
	ck_assert_str_eq(w.told[0]->key, "psi host/host pressure_cpu_some_percent");
	ck_assert_str_eq(w.told[1]->key, "psi host/host pressure_io_some_percent");
	case_restart();
	turns(10);
	ck_assert_uint_eq(w.n_told, 2);
	ck_assert_uint_eq(alerts_firing(w.alerts, "psi"), 2);
}
END_TEST

START_TEST(link_leads_to_the_page)
{
	case_rule("d", "filesystem.used_percent", "> 1", NULL);
	case_rule("c", "container.processes", "> 1", NULL);
	case_rule("s", "service.processes", "> 1", NULL);
	case_start();
	put(&class_filesystem, "/var/lib x", FILESYSTEM_used_percent, 5);
	turn();
	ck_assert_str_eq(last_told()->link, "/#/entity/filesystem/%2Fvar%2Flib%20x");
	put(&class_container, "shop-web_1.x~", CGROUP_processes, 5);
	turn();
	ck_assert_str_eq(last_told()->link, "/#/container/shop-web_1.x~");
	ck_assert_str_eq(last_told()->title, "shop-web_1.x~: Processes at 5");
	put(&class_service, "cron.service", CGROUP_processes, 5);
	turn();
	ck_assert_str_eq(last_told()->link, "/#/service/cron.service");
}
END_TEST

START_TEST(metric_that_is_not_stored_has_no_chart)
{
	case_rule("old", "container.age_seconds", "> 1h", NULL);
	case_start();
	put(&class_container, "shop", CGROUP_age_seconds, 86400);
	turn();
	ck_assert_ptr_null(last_told()->chart.class);
	ck_assert_str_eq(last_told()->title, "shop: Age at 1d 0h");
}
END_TEST

START_TEST(killed_container_says_what_it_had)
{
	case_rule("oom", "container.oom_kills", NULL, "> 0");
	case_start();
	put(&class_container, "shop", CGROUP_oom_kills, 0)->label = "image";
	w.things[0].label_value = "shop:17";
	put(&class_container, "shop", CGROUP_memory_limit_bytes, 512 << 20);
	put(&class_container, "shop", CGROUP_memory_used_bytes, 500 << 20);
	turns(2);
	put(&class_container, "shop", CGROUP_oom_kills, 1)->label_value = "shop:18";
	put(&class_container, "shop", CGROUP_memory_limit_bytes, NAN);
	put(&class_container, "shop", CGROUP_memory_used_bytes, NAN);
	turn();
	expect_told(0, EVENT_ALERT_FIRING, "shop was killed for lack of memory");
	ck_assert_str_eq(fact(last_told(), "Memory limit"), "512 MiB");
	ck_assert_str_eq(fact(last_told(), "Memory, last known"), "500 MiB");
	ck_assert_str_eq(fact(last_told(), "Image"), "shop:18");
	ck_assert_str_eq(last_told()->metric, "oom_kills");
	/* How it came to that. */
	ck_assert_str_eq(last_told()->chart.metric, "memory_used_bytes");
	ck_assert(last_told()->chart.limit == 512 << 20);
}
END_TEST

/* A yes or no needs no value and no limit beside its title. */
START_TEST(health_is_told_in_words)
{
	case_rule("sick", "container.healthy", NULL, "< 1");
	case_start();
	put(&class_container, "shop", CGROUP_healthy, 0);
	turn();
	expect_told(0, EVENT_ALERT_FIRING, "shop is unhealthy");
	ck_assert_ptr_null(fact(last_told(), "Value"));
	ck_assert_ptr_null(fact(last_told(), "Limit"));
	ck_assert(last_told()->value == 0 && last_told()->limit == 1);
	put(&class_container, "shop", CGROUP_healthy, 1);
	turns(3);
	expect_told(1, EVENT_ALERT_RECOVERED, "shop is healthy again after 20s");
}
END_TEST

START_TEST(limit_below_has_its_worst_value_below)
{
	struct rule_settings *s = case_rule("room", "filesystem.available_bytes", "< 5G", "< 1G");

	s->clear = "> 6G";
	case_start();
	put(&class_filesystem, "/", FILESYSTEM_available_bytes, 3.0 * (1 << 30));
	turn();
	expect_told(0, EVENT_ALERT_FIRING, "Disk / has only 3 GiB left");
	ck_assert_str_eq(fact(last_told(), "Limit"), "below 5 GiB");
	put(&class_filesystem, "/", FILESYSTEM_available_bytes, 2.0 * (1 << 30));
	turn();
	put(&class_filesystem, "/", FILESYSTEM_available_bytes, 9.0 * (1 << 30));
	turn();
	expect_told(1, EVENT_ALERT_RECOVERED, "Disk / has 9 GiB left again after 40s");
	ck_assert_str_eq(fact(last_told(), "Worst"), "2 GiB");
}
END_TEST

START_TEST(rule_may_name_its_channels)
{
	const char *channels[] = {"ops", "night"};
	struct rule_patterns p;

	memory_rule()->channels = (struct rule_patterns){channels, 2};
	case_rule("temp", "sensor.temperature_celsius", "> 80", NULL);
	case_start();
	w.db_fails = true;
	use(91);
	put(&class_sensor, "cpu", SENSOR_temperature_celsius, 90);
	turns(4);
	ck_assert_uint_eq(alerts_n_events(w.alerts), 2);
	ck_assert_uint_eq(alerts_event_channels(w.alerts, 0).n, 0);
	/* They stay with the event when the rules change before it is stored. */
	alerts_set_rules(w.alerts, case_rules());
	p = alerts_event_channels(w.alerts, 1);
	ck_assert_uint_eq(p.n, 2);
	ck_assert_str_eq(p.list[1], "night");
}
END_TEST

START_TEST(alert_has_a_title_and_a_limit_for_the_list)
{
	const struct alert *list[1];
	struct buf b = BUF_INIT(1000);

	memory_rule();
	case_start();
	use(96.3);
	turns(4);
	ck_assert_uint_eq(alerts_list(w.alerts, list, 1), 1);
	alert_title(list[0], &b);
	ck_assert_str_eq(buf_str(&b), "Memory is 96.3 % full");
	buf_clear(&b);
	alert_limit(list[0], &b);
	ck_assert_str_eq(buf_str(&b), "above 95 % for 1m");
	buf_done(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("alerts_told");
	TCase *c = tcase_create("alerts_told");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, case_setup, case_teardown);
	tcase_add_test(c, event_is_complete_in_itself);
	tcase_add_test(c, recovery_says_how_long_and_how_bad);
	tcase_add_test(c, worst_of_one_story_is_not_that_of_the_next);
	tcase_add_test(c, reminder_says_still_and_since_when);
	tcase_add_test(c, flapping_is_told_once_and_says_so);
	tcase_add_test(c, rule_without_recovery_is_silent_at_the_end);
	tcase_add_test(c, what_is_silenced_is_told_when_the_silence_ends);
	tcase_add_test(c, what_came_and_went_in_silence_is_not_told);
	tcase_add_test(c, acknowledged_alerts_are_not_reminded_of);
	tcase_add_test(c, acknowledgement_is_of_what_fits_and_fires);
	tcase_add_test(c, rule_over_several_metrics_has_a_story_for_each);
	tcase_add_test(c, link_leads_to_the_page);
	tcase_add_test(c, metric_that_is_not_stored_has_no_chart);
	tcase_add_test(c, killed_container_says_what_it_had);
	tcase_add_test(c, health_is_told_in_words);
	tcase_add_test(c, limit_below_has_its_worst_value_below);
	tcase_add_test(c, rule_may_name_its_channels);
	tcase_add_test(c, alert_has_a_title_and_a_limit_for_the_list);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
