/* SPDX-License-Identifier: Apache-2.0
 *
 * Apps that cannot run two versions at once, and those that run none yet.
 */
#include "tests/unit/machine_case.h"

/* Nothing served before: nothing to stop, to drain, to put back. */
START_TEST(the_first_version_of_an_app)
{
	static const struct {
		enum deploy_strategy strategy;
		const char *script, *expected;
	} rows[] = {
		{DEPLOY_START_FIRST, "", BUILDS STARTS "retire post-deploy done"},
		{DEPLOY_RECREATE, "", BUILDS STARTS "retire post-deploy done"},
		{DEPLOY_START_FIRST, "probe=fail", BUILDS "start probe -start on-failure failed"},
		{DEPLOY_RECREATE, "probe=fail", BUILDS "start probe -start on-failure failed"},
		{DEPLOY_START_FIRST, "watch=unhealthy",
			BUILDS STARTS "-route -start on-failure failed"},
		{DEPLOY_RECREATE, "watch=unhealthy",
			BUILDS STARTS "-start -route on-failure failed"},
		{DEPLOY_START_FIRST, "watch=unhealthy -route=fail",
			BUILDS STARTS "-route -start on-failure failed"},
		{DEPLOY_START_FIRST, "watch=cancel", BUILDS STARTS "-route -start cancelled"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		teardown();
		setup();
		memset(&d->old, 0, sizeof(d->old));
		d->strategy = rows[i].strategy;
		ck_assert_str_eq(runs(rows[i].script), rows[i].expected);
		ck_assert_int_eq(d->downtime_ms, -1);
	}
}
END_TEST

#define RECREATES BUILDS "stop " STARTS

/* Volumes or ports of the host: one version at a time. All failures from the stop on put the old one back. */
static const struct {
	const char *script, *expected;
	int64_t downtime_steps;
} recreate_ways[] = {
	/* stop, start, probe, pre-route, route */
	{"", RECREATES "retire post-deploy done", 5},
	{"build=fail", "fetch filter pre-build build on-failure failed", 0},
	{"pre-start=fail", BUILDS "on-failure failed", 0},
	{"stop=fail", BUILDS "stop -start -stop -route on-rollback rolled_back", 4},
	{"start=fail", BUILDS "stop start -start -stop -route on-rollback rolled_back", 5},
	{"start=skip", BUILDS "stop start -start -stop -route on-rollback rolled_back", 5},
	{"probe=fail", BUILDS "stop start probe -start -stop -route on-rollback rolled_back", 6},
	{"probe=cancel", BUILDS "stop start probe -start -stop -route cancelled", 6},
	/* Away twice: the new one served in between. */
	{"watch=unhealthy", RECREATES "-start -stop -route on-rollback rolled_back", 5 + 3},
	{"probe=fail -start=fail",
		BUILDS "stop start probe -start -stop -route on-rollback rolled_back", 6},
	{"probe=fail -stop=fail", BUILDS "stop start probe -start -stop on-failure broken", 0},
	{"probe=fail -route=fail", BUILDS "stop start probe -start -stop -route on-failure broken",
		0},
	{"stop=cancel", BUILDS "stop -start -stop -route cancelled", 4},
};

START_TEST(recreate_stops_the_old_version_first_and_measures_how_long_nobody_served)
{
	d->strategy = DEPLOY_RECREATE;
	ck_assert_str_eq(runs(recreate_ways[_i].script), recreate_ways[_i].expected);
	if (recreate_ways[_i].downtime_steps)
		ck_assert_int_eq(d->downtime_ms, recreate_ways[_i].downtime_steps * STEP_MS);
	else
		ck_assert_int_eq(d->downtime_ms, -1);
}
END_TEST

START_TEST(what_a_hook_measured_is_part_of_it)
{
	struct machine_step s = machine_next(d, MACHINE_BEGIN, NULL, now_ms);

	d->strategy = DEPLOY_RECREATE;
	while (d->state != DEPLOY_WATCHING) {
		if (strcmp(d->stage, "route") == 0)
			d->downtime_ms = 200; /* from the start of the new version on */
		now_ms += s.verb ? STEP_MS : 0;
		s = machine_next(d, MACHINE_STEP_DONE, NULL, now_ms);
	}
	ck_assert_int_eq(d->downtime_ms, 5 * STEP_MS);
}
END_TEST

START_TEST(what_a_hook_measured_stands_where_two_run_at_once)
{
	struct machine_step s = machine_next(d, MACHINE_BEGIN, NULL, now_ms);

	while (s.stage) {
		if (strcmp(d->stage, "route") == 0)
			d->downtime_ms = 40; /* the reload of a router */
		s = machine_next(d, MACHINE_STEP_DONE, NULL, now_ms += STEP_MS);
	}
	ck_assert_int_eq(d->state, DEPLOY_WATCHING);
	ck_assert_int_eq(d->downtime_ms, 40);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("machine_recreate");
	TCase *tc = tcase_create("machine_recreate");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_first_version_of_an_app);
	tcase_add_loop_test(tc,
		recreate_stops_the_old_version_first_and_measures_how_long_nobody_served, 0,
		(int)ARRAY_LEN(recreate_ways));
	tcase_add_test(tc, what_a_hook_measured_is_part_of_it);
	tcase_add_test(tc, what_a_hook_measured_stands_where_two_run_at_once);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
