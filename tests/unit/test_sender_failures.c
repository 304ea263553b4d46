/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "tests/unit/sender_case.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

/* A channel without a group window. */
static struct channel quick(const char *name)
{
	struct channel c = channel_to(name, &fake_chat);

	c.group_ms = 0;
	return c;
}

static void use_quick(void)
{
	struct channel c = quick("chat");

	use(&c, 1);
}

START_TEST(a_failure_is_tried_again_ever_more_seldom)
{
	int64_t wait = 5000;

	use_quick();
	provider.status = 503;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	for (unsigned i = 1; i <= 12; i++) {
		GOT(i);
		ck_assert(does("chat", "waiting"));
		ck_assert_int_le(status_of("chat").next_ms - fake_now, wait);
		ck_assert_int_ge(status_of("chat").next_ms - fake_now, wait * 9 / 10);
		ck_assert_uint_eq(status_of("chat").state.failures, i);
		pass(wait * 8 / 10);
		turn_idle(loop);
		ck_assert_uint_eq(provider.n_got, i);
		pass(wait * 2 / 10);
		wait = wait * 2 < 15 * 60000 ? wait * 2 : 15 * 60000;
	}
	ck_assert_int_eq(n_problems_told, 1); /* not one per attempt */
	ck_assert_ptr_nonnull(strstr(problem_of("channel.chat")->text, "does not deliver: ok"));
	GOT(13);
	provider.status = 200;
	pass(wait);
	GOT(14);
	ck_assert_str_eq(LAST(1), "E 1 disk 1 0\nM 0 0 1 0 0 nowhere\n"); /* "waited since" */
	ck_assert_int_eq(n_problems_told, 2);
	ck_assert_uint_eq(problems_count(problems), 0);
	ck_assert_uint_eq(status_of("chat").state.failures, 0);
	ck_assert_int_eq(db_ask("SELECT attempts FROM delivery"), 14);
}
END_TEST

START_TEST(no_connection_is_a_failure_too)
{
	use_quick();
	provider.status = PROVIDER_CUT;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	ck_assert(does("chat", "waiting"));
	provider.status = 200;
	pass(5000);
	GOT(2);
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 1);
}
END_TEST

START_TEST(the_providers_own_wait_is_kept_over_a_restart)
{
	use_quick();
	provider.status = 429;
	provider.retry_after_s = 1200;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	ck_assert_int_eq(status_of("chat").next_ms, fake_now + 1200000);
	sender_free(sender);
	sender_case_crash();
	sender_case_start();
	provider.status = 200;
	use_quick();
	pass(1199000);
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, 1);
	ck_assert(does("chat", "waiting"));
	pass(1000);
	GOT(2);
}
END_TEST

START_TEST(no_wait_is_longer_than_a_day)
{
	struct err e;
	struct channel_state st = {.not_before_ms = fake_now + 2 * (int64_t)DAY_MS};

	/* Stored by a clock that was wrong. */
	ck_assert_int_eq(spool_store_channel(spool, "chat", &st, &e), 0);
	use_quick();
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	/* Said by a provider. */
	provider.status = 429;
	provider.retry_after_s = 5 * 86400;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(2);
	ck_assert_int_eq(status_of("chat").next_ms, fake_now + DAY_MS);
}
END_TEST

START_TEST(a_clock_set_back_stops_nothing)
{
	use_quick();
	provider.status = 503;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	provider.status = 200;
	pass(-6 * (int64_t)HOUR_MS);
	ck_assert_int_le(status_of("chat").next_ms - fake_now, 5000);
	pass(5000);
	GOT(2);
	/* An event from before, and a group window. */
	struct channel c = channel_to("chat", &fake_chat);

	use(&c, 1);
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	pass(-HOUR_MS);
	pass(30000);
	GOT(3);
}
END_TEST

START_TEST(a_clock_set_forward_gives_nothing_up)
{
	use_quick();
	provider.status = 503;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	pass(56 * 365 * (int64_t)DAY_MS);
	sender_expire(sender);
	provider.status = 200;
	GOT(2);
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 1);
}
END_TEST

START_TEST(a_channel_that_is_set_up_wrongly_says_so)
{
	const struct problem *p;

	use_quick();
	provider.status = 401;
	provider.text = "token hunter2 is not valid";
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	ck_assert(does("chat", "broken"));
	ck_assert_int_eq(status_of("chat").next_ms, fake_now + CHANNEL_BACKOFF_MAX_MS);
	p = problem_of("channel.chat");
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(strstr(p->text, "channel \"chat\" (chat)"));
	ck_assert_ptr_nonnull(strstr(p->text, "token *** is not valid"));
	ck_assert_ptr_nonnull(strstr(p->text, "agent notify test chat"));
	pass(CHANNEL_BACKOFF_MAX_MS);
	GOT(2);
	ck_assert_int_eq(n_problems_told, 1);
	ck_assert_int_eq(count_state("chat", DELIVERY_WAITING), 1);
}
END_TEST

