/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/alerts_case.h"

#define FS &class_filesystem
#define FULL FILESYSTEM_used_percent

static struct rule_settings *disk_rule(void)
{
	struct rule_settings *s = case_rule("full", "filesystem.used_percent", "> 90", "> 97");

	s->clear = "< 85";
	s->critical_clear = "< 95";
	s->for_ms = MINUTE_MS;
	s->clear_for_ms = MINUTE_MS;
	return s;
}

/* Everything fires that can. */
static void fire(void)
{
	case_start();
	put(FS, "/", FULL, 93);
	turns(4);
	ck_assert_uint_eq(w.n_told, 1);
}

START_TEST(restart_neither_tells_again_nor_forgets)
{
	const struct alert *list[2];

	disk_rule();
	fire();
	for (int i = 0; i < 5; i++) {
		case_restart();
		turns(3);
	}
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_uint_eq(alerts_list(w.alerts, list, 2), 1);
	ck_assert_int_eq(list[0]->life.state, ALERT_FIRING);
	ck_assert(list[0]->value == 93);
	put(FS, "/", FULL, 20);
	turns(4);
	expect_told(1, EVENT_ALERT_RECOVERED, "Disk / is back to 20 % after 7m 20s");
}
END_TEST

START_TEST(recovery_while_the_agent_was_down_is_told)
{
	disk_rule();
	fire();
	case_stop();
	w.now_ms += 3600 * 1000;
	put(FS, "/", FULL, 20);
	case_start();
	turns(4);
	expect_told(1, EVENT_ALERT_RECOVERED, "Disk / is back to 20 % after 1h 2m");
	ck_assert_str_eq(fact(last_told(), "Worst"), "93 %");
	ck_assert_int_eq(last_told()->duration_ms, 3600 * 1000 + 7 * INTERVAL_MS);
}
END_TEST

START_TEST(stored_alert_waits_for_its_entity)
{
	disk_rule();
	fire();
	case_stop();
	drop("/");
	case_start();
	turns(20);
	ck_assert_uint_eq(w.n_told, 1);
	put(FS, "/", FULL, 93);
	turns(10);
	ck_assert_uint_eq(w.n_told, 1);
	drop("/");
	case_restart();
	turns(31);
	expect_told(1, EVENT_ALERT_RECOVERED, "Not watched any more: Disk / is 93 % full");
}
END_TEST

START_TEST(waiting_goes_on_after_a_restart)
{
	struct rule_settings *s = disk_rule();

	s->for_ms = 10 * MINUTE_MS;
	case_start();
	put(FS, "/", FULL, 93);
	turns(15);
	case_restart();
	turns(15);
	ck_assert_uint_eq(w.n_told, 0);
	turn();
	ck_assert_uint_eq(w.n_told, 1);
}
END_TEST

START_TEST(what_wobbles_below_its_for_is_not_written)
{
	disk_rule();
	case_start();
	for (int i = 0; i < 20; i++) {
		put(FS, "/", FULL, i % 2 ? 92 : 20);
		turn();
		ck_assert_int_eq(count_rows("1"), 0);
		ck_assert(!alerts_has_changes(w.alerts));
	}
}
END_TEST

START_TEST(rows_go_when_all_is_over)
{
	disk_rule();
	fire();
	ck_assert_int_eq(count_rows("state = 'firing' AND entity = '/'"), 1);
	put(FS, "/", FULL, 20);
	turns(10);
	/* For an hour it counts for flapping. */
	ck_assert_int_eq(count_rows("state = 'ok'"), 1);
	turns(180);
	ck_assert_int_eq(count_rows("1"), 0);
}
END_TEST

START_TEST(flapping_is_noticed_over_restarts)
{
	disk_rule();
	case_start();
	for (int i = 0; i < 8; i++) {
		put(FS, "/", FULL, 93);
		turns(5);
		case_restart();
		put(FS, "/", FULL, 20);
		turns(5);
		case_restart();
	}
	ck_assert_str_eq(last_told()->kind, EVENT_ALERT_FLAPPING);
	ck_assert_uint_eq(w.n_told, 7);
}
END_TEST

START_TEST(nothing_is_lost_while_the_database_fails)
{
	disk_rule();
	case_start();
	w.db_fails = true;
	put(FS, "/", FULL, 93);
	put(FS, "/data", FULL, 93);
	turns(10);
	ck_assert_uint_eq(w.n_told, 0);
	put(FS, "/data", FULL, 20);
	turns(10);
	ck_assert_uint_eq(alerts_n_events(w.alerts), 3);
	w.db_fails = false;
	turn();
	ck_assert_uint_eq(w.n_told, 3);
	ck_assert_str_eq(w.told[2]->kind, EVENT_ALERT_RECOVERED);
	ck_assert_str_eq(w.told[2]->entity, "/data");
	turns(10);
	ck_assert_uint_eq(w.n_told, 3);
	ck_assert_int_eq(count_rows("state = 'firing'"), 1);
}
END_TEST

