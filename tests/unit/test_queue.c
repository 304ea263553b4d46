/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/queue.h"

#include <check.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

enum { MAX_WAITING = 3 };

static struct deploy *all[16];
static size_t n_all;
static const struct deploy *which;

static void setup(void)
{
	n_all = 0;
	which = NULL;
}

static void teardown(void)
{
	for (size_t i = 0; i < n_all; i++)
		deploy_free(all[i]);
}

static struct deploy *push(const char *app, const char *ref, const char *commit)
{
	struct deploy *d = deploy_new(app);

	str_copy(d->trigger, sizeof(d->trigger), "webhook");
	str_copy(d->provider, sizeof(d->provider), "github");
	str_copy(d->ref, sizeof(d->ref), ref);
	str_copy(d->commit, sizeof(d->commit), commit);
	return d;
}

/* One that is there already. */
static struct deploy *there(
	const char *app, const char *ref, const char *commit, enum deploy_state state)
{
	struct deploy *d = push(app, ref, commit);

	d->state = state;
	all[n_all++] = d;
	d->id = (int64_t)n_all;
	return d;
}

static void delivered_as(struct deploy *d, const char *id)
{
	str_copy(d->delivery, sizeof(d->delivery), id);
}

static const struct deploy *const *list(void)
{
	return (const struct deploy *const *)all;
}

/* Judges and frees the new one. */
static enum queue_verdict judge(struct deploy *new)
{
	enum queue_verdict v = queue_judge(list(), n_all, new, MAX_WAITING, &which);

	deploy_free(new);
	return v;
}

START_TEST(the_first_push_is_added)
{
	ck_assert_int_eq(judge(push("shop", "refs/heads/main", "a1")), QUEUE_ADD);
}
END_TEST

START_TEST(a_newer_push_supersedes_the_one_that_waits)
{
	there("shop", "refs/heads/main", "a1", DEPLOY_BUILDING);
	struct deploy *waiting = there("shop", "refs/heads/main", "b2", DEPLOY_QUEUED);

	there("blog", "refs/heads/main", "c3", DEPLOY_QUEUED);
	ck_assert_int_eq(judge(push("shop", "refs/heads/main", "d4")), QUEUE_SUPERSEDE);
	ck_assert_ptr_eq(which, waiting);
}
END_TEST

START_TEST(a_push_during_a_deploy_waits_and_is_never_dropped)
{
	there("shop", "refs/heads/main", "a1", DEPLOY_BUILDING);
	ck_assert_int_eq(judge(push("shop", "refs/heads/main", "b2")), QUEUE_ADD);
}
END_TEST

/* Trap 12: sent again with the same id. */
START_TEST(a_delivery_sent_again_is_a_duplicate_unless_it_failed)
{
	static const struct {
		enum deploy_state state;
		enum queue_verdict expected;
	} cells[] = {
		{DEPLOY_QUEUED, QUEUE_DUPLICATE},
		{DEPLOY_BUILDING, QUEUE_DUPLICATE},
		{DEPLOY_RETURNING, QUEUE_DUPLICATE},
		{DEPLOY_DONE, QUEUE_DUPLICATE},
		{DEPLOY_SKIPPED, QUEUE_DUPLICATE},
		{DEPLOY_SUPERSEDED, QUEUE_DUPLICATE},
		{DEPLOY_FAILED, QUEUE_ADD},
		{DEPLOY_ROLLED_BACK, QUEUE_ADD},
		{DEPLOY_BROKEN, QUEUE_ADD},
		{DEPLOY_CANCELLED, QUEUE_ADD},
	};
	struct deploy *first = there("shop", "refs/heads/main", "a1", cells[_i].state);
	struct deploy *again = push("shop", "refs/heads/main", "a1");

	delivered_as(first, "72d3162e");
	delivered_as(again, "72d3162e");
	ck_assert_int_eq(judge(again), cells[_i].expected);
	if (cells[_i].expected == QUEUE_DUPLICATE)
		ck_assert_ptr_eq(which, first);
}
END_TEST

/* A sender that had no answer in time repeats itself after the next push came. */
START_TEST(trap_14_a_repeated_delivery_does_not_bring_the_older_commit_back)
{
	struct deploy *old = there("shop", "refs/heads/main", "a1", DEPLOY_SUPERSEDED);
	struct deploy *again = push("shop", "refs/heads/main", "a1");

	there("shop", "refs/heads/main", "b2", DEPLOY_QUEUED);
	delivered_as(old, "72d3162e");
	delivered_as(again, "72d3162e");
	ck_assert_int_eq(judge(again), QUEUE_DUPLICATE);
	ck_assert_ptr_eq(which, old);
}
END_TEST

