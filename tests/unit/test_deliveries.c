/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deliveries.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "agent/delivery_refusals.h"
#include "base/hash.h"
#include "base/str.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/scratch.h"
#include "tests/unit/turns.h"

#define SECRET "It's a Secret to Everybody"
#define BODY "{\"ref\":\"refs/heads/main\"}"
#define SHA "1111111111111111111111111111111111111111"

enum { SEEN_MAX = 64 };

static struct loop *loop;
static struct db *db;
static struct problems *problems;
static struct deliveries *deliveries;
static struct deploy_app apps[2];
static struct deploy_config config = {.apps = apps};
static char secret_path[128];
static struct err e;

/* What was accepted last, and what the stand-in of deploys_accept() answers. */
static struct deploy *accepted;
static size_t n_accepted;
static int accept_result;

/* How each was answered, in order. */
static struct {
	char name;
	int r;
	char why[200];
	char *deploys;
} seen[SEEN_MAX];
static size_t n_seen;

static const struct deploy_config *config_now(void *user)
{
	(void)user;
	return &config;
}

static int accept_deploy(
	void *user, struct deploy *d, struct deploys_accepted *out, struct err *why)
{
	(void)user;
	deploy_free(accepted);
	accepted = d;
	n_accepted++;
	if (accept_result < 0)
		return err_set(why, -accept_result, "no more of them");
	*out = (struct deploys_accepted){accept_result ? DEPLOYS_DUPLICATE : DEPLOYS_QUEUED, 7, 3};
	return 0;
}

static void setup(void)
{
	static const char *const schema[] = {DELIVERY_SCHEMA};
	const struct deliveries_options o = {.config = config_now, .accept = accept_deploy};
	struct deliveries_options all = o;

	scratch_make();
	(void)str_copy(secret_path, sizeof(secret_path), scratch_path("secret"));
	scratch_write("secret", SECRET "\n", sizeof(SECRET));
	ck_assert_int_eq(chmod(secret_path, 0600), 0);
	memset(apps, 0, sizeof(apps));
	apps[0] = (struct deploy_app){.name = "closed"};
	apps[1] = (struct deploy_app){.name = "shop",
		.branch = "main",
		.options = json_pack("{s:s}", "image", "registry:5000/me/shop:stable"),
		.webhook = {.provider = &provider_github, .secret_files = {secret_path, NULL}}};
	config.n_apps = 2;
	ck_assert_int_eq(loop_new(&loop, &e), 0);
	ck_assert_int_ge(db_open(":memory:", schema, 1, &db, &e), 0);
	problems = problems_new(NULL, NULL);
	all.loop = loop;
	all.db = db;
	all.problems = problems;
	ck_assert_int_eq(deliveries_new(&all, &deliveries, &e), 0);
	n_seen = n_accepted = 0;
	accept_result = 0;
}

static void teardown(void)
{
	deliveries_free(deliveries);
	for (size_t i = 0; i < n_seen; i++)
		free(seen[i].deploys);
	deploy_free(accepted);
	accepted = NULL;
	json_decref(apps[1].options);
	problems_free(problems);
	db_close(db);
	loop_free(loop);
	scratch_remove();
}

static void on_done(void *user, int r, const struct err *why, const json_t *deploys)
{
	ck_assert_uint_lt(n_seen, SEEN_MAX);
	seen[n_seen].name = *(const char *)user;
	seen[n_seen].r = r;
	(void)str_copy(seen[n_seen].why, sizeof(seen[n_seen].why), why->msg);
	seen[n_seen++].deploys = deploys ? json_dumps(deploys, JSON_COMPACT) : NULL;
}

static int body_of(size_t size)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, BODY, strlen(BODY)), (ssize_t)strlen(BODY));
	if (size > strlen(BODY))
		ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static json_t *push(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "kind", "push", "ref", "refs/heads/main",
		"commit", SHA, "actor", "octocat", "id", "72d3162e", "files_known", 0);
}

/* `changes` is taken over. */
static json_t *request(const char *app, const char *secret, json_t *changes)
{
	char hex[HASH_SHA256_HEX_SIZE];

	hash_hmac_sha256_hex(hex, secret, strlen(secret), BODY, strlen(BODY));
	return json_pack("{s:s, s:{s:s, s:s}, s:s, s:s, s:o}", "app", app, "proof", "kind",
		"hmac-sha256", "value", hex, "event", "push", "peer", "192.0.2.1", "changes",
		changes);
}

