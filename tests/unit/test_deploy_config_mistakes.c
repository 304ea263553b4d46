/* SPDX-License-Identifier: Apache-2.0
 *
 * Apps that could never be deployed, or not as meant, are mistakes of the configuration, each with its cure.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/deploy_config.h"
#include "tests/unit/config_case.h"

#define SOURCE "source = \"/x.git\", "
#define GITHUB "webhook = { provider = \"github\", secret_file = \"env:S\" }"

/* What is wrong in the block of one app: the message from the name of the option on. */
static const struct {
	const char *block, *mistake;
} wrong[] = {
	{"build = \"command\"",
		".build: command needs the option command, which is run in the source"},
	{"build = \"compose\"",
		".build: compose needs the option service, the one that gets the requests"},
	{"route = \"caddy\"",
		".route: needs the option domain, the name under which people reach the app"},
	{"swap = \"compose\", service = \"web\"",
		".swap: compose starts what build = \"compose\" makes, and no other build does"},
	{"swap = \"systemd\"",
		".swap: systemd starts a folder of files; expected build = \"command\" or \"nix\""},
	{"swap = \"nix-profile\", port = 80",
		".swap: nix-profile activates a path of the Nix store; expected build = \"nix\""},
	{"swap = \"nix-profile\", build = \"nix\"",
		".swap: nix-profile needs the option port, where the app answers on 127.0.0.1"},
	{"build = \"nix\", swap = \"docker\"",
		".swap: a container needs an image, and nix makes none; expected swap = "
		"\"systemd\" or \"nix-profile\""},
	{"build = \"nix\", swap = \"nix-profile\", port = 80, overlap = false",
		".overlap: nix-profile always replaces what runs, and puts it back by itself; "
		"leave "
		"it out"},
	{"publish = \"80:80\", overlap = true",
		".overlap: two versions cannot both have the ports of publish; leave one of them "
		"out"},
	{"source = \"https://example.com/x.git\", deploy_key_file = \"env:K\"",
		".deploy_key_file: is for ssh, and the source is none; expected git_token_file"},
	{"source = \"git@example.com:x.git\", git_token_file = \"env:K\"",
		".git_token_file: is for https, and the source is ssh; expected deploy_key_file"},
	{"source = \"/x.git\", image = \"nginx\"",
		".image: is only used with build = \"image\"; leave one of them out"},
	{"source = \"/x.git\", image = \"nginx\", build = \"image\"",
		".source: is not used with build = \"image\"; leave one of them out"},
	{"registry_user = \"me\"", ".registry_user: needs registry_password_file to log in"},
	{"registry_password_file = \"env:P\"",
		".registry_password_file: needs registry_user, who logs in with it"},
	{GITHUB,
		".webhook: this provider tells of commits of a repository of its own; expected the "
		"option source with its address"},
	{SOURCE "webhook = { provider = \"github\" }",
		".webhook: needs secret_file, a file of mode 0600 with a secret (`openssl rand "
		"-hex "
		"32`) that the sender knows too; without one nothing is accepted"},
	{"webhook = { secret_file = \"env:S\" }", ".webhook: provider is missing"},
	{"webhook = { provider = \"dockerhub\", secret_file = \"env:S\" }",
		".webhook: this provider tells of images; expected build = \"image\" and the "
		"option "
		"image"},
	{"image = \"nginx\", " GITHUB,
		".webhook: this provider tells of commits, but images are deployed; expected "
		"dockerhub, ghcr or generic"},
	{"options = { health_path = \"/\" }",
		".options.health_path: is an option of its own; expected health.path in apps.shop"},
	{"options = { Bad-Name = \"x\" }", ".options.Bad-Name: no variable can be made of the "
					   "name; expected a-z, 0-9 and '_'"},
};

START_TEST(options_that_do_not_go_together)
{
	char text[500], expected[500];

	(void)snprintf(text, sizeof(text), "apps = { shop = { %s } }", wrong[_i].block);
	(void)snprintf(expected, sizeof(expected), "a.conf:1: apps.shop%s", wrong[_i].mistake);
	bad(text, expected);
}
END_TEST

