/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/db.h"
#include "notify/silence.h"

static const char *const schema[] = {SILENCE_SCHEMA};
static const int64_t hour_ms = 3600 * 1000;
static const int64_t t0 = 1795237260000;
static struct db *db;
static struct silences *s;
static struct err err;

static void reopen(int64_t now_ms)
{
	silences_free(s);
	ck_assert_msg(silences_new(db, now_ms, &s, &err) == 0, "%s", err.msg);
}

static void setup(void)
{
	ck_assert_int_eq(db_open(":memory:", schema, 1, &db, &err), DB_OPENED);
	s = NULL;
	reopen(t0);
}

static void teardown(void)
{
	silences_free(s);
	db_close(db);
}

static int64_t add(const char *rule, const char *entity, int64_t from_ms, int64_t until_ms)
{
	struct silence one = {.rule = (char *)rule,
		.entity = (char *)entity,
		.from_ms = from_ms,
		.until_ms = until_ms,
		.reason = "moving house",
		.by = "root"};
	int64_t id = 0;

	ck_assert_msg(silences_add(s, &one, &id, &err) == 0, "%s", err.msg);
	return id;
}

static const char *reason_of(
	const struct entity_class *class, const char *rule, const char *key, int64_t now_ms)
{
	struct rule r = {.name = (char *)rule, .class = class, .type = RULE_VALUE};

	r.metric = class == &class_container ? (size_t)CGROUP_memory_used_percent : 0;
	return silences_reason(s, &r, class->name, key, now_ms);
}

START_TEST(silence_holds_from_its_start_until_its_end)
{
	add("disk", "/", t0, t0 + hour_ms);
	ck_assert_ptr_null(reason_of(&class_filesystem, "disk", "/", t0 - 1));
	ck_assert_str_eq(reason_of(&class_filesystem, "disk", "/", t0), "moving house");
	ck_assert_ptr_nonnull(reason_of(&class_filesystem, "disk", "/", t0 + hour_ms - 1));
	ck_assert_ptr_null(reason_of(&class_filesystem, "disk", "/", t0 + hour_ms));
}
END_TEST

START_TEST(patterns_fit_the_rule_and_the_entity_with_or_without_class)
{
	static const struct {
		const char *rule, *entity;
		bool fits;
	} cases[] = {
		{"*", "*", true},
		{"", "", true},
		{NULL, NULL, true},
		{"memory*", "*", true},
		{"disk*", "*", false},
		{"*", "shop-*", true},
		{"*", "container/shop-*", true},
		{"*", "filesystem/*", false},
		{"*", "shop", false},
		{"*", "!shop-*", false},
		{"*", "!mail*", true},
		{"!disk", "*", true},
		{"!memory*", "*", false},
	};

	add(cases[_i].rule, cases[_i].entity, t0, t0 + hour_ms);
	ck_assert_int_eq(reason_of(&class_container, "memory_limit", "shop-web", t0) != NULL,
		cases[_i].fits);
}
END_TEST

START_TEST(silence_survives_a_restart)
{
	int64_t id = add("disk", NULL, t0, t0 + hour_ms);

	reopen(t0 + 5);
	ck_assert_uint_eq(silences_count(s), 1);
	ck_assert_int_eq(silences_at(s, 0)->id, id);
	ck_assert_str_eq(silences_at(s, 0)->rule, "disk");
	ck_assert_str_eq(silences_at(s, 0)->entity, "*");
	ck_assert_int_eq(silences_at(s, 0)->from_ms, t0);
	ck_assert_int_eq(silences_at(s, 0)->until_ms, t0 + hour_ms);
	ck_assert_str_eq(silences_at(s, 0)->reason, "moving house");
	ck_assert_str_eq(silences_at(s, 0)->by, "root");
	reopen(t0 + hour_ms);
	ck_assert_uint_eq(silences_count(s), 0);
	reopen(t0 + 5);
	ck_assert_uint_eq(silences_count(s), 0);
}
END_TEST

START_TEST(silence_is_removed_by_its_id)
{
	int64_t a = add("a", "*", t0, t0 + hour_ms), b = add("b", "*", t0, t0 + hour_ms);

	ck_assert_int_eq(silences_remove(s, a, &err), 0);
	ck_assert_int_eq(silences_remove(s, a, &err), -ENOENT);
	ck_assert_uint_eq(silences_count(s), 1);
	ck_assert_int_eq(silences_at(s, 0)->id, b);
	reopen(t0);
	ck_assert_uint_eq(silences_count(s), 1);
	ck_assert_int_eq(silences_at(s, 0)->id, b);
}
END_TEST

