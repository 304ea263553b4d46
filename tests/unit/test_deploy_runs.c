/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_runs.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/schema.h"
#include "base/buf.h"
#include "base/str.h"
#include "deploy-hooks/queue.h"

#define DAY_MS ((int64_t)86400 * 1000)

static const int64_t now_ms = 1795000000000;

static struct db *db;
static struct deploy_runs *runs;
static struct deploy_list list;

static void setup(void)
{
	ck_assert_int_ge(
		db_open(":memory:", schema_migrations, schema_migrations_count, &db, NULL), 0);
	ck_assert_int_eq(deploy_runs_open(db, &runs, NULL), 0);
}

static void teardown(void)
{
	deploy_list_done(&list);
	deploy_runs_free(runs);
	db_close(db);
}

static struct deploy *push(const char *app, const char *ref, const char *commit)
{
	struct deploy *d = deploy_new(app);

	str_copy(d->trigger, sizeof(d->trigger), "webhook");
	str_copy(d->provider, sizeof(d->provider), "github");
	str_copy(d->ref, sizeof(d->ref), ref);
	str_copy(d->commit, sizeof(d->commit), commit);
	d->queued_ms = now_ms;
	return d;
}

/* Adds one in that state; ended `ago_ms` ago if that is an end. */
static int64_t add(const char *app, const char *ref, const char *commit, const char *delivery,
	enum deploy_state state, int64_t ago_ms)
{
	struct deploy *d = push(app, ref, commit);
	int64_t id;

	str_copy(d->delivery, sizeof(d->delivery), delivery);
	d->state = state;
	if (deploy_state_is_end(state))
		deploy_end(d, state, now_ms - ago_ms);
	ck_assert_int_eq(deploy_runs_add(runs, d, NULL, NULL), 0);
	id = d->id;
	deploy_free(d);
	return id;
}

/* "3 1": the ids in the list, which is emptied. */
static void list_is(const char *expected)
{
	struct buf b = BUF_INIT(65536);

	for (size_t i = 0; i < list.n; i++)
		buf_addf(&b, "%s%lld", i ? " " : "", (long long)list.deploys[i]->id);
	ck_assert_str_eq(buf_str(&b), expected);
	buf_done(&b);
	deploy_list_done(&list);
}

static void open_ones_are(const char *expected)
{
	ck_assert_int_eq(deploy_runs_open_ones(runs, &list, NULL), 0);
	list_is(expected);
}

START_TEST(what_is_committed_comes_back)
{
	struct deploy *d = push("shop", "refs/heads/main", "a1"), *back = NULL;

	d->document = json_pack("{s:[s]}", "files", "src/main.c");
	ck_assert_int_eq(deploy_runs_add(runs, d, NULL, NULL), 0);
	ck_assert_int_eq(d->id, 1);
	d->state = DEPLOY_BUILDING;
	str_copy(d->stage, sizeof(d->stage), "build");
	str_copy(d->new.image, sizeof(d->new.image), "shop:a1-1");
	d->started_ms = now_ms + 5;
	ck_assert_int_eq(deploy_runs_store(runs, d, NULL), 0);
	ck_assert_int_eq(deploy_runs_get(runs, 1, &back, NULL), 0);
	ck_assert_int_eq(back->id, 1);
	ck_assert_int_eq(back->state, DEPLOY_BUILDING);
	ck_assert_str_eq(back->stage, "build");
	ck_assert_str_eq(back->new.image, "shop:a1-1");
	ck_assert_str_eq(back->commit, "a1");
	ck_assert_int_eq(back->started_ms, now_ms + 5);
	ck_assert(json_equal(back->document, d->document));
	deploy_free(d);
	deploy_free(back);
}
END_TEST

START_TEST(one_without_a_document_has_none)
{
	struct deploy *back = NULL;
	int64_t id = add("shop", "refs/heads/main", "a1", "", DEPLOY_QUEUED, 0);

	ck_assert_int_eq(deploy_runs_get(runs, id, &back, NULL), 0);
	ck_assert_ptr_null(back->document);
	deploy_free(back);
}
END_TEST

