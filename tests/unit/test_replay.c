/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/replay.h"
#include "agent/replay_history.h"
#include "agent/replay_report.h"
#include "base/cleanup.h"
#include "collectors/rrd_file.h"
#include "tests/unit/rule_case.h"
#include "tests/unit/scratch.h"

#define UNKNOWN ((double)NAN)

enum { STEP = 20 };

static const int64_t begin_ms = 1795000000000;

/* A rule of the user over one entity, from the sample `from` on. */
struct scene {
	struct rule_set *set;
	struct replay replay;
	int64_t now_ms;
};

static struct scene scene_with(const struct rule_settings *own, int from)
{
	struct scene s = {.set = set_with(own, 1), .now_ms = begin_ms};

	for (size_t i = 0; i < s.set->n; i++)
		if (strcmp(s.set->rules[i].name, own->name) == 0)
			replay_init(&s.replay, &s.set->rules[i], STEP * 1000,
				begin_ms + (int64_t)from * STEP * 1000);
	ck_assert_ptr_nonnull(s.replay.rule);
	return s;
}

static void scene_done(struct scene *s)
{
	replay_done(&s->replay);
	rule_set_free(s->set);
}

static void samples(struct scene *s, int n, double value)
{
	for (int i = 0; i < n; i++) {
		replay_sample(&s->replay, s->now_ms, value, !isnan(value));
		s->now_ms += STEP * 1000;
	}
}

static const struct rule_settings over_80 = OWN(.name = "full", .metric = "filesystem.used_percent",
	.warning = "> 80", .critical = "> 95", .for_ms = 60000);

START_TEST(it_tells_what_the_agent_would_have_told)
{
	_cleanup_(scene_done) struct scene s = scene_with(&over_80, 0);
	const struct replay_event *ev = s.replay.events;

	samples(&s, 10, 50);
	samples(&s, 10, 85); /* fires with the fourth */
	samples(&s, 5, 97);
	samples(&s, 5, 50);
	ev = s.replay.events;
	ck_assert_uint_eq(s.replay.n_events, 3);
	ck_assert_int_eq(ev[0].what, ALERT_TELL_FIRING);
	ck_assert_int_eq(ev[0].time_ms, begin_ms + 13 * STEP * 1000);
	ck_assert_int_eq(ev[0].severity, SEVERITY_WARNING);
	ck_assert_double_eq(ev[0].value, 85);
	ck_assert_int_eq(ev[1].severity, SEVERITY_CRITICAL);
	ck_assert_int_eq(ev[2].what, ALERT_TELL_RECOVERED);
	ck_assert_int_eq(ev[2].time_ms - ev[2].fired_ms, 12 * STEP * 1000);
	ck_assert(!replay_is_firing(&s.replay));
	ck_assert_double_eq(s.replay.nearest, 97);
}
END_TEST

START_TEST(what_was_before_is_no_message)
{
	_cleanup_(scene_done) struct scene s = scene_with(&over_80, 20);

	samples(&s, 10, 99);
	samples(&s, 5, 50); /* over before it matters */
	samples(&s, 5, 85);
	samples(&s, 1, 85);
	ck_assert_uint_eq(s.replay.n_events, 1);
	ck_assert(s.replay.events[0].before);
	ck_assert_int_lt(s.replay.events[0].fired_ms, s.replay.from_ms);
	ck_assert_double_eq(s.replay.nearest, 85);
	samples(&s, 1, 50);
	ck_assert_uint_eq(s.replay.n_events, 2);
	ck_assert(!s.replay.events[1].before);
}
END_TEST

START_TEST(a_silent_rule_says_how_near_it_was)
{
	struct rule_settings low =
		OWN(.name = "low", .metric = "filesystem.available_bytes", .warning = "< 1G");
	_cleanup_(scene_done) struct scene s = scene_with(&low, 0);

	samples(&s, 3, 9e9);
	samples(&s, 1, 2e9);
	samples(&s, 3, 5e9);
	ck_assert_uint_eq(s.replay.n_events, 0);
	ck_assert_double_eq(s.replay.nearest, 2e9);
	ck_assert_int_eq(s.replay.nearest_ms, begin_ms + 3 * STEP * 1000);
}
END_TEST

START_TEST(what_left_is_gone_what_never_came_is_not)
{
	struct rule_settings gone =
		OWN(.name = "gone", .type = "gone", .metric = "container.running");
	_cleanup_(scene_done) struct scene s = scene_with(&gone, 0);

	samples(&s, 10, UNKNOWN);
	ck_assert_uint_eq(s.replay.n_events, 0);
	samples(&s, 10, 1);
	samples(&s, 10, UNKNOWN);
	ck_assert_uint_eq(s.replay.n_events, 1);
	ck_assert(replay_is_firing(&s.replay));
}
END_TEST

START_TEST(very_many_messages_are_counted)
{
	struct rule_settings nervous = OWN(.name = "x", .metric = "host.load1", .warning = "> 1",
		.repeat_ms = STEP * 1000);
	_cleanup_(scene_done) struct scene s = scene_with(&nervous, 0);

	samples(&s, REPLAY_EVENTS_MAX + 50, 2);
	ck_assert_uint_eq(s.replay.n_events, REPLAY_EVENTS_MAX);
	ck_assert_uint_eq(s.replay.n_more, 50);
}
END_TEST

/* History out of a real file. */

static const struct rrd_layout layout = {
	.step_seconds = STEP, .archives = {{STEP, 3600}, {300, 86400}}, .n_archives = 2};
static const size_t metric = SENSOR_temperature_celsius;

