/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "tests/unit/spool_case.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

static const int64_t now = 1800000000000;

static size_t waiting(const char *channel, enum severity from, struct spool_delivery *d, size_t max)
{
	struct err e = {""};
	int r = spool_waiting(spool, channel, from, d, max, &e);

	ck_assert_msg(r >= 0, "%s", e.msg);
	return (size_t)r;
}

static void settle_one(int64_t id, enum delivery_state state, const char *error)
{
	struct delivery_result result = {id, state};
	struct err e = {""};

	ck_assert_msg(spool_settle(spool, &result, 1, error, now, &e) == 0, "%s", e.msg);
}

static void fail_times(int64_t id, int n, int64_t when)
{
	struct err e = {""};

	for (int i = 0; i < n; i++)
		ck_assert_int_eq(spool_failed(spool, &id, 1, "refused", when, &e), 0);
}

START_TEST(an_event_waits_for_each_of_its_channels)
{
	struct event *ev = an_event("disk", now, SEVERITY_CRITICAL);
	_cleanup_(event_free_p) struct event *back = NULL;
	struct spool_delivery d[4];
	struct err e = {""};
	int64_t id;

	ev->is_end = true;
	id = add_event_for(ev, "mail", "chat", NULL);
	(void)add_event_for(an_event("disk", now + 1, SEVERITY_INFO), "mail", NULL);
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, d, 4), 2);
	ck_assert_int_eq(d[0].event_id, id);
	ck_assert_int_eq(d[0].time_ms, now);
	ck_assert_int_eq(d[0].severity, SEVERITY_CRITICAL);
	ck_assert_str_eq(d[0].key, "disk");
	ck_assert(d[0].is_end);
	ck_assert(!d[1].is_end);
	ck_assert_int_lt(d[0].id, d[1].id);
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, d, 1), 1);
	ck_assert_uint_eq(waiting("chat", SEVERITY_INFO, d, 4), 1);
	ck_assert_uint_eq(waiting("none", SEVERITY_INFO, d, 4), 0);
	ck_assert_int_eq(spool_event(spool, id, &back, &e), 0);
	ck_assert_int_eq(back->id, id);
	ck_assert_str_eq(back->title, "disk at 1800000000000");
	ck_assert(back->is_end);
	ck_assert_int_eq(spool_event(spool, 77, &back, &e), -ENOENT);
}
END_TEST

START_TEST(what_was_rolled_back_was_not_accepted)
{
	_cleanup_(event_free_p) struct event *ev = an_event("disk", now, SEVERITY_INFO);
	const char *channels[] = {"mail"};
	struct spool_delivery d;
	struct err e = {""};

	ck_assert_int_eq(db_begin(spool_db, &e), 0);
	ck_assert_int_eq(spool_add(spool, ev, channels, 1, &e), 0);
	db_rollback(spool_db);
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, &d, 1), 0);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM event"), 0);
	/* The same event can be added again. */
	ck_assert_int_eq(db_begin(spool_db, &e), 0);
	ck_assert_int_eq(spool_add(spool, ev, channels, 1, &e), 0);
	ck_assert_int_eq(db_commit(spool_db, &e), 0);
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, &d, 1), 1);
}
END_TEST

START_TEST(what_waits_survives_a_restart)
{
	struct spool_delivery d;

	(void)add_event_for(an_event("disk", now, SEVERITY_INFO), "mail", NULL);
	spool_case_close();
	spool_case_open();
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, &d, 1), 1);
}
END_TEST

START_TEST(only_stories_with_something_bad_enough_pass)
{
	struct spool_delivery d[8];

	(void)add_event_for(an_event("a", now, SEVERITY_WARNING), "mail", NULL);
	(void)add_event_for(an_event("b", now, SEVERITY_WARNING), "mail", NULL);
	(void)add_event_for(an_event("", now, SEVERITY_WARNING), "mail", NULL);
	(void)add_event_for(an_event("", now, SEVERITY_CRITICAL), "mail", NULL);
	(void)add_event_for(an_event("b", now, SEVERITY_CRITICAL), "mail", NULL);
	(void)add_event_for(an_event("a", now, SEVERITY_CRITICAL), "chat", NULL);
	(void)add_event_for(an_event("b", now, SEVERITY_INFO), "mail", NULL);
	ck_assert_uint_eq(waiting("mail", SEVERITY_CRITICAL, d, 8), 4);
	ck_assert_str_eq(d[0].key, "b");
	ck_assert_int_eq(d[0].severity, SEVERITY_WARNING);
	ck_assert_str_eq(d[1].key, "");
	ck_assert_int_eq(d[1].severity, SEVERITY_CRITICAL);
	ck_assert_str_eq(d[2].key, "b");
	ck_assert_str_eq(d[3].key, "b");
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, d, 8), 6);
}
END_TEST

