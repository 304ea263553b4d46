/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config_build.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/retention.h"
#include "agent/system_default.h"
#include "base/str.h"

struct filling {
	struct setting *setting;
	const struct option *option;
};

static void fill_value(void *user, const char *value)
{
	struct filling *f = user;
	int64_t number = 0;
	int r = option_parse(f->option, value, &number, NULL);

	assert(r == 0); /* a test parses all defaults */
	setting_add(f->setting, value, number);
}

static void fill_default(struct config *c, const struct option *o, const char *name)
{
	struct filling f = {NULL, o};
	char text[256];

	if (settings_find(&c->settings, name) || o->flags & OPTION_EXAMPLE)
		return;
	if (o->flags & OPTION_SYSTEM) {
		f.setting = settings_put(&c->settings, name, o, "system", false);
		system_default(name, text, sizeof(text));
		setting_add(f.setting, text, 0);
		return;
	}
	f.setting = settings_put(&c->settings, name, o, "default", false);
	option_each_default(o, fill_value, &f);
}

/* The part of the row's name up to its last '*', or NULL when there is none. */
static char *block_pattern(const struct option *o)
{
	const char *star = strrchr(o->name, '*');

	return star ? str_ndup(o->name, (size_t)(star - o->name) + 1) : NULL;
}

/* Whether the group `name` is one of those the pattern "stores.*" means. */
static bool is_block(const char *pattern, const char *name)
{
	struct option row = {.name = pattern};
	struct options table = {&row, 1};

	return options_find(&table, name) != NULL;
}

/* The group in which the option would be written exists, so a required one must be there. */
static void check_required(struct config *c, const char *name, struct mistakes *m)
{
	const char *dot = strrchr(name, '.');
	_cleanup_(free_p) char *group = str_ndup(name, (size_t)(dot - name));
	const struct setting *s = settings_find(&c->settings, group);

	if (s && !settings_find(&c->settings, name) && !mistakes_name(m, name))
		mistakes_add(m, s->origin, 0, "%s: %s is missing", group, dot + 1);
}

static void fill_block(
	struct config *c, const struct option *o, const char *block, struct mistakes *m)
{
	const char *rest = strrchr(o->name, '*') + 1;
	_cleanup_(free_p) char *name = NULL;

	if (!*rest)
		return; /* "env.*": there is nothing the user did not name */
	name = str_format("%s%s", block, rest);
	if (o->flags & OPTION_REQUIRED)
		check_required(c, name, m);
	fill_default(c, o, name);
}

/* An option in named blocks has its default in each block there is. */
static void fill_blocks(struct config *c, const struct option *o, struct mistakes *m)
{
	_cleanup_(free_p) char *pattern = block_pattern(o);
	char **blocks = NULL;
	size_t n = 0;

	/* Collected first: filling in moves the list. */
	for (size_t i = 0; i < c->settings.n; i++) {
		const struct setting *s = &c->settings.list[i];

		if (s->option || !is_block(pattern, s->name))
			continue;
		blocks = reallocarray(blocks, n + 1, sizeof(*blocks));
		if (!blocks)
			abort();
		blocks[n++] = str_dup(s->name);
	}
	for (size_t i = 0; i < n; i++) {
		fill_block(c, o, blocks[i], m);
		free(blocks[i]);
	}
	free(blocks);
}

static void fill_retention(struct config *c)
{
	const struct option *o = options_find(c->table, "retention");
	struct setting *s = settings_put(&c->settings, "retention", o, "default", false);
	char text[RETENTION_TEXT_MAX];

	retention_default(c->layout.step_seconds, &c->layout);
	for (size_t i = 0; i < c->layout.n_archives; i++) {
		retention_format(text, sizeof(text), &c->layout.archives[i]);
		setting_add(s, text, 0);
	}
}

static void build_layout(struct config *c, struct mistakes *m)
{
	const struct setting *interval = settings_find(&c->settings, "interval");
	const struct setting *s = settings_find(&c->settings, "retention");
	struct err e;

	if (!interval || !s)
		return; /* a table of a test */
	c->layout.step_seconds = interval->numbers[0] / 1000;
	if (!s->chosen) {
		fill_retention(c);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		if (rrd_archive_parse(s->values[i], 1, &c->layout.archives[i], &e) < 0)
			mistakes_add(m, s->origin, 0, "retention: %s", e.msg);
	c->layout.n_archives = s->n;
	if (retention_check(&c->layout, &e) < 0)
		mistakes_add(m, s->origin, 0, "retention: %s", e.msg);
}

static void add_patterns(struct pattern_group *g, const struct setting *s, const char *mark)
{
	for (size_t i = 0; s && i < s->n; i++)
		g->list[g->n++] = str_format("%s%s", mark, s->values[i]);
}

static void build_patterns(struct config *c, const char *group)
{
	_cleanup_(free_p) char *exclude = str_format("%s.exclude", group);
	_cleanup_(free_p) char *include = str_format("%s.include", group);
	const struct setting *out = settings_find(&c->settings, exclude);
	const struct setting *in = settings_find(&c->settings, include);
	struct pattern_group *g;

	c->patterns = reallocarray(c->patterns, c->n_patterns + 1, sizeof(*c->patterns));
	if (!c->patterns)
		abort();
	g = &c->patterns[c->n_patterns++];
	*g = (struct pattern_group){str_dup(group), NULL, 0};
	g->list = calloc((out ? out->n : 0) + (in ? in->n : 0) + 1, sizeof(*g->list));
	if (!g->list)
		abort();
	add_patterns(g, out, "!");
	add_patterns(g, in, "");
	if (in && in->n)
		g->list[g->n++] = str_dup("!*");
}

void config_build(struct config *c, struct mistakes *m)
{
	for (size_t i = 0; i < c->table->n; i++) {
		const struct option *o = &c->table->rows[i];

		if (strchr(o->name, '*'))
			fill_blocks(c, o, m);
		else
			fill_default(c, o, o->name);
	}
	build_layout(c, m);
	for (size_t i = 0; i < c->table->n; i++) {
		const char *name = c->table->rows[i].name;
		_cleanup_(free_p) char *group = NULL;

		if (!str_ends(name, ".include") || strchr(name, '*'))
			continue;
		group = str_ndup(name, strlen(name) - strlen(".include"));
		build_patterns(c, group);
	}
}