START_TEST(a_number_that_never_was_is_told)
{
	struct deploy *back = NULL;
	struct err e = {""};

	ck_assert_int_eq(deploy_runs_get(runs, 7, &back, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "deploy 7"));
	ck_assert_ptr_null(back);
}
END_TEST

START_TEST(those_that_have_not_ended_come_oldest_first)
{
	add("shop", "refs/heads/main", "a1", "", DEPLOY_DONE, 0);
	add("shop", "refs/heads/main", "b2", "", DEPLOY_WATCHING, 0);
	add("blog", "refs/heads/main", "c3", "", DEPLOY_BROKEN, 0);
	add("blog", "refs/heads/main", "d4", "", DEPLOY_QUEUED, 0);
	open_ones_are("2 4");
}
END_TEST

START_TEST(one_that_ends_is_open_no_more)
{
	struct deploy *d = push("shop", "refs/heads/main", "a1");

	ck_assert_int_eq(deploy_runs_add(runs, d, NULL, NULL), 0);
	open_ones_are("1");
	deploy_end(d, DEPLOY_FAILED, now_ms);
	ck_assert_int_eq(deploy_runs_store(runs, d, NULL), 0);
	open_ones_are("");
	deploy_free(d);
}
END_TEST

START_TEST(a_newer_one_supersedes_in_the_same_transaction)
{
	struct deploy *old = push("shop", "refs/heads/main", "a1");
	struct deploy *new = push("shop", "refs/heads/main", "b2"), *back = NULL;

	ck_assert_int_eq(deploy_runs_add(runs, old, NULL, NULL), 0);
	deploy_end(old, DEPLOY_SUPERSEDED, now_ms);
	ck_assert_int_eq(deploy_runs_add(runs, new, old, NULL), 0);
	ck_assert_int_eq(old->superseded_by, new->id);
	open_ones_are("2");
	ck_assert_int_eq(deploy_runs_get(runs, 1, &back, NULL), 0);
	ck_assert_int_eq(back->state, DEPLOY_SUPERSEDED);
	ck_assert_int_eq(back->superseded_by, 2);
	deploy_free(old);
	deploy_free(new);
	deploy_free(back);
}
END_TEST

/* The disk is full between the two rows. */
START_TEST(when_the_second_row_cannot_be_written_the_first_is_not_there_either)
{
	struct deploy *old = push("shop", "refs/heads/main", "a1");
	struct deploy *new = push("shop", "refs/heads/main", "b2");
	struct err e = {""};

	ck_assert_int_eq(deploy_runs_add(runs, old, NULL, NULL), 0);
	ck_assert_int_eq(db_exec(db,
				 "CREATE TRIGGER t BEFORE UPDATE ON deploy BEGIN"
				 " SELECT RAISE(ABORT, 'full'); END",
				 NULL),
		0);
	deploy_end(old, DEPLOY_SUPERSEDED, now_ms);
	ck_assert_int_lt(deploy_runs_add(runs, new, old, &e), 0);
	ck_assert_str_ne(e.msg, "");
	ck_assert_int_eq(new->id, 0);
	ck_assert_int_eq(old->superseded_by, 0);
	open_ones_are("1");
	deploy_free(old);
	deploy_free(new);
}
END_TEST

static void alike_is(const char *ref, const char *delivery, const char *expected)
{
	struct deploy *d = push("shop", ref, "x");

	str_copy(d->delivery, sizeof(d->delivery), delivery);
	ck_assert_int_eq(deploy_runs_alike(runs, d, now_ms, &list, NULL), 0);
	list_is(expected);
	deploy_free(d);
}