START_TEST(settled_ones_do_not_wait_any_more)
{
	struct spool_delivery d[4];
	uint64_t n;
	int64_t oldest;
	struct err e = {""};

	(void)add_event_for(an_event("a", now, SEVERITY_INFO), "mail", NULL);
	(void)add_event_for(an_event("b", now + 5, SEVERITY_INFO), "mail", NULL);
	ck_assert_int_eq(spool_count_waiting(spool, "mail", &n, &oldest, &e), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(oldest, now);
	(void)waiting("mail", SEVERITY_INFO, d, 4);
	settle_one(d[0].id, DELIVERY_SENT, NULL);
	ck_assert_int_eq(spool_count_waiting(spool, "mail", &n, &oldest, &e), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(oldest, now + 5);
	settle_one(d[1].id, DELIVERY_REFUSED, "no such chat");
	ck_assert_int_eq(spool_count_waiting(spool, "mail", &n, &oldest, &e), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(oldest, 0);
	ck_assert_int_eq(
		db_ask("SELECT count(*) FROM delivery WHERE state = 4 AND error = 'no such chat'"),
		1);
}
END_TEST

START_TEST(a_failed_attempt_is_counted_and_goes_on_waiting)
{
	struct spool_delivery d;

	(void)add_event_for(an_event("a", now, SEVERITY_INFO), "mail", NULL);
	(void)waiting("mail", SEVERITY_INFO, &d, 1);
	fail_times(d.id, 1, now + 10);
	fail_times(d.id, 1, now + 20);
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, &d, 1), 1);
	ck_assert_int_eq(db_ask("SELECT attempts FROM delivery"), 2);
	ck_assert_int_eq(db_ask("SELECT first_tried_ms FROM delivery"), now + 10);
	ck_assert_int_eq(db_ask("SELECT tried_ms FROM delivery"), now + 20);
	settle_one(d.id, DELIVERY_SENT, NULL);
	fail_times(d.id, 1, now + 30); /* too late: it is settled */
	ck_assert_int_eq(db_ask("SELECT attempts FROM delivery WHERE error IS NULL"), 3);
}
END_TEST

START_TEST(given_up_is_what_was_tried_in_vain_for_a_day)
{
	struct spool_delivery d;
	struct err e = {""};

	(void)add_event_for(an_event("a", now - 3 * DAY_MS, SEVERITY_INFO), "mail", NULL);
	(void)add_event_for(an_event("behind", now - DAY_MS, SEVERITY_INFO), "mail", NULL);
	(void)add_event_for(an_event("young", now - HOUR_MS, SEVERITY_INFO), "mail", NULL);
	(void)waiting("mail", SEVERITY_INFO, &d, 1);
	ck_assert_int_eq(spool_expire(spool, "mail", now, &e), 0); /* never tried */
	fail_times(d.id, 1, now - DAY_MS);
	ck_assert_int_eq(spool_expire(spool, "mail", now, &e), 0); /* tried once */
	fail_times(d.id, SPOOL_GIVE_UP_ATTEMPTS - 1, now - HOUR_MS);
	ck_assert_int_eq(spool_expire(spool, "mail", now - 1, &e), 0); /* not for a day yet */
	ck_assert_int_eq(spool_expire(spool, "chat", now, &e), 0); /* another channel */
	ck_assert_int_eq(spool_expire(spool, "mail", now, &e), 2);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM delivery WHERE state = %d AND settled_ms = "
				"%lld AND error LIKE '%%24 hours%%'",
				 DELIVERY_EXPIRED, (long long)now),
		2);
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, &d, 1), 1);
	ck_assert_str_eq(d.key, "young");
}
END_TEST

