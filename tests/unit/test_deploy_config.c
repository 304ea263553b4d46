/* SPDX-License-Identifier: Apache-2.0
 *
 * From the configuration to apps: what follows from what, and what is refused.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploy_config.h"
#include "tests/unit/config_case.h"

static struct deploy_config *built;

static void done(void)
{
	deploy_config_free(built);
	built = NULL;
	teardown();
}

static void build(const char *text)
{
	deploy_config_free(built);
	built = NULL;
	good(text);
	ck_assert_msg(deploy_config_new(config, &built, &mistakes) == 0, "%s",
		mistakes.n ? mistakes.list[0] : "?");
}

/* The app of this block. */
static const struct deploy_app *shop(const char *block)
{
	char text[2048];
	const struct deploy_app *a;

	(void)snprintf(text, sizeof(text), "apps = { shop = { %s } }", block);
	build(text);
	a = deploy_config_app(built, "shop");
	ck_assert_ptr_nonnull(a);
	return a;
}

static const char *text_of(const struct deploy_app *a, const char *option)
{
	return json_string_value(json_object_get(a->options, option));
}

static void is_option(const struct deploy_app *a, const char *option, const char *json)
{
	json_t *want = json_loads(json, JSON_DECODE_ANY, NULL);
	const json_t *have = json_object_get(a->options, option);

	ck_assert_msg(json_equal(have, want), "%s is %s", option,
		json_is_string(have) ? json_string_value(have) : "something else");
	json_decref(want);
}

START_TEST(without_any_there_are_no_apps)
{
	build("hostname = \"vps1\"");
	ck_assert_uint_eq(built->n_apps, 0);
	ck_assert_uint_eq(built->max_builds, 1);
	ck_assert_str_eq(built->hooks_dir, "/etc/agent/hooks");
	ck_assert_int_eq(built->disk_free_bytes, 1 << 30);
	ck_assert_int_eq(built->memory_free_bytes, 200 << 20);
}
END_TEST

START_TEST(an_app_needs_no_option_at_all)
{
	const struct deploy_app *a = shop("");

	ck_assert_ptr_null(a->source);
	ck_assert(a->is_pushed);
	ck_assert_str_eq(a->branch, "main");
	ck_assert_str_eq(a->origin, "a.conf:1");
	ck_assert_int_eq(a->strategy, DEPLOY_START_FIRST);
	ck_assert_int_eq(a->watch_ms, 30000);
	ck_assert_int_eq(a->drain_ms, 30000);
	ck_assert_int_eq(a->deadline_ms, 3600000);
	ck_assert_uint_eq(a->keep, 3);
	ck_assert_ptr_null(a->webhook.provider);
	ck_assert_str_eq(deploy_app_hook(a, "fetch"), "git");
	ck_assert_str_eq(deploy_app_hook(a, "build"), "dockerfile");
	ck_assert_str_eq(deploy_app_hook(a, "start"), "docker");
	ck_assert_str_eq(deploy_app_hook(a, "stop"), "docker");
	ck_assert_str_eq(deploy_app_hook(a, "retire"), "docker");
	ck_assert_str_eq(deploy_app_hook(a, "probe"), "tcp");
	ck_assert_str_eq(deploy_app_hook(a, "route"), "none");
	ck_assert_ptr_null(deploy_app_hook(a, "push"));
	ck_assert_ptr_null(deploy_app_hook(a, "release"));
	ck_assert_ptr_null(deploy_app_hook(a, "pre-build"));
}
END_TEST

START_TEST(drivers_follow_from_the_options)
{
	const struct deploy_app *a =
		shop("source = \"/srv/shop.git\", registry = \"r.example.com\", "
		     "release = \"bin/migrate\", health = { path = \"/up\" }, "
		     "route = \"my-router\", swap = \"mine\", build = \"make\"");

	ck_assert(!a->is_pushed);
	ck_assert_str_eq(deploy_app_hook(a, "push"), "registry");
	ck_assert_str_eq(deploy_app_hook(a, "release"), "command");
	ck_assert_str_eq(deploy_app_hook(a, "probe"), "http");
	ck_assert_str_eq(deploy_app_hook(a, "route"), "my-router");
	ck_assert_str_eq(deploy_app_hook(a, "start"), "mine");
	ck_assert_str_eq(deploy_app_hook(a, "build"), "make");
	a = shop("image = \"nginx:1.27\"");
	ck_assert(!a->is_pushed);
	ck_assert_ptr_null(deploy_app_hook(a, "fetch"));
	ck_assert_str_eq(deploy_app_hook(a, "build"), "image");
	is_option(a, "build", "\"image\"");
}
END_TEST