/* The daemon died between two commits: the alert is as before, and tells when it comes to it. */
START_TEST(what_was_not_committed_happens_again)
{
	disk_rule();
	case_start();
	w.db_fails = true;
	put(FS, "/", FULL, 93);
	turns(10);
	ck_assert_uint_eq(alerts_n_events(w.alerts), 1);
	w.db_fails = false;
	case_restart();
	turns(4);
	ck_assert_uint_eq(w.n_told, 1);
}
END_TEST

START_TEST(strange_rows_do_not_stop_the_start)
{
	static const char *const rows[] = {
		"INSERT INTO alert VALUES(1,'full','filesystem','/','used_percent','burning',1,1,1,"
		"1,1,1,1,'',1,1,NULL,NULL)",
		"INSERT INTO alert VALUES(2,'full','planet','/','used_percent','firing',1,1,1,"
		"1,1,1,1,'',1,1,NULL,NULL)",
		"INSERT INTO alert VALUES(3,'full','filesystem','/','colour','firing',1,1,1,"
		"1,1,1,1,'',1,1,NULL,NULL)",
		"INSERT INTO alert VALUES(4,'full','filesystem','/a','used_percent','firing',7,1,1,"
		"1,1,1,1,'',1,1,NULL,NULL)",
		"INSERT INTO alert "
		"VALUES(5,'full','filesystem','/b','used_percent','firing',1,-1,1,"
		"1,1,1,1,'',1,1,NULL,NULL)",
		"INSERT INTO alert VALUES(6,'full','filesystem','/c','used_percent','firing',1,1,1,"
		"-5,1,1,1,'',1,1,NULL,NULL)",
		"INSERT INTO alert VALUES(7,'full','filesystem',x'ff00','used_percent',x'00',1,1,1,"
		"1,1,1,1,'',1,1,NULL,NULL)",
		"INSERT INTO alert VALUES(8,'full','filesystem','/d','used_percent','firing',1,1,1,"
		"9e18,9e18,9e18,9e18,'x 9 -4 99999999999999999999','hot','x',x'ff','y')",
	};

	disk_rule();
	case_start();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(db_exec(w.db, rows[i], &err) == 0, "%s", err.msg);
	case_restart();
	ck_assert_int_eq(count_rows("1"), 1);
	put(FS, "/d", FULL, 93);
	turns(10);
	ck_assert_uint_eq(alerts_firing(w.alerts, NULL), 1);
	put(FS, "/d", FULL, 20);
	turns(10);
	ck_assert_uint_eq(alerts_firing(w.alerts, NULL), 0);
}
END_TEST

START_TEST(alert_of_an_unknown_rule_waits_and_ends_silently)
{
	disk_rule();
	fire();
	case_stop();
	w.settings[0].name = "other";
	case_start();
	turns(20);
	ck_assert_int_eq(count_rows("rule = 'full'"), 1);
	ck_assert_uint_eq(alerts_firing(w.alerts, "full"), 0);
	turns(12);
	ck_assert_int_eq(count_rows("rule = 'full'"), 0);
	ck_assert_uint_eq(w.n_told, 2);
	ck_assert_str_eq(w.told[1]->rule, "other");
}
END_TEST

START_TEST(rule_that_is_back_finds_its_alert)
{
	disk_rule();
	fire();
	case_stop();
	w.settings[0].name = "other";
	w.settings[0].enabled = 0;
	case_start();
	turns(5);
	alerts_set_rules(w.alerts, case_rules()); /* still without it */
	turns(5);
	w.settings[0].name = "full";
	w.settings[0].enabled = 1;
	alerts_set_rules(w.alerts, case_rules());
	turns(20);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_uint_eq(alerts_firing(w.alerts, "full"), 1);
}
END_TEST

START_TEST(reload_keeps_what_goes_on)
{
	disk_rule();
	fire();
	alerts_set_rules(w.alerts, case_rules());
	ck_assert_uint_eq(alerts_watched(w.alerts, "full"), 1);
	ck_assert_uint_eq(alerts_firing(w.alerts, "full"), 1);
	turns(10);
	ck_assert_uint_eq(w.n_told, 1);
	w.settings[0].warning = "> 95";
	w.settings[0].clear = "< 94";
	alerts_set_rules(w.alerts, case_rules());
	turns(4);
	ck_assert_uint_eq(w.n_told, 2);
	ck_assert_str_eq(last_told()->kind, EVENT_ALERT_RECOVERED);
}
END_TEST

START_TEST(reload_without_the_rule_ends_its_alerts_silently)
{
	disk_rule();
	fire();
	w.settings[0].enabled = 0;
	alerts_set_rules(w.alerts, case_rules());
	ck_assert_uint_eq(alerts_firing(w.alerts, NULL), 0);
	ck_assert(alerts_has_changes(w.alerts));
	turn();
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_int_eq(count_rows("1"), 0);
}
END_TEST

START_TEST(reload_that_leaves_an_entity_out_ends_its_alert_silently)
{
	const char *entities[] = {"/data"};

	disk_rule();
	fire();
	w.settings[0].entities = (struct rule_patterns){entities, 1};
	alerts_set_rules(w.alerts, case_rules());
	ck_assert_uint_eq(alerts_firing(w.alerts, NULL), 0);
	turns(50);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_int_eq(count_rows("1"), 0);
}
END_TEST

