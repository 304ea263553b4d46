/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/deploy_env.h"
#include "agent/deploy_status.h"
#include "base/buf.h"
#include "base/str.h"
#include "deploy-hooks/hook.h"

enum { PROBLEM_MAX = 2000 };

/* Programs without which a hook that ships can do nothing. A `|` stands between those of which one is enough. */
static const struct {
	const char *stage, *name, *programs;
} needs[] = {
	{"fetch", "git", "git"},
	{"build", "buildpacks", "pack docker"},
	{"build", "compose", "docker"},
	{"build", "dockerfile", "docker"},
	{"build", "image", "docker"},
	{"build", "nix", "nix-build|nix"},
	{"build", "nixpacks", "nixpacks docker"},
	{"build", "static", "docker"},
	{"push", "registry", "docker"},
	{"start", "compose", "docker"},
	{"start", "docker", "docker"},
	{"start", "nix-profile", "nix-env"},
	{"start", "swarm", "docker"},
	{"start", "systemd", "systemctl ss"},
	{"probe", "http", "curl"},
	{"probe", "tcp", "curl"},
	{"route", "caddy", "caddy"},
	{"route", "haproxy", "socat"},
	{"route", "nft", "nft ip flock"},
	{"route", "nginx", "nginx"},
};

static bool is_in_path(const char *path, const char *program, size_t n)
{
	while (*path) {
		size_t m = strcspn(path, ":");
		_cleanup_(free_p) char *file =
			str_format("%.*s/%.*s", (int)m, path, (int)n, program);

		if (access(file, X_OK) == 0)
			return true;
		path += m + (path[m] == ':');
	}
	return false;
}

static bool has_any(const char *path, const char *programs, size_t n)
{
	for (size_t at = 0; at < n;) {
		size_t m = 0;

		while (at + m < n && programs[at + m] != '|')
			m++;
		if (is_in_path(path, programs + at, m))
			return true;
		at += m + 1;
	}
	return false;
}

/* Sentences of one problem, with a semicolon between. */
static void add_problem(struct buf *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add_problem(struct buf *to, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_addf(to, "%s%s", to->len ? "; " : "", text);
}

/* "nix-build or nix" */
static void say_needed(const char *programs, size_t n, struct buf *to)
{
	_cleanup_(free_p) char *list = str_ndup(programs, n);
	char *bar = strchr(list, '|');

	if (bar)
		*bar = '\0';
	add_problem(to, "%s%s%s is not installed, and this hook needs it", list, bar ? " or " : "",
		bar ? bar + 1 : "");
}

static void check_programs(
	const struct deploy_check *c, const char *stage, const char *name, struct buf *to)
{
	const char *path = c->path ? c->path : getenv("PATH");
	const char *programs = "";

	if (!path || !*path)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (strcmp(needs[i].stage, stage) == 0 && strcmp(needs[i].name, name) == 0)
			programs = needs[i].programs;
	while (*programs) {
		size_t n = strcspn(programs, " ");

		if (!has_any(path, programs, n))
			say_needed(programs, n, to);
		programs += n + (programs[n] == ' ');
	}
}

static const char *option(const struct deploy_app *a, const char *name)
{
	return json_string_value(json_object_get(a->options, name));
}

static bool is_driver(const struct deploy_app *a, enum deploy_app_driver what, const char *name)
{
	return strcmp(a->drivers[what], name) == 0;
}

/* What the options leave open, though it can be deployed. */
static void add_notes(const struct deploy_app *a, const char *stage, struct buf *to)
{
	bool away = a->strategy == DEPLOY_RECREATE;
	struct err e;

	if (strcmp(stage, "fetch") == 0 && a->status_token_file && deploy_status_check(a, &e) < 0)
		add_problem(to, "the git host is not told of deploys: %s", e.msg);
	if (strcmp(stage, "route") == 0 && is_driver(a, DEPLOY_APP_ROUTE, "none") &&
		option(a, "domain"))
		add_problem(to,
			"domain is set, but nobody leads %s to the app: set route to caddy, nginx, "
			"haproxy or traefik",
			option(a, "domain"));
	if (strcmp(stage, "build") == 0 && is_driver(a, DEPLOY_APP_BUILD, "image") &&
		!option(a, "image") && !a->webhook.provider)
		add_problem(to,
			"the option image is not set: only `agent deploy image %s IMAGE` can "
			"deploy",
			a->name);
	if (strcmp(stage, "start") == 0 && away)
		add_problem(to, "the old version is stopped before the new one starts: the app is "
				"away for a "
				"moment, because of volumes, publish or overlap");
}

/* The template unit is the administrator's. */
static void check_unit(const struct deploy_check *c, struct buf *to)
{
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system",
		"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"};
	const char *unit = option(c->app, "unit");

	if (!unit)
		unit = c->app->name;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		_cleanup_(free_p) char *file =
			str_format("%s%s/%s@.service", c->root ? c->root : "", folders[i], unit);

		if (access(file, F_OK) == 0)
			return;
	}
	add_problem(to, "there is no template unit %s@.service: make one in %s", unit, folders[0]);
}

