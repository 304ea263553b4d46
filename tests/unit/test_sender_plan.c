/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "notify/sender.h"
#include "notify/sender_pace.h"
#include "notify/sender_plan.h"

static struct spool_delivery list[SPOOL_BATCH_MAX];
static size_t n_list;
static struct delivery_result fates[SPOOL_BATCH_MAX];
static struct plan plan;

static void setup(void)
{
	memset(list, 0, sizeof(list));
	n_list = 0;
}

static void add(const char *key, enum severity severity, bool is_end)
{
	struct spool_delivery *d = &list[n_list++];

	d->id = (int64_t)n_list * 10;
	d->event_id = (int64_t)n_list;
	d->time_ms = (int64_t)n_list * 1000;
	d->severity = severity;
	d->is_end = is_end;
	(void)snprintf(d->key, sizeof(d->key), "%s", key);
}

static void make(unsigned flags)
{
	memset(fates, 0xff, sizeof(fates));
	plan_make(list, n_list, flags, fates, &plan);
	ck_assert_uint_eq(plan.n_full + plan.n_collapsed + plan.n_counted, plan.n);
	for (size_t i = 0; i < plan.n; i++)
		ck_assert_int_eq(fates[i].id, list[i].id);
}

START_TEST(one_event_goes_in_full)
{
	add("disk", SEVERITY_WARNING, false);
	make(0);
	ck_assert_uint_eq(plan.n_full, 1);
	ck_assert_uint_eq(plan.full[0], 0);
	ck_assert_int_eq(fates[0].state, DELIVERY_SENT);
}
END_TEST

START_TEST(of_a_story_only_the_newest_goes)
{
	add("disk", SEVERITY_WARNING, false);
	add("cpu", SEVERITY_WARNING, false);
	add("disk", SEVERITY_CRITICAL, false);
	add("disk", SEVERITY_CRITICAL, true); /* the recovery stands for what it ended */
	make(0);
	ck_assert_uint_eq(plan.n_full, 2);
	ck_assert_uint_eq(plan.full[0], 1); /* oldest first */
	ck_assert_uint_eq(plan.full[1], 3);
	ck_assert_uint_eq(plan.n_collapsed, 2);
	ck_assert_uint_eq(plan.n_counted, 0);
	ck_assert_int_eq(fates[0].state, DELIVERY_COLLAPSED);
	ck_assert_int_eq(fates[2].state, DELIVERY_COLLAPSED);
	ck_assert_int_eq(fates[3].state, DELIVERY_SENT);
}
END_TEST

START_TEST(events_without_a_key_are_never_merged)
{
	add("", SEVERITY_INFO, false);
	add("", SEVERITY_INFO, false);
	add("", SEVERITY_INFO, false);
	make(0);
	ck_assert_uint_eq(plan.n_full, 3);
}
END_TEST

START_TEST(of_many_the_worst_and_newest_go_in_full)
{
	char key[20];

	for (int i = 0; i < 30; i++) {
		(void)snprintf(key, sizeof(key), "story %d", i);
		add(key,
			i == 2   ? SEVERITY_CRITICAL
			: i < 10 ? SEVERITY_WARNING
				 : SEVERITY_INFO,
			i == 4);
	}
	add("story 0", SEVERITY_WARNING, false); /* now the newest */
	add("story 12", SEVERITY_INFO, false);
	add("story 12", SEVERITY_INFO, false);
	make(0);
	ck_assert_uint_eq(plan.n_full, MESSAGE_EVENTS_MAX);
	/* In full: 2, then the warnings 0 to 9 but 2 and 4 (which is over), then the newest infos:
	 * 12, and 29 down to 20. */
	for (size_t i = 0; i < n_list; i++) {
		bool newest = i != 0 && i != 12 && i != 31;
		bool full = newest && ((i < 10 && i != 4) || i >= 20);

		ck_assert_msg((fates[i].state == DELIVERY_SENT) == full, "%zu", i);
	}
	for (size_t i = 1; i < plan.n_full; i++)
		ck_assert_uint_lt(plan.full[i - 1], plan.full[i]);
	ck_assert_int_eq(fates[0].state, DELIVERY_COLLAPSED);
	ck_assert_int_eq(fates[4].state, DELIVERY_COUNTED);
	ck_assert_int_eq(fates[15].state, DELIVERY_COUNTED);
	ck_assert_uint_eq(plan.n_collapsed, 3);
	ck_assert_uint_eq(plan.n_counted, n_list - MESSAGE_EVENTS_MAX - 3);
}
END_TEST

START_TEST(all_events_of_a_story_that_is_only_counted_are_counted)
{
	char key[20];

	add("old", SEVERITY_INFO, false);
	add("old", SEVERITY_INFO, true);
	for (int i = 0; i < MESSAGE_EVENTS_MAX; i++) {
		(void)snprintf(key, sizeof(key), "story %d", i);
		add(key, SEVERITY_WARNING, false);
	}
	make(0);
	ck_assert_uint_eq(plan.n_counted, 2);
	ck_assert_uint_eq(plan.n_collapsed, 0);
	ck_assert_int_eq(fates[0].state, DELIVERY_COUNTED);
	ck_assert_int_eq(fates[1].state, DELIVERY_COUNTED);
}
END_TEST

START_TEST(programs_get_every_event)
{
	for (int i = 0; i < 30; i++)
		add("disk", SEVERITY_INFO, false);
	make(CHANNEL_EACH);
	ck_assert_uint_eq(plan.n, 1);
	ck_assert_uint_eq(plan.n_full, 1);
	make(CHANNEL_BATCH);
	ck_assert_uint_eq(plan.n, MESSAGE_EVENTS_MAX);
	ck_assert_uint_eq(plan.n_full, MESSAGE_EVENTS_MAX);
	ck_assert_uint_eq(plan.full[7], 7);
	n_list = 3;
	make(CHANNEL_BATCH);
	ck_assert_uint_eq(plan.n, 3);
}
END_TEST

