/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/address.h"
#include "agent/option_check.h"
#include "agent/option_check_apps.h"
#include "agent/secret.h"
#include "base/cleanup.h"
#include "base/str.h"

#define OPTION(name, type, flags, dflt, min, max, choices, check, doc)                             \
	{name, OPTION_##type, flags, dflt, min, max, choices, check, doc},
static const struct option rows[] = {
#include "agent/options.def"
};

const struct options options_all = {rows, ARRAY_LEN(rows)};

/* Length of the segment at s. */
static size_t segment(const char *s)
{
	return strcspn(s, ".");
}

static bool segment_matches(const char *pattern, const char *name)
{
	size_t n = segment(pattern), m = segment(name);

	return (n == 1 && *pattern == '*' && m > 0) || (n == m && memcmp(pattern, name, n) == 0);
}

/* What is left of the pattern when `name` matches its beginning, segment by segment: "" when it
 * matches the whole. NULL: no match. */
static const char *rest_after(const char *pattern, const char *name)
{
	while (*name) {
		if (!*pattern || !segment_matches(pattern, name))
			return NULL;
		pattern += segment(pattern);
		name += segment(name);
		pattern += *pattern == '.';
		name += *name == '.';
	}
	return pattern;
}

const struct option *options_find(const struct options *t, const char *name)
{
	for (size_t i = 0; *name && i < t->n; i++) {
		const char *rest = rest_after(t->rows[i].name, name);

		if (rest && !*rest)
			return &t->rows[i];
	}
	return NULL;
}

bool options_is_group(const struct options *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *rest = rest_after(t->rows[i].name, name);

		if (rest && *rest)
			return true;
	}
	return false;
}

bool options_nearest(
	const struct options *t, const char *parent, const char *name, char *to, size_t size)
{
	size_t best = strlen(name) / 3 + 1; /* more changes than that are another word */
	bool found = false;

	for (size_t i = 0; i < t->n; i++) {
		const char *rest = rest_after(t->rows[i].name, parent);
		_cleanup_(free_p) char *word = NULL;
		size_t d;

		if (!rest || !*rest || *rest == '*')
			continue;
		word = str_ndup(rest, segment(rest));
		d = str_distance(word, name);
		if (d < best || (d == best && !found)) {
			best = d;
			found = str_copy(to, size, word);
		}
	}
	return found;
}

/* Index of the name in the row's choices, or -1. */
static int choice_index(const char *choices, const char *text)
{
	size_t n = strlen(text);
	int i = 0;

	for (const char *p = choices; *p; i++) {
		size_t m = strcspn(p, " ");

		if (m == n && memcmp(p, text, n) == 0)
			return i;
		p += m + (p[m] == ' ');
	}
	return -1;
}

static void print_number(enum option_type type, int64_t v, char *to, size_t size)
{
	static const char letters[] = "kMGT";
	size_t shift = 0;

	switch (type) {
	case OPTION_DURATION:
		str_from_duration_ms(to, size, v);
		return;
	case OPTION_SIZE:
		while (shift < 4 && v >= 1024 && v % 1024 == 0) {
			v /= 1024;
			shift++;
		}
		(void)snprintf(
			to, size, "%lld%.1s", (long long)v, shift ? letters + shift - 1 : "");
		return;
	case OPTION_ADDRESS:
	case OPTION_BOOL:
	case OPTION_CHOICE:
	case OPTION_INT:
	case OPTION_PATH:
	case OPTION_SECRET_FILE:
	case OPTION_STRING:
		(void)snprintf(to, size, "%lld", (long long)v);
		return;
	}
}

static int check_range(const struct option *o, const char *text, int64_t v, struct err *e)
{
	char min[32], max[32];

	if ((o->min == 0 && o->max == 0) || o->flags & OPTION_LIST || (v >= o->min && v <= o->max))
		return 0;
	print_number(o->type, o->min, min, sizeof(min));
	print_number(o->type, o->max, max, sizeof(max));
	return err_set(e, ERANGE, "%s is out of range; expected %s to %s", text, min, max);
}

static int parse_choice(const struct option *o, const char *text, int64_t *number, struct err *e)
{
	char expected[256];

	*number = choice_index(o->choices, text);
	if (*number >= 0)
		return 0;
	option_describe(o, expected, sizeof(expected));
	return err_set(e, EINVAL, "\"%s\" is not known; expected %s", text, expected);
}

static int parse_bool(const char *text, int64_t *number, struct err *e)
{
	*number = strcmp(text, "true") == 0;
	if (!*number && strcmp(text, "false") != 0)
		return err_set(e, EINVAL, "\"%s\" is neither true nor false", text);
	return 0;
}

static int parse_path(const char *text, struct err *e)
{
	if (text[0] != '/')
		return err_set(e, EINVAL,
			"\"%s\" is not an absolute path; expected one that starts with /", text);
	return 0;
}

static int parse_size(const char *text, int64_t *number, struct err *e)
{
	uint64_t v;
	int r = str_to_size_bytes(text, &v, e);

	if (r < 0)
		return r;
	if (v > INT64_MAX)
		return err_set(e, ERANGE, "\"%s\" is too large", text);
	*number = (int64_t)v;
	return 0;
}

