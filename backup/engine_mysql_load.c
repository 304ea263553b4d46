/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "backup/engine_mysql.h"

enum { FIRST_MAX = 512 };

struct loader {
	struct sink sink;
	const struct engine_call *call;
	const char *work;
	struct mysql_charset charset;
	bool exists, *created;
	struct sink *client; /* NULL until the first lines are known */
	char first[FIRST_MAX + 1];
	size_t n_first;
};

static int create(const struct loader *l, struct err *e)
{
	struct buf sql = BUF_INIT(4096);
	int r;

	if (l->exists)
		return 0;
	buf_adds(&sql, "CREATE DATABASE ");
	mysql_add_name(&sql, l->work);
	if (*l->charset.name)
		buf_addf(&sql, " CHARACTER SET %s COLLATE %s", l->charset.name,
			l->charset.collation);
	buf_adds(&sql, ";\n");
	r = mysql_script(l->call, NULL, buf_str(&sql), PLACE_DEADLINE_MS, NULL, e);
	*l->created = r == 0;
	buf_done(&sql);
	return r;
}

static int start(struct loader *l, struct err *e)
{
	struct args argv = {NULL, 0}, env = {NULL, 0};
	struct place_command command;
	struct mysql_tool tool;
	int r = mysql_tool_find(l->call, "client", &tool, e);

	if (r < 0)
		return r;
	mysql_client_command(l->call, &tool, l->work, &argv, &env);
	command = mysql_command(l->call, &argv, &env);
	r = place_target(l->call->place, &command, NULL, &l->client, e);
	args_done(&argv);
	args_done(&env);
	return r;
}

/* "-- Database utf8mb4 utf8mb4_general_ci" */
static void read_charset(struct loader *l, const char *line, size_t len)
{
	char text[FIRST_MAX + 1], *space;
	size_t n = strlen(MYSQL_DATABASE_LINE);

	if (*l->charset.name || len <= n)
		return;
	memcpy(text, line + n, len - n);
	text[len - n] = '\0';
	space = strchr(text, ' ');
	if (!space)
		return;
	*space = '\0';
	if (!mysql_charset_set(&l->charset, text, space + 1))
		l->charset.name[0] = '\0';
}

static bool begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

/* The lines at the very start that are none of the dump's own; what is behind them. Newer tools write a line that older clients
 * choke on; what it asks for, binary mode does too. */
static const char *skip_lines(struct loader *l)
{
	static const char sandbox[] = "999999\\- enable the sandbox mode";
	const char *p = l->first, *nl;

	while ((nl = strchr(p, '\n'))) {
		size_t len = (size_t)(nl - p);

		if (begins(p, len, MYSQL_DATABASE_LINE))
			read_charset(l, p, len);
		else if (!begins(p, len, "/*") || !memmem(p, len, sandbox, strlen(sandbox)))
			break;
		p = nl + 1;
	}
	return p;
}

static int begin(struct loader *l, struct err *e)
{
	const char *rest = skip_lines(l);
	size_t n = (size_t)(l->first + l->n_first - rest);
	int r = create(l, e);

	if (r == 0)
		r = start(l, e);
	return r == 0 && n > 0 ? sink_write(l->client, rest, n, e) : r;
}

static int loader_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct loader *l = (struct loader *)s;
	const char *p = data;
	size_t take = 0;
	int r = 0;

	if (!l->client) {
		take = FIRST_MAX - l->n_first < n ? FIRST_MAX - l->n_first : n;
		memcpy(l->first + l->n_first, p, take);
		l->n_first += take;
		if (l->n_first == FIRST_MAX)
			r = begin(l, e);
	}
	if (r == 0 && n > take)
		r = sink_write(l->client, p + take, n - take, e);
	if (r < 0 && e)
		mysql_shorten(e);
	return r;
}

static int loader_finish(struct sink *s, struct err *e)
{
	struct loader *l = (struct loader *)s;
	int r = l->client ? 0 : begin(l, e);

	if (r == 0)
		r = sink_finish(l->client, e);
	if (r < 0 && e)
		mysql_shorten(e);
	return r;
}

static void loader_free(struct sink *s)
{
	struct loader *l = (struct loader *)s;

	sink_free(l->client);
	free(l);
}

int mysql_load_new(const struct engine_call *c, const char *work, const struct mysql_charset *like,
	bool exists, bool *created, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {loader_write, loader_finish, loader_free};
	struct loader *l = calloc(1, sizeof(*l));

	(void)e;
	if (!l)
		abort();
	l->sink.ops = &ops;
	l->call = c;
	l->work = work;
	l->charset = *like;
	l->exists = exists;
	l->created = created;
	*out = &l->sink;
	return 0;
}
