/* SPDX-License-Identifier: Apache-2.0
 *
 * What a hook is given.
 */
#include "deploy-hooks/hook.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/child.h"

static struct deploy *d;
static struct hook_call call;
static char **env;

static void make(void)
{
	d = deploy_new("shop");
	d->id = 42;
	d->attempt = 2;
	d->state = DEPLOY_BUILDING;
	call = (struct hook_call){.deploy = d,
		.stage = hook_stage_find("build"),
		.verb = "apply",
		.workdir = "/work",
		.output = "/run/x/output",
		.deadline_s = 1795230000};
	env = NULL;
}

static void drop(void)
{
	hook_env_free(env);
	deploy_free(d);
}

/* Its value; NULL: it is not there. */
static const char *value(const char *name)
{
	size_t n = strlen(name);

	if (!env)
		env = hook_env(&call);
	for (size_t i = 0; env[i]; i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=')
			return env[i] + n + 1;
	return NULL;
}

START_TEST(it_says_what_is_deployed)
{
	(void)snprintf(d->ref, sizeof(d->ref), "refs/heads/feature/ü");
	(void)snprintf(d->commit, sizeof(d->commit), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	(void)snprintf(d->trigger, sizeof(d->trigger), "webhook");
	(void)snprintf(d->new.image, sizeof(d->new.image), "shop:7");
	(void)snprintf(d->old.address, sizeof(d->old.address), "172.17.0.2:80");
	ck_assert_str_eq(value("DEPLOY_API"), "1");
	ck_assert_str_eq(value("DEPLOY_ID"), "42");
	ck_assert_str_eq(value("DEPLOY_APP"), "shop");
	ck_assert_str_eq(value("DEPLOY_STAGE"), "build");
	ck_assert_str_eq(value("DEPLOY_VERB"), "apply");
	ck_assert_str_eq(value("DEPLOY_ATTEMPT"), "2");
	ck_assert_str_eq(value("DEPLOY_TRIGGER"), "webhook");
	ck_assert_str_eq(value("DEPLOY_REF"), "refs/heads/feature/ü");
	ck_assert_str_eq(value("DEPLOY_REF_TYPE"), "branch");
	ck_assert_str_eq(value("DEPLOY_REF_NAME"), "feature/ü");
	ck_assert_str_eq(value("DEPLOY_COMMIT"), d->commit);
	ck_assert_str_eq(value("DEPLOY_IMAGE"), "shop:7");
	ck_assert_str_eq(value("DEPLOY_OLD_ADDRESS"), "172.17.0.2:80");
	ck_assert_str_eq(value("DEPLOY_WORKDIR"), "/work");
	ck_assert_str_eq(value("DEPLOY_OUTPUT"), "/run/x/output");
	ck_assert_str_eq(value("DEPLOY_DEADLINE"), "1795230000");
	ck_assert_str_eq(value("LANG"), "C.UTF-8");
	ck_assert_ptr_nonnull(strstr(value("PATH"), "/bin"));
	ck_assert_ptr_nonnull(value("HOME"));
}
END_TEST

START_TEST(what_is_not_known_is_empty_and_not_missing)
{
	static const char *const names[] = {"DEPLOY_PROVIDER", "DEPLOY_REPO", "DEPLOY_REF",
		"DEPLOY_REF_TYPE", "DEPLOY_REF_NAME", "DEPLOY_COMMIT", "DEPLOY_BEFORE",
		"DEPLOY_CACHE", "DEPLOY_DIGEST", "DEPLOY_CONTAINER", "DEPLOY_ADDRESS",
		"DEPLOY_OLD_IMAGE", "DEPLOY_OLD_CONTAINER", "DEPLOY_RESULT", "DEPLOY_FAILED_STAGE",
		"DEPLOY_DRY_RUN", "DEPLOY_HOOKS", "DEPLOY_STATE", "DEPLOY_KEEP", "TZ"};

	ck_assert_int_eq(unsetenv("TZ"), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert_msg(value(names[i]), "%s", names[i]);
		ck_assert_msg(!*value(names[i]), "%s", names[i]);
	}
	ck_assert_ptr_null(value("CREDENTIALS_DIRECTORY"));
}
END_TEST

START_TEST(nothing_of_the_agents_own_environment_gets_in)
{
	ck_assert_int_eq(setenv("AGENT_SECRET", "x", 1), 0);
	ck_assert_int_eq(setenv("LD_PRELOAD_X", "x", 1), 0);
	ck_assert_ptr_null(value("AGENT_SECRET"));
	for (size_t i = 0; env[i]; i++)
		ck_assert_msg(
			strncmp(env[i], "DEPLOY_", 7) == 0 || strncmp(env[i], "PATH=", 5) == 0 ||
				strncmp(env[i], "HOME=", 5) == 0 ||
				strncmp(env[i], "LANG=", 5) == 0 || strncmp(env[i], "TZ=", 3) == 0,
			"%s", env[i]);
}
END_TEST

START_TEST(an_observer_knows_how_it_ended)
{
	d->state = DEPLOY_FAILED;
	d->failed_in = DEPLOY_BUILDING;
	call.stage = hook_stage_find("on-failure");
	call.dry_run = true;
	call.credentials = "/run/x/credentials";
	ck_assert_str_eq(value("DEPLOY_RESULT"), "failed");
	ck_assert_str_eq(value("DEPLOY_FAILED_STAGE"), deploy_state_name(DEPLOY_BUILDING));
	ck_assert_str_eq(value("DEPLOY_DRY_RUN"), "1");
	ck_assert_str_eq(value("CREDENTIALS_DIRECTORY"), "/run/x/credentials");
}
END_TEST

START_TEST(options_are_variables)
{
	json_t *o = json_pack("{s:i, s:s, s:[s,s,i], s:b, s:b, s:s, s:s, s:s, s:s, s:{}}", "port",
		8080, "build-args", "a b", "volumes", "/a:/b", "/c d:/e", 3, "switch", 1, "pull", 0,
		"source", "https://example.com/x.git", "bad=name", "x", "x y", "x", "", "x",
		"nested");

	call.options = o;
	ck_assert_str_eq(value("DEPLOY_OPTION_PORT"), "8080");
	ck_assert_str_eq(value("DEPLOY_OPTION_BUILD_ARGS"), "a b");
	ck_assert_str_eq(value("DEPLOY_OPTION_VOLUMES"), "/a:/b\n/c d:/e\n3");
	ck_assert_str_eq(value("DEPLOY_OPTION_SWITCH"), "yes");
	ck_assert_str_eq(value("DEPLOY_OPTION_PULL"), "no");
	ck_assert_str_eq(value("DEPLOY_REPO"), "https://example.com/x.git");
	for (size_t i = 0; env[i]; i++)
		ck_assert_msg(!strstr(env[i], "bad") && !strstr(env[i], "x y"), "%s", env[i]);
	json_decref(o);
}
END_TEST

START_TEST(an_option_that_no_program_could_be_given_is_left_to_the_document)
{
	static char huge[HOOK_ENV_MAX + 1];
	json_t *o, *many = json_object();
	size_t n = 0;

	memset(huge, 'x', sizeof(huge) - 1);
	o = json_pack("{s:s, s:s}", "huge", huge, "port", "1");
	call.options = o;
	ck_assert_ptr_null(value("DEPLOY_OPTION_HUGE"));
	ck_assert_str_eq(value("DEPLOY_OPTION_PORT"), "1");
	json_decref(o);
	hook_env_free(env);
	for (int i = 0; i < 2000; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "o%d", i);
		(void)json_object_set_new(many, name, json_integer(i));
	}
	call.options = many;
	env = hook_env(&call);
	while (env[n])
		n++;
	ck_assert_uint_lt(n, 300);
	json_decref(many);
}
END_TEST

START_TEST(a_line_end_that_came_through_is_a_space)
{
	(void)snprintf(d->by, sizeof(d->by), "x");
	(void)snprintf(d->provider, sizeof(d->provider), "a\nB=1\x7f");
	ck_assert_str_eq(value("DEPLOY_PROVIDER"), "a B=1 ");
}
END_TEST

START_TEST(the_document_has_all_of_it)
{
	json_t *o = json_pack("{s:i}", "port", 80), *j;
	struct deploy *previous = deploy_new("shop");

	previous->id = 41;
	d->document = json_pack("{s:[{s:s}], s:[s,s], s:b}", "commits", "id", "abc", "files", "a",
		"b", "files_truncated", 1);
	call.options = o;
	j = hook_document(&call, previous);
	ck_assert_int_eq(json_integer_value(json_object_get(j, "v")), 1);
	ck_assert_int_eq(
		json_integer_value(json_object_get(json_object_get(j, "deploy"), "id")), 42);
	ck_assert_ptr_null(json_object_get(json_object_get(j, "deploy"), "document"));
	ck_assert_str_eq(
		json_string_value(json_object_get(json_object_get(j, "app"), "name")), "shop");
	ck_assert_int_eq(json_integer_value(json_object_get(
				 json_object_get(json_object_get(j, "app"), "options"), "port")),
		80);
	ck_assert_uint_eq(json_array_size(json_object_get(j, "commits")), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(j, "files")), 2);
	ck_assert(json_is_true(json_object_get(j, "files_truncated")));
	ck_assert_int_eq(
		json_integer_value(json_object_get(json_object_get(j, "previous"), "id")), 41);
	json_decref(j);
	call.options = NULL;
	json_decref(d->document);
	d->document = NULL;
	j = hook_document(&call, NULL);
	ck_assert(json_is_null(json_object_get(j, "previous")));
	ck_assert(json_is_false(json_object_get(j, "files_truncated")));
	ck_assert_uint_eq(json_array_size(json_object_get(j, "files")), 0);
	json_decref(j);
	json_decref(o);
	deploy_free(previous);
}
END_TEST

