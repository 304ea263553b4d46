/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/deploy.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "deploy-hooks/deploy_stages.h"

START_TEST(each_state_has_a_name_that_leads_back_to_it)
{
	for (int i = 0; i < DEPLOY_STATES; i++) {
		enum deploy_state s = (enum deploy_state)i, found = DEPLOY_STATES;

		ck_assert_ptr_nonnull(deploy_state_name(s));
		ck_assert_int_eq(deploy_state_find(deploy_state_name(s), &found), 0);
		ck_assert_int_eq(found, s);
	}
	for (int i = 0; i < DEPLOY_STRATEGIES; i++) {
		enum deploy_strategy s = (enum deploy_strategy)i, found = DEPLOY_STRATEGIES;

		ck_assert_int_eq(deploy_strategy_find(deploy_strategy_name(s), &found), 0);
		ck_assert_int_eq(found, s);
	}
}
END_TEST

START_TEST(other_names_are_none)
{
	enum deploy_state s = DEPLOY_DONE;
	enum deploy_strategy t = DEPLOY_RECREATE;

	ck_assert_int_eq(deploy_state_find("Done", &s), -ENOENT);
	ck_assert_int_eq(deploy_state_find("", &s), -ENOENT);
	ck_assert_int_eq(s, DEPLOY_DONE);
	ck_assert_int_eq(deploy_strategy_find("blue-green", &t), -ENOENT);
	ck_assert_int_eq(t, DEPLOY_RECREATE);
}
END_TEST

START_TEST(ends_are_ends)
{
	static const enum deploy_state ends[] = {DEPLOY_DONE, DEPLOY_FAILED, DEPLOY_ROLLED_BACK,
		DEPLOY_BROKEN, DEPLOY_SKIPPED, DEPLOY_SUPERSEDED, DEPLOY_CANCELLED};

	for (int i = 0; i < DEPLOY_STATES; i++) {
		bool is_end = false;

		for (size_t k = 0; k < ARRAY_LEN(ends); k++)
			is_end |= ends[k] == (enum deploy_state)i;
		ck_assert_int_eq(deploy_state_is_end((enum deploy_state)i), is_end);
	}
	ck_assert(deploy_state_is_good(DEPLOY_DONE));
	ck_assert(deploy_state_is_good(DEPLOY_SKIPPED));
	ck_assert(!deploy_state_is_good(DEPLOY_SUPERSEDED));
	ck_assert(!deploy_state_is_good(DEPLOY_ROLLED_BACK));
	ck_assert(!deploy_state_is_good(DEPLOY_WATCHING));
}
END_TEST

/* One that replaces a running one in place touches it earlier. */
START_TEST(what_serves_is_touched_from_the_route_on)
{
	static const char *const touching[DEPLOY_STRATEGIES] = {
		[DEPLOY_START_FIRST] = "stopping routing watching draining returning",
		[DEPLOY_RECREATE] =
			"stopping starting probing routing watching draining returning"};

	for (int i = 0; i < DEPLOY_STATES; i++)
		for (int t = 0; t < DEPLOY_STRATEGIES; t++) {
			enum deploy_state s = (enum deploy_state)i;

			ck_assert_int_eq(deploy_state_touches(s, (enum deploy_strategy)t),
				strstr(touching[t], deploy_state_name(s)) != NULL);
		}
}
END_TEST

static struct deploy *full(void)
{
	struct deploy *d = deploy_new("shop");

