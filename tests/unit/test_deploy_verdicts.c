/* SPDX-License-Identifier: Apache-2.0
 *
 * When verdicts are given, from what, and what follows from them.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploy_verdict.h"
#include "agent/deploy_verdicts.h"
#include "agent/schema.h"
#include "base/str.h"
#include "collectors/entity.h"
#include "tests/unit/turns.h"

#define MINUTE_MS ((int64_t)60000)

static struct loop *loop;
static struct db *db;
static struct deploy_runs *runs;
static struct deploy_verdicts *verdicts;
static struct deploy_app app;
static struct deploy_config config;
static struct deploy_verdicts_options options;
static int64_t begin_ms;

/* What is stored: CPU of `name` until `cut_s`, and from then on. */
static struct {
	const struct entity_class *class;
	const char *old_key, *new_key;
	double old_cpu, new_cpu;
	int64_t cut_s;
	bool probed;
} stored;

static char asked[2000]; /* "container/shop app/shop ..." */
static char told[10][600];
static int n_told, n_changed, n_back;
static char back_by[300];

static void fill(struct rrd_series *s, const struct entity_class *c, size_t n, int64_t from_s)
{
	bool is_old = from_s < stored.cut_s;

	for (size_t i = 0; i < s->n_points; i++)
		for (size_t k = 0; k < n; k++) {
			double *v = &s->values[i * n + k];

			if (c == &class_app)
				*v = k == 0 ? (i % 10 != 0 || is_old) : 0.01;
			else if (k == 0)
				*v = is_old ? stored.old_cpu : stored.new_cpu;
			else if (k == 1)
				*v = 100 << 20;
			else
				*v = 0;
		}
}

static int history(void *user, const struct entity_class *c, const char *key, const size_t *metrics,
	size_t n, int64_t from_s, int64_t to_s, struct rrd_series *out, struct err *e)
{
	size_t len = strlen(asked);

	ck_assert_ptr_eq(user, &loop);
	ck_assert_int_lt(from_s, to_s);
	ck_assert(
		metrics[0] == (c == &class_app ? (size_t)APP_up : (size_t)CGROUP_cpu_used_percent));
	(void)snprintf(asked + len, sizeof(asked) - len, "%s/%s:%lld-%lld ", c->name, key,
		(long long)(from_s - begin_ms / 1000), (long long)(to_s - begin_ms / 1000));
	if (c == &class_app ? !stored.probed : c != stored.class)
		return err_set(e, ENOENT, "no such file");
	if (c != &class_app)
		ck_assert_str_eq(key, from_s < stored.cut_s ? stored.old_key : stored.new_key);
	rrd_series_init(out, (time_t)from_s, (time_t)to_s, 20, n, 10000);
	fill(out, c, n, from_s);
	return 0;
}

static int on_event(void *user, struct event *ev, struct err *e)
{
	(void)user;
	(void)e;
	str_copy(told[n_told++], sizeof(told[0]), ev->title);
	event_free(ev);
	return 0;
}

static void on_change(void *user, const struct deploy *d)
{
	(void)user;
	ck_assert_int_gt(d->verdict_ms, 0);
	n_changed++;
}

static int roll_back(void *user, const char *name, const char *by, struct err *e)
{
	(void)user;
	(void)e;
	ck_assert_str_eq(name, "shop");
	str_copy(back_by, sizeof(back_by), by);
	n_back++;
	return 0;
}

static void setup(void)
{
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_ge(
		db_open(":memory:", schema_migrations, schema_migrations_count, &db, NULL), 0);
	ck_assert_int_eq(deploy_runs_open(db, &runs, NULL), 0);
	app = (struct deploy_app){.name = "shop"};
	config = (struct deploy_config){.apps = &app, .n_apps = 1};
	options = (struct deploy_verdicts_options){.loop = loop,
		.runs = runs,
		.history = history,
		.on_event = on_event,
		.on_change = on_change,
		.rollback = roll_back,
		.user = &loop};
	/* It began 13 minutes ago and was done 11 minutes ago. */
	begin_ms = clock_wall_ms() - 13 * MINUTE_MS;
	memset(&stored, 0, sizeof(stored));
	stored.class = &class_container;
	stored.old_key = stored.new_key = "shop";
	stored.old_cpu = 20;
	stored.new_cpu = 22;
	stored.cut_s = begin_ms / 1000;
	*asked = '\0';
	n_told = n_changed = n_back = 0;
}

static void teardown(void)
{
	deploy_verdicts_free(verdicts);
	verdicts = NULL;
	deploy_runs_free(runs);
	db_close(db);
	loop_free(loop);
}

/* A deploy of shop: began and ended so long after begin_ms. */
static struct deploy *deploy(enum deploy_state state, int64_t from_ms, int64_t to_ms)
{
	struct deploy *d = deploy_new("shop");

