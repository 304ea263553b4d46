/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump of one database does not say which character set new tables of it get. So one line of comment is put in front:
 *   -- Database utf8mb4 utf8mb4_unicode_ci
 * which every client skips, and a restore into a database that is not there reads.
 */
#include <stdlib.h>
#include <string.h>

#include "backup/engine_mysql.h"

struct dump {
	struct source source;
	struct source *tool;
	struct buf first;
	size_t at;
};

static int dump_fd(struct source *s)
{
	return source_fd(((struct dump *)s)->tool);
}

static ssize_t dump_read(struct source *s, void *to, size_t n, struct err *e)
{
	struct dump *d = (struct dump *)s;
	size_t left = d->first.len - d->at;

	if (left == 0)
		return source_read(d->tool, to, n, e);
	if (n > left)
		n = left;
	memcpy(to, buf_str(&d->first) + d->at, n);
	d->at += n;
	return (ssize_t)n;
}

static int dump_finish(struct source *s, struct err *e)
{
	return source_finish(((struct dump *)s)->tool, e);
}

static void dump_free(struct source *s)
{
	struct dump *d = (struct dump *)s;

	source_free(d->tool);
	buf_done(&d->first);
	free(d);
}

int mysql_charset(
	const struct engine_call *c, const char *database, struct mysql_charset *out, struct err *e)
{
	struct buf sql = BUF_INIT(4096), text = BUF_INIT(1024);
	char *at, *columns[2];
	int r;

	memset(out, 0, sizeof(*out));
	buf_adds(&sql, "SELECT default_character_set_name, default_collation_name"
		       " FROM information_schema.schemata WHERE schema_name = ");
	mysql_add_text(&sql, database);
	buf_adds(&sql, ";\n");
	r = mysql_script(c, NULL, buf_str(&sql), PLACE_DEADLINE_MS, &text, e);
	at = text.data;
	if (r == 0 && at && mysql_next_row(&at, columns, 2))
		(void)mysql_charset_set(out, columns[0], columns[1]);
	buf_done(&sql);
	buf_done(&text);
	return r;
}

static int start_tool(const struct engine_call *c, const struct mysql_server *server,
	const char *database, struct source **out, struct err *e)
{
	struct args argv = {NULL, 0}, env = {NULL, 0};
	struct place_command command;
	struct mysql_tool tool;
	int r = mysql_tool_find(c, "dump", &tool, e);

	if (r < 0)
		return r;
	mysql_dump_command(c, &tool, server, database, &argv, &env);
	command = mysql_command(c, &argv, &env);
	r = place_source(c->place, &command, out, e);
	args_done(&argv);
	args_done(&env);
	return r;
}

static int dump_database(const struct engine_call *c, const struct mysql_server *server,
	const char *database, struct source **out, struct err *e)
{
	static const struct source_ops ops = {dump_fd, dump_read, dump_finish, dump_free};
	struct mysql_charset charset;
	struct dump *d;
	int r = mysql_charset(c, database, &charset, e);

	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		abort();
	d->source.ops = &ops;
	buf_init(&d->first, 256);
	if (*charset.name)
		buf_addf(&d->first, MYSQL_DATABASE_LINE "%s %s\n", charset.name, charset.collation);
	r = start_tool(c, server, database, &d->tool, e);
	if (r < 0)
		dump_free(&d->source);
	else
		*out = &d->source;
	return r;
}

int mysql_dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e)
{
	struct mysql_server s;
	int r = mysql_server_ask(c, &s, e);

	if (r < 0)
		return r;
	if (m->format == &format_mysql_users)
		return mysql_users_dump(c, &s, out, e);
	return dump_database(c, &s, m->title, out, e);
}
