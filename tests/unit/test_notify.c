/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "notify/own_problems.h"
#include "tests/unit/sender_case.h"

enum { SAMPLE_MS = 20000, CHAIN_MAX = 50 };

static struct notify *notify;
static struct registry *registry;
static int64_t sample_ms; /* of the next one */
static struct channel channels[3];
static size_t n_channels;
static struct rule_settings rules[3];
static size_t n_rules;
static char told[CHAIN_MAX][100]; /* kind and title of each event told of */
static size_t n_told;
static int n_changes;

static void on_event(void *user, const struct event *ev)
{
	(void)user;
	ck_assert_uint_lt(n_told, CHAIN_MAX);
	ck_assert_int_gt(ev->id, 0);
	(void)snprintf(told[n_told++], sizeof(told[0]), "%s %s", ev->kind, ev->host);
}

static void on_change(void *user)
{
	(void)user;
	n_changes++;
}

static struct notify_settings settings(void)
{
	return (struct notify_settings){.host = "web-1",
		.url = "https://here",
		.rules = rules,
		.n_rules = n_rules,
		.channels = channels,
		.n_channels = n_channels};
}

static void start(void)
{
	const struct notify_options o = {.loop = loop,
		.http = http,
		.db = spool_db,
		.problems = problems,
		.interval_ms = SAMPLE_MS,
		.on_event = on_event,
		.on_change = on_change};
	struct notify_settings s = settings();
	struct err e = {""};

	ck_assert_msg(notify_new(&o, &s, &notify, &e) == 0, "%s", e.msg);
}

static void add_channel(const char *name)
{
	channels[n_channels] = channel_to(name, &fake_chat);
	channels[n_channels++].group_ms = 0;
}

/* Fires at once above 90 %, ends at once below. */
static struct rule_settings *add_rule(const char *name, const char *metric)
{
	struct rule_settings *r = &rules[n_rules++];

	rule_settings_init(r);
	r->name = name;
	r->metric = metric;
	r->how = "last";
	r->window_ms = 0;
	r->warning = "> 90";
	r->critical = "> 97";
	r->clear = "<= 90";
	r->critical_clear = "<= 97";
	r->for_ms = 0;
	r->clear_for_ms = 0;
	r->origin = "the test";
	return r;
}

static void restart(void)
{
	notify_free(notify);
	registry_free(registry);
	registry = registry_new();
	start();
}

static void setup(void)
{
	sender_case_setup();
	sender_free(sender);
	sender = NULL;
	spool_free(spool);
	spool = NULL;
	registry = registry_new();
	sample_ms = 1800000000000;
	n_channels = n_rules = n_told = 0;
	n_changes = 0;
	add_channel("chat");
	(void)add_rule("steal", "host.cpu_steal_percent");
	start();
}

static void teardown(void)
{
	notify_free(notify);
	registry_free(registry);
	sender_case_teardown();
}

/* One sample with that value of the metric the rule watches. */
static void sample(double steal)
{
	struct entity *e;

	registry_begin(registry);
	e = registry_get(registry, &class_host, "host");
	entity_read_at(e, sample_ms * 1000000);
	entity_gauge(e, HOST_cpu_steal_percent, steal);
	registry_sweep(registry, NULL, NULL);
	notify_sample(notify, registry, sample_ms);
	sample_ms += SAMPLE_MS;
}

static size_t got_with(const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < provider.n_got; i++)
		n += strstr(provider.got[i], text) != NULL;
	return n;
}

#define DELIVERED(n)                                                                               \
	do {                                                                                       \
		TURN_UNTIL(loop, count_state("chat", DELIVERY_SENT) == (n));                       \
		turn_idle(loop);                                                                   \
		ck_assert_int_eq(count_state("chat", DELIVERY_SENT), (n));                         \
	} while (0)

START_TEST(a_sample_over_its_limit_is_told_and_its_end_too)
{
	sample(50);
	ck_assert_uint_eq(n_told, 0);
	sample(95);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0], "alert.firing web-1");
	DELIVERED(1);
	sample(95);
	sample(95);
	sample(10);
	ck_assert_uint_eq(n_told, 2);
	ck_assert_str_eq(told[1], "alert.recovered web-1");
	DELIVERED(2);
	ck_assert_uint_eq(provider.n_got, 2);
	ck_assert_ptr_nonnull(strstr(LAST(2), " 1 0\nM "));
	ck_assert_ptr_nonnull(strstr(LAST(1), " 1 1\nM "));
	ck_assert_int_gt(n_changes, 0);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

START_TEST(a_restart_neither_repeats_nor_forgets)
{
	provider.status = PROVIDER_HANG;
	sample(95);
	provider.status = 200;
	restart();
	sample(95);
	DELIVERED(1);
	ck_assert_uint_eq(n_told, 1);
	sample(10);
	ck_assert_uint_eq(n_told, 2);
	DELIVERED(2);
}
END_TEST

START_TEST(what_cannot_be_stored_is_not_sent_and_not_lost)
{
	sample(50);
	db_ok("ALTER TABLE event RENAME TO away");
	sample(95);
	sample(95);
	turn_idle(loop);
	ck_assert_uint_eq(n_told, 0);
	ck_assert_uint_eq(provider.n_got, 0);
	ck_assert_ptr_nonnull(problem_of("notify.store"));
	db_ok("ALTER TABLE away RENAME TO event");
	sample(95);
	DELIVERED(1);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM event"), 1);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

START_TEST(a_rule_and_a_channel_say_who_is_told)
{
	static const char *const only[] = {"pager"};
	struct notify_settings s;

	add_channel("pager");
	add_channel("critical");
	channels[2].min_severity = SEVERITY_CRITICAL;
	rules[0].channels = (struct rule_patterns){only, 1};
	s = settings();
	ck_assert_int_eq(notify_configure(notify, &s, NULL), 0);
	sample(95);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM delivery"), 1);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM delivery WHERE channel = 'pager'"), 1);
	ck_assert_int_eq(
		notify_event(notify, event_new(EVENT_MESSAGE, SEVERITY_INFO, ""), NULL), 0);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM delivery WHERE event = 2"), 2);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM delivery WHERE channel = 'critical'"), 0);
}
END_TEST

