/* SPDX-License-Identifier: Apache-2.0
 *
 * What `agent deploy check` finds: a row for each stage, and what would only be noticed in the middle of a deploy.
 */
#include "agent/deploy_check.h"

#include "agent/deploy_env.h"
#include "agent/json_view.h"
#include "base/fs.h"
#include "tests/unit/config_case.h"

static struct deploy_config *built;
static json_t *rows;
static struct err e;
static const char *programs; /* of the server, by spaces */

static void begin(void)
{
	setup();
	programs = "docker git curl nginx";
}

static void done(void)
{
	json_decref(rows);
	rows = NULL;
	deploy_config_free(built);
	built = NULL;
	teardown();
}

/* An executable script in the scratch folder. */
static void script(const char *folder, const char *name, mode_t mode)
{
	_cleanup_(free_p) char *path = str_format("%s/%s", folder, name);
	_cleanup_(free_p) char *parent = str_format("%s/%s", scratch, path);

	*strrchr(parent, '/') = '\0';
	ck_assert_int_eq(fs_mkdirs(parent, 0755, NULL), 0);
	scratch_write(path, "#!/bin/sh\n", 10);
	ck_assert_int_eq(chmod(scratch_path(path), mode), 0);
}

static void install_programs(void)
{
	_cleanup_(free_p) char *list = str_dup(programs);

	for (char *p = list, *word; *p;) {
		word = p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = '\0';
		script("bin", word, 0755);
	}
}

static void check(const char *block)
{
	static const char *const shipped[] = {"fetch/git", "build/dockerfile", "build/image",
		"build/nix", "start/docker", "stop/docker", "retire/docker", "route/none",
		"route/nginx", "probe/tcp", "probe/http", "push/registry", "start/systemd",
		"stop/systemd", "retire/systemd"};
	char text[1024], bin[200], etc[200], ship[200];
	struct deploy_check c = {.hooks_dir = etc,
		.shipped_hooks = ship,
		.state_dir = scratch,
		.path = bin,
		.root = scratch};

	for (size_t i = 0; i < ARRAY_LEN(shipped); i++)
		script("shipped", shipped[i], 0755);
	install_programs();
	(void)snprintf(etc, sizeof(etc), "%s/etc", scratch);
	(void)snprintf(ship, sizeof(ship), "%s/shipped", scratch);
	(void)snprintf(bin, sizeof(bin), "/nowhere:%s/bin", scratch);
	(void)snprintf(text, sizeof(text), "apps = { shop = { %s } }", block);
	good(text);
	deploy_config_free(built);
	built = NULL;
	ck_assert_int_eq(deploy_config_new(config, &built, &mistakes), 0);
	c.app = deploy_config_app(built, "shop");
	json_decref(rows);
	rows = NULL;
	ck_assert_msg(deploy_check(&c, &rows, &e) == 0, "%s", e.msg);
}

/* The n-th row of a stage. */
static const json_t *row(const char *stage, size_t n)
{
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i,
		r) if (strcmp(json_view_text(r, "stage"), stage) == 0 && n-- == 0) return r;
	ck_abort_msg("there is no such row of %s", stage);
}

static const char *problem(const char *stage)
{
	return json_view_text(row(stage, 0), "problem");
}

static const char *note(const char *stage)
{
	return json_view_text(row(stage, 0), "note");
}

#define SOURCE "source = \"/srv/shop.git\""

START_TEST(each_stage_has_the_file_that_serves_it)
{
	const json_t *r;
	size_t i;

	check(SOURCE);
	json_array_foreach(rows, i, r) ck_assert_msg(json_is_null(json_object_get(r, "problem")),
		"%s: %s", json_view_text(r, "stage"), json_view_text(r, "problem"));
	r = row("build", 0);
	ck_assert_str_eq(json_view_text(r, "role"), "driver");
	ck_assert_str_eq(json_view_text(r, "name"), "dockerfile");
	ck_assert_str_eq(json_view_text(r, "path"), scratch_path("shipped/build/dockerfile"));
	ck_assert(json_is_false(json_object_get(r, "override")));
	r = row("push", 0);
	ck_assert(json_is_null(json_object_get(r, "name")));
	ck_assert(json_is_null(json_object_get(r, "path")));
}
END_TEST

START_TEST(a_hook_of_your_own_wins_and_is_not_asked_what_it_needs)
{
	programs = "git curl";
	script("etc", "build/dockerfile", 0755);
	check(SOURCE);
	ck_assert_str_eq(
		json_view_text(row("build", 0), "path"), scratch_path("etc/build/dockerfile"));
	ck_assert(json_is_true(json_object_get(row("build", 0), "override")));
	ck_assert_str_eq(problem("build"), "");
	ck_assert_str_eq(problem("start"), "docker is not installed, and this hook needs it");
}
END_TEST

START_TEST(one_that_cannot_be_run_is_told_with_its_cure)
{
	script("etc", "build/dockerfile", 0644);
	check(SOURCE);
	ck_assert_msg(strstr(problem("build"), "is not executable: chmod +x") != NULL, "%s",
		problem("build"));
}
END_TEST

START_TEST(one_that_is_nowhere_is_told_with_those_there_are)
{
	script("etc", "build/make", 0755);
	check(SOURCE ", build = \"mkae\"");
	ck_assert_msg(str_starts(problem("build"), "there is no hook build/mkae in "), "%s",
		problem("build"));
	ck_assert_msg(str_ends(problem("build"), "; there are dockerfile, image, make, nix"), "%s",
		problem("build"));
	ck_assert(json_is_null(json_object_get(row("build", 0), "path")));
}
END_TEST