static void check_repository(const struct deploy_check *c, struct buf *to)
{
	const struct deploy_app *a = c->app;
	_cleanup_(free_p) char *path = deploy_config_repository(c->state_dir, a->name);

	if (a->is_pushed && access(path, F_OK) < 0)
		add_problem(to,
			"there is no source yet: set the option source, or make a repository to "
			"push "
			"to: agent deploy repo %s",
			a->name);
}

static void check_secrets(const struct deploy_check *c, struct buf *to)
{
	_cleanup_(deploy_env_done) struct deploy_env env = {NULL, 0};
	const json_t *name;
	struct err e;
	size_t i;

	if (deploy_env_load(c->state_dir, c->app->name, &env, &e) < 0) {
		add_problem(to, "%s", e.msg);
		return;
	}
	json_array_foreach(json_object_get(c->app->options, "build_secrets"), i, name)
	{
		const char *text = json_string_value(name);

		if (!deploy_env_get(&env, text))
			add_problem(to,
				"%s of build_secrets is not set: agent deploy env %s set %s", text,
				c->app->name, text);
	}
}

static void add_row(json_t *to, const struct hook_stage *s, const char *name,
	const struct hook_file *f, const char *problem, const char *note)
{
	static const char *const roles[] = {
		[HOOK_DRIVER] = "driver",
		[HOOK_GATE] = "gate",
		[HOOK_OBSERVER] = "observer",
	};

	(void)json_array_append_new(to,
		json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:s?, s:s?}", "stage", s->name, "role",
			roles[s->role], "name", name, "path", f->path, "override", f->is_override,
			"problem", *problem ? problem : NULL, "note", *note ? note : NULL));
}

/* "there is no hook build/mkae in /etc/agent/hooks; there are command, dockerfile, image" */
static void say_missing(
	const char *const *folders, const char *stage, const char *name, struct buf *to)
{
	_cleanup_(hook_list_done) struct hook_list list = {NULL, 0};
	_cleanup_(buf_done) struct buf names = BUF_INIT(PROBLEM_MAX / 4);

	(void)hook_find_all(folders, stage, &list, NULL);
	for (size_t i = 0; i < list.n; i++) {
		const char *slash = list.files[i].path ? strrchr(list.files[i].path, '/') : NULL;

		if (slash)
			buf_addf(&names, "%s%s", names.len ? ", " : "", slash + 1);
	}
	add_problem(to, "there is no hook %s/%s in %s; there %s %s", stage, name, folders[0],
		names.len ? "are" : "is", names.len ? buf_str(&names) : "none of that stage");
}

static void check_driver(const struct deploy_check *c, const char *const *folders,
	const struct hook_stage *s, json_t *to)
{
	_cleanup_(hook_file_done) struct hook_file f = {NULL, NULL, false};
	_cleanup_(buf_done) struct buf problem = BUF_INIT(PROBLEM_MAX),
				       note = BUF_INIT(PROBLEM_MAX);
	const char *name = deploy_app_hook(c->app, s->name);

	if (name) {
		hook_find(folders, s->name, name, &f);
		if (f.problem)
			add_problem(&problem, "%s", f.problem);
		else if (!f.path)
			say_missing(folders, s->name, name, &problem);
		else if (!f.is_override)
			check_programs(c, s->name, name, &problem);
	}
	add_notes(c->app, s->name, &note);
	if (strcmp(s->name, "start") == 0 && is_driver(c->app, DEPLOY_APP_SWAP, "systemd") &&
		!f.is_override)
		check_unit(c, &problem);
	if (strcmp(s->name, "fetch") == 0)
		check_repository(c, &problem);
	if (strcmp(s->name, "build") == 0)
		check_secrets(c, &problem);
	add_row(to, s, name, &f, buf_str(&problem), buf_str(&note));
}

static int check_all(
	const char *const *folders, const struct hook_stage *s, json_t *to, struct err *e)
{
	_cleanup_(hook_list_done) struct hook_list list = {NULL, 0};
	int r = hook_find_all(folders, s->name, &list, e);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct hook_file *f = &list.files[i];
		const char *slash = f->path ? strrchr(f->path, '/') : NULL;

		add_row(to, s, slash ? slash + 1 : NULL, f, f->problem ? f->problem : "", "");
	}
	return r;
}

int deploy_check(const struct deploy_check *c, json_t **out, struct err *e)
{
	const char *folders[3] = {NULL, NULL, NULL};
	json_t *rows = json_array();
	size_t n = 0;
	int r = 0;

	if (c->hooks_dir)
		folders[n++] = c->hooks_dir;
	folders[n] = c->shipped_hooks;
	for (const struct hook_stage *s = hook_stages; s->name && r == 0; s++) {
		if (s->role == HOOK_DRIVER)
			check_driver(c, folders, s, rows);
		else
			r = check_all(folders, s, rows, e);
	}
	if (r < 0) {
		json_decref(rows);
		return r;
	}
	*out = rows;
	return 0;
}