static void ignore_result(void *user, const struct sender_test_result *r)
{
	(void)user;
	(void)r;
}

START_TEST(a_test_that_works_ends_the_wait)
{
	_cleanup_(event_free_p) struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "");

	use_quick();
	provider.status = 401;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	provider.status = 200;
	ck_assert_int_eq(sender_test(sender, "chat", ev, ignore_result, NULL, NULL), 0);
	GOT(3);
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 1);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

START_TEST(what_failed_for_a_day_is_given_up_and_shown)
{
	struct channel c[] = {quick("chat"), quick("other")};
	const struct problem *p;
	size_t got = 0;

	use(c, 2);
	provider.status = 503;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	for (int i = 0; i < 100; i++) {
		TURN_UNTIL(loop, provider.n_got > got && all_quiet());
		turn_idle(loop);
		got = provider.n_got;
		if (i < 99)
			pass(15 * 60000);
		sender_expire(sender);
		if (count_state("chat", DELIVERY_EXPIRED))
			break;
	}
	ck_assert_int_eq(count_state("chat", DELIVERY_EXPIRED), 1);
	ck_assert_int_ge(fake_now, 1800000000000 + DAY_MS);
	ck_assert_int_le(fake_now, 1800000000000 + DAY_MS + HOUR_MS);
	p = problem_of("channel.chat");
	ck_assert_ptr_nonnull(strstr(p->text, " 1 message was given up."));
	provider.status = 200;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	pass(15 * 60000);
	TURN_UNTIL(loop, count_state("chat", DELIVERY_SENT) == 1);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

START_TEST(what_is_under_way_is_not_given_up)
{
	use_quick();
	(void)add_event_for(an_event("disk", fake_now, SEVERITY_INFO), "chat", NULL);
	db_ok("UPDATE delivery SET attempts = 100, first_tried_ms = 0");
	provider.status = PROVIDER_HANG;
	pass(0);
	TURN_UNTIL(loop, provider.n_got == 1);
	sender_expire(sender);
	ck_assert_int_eq(count_state("chat", DELIVERY_WAITING), 1);
	use_quick(); /* a reload: not under way for a moment, and at once again */
	TURN_UNTIL(loop, provider.n_got == 2);
	sender_expire(sender);
	ck_assert_int_eq(count_state("chat", DELIVERY_WAITING), 1);
}
END_TEST

START_TEST(a_channel_that_hangs_costs_nothing_to_others)
{
	struct channel c[] = {quick("chat"), quick("other")};

	use(c, 2);
	provider.status = PROVIDER_HANG;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	TURN_UNTIL(loop, provider.n_got == 1);
	provider.status = 200;
	(void)RAISE("disk", SEVERITY_WARNING, "chat", "other");
	TURN_UNTIL(loop, count_state("other", DELIVERY_SENT) == 1);
	ck_assert(does("chat", "sending")); /* one message at a time */
	ck_assert_uint_eq(provider.n_got, 2);
	ck_assert_int_eq(count_state("chat", DELIVERY_WAITING), 2);
}
END_TEST

static Suite *failures_suite(void)
{
	Suite *s = suite_create("sender_failures");
	TCase *tc = tcase_create("sender_failures");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, sender_case_setup, sender_case_teardown);
	tcase_add_test(tc, a_failure_is_tried_again_ever_more_seldom);
	tcase_add_test(tc, no_connection_is_a_failure_too);
	tcase_add_test(tc, the_providers_own_wait_is_kept_over_a_restart);
	tcase_add_test(tc, no_wait_is_longer_than_a_day);
	tcase_add_test(tc, a_clock_set_back_stops_nothing);
	tcase_add_test(tc, a_clock_set_forward_gives_nothing_up);
	tcase_add_test(tc, a_channel_that_is_set_up_wrongly_says_so);
	tcase_add_test(tc, a_test_that_works_ends_the_wait);
	tcase_add_test(tc, what_failed_for_a_day_is_given_up_and_shown);
	tcase_add_test(tc, what_is_under_way_is_not_given_up);
	tcase_add_test(tc, a_channel_that_hangs_costs_nothing_to_others);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(failures_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
