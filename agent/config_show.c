/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config_show.h"

#include <string.h>

#include "agent/system_default.h"
#include "base/str.h"

static void add_json_value(const struct option *o, const char *value, struct buf *out)
{
	char text[OPTION_VALUE_MAX + 8];

	if ((o->type == OPTION_BOOL || o->type == OPTION_INT) && !(o->flags & OPTION_SECRET)) {
		buf_adds(out, value);
		return;
	}
	option_shown(o, value, text, sizeof(text));
	buf_add_json_string(out, text);
}

static void add_json_setting(void *user, const struct config_view *v)
{
	bool list = v->option->flags & OPTION_LIST;
	struct buf *out = user;

	buf_adds(out, buf_str(out)[out->len - 1] == '[' ? "{\"name\":" : ",{\"name\":");
	buf_add_json_string(out, v->name);
	buf_adds(out, list ? ",\"value\":[" : ",\"value\":");
	for (size_t i = 0; i < v->n_values; i++) {
		if (i)
			buf_addc(out, ',');
		add_json_value(v->option, v->values[i], out);
	}
	if (list)
		buf_addc(out, ']');
	else if (!v->n_values)
		buf_adds(out, "null");
	buf_adds(out, ",\"origin\":");
	buf_add_json_string(out, v->origin);
	buf_addc(out, '}');
}

void config_show_json(const struct config *c, struct buf *out)
{
	buf_addc(out, '[');
	config_each(c, add_json_setting, out);
	buf_addc(out, ']');
}

enum { DEFAULTS_MAX = 32 };

struct defaults {
	char *values[DEFAULTS_MAX];
	size_t n;
};

static void take_default(void *user, const char *value)
{
	struct defaults *d = user;

	if (d->n < DEFAULTS_MAX)
		d->values[d->n++] = str_dup(value);
}

/* The default, or example, as it would be written in a file; nothing when there is none. */
static void add_default(const struct option *o, struct buf *out)
{
	struct defaults d = {{NULL}, 0};
	struct option shown = *o;

	/* An example is no secret. */
	if (o->flags & OPTION_EXAMPLE)
		shown.flags &= ~(unsigned)OPTION_SECRET;
	option_each_default(o, take_default, &d);
	if (o->flags & OPTION_SYSTEM)
		take_default(&d, system_example(o->name));
	if (d.n || o->flags & OPTION_LIST)
		option_print(&shown, (const char *const *)d.values, d.n, out);
	else
		buf_adds(out, "\"\"");
	for (size_t i = 0; i < d.n; i++)
		free(d.values[i]);
}

/* Length of the part of the name in front of its last segment, with the dot. */
static size_t group_length(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? (size_t)(dot - name) + 1 : 0;
}

static size_t depth_of(const char *name, size_t n)
{
	size_t depth = 0;

	for (size_t i = 0; i < n; i++)
		depth += name[i] == '.';
	return depth;
}

static void indent(struct buf *out, size_t depth)
{
	buf_addc(out, '#');
	while (depth--)
		buf_addc(out, '\t');
}

/* A segment as a sample shows it: a name of the user's choice becomes NAME. */
static void add_segment(const char *s, size_t n, struct buf *out)
{
	if (n == 1 && *s == '*')
		buf_adds(out, "NAME");
	else
		buf_add(out, s, n);
}

/* Closes the groups of `from` and opens those of `to` that are not common to both. */
static void change_group(
	const char *from, size_t from_n, const char *to, size_t to_n, struct buf *out)
{
	size_t common = 0, start = 0;

	for (size_t i = 0; i < from_n && i < to_n && from[i] == to[i]; i++)
		if (from[i] == '.')
			common = i + 1;
	for (size_t d = depth_of(from, from_n); d > depth_of(from, common); d--) {
		indent(out, d - 1);
		buf_adds(out, "}\n");
	}
	if (common == 0)
		buf_addc(out, '\n');
	for (size_t i = 0; i < to_n; i++) {
		if (to[i] != '.')
			continue;
		if (i >= common) {
			indent(out, depth_of(to, start));
			add_segment(to + start, i - start, out);
			buf_adds(out, " = {\n");
		}
		start = i + 1;
	}
}