/* One option, and a part of what is said. */
static const struct {
	const char *option, *words;
} forms[] = {
	{"source = \"me/shop\"", "is not the address of a git repository such as"},
	{"source = \"ext::sh -c x\"", "is not the address of a git repository"},
	{"source = \"-x:y\"", "is not the address of a git repository"},
	{"source = \"https://\"", "is not the address of a git repository"},
	{"source = \"ftp://example.com/x\"", "is not the address of a git repository"},
	{"source = \"https://me:token@example.com/x.git\"", "expected git_token_file"},
	{"source = \"https://token@example.com/x.git\"", "expected git_token_file"},
	{"branch = \"refs/heads/main\"", "expected the name alone"},
	{"branch = \"-x\"", "is not the name of a branch"},
	{"branch = \"a..b\"", "is not the name of a branch"},
	{"build = \"../x\"", "is not the name of a hook; expected a-z, 0-9 and '-'"},
	{"swap = \"Docker\"", "is not the name of a hook"},
	{"route = \"\"", "is not the name of a hook"},
	{"domain = \"https://shop.example.com\"", "expected the name alone"},
	{"domain = \"shop.example.com/x\"", "is not the name of a domain"},
	{"domain = \"shop.example.com;\"", "is not the name of a domain"},
	{"health = { path = \"healthz\" }", "is not a path such as \"/healthz\""},
	{"context = \"../x\"", "is not a path within the source"},
	{"dockerfile = \"/etc/passwd\"", "is not a path within the source"},
	{"folder = \"a/../../b\"", "is not a path within the source"},
	{"build_args = \"novalue\"", "is not of the form NAME=value"},
	{"build_secrets = \"A-B\"", "is not the name of a variable"},
	{"cpus = \"many\"", "is not a number of CPUs"},
	{"cpus = \"0\"", "is not a number of CPUs"},
	{"image = \"https://example.com/x\"", "without https://"},
	{"image = \"--privileged\"", "is not the name of an image"},
	{"registry = \"https://example.com\"", "without https://"},
	{"registry_tag = \"a b\"", "is not the tag of an image"},
	{"unit = \"shop@.service\"", "expected the name of the template alone"},
	{"unit = \"a/b\"", "is not the name of a unit"},
	{SOURCE "webhook = { provider = \"gihub\", secret_file = \"env:S\" }",
		"\"gihub\" is not known"},
	{SOURCE "webhook = { provider = \"github\", secret_file = \"env:S\", paths = \"/api\" }",
		"paths are those of the repository"},
	{SOURCE "webhook = { provider = \"github\", secret_file = \"env:S\", paths = \"!\" }",
		"an empty pattern matches nothing"},
	{SOURCE "webhook = { provider = \"github\", secret_file = \"env:S\", branches = "
		"\"refs/heads/x\" "
		"}",
		"expected the name alone"},
	{"arguments = \"a\\nb\"", "control characters"},
	{"keep = 0", "out of range"},
	{"port = 70000", "out of range"},
	{"overlap = \"no\"", "expected true or false"},
	{"webhok = { }", "did you mean webhook?"},
};

START_TEST(what_could_not_be_meant)
{
	char text[500];

	(void)snprintf(text, sizeof(text), "apps = { shop = { %s } }", forms[_i].option);
	ck_assert_int_eq(load_table(&options_all, text), -EINVAL);
	ck_assert_uint_eq(mistakes_count(&mistakes), 1);
	ck_assert_msg(strstr(mistakes.list[0], forms[_i].words) != NULL, "%s", mistakes.list[0]);
}
END_TEST

