/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_options.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define OWN_GROUP "options."

struct filling {
	const char *prefix; /* "apps.shop." */
	json_t *to;
};

static json_t *time_text(int64_t ms)
{
	char text[32];

	if (ms % 1000)
		(void)snprintf(text, sizeof(text), "%" PRId64 "ms", ms);
	else
		(void)snprintf(text, sizeof(text), "%" PRId64 "s", ms / 1000);
	return json_string(text);
}

static json_t *value_of(const struct option *o, const char *text)
{
	int64_t number = 0;

	switch (o->type) {
	case OPTION_BOOL:
		return json_string(strcmp(text, "true") == 0 ? "yes" : "no");
	case OPTION_DURATION:
		(void)option_parse(o, text, &number, NULL);
		return time_text(number);
	case OPTION_INT:
	case OPTION_SIZE:
		/* Was parsed when the file was read. */
		(void)option_parse(o, text, &number, NULL);
		return json_integer((json_int_t)number);
	case OPTION_ADDRESS:
	case OPTION_CHOICE:
	case OPTION_PATH:
	case OPTION_SECRET_FILE:
	case OPTION_STRING:
		break;
	}
	return json_string(text);
}

static json_t *all_values(const struct config_view *v, bool is_own)
{
	json_t *list;

	if (!(v->option->flags & OPTION_LIST) || (is_own && v->n_values == 1))
		return value_of(v->option, v->values[0]);
	list = json_array();
	for (size_t i = 0; i < v->n_values; i++)
		(void)json_array_append_new(list, value_of(v->option, v->values[i]));
	return list;
}

static bool is_for_hooks(const struct option *o, const char *name)
{
	return o->type != OPTION_SECRET_FILE && !str_starts(name, "webhook.") &&
	       !str_starts(name, "rollback_if.") && !str_starts(name, "status_");
}

static void take(void *user, const struct config_view *v)
{
	const struct filling *f = user;
	const char *name = v->name + strlen(f->prefix);
	_cleanup_(free_p) char *key = NULL;
	bool is_own;

	if (!str_starts(v->name, f->prefix) || !v->n_values || !is_for_hooks(v->option, name))
		return;
	is_own = str_starts(name, OWN_GROUP);
	key = str_dup(is_own ? name + strlen(OWN_GROUP) : name);
	for (char *p = key; *p; p++)
		if (*p == '.')
			*p = '_';
	(void)json_object_set_new(f->to, key, all_values(v, is_own));
}

json_t *deploy_options(const struct config *c, const char *app)
{
	_cleanup_(free_p) char *prefix = str_format("apps.%s.", app);
	struct filling f = {prefix, json_object()};

	config_each(c, take, &f);
	return f.to;
}

/* The row whose name, with `_` for the dots, is this. */
static const struct option *row_of(const char *name)
{
	static const char prefix[] = "apps.*.";

	for (size_t i = 0; i < options_all.n; i++) {
		const char *row = options_all.rows[i].name;
		const char *a = row + strlen(prefix), *b = name;

		if (!str_starts(row, prefix))
			continue;
		while (*a && (*a == *b || (*a == '.' && *b == '_'))) {
			a++;
			b++;
		}
		if (!*a && !*b)
			return &options_all.rows[i];
	}
	return NULL;
}

struct checking {
	const struct config_block *block;
	const char *prefix; /* "apps.shop.options." */
	struct mistakes *mistakes;
};

static void check_one(void *user, const struct config_view *v)
{
	const struct checking *c = user;
	const char *name = v->name + strlen(c->prefix);
	const struct option *row;

	if (!str_starts(v->name, c->prefix))
		return;
	row = row_of(name);
	if (row)
		mistakes_add(c->mistakes, v->origin, 0,
			"%s: is an option of its own; expected %s in apps.%s", v->name,
			row->name + strlen("apps.*."), c->block->name);
	else if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		mistakes_add(c->mistakes, v->origin, 0,
			"%s: no variable can be made of the name; expected a-z, 0-9 and '_'",
			v->name);
}

void deploy_options_check(const struct config_block *b, struct mistakes *m)
{
	_cleanup_(free_p) char *prefix = str_format("%s.%s." OWN_GROUP, b->group, b->name);
	struct checking c = {b, prefix, m};

	config_each(b->config, check_one, &c);
}