START_TEST(of_too_many_the_oldest_are_given_up)
{
	struct spool_delivery d;
	struct err e = {""};
	char sql[200];

	(void)add_event_for(an_event("a", now, SEVERITY_INFO), "mail", NULL);
	(void)add_event_for(an_event("b", now, SEVERITY_INFO), "mail", NULL);
	(void)add_event_for(an_event("c", now, SEVERITY_INFO), "mail", NULL);
	(void)snprintf(sql, sizeof(sql),
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		" INSERT INTO delivery(event, channel) SELECT 3, 'mail' FROM n",
		SPOOL_WAITING_MAX - 1);
	db_ok(sql);
	ck_assert_int_eq(spool_expire(spool, "mail", now, &e), 2);
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, &d, 1), 1);
	ck_assert_str_eq(d.key, "c");
	ck_assert_int_eq(spool_expire(spool, "mail", now, &e), 0);
}
END_TEST

START_TEST(what_waits_for_a_channel_that_is_gone_is_given_up_at_once)
{
	const char *channels[] = {"mail", "never-used"};
	struct spool_delivery d;
	struct err e = {""};

	(void)add_event_for(an_event("a", now, SEVERITY_INFO), "mail", "chat", "pager", NULL);
	(void)add_event_for(an_event("b", now, SEVERITY_INFO), "chat", NULL);
	ck_assert_int_eq(spool_expire_others(spool, channels, 2, now, &e), 3);
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, &d, 1), 1);
	ck_assert_uint_eq(waiting("chat", SEVERITY_INFO, &d, 1), 0);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM delivery WHERE state = %d AND"
				" error = 'the channel was removed'",
				 DELIVERY_EXPIRED),
		3);
	ck_assert_int_eq(spool_expire_others(spool, NULL, 0, now, &e), 1);
}
END_TEST

START_TEST(old_history_goes_but_never_what_waits)
{
	struct spool_delivery d[2];
	struct err e = {""};
	int64_t old = now - 91LL * DAY_MS;

	(void)add_event_for(an_event("waits", old, SEVERITY_INFO), "mail", NULL);
	(void)add_event_for(an_event("sent", old, SEVERITY_INFO), "mail", NULL);
	(void)add_event_for(an_event("nobody", old, SEVERITY_INFO), NULL);
	(void)add_event_for(an_event("young", now, SEVERITY_INFO), NULL);
	(void)waiting("mail", SEVERITY_INFO, d, 2);
	settle_one(d[1].id, DELIVERY_SENT, NULL);
	ck_assert_int_eq(spool_prune(spool, now, &e), 2);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM event"), 2);
	ck_assert_int_eq(
		db_ask("SELECT count(*) FROM delivery"), 1); /* that of the other is gone */
	ck_assert_uint_eq(waiting("mail", SEVERITY_INFO, d, 2), 1);
	ck_assert_int_eq(spool_prune(spool, now, &e), 0);
}
END_TEST

START_TEST(of_too_many_events_the_oldest_go)
{
	struct err e = {""};

	(void)add_event_for(an_event("a", now, SEVERITY_INFO), NULL);
	db_ok("UPDATE sqlite_sequence SET seq = 50000 WHERE name = 'event'");
	(void)add_event_for(an_event("b", now, SEVERITY_INFO), NULL);
	ck_assert_int_eq(spool_prune(spool, now, &e), 1);
	ck_assert_int_eq(db_ask("SELECT id FROM event"), 50001);
}
END_TEST

START_TEST(several_calls_are_one_transaction)
{
	struct channel_state st = {.failures = 1}, back;
	struct spool_delivery d;
	struct err e = {""};
	struct delivery_result result;

	(void)add_event_for(an_event("a", now, SEVERITY_INFO), "mail", NULL);
	(void)waiting("mail", SEVERITY_INFO, &d, 1);
	result = (struct delivery_result){d.id, DELIVERY_SENT};
	ck_assert_int_eq(spool_begin(spool, &e), 0);
	ck_assert_int_eq(spool_settle(spool, &result, 1, NULL, now, &e), 0);
	ck_assert_int_eq(spool_store_channel(spool, "mail", &st, &e), 0);
	db_rollback(spool_db); /* as a crash does */
	ck_assert_int_eq(db_ask("SELECT state FROM delivery"), 0);
	spool_case_close();
	spool_case_open();
	ck_assert_int_eq(spool_load_channel(spool, "mail", &back, &e), 0);
	ck_assert_uint_eq(back.failures, 0);
	ck_assert_int_eq(spool_begin(spool, &e), 0);
	ck_assert_int_eq(spool_settle(spool, &result, 1, NULL, now, &e), 0);
	ck_assert_int_eq(spool_store_channel(spool, "mail", &st, &e), 0);
	ck_assert_int_eq(spool_commit(spool, &e), 0);
	ck_assert_int_eq(db_ask("SELECT state FROM delivery"), DELIVERY_SENT);
	ck_assert_int_eq(spool_load_channel(spool, "mail", &back, &e), 0);
	ck_assert_uint_eq(back.failures, 1);
}
END_TEST

