/* SPDX-License-Identifier: Apache-2.0
 *
 * Commit status: what is posted where, and that it never holds anything up.
 */
#include <errno.h>
#include <jansson.h>

#include "agent/deploy_status.h"
#include "base/str.h"
#include "deploy-hooks/deploy_stages.h"
#include "tests/unit/provider.h"
#include "tests/unit/scratch.h"
#include "tests/unit/turns.h"

#define SHA "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c"
#define TOKEN "ghp_0123456789abcdef"

static struct deploy *d;
static struct deploy_app app;
static struct err e;

static void setup(void)
{
	d = deploy_new("shop");
	d->id = 12;
	d->state = DEPLOY_BUILDING;
	d->started_ms = 1795237567000;
	str_copy(d->commit, sizeof(d->commit), SHA);
	app = (struct deploy_app){.name = "shop", .source = "https://github.com/me/shop.git"};
}

static void teardown(void)
{
	deploy_free(d);
}

static const struct {
	const char *source, *provider, *status_url, *url, *header;
} places[] = {
	{"https://github.com/me/shop.git", NULL, NULL,
		"https://api.github.com/repos/me/shop/statuses/" SHA, "Authorization: Bearer "},
	{"git@github.com:me/shop.git", "generic", NULL,
		"https://api.github.com/repos/me/shop/statuses/" SHA, "Authorization: Bearer "},
	{"https://user:pw@GitHub.com/me/shop/", NULL, NULL,
		"https://api.github.com/repos/me/shop/statuses/" SHA, "Authorization: Bearer "},
	{"https://git.corp.example/me/shop", "github", NULL,
		"https://git.corp.example/api/v3/repos/me/shop/statuses/" SHA,
		"Authorization: Bearer "},
	{"https://gitlab.com/group/sub.group/shop.git", NULL, NULL,
		"https://gitlab.com/api/v4/projects/group%2Fsub.group%2Fshop/statuses/" SHA,
		"PRIVATE-TOKEN: "},
	{"ssh://git@gitlab.example.com:2222/me/shop.git", NULL, NULL,
		"https://gitlab.example.com/api/v4/projects/me%2Fshop/statuses/" SHA,
		"PRIVATE-TOKEN: "},
	{"http://127.0.0.1:3000/me/shop.git", "gitea", NULL,
		"http://127.0.0.1:3000/api/v1/repos/me/shop/statuses/" SHA,
		"Authorization: token "},
	{"https://codeberg.org/me/shop.git", "forgejo", NULL,
		"https://codeberg.org/api/v1/repos/me/shop/statuses/" SHA, "Authorization: token "},
	{"https://example.com/git/me/shop.git", "gitlab", "https://example.com/git/api/v4/",
		"https://example.com/git/api/v4/projects/git%2Fme%2Fshop/statuses/" SHA,
		"PRIVATE-TOKEN: "},
	{"git@git.example.com:me/shop.git", "forgejo", "https://code.example.com/api/v1",
		"https://code.example.com/api/v1/repos/me/shop/statuses/" SHA,
		"Authorization: token "},
	{"https://github.com/me/sh%op?x=1", NULL, NULL,
		"https://api.github.com/repos/me/sh%25op/statuses/" SHA, "Authorization: Bearer "},
};

