/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/alert_story.h"

/* Every cell of the table: where a state goes with a reading, when it has been in it for a moment
 * and when its wait (for, clear_for: 5 minutes; no data: 10; flapping: 30) is over. */

#define OK_ ALERT_OK
#define PEND ALERT_PENDING
#define FIRE ALERT_FIRING
#define CLRG ALERT_CLEARING
#define NODA ALERT_NO_DATA
#define FLAP ALERT_FLAPPING
#define BAD SEVERITY_WARNING
#define GOOD SEVERITY_INFO

static const struct {
	enum alert_state from;
	enum severity level; /* of flapping: the side */
	enum rule_reading v;
	enum alert_state soon;
	enum alert_state late;
	enum alert_action tell; /* late */
	int wait_minutes;
} cells[] = {
	{OK_, GOOD, U, OK_, OK_, ALERT_TELL_NOTHING, 60},
	{OK_, GOOD, C, OK_, OK_, ALERT_TELL_NOTHING, 60},
	{OK_, GOOD, B, OK_, OK_, ALERT_TELL_NOTHING, 60},
	{OK_, GOOD, W, PEND, PEND, ALERT_TELL_NOTHING, 60},
	{OK_, GOOD, X, PEND, PEND, ALERT_TELL_NOTHING, 60},
	{PEND, BAD, U, PEND, OK_, ALERT_TELL_NOTHING, 10},
	{PEND, BAD, C, OK_, OK_, ALERT_TELL_NOTHING, 5},
	{PEND, BAD, B, PEND, OK_, ALERT_TELL_NOTHING, 10},
	{PEND, BAD, W, PEND, FIRE, ALERT_TELL_FIRING, 5},
	{PEND, BAD, X, PEND, FIRE, ALERT_TELL_FIRING, 5},
	{FIRE, BAD, U, NODA, NODA, ALERT_TELL_NOTHING, 60},
	{FIRE, BAD, C, CLRG, CLRG, ALERT_TELL_NOTHING, 60},
	{FIRE, BAD, B, FIRE, FIRE, ALERT_TELL_NOTHING, 60},
	{FIRE, BAD, W, FIRE, FIRE, ALERT_TELL_NOTHING, 60},
	{FIRE, BAD, X, FIRE, FIRE, ALERT_TELL_FIRING, 60},
	{CLRG, BAD, U, NODA, NODA, ALERT_TELL_NOTHING, 60},
	{CLRG, BAD, C, CLRG, OK_, ALERT_TELL_RECOVERED, 5},
	{CLRG, BAD, B, FIRE, FIRE, ALERT_TELL_NOTHING, 60},
	{CLRG, BAD, W, FIRE, FIRE, ALERT_TELL_NOTHING, 60},
	{CLRG, BAD, X, FIRE, FIRE, ALERT_TELL_FIRING, 60},
	{NODA, BAD, U, NODA, OK_, ALERT_TELL_GONE, 10},
	{NODA, BAD, C, CLRG, CLRG, ALERT_TELL_NOTHING, 60},
	{NODA, BAD, B, FIRE, FIRE, ALERT_TELL_NOTHING, 60},
	{NODA, BAD, W, FIRE, FIRE, ALERT_TELL_NOTHING, 60},
	{NODA, BAD, X, FIRE, FIRE, ALERT_TELL_FIRING, 60},
	{FLAP, BAD, U, FLAP, NODA, ALERT_TELL_NOTHING, 30},
	{FLAP, BAD, C, FLAP, FLAP, ALERT_TELL_NOTHING, 60},
	{FLAP, BAD, B, FLAP, FIRE, ALERT_TELL_FIRING, 30},
	{FLAP, BAD, W, FLAP, FIRE, ALERT_TELL_FIRING, 30},
	{FLAP, BAD, X, FLAP, FIRE, ALERT_TELL_FIRING, 30},
	{FLAP, GOOD, U, FLAP, OK_, ALERT_TELL_RECOVERED, 30},
	{FLAP, GOOD, C, FLAP, OK_, ALERT_TELL_RECOVERED, 30},
	{FLAP, GOOD, B, FLAP, OK_, ALERT_TELL_RECOVERED, 30},
	{FLAP, GOOD, W, FLAP, FLAP, ALERT_TELL_NOTHING, 60},
	{FLAP, GOOD, X, FLAP, FLAP, ALERT_TELL_NOTHING, 60},
};