static struct deploy *pushed(struct deploy *d, const char *before, int64_t at_ms)
{
	str_copy(d->before, sizeof(d->before), before);
	d->queued_ms = at_ms;
	return d;
}

/* The push from a1 to b2 is told before that from 99 to a1. */
START_TEST(trap_14_an_older_push_told_late_does_not_replace_the_newer_one)
{
	static const enum deploy_state states[] = {DEPLOY_QUEUED, DEPLOY_BUILDING, DEPLOY_DONE};
	struct deploy *newer =
		pushed(there("shop", "refs/heads/main", "b2", states[_i]), "a1", 1000);

	ck_assert_int_eq(
		judge(pushed(push("shop", "refs/heads/main", "a1"), "99", 2000)), QUEUE_DUPLICATE);
	ck_assert_ptr_eq(which, newer);
	/* Nobody pushed what nobody says it came from; and of another branch that means nothing. */
	ck_assert_int_ne(
		judge(pushed(push("shop", "refs/heads/main", "a1"), "", 2000)), QUEUE_DUPLICATE);
	ck_assert_int_ne(
		judge(pushed(push("shop", "refs/heads/next", "a1"), "99", 2000)), QUEUE_DUPLICATE);
}
END_TEST

START_TEST(trap_14_who_goes_back_on_purpose_is_not_late)
{
	struct deploy *forced = pushed(push("shop", "refs/heads/main", "a1"), "c3", 2000);

	pushed(there("shop", "refs/heads/main", "b2", DEPLOY_DONE), "a1", 1000);
	/* From the commit that is there, by force, or long after it. */
	ck_assert_int_eq(
		judge(pushed(push("shop", "refs/heads/main", "a1"), "b2", 2000)), QUEUE_ADD);
	forced->document = json_pack("{s:b}", "forced", 1);
	ck_assert_int_eq(judge(forced), QUEUE_ADD);
	ck_assert_int_eq(
		judge(pushed(push("shop", "refs/heads/main", "a1"), "c3", 1000 + QUEUE_LATE_MS)),
		QUEUE_ADD);
}
END_TEST

/* Else the files that only the superseded push changed would be in no deploy's list. */
START_TEST(a_newer_push_brings_what_the_superseded_one_would_have)
{
	struct deploy *waits =
		pushed(there("shop", "refs/heads/main", "a1", DEPLOY_QUEUED), "99", 1);
	struct deploy *next = pushed(push("shop", "refs/heads/main", "b2"), "a1", 2);
	struct deploy *forced = pushed(push("shop", "refs/heads/main", "d4"), "c3", 2);

	queue_take_over(next, waits);
	ck_assert_str_eq(next->before, "99");
	queue_take_over(forced, waits);
	ck_assert_str_eq(forced->before, "c3");
	deploy_free(next);
	deploy_free(forced);
}
END_TEST

/* Trap 13: a hook of the repository and one of the organisation. */
START_TEST(two_events_of_one_push_are_one_deploy)
{
	struct deploy *d = there("shop", "refs/heads/main", "a1", DEPLOY_BUILDING);
	struct deploy *second = push("shop", "refs/heads/main", "a1");

	delivered_as(d, "one");
	delivered_as(second, "two");
	ck_assert_int_eq(judge(second), QUEUE_DUPLICATE);
	ck_assert_ptr_eq(which, d);
}
END_TEST

START_TEST(a_branch_that_goes_back_to_an_earlier_commit_is_deployed_again)
{
	there("shop", "refs/heads/main", "a1", DEPLOY_DONE);
	there("shop", "refs/heads/main", "b2", DEPLOY_DONE);
	ck_assert_int_eq(judge(push("shop", "refs/heads/main", "a1")), QUEUE_ADD);
}
END_TEST

START_TEST(a_failure_in_between_changes_nothing_of_that)
{
	struct deploy *good = there("shop", "refs/heads/main", "a1", DEPLOY_DONE);

	there("shop", "refs/heads/main", "b2", DEPLOY_FAILED);
	ck_assert_int_eq(judge(push("shop", "refs/heads/main", "a1")), QUEUE_DUPLICATE);
	ck_assert_ptr_eq(which, good);
	ck_assert_int_eq(judge(push("shop", "refs/heads/main", "b2")), QUEUE_ADD);
}
END_TEST

START_TEST(the_same_commit_of_another_ref_or_app_is_none)
{
	there("shop", "refs/heads/main", "a1", DEPLOY_DONE);
	ck_assert_int_eq(judge(push("shop", "refs/tags/v1", "a1")), QUEUE_ADD);
	ck_assert_int_eq(judge(push("blog", "refs/heads/main", "a1")), QUEUE_ADD);
}
END_TEST

