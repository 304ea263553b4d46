/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config_parse.h"

#include <ctype.h>
#include <libconfig.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

enum { DUPLICATES_MAX = 20 }; /* each costs a parse of the whole text */

static const char name_chars[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_*";

/* The next NAME = or NAME : of the line, from *p on, which moves behind the name. Returns its
 * length, 0 at the end. */
static size_t next_name(const char **p, const char **name)
{
	while (**p && **p != '\n' && **p != '#') {
		size_t n = strspn(*p, name_chars);
		const char *after = *p + n;

		if (**p == '"') {
			*p += 1 + strcspn(*p + 1, "\"\n");
			*p += **p == '"';
			continue;
		}
		*name = *p;
		*p = n ? after : *p + 1;
		after += strspn(after, " \t");
		if (n && (*after == '=' || *after == ':'))
			return n;
	}
	return 0;
}

/* How many named settings of this line the parser has already made. */
static size_t named_in_line(const config_setting_t *s, unsigned line)
{
	size_t n = config_setting_name(s) && config_setting_source_line(s) == line;

	if (config_setting_is_group(s))
		for (int i = 0; i < config_setting_length(s); i++)
			n += named_in_line(config_setting_get_elem(s, (unsigned)i), line);
	return n;
}

/* Puts '*' behind the name the parser stumbled over. Returns the length of the name, or 0 when
 * it is not found. */
static size_t mark_duplicate(const config_t *c, struct buf *text, const char **name)
{
	unsigned line = (unsigned)config_error_line(c);
	size_t skip = named_in_line(config_root_setting(c), line);
	_cleanup_(buf_done) struct buf tail = BUF_INIT(CONFIG_TEXT_MAX + DUPLICATES_MAX);
	const char *p = buf_str(text);
	size_t n, before;

	for (unsigned i = 1; i < line && *p; i++) {
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	do {
		n = next_name(&p, name);
	} while (n && skip--);
	if (!n)
		return 0;
	before = (size_t)(p - text->data);
	buf_adds(&tail, p);
	text->len = before;
	buf_addc(text, '*');
	buf_add(text, buf_str(&tail), tail.len);
	*name = text->data + before - n;
	return n;
}

static void add_mistake(
	const struct config_text *t, unsigned line, struct mistakes *m, const char *text)
{
	const char *file;
	unsigned file_line;

	config_text_where(t, line, &file, &file_line);
	mistakes_add(m, file, file_line, "%s", text);
}

static bool is_number(const char *s, size_t n)
{
	return n && strspn(s, "+-.0123456789eExXabcdefABCDEFL") >= n && !isalpha((unsigned char)*s);
}

static bool is_bool(const char *s, size_t n)
{
	return (n == 4 && strncasecmp(s, "true", 4) == 0) ||
	       (n == 5 && strncasecmp(s, "false", 5) == 0);
}

/* What people most often write wrong in a line; "" when it looks right. */
static void hint(const char *line, char *to, size_t size)
{
	const char *name = line + strspn(line, " \t");
	size_t n = strspn(name, name_chars);
	const char *p = name + n, *value;
	size_t m;

	*to = '\0';
	if (!n || !isalpha((unsigned char)*name))
		return;
	if (*p == '.') {
		(void)snprintf(to, size, "a name cannot have a dot; write %.*s = { ... } around it",
			(int)n, name);
		return;
	}
	p += strspn(p, " \t");
	if (*p != '=' && *p != ':') {
		(void)snprintf(to, size, "expected '=' after %.*s", (int)n, name);
		return;
	}
	value = p + 1 + strspn(p + 1, " \t");
	m = strcspn(value, " \t;,#\"}])\r");
	if (m && !strchr("{[(/", *value) && !is_number(value, m) && !is_bool(value, m))
		(void)snprintf(to, size, "a text needs quotes: %.*s = \"%.*s\"", (int)n, name,
			(int)m, value);
	else if (!*value || strchr(";,", *value))
		(void)snprintf(to, size, "there is no value behind %.*s =", (int)n, name);
}

/* Returns the line that is to blame. */
static unsigned report_syntax(const config_t *c, const struct config_text *t, struct mistakes *m)
{
	unsigned line = (unsigned)config_error_line(c);
	const char *what = config_error_text(c) ? config_error_text(c) : "syntax error";
	char text[160], why[256];

	if (strstr(what, "mismatched element")) {
		add_mistake(t, line, m, "the values in [ ] must all be of one kind");
		return line;
	}
	/* The parser often notices only when it sees the next line. */
	for (unsigned i = line; i > 0 && i + 2 > line; i--) {
		config_text_line(t, i, text, sizeof(text));
		hint(text, why, sizeof(why));
		if (*why) {
			add_mistake(t, i, m, why);
			return i;
		}
	}
	add_mistake(t, line, m, "syntax error; expected NAME = VALUE");
	return line;
}

static void report_duplicate(
	const struct config_text *t, unsigned line, const char *name, size_t n, struct mistakes *m)
{
	char text[300];

	if (name[n - 1] == '*')
		return; /* the third of its name, reported when it was the second */
	(void)snprintf(text, sizeof(text), "%.*s is given twice; expected it once", (int)n, name);
	add_mistake(t, line, m, text);
}

/* Up to the line that is broken: libconfig leaks memory on a string that does not end. */
static void add_whole_lines(const struct config_text *t, struct buf *to)
{
	const char *text = buf_str(&t->text), *p = text;

	if (!t->broken)
		p += t->text.len;
	for (unsigned i = 1; i < t->broken; i++)
		p = strchr(p, '\n') + 1;
	buf_add(to, text, (size_t)(p - text));
}

void config_parse(config_t *out, const struct config_text *t, unsigned *until, struct mistakes *m)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(CONFIG_TEXT_MAX + DUPLICATES_MAX);

	add_whole_lines(t, &text);
	config_init(out);
	*until = UINT_MAX;
	for (int i = 0; i <= DUPLICATES_MAX; i++) {
		const char *name;
		unsigned line;
		size_t n = 0;

		if (config_read_string(out, buf_str(&text)) == CONFIG_TRUE)
			return;
		line = (unsigned)config_error_line(out);
		if (i < DUPLICATES_MAX && config_error_text(out) &&
			strstr(config_error_text(out), "duplicate"))
			n = mark_duplicate(out, &text, &name);
		if (!n) {
			if (!t->broken)
				*until = report_syntax(out, t, m);
			return;
		}
		report_duplicate(t, line, name, n, m);
		config_destroy(out);
		config_init(out);
	}
}

#define TEXT_OF(x) #x
#define VERSION_OF(major, minor, revision) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(revision)

const char *config_parse_library_version(void)
{
	return VERSION_OF(LIBCONFIG_VER_MAJOR, LIBCONFIG_VER_MINOR, LIBCONFIG_VER_REVISION);
}
