/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_config_app.h"

#include <string.h>

#include "agent/deploy_options.h"
#include "base/str.h"

/* A word of a list of them with a space between. */
static bool is_among(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p;) {
		size_t m = strcspn(p, " ");

		if (m == n && memcmp(p, word, n) == 0)
			return true;
		p += m + (p[m] == ' ');
	}
	return false;
}

bool deploy_config_app_ships(enum deploy_app_driver what, const char *name)
{
	static const char *const names[DEPLOY_APP_DRIVERS] = {
		[DEPLOY_APP_FETCH] = "git",
		[DEPLOY_APP_BUILD] =
			"buildpacks command compose dockerfile image nix nixpacks static",
		[DEPLOY_APP_PUSH] = "registry",
		[DEPLOY_APP_RELEASE] = "command",
		[DEPLOY_APP_SWAP] = "compose docker nix-profile swarm systemd",
		[DEPLOY_APP_PROBE] = "http tcp",
		[DEPLOY_APP_ROUTE] = "caddy haproxy nft nginx none traefik",
	};

	return is_among(names[what], name);
}

static bool is_driver(const struct deploy_app *a, enum deploy_app_driver what, const char *names)
{
	return a->drivers[what] && is_among(names, a->drivers[what]);
}

/* A hook that cannot do without an option. */
static const struct {
	enum deploy_app_driver what;
	const char *names, *option, *text;
} needs[] = {
	{DEPLOY_APP_BUILD, "command", "command",
		"build: command needs the option command, which is run in the source"},
	{DEPLOY_APP_BUILD, "compose", "service",
		"build: compose needs the option service, the one that gets the requests"},
	{DEPLOY_APP_SWAP, "compose", "service",
		"swap: compose needs the option service, the one that gets the requests"},
	{DEPLOY_APP_ROUTE, "caddy nginx traefik", "domain",
		"route: needs the option domain, the name under which people reach the app"},
};

static void check_needs(
	const struct config_block *b, const struct deploy_app *a, struct mistakes *m)
{
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (is_driver(a, needs[i].what, needs[i].names) &&
			!config_block_has(b, needs[i].option))
			config_block_mistake(b, m, needs[i].text);
}

/* What a way of running an app can start, and by what that is made. */
static const struct {
	const char *swaps, *builds, *text;
} pairs[] = {
	{"docker swarm", "buildpacks command compose dockerfile image nixpacks static",
		"swap: a container needs an image, and nix makes none; expected swap = \"systemd\" "
		"or "
		"\"nix-profile\""},
	{"compose", "compose",
		"swap: compose starts what build = \"compose\" makes, and no other build does"},
	{"systemd", "command nix",
		"swap: systemd starts a folder of files; expected build = \"command\" or \"nix\""},
	{"nix-profile", "nix",
		"swap: nix-profile activates a path of the Nix store; expected build = \"nix\""},
};

static void check_pair(const struct config_block *b, const struct deploy_app *a, struct mistakes *m)
{
	if (!deploy_config_app_ships(DEPLOY_APP_BUILD, a->drivers[DEPLOY_APP_BUILD]))
		return;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (is_driver(a, DEPLOY_APP_SWAP, pairs[i].swaps) &&
			!is_driver(a, DEPLOY_APP_BUILD, pairs[i].builds))
			config_block_mistake(b, m, pairs[i].text);
}

static void check_overlap(
	const struct config_block *b, const struct deploy_app *a, struct mistakes *m)
{
	bool is_profile = is_driver(a, DEPLOY_APP_SWAP, "nix-profile");
	int overlap = config_block_flag(b, "overlap");

	if (overlap == 1 && config_block_has(b, "publish"))
		config_block_mistake(b, m,
			"overlap: two versions cannot both have the ports of publish; leave one of "
			"them out");
	if (overlap == 0 && is_profile)
		config_block_mistake(b, m,
			"overlap: nix-profile always replaces what runs, and puts it back by "
			"itself; "
			"leave it out");
	if (is_profile && !config_block_has(b, "port") && !json_object_get(a->options, "address"))
		config_block_mistake(b, m,
			"swap: nix-profile needs the option port, where the app answers on "
			"127.0.0.1");
}

static bool is_ssh(const char *source)
{
	return str_starts(source, "ssh://") || (!strstr(source, "://") && *source != '/');
}

static void check_source_of(
	const struct config_block *b, const struct deploy_app *a, struct mistakes *m)
{
	bool is_image = is_driver(a, DEPLOY_APP_BUILD, "image");

	if (a->source && a->deploy_key_file && !is_ssh(a->source))
		config_block_mistake(b, m,
			"deploy_key_file: is for ssh, and the source is none; expected "
			"git_token_file");
	if (a->source && a->git_token_file && is_ssh(a->source))
		config_block_mistake(b, m,
			"git_token_file: is for https, and the source is ssh; expected "
			"deploy_key_file");
	if (config_block_has(b, "image") && !is_image &&
		deploy_config_app_ships(DEPLOY_APP_BUILD, a->drivers[DEPLOY_APP_BUILD]))
		config_block_mistake(
			b, m, "image: is only used with build = \"image\"; leave one of them out");
	if (a->source && is_image)
		config_block_mistake(
			b, m, "source: is not used with build = \"image\"; leave one of them out");
}

static void check_registry_login(
	const struct config_block *b, const struct deploy_app *a, struct mistakes *m)
{
	if (a->registry_password_file && !a->registry_user)
		config_block_mistake(
			b, m, "registry_password_file: needs registry_user, who logs in with it");
	if (a->registry_user && !a->registry_password_file)
		config_block_mistake(b, m, "registry_user: needs registry_password_file to log in");
}

static void check_webhook(
	const struct config_block *b, const struct deploy_app *a, struct mistakes *m)
{
	const char *name = a->webhook.provider ? a->webhook.provider->name : NULL;
	bool is_image = is_driver(a, DEPLOY_APP_BUILD, "image");

	if (!name)
		return;
	if (!a->webhook.secret_files[0])
		config_block_mistake(b, m,
			"webhook: needs secret_file, a file of mode 0600 with a secret (`openssl "
			"rand "
			"-hex 32`) that the sender knows too; without one nothing is accepted");
	if (a->is_pushed && !is_among("dockerhub generic ghcr", name))
		config_block_mistake(b, m,
			"webhook: this provider tells of commits of a repository of its own; "
			"expected "
			"the option source with its address");
	if (!is_image && is_among("dockerhub ghcr", name))
		config_block_mistake(b, m,
			"webhook: this provider tells of images; expected build = \"image\" and "
			"the "
			"option image");
	if (is_image && !is_among("dockerhub generic ghcr", name))
		config_block_mistake(b, m,
			"webhook: this provider tells of commits, but images are deployed; "
			"expected "
			"dockerhub, ghcr or generic");
}

void deploy_config_app_check(
	const struct config_block *b, const struct deploy_app *a, struct mistakes *m)
{
	check_needs(b, a, m);
	check_pair(b, a, m);
	check_overlap(b, a, m);
	check_source_of(b, a, m);
	check_registry_login(b, a, m);
	check_webhook(b, a, m);
	deploy_options_check(b, m);
}