/* Trap 9: Bitbucket tells of several branches at once. */
START_TEST(one_delivery_of_two_branches_is_two_requests)
{
	struct deploy *d = there("shop", "refs/heads/main", "a1", DEPLOY_BUILDING);
	struct deploy *other = push("shop", "refs/heads/next", "b2");

	delivered_as(d, "same");
	delivered_as(other, "same");
	ck_assert_int_eq(judge(other), QUEUE_ADD);
}
END_TEST

START_TEST(one_id_of_two_senders_is_two_deliveries)
{
	struct deploy *d = there("shop", "refs/heads/main", "a1", DEPLOY_BUILDING);
	struct deploy *other = push("shop", "refs/heads/main", "b2");

	delivered_as(d, "1");
	delivered_as(other, "1");
	str_copy(other->provider, sizeof(other->provider), "gitea");
	ck_assert_int_eq(judge(other), QUEUE_ADD);
}
END_TEST

START_TEST(a_request_by_hand_is_never_a_duplicate)
{
	static const char *const triggers[] = {"command", "api", "push", "rollback"};
	struct deploy *new = push("shop", "refs/heads/main", "a1");

	there("shop", "refs/heads/main", "a1", DEPLOY_DONE);
	str_copy(new->trigger, sizeof(new->trigger), triggers[_i]);
	ck_assert_int_eq(judge(new), QUEUE_ADD);
}
END_TEST

START_TEST(an_image_is_known_by_its_digest)
{
	struct deploy *d = there("shop", "", "", DEPLOY_DONE);
	struct deploy *same = push("shop", "", ""), *other = push("shop", "", "");

	str_copy(d->new.digest, sizeof(d->new.digest), "sha256:aa");
	str_copy(same->new.digest, sizeof(same->new.digest), "sha256:aa");
	str_copy(other->new.digest, sizeof(other->new.digest), "sha256:bb");
	ck_assert_int_eq(judge(same), QUEUE_DUPLICATE);
	ck_assert_int_eq(judge(other), QUEUE_ADD);
}
END_TEST

/* Docker Hub says neither who it was nor which digest: the build looks. */
START_TEST(what_says_nothing_of_itself_is_no_duplicate)
{
	there("shop", "", "", DEPLOY_DONE);
	ck_assert_int_eq(judge(push("shop", "", "")), QUEUE_ADD);
	there("blog", "refs/heads/main", "", DEPLOY_DONE);
	ck_assert_int_eq(judge(push("blog", "refs/heads/main", "")), QUEUE_ADD);
}
END_TEST

START_TEST(too_many_that_wait_are_refused_but_not_what_supersedes)
{
	there("a", "refs/heads/main", "1", DEPLOY_QUEUED);
	there("b", "refs/heads/main", "2", DEPLOY_QUEUED);
	there("c", "refs/heads/main", "3", DEPLOY_QUEUED);
	there("d", "refs/heads/main", "4", DEPLOY_BUILDING);
	ck_assert_int_eq(judge(push("e", "refs/heads/main", "5")), QUEUE_FULL);
	ck_assert_int_eq(judge(push("c", "refs/heads/main", "6")), QUEUE_SUPERSEDE);
	ck_assert_int_eq(judge(push("c", "refs/heads/main", "3")), QUEUE_DUPLICATE);
}
END_TEST

START_TEST(the_oldest_is_next)
{
	struct deploy *newer = there("shop", "refs/heads/main", "a1", DEPLOY_QUEUED);
	struct deploy *older = there("blog", "refs/heads/main", "b2", DEPLOY_QUEUED);

	newer->id = 9;
	ck_assert_ptr_eq(queue_next(list(), n_all, 1), older);
	ck_assert_uint_eq(queue_position(list(), n_all, older), 1);
	ck_assert_uint_eq(queue_position(list(), n_all, newer), 2);
}
END_TEST

START_TEST(an_app_has_one_deploy_at_a_time)
{
	for (int s = DEPLOY_FETCHING; s < DEPLOY_DONE; s++) {
		there("shop", "refs/heads/main", "a1", (enum deploy_state)s);
		there("shop", "refs/heads/main", "b2", DEPLOY_QUEUED);
		ck_assert_msg(queue_next(list(), n_all, 8) == NULL, "while %s",
			deploy_state_name((enum deploy_state)s));
		teardown();
		setup();
	}
}
END_TEST