static struct alert_life life_in(enum alert_state s, enum severity level)
{
	bool told = s != ALERT_OK && s != ALERT_PENDING;

	return (struct alert_life){
		.state = s,
		.level = level,
		.worst = told ? SEVERITY_WARNING : SEVERITY_INFO,
		.told = told ? SEVERITY_WARNING : SEVERITY_INFO,
		.since_ms = start_ms,
		.fired_ms = told ? start_ms : 0,
		.entered_ms = start_ms,
		.told_ms = told ? start_ms : 0,
	};
}

START_TEST(each_cell_of_the_table)
{
	struct rule r = rule_with(5 * MINUTE, 5 * MINUTE, 0);
	struct alert_life life = life_in(cells[_i].from, cells[_i].level);
	int64_t wait_ms = (int64_t)cells[_i].wait_minutes * MINUTE;
	enum alert_action tell;
	bool changed;

	/* A millisecond before the wait is over. */
	changed = alert_machine_step(&life, &r, cells[_i].v, start_ms + wait_ms - 1, false, &tell);
	ck_assert_str_eq(alert_state_name(life.state), alert_state_name(cells[_i].soon));
	ck_assert(changed || life.state == cells[_i].from);
	if (cells[_i].soon != cells[_i].late)
		ck_assert_int_eq(tell, ALERT_TELL_NOTHING);

	life = life_in(cells[_i].from, cells[_i].level);
	changed = alert_machine_step(&life, &r, cells[_i].v, start_ms + wait_ms, false, &tell);
	ck_assert_str_eq(alert_state_name(life.state), alert_state_name(cells[_i].late));
	ck_assert_int_eq(tell, cells[_i].tell);
	ck_assert(changed || life.state == cells[_i].from);
}
END_TEST

START_TEST(without_waits_it_goes_through_at_once)
{
	struct story s = begin(rule_with(0, 0, 0));

	ck_assert_int_eq(step(&s, W), ALERT_TELL_FIRING);
	ck_assert_int_eq(s.life.state, ALERT_FIRING);
	ck_assert_int_eq(step(&s, C), ALERT_TELL_RECOVERED);
	ck_assert_int_eq(s.life.state, ALERT_OK);
	/* Back from no data, and clear: that is a recovery. */
	(void)step(&s, W);
	(void)step(&s, U);
	ck_assert_int_eq(step(&s, C), ALERT_TELL_RECOVERED);
}
END_TEST

START_TEST(for_is_waited_out)
{
	struct story s = begin(rule_with(5 * MINUTE, 0, 0));

	go(&s, W, 5 * MINUTE);
	ck_assert_str_eq(s.told, "");
	(void)step(&s, W);
	ck_assert_str_eq(s.told, "F");
	ck_assert_int_eq(s.life.since_ms, start_ms);
	ck_assert_int_eq(s.life.fired_ms, start_ms + 5 * MINUTE);
}
END_TEST

START_TEST(what_clears_in_time_is_not_told)
{
	struct story s = begin(rule_with(5 * MINUTE, 0, 0));

	for (int i = 0; i < 20; i++) {
		go(&s, W, 4 * MINUTE);
		go(&s, C, MINUTE);
	}
	ck_assert_str_eq(s.told, "");
	ck_assert_int_eq(s.life.state, ALERT_OK);
}
END_TEST

START_TEST(a_failed_sample_does_not_begin_for_anew)
{
	struct story s = begin(rule_with(5 * MINUTE, 0, 0));

	go(&s, W, 3 * MINUTE);
	go(&s, U, MINUTE);
	go(&s, W, 3 * MINUTE);
	ck_assert_str_eq(s.told, "F");
}
END_TEST

/* Near the limit, but over it only twice in a day. */
START_TEST(two_peaks_far_apart_are_not_one)
{
	struct story s = begin(rule_with(5 * MINUTE, 0, 0));

	(void)step(&s, W);
	go(&s, B, 4 * HOUR);
	(void)step(&s, W);
	go(&s, B, 4 * HOUR);
	ck_assert_str_eq(s.told, "");
}
END_TEST