	d->strategy = DEPLOY_START_FIRST;
	d->state = state;
	d->started_ms = begin_ms + from_ms;
	if (deploy_state_is_end(state))
		deploy_end(d, state, begin_ms + to_ms);
	str_copy(d->new.container, sizeof(d->new.container), "shop-2");
	str_copy(d->old.container, sizeof(d->old.container), "shop-1");
	return d;
}

static int64_t add(struct deploy *d)
{
	int64_t id;

	ck_assert_int_eq(deploy_runs_add(runs, d, NULL, NULL), 0);
	id = d->id;
	deploy_free(d);
	return id;
}

static struct deploy *record(int64_t id)
{
	struct deploy *d;

	ck_assert_int_eq(deploy_runs_get(runs, id, &d, NULL), 0);
	return d;
}

static void expect(int64_t id, const char *grade, const char *begin)
{
	struct deploy *d = record(id);

	ck_assert_str_eq(d->verdict_grade, grade);
	ck_assert_msg(str_starts(d->verdict, begin), "%s", d->verdict);
	deploy_free(d);
}

START_TEST(what_was_due_when_the_agent_was_away_is_given_at_its_start)
{
	int64_t id = add(deploy(DEPLOY_DONE, 0, 2 * MINUTE_MS));

	verdicts = deploy_verdicts_new(&options, &config);
	TURN_UNTIL(loop, n_told == 1);
	ck_assert_str_eq(told[0], "shop is as good as before deploy 1");
	expect(id, "good", "CPU 20.0 % -> 22.0 % (+10 %), memory 100 MiB -> 100 MiB (+0 %).");
	ck_assert_str_eq(asked, "container/shop:-600-0 container/shop:120-720 app/shop:-600-0 "
				"app/shop:120-720 ");
	ck_assert_int_eq(n_changed, 1);
	/* Once, whatever happens. */
	deploy_verdicts_free(verdicts);
	verdicts = deploy_verdicts_new(&options, &config);
	deploy_verdicts_configure(verdicts, &config);
	turn_idle(loop);
	ck_assert_int_eq(n_told, 1);
}
END_TEST

START_TEST(it_is_given_when_the_time_has_come_and_not_before)
{
	struct deploy *d = deploy(DEPLOY_DONE, 12 * MINUTE_MS, 13 * MINUTE_MS);
	int64_t id;

	options.after_ms = 1000;
	verdicts = deploy_verdicts_new(&options, &config);
	turn_idle(loop);
	ck_assert_int_eq(deploy_runs_add(runs, d, NULL, NULL), 0);
	id = d->id;
	deploy_verdicts_ended(verdicts, d);
	deploy_verdicts_ended(verdicts, d);
	turn_idle(loop);
	ck_assert_int_eq(n_changed, 0);
	TURN_UNTIL(loop, n_changed == 1);
	ck_assert_int_ge(clock_wall_ms(), d->ended_ms + 1000);
	turn_idle(loop);
	ck_assert_int_eq(n_changed, 1);
	ck_assert_int_gt(id, 0);
	deploy_free(d);
}
END_TEST

START_TEST(only_what_is_done_and_not_long_ago_has_a_verdict)
{
	struct deploy *d = deploy(DEPLOY_DONE, -30 * 60 * MINUTE_MS, -29 * 60 * MINUTE_MS);

	(void)add(d);
	(void)add(deploy(DEPLOY_FAILED, 0, MINUTE_MS));
	(void)add(deploy(DEPLOY_ROLLED_BACK, 0, MINUTE_MS));
	verdicts = deploy_verdicts_new(&options, &config);
	d = deploy(DEPLOY_FAILED, 0, MINUTE_MS);
	d->id = 3;
	deploy_verdicts_ended(verdicts, d);
	deploy_free(d);
	turn_idle(loop);
	ck_assert_int_eq(n_changed, 0);
	ck_assert_str_eq(asked, "");
}
END_TEST

START_TEST(other_deploys_bound_what_is_compared)
{
	int64_t id;

	(void)add(deploy(DEPLOY_DONE, -5 * MINUTE_MS, -4 * MINUTE_MS));
	id = add(deploy(DEPLOY_DONE, 0, 2 * MINUTE_MS));
	(void)add(deploy(DEPLOY_FAILED, 3 * MINUTE_MS, 4 * MINUTE_MS));
	(void)add(deploy(DEPLOY_WATCHING, 6 * MINUTE_MS, 0));
	verdicts = deploy_verdicts_new(&options, &config);
	TURN_UNTIL(loop, n_changed == 2);
	ck_assert_ptr_nonnull(strstr(asked, "container/shop:-240-0 container/shop:120-360 "));
	expect(id, "good", "CPU 20.0 % -> 22.0 % (+10 %)");
	{
		struct deploy *d = record(id);

		ck_assert_ptr_nonnull(strstr(d->verdict, "another deploy began"));
		deploy_free(d);
	}
}
END_TEST