START_TEST(the_source_says_where_it_is_posted)
{
	struct deploy_status_call c;

	app.source = places[_i].source;
	app.status_url = places[_i].status_url;
	app.webhook.provider = places[_i].provider ? provider_find(places[_i].provider) : NULL;
	ck_assert_msg(deploy_status_call(d, &app, "", &c, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(buf_str(&c.url), places[_i].url);
	ck_assert_str_eq(c.header, places[_i].header);
	ck_assert_int_eq(deploy_status_check(&app, &e), 0);
	deploy_status_call_done(&c);
}
END_TEST

START_TEST(other_sources_have_no_statuses)
{
	static const char *const sources[] = {"/srv/git/shop.git", "shop",
		"https://github.com/shop", "https://github.com/me/shop/extra",
		"https://github.com/../shop", "file:///srv/me/shop", "https://gi thub.com/me/shop",
		"https:///me/shop", "https://bitbucket.org/me/shop",
		"https://git.example.com/me/shop", "git@host\n:me/shop", "https://gitlab.com/a//b",
		""};
	struct deploy_status_call c;

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		app.source = sources[i];
		ck_assert_msg(deploy_status_call(d, &app, "", &c, &e) == -EINVAL, "%s", sources[i]);
		ck_assert_int_eq(deploy_status_check(&app, &e), -EINVAL);
	}
	app.source = NULL;
	ck_assert_int_eq(deploy_status_check(&app, &e), -EINVAL);
}
END_TEST

static const struct {
	enum deploy_state state;
	const char *github, *gitlab, *description; /* NULL: not told */
} states[] = {
	{DEPLOY_QUEUED, NULL, NULL, NULL},
	{DEPLOY_FETCHING, "pending", "running", "Deploy 12 is under way"},
	{DEPLOY_RETURNING, "pending", "running", "Deploy 12 is under way"},
	{DEPLOY_DONE, "success", "success", "Deploy 12 is done, it took 36 s"},
	{DEPLOY_SKIPPED, "success", "success", "Deploy 12: there was nothing to do"},
	{DEPLOY_FAILED, "failure", "failed", "Deploy 12 failed in build"},
	{DEPLOY_ROLLED_BACK, "failure", "failed",
		"Deploy 12 failed in build, the old version serves"},
	{DEPLOY_BROKEN, "failure", "failed", "Deploy 12 failed in build, and so did the way back"},
	{DEPLOY_CANCELLED, "error", "canceled", "Deploy 12 was cancelled"},
	{DEPLOY_SUPERSEDED, NULL, NULL, NULL},
};

static void check_body(const char *state, const char *name_key, const char *description)
{
	struct deploy_status_call c;
	json_t *j;

	ck_assert_int_eq(deploy_status_call(d, &app, "https://vps1.example:4500", &c, &e), 0);
	j = json_loads(buf_str(&c.body), 0, NULL);
	ck_assert_ptr_nonnull(j);
	ck_assert_uint_eq(json_object_size(j), 4);
	ck_assert_str_eq(json_string_value(json_object_get(j, "state")), state);
	ck_assert_str_eq(json_string_value(json_object_get(j, name_key)), "deploy/shop");
	ck_assert_str_eq(json_string_value(json_object_get(j, "description")), description);
	ck_assert_str_eq(json_string_value(json_object_get(j, "target_url")),
		"https://vps1.example:4500/#/deploys");
	json_decref(j);
	deploy_status_call_done(&c);
}

/* Why it failed is not for everybody who can see the commit. */
START_TEST(each_state_is_told_in_the_words_of_the_host)
{
	struct deploy_status_call c;

	deploy_stages_begin(d, "build", "apply", d->started_ms);
	if (states[_i].state > DEPLOY_SKIPPED || states[_i].state == DEPLOY_FAILED ||
		states[_i].state == DEPLOY_ROLLED_BACK || states[_i].state == DEPLOY_BROKEN)
		deploy_stages_end(d, "failed", d->started_ms + 100);
	str_copy(d->error, sizeof(d->error), "password hunter2 was refused");
	d->state = states[_i].state;
	d->ended_ms = d->started_ms + 36000;
	if (!states[_i].github) {
		ck_assert_int_eq(deploy_status_call(d, &app, "", &c, &e), -ENOENT);
		return;
	}
	check_body(states[_i].github, "context", states[_i].description);
	app.source = "https://gitlab.com/me/shop";
	check_body(states[_i].gitlab, "name", states[_i].description);
	d->commit[0] = '\0';
	ck_assert_int_eq(deploy_status_call(d, &app, "", &c, &e), -ENOENT);
}
END_TEST

static struct loop *loop;
static struct http_client *http;
static struct problems *problems;
static struct deploy_statuses *statuses;
static char url[100];

static void begin(void)
{
	setup();
	scratch_make();
	scratch_write("token", TOKEN "\n", strlen(TOKEN) + 1);
	ck_assert_int_eq(chmod(scratch_path("token"), 0600), 0);
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(http_client_new(loop, &http, NULL), 0);
	provider_start(loop);
	problems = problems_new(NULL, NULL);
	statuses = deploy_statuses_new(loop, http, problems);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", provider.port);
	app.status_url = url;
	app.status_token_file = scratch_path("token");
	app.status_token_file = strdup(app.status_token_file);
}

static void end(void)
{
	deploy_statuses_free(statuses);
	provider_stop();
	http_client_free(http);
	problems_free(problems);
	loop_free(loop);
	free((char *)(uintptr_t)app.status_token_file);
	scratch_remove();
	teardown();
}

static void tell(enum deploy_state s)
{
	d->state = s;
	deploy_statuses_tell(statuses, d, &app, "");
}

static const char *problem_text(void)
{
	return problems_count(problems) ? problems_at(problems, 0)->text : "";
}

START_TEST(the_host_hears_of_the_start_and_of_the_end)
{
	tell(DEPLOY_QUEUED);
	tell(DEPLOY_FETCHING);
	TURN_UNTIL(loop, provider.n_got == 1);
	ck_assert_str_eq(provider.paths[0], "/repos/me/shop/statuses/" SHA);
	ck_assert_ptr_nonnull(strstr(provider.got[0], "\"state\":\"pending\""));
	ck_assert_ptr_nonnull(strstr(provider.head, "POST "));
	ck_assert_ptr_nonnull(strstr(provider.head, "Authorization: Bearer " TOKEN "\r\n"));
	ck_assert_ptr_nonnull(strstr(provider.head, "User-Agent: agent/"));
	ck_assert_ptr_nonnull(strstr(provider.head, "Content-Type: application/json\r\n"));
	tell(DEPLOY_BUILDING);
	tell(DEPLOY_WATCHING);
	tell(DEPLOY_DONE);
	TURN_UNTIL(loop, provider.n_got == 2);
	ck_assert_ptr_nonnull(strstr(provider.got[1], "\"state\":\"success\""));
	tell(DEPLOY_DONE);
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, 2);
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

/* A build that fails at once must not be shown as under way for ever. */
START_TEST(the_end_comes_last_however_fast_it_is)
{
	tell(DEPLOY_FETCHING);
	TURN_UNTIL(loop, provider.peers[0].fd >= 0);
	tell(DEPLOY_FAILED);
	TURN_UNTIL(loop, provider.n_got == 2);
	ck_assert_ptr_nonnull(strstr(provider.got[0], "pending"));
	ck_assert_ptr_nonnull(strstr(provider.got[1], "failure"));
}
END_TEST

START_TEST(a_host_that_is_down_for_a_moment_is_told_later)
{
	provider.status = 503;
	tell(DEPLOY_FETCHING);
	TURN_UNTIL(loop, provider.n_got == 1);
	provider.status = 201;
	TURN_UNTIL(loop, provider.n_got == 2);
	ck_assert_str_eq(provider.got[0], provider.got[1]);
	/* What waits for another attempt is old when there is something newer. */
	provider.status = PROVIDER_CUT;
	d->id = 13;
	tell(DEPLOY_FETCHING);
	TURN_UNTIL(loop, provider.n_got == 3);
	turn_idle(loop);
	provider.status = 201;
	tell(DEPLOY_DONE);
	TURN_UNTIL(loop, strstr(provider.got[provider.n_got - 1], "success") != NULL);
	turn_idle(loop);
	ck_assert_ptr_nonnull(strstr(provider.got[provider.n_got - 1], "success"));
}
END_TEST

static const struct {
	int status;
	const char *answer, *says;
} refusals[] = {
	{401, "{\"message\":\"Bad credentials\"}",
		"HTTP status 401, the token may not do that: Bad credentials"},
	{404, "{\"message\":\"Not Found\"}", "or there is none: Not Found"},
	{422, "{\"message\":\"No commit found for SHA\\n\"}", "HTTP status 422: No commit found"},
	{301, "<a href=x>" TOKEN, "the repository has moved"},
};

START_TEST(what_is_refused_is_a_problem_and_not_tried_again)
{
	provider.status = refusals[_i].status;
	provider.text = refusals[_i].answer;
	tell(DEPLOY_FETCHING);
	TURN_UNTIL(loop, problems_count(problems) == 1);
	ck_assert_msg(strstr(problem_text(), refusals[_i].says) != NULL, "%s", problem_text());
	ck_assert_ptr_null(strstr(problem_text(), TOKEN));
	ck_assert_uint_eq(provider.n_got, 1);
	provider.status = 201;
	tell(DEPLOY_DONE);
	TURN_UNTIL(loop, problems_count(problems) == 0);
	ck_assert_uint_eq(provider.n_got, 2);
}
END_TEST

START_TEST(gitlab_knows_it_already)
{
	app.source = "https://gitlab.com/me/shop";
	provider.status = 400;
	provider.text = "{\"message\":\"Cannot transition status via :run from :running\"}";
	tell(DEPLOY_FETCHING);
	TURN_UNTIL(loop, provider.n_got == 1);
	turn_idle(loop);
	ck_assert_ptr_nonnull(strstr(provider.head, "PRIVATE-TOKEN: " TOKEN "\r\n"));
	ck_assert_uint_eq(problems_count(problems), 0);
}
END_TEST

START_TEST(without_a_token_nothing_is_posted)
{
	const char *file = app.status_token_file;

	app.status_token_file = NULL;
	tell(DEPLOY_FETCHING);
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, 0);
	app.status_token_file = file;
	app.source = "/srv/git/shop.git";
	tell(DEPLOY_FETCHING);
	ck_assert_ptr_nonnull(strstr(problem_text(), "the source is not at a git host"));
	app.source = "https://github.com/me/shop";
	tell(DEPLOY_DONE);
	TURN_UNTIL(loop, provider.n_got == 1);
}
END_TEST

