/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_secrets.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploy_config_app.h"
#include "agent/deploy_env.h"
#include "agent/secret.h"
#include "base/buf.h"
#include "base/str.h"

static void wipe_buf(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}

void deploy_secrets_done(struct deploy_secrets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		char *value = (char *)(uintptr_t)s->list[i].value;

		explicit_bzero(value, strlen(value));
		free(value);
		free((char *)(uintptr_t)s->list[i].name);
	}
	free(s->list);
	*s = (struct deploy_secrets){NULL, 0};
}

/* Takes `name` over. */
static void add(struct deploy_secrets *s, char *name, const char *value)
{
	s->list = reallocarray(s->list, s->n + 1, sizeof(*s->list));
	if (!s->list)
		abort();
	s->list[s->n++] = (struct deploy_secret){name, str_dup(value)};
}

static void add_text(struct deploy_secrets *s, const char *name, const char *value)
{
	if (value)
		add(s, str_dup(name), value);
}

static int add_file(struct deploy_secrets *s, const char *name, const char *option,
	const char *source, struct err *e)
{
	_cleanup_(wipe_buf) struct buf text = BUF_INIT(SECRET_MAX);
	struct err why;
	int r;

	if (!source)
		return 0;
	(void)buf_reserve(&text, SECRET_MAX);
	r = secret_read_text(source, &text, &why);
	if (r < 0)
		return err_set(e, -r, "%s: %s", option, why.msg);
	add(s, str_dup(name), buf_str(&text));
	return 0;
}

static void add_env(struct deploy_secrets *s, const struct deploy_env *env)
{
	_cleanup_(wipe_buf) struct buf text = BUF_INIT(DEPLOY_ENV_MAX);

	if (!env->n)
		return;
	(void)buf_reserve(&text, DEPLOY_ENV_MAX);
	for (size_t i = 0; i < env->n; i++)
		buf_addf(&text, "%s=%s\n", env->list[i].name, env->list[i].value);
	add(s, str_dup("env"), buf_str(&text));
}

static int add_of_build(const struct deploy_app *a, struct deploy_secrets *s,
	const struct deploy_env *env, struct err *e)
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(a->options, "build_secrets"), i, name)
	{
		const char *text = json_string_value(name);
		const char *value = deploy_env_get(env, text);

		if (!value)
			return err_set(e, ENOENT,
				"build_secrets: %s is not set: agent deploy env %s set %s", text,
				a->name, text);
		add(s, str_format("build-%s", text), value);
	}
	if (strcmp(a->drivers[DEPLOY_APP_BUILD], "compose") == 0)
		add_env(s, env);
	return 0;
}

/* Of those that ship only build/image logs in. */
static bool build_pulls(const struct deploy_app *a)
{
	const char *build = a->drivers[DEPLOY_APP_BUILD];

	return strcmp(build, "image") == 0 || !deploy_config_app_ships(DEPLOY_APP_BUILD, build);
}

static int add_registry(const struct deploy_app *a, struct deploy_secrets *s, struct err *e)
{
	add_text(s, "registry-user", a->registry_user);
	return add_file(
		s, "registry-password", "registry_password_file", a->registry_password_file, e);
}

static int add_git(const struct deploy_app *a, struct deploy_secrets *s, struct err *e)
{
	int r = add_file(s, "deploy-key", "deploy_key_file", a->deploy_key_file, e);

	if (r == 0)
		r = add_file(s, "git-token", "git_token_file", a->git_token_file, e);
	add_text(s, "git-user", a->git_user);
	return r;
}

int deploy_secrets_load(const struct deploy_app *a, const char *state_dir, const char *stage,
	struct deploy_secrets *out, struct err *e)
{
	_cleanup_(deploy_secrets_done) struct deploy_secrets s = {NULL, 0};
	_cleanup_(deploy_env_done) struct deploy_env env = {NULL, 0};
	bool build = strcmp(stage, "build") == 0;
	bool runs = strcmp(stage, "start") == 0 || strcmp(stage, "release") == 0;
	int r = 0;

	if (build || runs)
		r = deploy_env_load(state_dir, a->name, &env, e);
	if (r == 0 && runs)
		add_env(&s, &env);
	if (r == 0 && build)
		r = add_of_build(a, &s, &env, e);
	if (r == 0 && ((build && build_pulls(a)) || strcmp(stage, "push") == 0))
		r = add_registry(a, &s, e);
	if (r == 0 && strcmp(stage, "fetch") == 0)
		r = add_git(a, &s, e);
	if (r < 0)
		return r;
	*out = s;
	s = (struct deploy_secrets){NULL, 0};
	return 0;
}

void deploy_secrets_hide(const struct deploy_app *a, const char *state_dir, struct deploy_log *log)
{
	_cleanup_(deploy_secrets_done) struct deploy_secrets s = {NULL, 0};
	_cleanup_(deploy_env_done) struct deploy_env env = {NULL, 0};

	if (deploy_env_load(state_dir, a->name, &env, NULL) == 0)
		for (size_t i = 0; i < env.n; i++)
			deploy_log_hide(log, env.list[i].value);
	/* Names of users are none. */
	(void)add_file(&s, "deploy-key", "", a->deploy_key_file, NULL);
	(void)add_file(&s, "git-token", "", a->git_token_file, NULL);
	(void)add_file(&s, "registry-password", "", a->registry_password_file, NULL);
	for (size_t i = 0; i < s.n; i++)
		deploy_log_hide(log, s.list[i].value);
}
