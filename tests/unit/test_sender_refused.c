/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "tests/unit/sender_case.h"

enum { HOUR_MS = 3600 * 1000 };

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

START_TEST(a_message_refused_for_good_does_not_stop_the_next)
{
	const struct problem *p;

	use_quick();
	provider.status = 400;
	provider.text = "no such emoji";
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	ck_assert_int_eq(count_state("chat", DELIVERY_REFUSED), 1);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM delivery WHERE error = 'no such emoji'"), 1);
	p = problem_of("channel.refused/chat");
	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(strstr(p->text, "no such emoji"));
	provider.status = 200;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(2);
	sender_expire(sender);
	ck_assert_ptr_nonnull(problem_of("channel.refused/chat")); /* for people to see */
	pass(HOUR_MS);
	sender_expire(sender);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

START_TEST(who_of_several_did_not_get_it_is_told)
{
	use_quick();
	provider.status = 206;
	provider.text = "not to bob";
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 1); /* and not again */
	ck_assert_int_eq(db_ask("SELECT count(*) FROM delivery WHERE error = 'not to bob'"), 1);
	ck_assert_ptr_nonnull(strstr(problem_of("channel.refused/chat")->text, "not to bob"));
	ck_assert_ptr_null(problem_of("channel.chat"));
}
END_TEST

static int refuse_bad(const char *path, const char *body)
{
	(void)path;
	return strstr(body, " bad ") ? 400 : 200;
}

START_TEST(one_event_that_is_refused_takes_no_other_with_it)
{
	char key[20];

	use_quick();
	provider.decide = refuse_bad;
	for (int i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		(void)add_event_for(
			an_event(i == 25 ? "bad" : key, fake_now, SEVERITY_INFO), "chat", NULL);
	}
	for (int i = 0; i < 100 && count_state("chat", DELIVERY_WAITING); i++) {
		pass(1000);
		TURN_UNTIL(loop, all_quiet());
		turn_idle(loop);
	}
	ck_assert_int_eq(count_state("chat", DELIVERY_WAITING), 0);
	ck_assert_int_eq(count_state("chat", DELIVERY_REFUSED), 1);
	ck_assert_uint_lt(provider.n_got, 30);
}
END_TEST

START_TEST(a_provider_that_refuses_everything_is_not_asked_for_ever)
{
	char key[20];

	use_quick();
	provider.status = 400;
	for (int i = 0; i < 500; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		(void)add_event_for(an_event(key, fake_now, SEVERITY_INFO), "chat", NULL);
	}
	for (int i = 0; i < 100 && count_state("chat", DELIVERY_WAITING); i++) {
		pass(1000);
		TURN_UNTIL(loop, all_quiet());
		turn_idle(loop);
	}
	ck_assert_int_eq(count_state("chat", DELIVERY_REFUSED), 500);
	ck_assert_uint_lt(provider.n_got, 40);
}
END_TEST

START_TEST(what_is_refused_for_its_form_goes_plain)
{
	use_quick();
	provider.status = 422;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(2);
	ck_assert_str_eq(provider.got[0], "E 1 disk 1 0\nM 0 0 0 0 0 nowhere\n");
	ck_assert_str_eq(provider.got[1], "E 1 disk 1 0\nM 0 0 0 1 0 nowhere\n");
	ck_assert_int_eq(count_state("chat", DELIVERY_REFUSED), 1); /* both were refused */
	provider.status = 200;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(3);
	ck_assert_ptr_nonnull(strstr(LAST(1), "M 0 0 0 0 0 ")); /* the next one is dressed again */
}
END_TEST

START_TEST(an_event_that_cannot_be_built_is_refused_without_telling_secrets)
{
	struct event *ev = an_event("x", fake_now, SEVERITY_INFO);

	use_quick();
	event_title(ev, "cannot be built");
	(void)add_event_for(ev, "chat", NULL);
	sender_wake(sender);
	ck_assert_int_eq(count_state("chat", DELIVERY_REFUSED), 1);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM delivery WHERE error LIKE '%%for ***'"), 1);
	ck_assert_uint_eq(provider.n_got, 0);
}
END_TEST

START_TEST(a_damaged_row_stops_nothing)
{
	use_quick();
	(void)add_event_for(an_event("a", fake_now, SEVERITY_INFO), "chat", NULL);
	(void)add_event_for(an_event("b", fake_now, SEVERITY_INFO), "chat", NULL);
	(void)add_event_for(an_event("c", fake_now, SEVERITY_INFO), "chat", NULL);
	db_ok("UPDATE event SET body = '{' WHERE id = 2");
	pass(0);
	GOT(1);
	ck_assert_str_eq(LAST(1), "E 1 a 0 0\nE 3 c 0 0\nM 0 0 0 0 0 nowhere\n");
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 2);
	ck_assert_int_eq(count_state("chat", DELIVERY_REFUSED), 1);
	(void)add_event_for(an_event("d", fake_now, SEVERITY_INFO), "chat", NULL);
	db_ok("UPDATE event SET body = '{' WHERE id = 4");
	pass(0);
	turn_idle(loop);
	ck_assert_int_eq(count_state("chat", DELIVERY_REFUSED), 2);
	ck_assert(does("chat", "idle"));
}
END_TEST

START_TEST(a_chat_that_moved_is_followed_and_remembered)
{
	struct channel c = quick("chat");

	c.to[0] = "-1";
	c.n_to = 1;
	use(&c, 1);
	provider.status = 310;
	provider.text = "-100777";
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(2);
	provider.status = 200;
	ck_assert_ptr_nonnull(strstr(LAST(1), " -100777\n"));
	pass(5000);
	GOT(3);
	sender_free(sender);
	sender_case_crash();
	sender_case_start();
	use(&c, 1);
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(4);
	ck_assert_ptr_nonnull(strstr(LAST(1), " -100777\n"));
	c.to[0] = "-2"; /* another chat: what was learnt is not about it */
	use(&c, 1);
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(5);
	ck_assert_ptr_nonnull(strstr(LAST(1), " nowhere\n"));
}
END_TEST

static Suite *refused_suite(void)
{
	Suite *s = suite_create("sender_refused");
	TCase *tc = tcase_create("sender_refused");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, sender_case_setup, sender_case_teardown);
	tcase_add_test(tc, a_message_refused_for_good_does_not_stop_the_next);
	tcase_add_test(tc, who_of_several_did_not_get_it_is_told);
	tcase_add_test(tc, one_event_that_is_refused_takes_no_other_with_it);
	tcase_add_test(tc, a_provider_that_refuses_everything_is_not_asked_for_ever);
	tcase_add_test(tc, what_is_refused_for_its_form_goes_plain);
	tcase_add_test(tc, an_event_that_cannot_be_built_is_refused_without_telling_secrets);
	tcase_add_test(tc, a_damaged_row_stops_nothing);
	tcase_add_test(tc, a_chat_that_moved_is_followed_and_remembered);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(refused_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
