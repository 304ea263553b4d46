/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_env.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"

static void wipe_text(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void wipe_buf(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}

void deploy_env_done(struct deploy_env *env)
{
	for (size_t i = 0; i < env->n; i++) {
		free(env->list[i].name);
		wipe_text(&env->list[i].value);
	}
	free(env->list);
	*env = (struct deploy_env){NULL, 0};
}

static char *path_of(const char *state_dir, const char *app)
{
	return str_format("%s/deploys/%s/env", state_dir, app);
}

static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= DEPLOY_ENV_NAME_MAX && !isdigit((unsigned char)*name) &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static int check(const char *name, const char *value, struct err *e)
{
	if (!name_is_valid(name))
		return err_set(e, EINVAL,
			"\"%.64s\" is not the name of a variable; expected letters, digits and "
			"'_', at most %d",
			name, DEPLOY_ENV_NAME_MAX);
	if (strlen(value) > DEPLOY_ENV_VALUE_MAX)
		return err_set(e, EINVAL, "the value of %s is longer than %d bytes", name,
			DEPLOY_ENV_VALUE_MAX);
	for (const char *p = value; *p; p++) {
		if (*p == '\n' || *p == '\r')
			return err_set(e, EINVAL,
				"the value of %s has more than one line, which a file of variables "
				"cannot have; a volume with the file, or base64, can",
				name);
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return err_set(e, EINVAL, "the value of %s has control characters", name);
	}
	return 0;
}

/* Where the name is, or would be. */
static size_t place_of(const struct deploy_env *env, const char *name)
{
	size_t i = 0;

	while (i < env->n && strcmp(env->list[i].name, name) < 0)
		i++;
	return i;
}

static bool is_at(const struct deploy_env *env, size_t i, const char *name)
{
	return i < env->n && strcmp(env->list[i].name, name) == 0;
}

static size_t size_of(const struct deploy_env *env)
{
	size_t n = 0;

	for (size_t i = 0; i < env->n; i++)
		n += strlen(env->list[i].name) + strlen(env->list[i].value) + 2;
	return n;
}

static int make_room(struct deploy_env *env, size_t at, struct err *e)
{
	if (env->n == DEPLOY_ENV_COUNT_MAX)
		return err_set(e, EINVAL, "more than %d variables", DEPLOY_ENV_COUNT_MAX);
	env->list = reallocarray(env->list, env->n + 1, sizeof(*env->list));
	if (!env->list)
		abort();
	memmove(&env->list[at + 1], &env->list[at], (env->n - at) * sizeof(*env->list));
	env->list[at] = (struct deploy_variable){NULL, NULL};
	env->n++;
	return 0;
}

int deploy_env_set(struct deploy_env *env, const char *name, const char *value, struct err *e)
{
	size_t at = place_of(env, name);
	bool is_new = !is_at(env, at, name);
	size_t had = is_new ? 0 : strlen(name) + strlen(env->list[at].value) + 2;
	int r = check(name, value, e);

	if (r < 0)
		return r;
	if (size_of(env) - had + strlen(name) + strlen(value) + 2 > DEPLOY_ENV_MAX)
		return err_set(e, EINVAL, "the variables of one app have at most %d bytes together",
			DEPLOY_ENV_MAX);
	if (is_new) {
		r = make_room(env, at, e);
		if (r < 0)
			return r;
		env->list[at].name = str_dup(name);
	}
	wipe_text(&env->list[at].value);
	env->list[at].value = str_dup(value);
	return 0;
}

static const char *nearest(const struct deploy_env *env, const char *name)
{
	size_t best = strlen(name) / 3 + 2;
	const char *near = NULL;

	for (size_t i = 0; i < env->n; i++) {
		size_t d = str_distance(env->list[i].name, name);

		if (d >= best)
			continue;
		best = d;
		near = env->list[i].name;
	}
	return near;
}

int deploy_env_unset(struct deploy_env *env, const char *name, struct err *e)
{
	size_t at = place_of(env, name);
	const char *near;

	if (is_at(env, at, name)) {
		free(env->list[at].name);
		wipe_text(&env->list[at].value);
		env->n--;
		memmove(&env->list[at], &env->list[at + 1], (env->n - at) * sizeof(*env->list));
		return 0;
	}
	near = nearest(env, name);
	return err_set(e, ENOENT, "there is no variable \"%.64s\"%s%s%s", name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

const char *deploy_env_get(const struct deploy_env *env, const char *name)
{
	size_t at = place_of(env, name);

	return is_at(env, at, name) ? env->list[at].value : NULL;
}

/* Cuts the text up; what it says about a bad line never has the line in it. */
static int take_lines(char *text, const char *path, struct deploy_env *out, struct err *e)
{
	unsigned number = 1;

	for (char *line = text, *end; *line; line = end, number++) {
		char *equals;

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		if (!*line || *line == '#')
			continue;
		equals = strchr(line, '=');
		if (!equals)
			return err_set(e, EBADMSG, "%s:%u: expected NAME=value", path, number);
		*equals = '\0';
		if (deploy_env_set(out, line, equals + 1, NULL) < 0)
			return err_set(
				e, EBADMSG, "%s:%u: expected a variable in one line", path, number);
	}
	return 0;
}

int deploy_env_load(const char *state_dir, const char *app, struct deploy_env *out, struct err *e)
{
	_cleanup_(free_p) char *path = path_of(state_dir, app);
	_cleanup_(wipe_buf) struct buf text = BUF_INIT(DEPLOY_ENV_MAX);
	_cleanup_(deploy_env_done) struct deploy_env env = {NULL, 0};
	int r;

	*out = env;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	/* All at once: what grows leaves copies behind. */
	(void)buf_reserve(&text, DEPLOY_ENV_MAX);
	r = fs_check_secret(AT_FDCWD, path, e);
	if (r == 0)
		r = fs_read(AT_FDCWD, path, &text, e);
	if (r == 0 && memchr(buf_str(&text), '\0', text.len))
		r = err_set(e, EBADMSG, "%s is not text", path);
	if (r == 0 && text.len)
		r = take_lines(text.data, path, &env, e);
	if (r < 0)
		return r;
	*out = env;
	env = (struct deploy_env){NULL, 0};
	return 0;
}

int deploy_env_store(
	const char *state_dir, const char *app, const struct deploy_env *env, struct err *e)
{
	_cleanup_(free_p) char *folder = str_format("%s/deploys/%s", state_dir, app);
	_cleanup_(free_p) char *path = path_of(state_dir, app);
	_cleanup_(wipe_buf) struct buf text = BUF_INIT(DEPLOY_ENV_MAX);
	int r = fs_mkdirs(folder, 0700, e);

	if (r < 0)
		return r;
	(void)buf_reserve(&text, DEPLOY_ENV_MAX);
	for (size_t i = 0; i < env->n; i++)
		buf_addf(&text, "%s=%s\n", env->list[i].name, env->list[i].value);
	return fs_write_atomic(AT_FDCWD, path, buf_str(&text), text.len, 0600, e);
}

static int set_all(struct deploy_env *env, const json_t *set, struct err *e)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)set, name, value)
	{
		const char *text = json_string_value(value);
		int r;

		if (!text || strlen(text) != json_string_length(value))
			return err_set(e, EINVAL, "the value of \"%.64s\" is not text", name);
		r = deploy_env_set(env, name, text, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int unset_all(struct deploy_env *env, const json_t *unset, struct err *e)
{
	const json_t *name;
	size_t i;

	json_array_foreach(unset, i, name)
	{
		const char *text = json_string_value(name);
		int r = text ? deploy_env_unset(env, text, e)
			     : err_set(e, EINVAL, "the name of a variable is text");

		if (r < 0)
			return r;
	}
	return 0;
}

int deploy_env_change(const char *state_dir, const char *app, const json_t *set,
	const json_t *unset, json_t **names, struct err *e)
{
	_cleanup_(deploy_env_done) struct deploy_env env = {NULL, 0};
	int r = deploy_env_load(state_dir, app, &env, e);

	if (r == 0)
		r = set_all(&env, set, e);
	if (r == 0)
		r = unset_all(&env, unset, e);
	if (r == 0 && (json_object_size(set) || json_array_size(unset)))
		r = deploy_env_store(state_dir, app, &env, e);
	if (r < 0)
		return r;
	*names = json_array();
	for (size_t i = 0; i < env.n; i++)
		(void)json_array_append_new(*names, json_string(env.list[i].name));
	return 0;
}