START_TEST(options_reach_hooks_by_their_names)
{
	const struct deploy_app *a = shop(
		"source = \"git@example.com:shop.git\", port = 3000, memory = \"512M\", symlinks = "
		"false, "
		"health = { path = \"/up\", deadline = \"2m\", interval = \"1500ms\" }, "
		"build_args = [\"A=1\", \"B=x y\"], networks = \"db\", deploy_key_file = "
		"\"env:KEY\", webhook = { provider = \"generic\", secret_file = \"env:S\" }, "
		"rollback_if = { cpu_percent = 50 }, status_url = \"https://x.example\", "
		"options = { nginx_folder = \"/x\", nix_options = [\"a\", \"b\"], empty = \"\" }");

	is_option(a, "source", "\"git@example.com:shop.git\"");
	is_option(a, "branch", "\"main\"");
	is_option(a, "port", "3000");
	is_option(a, "memory", "536870912");
	is_option(a, "symlinks", "\"no\"");
	is_option(a, "submodules", "\"yes\"");
	is_option(a, "overlap", "\"yes\"");
	is_option(a, "health_path", "\"/up\"");
	is_option(a, "health_deadline", "\"120s\"");
	is_option(a, "health_interval", "\"1500ms\"");
	is_option(a, "health_count", "3");
	is_option(a, "stop_timeout", "\"30s\"");
	is_option(a, "build_args", "[\"A=1\", \"B=x y\"]");
	is_option(a, "networks", "[\"db\"]");
	is_option(a, "nginx_folder", "\"/x\"");
	is_option(a, "nix_options", "[\"a\", \"b\"]");
	is_option(a, "empty", "\"\"");
	ck_assert_ptr_null(json_object_get(a->options, "deploy_key_file"));
	ck_assert_ptr_null(json_object_get(a->options, "webhook_provider"));
	ck_assert_ptr_null(json_object_get(a->options, "rollback_if_cpu_percent"));
	ck_assert_ptr_null(json_object_get(a->options, "status_url"));
	ck_assert_str_eq(a->deploy_key_file, "env:KEY");
	ck_assert(a->rollback_cpu_percent > 49 && a->rollback_cpu_percent < 51);
}
END_TEST

static const struct {
	const char *options;
	enum deploy_strategy strategy;
} strategies[] = {
	{"", DEPLOY_START_FIRST},
	{"volumes = \"a:/b\"", DEPLOY_RECREATE},
	{"publish = \"80:80\"", DEPLOY_RECREATE},
	{"volumes = \"a:/b\", overlap = true", DEPLOY_START_FIRST},
	{"overlap = false", DEPLOY_RECREATE},
	/* Each instance has a folder and a port of its own. */
	{"swap = \"systemd\", build = \"nix\"", DEPLOY_START_FIRST},
	/* Its confirmation is the stage stop, which with recreate comes too early. */
	{"swap = \"nix-profile\", build = \"nix\", port = 80", DEPLOY_START_FIRST},
};

START_TEST(two_versions_at_once_where_that_can_be)
{
	const struct deploy_app *a = shop(strategies[_i].options);

	ck_assert_int_eq(a->strategy, strategies[_i].strategy);
	ck_assert_str_eq(text_of(a, "overlap"), a->strategy == DEPLOY_RECREATE ? "no" : "yes");
}
END_TEST

START_TEST(the_way_back_of_nix_is_not_taken_before_the_watch_is_over)
{
	const char *base = "swap = \"nix-profile\", build = \"nix\", port = 80";
	char text[300];

	ck_assert_str_eq(text_of(shop(base), "confirm"), "600s");
	(void)snprintf(text, sizeof(text), "%s, watch = \"30m\"", base);
	/* start 60, health 60, route 30, watch 1800, drain 30, and two minutes */
	ck_assert_str_eq(text_of(shop(text), "confirm"), "2100s");
	(void)snprintf(text, sizeof(text), "%s, options = { confirm = \"20m\" }", base);
	ck_assert_str_eq(text_of(shop(text), "confirm"), "20m");
}
END_TEST