START_TEST(clear_for_is_waited_out)
{
	struct story s = begin(rule_with(0, 5 * MINUTE, 0));

	(void)step(&s, W);
	go(&s, C, 4 * MINUTE);
	(void)step(&s, W); /* back: no message for either */
	ck_assert_int_eq(s.life.state, ALERT_FIRING);
	go(&s, C, 5 * MINUTE);
	ck_assert_str_eq(s.told, "F");
	(void)step(&s, C);
	ck_assert_str_eq(s.told, "Fr");
	/* What a recovery says is still there. */
	ck_assert_int_eq(s.life.fired_ms, start_ms);
	ck_assert_int_eq(s.life.worst, SEVERITY_WARNING);
}
END_TEST

START_TEST(worse_is_told_better_is_not)
{
	struct story s = begin(rule_with(0, 0, 0));

	value(&s, 91);
	value(&s, 98);
	ck_assert_str_eq(s.told, "FF");
	ck_assert_int_eq(s.life.level, SEVERITY_CRITICAL);
	value(&s, 96); /* not clear of critical yet */
	ck_assert_int_eq(s.life.level, SEVERITY_CRITICAL);
	value(&s, 94);
	ck_assert_int_eq(s.life.level, SEVERITY_WARNING);
	ck_assert_int_eq(s.life.worst, SEVERITY_CRITICAL);
	value(&s, 98); /* as bad as was told already */
	value(&s, 85);
	ck_assert_int_eq(s.life.level, SEVERITY_WARNING);
	ck_assert_str_eq(s.told, "FF");
	value(&s, 79);
	ck_assert_str_eq(s.told, "FFr");
}
END_TEST

START_TEST(after_a_reminder_of_the_lesser_level_worse_is_told_again)
{
	struct story s = begin(rule_with(0, 0, HOUR));

	(void)step(&s, X);
	go(&s, W, HOUR);
	ck_assert_str_eq(s.told, "FR");
	(void)step(&s, X);
	ck_assert_str_eq(s.told, "FRF");
}
END_TEST

START_TEST(reminders_come_at_their_pace)
{
	struct story s = begin(rule_with(0, 0, 6 * HOUR));

	go(&s, W, 24 * HOUR + STEP);
	ck_assert_str_eq(s.told, "FRRRR");
}
END_TEST

START_TEST(without_repeat_there_are_no_reminders)
{
	struct story s = begin(rule_with(0, 0, 0));

	go(&s, W, 48 * HOUR);
	ck_assert_str_eq(s.told, "F");
}
END_TEST

START_TEST(an_acknowledged_alert_does_not_remind)
{
	struct story s = begin(rule_with(0, 0, HOUR));

	(void)step(&s, W);
	s.life.acknowledged = true;
	go(&s, W, 10 * HOUR);
	ck_assert_str_eq(s.told, "F");
	ck_assert(s.life.acknowledged);
	(void)step(&s, C);
	ck_assert_str_eq(s.told, "Fr");
	ck_assert(!s.life.acknowledged);
}
END_TEST

START_TEST(worse_is_told_though_acknowledged)
{
	struct story s = begin(rule_with(0, 0, HOUR));

	(void)step(&s, W);
	s.life.acknowledged = true;
	(void)step(&s, X);
	ck_assert_str_eq(s.told, "FF");
	ck_assert(!s.life.acknowledged);
	/* Going back and forth below what was acknowledged is no news. */
	s.life.acknowledged = true;
	for (int i = 0; i < 50; i++)
		(void)step(&s, i % 2 ? X : W);
	ck_assert_str_eq(s.told, "FF");
	ck_assert(s.life.acknowledged);
}
END_TEST

START_TEST(a_life_is_over_when_it_cannot_count_for_flapping)
{
	struct story s = begin(rule_with(0, 0, 0));

	ck_assert(alert_machine_is_over(&s.life, s.now_ms));
	(void)step(&s, W);
	ck_assert(!alert_machine_is_over(&s.life, s.now_ms));
	(void)step(&s, C);
	ck_assert(!alert_machine_is_over(&s.life, s.now_ms));
	ck_assert(alert_machine_is_over(&s.life, start_ms + HOUR + 1));
}
END_TEST