/* A file that has the number of the sample as its value; some are unknown. Returns the last time. */
static time_t write_file(int n)
{
	time_t start = begin_ms / 1000;
	struct rrd_writer w;
	struct err e;

	ck_assert_int_eq(mkdir(scratch_path("sensor"), 0700), 0);
	ck_assert_int_eq(rrd_file_create(scratch_path("sensor/a.rrd"), &class_sensor, &layout,
				 start, NULL, &e),
		0);
	rrd_writer_init(&w, &class_sensor);
	for (int i = 1; i <= n; i++) {
		double v = i % 10 ? i : UNKNOWN;

		ck_assert_int_eq(rrd_file_update(&w, scratch_path("sensor/a.rrd"),
					 start + (time_t)i * STEP, &v, &e),
			0);
	}
	rrd_writer_done(&w);
	return start + (time_t)n * STEP;
}

START_TEST(history_is_read_as_it_was_sampled)
{
	time_t end = write_file(500), start = begin_ms / 1000;
	struct replay_history h;
	struct err e = {""};
	size_t fine = 0, coarse = 0;

	ck_assert_msg(replay_history_read(scratch_path("sensor/a.rrd"), &class_sensor, &metric, 1,
			      RRD_AVERAGE, &layout, start, end, &h, &e) == 0,
		"%s", e.msg);
	ck_assert_int_eq(h.step_seconds, STEP);
	ck_assert_int_eq(h.start, start + STEP);
	ck_assert_uint_eq(h.n, 500);
	ck_assert_int_eq(h.coarsest_seconds, 300);
	for (int i = 1; i <= 500; i++) {
		double v = h.values[i - 1];
		time_t t = start + (time_t)i * STEP;

		if (t > end - 3600 + 2 * STEP) {
			/* Each sample, with its gaps. */
			ck_assert(i % 10 ? v == i : isnan(v));
			fine++;
		} else if (!isnan(v)) {
			/* The mean of its five minutes. */
			ck_assert_double_eq_tol(v, i, 15);
			coarse++;
		}
	}
	ck_assert_uint_gt(fine, 170);
	ck_assert_uint_gt(coarse, 250);
	ck_assert_int_ge(h.coarse_until, end - 3600 - 300);
	ck_assert_int_le(h.coarse_until, end - 3600 + 300);
	replay_history_done(&h);
}
END_TEST

START_TEST(history_that_is_not_there_is_an_error)
{
	struct replay_history h;
	struct err e = {""};

	ck_assert_int_eq(replay_history_read(scratch_path("none.rrd"), &class_sensor, &metric, 1,
				 RRD_AVERAGE, &layout, 1000, 2000, &h, &e),
		-ENOENT);
	ck_assert_int_eq(replay_history_read(scratch_path("none.rrd"), &class_sensor, &metric, 1,
				 RRD_AVERAGE, &layout, 1000, 1000, &h, &e),
		-ERANGE);
	ck_assert_int_eq(replay_history_read(scratch_path("none.rrd"), &class_sensor, &metric, 1,
				 RRD_AVERAGE, &layout, 1, (time_t)1 << 40, &h, &e),
		-ERANGE);
}
END_TEST

/* What people read. */

static const char *print(struct scene *s, struct entity *e, struct buf *out)
{
	const struct rule *rules[] = {s->replay.rule};
	struct replay_result result = {s->replay.rule, e, s->replay};
	struct replay_report report = {
		.from_ms = begin_ms,
		.to_ms = s->now_ms,
		.interval_ms = STEP * 1000,
		.first_ms = begin_ms,
		.rules = rules,
		.n_rules = 1,
		.results = &result,
		.n = 1,
	};
	struct term t = {.columns = 200};

	replay_report_print(&report, &t, out);
	return buf_str(out);
}

START_TEST(one_look_tells_it)
{
	_cleanup_(scene_done) struct scene s = scene_with(&over_80, 0);
	_cleanup_(buf_done) struct buf out = BUF_INIT(65536);
	struct entity disk = {.class = &class_filesystem, .key = (char[]){"/"}};
	const char *text;

	samples(&s, 10, 85);
	samples(&s, 10, 50);
	text = print(&s, &disk, &out);
	ck_assert_msg(strstr(text, "would fire: warning, 85 %"), "%s", text);
	ck_assert_msg(strstr(text, "would recover after 2m 20s"), "%s", text);
	ck_assert_msg(strstr(text, "full (filesystem.used_percent above 80 %, critical above 95 %, "
				   "for 1m): 2 messages"),
		"%s", text);
	ck_assert_msg(strstr(text, "about 1 of 1 filesystem."), "%s", text);
}
END_TEST

START_TEST(a_name_cannot_play_with_the_terminal)
{
	_cleanup_(scene_done) struct scene s = scene_with(&over_80, 0);
	_cleanup_(buf_done) struct buf out = BUF_INIT(65536);
	struct entity disk = {.class = &class_filesystem, .key = (char[]){"/\033[2J"}};

	samples(&s, 10, 85);
	ck_assert_ptr_null(strchr(print(&s, &disk, &out), '\033'));
}
END_TEST

static Suite *replay_suite(void)
{
	Suite *s = suite_create("replay");
	TCase *tc = tcase_create("replay");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, it_tells_what_the_agent_would_have_told);
	tcase_add_test(tc, what_was_before_is_no_message);
	tcase_add_test(tc, a_silent_rule_says_how_near_it_was);
	tcase_add_test(tc, what_left_is_gone_what_never_came_is_not);
	tcase_add_test(tc, very_many_messages_are_counted);
	tcase_add_test(tc, history_is_read_as_it_was_sampled);
	tcase_add_test(tc, history_that_is_not_there_is_an_error);
	tcase_add_test(tc, one_look_tells_it);
	tcase_add_test(tc, a_name_cannot_play_with_the_terminal);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(replay_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