START_TEST(the_document_has_a_bound)
{
	json_t *files = json_array(), *j;
	char name[1024];
	char *text;

	for (int i = 0; i < 6000; i++) {
		(void)snprintf(name, sizeof(name), "%0*d\"", i < 4000 ? 1000 : 5, i);
		json_array_append_new(files, json_string(name));
	}
	d->document = json_pack("{s:o}", "files", files);
	j = hook_document(&call, NULL);
	ck_assert(json_is_true(json_object_get(j, "files_truncated")));
	text = json_dumps(j, JSON_COMPACT);
	ck_assert_uint_lt(strlen(text), CHILD_INPUT_MAX);
	ck_assert_uint_gt(strlen(text), 1 << 20);
	free(text);
	json_decref(j);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hook_env");
	TCase *c = tcase_create("hook_env");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, make, drop);
	tcase_add_test(c, it_says_what_is_deployed);
	tcase_add_test(c, what_is_not_known_is_empty_and_not_missing);
	tcase_add_test(c, nothing_of_the_agents_own_environment_gets_in);
	tcase_add_test(c, an_observer_knows_how_it_ended);
	tcase_add_test(c, options_are_variables);
	tcase_add_test(c, an_option_that_no_program_could_be_given_is_left_to_the_document);
	tcase_add_test(c, a_line_end_that_came_through_is_a_space);
	tcase_add_test(c, the_document_has_all_of_it);
	tcase_add_test(c, the_document_has_a_bound);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