START_TEST(a_part_that_fails_takes_the_rest_back)
{
	struct channel_state st = {.failures = 1};
	struct spool_delivery d;
	struct err e = {""};
	struct delivery_result result;

	(void)add_event_for(an_event("a", now, SEVERITY_INFO), "mail", NULL);
	(void)waiting("mail", SEVERITY_INFO, &d, 1);
	result = (struct delivery_result){d.id, DELIVERY_SENT};
	db_ok("ALTER TABLE channel_state RENAME TO elsewhere");
	ck_assert_int_eq(spool_begin(spool, &e), 0);
	ck_assert_int_eq(spool_settle(spool, &result, 1, NULL, now, &e), 0);
	ck_assert_int_lt(spool_store_channel(spool, "mail", &st, &e), 0);
	ck_assert_int_lt(spool_settle(spool, &result, 1, NULL, now, &e), 0);
	ck_assert_int_lt(spool_commit(spool, &e), 0);
	ck_assert_int_eq(db_ask("SELECT state FROM delivery"), 0);
	ck_assert_int_eq(spool_settle(spool, &result, 1, NULL, now, &e), 0);
	ck_assert_int_eq(db_ask("SELECT state FROM delivery"), DELIVERY_SENT);
}
END_TEST

START_TEST(a_channel_remembers)
{
	struct channel_state st = {.not_before_ms = now,
		.failures = 3,
		.last_sent_ms = 1,
		.last_failed_ms = 2,
		.last_error = "wait",
		.memory.to = "-100123"};
	struct channel_state back;
	struct err e = {""};

	ck_assert_int_eq(spool_load_channel(spool, "chat", &back, &e), 0);
	ck_assert_int_eq(back.not_before_ms, 0);
	ck_assert_str_eq(back.memory.to, "");
	ck_assert_int_eq(spool_store_channel(spool, "chat", &st, &e), 0);
	st.failures = 4;
	ck_assert_int_eq(spool_store_channel(spool, "chat", &st, &e), 0);
	ck_assert_int_eq(spool_load_channel(spool, "chat", &back, &e), 0);
	ck_assert_int_eq(back.not_before_ms, now);
	ck_assert_uint_eq(back.failures, 4);
	ck_assert_int_eq(back.last_sent_ms, 1);
	ck_assert_int_eq(back.last_failed_ms, 2);
	ck_assert_str_eq(back.last_error, "wait");
	ck_assert_str_eq(back.memory.to, "-100123");
}
END_TEST

static Suite *spool_suite(void)
{
	Suite *s = suite_create("spool");
	TCase *tc = tcase_create("spool");

	tcase_add_checked_fixture(tc, spool_case_setup, spool_case_teardown);
	tcase_add_test(tc, an_event_waits_for_each_of_its_channels);
	tcase_add_test(tc, what_was_rolled_back_was_not_accepted);
	tcase_add_test(tc, what_waits_survives_a_restart);
	tcase_add_test(tc, only_stories_with_something_bad_enough_pass);
	tcase_add_test(tc, settled_ones_do_not_wait_any_more);
	tcase_add_test(tc, a_failed_attempt_is_counted_and_goes_on_waiting);
	tcase_add_test(tc, given_up_is_what_was_tried_in_vain_for_a_day);
	tcase_add_test(tc, of_too_many_the_oldest_are_given_up);
	tcase_add_test(tc, what_waits_for_a_channel_that_is_gone_is_given_up_at_once);
	tcase_add_test(tc, old_history_goes_but_never_what_waits);
	tcase_add_test(tc, of_too_many_events_the_oldest_go);
	tcase_add_test(tc, several_calls_are_one_transaction);
	tcase_add_test(tc, a_part_that_fails_takes_the_rest_back);
	tcase_add_test(tc, a_channel_remembers);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(spool_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
