/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_build.h"
#include "base/str.h"

void config_free(struct config *c)
{
	if (!c)
		return;
	settings_done(&c->settings);
	for (size_t i = 0; i < c->n_patterns; i++) {
		for (size_t j = 0; j < c->patterns[i].n; j++)
			free(c->patterns[i].list[j]);
		free(c->patterns[i].list);
		free(c->patterns[i].group);
	}
	free(c->patterns);
	free(c);
}

/* NULL: in a block that does not exist, or without a value. */
static const struct setting *get(const struct config *c, const char *name, enum option_type type)
{
	const struct setting *s = settings_find(&c->settings, name);
	const struct option *o = s ? s->option : options_find(c->table, name);

	assert(o && o->type == type);
	return s && s->n ? s : NULL;
}

const char *config_string(const struct config *c, const char *name)
{
	const struct setting *s = settings_find(&c->settings, name);

	assert(s ? s->option != NULL : options_find(c->table, name) != NULL);
	return s && s->n ? s->values[0] : NULL;
}

bool config_bool(const struct config *c, const char *name)
{
	const struct setting *s = get(c, name, OPTION_BOOL);

	return s && s->numbers[0];
}

int64_t config_int(const struct config *c, const char *name)
{
	const struct setting *s = get(c, name, OPTION_INT);

	return s ? s->numbers[0] : 0;
}

int64_t config_duration_ms(const struct config *c, const char *name)
{
	const struct setting *s = get(c, name, OPTION_DURATION);

	return s ? s->numbers[0] : 0;
}

int64_t config_size_bytes(const struct config *c, const char *name)
{
	const struct setting *s = get(c, name, OPTION_SIZE);

	return s ? s->numbers[0] : 0;
}

size_t config_choice(const struct config *c, const char *name)
{
	const struct setting *s = get(c, name, OPTION_CHOICE);

	return s ? (size_t)s->numbers[0] : 0;
}

size_t config_list(const struct config *c, const char *name, const char *const **out)
{
	const struct setting *s = settings_find(&c->settings, name);

	assert(s ? s->option != NULL : options_find(c->table, name) != NULL);
	*out = s ? (const char *const *)s->values : NULL;
	return s ? s->n : 0;
}

size_t config_names(const struct config *c, const char *group, const char **out, size_t max)
{
	_cleanup_(free_p) char *prefix = str_format("%s.", group);
	size_t len = strlen(prefix), n = 0;

	for (size_t i = settings_position(&c->settings, prefix); i < c->settings.n; i++) {
		const char *name = c->settings.list[i].name;

		if (!str_starts(name, prefix))
			break;
		if (strchr(name + len, '.'))
			continue;
		if (n < max)
			out[n] = name + len;
		n++;
	}
	return n;
}

bool config_is_set(const struct config *c, const char *name)
{
	const struct setting *s = settings_find(&c->settings, name);

	return s && s->chosen;
}

const char *config_origin(const struct config *c, const char *name)
{
	const struct setting *s = settings_find(&c->settings, name);

	return s ? s->origin : NULL;
}

struct patterns config_patterns(const struct config *c, const char *group)
{
	for (size_t i = 0; i < c->n_patterns; i++)
		if (strcmp(c->patterns[i].group, group) == 0)
			return (struct patterns){
				(const char *const *)c->patterns[i].list, c->patterns[i].n};
	assert(false); /* no such group */
	return (struct patterns){NULL, 0};
}

const struct rrd_layout *config_layout(const struct config *c)
{
	return &c->layout;
}

void config_each(const struct config *c, config_view_fn fn, void *user)
{
	for (size_t i = 0; i < c->settings.n; i++) {
		const struct setting *s = &c->settings.list[i];
		struct config_view v = {
			s->name, s->option, (const char *const *)s->values, s->n, s->origin};

		if (s->option)
			fn(user, &v);
	}
}

size_t config_diff(
	const struct config *before, const struct config *after, config_diff_fn fn, void *user)
{
	const struct settings *a = &before->settings, *b = &after->settings;
	size_t i = 0, j = 0, n = 0;

	while (i < a->n || j < b->n) {
		int order = i == a->n   ? 1
			    : j == b->n ? -1
					: strcmp(a->list[i].name, b->list[j].name);
		const char *name = order <= 0 ? a->list[i].name : b->list[j].name;

		if (order != 0 || !setting_equal(&a->list[i], &b->list[j])) {
			fn(user, name);
			n++;
		}
		i += order <= 0;
		j += order >= 0;
	}
	return n;
}