	d->id = 42;
	d->state = DEPLOY_RETURNING;
	d->strategy = DEPLOY_RECREATE;
	d->watch_ms = 30000;
	d->drain_ms = 20000;
	str_copy(d->trigger, sizeof(d->trigger), "webhook");
	str_copy(d->by, sizeof(d->by), "octocat");
	str_copy(d->provider, sizeof(d->provider), "github");
	str_copy(d->delivery, sizeof(d->delivery), "72d3162e-cc78-11e3-81ab-4c9367dc0958");
	str_copy(d->ref, sizeof(d->ref), "refs/heads/feature/\xC3\xBC-\xE2\x9C\x93");
	str_copy(d->commit, sizeof(d->commit), "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c");
	str_copy(d->before, sizeof(d->before), "6113728f27ae82c7b1a177c8d03f9e96e0adf246");
	str_copy(d->author, sizeof(d->author), "Codertocat");
	str_copy(d->subject, sizeof(d->subject), "Say \"hello\" \\ $(world) \xF0\x9F\x98\x80");
	d->queued_ms = 1700000000000;
	d->started_ms = 1700000000001;
	d->deadline_ms = 1700000030000;
	str_copy(d->stage, sizeof(d->stage), "route");
	d->attempt = 2;
	d->requeued = 1;
	d->after = DEPLOY_ROLLED_BACK;
	d->failed_in = DEPLOY_WATCHING;
	str_copy(d->error, sizeof(d->error), "the new version did not stay healthy");
	d->rollback_of = 40;
	d->superseded_by = 43;
	d->downtime_ms = 1234;
	d->verdict_ms = 77;
	str_copy(d->verdict_grade, sizeof(d->verdict_grade), "worse");
	str_copy(d->verdict, sizeof(d->verdict), "CPU 12.1 % -> 25.3 % (+109 %)");
	str_copy(d->new.image, sizeof(d->new.image), "shop:0d1a26e67d8f-42");
	str_copy(d->new.digest, sizeof(d->new.digest), "sha256:aa");
	str_copy(d->new.container, sizeof(d->new.container), "shop-42");
	str_copy(d->new.address, sizeof(d->new.address), "172.17.0.3:8080");
	str_copy(d->old.container, sizeof(d->old.container), "shop-41");
	deploy_stages_begin(d, "fetch", "apply", 1700000000001);
	deploy_stages_again(d);
	deploy_stages_end(d, "done", 1700000001000);
	d->document = json_pack("{s:[s]}", "files", "src/main.c");
	return d;
}

START_TEST(a_record_is_read_as_it_was_written)
{
	struct deploy *d = full(), *back = NULL;
	json_t *j = deploy_to_json(d), *again;

	ck_assert_int_eq(deploy_from_json(j, &back, NULL), 0);
	again = deploy_to_json(back);
	ck_assert(json_equal(j, again));
	ck_assert_int_eq(back->id, 42);
	ck_assert_int_eq(back->state, DEPLOY_RETURNING);
	ck_assert_str_eq(back->subject, d->subject);
	ck_assert_str_eq(back->new.address, "172.17.0.3:8080");
	ck_assert_str_eq(back->old.container, "shop-41");
	ck_assert_uint_eq(back->requeued, 1);
	ck_assert_int_eq(deploy_stages_began_ms(back, "fetch", "apply"), 1700000000001);
	json_decref(j);
	json_decref(again);
	deploy_free(d);
	deploy_free(back);
}
END_TEST

/* What the interface to others has is part of the contract. */
START_TEST(a_record_has_the_names_that_others_read)
{
	struct deploy *d = full();
	json_t *j = deploy_to_json(d);

	ck_assert_str_eq(json_string_value(json_object_get(j, "state")), "returning");
	ck_assert_str_eq(json_string_value(json_object_get(j, "strategy")), "recreate");
	ck_assert_str_eq(json_string_value(json_object_get(j, "failed_in")), "watching");
	ck_assert_int_eq(json_integer_value(json_object_get(j, "downtime_ms")), 1234);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(j, "new"), "image")),
		"shop:0d1a26e67d8f-42");
	ck_assert_uint_eq(json_array_size(json_object_get(j, "stages")), 1);
	json_decref(j);
	deploy_free(d);
}
END_TEST

/* What a hook printed may be in the error. */
START_TEST(bytes_that_are_no_text_are_shown_and_fit)
{
	struct deploy *d = deploy_new("shop"), *back = NULL;
	json_t *j;

	memset(d->error, 0xff, sizeof(d->error) - 1);
	str_copy(d->subject, sizeof(d->subject), "caf\xe9");
	j = deploy_to_json(d);
	ck_assert_int_eq(deploy_from_json(j, &back, NULL), 0);
	ck_assert_str_eq(back->subject, "caf?");
	ck_assert_uint_eq(strlen(back->error), sizeof(d->error) - 1);
	ck_assert_uint_eq(strspn(back->error, "?"), sizeof(d->error) - 1);
	json_decref(j);
	deploy_free(d);
	deploy_free(back);
}
END_TEST