START_TEST(windows_go_on_over_a_reload)
{
	struct rule_settings *s = case_rule("hot", "host.cpu_used_percent", "> 90", NULL);

	s->how = "average";
	s->window_ms = 5 * MINUTE_MS;
	case_start();
	put(&class_host, "host", HOST_cpu_used_percent, 99);
	turns(10);
	alerts_set_rules(w.alerts, case_rules());
	turns(5);
	ck_assert_uint_eq(w.n_told, 1);
}
END_TEST

START_TEST(reload_changes_the_length_of_a_window)
{
	struct rule_settings *s = case_rule("hot", "host.cpu_used_percent", "> 90", NULL);

	s->how = "average";
	s->window_ms = 5 * MINUTE_MS;
	case_start();
	put(&class_host, "host", HOST_cpu_used_percent, 99);
	turns(10);
	w.settings[0].window_ms = 10 * MINUTE_MS;
	alerts_set_rules(w.alerts, case_rules());
	turns(29);
	ck_assert_uint_eq(w.n_told, 0);
	turns(2);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_str_eq(fact(last_told(), "Limit"), "average of 10m above 90 %");
}
END_TEST

/* Four restarts, the last two minutes ago. */
static void restarts(void *user, const struct entity *e, size_t metric, int64_t span_ms,
	void (*add)(void *window, int64_t time_ms, double v), void *window)
{
	(void)user;
	(void)span_ms;
	ck_assert_str_eq(e->key, "shop");
	ck_assert_uint_eq(metric, CGROUP_restarts);
	for (int i = 0; i < 4; i++)
		add(window, w.now_ms - 3 * MINUTE_MS + i * INTERVAL_MS, 1);
}

START_TEST(short_window_of_a_stored_alert_is_filled_too)
{
	struct rule_settings *s = case_rule("loop", "container.restarts", NULL, "> 3");

	s->how = "sum";
	s->window_ms = 10 * MINUTE_MS;
	s->critical_clear = "< 1";
	w.history = restarts;
	case_start();
	turn();
	put(&class_container, "shop", CGROUP_restarts, 4);
	turn();
	ck_assert_uint_eq(w.n_told, 1);
	put(&class_container, "shop", CGROUP_restarts, 0);
	turns(8);
	case_restart();
	turns(10);
	ck_assert_msg(w.n_told == 1, "%s", last_told()->title);
	turns(20);
	ck_assert_uint_eq(w.n_told, 2);
	ck_assert(last_told()->is_end);
}
END_TEST

static void history(void *user, const struct entity *e, size_t metric, int64_t span_ms,
	void (*add)(void *window, int64_t time_ms, double v), void *window)
{
	(void)user;
	ck_assert_ptr_eq(e->class, FS);
	ck_assert_uint_eq(metric, FULL);
	for (int64_t t = w.now_ms - span_ms; t < w.now_ms; t += 5 * MINUTE_MS)
		add(window, t, 80 + (double)(t - w.now_ms) / (360 * MINUTE_MS) * 20);
}

START_TEST(long_windows_are_filled_from_history)
{
	struct rule_settings *s = case_rule("full_soon", "filesystem.used_percent", "< 24h", NULL);

	s->type = "forecast";
	s->window_ms = 360 * MINUTE_MS;
	s->target = "100";
	w.history = history;
	case_start();
	put(FS, "/", FULL, 80);
	turns(2);
	ck_assert_uint_eq(w.n_told, 1);
	ck_assert_msg(
		str_starts(last_told()->title, "Disk / will be full in"), "%s", last_told()->title);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("alerts_store");
	TCase *c = tcase_create("alerts_store");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, case_setup, case_teardown);
	tcase_add_test(c, restart_neither_tells_again_nor_forgets);
	tcase_add_test(c, recovery_while_the_agent_was_down_is_told);
	tcase_add_test(c, stored_alert_waits_for_its_entity);
	tcase_add_test(c, waiting_goes_on_after_a_restart);
	tcase_add_test(c, what_wobbles_below_its_for_is_not_written);
	tcase_add_test(c, rows_go_when_all_is_over);
	tcase_add_test(c, flapping_is_noticed_over_restarts);
	tcase_add_test(c, nothing_is_lost_while_the_database_fails);
	tcase_add_test(c, what_was_not_committed_happens_again);
	tcase_add_test(c, strange_rows_do_not_stop_the_start);
	tcase_add_test(c, alert_of_an_unknown_rule_waits_and_ends_silently);
	tcase_add_test(c, rule_that_is_back_finds_its_alert);
	tcase_add_test(c, reload_keeps_what_goes_on);
	tcase_add_test(c, reload_without_the_rule_ends_its_alerts_silently);
	tcase_add_test(c, reload_that_leaves_an_entity_out_ends_its_alert_silently);
	tcase_add_test(c, windows_go_on_over_a_reload);
	tcase_add_test(c, long_windows_are_filled_from_history);
	tcase_add_test(c, reload_changes_the_length_of_a_window);
	tcase_add_test(c, short_window_of_a_stored_alert_is_filled_too);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
