/* SPDX-License-Identifier: Apache-2.0
 *
 * Of all secrets of an app a hook gets those its stage needs, and no others.
 */
#include "agent/deploy_secrets.h"

#include <sys/stat.h>

#include "agent/deploy_env.h"
#include "tests/unit/config_case.h"

static struct deploy_config *built;
static struct deploy_secrets secrets;
static struct err e;

static void done(void)
{
	deploy_secrets_done(&secrets);
	deploy_config_free(built);
	built = NULL;
	teardown();
}

/* Everything an app can have. `more` are further options. */
static const struct deploy_app *app(const char *more)
{
	char text[2048];

	write_file("key", "-----BEGIN KEY-----\nabc\n-----END KEY-----\n");
	write_file("token", "ghp_0123456789\n");
	write_file("password", "swordfish-123\n");
	(void)snprintf(text, sizeof(text),
		"apps = { shop = { deploy_key_file = \"%s\", git_token_file = \"%s\", git_user = "
		"\"bot\", registry = \"r.example.com\", registry_user = \"me\", "
		"registry_password_file = \"%s\", %s } }",
		scratch_path("key"), scratch_path("token"), scratch_path("password"), more);
	good(text);
	deploy_config_free(built);
	built = NULL;
	ck_assert_int_eq(deploy_config_new(config, &built, &mistakes), 0);
	return deploy_config_app(built, "shop");
}

static void set(const char *name, const char *value)
{
	_cleanup_(deploy_env_done) struct deploy_env env = {NULL, 0};

	ck_assert_int_eq(deploy_env_load(scratch, "shop", &env, &e), 0);
	ck_assert_int_eq(deploy_env_set(&env, name, value, &e), 0);
	ck_assert_int_eq(deploy_env_store(scratch, "shop", &env, &e), 0);
}

/* Their names with a space between. */
static const char *names(const struct deploy_app *a, const char *stage)
{
	static char text[300];

	deploy_secrets_done(&secrets);
	ck_assert_msg(deploy_secrets_load(a, scratch, stage, &secrets, &e) == 0, "%s", e.msg);
	*text = '\0';
	for (size_t i = 0; i < secrets.n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			i ? " " : "", secrets.list[i].name);
	return text;
}

static const char *value(const char *name)
{
	for (size_t i = 0; i < secrets.n; i++)
		if (strcmp(secrets.list[i].name, name) == 0)
			return secrets.list[i].value;
	return "(none)";
}

static const struct {
	const char *more, *stage, *names;
} stages[] = {
	{"", "fetch", "deploy-key git-token git-user"},
	{"", "build", ""},
	{"build_secrets = [\"NPM_TOKEN\"]", "build", "build-NPM_TOKEN"},
	{"build = \"compose\", swap = \"compose\", service = \"web\"", "build", "env"},
	{"build = \"image\"", "build", "registry-user registry-password"},
	{"build = \"make\", build_secrets = [\"NPM_TOKEN\"]", "build",
		"build-NPM_TOKEN registry-user registry-password"},
	{"", "push", "registry-user registry-password"},
	{"", "release", "env"},
	{"", "start", "env"},
	{"", "stop", ""},
	{"", "retire", ""},
	{"", "probe", ""},
	{"", "route", ""},
	{"", "pre-build", ""},
	{"", "on-failure", ""},
};

START_TEST(each_stage_gets_its_own)
{
	const struct deploy_app *a = app(stages[_i].more);

	set("NPM_TOKEN", "npm_abcdef");
	set("DATABASE_URL", "postgres://x");
	ck_assert_str_eq(names(a, stages[_i].stage), stages[_i].names);
}
END_TEST

START_TEST(they_are_what_the_files_have)
{
	const struct deploy_app *a = app("build_secrets = [\"NPM_TOKEN\"]");

	set("NPM_TOKEN", "npm_abcdef");
	set("A", "1");
	(void)names(a, "fetch");
	ck_assert_str_eq(value("deploy-key"), "-----BEGIN KEY-----\nabc\n-----END KEY-----");
	ck_assert_str_eq(value("git-token"), "ghp_0123456789");
	ck_assert_str_eq(value("git-user"), "bot");
	(void)names(a, "push");
	ck_assert_str_eq(value("registry-user"), "me");
	ck_assert_str_eq(value("registry-password"), "swordfish-123");
	(void)names(a, "start");
	ck_assert_str_eq(value("env"), "A=1\nNPM_TOKEN=npm_abcdef\n");
	(void)names(a, "build");
	ck_assert_str_eq(value("build-NPM_TOKEN"), "npm_abcdef");
}
END_TEST

START_TEST(without_variables_there_is_no_file_of_them)
{
	ck_assert_str_eq(names(app(""), "start"), "");
}
END_TEST

START_TEST(what_is_missing_is_named_with_its_cure)
{
	const struct deploy_app *a = app("build_secrets = [\"NPM_TOKEN\"]");

	ck_assert_int_eq(deploy_secrets_load(a, scratch, "build", &secrets, &e), -ENOENT);
	ck_assert_str_eq(
		e.msg, "build_secrets: NPM_TOKEN is not set: agent deploy env shop set NPM_TOKEN");
	ck_assert_int_eq(unlink(scratch_path("token")), 0);
	ck_assert_int_eq(deploy_secrets_load(a, scratch, "fetch", &secrets, &e), -ENOENT);
	ck_assert(str_starts(e.msg, "git_token_file: "));
	ck_assert_uint_eq(secrets.n, 0);
	write_file("token", "ghp_0123456789\n");
	ck_assert_int_eq(chmod(scratch_path("token"), 0644), 0);
	ck_assert_int_eq(deploy_secrets_load(a, scratch, "fetch", &secrets, &e), -EPERM);
	ck_assert(strstr(e.msg, "chmod") != NULL);
}
END_TEST

START_TEST(all_of_them_are_masked_in_the_log)
{
	_cleanup_(deploy_log_close_p) struct deploy_log *log = NULL;
	const struct deploy_app *a = app("");
	char text[4096] = "";
	FILE *f;

	set("DATABASE_URL", "postgres://u:hunter22@db/x");
	ck_assert_int_eq(deploy_log_open(scratch_path("1.log"), &log, &e), 0);
	deploy_secrets_hide(a, scratch, log);
	deploy_log_say(log, "build", "connecting to postgres://u:hunter22@db/x", 0);
	deploy_log_say(log, "build", "git said ghp_0123456789, docker swordfish-123", 0);
	f = fopen(scratch_path("1.log"), "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert(strstr(text, "connecting to") != NULL);
	ck_assert(strstr(text, "hunter22") == NULL);
	ck_assert(strstr(text, "ghp_") == NULL);
	ck_assert(strstr(text, "swordfish") == NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_secrets");
	TCase *tc = tcase_create("deploy_secrets");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, done);
	tcase_add_loop_test(tc, each_stage_gets_its_own, 0, (int)ARRAY_LEN(stages));
	tcase_add_test(tc, they_are_what_the_files_have);
	tcase_add_test(tc, without_variables_there_is_no_file_of_them);
	tcase_add_test(tc, what_is_missing_is_named_with_its_cure);
	tcase_add_test(tc, all_of_them_are_masked_in_the_log);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
