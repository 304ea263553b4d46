/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "tests/unit/sender_case.h"

START_TEST(an_event_goes_out_after_the_group_window)
{
	struct channel c = channel_to("chat", &fake_chat);

	use(&c, 1);
	ck_assert(does("chat", "idle"));
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	ck_assert(does("chat", "grouping"));
	ck_assert_int_eq(status_of("chat").next_ms, fake_now + 30000);
	pass(29999);
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, 0);
	pass(1);
	GOT(1);
	ck_assert_str_eq(LAST(1), "E 1 disk 1 0\nM 0 0 0 0 0 nowhere\n");
	ck_assert_str_eq(provider.paths[0], "/chat");
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 1);
	ck_assert(does("chat", "idle"));
	ck_assert_int_eq(status_of("chat").state.last_sent_ms, fake_now);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

START_TEST(what_comes_within_the_window_goes_together)
{
	struct channel c = channel_to("chat", &fake_chat);

	use(&c, 1);
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	pass(10000);
	(void)RAISE("cpu", SEVERITY_CRITICAL, "chat");
	(void)RAISE("disk", SEVERITY_CRITICAL, "chat");
	pass(20000);
	GOT(1);
	ck_assert_str_eq(LAST(1), "E 2 cpu 2 0\nE 3 disk 2 0\nM 0 1 0 0 0 nowhere\n");
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 2);
	ck_assert_int_eq(count_state("chat", DELIVERY_COLLAPSED), 1);
	/* The next one has a window of its own. */
	(void)RAISE_END("disk", "chat");
	ck_assert(does("chat", "grouping"));
	pass(30000);
	GOT(2);
	ck_assert_str_eq(LAST(1), "E 4 disk 1 1\nM 0 0 0 0 0 nowhere\n");
}
END_TEST

START_TEST(many_stories_are_a_digest)
{
	struct channel c = channel_to("chat", &fake_chat);
	char key[20];

	use(&c, 1);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		(void)RAISE(key, SEVERITY_WARNING, "chat");
	}
	pass(30000);
	GOT(1);
	ck_assert(strncmp(LAST(1), "E 81 k80 1 0\n", 13) == 0);
	ck_assert_ptr_nonnull(strstr(LAST(1), "E 100 k99 1 0\nM 80 0 0 0 0 nowhere\n"));
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 20);
	ck_assert_int_eq(count_state("chat", DELIVERY_COUNTED), 80);
}
END_TEST

START_TEST(programs_get_each_event_at_once_and_in_order)
{
	struct channel c[] = {channel_to("each", &fake_each), channel_to("batch", &fake_batch)};

	use(c, 2);
	for (int i = 0; i < 30; i++)
		(void)add_event_for(
			an_event("disk", fake_now, SEVERITY_INFO), "each", "batch", NULL);
	pass(0);
	GOT(32);
	ck_assert_int_eq(count_state("each", DELIVERY_SENT), 30);
	ck_assert_int_eq(count_state("batch", DELIVERY_SENT), 30);
	for (int i = 0; i < 100; i++)
		(void)add_event_for(an_event("x", fake_now, SEVERITY_INFO), "each", NULL);
	pass(0);
	GOT(32 + 70);
	ck_assert(does("each", "rate"));
	for (int i = 0, id = 1, in_batch = 1; i < 32; i++) {
		char *p = provider.got[i];
		int *expected = strcmp(provider.paths[i], "/each") == 0 ? &id : &in_batch;

		for (; *p == 'E'; p = strchr(p, '\n') + 1)
			ck_assert_int_eq(atoi(p + 2), (*expected)++);
	}
}
END_TEST

START_TEST(the_rate_makes_larger_groups_and_loses_nothing)
{
	struct channel c = channel_to("chat", &fake_chat);

	c.group_ms = 0;
	c.per_minute = 6;
	use(&c, 1);
	for (int i = 0; i < 3; i++) {
		(void)RAISE("", SEVERITY_INFO, "chat");
		GOT(i + 1);
	}
	for (int i = 0; i < 5; i++)
		(void)RAISE("", SEVERITY_INFO, "chat");
	turn_idle(loop);
	ck_assert(does("chat", "rate"));
	ck_assert_int_eq(status_of("chat").next_ms, fake_now + 10000);
	pass(10000);
	GOT(4);
	ck_assert_ptr_nonnull(strstr(LAST(1), "E 4 "));
	ck_assert_ptr_nonnull(strstr(LAST(1), "E 8 "));
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 8);
}
END_TEST

static struct channel quiet_channel(void)
{
	struct channel c = channel_to("chat", &fake_chat);
	struct err e;

	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	tzset();
	ck_assert_int_eq(quiet_parse("08:00-12:00", &c.quiet[0], &e), 0);
	c.n_quiet = 1;
	c.quiet_below = SEVERITY_CRITICAL;
	return c; /* 1800000000 is 2027-01-15 08:00:00 UTC */
}