START_TEST(units_of_systemd_have_a_series_for_each_version)
{
	struct deploy *d = deploy(DEPLOY_DONE, 0, 2 * MINUTE_MS);

	str_copy(d->new.container, sizeof(d->new.container), "shop@2.service");
	str_copy(d->old.container, sizeof(d->old.container), "shop@1.service");
	stored.class = &class_service;
	stored.old_key = "shop@1";
	stored.new_key = "shop@2";
	(void)add(d);
	verdicts = deploy_verdicts_new(&options, &config);
	TURN_UNTIL(loop, n_told == 1);
	ck_assert(str_starts(asked, "service/shop@1:-600-0 service/shop@2:120-720 "));
}
END_TEST

START_TEST(what_is_not_measured_is_told_to_nobody)
{
	struct deploy *d = deploy(DEPLOY_DONE, 0, 2 * MINUTE_MS);
	int64_t id;

	str_copy(d->new.container, sizeof(d->new.container), "/nix/var/nix/profiles/agent-shop");
	str_copy(d->old.container, sizeof(d->old.container), "/nix/var/nix/profiles/agent-shop");
	id = add(d);
	verdicts = deploy_verdicts_new(&options, &config);
	TURN_UNTIL(loop, n_changed == 1);
	ck_assert_int_eq(n_told, 0);
	expect(id, "unknown", "Nothing of it was measured long enough.");
}
END_TEST

START_TEST(failed_probes_are_an_error_rate)
{
	int64_t id = add(deploy(DEPLOY_DONE, 0, 2 * MINUTE_MS));

	stored.probed = true;
	verdicts = deploy_verdicts_new(&options, &config);
	TURN_UNTIL(loop, n_told == 1);
	ck_assert_str_eq(told[0], "shop is worse since deploy 1: error rate");
	expect(id, "worse",
		"CPU 20.0 % -> 22.0 % (+10 %), memory 100 MiB -> 100 MiB (+0 %), error rate 0 % -> "
		"10.0 %, latency 10 ms -> 10 ms (+0 %).");
}
END_TEST

START_TEST(a_limit_brings_the_version_before_back)
{
	(void)add(deploy(DEPLOY_DONE, 0, 2 * MINUTE_MS));
	app.rollback_cpu_percent = 50;
	stored.new_cpu = 60;
	verdicts = deploy_verdicts_new(&options, &config);
	TURN_UNTIL(loop, n_back == 1);
	ck_assert_str_eq(back_by, "the verdict on deploy 1: CPU rose by 200 %, more than "
				  "rollback_if.cpu_percent = 50 allows");
	ck_assert(str_starts(told[0], "shop goes back to the version before deploy 1: CPU rose"));
}
END_TEST

/* Two bad versions must not take turns, and what somebody pushed since is not undone. */
START_TEST(nothing_is_turned_round_twice_or_behind_somebodys_back)
{
	struct deploy *d = deploy(DEPLOY_DONE, 0, 2 * MINUTE_MS);

	app.rollback_cpu_percent = 50;
	stored.new_cpu = 60;
	switch (_i) {
	case 0:
		d->rollback_of = 7;
		break;
	case 1:
		memset(&d->old, 0, sizeof(d->old));
		break;
	default:
		break;
	}
	(void)add(d);
	if (_i == 2)
		(void)add(deploy(DEPLOY_QUEUED, 0, 0));
	if (_i == 3)
		(void)add(deploy(DEPLOY_BUILDING, 12 * MINUTE_MS, 0));
	verdicts = deploy_verdicts_new(&options, &config);
	TURN_UNTIL(loop, n_changed == 1);
	turn_idle(loop);
	ck_assert_int_eq(n_back, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_verdicts");
	TCase *tc = tcase_create("deploy_verdicts");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_was_due_when_the_agent_was_away_is_given_at_its_start);
	tcase_add_test(tc, it_is_given_when_the_time_has_come_and_not_before);
	tcase_add_test(tc, only_what_is_done_and_not_long_ago_has_a_verdict);
	tcase_add_test(tc, other_deploys_bound_what_is_compared);
	tcase_add_test(tc, units_of_systemd_have_a_series_for_each_version);
	tcase_add_test(tc, what_is_not_measured_is_told_to_nobody);
	tcase_add_test(tc, failed_probes_are_an_error_rate);
	tcase_add_test(tc, a_limit_brings_the_version_before_back);
	tcase_add_loop_test(tc, nothing_is_turned_round_twice_or_behind_somebodys_back, 0, 4);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
