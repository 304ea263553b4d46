/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/recovery.h"

#include <check.h>

#include "base/cleanup.h"

/* What is found after a crash, and what shall follow: Q run again, R remove and run again, G go on, B back to the old
 * version, W look again, E nothing. In the order unknown, old, new, neither. */
static const struct {
	enum deploy_state state;
	enum deploy_strategy strategy;
	const char *expected;
} rows[] = {
	{DEPLOY_QUEUED, DEPLOY_START_FIRST, "GGGG"},
	{DEPLOY_FETCHING, DEPLOY_START_FIRST, "QQQQ"},
	{DEPLOY_BUILDING, DEPLOY_START_FIRST, "QQQQ"},
	{DEPLOY_PUSHING, DEPLOY_START_FIRST, "QQQQ"},
	{DEPLOY_RELEASING, DEPLOY_START_FIRST, "QQQQ"},
	{DEPLOY_STOPPING, DEPLOY_START_FIRST, "WGBB"},
	{DEPLOY_STARTING, DEPLOY_START_FIRST, "WRBR"},
	{DEPLOY_PROBING, DEPLOY_START_FIRST, "WRBR"},
	{DEPLOY_ROUTING, DEPLOY_START_FIRST, "WRGB"},
	{DEPLOY_WATCHING, DEPLOY_START_FIRST, "WBGB"},
	{DEPLOY_DRAINING, DEPLOY_START_FIRST, "WBGB"},
	{DEPLOY_REMOVING, DEPLOY_START_FIRST, "WGBG"},
	{DEPLOY_RETURNING, DEPLOY_START_FIRST, "WGGG"},
	{DEPLOY_DONE, DEPLOY_START_FIRST, "EEEE"},
	{DEPLOY_FAILED, DEPLOY_START_FIRST, "EEEE"},
	{DEPLOY_ROLLED_BACK, DEPLOY_START_FIRST, "EEEE"},
	{DEPLOY_BROKEN, DEPLOY_START_FIRST, "EEEE"},
	{DEPLOY_SKIPPED, DEPLOY_START_FIRST, "EEEE"},
	{DEPLOY_SUPERSEDED, DEPLOY_START_FIRST, "EEEE"},
	{DEPLOY_CANCELLED, DEPLOY_START_FIRST, "EEEE"},

	{DEPLOY_QUEUED, DEPLOY_RECREATE, "GGGG"},
	{DEPLOY_FETCHING, DEPLOY_RECREATE, "QQQQ"},
	{DEPLOY_BUILDING, DEPLOY_RECREATE, "QQQQ"},
	{DEPLOY_PUSHING, DEPLOY_RECREATE, "QQQQ"},
	{DEPLOY_RELEASING, DEPLOY_RECREATE, "QQQQ"},
	{DEPLOY_STOPPING, DEPLOY_RECREATE, "WGBB"},
	/* The old one is stopped here: nobody serves until one of them does. */
	{DEPLOY_STARTING, DEPLOY_RECREATE, "WRGB"},
	{DEPLOY_PROBING, DEPLOY_RECREATE, "WRGB"},
	{DEPLOY_ROUTING, DEPLOY_RECREATE, "WRGB"},
	{DEPLOY_WATCHING, DEPLOY_RECREATE, "WBGB"},
	{DEPLOY_DRAINING, DEPLOY_RECREATE, "WBGB"},
	{DEPLOY_REMOVING, DEPLOY_RECREATE, "WGBG"},
	{DEPLOY_RETURNING, DEPLOY_RECREATE, "WGGG"},
	{DEPLOY_DONE, DEPLOY_RECREATE, "EEEE"},
	{DEPLOY_FAILED, DEPLOY_RECREATE, "EEEE"},
	{DEPLOY_ROLLED_BACK, DEPLOY_RECREATE, "EEEE"},
	{DEPLOY_BROKEN, DEPLOY_RECREATE, "EEEE"},
	{DEPLOY_SKIPPED, DEPLOY_RECREATE, "EEEE"},
	{DEPLOY_SUPERSEDED, DEPLOY_RECREATE, "EEEE"},
	{DEPLOY_CANCELLED, DEPLOY_RECREATE, "EEEE"},
};

static const char letters[RECOVERY_WHATS] = {
	[RECOVERY_REQUEUE] = 'Q',
	[RECOVERY_REMOVE_AND_REQUEUE] = 'R',
	[RECOVERY_GO_ON] = 'G',
	[RECOVERY_RETURN] = 'B',
	[RECOVERY_WAIT] = 'W',
	[RECOVERY_END] = 'E',
};

START_TEST(each_cell_leads_where_it_should)
{
	int row = _i / RECOVERY_SEEN;
	enum recovery_seen seen = (enum recovery_seen)(_i % RECOVERY_SEEN);
	enum recovery_what what = recovery_judge(rows[row].state, rows[row].strategy, seen);

	ck_assert_msg(letters[what] == rows[row].expected[seen], "%s, %s, seen %d: %c, not %c",
		deploy_state_name(rows[row].state), deploy_strategy_name(rows[row].strategy),
		(int)seen, letters[what], rows[row].expected[seen]);
}
END_TEST

START_TEST(every_state_has_its_row)
{
	bool seen[DEPLOY_STATES][DEPLOY_STRATEGIES] = {{false}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		seen[rows[i].state][rows[i].strategy] = true;
	for (int s = 0; s < DEPLOY_STATES; s++)
		for (int t = 0; t < DEPLOY_STRATEGIES; t++)
			ck_assert_msg(seen[s][t], "no row of %s",
				deploy_state_name((enum deploy_state)s));
}
END_TEST

/* The engine is asked only where the answer matters, and where it matters nothing is decided without it. */
START_TEST(nothing_is_decided_blindly_once_a_container_was_made)
{
	for (int i = 0; i < DEPLOY_STATES; i++) {
		enum deploy_state s = (enum deploy_state)i;
		bool made = s >= DEPLOY_STOPPING && s <= DEPLOY_RETURNING;

		ck_assert_int_eq(recovery_must_look(s), made);
		for (int t = 0; t < DEPLOY_STRATEGIES; t++)
			ck_assert_int_eq(recovery_judge(s, (enum deploy_strategy)t,
						 RECOVERY_UNKNOWN) == RECOVERY_WAIT,
				made);
	}
}
END_TEST

/* The one that gets the requests is never taken away, nor stopped by going on. */
START_TEST(who_serves_goes_on_serving)
{
	for (int i = 0; i < DEPLOY_DONE; i++) {
		enum deploy_state s = (enum deploy_state)i;

		for (int t = 0; t < DEPLOY_STRATEGIES; t++) {
			enum deploy_strategy strategy = (enum deploy_strategy)t;

			ck_assert_int_ne(recovery_judge(s, strategy, RECOVERY_NEW),
				RECOVERY_REMOVE_AND_REQUEUE);
			if (s == DEPLOY_DRAINING)
				ck_assert_int_eq(
					recovery_judge(s, strategy, RECOVERY_OLD), RECOVERY_RETURN);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recovery");
	TCase *tc = tcase_create("recovery");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(
		tc, each_cell_leads_where_it_should, 0, (int)(ARRAY_LEN(rows) * RECOVERY_SEEN));
	tcase_add_test(tc, every_state_has_its_row);
	tcase_add_test(tc, nothing_is_decided_blindly_once_a_container_was_made);
	tcase_add_test(tc, who_serves_goes_on_serving);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