START_TEST(builds_are_limited_over_all_apps)
{
	struct deploy *running = there("a", "refs/heads/main", "1", DEPLOY_BUILDING);
	struct deploy *waiting = there("b", "refs/heads/main", "2", DEPLOY_QUEUED);

	ck_assert_ptr_null(queue_next(list(), n_all, 1));
	ck_assert_ptr_eq(queue_next(list(), n_all, 2), waiting);
	ck_assert_uint_eq(queue_position(list(), n_all, waiting), 1);
	ck_assert_uint_eq(queue_position(list(), n_all, running), 0);
	running->state = DEPLOY_WATCHING;
	ck_assert_ptr_eq(queue_next(list(), n_all, 1), waiting);
	running->state = DEPLOY_DRAINING;
	ck_assert_ptr_eq(queue_next(list(), n_all, 1), waiting);
	running->state = DEPLOY_DONE;
	ck_assert_ptr_eq(queue_next(list(), n_all, 1), waiting);
}
END_TEST

START_TEST(a_rollback_does_not_wait_for_the_builds_of_others)
{
	struct deploy *d;

	there("a", "refs/heads/main", "1", DEPLOY_BUILDING);
	there("b", "refs/heads/main", "2", DEPLOY_QUEUED);
	d = there("c", "refs/heads/main", "3", DEPLOY_QUEUED);
	d->rollback_of = 2;
	ck_assert_ptr_eq(queue_next(list(), n_all, 1), d);
	d->state = DEPLOY_STARTING;
	ck_assert_ptr_null(queue_next(list(), n_all, 1));
	all[0]->state = DEPLOY_DONE;
	ck_assert_ptr_eq(queue_next(list(), n_all, 1), all[1]); /* nor do they wait for it */
}
END_TEST

START_TEST(what_is_run_again_gives_way_to_a_newer_one)
{
	struct deploy *crashed = there("shop", "refs/heads/main", "a1", DEPLOY_QUEUED);
	struct deploy *newer;

	there("blog", "refs/heads/main", "b2", DEPLOY_QUEUED);
	ck_assert_ptr_null(queue_newer(list(), n_all, crashed));
	newer = there("shop", "refs/heads/main", "c3", DEPLOY_QUEUED);
	ck_assert_ptr_eq(queue_newer(list(), n_all, crashed), newer);
	ck_assert_ptr_null(queue_newer(list(), n_all, newer));
}
END_TEST

START_TEST(an_empty_queue_has_nothing)
{
	ck_assert_ptr_null(queue_next(list(), 0, 1));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue");
	TCase *tc = tcase_create("queue");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_first_push_is_added);
	tcase_add_test(tc, a_newer_push_supersedes_the_one_that_waits);
	tcase_add_test(tc, a_push_during_a_deploy_waits_and_is_never_dropped);
	tcase_add_loop_test(tc, a_delivery_sent_again_is_a_duplicate_unless_it_failed, 0, 10);
	tcase_add_test(tc, trap_14_a_repeated_delivery_does_not_bring_the_older_commit_back);
	tcase_add_loop_test(
		tc, trap_14_an_older_push_told_late_does_not_replace_the_newer_one, 0, 3);
	tcase_add_test(tc, trap_14_who_goes_back_on_purpose_is_not_late);
	tcase_add_test(tc, a_newer_push_brings_what_the_superseded_one_would_have);
	tcase_add_test(tc, two_events_of_one_push_are_one_deploy);
	tcase_add_test(tc, a_branch_that_goes_back_to_an_earlier_commit_is_deployed_again);
	tcase_add_test(tc, a_failure_in_between_changes_nothing_of_that);
	tcase_add_test(tc, the_same_commit_of_another_ref_or_app_is_none);
	tcase_add_test(tc, one_delivery_of_two_branches_is_two_requests);
	tcase_add_test(tc, one_id_of_two_senders_is_two_deliveries);
	tcase_add_loop_test(tc, a_request_by_hand_is_never_a_duplicate, 0, 4);
	tcase_add_test(tc, an_image_is_known_by_its_digest);
	tcase_add_test(tc, what_says_nothing_of_itself_is_no_duplicate);
	tcase_add_test(tc, too_many_that_wait_are_refused_but_not_what_supersedes);
	tcase_add_test(tc, the_oldest_is_next);
	tcase_add_test(tc, an_app_has_one_deploy_at_a_time);
	tcase_add_test(tc, builds_are_limited_over_all_apps);
	tcase_add_test(tc, a_rollback_does_not_wait_for_the_builds_of_others);
	tcase_add_test(tc, what_is_run_again_gives_way_to_a_newer_one);
	tcase_add_test(tc, an_empty_queue_has_nothing);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
