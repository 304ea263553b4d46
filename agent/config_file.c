/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config_file.h"

#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_parse.h"
#include "agent/secret.h"
#include "base/cleanup.h"
#include "base/str.h"

struct walk {
	const struct options *table;
	const struct config_text *text;
	struct settings *into;
	struct mistakes *mistakes;
	unsigned until; /* settings from this line on are what a syntax error left */
};

static void mistake(const struct walk *w, const config_setting_t *s, const char *name,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void mistake(
	const struct walk *w, const config_setting_t *s, const char *name, const char *fmt, ...)
{
	const char *file;
	unsigned line;
	char text[900];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	config_text_where(w->text, config_setting_source_line(s), &file, &line);
	mistakes_add(w->mistakes, file, line, "%s: %s", name, text);
}

/* What libconfig must have seen for a value of this option. */
static bool type_fits(const struct option *o, const config_setting_t *s)
{
	int type = config_setting_type(s);

	if (o->type == OPTION_BOOL)
		return type == CONFIG_TYPE_BOOL;
	if (o->type == OPTION_INT)
		return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
	return type == CONFIG_TYPE_STRING;
}

/* The value as the user would write it without quotes; "" for a group or list. */
static void value_text(const config_setting_t *s, char *to, size_t size)
{
	*to = '\0';
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_BOOL:
		(void)str_copy(to, size, config_setting_get_bool(s) ? "true" : "false");
		break;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		(void)snprintf(to, size, "%lld", config_setting_get_int64(s));
		break;
	case CONFIG_TYPE_FLOAT:
		(void)snprintf(to, size, "%g", config_setting_get_float(s));
		break;
	case CONFIG_TYPE_STRING:
		(void)str_copy(to, size, config_setting_get_string(s));
		break;
	}
}

static void wrong_type(
	const struct walk *w, const struct option *o, const config_setting_t *s, const char *name)
{
	char expected[256], value[200];
	struct option one = *o;

	if (o->flags & OPTION_LIST && !config_setting_is_aggregate(s))
		one = (struct option){.type = o->type, .choices = o->choices};
	option_describe(&one, expected, sizeof(expected));
	value_text(s, value, sizeof(value));
	if (config_setting_is_aggregate(s))
		mistake(w, s, name, "is a %s; expected %s",
			config_setting_is_group(s) ? "group" : "list", expected);
	else if (o->type == OPTION_BOOL || o->type == OPTION_INT)
		mistake(w, s, name, "expected %s, without quotes", expected);
	else if (o->type == OPTION_DURATION && config_setting_is_number(s))
		mistake(w, s, name, "%s has no unit; expected %s, such as \"%ss\"", value, expected,
			value);
	else if (o->type == OPTION_SIZE && config_setting_is_number(s))
		mistake(w, s, name, "%s is a bare number; expected %s, such as \"%sM\"", value,
			expected, value);
	else
		mistake(w, s, name, "expected %s, in quotes: \"%s\"", expected, value);
}

static bool is_utf8(const char *s)
{
	while (*s) {
		size_t n = str_utf8_char(s);

		if (!n)
			return false;
		s += n;
	}
	return true;
}

/* One checked value into `to`; false when it has a mistake, which is reported. */
static bool take_value(const struct walk *w, const struct option *o, const config_setting_t *s,
	const char *name, struct setting *to)
{
	char text[OPTION_VALUE_MAX + 2];
	int64_t number;
	struct err e;

	if (!type_fits(o, s)) {
		wrong_type(w, o, s, name);
		return false;
	}
	value_text(s, text, sizeof(text));
	if (!is_utf8(text)) {
		mistake(w, s, name, "the value is not valid UTF-8");
		return false;
	}
	if (option_parse(o, text, &number, &e) < 0 ||
		(o->type == OPTION_SECRET_FILE && secret_check(text, &e) < 0)) {
		mistake(w, s, name, "%s", e.msg);
		return false;
	}
	setting_add(to, text, number);
	return true;
}