START_TEST(what_a_request_is_compared_with)
{
	add("shop", "refs/heads/main", "a1", "d1", DEPLOY_DONE, 3 * DAY_MS);
	add("shop", "refs/heads/main", "b2", "d2", DEPLOY_SKIPPED, 2 * DAY_MS);
	add("shop", "refs/heads/main", "c3", "d3", DEPLOY_SUPERSEDED, DAY_MS);
	add("shop", "refs/heads/main", "d4", "d4", DEPLOY_FAILED, 0);
	add("shop", "refs/tags/v1", "b2", "d5", DEPLOY_DONE, 0);
	add("blog", "refs/heads/main", "e5", "d1", DEPLOY_DONE, 0);
	add("blog", "refs/heads/main", "f6", "d6", DEPLOY_QUEUED, 0);
	/* The newest good one of the ref, and all that have not ended, for the queue is one. */
	alike_is("refs/heads/main", "new", "2 7");
	alike_is("refs/tags/v1", "", "5 7");
	/* Sent again: whatever came of it but a failure. */
	alike_is("refs/heads/main", "d1", "1 2 7");
	alike_is("refs/heads/main", "d3", "2 3 7");
	alike_is("refs/heads/main", "d4", "2 7");
	/* No id is not the same id. */
	alike_is("refs/heads/next", "", "7");
}
END_TEST

START_TEST(after_seven_days_it_is_forgotten)
{
	add("shop", "refs/heads/main", "a1", "d1", DEPLOY_DONE, 7 * DAY_MS + 1);
	alike_is("refs/heads/main", "d1", "");
	add("shop", "refs/heads/main", "a1", "d1", DEPLOY_DONE, 7 * DAY_MS);
	alike_is("refs/heads/main", "d1", "2");
}
END_TEST

/* As a sender that had no answer does. The judge and the rows together. */
START_TEST(a_delivery_sent_again_after_a_restart_is_known)
{
	struct deploy *again = push("shop", "refs/heads/main", "a1");
	const struct deploy *which = NULL;

	str_copy(again->delivery, sizeof(again->delivery), "72d3162e");
	add("shop", "refs/heads/main", "a1", "72d3162e", DEPLOY_DONE, DAY_MS);
	deploy_runs_free(runs);
	ck_assert_int_eq(deploy_runs_open(db, &runs, NULL), 0);
	ck_assert_int_eq(deploy_runs_alike(runs, again, now_ms, &list, NULL), 0);
	ck_assert_int_eq(
		queue_judge((const struct deploy *const *)list.deploys, list.n, again, 10, &which),
		QUEUE_DUPLICATE);
	ck_assert_int_eq(which->id, 1);
	deploy_free(again);
}
END_TEST

START_TEST(what_one_may_go_back_to_comes_newest_first)
{
	add("shop", "refs/heads/main", "a1", "", DEPLOY_DONE, 0);
	add("shop", "refs/heads/main", "b2", "", DEPLOY_ROLLED_BACK, 0);
	add("shop", "refs/heads/main", "c3", "", DEPLOY_DONE, 0);
	add("blog", "refs/heads/main", "d4", "", DEPLOY_DONE, 0);
	add("shop", "refs/heads/main", "e5", "", DEPLOY_SKIPPED, 0);
	ck_assert_int_eq(deploy_runs_done(runs, "shop", 10, &list, NULL), 0);
	list_is("3 1");
	ck_assert_int_eq(deploy_runs_done(runs, "shop", 1, &list, NULL), 0);
	list_is("3");
	ck_assert_int_eq(deploy_runs_done(runs, "none", 1, &list, NULL), 0);
	list_is("");
}
END_TEST

static void history_is(const struct deploy_runs_query *q, const char *expected)
{
	struct buf b = BUF_INIT(65536);
	json_t *rows, *one;
	size_t i;

	ck_assert_int_eq(deploy_runs_list(runs, q, &rows, NULL), 0);
	json_array_foreach(rows, i, one) buf_addf(&b, "%s%lld", i ? " " : "",
		(long long)json_integer_value(json_object_get(one, "id")));
	ck_assert_str_eq(buf_str(&b), expected);
	buf_done(&b);
	json_decref(rows);
}

START_TEST(the_history_is_read_page_by_page)
{
	for (int i = 0; i < 5; i++)
		add(i == 2 ? "blog" : "shop", "refs/heads/main", "a1", "", DEPLOY_DONE, 0);
	history_is(&(struct deploy_runs_query){.limit = 3}, "5 4 3");
	history_is(&(struct deploy_runs_query){.limit = 3, .before = 3}, "2 1");
	history_is(&(struct deploy_runs_query){.app = "shop", .limit = 3}, "5 4 2");
	history_is(&(struct deploy_runs_query){.app = "none", .limit = 3}, "");
}
END_TEST