/* Two marks a line: what is above is uncommented line by line, this is copied as a whole. */
static const char backup_example[] =
	"\n## Backups, a complete example:\n##\n"
	"## stores = {\n"
	"##     offsite = { type = \"s3\", endpoint = \"https://s3.example.com\",\n"
	"##                 bucket = \"backups\", prefix = \"vps1/\",\n"
	"##                 credentials_file = \"/etc/agent/s3.cred\" }\n"
	"##     disk    = { type = \"directory\", path = \"/srv/backups\" }\n"
	"## }\n"
	"##\n"
	"## databases = {\n"
	"##     # Encrypted, each night, to two places.\n"
	"##     shop = {\n"
	"##         engine = \"postgresql\", container = \"shop-db\", database = [\"shop\"],\n"
	"##         password_file = \"/etc/agent/shop-db.password\",\n"
	"##         stores = [\"offsite\", \"disk\"],\n"
	"##         schedule = \"0 3 * * *\", jitter = \"30m\", verify_schedule = \"0 5 * * "
	"sun\",\n"
	"##         keep = { last = 3, daily = 7, weekly = 4, monthly = 12 },\n"
	"##         # From \"agent backup key\".\n"
	"##         encrypt = "
	"[\"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\"],\n"
	"##         key_exported = true\n"
	"##     }\n"
	"##     # A Docker volume, and once a month the proof that it can be restored.\n"
	"##     uploads = {\n"
	"##         engine = \"volume\", volume = \"shop_uploads\", stores = [\"disk\"],\n"
	"##         schedule = \"30 3 * * *\", drill_schedule = \"0 6 1 * *\", keep = { daily = 7 "
	"}\n"
	"##     }\n"
	"## }\n";

void config_show_sample(const struct options *t, struct buf *out)
{
	const char *before = "";

	buf_adds(out, "# SPDX-License-Identifier: Apache-2.0\n"
		      "# Configuration of agent; agent.conf(5) is the manual. Every option is here "
		      "with its\n"
		      "# default, or an example. To change one, remove the first '#' of its line "
		      "and of the { }\n"
		      "# around it; NAME stands for a name of your choice.\n"
		      "# `agent config check` reports mistakes.\n");
	for (size_t i = 0; i < t->n; i++) {
		const struct option *o = &t->rows[i];
		size_t n = group_length(o->name);
		bool system = o->flags & OPTION_SYSTEM, example = o->flags & OPTION_EXAMPLE;

		change_group(before, group_length(before), o->name, n, out);
		/* Inside a group a comment stays one when the '#' in front is removed. */
		if (n)
			indent(out, depth_of(o->name, n));
		buf_addf(out, "# %s%s%s%s\n", o->doc,
			system    ? " Default: "
			: example ? " For example:"
				  : "",
			system ? o->dflt : "", system ? "." : "");
		indent(out, depth_of(o->name, n));
		add_segment(o->name + n, strlen(o->name + n), out);
		buf_adds(out, " = ");
		add_default(o, out);
		buf_addc(out, '\n');
		before = o->name;
	}
	change_group(before, group_length(before), "", 0, out);
	if (options_find(t, "databases.*.engine"))
		buf_adds(out, backup_example);
}

static void add_mdoc_char(char c, struct buf *out)
{
	if (c == '\\')
		buf_adds(out, "\\e");
	else if (c == '"')
		buf_adds(out, "\\(dq");
	else
		buf_addc(out, c);
}

/* Prose for mdoc(7), in lines of less than 80. No line may begin with '.' or '\'', which would
 * make it a macro. */
static void add_mdoc(const char *s, struct buf *out)
{
	size_t line = out->len;

	for (; *s; s++) {
		size_t word = strcspn(s + 1, " ");

		if (*s == ' ' && out->len - line + word >= 76 && s[1] != '.' && s[1] != '\'') {
			buf_addc(out, '\n');
			line = out->len;
		} else {
			add_mdoc_char(*s, out);
		}
	}
}

static void add_manual_value(const struct option *o, struct buf *out)
{
	_cleanup_(buf_done) struct buf value = BUF_INIT(4096);
	bool required = o->flags & OPTION_REQUIRED, example = o->flags & OPTION_EXAMPLE;

	if (o->flags & OPTION_SYSTEM) {
		buf_addf(out, "Default: %s.\n", o->dflt);
		return;
	}
	if (required)
		buf_adds(out, "Must be given.\n");
	if (required && !example)
		return;
	add_default(o, &value);
	buf_adds(out, example ? "Example:\n.Li " : "Default:\n.Li ");
	for (const char *p = buf_str(&value); *p; p++)
		add_mdoc_char(*p, out);
	buf_addc(out, '\n');
}

void config_show_manual(const struct options *t, struct buf *out)
{
	char type[256];

	for (size_t i = 0; i < t->n; i++) {
		const struct option *o = &t->rows[i];

		option_describe(o, type, sizeof(type));
		buf_addf(out, ".It Ic %s\n", o->name);
		add_mdoc(o->doc, out);
		buf_addf(out, "\nExpected: %s.\n", type);
		add_manual_value(o, out);
		if (o->flags & OPTION_RESTART)
			buf_adds(out, "A change needs a restart of the agent.\n");
	}
}