/* Takes the request over. The result of deliveries_take(). */
static int take_sized(const char *name, json_t *j, size_t size)
{
	int r = deliveries_take(deliveries, j, body_of(size), on_done, (void *)(uintptr_t)name, &e);

	json_decref(j);
	return r;
}

static void take(json_t *j)
{
	size_t before = n_seen;

	ck_assert_int_eq(take_sized("a", j, 0), 0);
	ck_assert_uint_eq(n_seen, before);
	TURN_UNTIL(loop, n_seen == before + 1);
}

static void expect_refused(const char *app, unsigned status, const char *why)
{
	json_t *list, *one;

	ck_assert_int_eq(deliveries_refused(deliveries, 10, &list, &e), 0);
	one = json_array_get(list, 0);
	ck_assert_str_eq(json_string_value(json_object_get(one, "app")), app);
	ck_assert_str_eq(json_string_value(json_object_get(one, "peer")), "192.0.2.1");
	ck_assert_int_eq(json_integer_value(json_object_get(one, "status")), status);
	ck_assert_msg(strstr(json_string_value(json_object_get(one, "why")), why), "%s",
		json_string_value(json_object_get(one, "why")));
	json_decref(list);
}

START_TEST(a_genuine_one_becomes_a_deploy)
{
	take(request("shop", SECRET, json_pack("[o]", push())));
	ck_assert_int_eq(seen[0].r, 0);
	ck_assert_str_eq(seen[0].deploys, "[{\"ref\":\"refs/heads/main\",\"deploy\":7,\"outcome\":"
					  "\"queued\",\"superseded\":3}]");
	ck_assert_str_eq(accepted->app, "shop");
	ck_assert_str_eq(accepted->trigger, "webhook");
	ck_assert_str_eq(accepted->provider, "github");
	ck_assert_str_eq(accepted->by, "octocat");
	ck_assert_str_eq(accepted->delivery, "72d3162e");
	ck_assert_str_eq(accepted->commit, SHA);
	/* Git is asked which files it changes. */
	ck_assert(json_is_false(json_object_get(accepted->document, "files_known")));
}
END_TEST

START_TEST(each_change_has_its_outcome)
{
	json_t *tag = push();

	(void)json_object_set_new(tag, "kind", json_string("tag"));
	(void)json_object_set_new(tag, "ref", json_string("refs/tags/v1"));
	accept_result = 1;
	take(request("shop", SECRET, json_pack("[o, o]", push(), tag)));
	ck_assert_str_eq(seen[0].deploys,
		"[{\"ref\":\"refs/heads/main\",\"deploy\":7,\"outcome\":\"duplicate\","
		"\"superseded\":3},{\"ref\":\"refs/tags/v1\",\"deploy\":7,\"outcome\":"
		"\"duplicate\",\"superseded\":3}]");
	ck_assert_uint_eq(n_accepted, 2);
}
END_TEST

static const struct {
	int result;
	const char *outcome;
	unsigned status;
} failures[] = {{-EAGAIN, "full", 429}, {-EINVAL, "refused", 400}, {-EIO, "failed", 503}};

START_TEST(what_cannot_be_queued_is_said_and_noted)
{
	char want[200];

	accept_result = failures[_i].result;
	take(request("shop", SECRET, json_pack("[o]", push())));
	(void)snprintf(want, sizeof(want),
		"[{\"ref\":\"refs/heads/main\",\"outcome\":\"%s\",\"why\":\"no more of them\"}]",
		failures[_i].outcome);
	ck_assert_int_eq(seen[0].r, 0);
	ck_assert_str_eq(seen[0].deploys, want);
	expect_refused("shop", failures[_i].status, "no more of them");
}
END_TEST

/* The same for all of them, so that nobody learns which apps there are. */
START_TEST(without_a_proof_all_look_the_same)
{
	static const char *const names[] = {"shop", "closed", "nosuch", ""};

	for (size_t i = 0; i < 4; i++) {
		take(request(names[i], "wrong", json_pack("[o]", push())));
		ck_assert_int_eq(seen[i].r, -EACCES);
		ck_assert_str_eq(seen[i].why, "the delivery could not be verified");
		ck_assert_ptr_null(seen[i].deploys);
	}
	/* Even of what is not there with a secret that would be right elsewhere. */
	take(request("nosuch", SECRET, json_pack("[o]", push())));
	ck_assert_int_eq(seen[4].r, -EACCES);
	ck_assert_uint_eq(n_accepted, 0);
	expect_refused("nosuch", 401, "no app of that name");
}
END_TEST