START_TEST(a_record_of_an_earlier_version_can_be_read)
{
	struct deploy *d = NULL;
	json_t *j = json_pack("{s:s, s:s, s:i}", "app", "shop", "state", "building", "id", 7);

	ck_assert_int_eq(deploy_from_json(j, &d, NULL), 0);
	ck_assert_int_eq(d->state, DEPLOY_BUILDING);
	ck_assert_int_eq(d->downtime_ms, -1);
	ck_assert(json_is_array(d->stages));
	json_decref(j);
	deploy_free(d);
}
END_TEST

START_TEST(what_is_no_record_is_refused)
{
	static const struct {
		const char *name, *value; /* JSON; NULL: the member is missing */
	} cells[] = {
		{"app", NULL},
		{"app", "\"\""},
		{"app", "7"},
		{"state", NULL},
		{"state", "\"flying\""},
		{"state", "3"},
		{"strategy", "\"blue-green\""},
		{"after", "null"},
		{"id", "\"42\""},
		{"id", "1.5"},
		{"attempt", "-1"},
		{"attempt", "4294967296"},
		{"error", "[]"},
		{"trigger", "\"a text of more bytes than its field\""},
		{"new", "{\"image\":{}}"},
		{"old", "{\"address\":7}"},
		{"stages", "{}"},
	};
	struct deploy *d = full(), *back = NULL;
	json_t *j = deploy_to_json(d);
	struct err e = {""};

	if (cells[_i].value)
		json_object_set_new(
			j, cells[_i].name, json_loads(cells[_i].value, JSON_DECODE_ANY, NULL));
	else
		json_object_del(j, cells[_i].name);
	ck_assert_int_eq(deploy_from_json(j, &back, &e), -EBADMSG);
	ck_assert_ptr_null(back);
	ck_assert_str_ne(e.msg, "");
	json_decref(j);
	deploy_free(d);
}
END_TEST

START_TEST(a_version_that_says_anything_of_itself_is_one)
{
	struct deploy *d = deploy_new("shop");

	ck_assert(!deploy_has_old(d));
	str_copy(d->new.image, sizeof(d->new.image), "shop:1");
	ck_assert(!deploy_has_old(d));
	str_copy(d->old.image, sizeof(d->old.image), "shop:0");
	ck_assert(deploy_has_old(d));
	deploy_free(d);
}
END_TEST

START_TEST(the_end_is_written_down)
{
	struct deploy *d = full();

	deploy_end(d, DEPLOY_SUPERSEDED, 1700000009000);
	ck_assert_int_eq(d->state, DEPLOY_SUPERSEDED);
	ck_assert_int_eq(d->ended_ms, 1700000009000);
	ck_assert_int_eq(d->deadline_ms, 0);
	ck_assert_str_eq(d->stage, "");
	deploy_free(d);
}
END_TEST

START_TEST(the_stages_of_a_record_are_bounded)
{
	struct deploy *d = deploy_new("shop");

	for (int i = 0; i < 2 * DEPLOY_STAGES_MAX; i++) {
		deploy_stages_begin(d, "build", "apply", 1 + i);
		deploy_stages_end(d, "failed", 2 + i);
	}
	ck_assert_uint_eq(json_array_size(d->stages), DEPLOY_STAGES_MAX);
	ck_assert_int_eq(deploy_stages_began_ms(d, "build", "apply"), DEPLOY_STAGES_MAX);
	ck_assert_int_eq(deploy_stages_began_ms(d, "build", "revert"), 0);
	deploy_free(d);
}
END_TEST

START_TEST(nothing_is_freed_without_harm)
{
	deploy_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy");
	TCase *tc = tcase_create("deploy");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, each_state_has_a_name_that_leads_back_to_it);
	tcase_add_test(tc, other_names_are_none);
	tcase_add_test(tc, ends_are_ends);
	tcase_add_test(tc, what_serves_is_touched_from_the_route_on);
	tcase_add_test(tc, a_record_is_read_as_it_was_written);
	tcase_add_test(tc, a_record_has_the_names_that_others_read);
	tcase_add_test(tc, bytes_that_are_no_text_are_shown_and_fit);
	tcase_add_test(tc, a_record_of_an_earlier_version_can_be_read);
	tcase_add_loop_test(tc, what_is_no_record_is_refused, 0, 17);
	tcase_add_test(tc, a_version_that_says_anything_of_itself_is_one);
	tcase_add_test(tc, the_end_is_written_down);
	tcase_add_test(tc, the_stages_of_a_record_are_bounded);
	tcase_add_test(tc, nothing_is_freed_without_harm);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