static bool is_newest_counted(size_t i)
{
	for (size_t k = i + 1; list[i].key[0] && k < n_list; k++)
		if (strcmp(list[i].key, list[k].key) == 0)
			return false;
	return fates[i].state == DELIVERY_COUNTED;
}

/* Worse, or as bad and newer. What is over weighs least. */
static bool weighs_more(size_t a, size_t b)
{
	if (list[a].is_end != list[b].is_end)
		return list[b].is_end;
	if (!list[a].is_end && list[a].severity != list[b].severity)
		return list[a].severity > list[b].severity;
	return a > b;
}

/* Whatever waits: nothing is forgotten, the newest of a story in full is really its newest, no story
 * is there twice, and none that is counted should have been in full before one that is. */
START_TEST(nothing_is_forgotten)
{
	char key[20];

	srandom((unsigned)_i + 1);
	for (long n = random() % SPOOL_BATCH_MAX + 1; n > 0; n--) {
		(void)snprintf(key, sizeof(key), "k%ld", random() % (_i % 3 ? 15 : 300));
		add(random() % 50 ? key : "", (enum severity)(random() % 3), random() % 4 == 0);
	}
	make(0);
	ck_assert_uint_eq(plan.n, n_list);
	for (size_t f = 0; f < plan.n_full; f++) {
		size_t at = plan.full[f];

		ck_assert_int_eq(fates[at].state, DELIVERY_SENT);
		for (size_t i = 0; list[at].key[0] && i < n_list; i++) {
			if (i == at || strcmp(list[i].key, list[at].key) != 0)
				continue;
			ck_assert_uint_lt(i, at);
			ck_assert_int_eq(fates[i].state, DELIVERY_COLLAPSED);
		}
		for (size_t i = 0; i < n_list; i++)
			if (is_newest_counted(i))
				ck_assert_msg(weighs_more(at, i), "%zu before %zu", i, at);
	}
}
END_TEST

START_TEST(a_burst_then_the_rate)
{
	struct pace p = {0};
	int64_t now = 1800000000000;

	for (int i = 0; i < PACE_BURST; i++) {
		ck_assert_int_eq(pace_wait_ms(&p, 60, PACE_BURST, now), 0);
		pace_take(&p, 60, now);
	}
	ck_assert_int_eq(pace_wait_ms(&p, 60, PACE_BURST, now), 1000);
	ck_assert_int_eq(pace_wait_ms(&p, 60, PACE_BURST, now + 400), 600);
	ck_assert_int_eq(pace_wait_ms(&p, 60, PACE_BURST, now + 1000), 0);
	pace_take(&p, 60, now + 1000);
	ck_assert_int_eq(pace_wait_ms(&p, 60, PACE_BURST, now + 1000), 1000);
	ck_assert_int_eq(pace_wait_ms(&p, 60, PACE_BURST, now + 3600 * 1000),
		0); /* full again, not fuller */
	for (int i = 0; i < PACE_BURST; i++)
		pace_take(&p, 60, now + 3600 * 1000);
	ck_assert_int_gt(pace_wait_ms(&p, 60, PACE_BURST, now + 3600 * 1000), 0);
	ck_assert_int_eq(pace_wait_ms(&p, 0, PACE_BURST, now), 0); /* no limit */
}
END_TEST

START_TEST(a_clock_set_back_does_not_stop_the_rate)
{
	struct pace p = {0};
	int64_t now = 1800000000000;

	for (int i = 0; i < PACE_BURST; i++)
		pace_take(&p, 20, now);
	ck_assert_int_eq(pace_wait_ms(&p, 20, PACE_BURST, now - 86400000), 3000);
	ck_assert_int_eq(pace_wait_ms(&p, 20, PACE_BURST, now - 86400000 + 3000), 0);
}
END_TEST

START_TEST(waits_double_up_to_a_quarter_of_an_hour)
{
	int64_t expected = 5000;

	for (unsigned failures = 1; failures < 100; failures++) {
		ck_assert_int_eq(pace_backoff_ms(failures, 0), expected);
		ck_assert_int_gt(pace_backoff_ms(failures, 4294967295u), expected * 9 / 10 - 1);
		ck_assert_int_le(pace_backoff_ms(failures, 4294967295u), expected);
		expected = expected * 2 < 900000 ? expected * 2 : 900000;
	}
	ck_assert_int_ne(pace_backoff_ms(5, 17), pace_backoff_ms(5, 1017));
}
END_TEST

static Suite *plan_suite(void)
{
	Suite *s = suite_create("sender_plan");
	TCase *tc = tcase_create("sender_plan");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, one_event_goes_in_full);
	tcase_add_test(tc, of_a_story_only_the_newest_goes);
	tcase_add_test(tc, events_without_a_key_are_never_merged);
	tcase_add_test(tc, of_many_the_worst_and_newest_go_in_full);
	tcase_add_test(tc, all_events_of_a_story_that_is_only_counted_are_counted);
	tcase_add_test(tc, programs_get_every_event);
	tcase_add_loop_test(tc, nothing_is_forgotten, 0, 20);
	tcase_add_test(tc, a_burst_then_the_rate);
	tcase_add_test(tc, a_clock_set_back_does_not_stop_the_rate);
	tcase_add_test(tc, waits_double_up_to_a_quarter_of_an_hour);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(plan_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