static const char *const fine[] = {
	"source = \"https://git.example.com/me/shop.git\"",
	"source = \"git@git.example.com:me/shop.git\"",
	"source = \"ssh://git@git.example.com:2222/me/shop.git\"",
	"source = \"ssh://git@git.example.com/~/x.git\", deploy_key_file = \"env:K\"",
	"source = \"/srv/git/shop.git\"",
	"source = \"file:///srv/git/shop.git\"",
	"branch = \"feature/x-1\"",
	"domain = \"*.example.com\"",
	"domain = \"http://shop.example.com\"",
	"image = \"registry.example.com:5000/me/shop:stable\"",
	"image = \"nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
	"registry = \"localhost:5000/me\"",
	"context = \".\"",
	"cpus = \"0.5\"",
	"volumes = \"a:/b\", overlap = true",
	"image = \"nginx\", webhook = { provider = \"generic\", secret_file = \"env:S\" }",
	/* Hooks of one's own may do with what they like. */
	"build = \"make\", swap = \"systemd\"",
	"build = \"nix\", swap = \"mine\"",
	"build = \"make\", image = \"base\"",
};

START_TEST(what_people_write)
{
	char text[500];

	(void)snprintf(text, sizeof(text), "apps = { shop = { %s } }", fine[_i]);
	good(text);
}
END_TEST

static const char *const names[] = {"Shop", "_shop", "-shop", "sh-Op",
	"a123456789012345678901234567890123456789012345678901234567890123"};

START_TEST(names_that_cannot_be_part_of_a_container)
{
	char text[200];

	/* A name of the configuration must begin with a letter: those that do not never get this far. */
	(void)snprintf(text, sizeof(text), "apps = { %s = { } }", names[_i]);
	ck_assert_int_eq(load_table(&options_all, text), -EINVAL);
	good("apps = { a-1_b = { } }");
}
END_TEST

START_TEST(two_apps_cannot_have_one_domain)
{
	bad("apps = {\n a = { domain = \"x.example.com\" }\n"
	    " b = { domain = \"x.example.com\" }\n }",
		"a.conf:3: apps.b.domain: the app a has it already");
}
END_TEST

START_TEST(all_mistakes_are_told_at_once)
{
	ck_assert_int_eq(
		load_table(&options_all, "apps = { a = { build = \"command\" }, b = { route = "
					 "\"caddy\" }, c = { port = 0 } }"),
		-EINVAL);
	ck_assert_uint_eq(mistakes_count(&mistakes), 3);
}
END_TEST

START_TEST(a_secret_that_others_can_read_is_refused)
{
	char text[700];

	write_file("secret", "0123456789abcdef\n");
	ck_assert_int_eq(chmod(scratch_path("secret"), 0644), 0);
	(void)snprintf(text, sizeof(text),
		"apps = { shop = { " SOURCE
		"webhook = { provider = \"github\", secret_file = \"%s\" } } }",
		scratch_path("secret"));
	ck_assert_int_eq(load_table(&options_all, text), -EINVAL);
	ck_assert_uint_eq(mistakes_count(&mistakes), 1);
	ck_assert_msg(strstr(mistakes.list[0], "chmod") != NULL, "%s", mistakes.list[0]);
	ck_assert_int_eq(chmod(scratch_path("secret"), 0600), 0);
	good(text);
}
END_TEST

START_TEST(more_apps_than_anybody_has)
{
	struct buf text = BUF_INIT(65536);

	buf_adds(&text, "apps = {");
	for (int i = 0; i <= DEPLOY_APPS_MAX; i++)
		buf_addf(&text, "\n a%d = { }", i);
	buf_adds(&text, "\n}");
	bad(buf_str(&text), "a.conf:1: apps: has 101 members; at most 100");
	buf_done(&text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_config_mistakes");
	TCase *tc = tcase_create("deploy_config_mistakes");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, options_that_do_not_go_together, 0, (int)ARRAY_LEN(wrong));
	tcase_add_loop_test(tc, what_could_not_be_meant, 0, (int)ARRAY_LEN(forms));
	tcase_add_loop_test(tc, what_people_write, 0, (int)ARRAY_LEN(fine));
	tcase_add_loop_test(tc, names_that_cannot_be_part_of_a_container, 0, (int)ARRAY_LEN(names));
	tcase_add_test(tc, two_apps_cannot_have_one_domain);
	tcase_add_test(tc, all_mistakes_are_told_at_once);
	tcase_add_test(tc, a_secret_that_others_can_read_is_refused);
	tcase_add_test(tc, more_apps_than_anybody_has);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