START_TEST(the_history_has_no_documents)
{
	const struct deploy_runs_query q = {.limit = 1};
	struct deploy *d = push("shop", "refs/heads/main", "a1");
	json_t *rows;

	d->document = json_pack("{s:[s]}", "files", "src/main.c");
	ck_assert_int_eq(deploy_runs_add(runs, d, NULL, NULL), 0);
	ck_assert_int_eq(deploy_runs_list(runs, &q, &rows, NULL), 0);
	ck_assert_ptr_null(json_object_get(json_array_get(rows, 0), "document"));
	ck_assert_int_eq(deploy_runs_open_ones(runs, &list, NULL), 0);
	ck_assert_ptr_null(list.deploys[0]->document);
	json_decref(rows);
	deploy_free(d);
}
END_TEST

/* A thousand failures do not take away what serves, nor what runs. */
START_TEST(the_oldest_go_but_not_what_is_needed)
{
	struct deploy *back = NULL;
	int64_t serves = add("shop", "refs/heads/main", "a1", "", DEPLOY_DONE, 0);
	int64_t waits = add("shop", "refs/heads/main", "b2", "", DEPLOY_QUEUED, 0);
	int64_t first_failed = add("shop", "refs/heads/main", "c3", "", DEPLOY_FAILED, 0);
	int64_t others = add("blog", "refs/heads/main", "d4", "", DEPLOY_FAILED, 0);

	for (int i = 0; i < DEPLOY_RUNS_KEPT; i++)
		add("shop", "refs/heads/main", "c3", "", DEPLOY_FAILED, 0);
	ck_assert_int_eq(deploy_runs_get(runs, first_failed, &back, NULL), -ENOENT);
	ck_assert_int_eq(deploy_runs_get(runs, serves, &back, NULL), 0);
	deploy_free(back);
	ck_assert_int_eq(deploy_runs_get(runs, waits, &back, NULL), 0);
	deploy_free(back);
	ck_assert_int_eq(deploy_runs_get(runs, others, &back, NULL), 0);
	deploy_free(back);
}
END_TEST

START_TEST(numbers_are_never_given_twice)
{
	ck_assert_int_eq(add("shop", "refs/heads/main", "a1", "", DEPLOY_FAILED, 0), 1);
	ck_assert_int_eq(db_exec(db, "DELETE FROM deploy", NULL), 0);
	ck_assert_int_eq(add("shop", "refs/heads/main", "a1", "", DEPLOY_FAILED, 0), 2);
}
END_TEST

START_TEST(one_record_that_cannot_be_read_does_not_stop_the_others)
{
	add("shop", "refs/heads/main", "a1", "", DEPLOY_QUEUED, 0);
	add("blog", "refs/heads/main", "a1", "", DEPLOY_QUEUED, 0);
	ck_assert_int_eq(db_exec(db, "UPDATE deploy SET body = '{' WHERE id = 1", NULL), 0);
	open_ones_are("2");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_runs");
	TCase *tc = tcase_create("deploy_runs");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_committed_comes_back);
	tcase_add_test(tc, one_without_a_document_has_none);
	tcase_add_test(tc, a_number_that_never_was_is_told);
	tcase_add_test(tc, those_that_have_not_ended_come_oldest_first);
	tcase_add_test(tc, one_that_ends_is_open_no_more);
	tcase_add_test(tc, a_newer_one_supersedes_in_the_same_transaction);
	tcase_add_test(tc, when_the_second_row_cannot_be_written_the_first_is_not_there_either);
	tcase_add_test(tc, what_a_request_is_compared_with);
	tcase_add_test(tc, after_seven_days_it_is_forgotten);
	tcase_add_test(tc, a_delivery_sent_again_after_a_restart_is_known);
	tcase_add_test(tc, what_one_may_go_back_to_comes_newest_first);
	tcase_add_test(tc, the_history_is_read_page_by_page);
	tcase_add_test(tc, the_history_has_no_documents);
	tcase_add_test(tc, the_oldest_go_but_not_what_is_needed);
	tcase_add_test(tc, numbers_are_never_given_twice);
	tcase_add_test(tc, one_record_that_cannot_be_read_does_not_stop_the_others);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
