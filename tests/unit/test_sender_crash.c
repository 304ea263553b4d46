/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold whatever happens: nothing that was committed is lost, the order within a story is
 * kept, and a message is repeated only when its outcome could not be committed before the end.
 */
#include <check.h>

#include "tests/unit/effort.h"
#include "tests/unit/sender_case.h"

enum { EVENTS_MAX = 2000, KEYS = 8, STEPS = 150 };

static struct channel quick(const char *name, const struct channel_type *type)
{
	struct channel c = channel_to(name, type);

	c.group_ms = 0;
	return c;
}

static void break_database(void)
{
	db_ok("ALTER TABLE channel_state RENAME TO away");
}

static void mend_database(void)
{
	db_ok("ALTER TABLE away RENAME TO channel_state");
}

/* The end without a chance to write anything more, and the next start. */
static void kill_and_start(const struct channel *list, size_t n)
{
	db_ok("ALTER TABLE delivery RENAME TO killed");
	sender_free(sender);
	db_ok("ALTER TABLE killed RENAME TO delivery");
	sender_case_crash();
	sender_case_start();
	use(list, n);
}

START_TEST(an_outcome_the_database_cannot_take_is_kept_and_nothing_is_sent_twice)
{
	struct channel c = quick("chat", &fake_chat);

	use(&c, 1);
	break_database();
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	(void)RAISE("cpu", SEVERITY_WARNING, "chat");
	for (int i = 0; i < 5; i++) {
		pass(60000);
		turn_idle(loop);
		ck_assert_uint_eq(provider.n_got, 1);
		ck_assert_ptr_nonnull(problem_of("notify.spool"));
	}
	use(&c, 1); /* not lost in a reload either */
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, 1);
	ck_assert_int_eq(count_state("chat", DELIVERY_WAITING), 2);
	mend_database();
	pass(60000);
	GOT(2);
	ck_assert_str_eq(LAST(1), "E 2 cpu 1 0\nM 0 0 0 0 0 nowhere\n");
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 2);
	ck_assert_uint_eq(problems_count(problems), 0);
	ck_assert_int_eq(n_problems_told, 2);
}
END_TEST

START_TEST(an_outcome_not_written_yet_is_written_at_the_end)
{
	struct channel c = quick("chat", &fake_chat);

	use(&c, 1);
	break_database();
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	mend_database();
	sender_free(sender);
	sender_case_start();
	use(&c, 1);
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, 1);
	ck_assert_int_eq(count_state("chat", DELIVERY_SENT), 1);
}
END_TEST

START_TEST(a_spool_that_cannot_be_read_is_tried_again)
{
	struct channel c = quick("chat", &fake_chat);

	use(&c, 1);
	(void)add_event_for(an_event("disk", fake_now, SEVERITY_INFO), "chat", NULL);
	db_ok("ALTER TABLE event RENAME TO gone");
	pass(0);
	ck_assert_ptr_nonnull(problem_of("notify.spool"));
	db_ok("ALTER TABLE gone RENAME TO event");
	pass(10000);
	GOT(1);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

START_TEST(killed_before_the_answer_it_is_sent_again)
{
	struct channel c = quick("chat", &fake_chat);

	use(&c, 1);
	provider.status = PROVIDER_HANG;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	TURN_UNTIL(loop, provider.n_got == 1);
	provider.status = 200;
	kill_and_start(&c, 1);
	GOT(2);
	ck_assert_str_eq(LAST(1), LAST(2));
	kill_and_start(&c, 1);
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, 2); /* that was committed */
}
END_TEST

START_TEST(a_reload_keeps_what_is_known_about_a_channel)
{
	struct channel c[] = {quick("chat", &fake_chat), quick("other", &fake_chat)};

	use(c, 2);
	provider.status = 429;
	provider.retry_after_s = 600;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	c[0] = quick("first", &fake_chat);
	c[1] = quick("chat", &fake_chat);
	provider.status = 200;
	use(c, 2);
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, 1); /* the provider said so */
	ck_assert_uint_eq(status_of("chat").state.failures, 1);
	pass(600000);
	GOT(2);
	use(c, 1);
	ck_assert_uint_eq(sender_status(sender, (struct sender_status[2]){{0}}, 2), 1);
}
END_TEST

