/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/hook.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

enum {
	VARIABLES_MAX = 256, /* far more than there are options */
	COMMITS_MAX = 200,
	FILES_MAX = 5000,
	FILES_BYTES_MAX =
		3 << 20, /* the document, with its escapes, has to fit into CHILD_INPUT_MAX */
};

struct env {
	char *list[VARIABLES_MAX + 1];
	size_t n;
};

/* What came over the network was looked at before; a line end in here would still be the worst place for one. */
static void add(struct env *env, const char *name, const char *value)
{
	char *text;

	if (env->n == VARIABLES_MAX)
		return;
	text = str_format("%s=%s", name, value ? value : "");
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	env->list[env->n++] = text;
}

static void add_number(struct env *env, const char *name, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	add(env, name, text);
}

/* Of the process: an empty one is as good as none. */
static const char *own(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static void add_usual(struct env *env)
{
	add(env, "PATH",
		own("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	/* A service of the system has none, but docker and git look for their settings there. */
	add(env, "HOME", own("HOME", geteuid() == 0 ? "/root" : "/"));
	add(env, "LANG", "C.UTF-8");
	add(env, "TZ", own("TZ", ""));
}

static void add_ref(struct env *env, const char *ref)
{
	static const char heads[] = "refs/heads/", tags[] = "refs/tags/";
	const char *type = "", *name = ref;

	if (str_starts(ref, heads)) {
		type = "branch";
		name += strlen(heads);
	} else if (str_starts(ref, tags)) {
		type = "tag";
		name += strlen(tags);
	}
	add(env, "DEPLOY_REF", ref);
	add(env, "DEPLOY_REF_TYPE", type);
	add(env, "DEPLOY_REF_NAME", name);
}

static void add_deploy(struct env *env, const struct hook_call *c)
{
	const struct deploy *d = c->deploy;
	bool ended = deploy_state_is_end(d->state);

	add(env, "DEPLOY_API", "1");
	add_number(env, "DEPLOY_ID", d->id);
	add(env, "DEPLOY_APP", d->app);
	add(env, "DEPLOY_STAGE", c->stage->name);
	add(env, "DEPLOY_VERB", c->verb);
	add_number(env, "DEPLOY_ATTEMPT", d->attempt ? d->attempt : 1);
	add(env, "DEPLOY_TRIGGER", d->trigger);
	add(env, "DEPLOY_PROVIDER", d->provider);
	add(env, "DEPLOY_REPO", json_string_value(json_object_get(c->options, "source")));
	add_ref(env, d->ref);
	add(env, "DEPLOY_COMMIT", d->commit);
	add(env, "DEPLOY_BEFORE", d->before);
	add(env, "DEPLOY_IMAGE", d->new.image);
	add(env, "DEPLOY_DIGEST", d->new.digest);
	add(env, "DEPLOY_CONTAINER", d->new.container);
	add(env, "DEPLOY_ADDRESS", d->new.address);
	add(env, "DEPLOY_OLD_IMAGE", d->old.image);
	add(env, "DEPLOY_OLD_CONTAINER", d->old.container);
	add(env, "DEPLOY_OLD_ADDRESS", d->old.address);
	add(env, "DEPLOY_RESULT", ended ? deploy_state_name(d->state) : "");
	add(env, "DEPLOY_FAILED_STAGE",
		ended && d->state != DEPLOY_DONE ? deploy_state_name(d->failed_in) : "");
}

static void add_call(struct env *env, const struct hook_call *c)
{
	add(env, "DEPLOY_WORKDIR", c->workdir);
	add(env, "DEPLOY_CACHE", c->cache);
	add(env, "DEPLOY_HOOKS", c->hooks);
	add(env, "DEPLOY_STATE", c->state);
	add(env, "DEPLOY_KEEP", c->keep);
	add_number(env, "DEPLOY_DEADLINE", c->deadline_s);
	add(env, "DEPLOY_DRY_RUN", c->dry_run ? "1" : "");
	add(env, "DEPLOY_OUTPUT", c->output);
	if (c->credentials)
		add(env, "CREDENTIALS_DIRECTORY", c->credentials);
}

/* "port" -> DEPLOY_OPTION_PORT; false: no name of a variable can be made of it. */
static bool option_name(char *to, size_t size, const char *key)
{
	int n = snprintf(to, size, "DEPLOY_OPTION_%s", key);

	if (n < 0 || (size_t)n >= size || !*key)
		return false;
	for (char *p = to + strlen("DEPLOY_OPTION_"); *p; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (*p == '-' || *p == '.')
			*p = '_';
		else if (!(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') && *p != '_')
			return false;
	}
	return true;
}

static void add_scalar(struct buf *b, const json_t *v)
{
	if (json_is_string(v))
		buf_adds(b, json_string_value(v));
	else if (json_is_integer(v))
		buf_addf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		buf_addf(b, "%g", json_real_value(v));
	else if (json_is_boolean(v))
		buf_adds(b, json_is_true(v) ? "yes" : "no");
}

/* After add(), which knows no line ends: those between items are the only ones that are meant. */
static void add_option(struct env *env, const char *name, const json_t *value)
{
	struct buf text = BUF_INIT(HOOK_ENV_MAX);
	const json_t *item;
	size_t i;

	if (env->n == VARIABLES_MAX)
		return;
	buf_addf(&text, "%s=", name);
	if (!json_is_array(value))
		add_scalar(&text, value);
	json_array_foreach(value, i, item)
	{
		if (i)
			buf_addc(&text, '\n');
		add_scalar(&text, item);
	}
	if (text.overflow)
		buf_done(&text);
	else
		env->list[env->n++] = buf_take(&text);
}

char **hook_env(const struct hook_call *c)
{
	struct env *env = calloc(1, sizeof(*env));
	const char *key;
	json_t *value;
	char name[128];
	char **list;

	if (!env)
		abort();
	add_usual(env);
	add_deploy(env, c);
	add_call(env, c);
	json_object_foreach((json_t *)(uintptr_t)c->options, key,
		value) if (option_name(name, sizeof(name), key)) add_option(env, name, value);
	list = calloc(env->n + 1, sizeof(*list));
	if (!list)
		abort();
	memcpy(list, env->list, env->n * sizeof(*list));
	free(env);
	return list;
}

void hook_env_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++)
		free(env[i]);
	free(env);
}

/* The first `most` of an array, of at most `bytes` of text; *cut when that is not all. */
static json_t *first_of(const json_t *array, size_t most, size_t bytes, bool *cut)
{
	json_t *out = json_array();
	const json_t *item;
	size_t i, used = 0;

	json_array_foreach(array, i, item)
	{
		used += json_string_length(item);
		if (i == most || used > bytes) {
			*cut = true;
			break;
		}
		json_array_append(out, (json_t *)(uintptr_t)item);
	}
	return out;
}

static json_t *without_document(const struct deploy *d)
{
	json_t *j = d ? deploy_to_json(d) : json_null();

	if (d)
		(void)json_object_del(j, "document");
	return j;
}

json_t *hook_document(const struct hook_call *c, const struct deploy *previous)
{
	const json_t *told = c->deploy->document;
	bool cut = json_is_true(json_object_get(told, "files_truncated")), commits_cut = false;
	json_t *commits = first_of(
		json_object_get(told, "commits"), COMMITS_MAX, FILES_BYTES_MAX, &commits_cut);
	json_t *files = first_of(json_object_get(told, "files"), FILES_MAX, FILES_BYTES_MAX, &cut);
	json_t *j = json_pack("{s:i, s:o, s:{s:s, s:O?}, s:o, s:o, s:b, s:o}", "v", 1, "deploy",
		without_document(c->deploy), "app", "name", c->deploy->app, "options", c->options,
		"commits", commits, "files", files, "files_truncated", cut, "previous",
		without_document(previous));

	if (!j)
		abort();
	return j;
}