START_TEST(without_a_signature_it_is_refused_at_once)
{
	json_t *j = request("shop", SECRET, json_array());

	(void)json_object_set_new(j, "proof", json_pack("{s:s}", "kind", "none"));
	ck_assert_int_eq(take_sized("a", j, 0), -EACCES);
	ck_assert_str_eq(e.msg, "the delivery could not be verified");
	expect_refused("shop", 401, "there is no signature");
	turn_idle(loop);
	ck_assert_uint_eq(n_seen, 0);
}
END_TEST

START_TEST(a_request_that_is_none_is_refused)
{
	json_t *j = request("shop", SECRET, json_array());
	int before = count_descriptors(), pipes[2];

	ck_assert_int_eq(deliveries_take(deliveries, j, -1, on_done, NULL, &e), -EBADMSG);
	ck_assert_int_eq(pipe(pipes), 0); /* one would wait for it */
	ck_assert_int_eq(deliveries_take(deliveries, j, pipes[0], on_done, NULL, &e), -EBADMSG);
	ck_assert_int_eq(close(pipes[1]), 0);
	(void)json_object_set_new(j, "proof", json_string("yes"));
	ck_assert_int_eq(take_sized("a", j, 0), -EBADMSG);
	take(request("shop", SECRET, json_pack("[{s:s}]", "kind", "ping")));
	ck_assert_int_eq(seen[0].r, -EBADMSG);
	ck_assert_uint_eq(n_accepted, 0);
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(without_changes_only_the_proof_is_checked)
{
	take(request("shop", SECRET, json_array()));
	ck_assert_int_eq(seen[0].r, 0);
	ck_assert_str_eq(seen[0].deploys, "[]");
	ck_assert_uint_eq(n_accepted, 0);
}
END_TEST

START_TEST(what_the_web_process_could_not_read_is_noted_of_a_genuine_one_alone)
{
	json_t *j = request("shop", SECRET, json_array());
	json_t *bad = request("shop", "wrong", json_array());

	(void)json_object_set_new(bad, "status", json_integer(400));
	(void)json_object_set_new(bad, "why", json_string("it is not JSON"));
	(void)json_object_set_new(j, "status", json_integer(400));
	(void)json_object_set_new(j, "why", json_string("it is not JSON"));
	take(bad);
	ck_assert_int_eq(seen[0].r, -EACCES);
	expect_refused("shop", 401, "the signature is wrong");
	take(j);
	ck_assert_int_eq(seen[1].r, 0);
	expect_refused("shop", 400, "it is not JSON");
}
END_TEST

START_TEST(a_push_that_names_no_branch_is_of_the_one_that_is_deployed)
{
	take(request("shop", SECRET, json_pack("[{s:s}]", "kind", "push")));
	ck_assert_str_eq(accepted->ref, "refs/heads/main");
	ck_assert_str_eq(accepted->by, "github"); /* nobody said who */
}
END_TEST

START_TEST(of_an_image_only_the_tag_counts)
{
	json_t *j =
		json_pack("{s:s, s:s, s:s}", "kind", "image", "ref", "v2", "repository", "Me/shop");
	json_t *other = json_copy(j), *mirrored = json_copy(j);

	(void)json_object_set_new(other, "repository", json_string("tame/shop"));
	(void)json_object_set_new(mirrored, "repository", json_string("shop"));
	take(request("shop", SECRET, json_pack("[o]", j)));
	ck_assert_str_eq(accepted->new.image, "registry:5000/me/shop:v2");
	ck_assert_str_eq(accepted->ref, "");
	take(request("shop", SECRET, json_pack("[o, o]", mirrored, other)));
	ck_assert_ptr_nonnull(strstr(seen[1].deploys, "\"outcome\":\"skipped\""));
	ck_assert_uint_eq(n_accepted, 2);
}
END_TEST

START_TEST(an_app_that_goes_while_it_is_checked_is_unknown)
{
	ck_assert_int_eq(take_sized("a", request("shop", SECRET, json_pack("[o]", push())), 0), 0);
	config.n_apps = 1;
	TURN_UNTIL(loop, n_seen == 1);
	ck_assert_int_eq(seen[0].r, -EACCES);
	ck_assert_uint_eq(n_accepted, 0);
}
END_TEST

START_TEST(a_secret_that_cannot_be_read_opens_nothing)
{
	ck_assert_int_eq(chmod(secret_path, 0644), 0);
	take(request("shop", SECRET, json_pack("[o]", push())));
	ck_assert_int_eq(seen[0].r, -EACCES);
	ck_assert_uint_eq(problems_count(problems), 1);
	ck_assert_ptr_nonnull(strstr(problems_at(problems, 0)->text, secret_path));
	ck_assert_ptr_null(strstr(problems_at(problems, 0)->text, "Everybody"));
	ck_assert_int_eq(chmod(secret_path, 0600), 0);
	take(request("shop", SECRET, json_pack("[o]", push())));
	ck_assert_int_eq(seen[1].r, 0);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

/* One slice each in turn: who brings little does not wait for who brings much. */
START_TEST(a_small_one_does_not_wait_for_large_ones)
{
	const size_t large = 8 * VERIFY_SLICE_BYTES;

	ck_assert_int_eq(take_sized("L", request("shop", SECRET, json_array()), large), 0);
	ck_assert_int_eq(take_sized("M", request("shop", SECRET, json_array()), large), 0);
	ck_assert_int_eq(take_sized("s", request("shop", SECRET, json_array()), 0), 0);
	ck_assert_int_eq(loop_turn(loop, 0, NULL), 0);
	ck_assert_uint_eq(n_seen, 0);
	TURN_UNTIL(loop, n_seen == 3);
	ck_assert_int_eq(seen[0].name, 's');
	ck_assert_int_eq(seen[1].name, 'L');
	ck_assert_int_eq(seen[0].r, 0);
	ck_assert_int_eq(seen[1].r, -EACCES); /* the rest of its body was not signed */
}
END_TEST

START_TEST(so_many_at_once_and_no_more)
{
	for (int i = 0; i < DELIVERIES_AT_ONCE; i++)
		ck_assert_int_eq(take_sized("a", request("shop", SECRET, json_array()), 0), 0);
	ck_assert_int_eq(take_sized("b", request("shop", SECRET, json_array()), 0), -EAGAIN);
	TURN_UNTIL(loop, n_seen == DELIVERIES_AT_ONCE);
	take(request("shop", SECRET, json_array()));
}
END_TEST

START_TEST(those_under_way_at_the_end_leave_nothing)
{
	int before = count_descriptors();

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(take_sized("a", request("shop", SECRET, json_array()), 0), 0);
	deliveries_free(deliveries);
	deliveries = NULL;
	ck_assert_int_eq(count_descriptors(), before);
	turn_idle(loop);
	ck_assert_uint_eq(n_seen, 0);
}
END_TEST

START_TEST(the_web_process_is_told_what_it_needs)
{
	static const char *const branches[] = {"main", "release/*"};
	json_t *target, *want;

	apps[1].webhook.filter =
		(struct filter){.branches = branches, .n_branches = 2, .skip_ci = true};
	ck_assert_int_eq(deliveries_target(deliveries, "shop", &target, &e), 0);
	want = json_pack("{s:s, s:[s,s], s:[], s:[], s:b, s:s}", "provider", "github", "branches",
		"main", "release/*", "tags", "paths", "skip_ci", 1, "branch", "main");
	ck_assert(json_equal(target, want));
	json_decref(target);
	json_decref(want);
	ck_assert_int_eq(deliveries_target(deliveries, "closed", &target, &e), -ENOENT);
	ck_assert_int_eq(deliveries_target(deliveries, "nosuch", &target, &e), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deliveries");
	TCase *tc = tcase_create("deliveries");
	SRunner *runner = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_genuine_one_becomes_a_deploy);
	tcase_add_test(tc, each_change_has_its_outcome);
	tcase_add_loop_test(tc, what_cannot_be_queued_is_said_and_noted, 0, 3);
	tcase_add_test(tc, without_a_proof_all_look_the_same);
	tcase_add_test(tc, without_a_signature_it_is_refused_at_once);
	tcase_add_test(tc, a_request_that_is_none_is_refused);
	tcase_add_test(tc, without_changes_only_the_proof_is_checked);
	tcase_add_test(tc, what_the_web_process_could_not_read_is_noted_of_a_genuine_one_alone);
	tcase_add_test(tc, a_push_that_names_no_branch_is_of_the_one_that_is_deployed);
	tcase_add_test(tc, of_an_image_only_the_tag_counts);
	tcase_add_test(tc, an_app_that_goes_while_it_is_checked_is_unknown);
	tcase_add_test(tc, a_secret_that_cannot_be_read_opens_nothing);
	tcase_add_test(tc, a_small_one_does_not_wait_for_large_ones);
	tcase_add_test(tc, so_many_at_once_and_no_more);
	tcase_add_test(tc, those_under_way_at_the_end_leave_nothing);
	tcase_add_test(tc, the_web_process_is_told_what_it_needs);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