/* A restart: what was stored goes on as if nothing had been. */
START_TEST(a_copy_lives_on_in_the_same_way)
{
	struct rule r = rule_with(2 * MINUTE, 2 * MINUTE, HOUR);
	struct story whole = begin(r), parts = begin(r);
	struct alert_life stored = {.state = ALERT_OK};
	uint32_t seed = 12345;

	for (int i = 0; i < 20000; i++) {
		enum rule_reading v;
		enum alert_action a, b;
		bool must_store;

		seed = seed * 1664525U + 1013904223U;
		v = (enum rule_reading)((seed >> 16) % 40 / (i / 500 % 2 ? 8 : 13));
		(void)alert_machine_step(&whole.life, &r, v, whole.now_ms, false, &a);
		/* Only what had to be stored was; then the process ends. */
		parts.life = stored;
		must_store = alert_machine_step(&parts.life, &r, v, whole.now_ms, false, &b);
		if (must_store)
			stored = parts.life;
		ck_assert_int_eq(a, b);
		ck_assert_int_eq(whole.life.state, parts.life.state);
		whole.now_ms += STEP;
	}
}
END_TEST

START_TEST(a_steady_state_needs_no_storing)
{
	struct rule r = rule_with(MINUTE, MINUTE, 0);
	struct alert_life life = {.state = ALERT_OK};
	enum alert_action tell;
	int stored = 0;

	for (int i = 0; i < 1000; i++)
		stored += alert_machine_step(
			&life, &r, i < 500 ? W : C, start_ms + (int64_t)i * STEP, false, &tell);
	ck_assert_int_eq(stored, 4); /* pending, firing, clearing, ok */
}
END_TEST

START_TEST(a_clock_set_back_stops_nothing)
{
	struct story s = begin(rule_with(5 * MINUTE, 5 * MINUTE, 0));

	go(&s, W, 2 * MINUTE);
	s.now_ms -= 24 * (int64_t)HOUR;
	go(&s, W, 6 * MINUTE);
	ck_assert_str_eq(s.told, "F");
	go(&s, C, MINUTE);
	s.now_ms -= 24 * (int64_t)HOUR;
	go(&s, C, 6 * MINUTE);
	ck_assert_str_eq(s.told, "Fr");
}
END_TEST

START_TEST(states_have_names)
{
	for (int i = 0; i < ALERT_STATES; i++) {
		enum alert_state s = ALERT_STATES;

		ck_assert(alert_state_from(alert_state_name((enum alert_state)i), &s));
		ck_assert_int_eq((int)s, i);
	}
	ck_assert(!alert_state_from("on fire", &(enum alert_state){ALERT_OK}));
	ck_assert_str_eq(alert_state_name(ALERT_NO_DATA), "no-data");
}
END_TEST

static Suite *alert_machine_suite(void)
{
	Suite *s = suite_create("alert_machine");
	TCase *tc = tcase_create("alert_machine");

	tcase_add_loop_test(tc, each_cell_of_the_table, 0, sizeof(cells) / sizeof(*cells));
	tcase_add_test(tc, without_waits_it_goes_through_at_once);
	tcase_add_test(tc, for_is_waited_out);
	tcase_add_test(tc, what_clears_in_time_is_not_told);
	tcase_add_test(tc, a_failed_sample_does_not_begin_for_anew);
	tcase_add_test(tc, two_peaks_far_apart_are_not_one);
	tcase_add_test(tc, clear_for_is_waited_out);
	tcase_add_test(tc, worse_is_told_better_is_not);
	tcase_add_test(tc, after_a_reminder_of_the_lesser_level_worse_is_told_again);
	tcase_add_test(tc, reminders_come_at_their_pace);
	tcase_add_test(tc, without_repeat_there_are_no_reminders);
	tcase_add_test(tc, an_acknowledged_alert_does_not_remind);
	tcase_add_test(tc, worse_is_told_though_acknowledged);
	tcase_add_test(tc, a_life_is_over_when_it_cannot_count_for_flapping);
	tcase_add_test(tc, a_copy_lives_on_in_the_same_way);
	tcase_add_test(tc, a_steady_state_needs_no_storing);
	tcase_add_test(tc, a_clock_set_back_stops_nothing);
	tcase_add_test(tc, states_have_names);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(alert_machine_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