static int parse_type(const struct option *o, const char *text, int64_t *number, struct err *e)
{
	struct sockaddr_storage address;
	socklen_t address_len;

	switch (o->type) {
	case OPTION_ADDRESS:
		return address_parse(text, &address, &address_len, e);
	case OPTION_BOOL:
		return parse_bool(text, number, e);
	case OPTION_CHOICE:
		return parse_choice(o, text, number, e);
	case OPTION_DURATION:
		return str_to_duration_ms(text, number, e);
	case OPTION_INT:
		return str_to_i64(text, number, e);
	case OPTION_PATH:
		return parse_path(text, e);
	case OPTION_SECRET_FILE:
		return secret_parse(text, e);
	case OPTION_SIZE:
		return parse_size(text, number, e);
	case OPTION_STRING:
		return 0;
	}
	return 0;
}

int option_parse(const struct option *o, const char *text, int64_t *number, struct err *e)
{
	int64_t v = 0;
	int r;

	if (strlen(text) > OPTION_VALUE_MAX)
		return err_set(e, E2BIG, "the value is longer than %d bytes", OPTION_VALUE_MAX);
	r = parse_type(o, text, &v, e);
	if (r == 0)
		r = check_range(o, text, v, e);
	if (r == 0 && o->check)
		r = o->check(text, e);
	if (r < 0)
		return r;
	*number = v;
	return 0;
}

/* "error, warning, info or debug" */
static void describe_choices(const char *choices, char *to, size_t size)
{
	struct buf b = BUF_INIT(size - 1);

	for (const char *p = choices; *p;) {
		size_t n = strcspn(p, " ");

		buf_add(&b, p, n);
		p += n;
		if (!*p)
			break;
		p++;
		buf_adds(&b, strchr(p, ' ') ? ", " : " or ");
	}
	(void)str_copy(to, size, buf_str(&b));
	buf_done(&b);
}

static const char *type_words(enum option_type type, bool list)
{
	switch (type) {
	case OPTION_ADDRESS:
		return list ? "addresses" : "an address and port";
	case OPTION_BOOL:
		return "true or false";
	case OPTION_CHOICE:
		return "names";
	case OPTION_DURATION:
		return list ? "durations" : "a duration";
	case OPTION_INT:
		return list ? "whole numbers" : "a whole number";
	case OPTION_PATH:
		return list ? "absolute paths" : "an absolute path";
	case OPTION_SECRET_FILE:
		return list ? "paths of secrets files"
			    : "the path of a secrets file, the name of a systemd credential, or "
			      "env:NAME";
	case OPTION_SIZE:
		return list ? "sizes" : "a size";
	case OPTION_STRING:
		return list ? "strings" : "a string";
	}
	return "";
}

void option_describe(const struct option *o, char *to, size_t size)
{
	bool list = o->flags & OPTION_LIST;
	char min[32], max[32];

	if (o->type == OPTION_CHOICE && !list) {
		describe_choices(o->choices, to, size);
		return;
	}
	if (list || (o->min == 0 && o->max == 0)) {
		(void)snprintf(
			to, size, "%s%s", list ? "a list of " : "", type_words(o->type, list));
		return;
	}
	print_number(o->type, o->min, min, sizeof(min));
	print_number(o->type, o->max, max, sizeof(max));
	(void)snprintf(to, size, "%s from %s to %s", type_words(o->type, false), min, max);
}

void option_shown(const struct option *o, const char *value, char *to, size_t size)
{
	const char *scheme = strstr(value, "://");
	const char *user = scheme ? scheme + 3 : NULL;
	const char *at = user ? memchr(user, '@', strcspn(user, "/")) : NULL;
	const char *colon = at ? memchr(user, ':', (size_t)(at - user)) : NULL;

	if (o->flags & OPTION_SECRET)
		(void)str_copy(to, size, "***");
	else if (colon)
		(void)snprintf(to, size, "%.*s:***%s", (int)(colon - value), value, at);
	else
		(void)str_copy(to, size, value);
}

static void print_value(const struct option *o, const char *value, struct buf *out)
{
	char text[OPTION_VALUE_MAX + 8];

	option_shown(o, value, text, sizeof(text));
	if (o->type == OPTION_BOOL || o->type == OPTION_INT) {
		buf_adds(out, text);
		return;
	}
	buf_addc(out, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(out, '\\');
		if ((unsigned char)*p < 0x20)
			buf_addf(out, "\\x%02x", (unsigned char)*p);
		else
			buf_addc(out, *p);
	}
	buf_addc(out, '"');
}

void option_print(const struct option *o, const char *const *values, size_t n, struct buf *out)
{
	bool list = o->flags & OPTION_LIST;

	if (list)
		buf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_adds(out, ", ");
		print_value(o, values[i], out);
	}
	if (list)
		buf_addc(out, ']');
}

void option_each_default(const struct option *o, option_value_fn fn, void *user)
{
	const char *p = o->dflt;

	if (!p || o->flags & OPTION_SYSTEM)
		return;
	if (!(o->flags & OPTION_LIST)) {
		fn(user, p);
		return;
	}
	while (*p) {
		size_t n = strcspn(p, ",");
		_cleanup_(free_p) char *value = str_ndup(p, n);

		fn(user, value);
		p += n;
		p += strspn(p, ", ");
	}
}