START_TEST(what_has_ended_is_forgotten)
{
	add("a", "*", t0, t0 + 2 * hour_ms);
	add("b", "*", t0, t0 + hour_ms);
	ck_assert(!silences_expire(s, t0 + hour_ms - 1));
	ck_assert(silences_expire(s, t0 + hour_ms));
	ck_assert(!silences_expire(s, t0 + hour_ms));
	ck_assert_uint_eq(silences_count(s), 1);
	ck_assert_str_eq(silences_at(s, 0)->rule, "a");
	reopen(t0);
	ck_assert_uint_eq(silences_count(s), 1);
}
END_TEST

static int try_add(const char *pattern, int64_t length_ms)
{
	struct silence one = {
		.rule = "*", .entity = (char *)pattern, .from_ms = t0, .until_ms = t0 + length_ms};
	int64_t id;

	return silences_add(s, &one, &id, &err);
}

START_TEST(silence_without_bounds_is_refused)
{
	char pattern[SILENCE_PATTERN_MAX + 2];

	memset(pattern, 'x', sizeof(pattern));
	pattern[sizeof(pattern) - 1] = '\0';
	ck_assert_int_eq(try_add("*", 0), -EINVAL);
	ck_assert_int_eq(try_add("*", -5), -EINVAL);
	ck_assert_int_eq(try_add("*", 367LL * 24 * hour_ms), -EINVAL);
	ck_assert_int_eq(try_add(pattern, hour_ms), -EINVAL);
	ck_assert_uint_eq(silences_count(s), 0);
	for (int i = 0; i < SILENCES_MAX; i++)
		ck_assert_int_eq(try_add("*", hour_ms), 0);
	ck_assert_int_eq(try_add("*", hour_ms), -ENOSPC);
	reopen(t0);
	ck_assert_uint_eq(silences_count(s), SILENCES_MAX);
}
END_TEST

START_TEST(reason_is_one_clean_line)
{
	char text[2000];
	struct silence one = {.from_ms = t0, .until_ms = t0 + hour_ms, .reason = text};
	int64_t id;

	memset(text, 'x', sizeof(text));
	memcpy(text, "a\nb\x1b[31m\xff", 9);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(silences_add(s, &one, &id, &err), 0);
	ck_assert_uint_le(strlen(silences_at(s, 0)->reason), SILENCE_REASON_MAX);
	ck_assert(strncmp(silences_at(s, 0)->reason, "a b [31m\uFFFDxx", 13) == 0);
	ck_assert_str_eq(silences_at(s, 0)->by, "");
}
END_TEST

START_TEST(silence_without_a_reason_says_silenced)
{
	ck_assert_int_eq(try_add("*", hour_ms), 0);
	ck_assert_str_eq(reason_of(&class_host, "load", "host", t0), "silenced");
}
END_TEST

/* Local time of Berlin as "2026-03-29 02:30"; `dst` tells the two apart in the hour there is twice. */
static int64_t berlin(const char *text, int dst)
{
	struct tm tm = {.tm_isdst = dst};

	ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
	return (int64_t)mktime(&tm) * 1000;
}

static void maintain(const char *cron, int64_t length_ms)
{
	struct maintenance m = {.name = "backup", .duration_ms = length_ms};

	ck_assert_int_eq(setenv("TZ", "Europe/Berlin", 1), 0);
	tzset();
	ck_assert_msg(cron_parse(cron, &m.schedule, &err) == 0, "%s", err.msg);
	silences_set_maintenance(s, &m, 1);
}

static bool is_maintained(int64_t now_ms)
{
	const char *reason = reason_of(&class_host, "load", "host", now_ms);

	ck_assert(!reason || strcmp(reason, "maintenance: backup") == 0);
	return reason != NULL;
}

START_TEST(maintenance_is_from_each_start_for_its_duration)
{
	maintain("0 3 * * *", hour_ms);
	ck_assert(!is_maintained(berlin("2026-11-21 02:59:59", 0)));
	ck_assert(is_maintained(berlin("2026-11-21 03:00:00", 0)));
	ck_assert(is_maintained(berlin("2026-11-21 03:59:59", 0) + 999));
	ck_assert(!is_maintained(berlin("2026-11-21 04:00:00", 0)));
	ck_assert(is_maintained(berlin("2026-11-22 03:30:00", 0)));
}
END_TEST

START_TEST(maintenance_reaches_over_midnight_and_days)
{
	maintain("0 22 * * fri", 60 * hour_ms);
	ck_assert(!is_maintained(berlin("2026-11-20 21:59:00", 0)));
	ck_assert(is_maintained(berlin("2026-11-20 22:00:00", 0)));
	ck_assert(is_maintained(berlin("2026-11-22 12:00:00", 0)));
	ck_assert(!is_maintained(berlin("2026-11-23 10:00:00", 0)));
}
END_TEST