START_TEST(gates_and_observers_have_a_row_for_each_file)
{
	script("etc", "pre-build/10-lint", 0755);
	script("etc", "pre-build/20-size", 0600);
	script("etc", "on-failure/tell", 0755);
	check(SOURCE);
	ck_assert_str_eq(json_view_text(row("pre-build", 0), "name"), "10-lint");
	ck_assert_str_eq(json_view_text(row("pre-build", 0), "role"), "gate");
	ck_assert_str_eq(problem("pre-build"), "");
	ck_assert(strstr(json_view_text(row("pre-build", 1), "problem"), "chmod +x") != NULL);
	ck_assert_str_eq(json_view_text(row("on-failure", 0), "role"), "observer");
}
END_TEST

START_TEST(one_of_two_programs_is_enough)
{
	programs = "git ss systemctl curl nix";
	check(SOURCE ", build = \"nix\", swap = \"systemd\"");
	ck_assert_str_eq(problem("build"), "");
	ck_assert_int_eq(unlink(scratch_path("bin/nix")), 0);
	programs = "git";
	check(SOURCE ", build = \"nix\", swap = \"systemd\"");
	ck_assert_str_eq(
		problem("build"), "nix-build or nix is not installed, and this hook needs it");
}
END_TEST

START_TEST(what_can_be_deployed_but_may_not_be_meant_is_a_note)
{
	check(SOURCE ", domain = \"shop.example.com\"");
	ck_assert_msg(strstr(note("route"), "nobody leads shop.example.com to the app") != NULL,
		"%s", note("route"));
	ck_assert_str_eq(problem("route"), "");
	check(SOURCE ", domain = \"shop.example.com\", route = \"nginx\"");
	ck_assert_str_eq(note("route"), "");
	check(SOURCE ", volumes = \"a:/b\"");
	ck_assert_msg(strstr(note("start"), "away for a moment") != NULL, "%s", note("start"));
	check("build = \"image\"");
	ck_assert_msg(strstr(note("build"), "only `agent deploy image shop IMAGE`") != NULL, "%s",
		note("build"));
	ck_assert_str_eq(problem("build"), "");
	check("source = \"https://github.com/me/shop\", status_token_file = \"env:TOKEN\"");
	ck_assert_str_eq(note("fetch"), "");
	check("source = \"https://git.example.com/me/shop\", status_token_file = \"env:TOKEN\"");
	ck_assert_msg(strstr(note("fetch"),
			      "the git host is not told of deploys: git.example.com") != NULL,
		"%s", note("fetch"));
}
END_TEST

START_TEST(systemd_needs_a_template_of_yours)
{
	programs = "git curl nix systemctl ss";
	check(SOURCE ", build = \"nix\", swap = \"systemd\"");
	ck_assert_str_eq(problem("start"),
		"there is no template unit shop@.service: make one in /etc/systemd/system");
	script("etc/systemd/system", "shop@.service", 0644);
	check(SOURCE ", build = \"nix\", swap = \"systemd\"");
	ck_assert_str_eq(problem("start"), "");
	check(SOURCE ", build = \"nix\", swap = \"systemd\", unit = \"web\"");
	ck_assert(str_starts(problem("start"), "there is no template unit web@.service"));
}
END_TEST

START_TEST(secrets_that_are_missing)
{
	_cleanup_(deploy_env_done) struct deploy_env env = {NULL, 0};

	check(SOURCE ", build_secrets = [\"A\", \"B\"]");
	ck_assert_str_eq(problem("build"),
		"A of build_secrets is not set: agent deploy env shop set A; B of build_secrets is "
		"not set: agent deploy env shop set B");
	ck_assert_int_eq(deploy_env_set(&env, "A", "1", &e), 0);
	ck_assert_int_eq(deploy_env_set(&env, "B", "2", &e), 0);
	ck_assert_int_eq(deploy_env_store(scratch, "shop", &env, &e), 0);
	check(SOURCE ", build_secrets = [\"A\", \"B\"]");
	ck_assert_str_eq(problem("build"), "");
	ck_assert_int_eq(chmod(scratch_path("deploys/shop/env"), 0644), 0);
	check(SOURCE);
	ck_assert_msg(strstr(problem("build"), "chmod") != NULL, "%s", problem("build"));
}
END_TEST

START_TEST(an_app_without_a_source_needs_a_repository)
{
	check("");
	ck_assert_msg(str_ends(problem("fetch"), "agent deploy repo shop"), "%s", problem("fetch"));
	ck_assert_int_eq(fs_mkdirs(scratch_path("repos/shop.git"), 0700, NULL), 0);
	check("");
	ck_assert_str_eq(problem("fetch"), "");
	check("build = \"image\"");
	ck_assert_str_eq(problem("fetch"), "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_check");
	TCase *tc = tcase_create("deploy_check");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, begin, done);
	tcase_add_test(tc, each_stage_has_the_file_that_serves_it);
	tcase_add_test(tc, a_hook_of_your_own_wins_and_is_not_asked_what_it_needs);
	tcase_add_test(tc, one_that_cannot_be_run_is_told_with_its_cure);
	tcase_add_test(tc, one_that_is_nowhere_is_told_with_those_there_are);
	tcase_add_test(tc, gates_and_observers_have_a_row_for_each_file);
	tcase_add_test(tc, one_of_two_programs_is_enough);
	tcase_add_test(tc, what_can_be_deployed_but_may_not_be_meant_is_a_note);
	tcase_add_test(tc, systemd_needs_a_template_of_yours);
	tcase_add_test(tc, secrets_that_are_missing);
	tcase_add_test(tc, an_app_without_a_source_needs_a_repository);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
