/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct filling {
	const char *prefix; /* "databases.shop." */
	json_t *to;
};

static json_t *value_of(const struct option *o, const char *text)
{
	int64_t number = 0;

	switch (o->type) {
	case OPTION_BOOL:
		return json_boolean(strcmp(text, "true") == 0);
	case OPTION_DURATION:
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

static json_t *all_values(const struct config_view *v)
{
	json_t *list;

	if (!(v->option->flags & OPTION_LIST))
		return value_of(v->option, v->values[0]);
	list = json_array();
	for (size_t i = 0; i < v->n_values; i++)
		(void)json_array_append_new(list, value_of(v->option, v->values[i]));
	return list;
}

/* The object that holds the last part of the name, made when it is not there. */
static json_t *holder(json_t *to, const char **name)
{
	const char *dot;

	while ((dot = strchr(*name, '.'))) {
		_cleanup_(free_p) char *part = str_ndup(*name, (size_t)(dot - *name));
		json_t *inner = json_object_get(to, part);

		if (!inner) {
			inner = json_object();
			(void)json_object_set_new(to, part, inner);
		}
		to = inner;
		*name = dot + 1;
	}
	return to;
}

static void take(void *user, const struct config_view *v)
{
	const struct filling *f = user;
	const char *name = v->name + strlen(f->prefix);
	json_t *to;

	if (!str_starts(v->name, f->prefix) || !v->n_values || v->option->flags & OPTION_SECRET)
		return;
	to = holder(f->to, &name);
	(void)json_object_set_new(to, name, all_values(v));
}

json_t *backup_settings(const struct config *c, const char *group, const char *name)
{
	_cleanup_(free_p) char *prefix = str_format("%s.%s.", group, name);
	struct filling f = {prefix, json_pack("{s:s}", "name", name)};

	config_each(c, take, &f);
	return f.to;
}