/* 2026-03-29: the clock goes from 02:00 to 03:00. */
START_TEST(maintenance_when_summer_time_begins)
{
	maintain("0 1 * * *", 3 * hour_ms);
	ck_assert(is_maintained(berlin("2026-03-29 01:59:00", 0)));
	ck_assert(is_maintained(berlin("2026-03-29 04:59:00", 1)));
	ck_assert(!is_maintained(berlin("2026-03-29 05:00:00", 1)));
	/* A start that does not exist is at the end of the gap. */
	maintain("30 2 * * *", hour_ms);
	ck_assert(!is_maintained(berlin("2026-03-29 01:59:59", 0)));
	ck_assert(is_maintained(berlin("2026-03-29 03:00:00", 1)));
	ck_assert(is_maintained(berlin("2026-03-29 03:59:59", 1)));
	ck_assert(!is_maintained(berlin("2026-03-29 04:00:00", 1)));
	ck_assert(is_maintained(berlin("2026-03-30 02:30:00", 1)));
}
END_TEST

/* 2026-10-25: the clock goes from 03:00 back to 02:00. */
START_TEST(maintenance_when_summer_time_ends)
{
	maintain("30 2 * * *", hour_ms / 2);
	ck_assert(is_maintained(berlin("2026-10-25 02:30:00", 1)));
	ck_assert(!is_maintained(berlin("2026-10-25 02:00:00", 0)));
	ck_assert_msg(!is_maintained(berlin("2026-10-25 02:45:00", 0)), "it was had already");
	maintain("0 1 * * *", 3 * hour_ms);
	ck_assert(is_maintained(berlin("2026-10-25 02:59:00", 0)));
	ck_assert(!is_maintained(berlin("2026-10-25 03:00:00", 0)));
}
END_TEST

START_TEST(maintenance_is_for_its_rules_and_entities)
{
	const char *rules[] = {"disk*", "load"}, *entities[] = {"!mail*", "container/*"};
	struct maintenance m = {.name = "m",
		.duration_ms = hour_ms,
		.rules = {rules, 2},
		.entities = {entities, 2}};
	int64_t now = berlin("2026-11-21 03:00:00", 0);

	ck_assert_int_eq(cron_parse("* * * * *", &m.schedule, &err), 0);
	silences_set_maintenance(s, &m, 1);
	ck_assert_str_eq(reason_of(&class_container, "disk_x", "shop", now), "maintenance: m");
	ck_assert_ptr_null(reason_of(&class_container, "disk_x", "mail-1", now));
	ck_assert_ptr_null(reason_of(&class_filesystem, "disk_x", "/", now));
	ck_assert_ptr_null(reason_of(&class_container, "memory", "shop", now));
	m.entities.n = 1; /* only "!mail*" */
	silences_set_maintenance(s, &m, 1);
	ck_assert_ptr_nonnull(reason_of(&class_filesystem, "disk_x", "/", now));
	ck_assert_ptr_null(reason_of(&class_container, "disk_x", "mail-1", now));
	silences_set_maintenance(s, NULL, 0);
	ck_assert_ptr_null(reason_of(&class_container, "disk_x", "shop", now));
}
END_TEST

START_TEST(maintenance_tells_when_it_is)
{
	struct maintenance_status st[2];

	maintain("0 3 * * *", hour_ms);
	ck_assert_uint_eq(silences_maintenance(s, berlin("2026-11-21 02:00:00", 0), st, 2), 1);
	ck_assert_str_eq(st[0].name, "backup");
	ck_assert(!st[0].active && st[0].until_ms == 0);
	ck_assert_int_eq(st[0].next_ms, berlin("2026-11-21 03:00:00", 0));
	ck_assert_uint_eq(silences_maintenance(s, berlin("2026-11-21 03:10:00", 0), st, 2), 1);
	ck_assert(st[0].active);
	ck_assert_int_eq(st[0].until_ms, berlin("2026-11-21 04:00:00", 0));
	ck_assert_int_eq(st[0].next_ms, berlin("2026-11-22 03:00:00", 0));
	ck_assert_uint_eq(silences_maintenance(s, t0, st, 0), 0);
}
END_TEST

static const char *swap_reason(
	const struct entity_class *class, enum rule_type type, size_t metric, const char *key)
{
	struct rule r = {.name = "r", .class = class, .type = type, .metric = metric};

	return silences_reason(s, &r, class->name, key, t0);
}