START_TEST(problems_of_a_channel_go_with_it)
{
	struct channel c = quick("chat", &fake_chat);

	use(&c, 1);
	provider.status = 401;
	(void)RAISE("disk", SEVERITY_WARNING, "chat");
	GOT(1);
	ck_assert_uint_eq(problems_count(problems), 1);
	use(NULL, 0);
	ck_assert_uint_eq(problems_count(problems), 0);
	ck_assert_int_eq(count_state("chat", DELIVERY_EXPIRED), 1);
}
END_TEST

/* The random test: what the provider took. */
static struct {
	bool accepted[200000];
	int mode;
	bool broken; /* the database */
	bool with_kills;
} chaos;

static int chaos_answer(const char *path, const char *body)
{
	static const int statuses[] = {200, 200, 200, 503, 429, PROVIDER_HANG, PROVIDER_CUT, 401};
	int status = statuses[chaos.mode];

	(void)path;
	(void)body;
	ck_assert_uint_lt(provider.n_got, sizeof(chaos.accepted));
	chaos.accepted[provider.n_got] = status == 200;
	return status;
}

static void change_mode(int mode)
{
	if (chaos.mode == 5)
		for (int i = 0; i < PROVIDER_PEERS; i++)
			if (provider.peers[i].fd >= 0)
				provider_drop(&provider.peers[i]);
	chaos.mode = mode;
	provider.retry_after_s = mode == 4 ? 90 : 0;
}

static void raise_some(void)
{
	static const char *const names[] = {"chat", "each", "batch"};
	char key[20] = "";

	for (long n = random() % 40; n >= 0; n--) {
		struct event *ev;
		long to = random() % 8;

		if (random() % 20)
			(void)snprintf(key, sizeof(key), "k%ld", random() % KEYS);
		ev = an_event(key, fake_now, (enum severity)(random() % 3));
		ev->is_end = random() % 3 == 0;
		(void)add_event_for(ev, names[to & 1 ? 0 : 1], names[to & 2 ? 2 : (to & 1)], NULL);
		key[0] = '\0';
	}
	sender_wake(sender);
}

static void toggle_database(void)
{
	if (chaos.broken)
		mend_database();
	else
		break_database();
	chaos.broken = !chaos.broken;
}

static void step(const struct channel *list, size_t n)
{
	switch (random() % 12) {
	case 0:
	case 1:
	case 2:
		raise_some();
		break;
	case 3:
	case 4:
		change_mode((int)(random() % 8));
		break;
	case 5:
		toggle_database();
		break;
	case 6:
		if (chaos.with_kills && chaos.broken)
			toggle_database();
		if (chaos.with_kills)
			kill_and_start(list, n);
		break;
	case 7:
		if (chaos.with_kills)
			use(list, n);
		break;
	default:
		pass(random() % 60000);
	}
	for (long turns = random() % 20; turns > 0; turns--)
		ck_assert_int_eq(loop_turn(loop, turns % 4 == 0, NULL), 0);
}

static void all_works_again(void)
{
	if (chaos.broken)
		toggle_database();
	change_mode(0);
	for (int i = 0; i < 1000; i++) {
		TURN_UNTIL(loop, all_quiet());
		turn_idle(loop);
		if (db_ask("SELECT count(*) FROM delivery WHERE state = 0") == 0)
			return;
		pass(60000);
	}
	ck_abort_msg("something still waits");
}

/* All that one channel was told. */
struct told {
	unsigned times[EVENTS_MAX]; /* by event id */
	int64_t last_of[KEYS];
	uint64_t counted, collapsed;
};

