/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "backup/format.h"
#include "base/cleanup.h"

/* A line with the database's character set, and one for the client, may stand in front. */
enum { HEAD_MAX = 512, EXTRA_LINES = 2 };
static const char *const heads[] = {
	"-- MySQL dump ", "-- MariaDB dump ", "-- Users and their rights"};

struct checker {
	struct sink sink;
	struct sink *ends;
	char head[HEAD_MAX + 1];
	size_t head_len;
};

static int checker_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct checker *c = (struct checker *)s;
	size_t room = HEAD_MAX - c->head_len;

	if (room > n)
		room = n;
	memcpy(c->head + c->head_len, data, room);
	c->head_len += room;
	return sink_write(c->ends, data, n, e);
}

static bool is_head(const char *line)
{
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		if (strncmp(line, heads[i], strlen(heads[i])) == 0)
			return true;
	return false;
}

static int checker_finish(struct sink *s, struct err *e)
{
	struct checker *c = (struct checker *)s;
	const char *line = c->head;

	for (int i = 0; i < EXTRA_LINES && line && !is_head(line); i++) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line || !is_head(line))
		return err_set(e, EBADMSG, "this is no dump of MySQL or MariaDB");
	return sink_finish(c->ends, e);
}

static void checker_free(struct sink *s)
{
	struct checker *c = (struct checker *)s;

	sink_free(c->ends);
	free(c);
}

static int sql_checker(struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {checker_write, checker_finish, checker_free};
	static const char tail[] = "\n-- Dump completed";
	static const struct format_ends ends = {
		.title = "the dump",
		.tail = tail,
		.tail_len = sizeof(tail) - 1,
		.within = 128,
		.min_bytes = 60,
	};
	struct checker *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		abort();
	c->sink.ops = &ops;
	r = format_ends_new(&ends, &c->ends, e);
	if (r < 0)
		free(c);
	else
		*out = &c->sink;
	return r;
}

const struct format format_mysql_sql = {
	.name = "mysql_sql",
	.suffix = ".sql",
	.doc = "MySQL or MariaDB dump (SQL)",
	.min_bytes = 60,
	.checker = sql_checker,
};

const struct format format_mysql_users = {
	.name = "mysql_users",
	.suffix = ".sql",
	.doc = "MySQL or MariaDB users and their rights (SQL)",
	.min_bytes = 60,
	.checker = sql_checker,
};