START_TEST(in_quiet_hours_only_what_is_critical_goes)
{
	struct channel c = quiet_channel();

	use(&c, 1);
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	(void)RAISE("cpu", SEVERITY_WARNING, "chat");
	pass(60000);
	turn_idle(loop);
	ck_assert(does("chat", "quiet"));
	ck_assert_int_eq(status_of("chat").next_ms, 1800000000000 + 4 * 3600000);
	/* The earlier state of the same story goes with it; the other story waits. */
	(void)RAISE("disk", SEVERITY_CRITICAL, "chat");
	pass(30000);
	GOT(1);
	ck_assert_str_eq(LAST(1), "E 3 disk 2 0\nM 0 1 0 0 0 nowhere\n");
	ck_assert(does("chat", "quiet"));
	(void)RAISE_END("disk", "chat");
	pass(4 * 3600000);
	GOT(2);
	ck_assert_str_eq(LAST(1), "E 2 cpu 1 0\nE 4 disk 1 1\nM 0 0 2 0 0 nowhere\n");
}
END_TEST

START_TEST(quiet_hours_do_not_age_messages)
{
	struct channel c = quiet_channel();

	use(&c, 1);
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	sender_expire(sender);
	pass(2 * SPOOL_GIVE_UP_MS); /* the same time two days later: quiet again */
	sender_expire(sender);
	pass(4 * 3600000);
	GOT(1);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

/* Pictures: drawn when the test says so. */
static struct {
	picture_done_fn done;
	void *user;
	int started, cancelled;
} drawing;

static void *start_drawing(
	void *self, const struct event_chart *chart, picture_done_fn done, void *user)
{
	(void)self;
	ck_assert_str_eq(chart->class, "host");
	drawing.done = done;
	drawing.user = user;
	drawing.started++;
	return &drawing;
}

static void cancel_drawing(void *handle)
{
	ck_assert_ptr_eq(handle, &drawing);
	drawing.cancelled++;
}

static void url_of_drawing(void *self, const struct event_chart *chart, char *to, size_t size)
{
	(void)self;
	(void)snprintf(to, size, "https://here/%s.png", chart->metric);
}

static struct channel use_pictures(void)
{
	static const struct picture_source source = {
		start_drawing, cancel_drawing, url_of_drawing, NULL};
	struct sender_options o = {.loop = loop,
		.http = http,
		.spool = spool,
		.problems = problems,
		.host = "",
		.url = "",
		.pictures = &source,
		.now_ms = fake_clock};
	struct channel c = channel_to("chat", &fake_chat);

	memset(&drawing, 0, sizeof(drawing));
	sender_free(sender);
	ck_assert_int_eq(sender_new(&o, &sender, NULL), 0);
	c.pictures = true;
	c.group_ms = 0;
	use(&c, 1);
	return c;
}

static void raise_with_chart(void)
{
	struct event *ev = an_event("", fake_now, SEVERITY_INFO);

	event_set(&ev->chart.class, "host");
	event_set(&ev->chart.entity, "host");
	event_set(&ev->chart.metric, "load1");
	(void)add_event_for(ev, "chat", NULL);
	sender_wake(sender);
}

START_TEST(a_single_event_has_its_chart_beside_it)
{
	(void)use_pictures();
	raise_with_chart();
	ck_assert_int_eq(drawing.started, 1);
	ck_assert(does("chat", "sending"));
	drawing.done(drawing.user, "PNG", 3);
	GOT(1);
	ck_assert_str_eq(LAST(1), "E 1  0 0\nM 0 0 0 0 3 nowhere https://here/load1.png\n");
	/* Without one when it cannot be drawn. */
	raise_with_chart();
	drawing.done(drawing.user, NULL, 0);
	GOT(2);
	ck_assert_ptr_nonnull(strstr(LAST(1), "M 0 0 0 0 0 "));
	/* An event without a chart, and several at once, have none. */
	(void)RAISE("", SEVERITY_INFO, "chat");
	GOT(3);
	ck_assert_int_eq(drawing.started, 2);
	ck_assert_int_eq(drawing.cancelled, 0);
}
END_TEST

START_TEST(a_chart_under_way_is_given_up_with_the_channel)
{
	struct channel c = use_pictures();

	raise_with_chart();
	use(&c, 1); /* a reload: from the beginning */
	ck_assert_int_eq(drawing.cancelled, 1);
	ck_assert_int_eq(drawing.started, 2);
	use(NULL, 0);
	ck_assert_int_eq(drawing.cancelled, 2);
	ck_assert_int_eq(count_state("chat", DELIVERY_EXPIRED), 1);
}
END_TEST

static struct sender_test_result tested;
static char tested_body[200];
static int n_tested;

static void on_tested(void *user, const struct sender_test_result *r)
{
	(void)user;
	tested = *r;
	(void)snprintf(tested_body, sizeof(tested_body), "%s", r->answer.body);
	n_tested++;
}

static void test_it(const char *channel)
{
	_cleanup_(event_free_p) struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "");
	struct err e = {""};

	n_tested = 0;
	event_title(ev, "a test");
	ck_assert_msg(sender_test(sender, channel, ev, on_tested, NULL, &e) == 0, "%s", e.msg);
	TURN_UNTIL(loop, n_tested);
}