static bool take_list(const struct walk *w, const struct option *o, const config_setting_t *s,
	const char *name, struct setting *to)
{
	int n = config_setting_length(s);
	bool ok = true;

	if (n < o->min || n > o->max) {
		mistake(w, s, name, "has %d values; expected %d to %d", n, (int)o->min,
			(int)o->max);
		return false;
	}
	for (int i = 0; i < n; i++)
		ok = take_value(w, o, config_setting_get_elem(s, (unsigned)i), name, to) && ok;
	return ok;
}

static void take_option(
	const struct walk *w, const struct option *o, const config_setting_t *s, const char *name)
{
	bool list = config_setting_is_array(s) || config_setting_is_list(s);
	struct settings one = {NULL, 0, 0};
	struct setting *from, *to;
	char origin[1100];
	const char *file;
	unsigned line;

	config_text_where(w->text, config_setting_source_line(s), &file, &line);
	(void)snprintf(origin, sizeof(origin), "%s:%u", file, line);
	from = settings_put(&one, name, o, origin, true);
	/* A list of one may be written without brackets. */
	if (list && o->flags & OPTION_LIST ? take_list(w, o, s, name, from)
					   : take_value(w, o, s, name, from)) {
		to = settings_put(w->into, name, o, origin, true);
		for (size_t i = 0; i < from->n; i++)
			setting_add(to, from->values[i], from->numbers[i]);
	}
	settings_done(&one);
}

static void unknown_name(
	const struct walk *w, const config_setting_t *s, const char *parent, const char *name)
{
	const char *word = config_setting_name(s);
	char near[OPTION_NAME_MAX];

	if (options_nearest(w->table, parent, word, near, sizeof(near)))
		mistake(w, s, name, "there is no such option; did you mean %s?", near);
	else
		mistake(w, s, name, "there is no such option");
}

/* Whether the parser gave the name its '*', because the group has it twice. Reported there. */
static bool is_given_twice(const config_setting_t *s)
{
	const char *word = config_setting_name(s);
	size_t n = strlen(word);
	_cleanup_(free_p) char *plain = NULL;

	while (n && word[n - 1] == '*')
		n--;
	plain = str_ndup(word, n);
	return word[n] && config_setting_get_member(config_setting_parent(s), plain);
}

static void walk_group(const struct walk *w, const config_setting_t *group, const char *parent);

static void walk_member(const struct walk *w, const config_setting_t *s, const char *parent)
{
	const char *word = config_setting_name(s);
	char name[OPTION_NAME_MAX], origin[1100];
	const struct option *o;
	const char *file;
	unsigned line;

	if ((size_t)snprintf(name, sizeof(name), "%s%s%s", parent, *parent ? "." : "", word) >=
		sizeof(name)) {
		mistake(w, s, word, "the name is too long");
		return;
	}
	if (is_given_twice(s))
		return;
	if (strchr(word, '*')) {
		mistake(w, s, name, "a name cannot have '*' in it");
		return;
	}
	o = options_find(w->table, name);
	if (o) {
		take_option(w, o, s, name);
		return;
	}
	if (!options_is_group(w->table, name)) {
		unknown_name(w, s, parent, name);
		return;
	}
	if (!config_setting_is_group(s)) {
		mistake(w, s, name, "expected a group: { NAME = VALUE ... }");
		return;
	}
	config_text_where(w->text, config_setting_source_line(s), &file, &line);
	(void)snprintf(origin, sizeof(origin), "%s:%u", file, line);
	if (!settings_find(w->into, name))
		(void)settings_put(w->into, name, NULL, origin, true);
	walk_group(w, s, name);
}

static void walk_group(const struct walk *w, const config_setting_t *group, const char *parent)
{
	int n = config_setting_length(group);

	for (int i = 0; i < n; i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);

		if (config_setting_source_line(s) < w->until)
			walk_member(w, s, parent);
	}
}

void config_file_take(const struct options *table, const struct config_text *t,
	struct settings *into, struct mistakes *m)
{
	struct walk w = {table, t, into, m, 0};
	config_t parsed;

	config_parse(&parsed, t, &w.until, m);
	if (config_root_setting(&parsed))
		walk_group(&w, config_root_setting(&parsed), "");
	config_destroy(&parsed);
}