START_TEST(what_waits_is_bounded)
{
	for (int i = 1; i <= 3 * DEPLOY_STATUSES_MAX; i++) {
		d->id = i;
		tell(DEPLOY_FETCHING);
	}
	TURN_UNTIL(loop, provider.n_got == DEPLOY_STATUSES_MAX);
	ck_assert_int_eq(loop_turn(loop, 100, NULL), 0);
	turn_idle(loop);
	ck_assert_uint_eq(provider.n_got, DEPLOY_STATUSES_MAX);
	for (size_t i = 0; i < provider.n_got; i++)
		ck_assert_ptr_null(strstr(provider.got[i], "Deploy 1 "));
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(*(array)))

int main(void)
{
	Suite *s = suite_create("deploy_status");
	TCase *pure = tcase_create("call"), *tc = tcase_create("post");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(pure, setup, teardown);
	tcase_add_loop_test(pure, the_source_says_where_it_is_posted, 0, COUNT(places));
	tcase_add_test(pure, other_sources_have_no_statuses);
	tcase_add_loop_test(pure, each_state_is_told_in_the_words_of_the_host, 0, COUNT(states));
	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_host_hears_of_the_start_and_of_the_end);
	tcase_add_test(tc, the_end_comes_last_however_fast_it_is);
	tcase_add_test(tc, a_host_that_is_down_for_a_moment_is_told_later);
	tcase_add_loop_test(
		tc, what_is_refused_is_a_problem_and_not_tried_again, 0, COUNT(refusals));
	tcase_add_test(tc, gitlab_knows_it_already);
	tcase_add_test(tc, without_a_token_nothing_is_posted);
	tcase_add_test(tc, what_waits_is_bounded);
	suite_add_tcase(s, pure);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