START_TEST(a_test_shows_what_the_provider_really_says)
{
	struct channel c = channel_to("chat", &fake_chat);
	_cleanup_(event_free_p) struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "");
	struct err e = {""};

	use(&c, 1);
	test_it("chat");
	ck_assert(tested.sent);
	ck_assert_int_eq(tested.answer.status, 200);
	ck_assert_str_eq(tested_body, "ok");
	provider.status = 401;
	provider.text = "hunter2 is not the token";
	test_it("chat");
	ck_assert(!tested.sent);
	ck_assert_int_eq(tested.verdict.verdict, VERDICT_BROKEN);
	ck_assert_str_eq(tested.verdict.why, "*** is not the token");
	ck_assert_str_eq(tested_body, "*** is not the token");
	ck_assert_uint_eq(problems_count(problems), 0); /* a test is no message */
	provider.status = 422; /* both forms are tried */
	test_it("chat");
	ck_assert_uint_eq(provider.n_got, 4);
	ck_assert_str_eq(LAST(1), "E 0  0 0\nM 0 0 0 1 0 nowhere\n");
	ck_assert_int_eq(sender_test(sender, "none", ev, on_tested, NULL, &e), -ENOENT);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM event"), 0);
}
END_TEST

START_TEST(a_test_that_is_interrupted_is_told)
{
	struct channel c = channel_to("chat", &fake_chat);
	_cleanup_(event_free_p) struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "");

	provider.status = PROVIDER_HANG;
	use(&c, 1);
	n_tested = 0;
	ck_assert_int_eq(sender_test(sender, "chat", ev, on_tested, NULL, NULL), 0);
	TURN_UNTIL(loop, provider.n_got == 1);
	use(NULL, 0);
	ck_assert_int_eq(n_tested, 1);
	ck_assert(!tested.sent);
	ck_assert_int_eq(tested.answer.error, -ECANCELED);
}
END_TEST

START_TEST(a_test_goes_with_its_chart)
{
	_cleanup_(event_free_p) struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "");

	(void)use_pictures();
	n_tested = 0;
	event_set(&ev->chart.class, "host");
	event_set(&ev->chart.metric, "load1");
	ck_assert_int_eq(sender_test(sender, "chat", ev, on_tested, NULL, NULL), 0);
	ck_assert_int_eq(drawing.started, 1);
	drawing.done(drawing.user, "PNG", 3);
	TURN_UNTIL(loop, n_tested);
	ck_assert(tested.sent);
	ck_assert_str_eq(LAST(1), "E 0  0 0\nM 0 0 0 0 3 nowhere https://here/load1.png\n");
	/* A reload meanwhile. */
	ck_assert_int_eq(sender_test(sender, "chat", ev, on_tested, NULL, NULL), 0);
	use(NULL, 0);
	ck_assert_int_eq(n_tested, 2);
	ck_assert_int_eq(drawing.cancelled, 1);
}
END_TEST

static Suite *sender_suite(void)
{
	Suite *s = suite_create("sender");
	TCase *tc = tcase_create("sender");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, sender_case_setup, sender_case_teardown);
	tcase_add_test(tc, an_event_goes_out_after_the_group_window);
	tcase_add_test(tc, what_comes_within_the_window_goes_together);
	tcase_add_test(tc, many_stories_are_a_digest);
	tcase_add_test(tc, programs_get_each_event_at_once_and_in_order);
	tcase_add_test(tc, the_rate_makes_larger_groups_and_loses_nothing);
	tcase_add_test(tc, in_quiet_hours_only_what_is_critical_goes);
	tcase_add_test(tc, quiet_hours_do_not_age_messages);
	tcase_add_test(tc, a_single_event_has_its_chart_beside_it);
	tcase_add_test(tc, a_chart_under_way_is_given_up_with_the_channel);
	tcase_add_test(tc, a_test_shows_what_the_provider_really_says);
	tcase_add_test(tc, a_test_that_is_interrupted_is_told);
	tcase_add_test(tc, a_test_goes_with_its_chart);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(sender_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