START_TEST(a_webhook_takes_the_branch_of_the_app)
{
	const struct deploy_app *a =
		shop("source = \"/x.git\", branch = \"live\", webhook = { provider = \"github\", "
		     "secret_file = \"env:NEW\", "
		     "previous_secret_file = \"env:OLD\", paths = [\"api/**\", \"!docs/**\"] }");
	const struct filter *f = &a->webhook.filter;

	ck_assert_ptr_eq(a->webhook.provider, &provider_github);
	ck_assert_str_eq(a->webhook.secret_files[0], "env:NEW");
	ck_assert_str_eq(a->webhook.secret_files[1], "env:OLD");
	ck_assert(filter_matches(f->branches, f->n_branches, "live"));
	ck_assert(!filter_matches(f->branches, f->n_branches, "main"));
	ck_assert(!filter_matches(f->tags, f->n_tags, "v1"));
	ck_assert(filter_matches(f->paths, f->n_paths, "api/x/y"));
	ck_assert(!filter_matches(f->paths, f->n_paths, "docs/x"));
	ck_assert(f->skip_ci);
	a = shop("source = \"/x.git\", webhook = { provider = \"gitlab\", secret_file = \"env:S\", "
		 "skip_ci = false, "
		 "branches = [\"release/*\"], tags = \"v*\" }");
	f = &a->webhook.filter;
	ck_assert(filter_matches(f->branches, f->n_branches, "release/2"));
	ck_assert(!filter_matches(f->branches, f->n_branches, "main"));
	ck_assert(filter_matches(f->tags, f->n_tags, "v1"));
	ck_assert(!f->skip_ci);
}
END_TEST

static const struct {
	const char *image, *tag;
} images[] = {
	{"nginx", "latest"},
	{"registry.example.com:5000/me/shop", "latest"},
	{"registry.example.com:5000/me/shop:stable", "stable"},
};

START_TEST(a_webhook_of_a_registry_takes_the_tag_of_the_image)
{
	char text[300];
	const struct filter *f;

	(void)snprintf(text, sizeof(text),
		"image = \"%s\", webhook = { provider = \"dockerhub\", secret_file = \"env:S\" }",
		images[_i].image);
	f = &shop(text)->webhook.filter;
	ck_assert(filter_matches(f->tags, f->n_tags, images[_i].tag));
	ck_assert(!filter_matches(f->tags, f->n_tags, "other"));
}
END_TEST

START_TEST(every_provider_can_be_chosen)
{
	const struct option *row = options_find(&options_all, "apps.x.webhook.provider");
	char names[300] = "";

	for (size_t i = 0; providers[i]; i++)
		(void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			i ? " " : "", providers[i]->name);
	ck_assert_str_eq(row->choices, names);
}
END_TEST

START_TEST(what_is_pushed_here_has_its_source_below_the_state)
{
	build("apps = { a = { }, b = { source = \"/srv/b.git\" }, c = { image = \"x\" } }");
	deploy_config_use_state(built, "/var/lib/agent");
	ck_assert_str_eq(deploy_config_app(built, "a")->source, "/var/lib/agent/repos/a.git");
	is_option(deploy_config_app(built, "a"), "source", "\"/var/lib/agent/repos/a.git\"");
	ck_assert_str_eq(deploy_config_app(built, "b")->source, "/srv/b.git");
	ck_assert_ptr_null(deploy_config_app(built, "c")->source);
}
END_TEST

START_TEST(an_unknown_app_is_answered_with_the_nearest)
{
	const struct deploy_app *a;
	struct err e;

	build("apps = { shop = { }, blog = { } }");
	ck_assert_int_eq(deploy_config_find(built, "blog", &a, &e), 0);
	ck_assert_str_eq(a->name, "blog");
	ck_assert_int_eq(deploy_config_find(built, "shpo", &a, &e), -ENOENT);
	ck_assert_str_eq(e.msg, "there is no app \"shpo\"; did you mean \"shop\"?");
	ck_assert_int_eq(deploy_config_find(built, "entirely", &a, &e), -ENOENT);
	ck_assert_str_eq(e.msg, "there is no app \"entirely\"");
	build("");
	ck_assert_int_eq(deploy_config_find(built, "shop", &a, &e), -ENOENT);
	ck_assert(strstr(e.msg, "has no apps group") != NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_config");
	TCase *tc = tcase_create("deploy_config");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, done);
	tcase_add_test(tc, without_any_there_are_no_apps);
	tcase_add_test(tc, an_app_needs_no_option_at_all);
	tcase_add_test(tc, drivers_follow_from_the_options);
	tcase_add_test(tc, options_reach_hooks_by_their_names);
	tcase_add_loop_test(
		tc, two_versions_at_once_where_that_can_be, 0, (int)ARRAY_LEN(strategies));
	tcase_add_test(tc, the_way_back_of_nix_is_not_taken_before_the_watch_is_over);
	tcase_add_test(tc, a_webhook_takes_the_branch_of_the_app);
	tcase_add_loop_test(
		tc, a_webhook_of_a_registry_takes_the_tag_of_the_image, 0, (int)ARRAY_LEN(images));
	tcase_add_test(tc, every_provider_can_be_chosen);
	tcase_add_test(tc, what_is_pushed_here_has_its_source_below_the_state);
	tcase_add_test(tc, an_unknown_app_is_answered_with_the_nearest);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