START_TEST(an_event_from_elsewhere_is_stored_before_it_is_accepted)
{
	struct event *ev = event_new(EVENT_MESSAGE, SEVERITY_INFO, "tea");
	struct err e = {""};

	event_title(ev, "tea is ready");
	ck_assert_int_eq(notify_event(notify, ev, &e), 0);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM event WHERE title = 'tea is ready' AND"
				" time_ms > 0 AND body LIKE '%%\"host\":\"web-1\"%%'"),
		1);
	ck_assert_str_eq(told[0], "message web-1");
	DELIVERED(1);
	db_ok("ALTER TABLE delivery RENAME TO away");
	ck_assert_int_lt(
		notify_event(notify, event_new(EVENT_MESSAGE, SEVERITY_INFO, "tea"), &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "not accepted"));
	ck_assert_int_eq(db_ask("SELECT count(*) FROM event"), 1);
	db_ok("ALTER TABLE away RENAME TO delivery");
}
END_TEST

START_TEST(a_reload_with_a_mistake_changes_nothing)
{
	struct notify_settings s;
	struct err e = {""};

	add_channel("other");
	add_rule("wrong", "host.no_such_metric");
	s = settings();
	ck_assert_int_lt(notify_configure(notify, &s, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "wrong"));
	ck_assert_uint_eq(
		sender_status(notify_sender(notify), (struct sender_status[3]){{0}}, 3), 1);
	sample(95);
	DELIVERED(1);
}
END_TEST

START_TEST(a_reload_takes_new_channels_and_a_new_name)
{
	struct notify_settings s;

	provider.status = 503;
	sample(95);
	TURN_UNTIL(loop, provider.n_got == 1);
	n_channels = 0;
	add_channel("other");
	s = settings();
	s.host = "web-2";
	ck_assert_int_eq(notify_configure(notify, &s, NULL), 0);
	ck_assert_int_eq(count_state("chat", DELIVERY_EXPIRED), 1);
	provider.status = 200;
	sample(10);
	ck_assert_str_eq(told[1], "alert.recovered web-2");
	TURN_UNTIL(loop, count_state("other", DELIVERY_SENT) == 1);
}
END_TEST

static void samples_for(int64_t ms)
{
	for (int64_t end = sample_ms + ms; sample_ms < end;)
		sample(50);
}

START_TEST(a_problem_of_the_agent_itself_is_told_once)
{
	problem_set(problems, "store.write", "history cannot be written: no space");
	problem_set(problems, "channel.chat", "channel \"chat\" does not deliver");
	problem_set(problems, "config.restart", "a restart is needed");
	samples_for(OWN_PROBLEM_MS);
	ck_assert_uint_eq(n_told, 0);
	samples_for(2 * OWN_PROBLEM_MS);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0], "agent.problem web-1");
	ck_assert_int_eq(db_ask("SELECT count(*) FROM event WHERE is_end = 0 AND severity = 1 AND"
				" title = 'history cannot be written: no space'"),
		1);
	/* A restart does not tell it again. */
	restart();
	samples_for(3 * OWN_PROBLEM_MS);
	ck_assert_uint_eq(n_told, 1);
	/* Gone for a moment is nothing. */
	problem_clear(problems, "store.write");
	samples_for(OWN_PROBLEM_MS / 2);
	problem_set(problems, "store.write", "history cannot be written: no space");
	samples_for(2 * OWN_PROBLEM_MS);
	ck_assert_uint_eq(n_told, 1);
	problem_clear(problems, "store.write");
	samples_for(2 * OWN_PROBLEM_MS);
	ck_assert_uint_eq(n_told, 2);
	ck_assert_int_eq(db_ask("SELECT count(*) FROM event WHERE is_end = 1 AND title ="
				" 'In order again: history cannot be written: no space'"),
		1);
	restart();
	samples_for(2 * OWN_PROBLEM_MS);
	ck_assert_uint_eq(n_told, 2);
	TURN_UNTIL(loop, count_state("chat", DELIVERY_WAITING) == 0);
	ck_assert_uint_eq(got_with("problem store.write"), provider.n_got);
}
END_TEST

START_TEST(problems_that_come_and_go_are_not_told)
{
	for (int i = 0; i < 10; i++) {
		problem_set(problems, "store.write", "no space");
		samples_for(OWN_PROBLEM_MS / 2);
		problem_clear(problems, "store.write");
		samples_for(OWN_PROBLEM_MS / 2);
	}
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

static Suite *notify_suite(void)
{
	Suite *s = suite_create("notify");
	TCase *tc = tcase_create("notify");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_sample_over_its_limit_is_told_and_its_end_too);
	tcase_add_test(tc, a_restart_neither_repeats_nor_forgets);
	tcase_add_test(tc, what_cannot_be_stored_is_not_sent_and_not_lost);
	tcase_add_test(tc, a_rule_and_a_channel_say_who_is_told);
	tcase_add_test(tc, an_event_from_elsewhere_is_stored_before_it_is_accepted);
	tcase_add_test(tc, a_reload_with_a_mistake_changes_nothing);
	tcase_add_test(tc, a_reload_takes_new_channels_and_a_new_name);
	tcase_add_test(tc, a_problem_of_the_agent_itself_is_told_once);
	tcase_add_test(tc, problems_that_come_and_go_are_not_told);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(notify_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
