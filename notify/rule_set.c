/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "notify/rule_impl.h"

const struct rule_settings *rule_builtin_find(const char *name)
{
	for (size_t i = 0; name && i < rules_builtin_count; i++)
		if (strcmp(rules_builtin[i].name, name) == 0)
			return &rules_builtin[i];
	return NULL;
}

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		free(list[i]);
	free(list);
}

static void rule_done(struct rule *r)
{
	free(r->name);
	free(r->doc);
	free(r->origin);
	free_list(r->entities, r->n_entities);
	free_list(r->labels, r->n_labels);
	free_list(r->channels, r->n_channels);
}

void rule_set_free(struct rule_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		rule_done(&s->rules[i]);
	free(s->rules);
	free_list(s->off, s->n_off);
	free(s);
}

static struct rule_set *set_new(size_t max_off)
{
	struct rule_set *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->off = calloc(max_off + 1, sizeof(*s->off));
	if (!s->off)
		abort();
	return s;
}

/* The nearest built-in rule: who writes one without a metric meant to change that. */
static const char *near_builtin(const char *name)
{
	size_t best = strlen(name) / 3 + 2;
	const char *near = NULL;

	for (size_t i = 0; i < rules_builtin_count; i++) {
		size_t d = str_distance(rules_builtin[i].name, name);

		if (d >= best)
			continue;
		best = d;
		near = rules_builtin[i].name;
	}
	return near;
}

static int compile(const struct rule_source *src, struct rule_set *set, struct err *e)
{
	const char *near = NULL;
	int r = rule_compile(src, set, e);

	if (r < 0 && src->own && !src->builtin && src->s.name && !src->s.metric)
		near = near_builtin(src->s.name);
	if (near)
		return err_set(e, -r,
			"metric: is missing, and there is no built-in rule \"%.64s\"; did you mean "
			"\"%s\"?",
			src->s.name, near);
	return r;
}

int rule_check(const struct rule_settings *s, struct err *e)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_new(0);
	struct rule_source src;

	rule_source_init(&src, rule_builtin_find(s->name), s);
	return compile(&src, set, e);
}

static int add(struct rule_set *set, const struct rule_settings *builtin,
	const struct rule_settings *own, struct err *e)
{
	struct rule_source src;
	int r;

	rule_source_init(&src, builtin, own);
	if (src.s.enabled == 0) {
		set->off[set->n_off++] = str_dup(src.s.name ? src.s.name : "");
		return 0;
	}
	r = compile(&src, set, e);
	return err_wrap(e, r, "rule \"%.64s\" (%s)", src.s.name ? src.s.name : "",
		src.s.origin ? src.s.origin : "of unknown origin");
}

static const struct rule_settings *find(const struct rule_settings *own, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (own[i].name && strcmp(own[i].name, name) == 0)
			return &own[i];
	return NULL;
}

static size_t class_number(const struct entity_class *c)
{
	size_t i = 0;

	while (entity_classes[i] && entity_classes[i] != c)
		i++;
	return i;
}

static int compare(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;
	size_t cx = class_number(x->class), cy = class_number(y->class);

	if (cx != cy)
		return cx < cy ? -1 : 1;
	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void sort(struct rule_set *set)
{
	if (set->n)
		qsort(set->rules, set->n, sizeof(*set->rules), compare);
	for (size_t i = 0; i < set->n; i++)
		set->rules[i].number = (unsigned)i;
}

int rule_set_new(const struct rule_settings *own, size_t n, struct rule_set **out, struct err *e)
{
	_cleanup_(rule_set_free_p) struct rule_set *set = set_new(rules_builtin_count + n);
	int r = 0;

	for (size_t i = 0; i < rules_builtin_count && r == 0; i++)
		r = add(set, &rules_builtin[i], find(own, n, rules_builtin[i].name), e);
	for (size_t i = 0; i < n && r == 0; i++)
		if (!rule_builtin_find(own[i].name))
			r = add(set, NULL, &own[i], e);
	if (r < 0)
		return r;
	sort(set);
	*out = TAKE_PTR(set);
	return 0;
}