START_TEST(swap_mutes_what_it_brings_about_and_nothing_else)
{
	silences_swap(s, "shop", t0 + hour_ms);
	ck_assert_str_eq(swap_reason(&class_container, RULE_VALUE, CGROUP_running, "shop"),
		"a new version is being started");
	ck_assert_ptr_nonnull(swap_reason(&class_container, RULE_VALUE, CGROUP_restarts, "shop"));
	ck_assert_ptr_nonnull(swap_reason(&class_container, RULE_VALUE, CGROUP_healthy, "shop"));
	ck_assert_ptr_nonnull(swap_reason(&class_container, RULE_GONE, 0, "shop"));
	ck_assert_ptr_nonnull(swap_reason(&class_container, RULE_MISSING, 0, "shop"));
	ck_assert_ptr_null(swap_reason(&class_container, RULE_VALUE, CGROUP_oom_kills, "shop"));
	ck_assert_ptr_null(swap_reason(&class_container, RULE_GONE, 0, "mail"));
	ck_assert_ptr_null(swap_reason(&class_service, RULE_GONE, 0, "shop"));
	ck_assert_ptr_nonnull(swap_reason(&class_container, RULE_GONE, 0, "shop@0a1b2c3d4e5f"));
	ck_assert_ptr_nonnull(swap_reason(&class_container, RULE_GONE, 0, "shop.2"));
	ck_assert_ptr_nonnull(swap_reason(&class_app, RULE_VALUE, APP_up, "shop"));
	ck_assert_ptr_null(swap_reason(&class_container, RULE_GONE, 0, "shop-db"));
	ck_assert_ptr_null(swap_reason(&class_container, RULE_GONE, 0, "shop.db"));
	ck_assert_ptr_null(swap_reason(&class_container, RULE_GONE, 0, "sho"));
	silences_swap(s, "shop", 0);
	ck_assert_ptr_null(swap_reason(&class_container, RULE_GONE, 0, "shop"));
}
END_TEST

START_TEST(swap_ends_at_its_deadline)
{
	struct rule r = {.name = "r", .class = &class_container, .type = RULE_GONE};

	silences_swap(s, "shop", t0 + 1000);
	silences_swap(s, "shop", t0 + 5000); /* takes longer */
	ck_assert_ptr_nonnull(silences_reason(s, &r, "container", "shop", t0 + 4999));
	ck_assert_ptr_null(silences_reason(s, &r, "container", "shop", t0 + 5000));
	ck_assert(silences_expire(s, t0 + 5000));
	ck_assert(!silences_expire(s, t0 + 5000));
}
END_TEST

START_TEST(swaps_are_bounded_and_the_newest_stay)
{
	char key[32];

	for (int i = 0; i <= SWAPS_MAX; i++) {
		(void)snprintf(key, sizeof(key), "shop-%d", i);
		silences_swap(s, key, t0 + 1000 + i);
	}
	ck_assert_ptr_nonnull(swap_reason(&class_container, RULE_GONE, 0, key));
	ck_assert_ptr_null(swap_reason(&class_container, RULE_GONE, 0, "shop-0"));
	ck_assert_ptr_nonnull(swap_reason(&class_container, RULE_GONE, 0, "shop-1"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("silence");
	TCase *c = tcase_create("silence");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, silence_holds_from_its_start_until_its_end);
	tcase_add_loop_test(c, patterns_fit_the_rule_and_the_entity_with_or_without_class, 0, 13);
	tcase_add_test(c, silence_survives_a_restart);
	tcase_add_test(c, silence_is_removed_by_its_id);
	tcase_add_test(c, what_has_ended_is_forgotten);
	tcase_add_test(c, silence_without_bounds_is_refused);
	tcase_add_test(c, reason_is_one_clean_line);
	tcase_add_test(c, silence_without_a_reason_says_silenced);
	tcase_add_test(c, maintenance_is_from_each_start_for_its_duration);
	tcase_add_test(c, maintenance_reaches_over_midnight_and_days);
	tcase_add_test(c, maintenance_when_summer_time_begins);
	tcase_add_test(c, maintenance_when_summer_time_ends);
	tcase_add_test(c, maintenance_is_for_its_rules_and_entities);
	tcase_add_test(c, maintenance_tells_when_it_is);
	tcase_add_test(c, swap_mutes_what_it_brings_about_and_nothing_else);
	tcase_add_test(c, swap_ends_at_its_deadline);
	tcase_add_test(c, swaps_are_bounded_and_the_newest_stay);
	suite_add_tcase(suite, c);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
