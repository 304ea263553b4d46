/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_block.h"
#include "agent/deploy_config_app.h"
#include "agent/deploy_options.h"
#include "base/str.h"

enum {
	ROUTE_MS = 30 * 1000, /* of hook_stages */
	CONFIRM_SLACK_MS = 2 * 60 * 1000,
	CONFIRM_LEAST_MS = 10 * 60 * 1000,
};

static void *array(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

/* Whether something in the block was wrong already; then the rest of it cannot be judged. */
static bool is_broken(const struct config_block *b, const struct mistakes *m)
{
	_cleanup_(free_p) char *name = str_format("%s.%s", b->group, b->name);

	return mistakes_name(m, name);
}

/* It becomes part of names of containers, units, files and hosts. */
static void check_name(const struct config_block *b, struct mistakes *m)
{
	const char *s = b->name;
	bool starts = *s && !strchr("_-", *s);

	if (strlen(s) >= DEPLOY_NAME_SIZE)
		config_block_mistake(b, m, "the name is longer than 63 characters");
	else if (!starts || s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-")])
		config_block_mistake(b, m,
			"the name of an app consists of a-z, 0-9, '_' and '-', a letter or digit "
			"first");
}

static void take_drivers(const struct config_block *b, struct deploy_app *a)
{
	const char *build = config_block_string(b, "build");
	bool has_image = config_block_has(b, "image");

	if (!build)
		build = has_image && !a->source ? "image" : "dockerfile";
	a->is_pushed = !a->source && strcmp(build, "image") != 0;
	a->drivers[DEPLOY_APP_FETCH] = a->source || a->is_pushed ? "git" : NULL;
	a->drivers[DEPLOY_APP_BUILD] = build;
	a->drivers[DEPLOY_APP_PUSH] = config_block_has(b, "registry") ? "registry" : NULL;
	a->drivers[DEPLOY_APP_RELEASE] = config_block_has(b, "release") ? "command" : NULL;
	a->drivers[DEPLOY_APP_SWAP] = config_block_string(b, "swap");
	a->drivers[DEPLOY_APP_PROBE] = config_block_has(b, "health.path") ? "http" : "tcp";
	a->drivers[DEPLOY_APP_ROUTE] = config_block_string(b, "route");
}

static enum deploy_strategy strategy_of(const struct config_block *b)
{
	int overlap = config_block_flag(b, "overlap");

	if (overlap >= 0)
		return overlap ? DEPLOY_START_FIRST : DEPLOY_RECREATE;
	return config_block_has(b, "volumes") || config_block_has(b, "publish")
		       ? DEPLOY_RECREATE
		       : DEPLOY_START_FIRST;
}

static void take_times(const struct config_block *b, struct deploy_app *a)
{
	a->watch_ms = config_block_duration_ms(b, "watch");
	a->drain_ms = config_block_duration_ms(b, "drain");
	a->deadline_ms = config_block_duration_ms(b, "deadline");
	a->build_deadline_ms = config_block_duration_ms(b, "build_deadline");
	a->start_deadline_ms = config_block_duration_ms(b, "start_deadline");
	a->health_deadline_ms = config_block_duration_ms(b, "health.deadline");
}

static void take_limits(const struct config_block *b, struct deploy_app *a)
{
	_cleanup_(free_p) char *memory = str_format("apps.%s.build_memory", b->name);

	a->build_limits.memory_max_bytes = (uint64_t)config_size_bytes(b->config, memory);
	a->build_limits.pids_max = (unsigned)config_block_int(b, "build_pids");
	a->build_limits.cpu_weight = (unsigned)config_block_int(b, "build_cpu_weight");
	a->keep = (unsigned)config_block_int(b, "keep");
	a->rollback_cpu_percent = (double)config_block_int(b, "rollback_if.cpu_percent");
	a->rollback_memory_percent = (double)config_block_int(b, "rollback_if.memory_percent");
}

static void take_secrets(const struct config_block *b, struct deploy_app *a)
{
	a->deploy_key_file = config_block_string(b, "deploy_key_file");
	a->git_token_file = config_block_string(b, "git_token_file");
	a->git_user = config_block_string(b, "git_user");
	a->registry_user = config_block_string(b, "registry_user");
	a->registry_password_file = config_block_string(b, "registry_password_file");
	a->status_token_file = config_block_string(b, "status_token_file");
	a->status_url = config_block_string(b, "status_url");
}

/* "stable" of "registry:5000/me/shop:stable"; "latest" of one without. */
static char *tag_of(const char *image)
{
	const char *name = strrchr(image, '/');
	const char *tag = strchr(name ? name : image, ':');

	if (!tag)
		return str_dup("latest");
	return str_ndup(tag + 1, strcspn(tag + 1, "@"));
}

static void take_filter(const struct config_block *b, struct deploy_app *a)
{
	struct filter *f = &a->webhook.filter;
	const char *image = config_block_string(b, "image");

	f->n_branches = config_block_list(b, "webhook.branches", &f->branches);
	f->n_tags = config_block_list(b, "webhook.tags", &f->tags);
	f->n_paths = config_block_list(b, "webhook.paths", &f->paths);
	f->skip_ci = config_block_bool(b, "webhook.skip_ci");
	if (!config_block_has(b, "webhook.branches")) {
		a->own_branches[0] = a->branch;
		f->branches = a->own_branches;
		f->n_branches = 1;
	}
	if (image && !config_block_has(b, "webhook.tags")) {
		a->own_tag = tag_of(image);
		a->own_tags[0] = a->own_tag;
		f->tags = a->own_tags;
		f->n_tags = 1;
	}
}

static void take_webhook(const struct config_block *b, struct deploy_app *a)
{
	const char *provider = config_block_string(b, "webhook.provider");

	a->webhook.provider = provider ? provider_find(provider) : NULL;
	a->webhook.secret_files[0] = config_block_string(b, "webhook.secret_file");
	a->webhook.secret_files[1] = config_block_string(b, "webhook.previous_secret_file");
	take_filter(b, a);
}

/* The way back of nix-profile is taken by itself unless the stage `stop` confirms, which comes after all of these. */
static void set_confirm(struct deploy_app *a)
{
	int64_t ms = a->start_deadline_ms + a->health_deadline_ms + ROUTE_MS + a->watch_ms +
		     a->drain_ms + CONFIRM_SLACK_MS;
	char text[32];

	if (json_object_get(a->options, "confirm"))
		return;
	(void)snprintf(text, sizeof(text), "%" PRId64 "s",
		(ms > CONFIRM_LEAST_MS ? ms : CONFIRM_LEAST_MS) / 1000);
	(void)json_object_set_new(a->options, "confirm", json_string(text));
}

static void take_options(const struct config *c, struct deploy_app *a)
{
	a->options = deploy_options(c, a->name);
	(void)json_object_set_new(a->options, "build", json_string(a->drivers[DEPLOY_APP_BUILD]));
	(void)json_object_set_new(
		a->options, "overlap", json_string(a->strategy == DEPLOY_RECREATE ? "no" : "yes"));
	if (strcmp(a->drivers[DEPLOY_APP_SWAP], "nix-profile") == 0)
		set_confirm(a);
}

static void take_app(
	const struct config *c, const char *name, struct deploy_app *a, struct mistakes *m)
{
	const struct config_block block = {c, "apps", name};

	a->name = name;
	a->origin = config_block_origin(&block, NULL);
	a->source = config_block_string(&block, "source");
	a->branch = config_block_string(&block, "branch");
	take_drivers(&block, a);
	if (is_broken(&block, m))
		return;
	a->strategy = strategy_of(&block);
	take_times(&block, a);
	take_limits(&block, a);
	take_secrets(&block, a);
	take_webhook(&block, a);
	take_options(c, a);
	check_name(&block, m);
	deploy_config_app_check(&block, a, m);
}

/* Two files of a router for one name: whichever it reads first wins. */
static void check_domains(const struct deploy_config *d, struct mistakes *m)
{
	for (size_t i = 1; i < d->n_apps; i++) {
		const struct config_block block = {d->config, "apps", d->apps[i].name};
		const char *domain = config_block_string(&block, "domain");

		for (size_t k = 0; domain && k < i; k++) {
			const struct config_block other = {d->config, "apps", d->apps[k].name};
			const char *theirs = config_block_string(&other, "domain");
			_cleanup_(free_p) char *text =
				str_format("domain: the app %s has it already", other.name);

			if (theirs && strcmp(domain, theirs) == 0)
				config_block_mistake(&block, m, text);
		}
	}
}

static void take_apps(struct deploy_config *d, struct mistakes *m)
{
	size_t n = config_names(d->config, "apps", NULL, 0);
	_cleanup_(free_p) const char **names = array(n, sizeof(*names));

	(void)config_names(d->config, "apps", names, n);
	if (n > DEPLOY_APPS_MAX) {
		mistakes_add(m, config_origin(d->config, "apps"), 0,
			"apps: has %zu members; at most %d", n, DEPLOY_APPS_MAX);
		n = DEPLOY_APPS_MAX;
	}
	d->apps = array(n, sizeof(*d->apps));
	d->n_apps = n;
	for (size_t i = 0; i < n; i++)
		take_app(d->config, names[i], &d->apps[i], m);
	check_domains(d, m);
}

int deploy_config_new(const struct config *c, struct deploy_config **out, struct mistakes *m)
{
	_cleanup_(deploy_config_free_p) struct deploy_config *d = array(1, sizeof(*d));
	size_t before = mistakes_count(m);

	d->config = c;
	d->max_builds = (size_t)config_int(c, "max_builds");
	d->hooks_dir = config_string(c, "hooks_dir");
	d->disk_free_bytes = config_size_bytes(c, "build_min_disk");
	d->memory_free_bytes = config_size_bytes(c, "build_min_memory");
	take_apps(d, m);
	if (mistakes_count(m) > before)
		return -EINVAL;
	*out = TAKE_PTR(d);
	return 0;
}

void deploy_config_free(struct deploy_config *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n_apps; i++) {
		json_decref(d->apps[i].options);
		free(d->apps[i].own_source);
		free(d->apps[i].own_tag);
	}
	free(d->apps);
	free(d);
}

void deploy_config_check(const struct config *c, struct mistakes *m)
{
	_cleanup_(deploy_config_free_p) struct deploy_config *d = NULL;

	(void)deploy_config_new(c, &d, m);
}

char *deploy_config_repository(const char *state_dir, const char *app)
{
	return str_format("%s/repos/%s.git", state_dir, app);
}

void deploy_config_use_state(struct deploy_config *d, const char *state_dir)
{
	for (size_t i = 0; i < d->n_apps; i++) {
		struct deploy_app *a = &d->apps[i];

		if (!a->is_pushed || a->own_source)
			continue;
		a->own_source = deploy_config_repository(state_dir, a->name);
		a->source = a->own_source;
		(void)json_object_set_new(a->options, "source", json_string(a->source));
	}
}

const struct deploy_app *deploy_config_app(const struct deploy_config *d, const char *name)
{
	for (size_t i = 0; i < d->n_apps; i++)
		if (strcmp(d->apps[i].name, name) == 0)
			return &d->apps[i];
	return NULL;
}

int deploy_config_find(const struct deploy_config *d, const char *name,
	const struct deploy_app **out, struct err *e)
{
	const struct deploy_app *a = deploy_config_app(d, name);
	size_t best = strlen(name) / 3 + 2;
	const char *near = NULL;

	if (a) {
		*out = a;
		return 0;
	}
	for (size_t i = 0; i < d->n_apps; i++) {
		size_t distance = str_distance(d->apps[i].name, name);

		if (distance >= best)
			continue;
		best = distance;
		near = d->apps[i].name;
	}
	if (d->n_apps == 0)
		return err_set(e, ENOENT,
			"there is no app \"%s\": the configuration that was read has no apps group",
			name);
	return err_set(e, ENOENT, "there is no app \"%s\"%s%s%s", name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

const char *deploy_app_hook(const struct deploy_app *a, const char *stage)
{
	static const struct {
		const char *stage;
		enum deploy_app_driver what;
	} stages[] = {
		{"fetch", DEPLOY_APP_FETCH},
		{"build", DEPLOY_APP_BUILD},
		{"push", DEPLOY_APP_PUSH},
		{"release", DEPLOY_APP_RELEASE},
		{"start", DEPLOY_APP_SWAP},
		{"stop", DEPLOY_APP_SWAP},
		{"retire", DEPLOY_APP_SWAP},
		{"probe", DEPLOY_APP_PROBE},
		{"route", DEPLOY_APP_ROUTE},
	};

	for (size_t i = 0; i < ARRAY_LEN(stages); i++)
		if (strcmp(stages[i].stage, stage) == 0)
			return a->drivers[stages[i].what];
	return NULL;
}