/* A repeated batch begins where it began the first time; everything else never goes back. */
static void read_message(const char *p, bool batch, struct told *t)
{
	for (; *p == 'E'; p = strchr(p, '\n') + 1) {
		long id, key;
		int n = sscanf(p, "E %ld k%ld", &id, &key);

		ck_assert_int_ge(n, 1);
		ck_assert_int_lt(id, EVENTS_MAX);
		t->times[id]++;
		if (n < 2 || (batch && t->times[id] > 1))
			continue;
		ck_assert_msg(id >= t->last_of[key], "k%ld: %ld after %ld", key, id,
			(long)t->last_of[key]);
		t->last_of[key] = id;
	}
	uint64_t more, collapsed;

	ck_assert_int_eq(sscanf(p, "M %" SCNu64 " %" SCNu64, &more, &collapsed), 2);
	t->counted += more;
	t->collapsed += collapsed;
}

static void check_channel(const char *name)
{
	_cleanup_(free_p) struct told *t = calloc(1, sizeof(*t));
	_cleanup_(db_finalize_p) struct db_stmt *s = NULL;
	struct err e = {""};

	ck_assert_ptr_nonnull(t);
	for (size_t i = 0; i < provider.n_got; i++)
		if (chaos.accepted[i] && strcmp(provider.paths[i] + 1, name) == 0)
			read_message(provider.got[i], strcmp(name, "batch") == 0, t);
	ck_assert_int_eq(db_prepare(spool_db,
				 "SELECT event, state FROM delivery WHERE channel = ?1", &s, &e),
		0);
	db_bind_text(s, 1, name);
	while (db_step(s, &e) == DB_ROW) {
		int64_t id = db_int(s, 0);
		bool sent = db_int(s, 1) == DELIVERY_SENT;

		ck_assert(sent || db_int(s, 1) == DELIVERY_COLLAPSED ||
			  db_int(s, 1) == DELIVERY_COUNTED);
		if (sent)
			ck_assert_msg(t->times[id] >= 1, "%s: %ld was lost", name, (long)id);
		if (!chaos.with_kills)
			ck_assert_msg(t->times[id] == (sent ? 1 : 0), "%s: %ld was told %u times",
				name, (long)id, t->times[id]);
	}
	ck_assert_uint_ge(t->counted, (uint64_t)count_state(name, DELIVERY_COUNTED));
	ck_assert_uint_ge(t->collapsed, (uint64_t)count_state(name, DELIVERY_COLLAPSED));
}

START_TEST(nothing_is_lost_and_no_story_is_out_of_order)
{
	struct channel c[] = {channel_to("chat", &fake_chat), channel_to("each", &fake_each),
		channel_to("batch", &fake_batch)};

	memset(&chaos, 0, sizeof(chaos));
	chaos.with_kills = _i % 3 != 0;
	srandom((unsigned)_i + 1);
	provider.decide = chaos_answer;
	use(c, 3);
	for (int i = 0; i < STEPS && db_ask("SELECT count(*) FROM event") < EVENTS_MAX - 50; i++)
		step(c, 3);
	all_works_again();
	check_channel("chat");
	check_channel("each");
	check_channel("batch");
	ck_assert_int_gt(count_state("chat", DELIVERY_SENT), 0);
}
END_TEST

static Suite *crash_suite(void)
{
	Suite *s = suite_create("sender_crash");
	TCase *tc = tcase_create("sender_crash");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, sender_case_setup, sender_case_teardown);
	tcase_add_test(tc, an_outcome_the_database_cannot_take_is_kept_and_nothing_is_sent_twice);
	tcase_add_test(tc, an_outcome_not_written_yet_is_written_at_the_end);
	tcase_add_test(tc, a_spool_that_cannot_be_read_is_tried_again);
	tcase_add_test(tc, killed_before_the_answer_it_is_sent_again);
	tcase_add_test(tc, a_reload_keeps_what_is_known_about_a_channel);
	tcase_add_test(tc, problems_of_a_channel_go_with_it);
	tcase_add_loop_test(tc, nothing_is_lost_and_no_story_is_out_of_order, 0, effort(6));
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(crash_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
