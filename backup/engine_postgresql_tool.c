/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/container_env.h"
#include "backup/engine_postgresql.h"
#include "base/hash.h"
#include "base/str.h"

enum { ANSWER_MAX = 8 * 1024 * 1024 };
#define SYSTEM_USER "postgres"

const char *pg_login(const struct engine_call *c)
{
	const char *first;

	if (c->login)
		return c->login;
	if (c->job->user)
		return c->job->user;
	first = container_env(c->place, "POSTGRES_USER");
	return first ? first : "postgres";
}

static const char *server_host(const struct engine_call *c)
{
	if (c->host)
		return c->host;
	if (c->socket)
		return c->socket;
	return c->job->socket ? c->job->socket : c->job->host;
}

/* The images set up their first user with it. */
static const char *password_of(const struct engine_call *c)
{
	const char *first = container_env(c->place, "POSTGRES_USER");

	if (c->password || c->job->host || strcmp(pg_login(c), first ? first : "postgres") != 0)
		return c->password;
	return container_secret(c->place, "POSTGRES_PASSWORD");
}

void pg_tool_init(
	struct pg_tool *t, const struct engine_call *c, const char *program, const char *database)
{
	const char *host = server_host(c), *password = password_of(c);
	int port = c->port ? c->port : c->job->port;

	memset(t, 0, sizeof(*t));
	args_add(&t->argv, program);
	args_add(&t->env, "LC_ALL=C");
	args_add(&t->env, "PGAPPNAME=agent");
	args_add(&t->env, "PGCONNECT_TIMEOUT=20");
	args_addf(&t->env, "PGUSER=%s", pg_login(c));
	if (host)
		args_addf(&t->env, "PGHOST=%s", host);
	if (port)
		args_addf(&t->env, "PGPORT=%d", port);
	if (password)
		args_addf(&t->env, "PGPASSWORD=%s", password);
	if (database)
		args_addf(&t->env, "PGDATABASE=%s", database);
}

void pg_tool_done(struct pg_tool *t)
{
	args_done(&t->argv);
	args_done(&t->env);
}

/* Debian's packages let the system's user postgres in through the local socket, and nobody else, without a password. */
static bool is_peer(const struct engine_call *c)
{
	return place_is_host(c->place) && geteuid() == 0 && !c->login && !c->job->user &&
	       !c->password && !c->host && !c->job->host && getpwnam(SYSTEM_USER);
}

struct place_command pg_tool_command(const struct engine_call *c, const struct pg_tool *t)
{
	return (struct place_command){
		.argv = args_list(&t->argv),
		.env = args_list(&t->env),
		.user = is_peer(c) ? SYSTEM_USER : NULL,
		.cwd = place_is_host(c->place) ? "/" : NULL,
	};
}

void pg_dump_tool(struct pg_tool *t, const struct engine_call *c, const char *database)
{
	pg_tool_init(t, c, "pg_dump", database);
	args_add(&t->argv, "--format=custom");
	args_add(&t->argv, "--compress=0");
	args_add(&t->argv, "--no-password");
	args_add(&t->argv, "--lock-wait-timeout=60s");
	args_add_list(&t->argv, &c->job->arguments);
}

void pg_globals_tool(struct pg_tool *t, const struct engine_call *c, bool passwords)
{
	pg_tool_init(t, c, "pg_dumpall", "postgres");
	args_add(&t->argv, "--globals-only");
	args_add(&t->argv, "--no-password");
	if (!passwords)
		args_add(&t->argv, "--no-role-passwords");
}

void pg_conninfo(struct buf *out, const char *database)
{
	buf_adds(out, "dbname='");
	for (; *database; database++) {
		if (*database == '\'' || *database == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *database);
	}
	buf_addc(out, '\'');
}

/* `a` and `b`, which fit. */
static void join(char to[PG_NAME_MAX + 1], const char *a, const char *b)
{
	size_t n = strlen(a);

	memmove(to, a, n);
	(void)str_copy(to + n, PG_NAME_MAX + 1 - n, b);
}

void pg_name_with(char to[PG_NAME_MAX + 1], const char *name, const char *suffix)
{
	char hex[HASH_SHA256_HEX_SIZE], cut[PG_NAME_MAX + 1];
	size_t room = PG_NAME_MAX - strlen(suffix);

	if (strlen(name) > room) {
		/* Two long names must not become one. */
		hash_sha256_hex(hex, name, strlen(name));
		hex[6] = '\0';
		(void)str_copy(cut, room - 7 + 1, name);
		join(cut, cut, "_");
		join(cut, cut, hex);
		name = cut;
	}
	join(to, name, suffix);
}

void pg_database_name(char to[PG_NAME_MAX + 1], const struct engine_call *c, const char *title)
{
	char hex[HASH_SHA256_HEX_SIZE];
	const char *prefix = c->prefix ? c->prefix : "";

	hash_sha256_hex(hex, title, strlen(title));
	hex[32] = '\0';
	join(to, prefix, strlen(prefix) + strlen(title) <= PG_NAME_MAX ? title : hex);
}

static int add_cure(struct err *e, int r)
{
	const char *cure = r < 0 && e ? pg_cure(e->msg) : NULL;
	struct err was;

	if (!cure)
		return r;
	was = *e;
	return err_set(e, -r, "%.*s; %s", (int)(sizeof(was.msg) - strlen(cure) - 3), was.msg, cure);
}

static int run_script(const struct engine_call *c, const char *database, const char *const *vars,
	const char *sql, int64_t deadline_ms, struct buf *out, struct err *e)
{
	struct place_command command;
	struct pg_tool t;
	int r;

	pg_tool_init(&t, c, "psql", database);
	args_add(&t.env, "PGCLIENTENCODING=UTF8");
	args_add(&t.argv, "--no-psqlrc");
	args_add(&t.argv, "--no-password");
	args_add(&t.argv, "--no-align");
	args_add(&t.argv, "--tuples-only");
	args_add(&t.argv, "--quiet");
	args_add(&t.argv, "--set=ON_ERROR_STOP=1");
	for (; vars && *vars; vars++)
		args_addf(&t.argv, "--set=%s", *vars);
	args_add(&t.argv, "--file=-");
	command = pg_tool_command(c, &t);
	command.input = sql;
	command.input_len = strlen(sql);
	r = place_run(c->place, &command, deadline_ms, out, e);
	pg_tool_done(&t);
	return r;
}

int pg_script(const struct engine_call *c, const char *database, const char *const *vars,
	const char *sql, int64_t deadline_ms, struct buf *out, struct err *e)
{
	struct err why = {""};
	int r;

	r = run_script(c, database ? database : "postgres", vars, sql, deadline_ms, out, &why);
	if (r == -EREMOTEIO && !database &&
		strstr(why.msg, "database \"postgres\" does not exist")) {
		if (out)
			buf_clear(out);
		r = run_script(c, "template1", vars, sql, deadline_ms, out, &why);
	}
	if (r < 0)
		return add_cure(e, err_set(e, -r, "%s", why.msg));
	return r;
}

int pg_ask(const struct engine_call *c, const char *database, const char *const *vars,
	const char *sql, json_t **out, struct err *e)
{
	struct buf text = BUF_INIT(ANSWER_MAX);
	json_t *j = NULL;
	int r;

	r = pg_script(c, database, vars, sql, PLACE_DEADLINE_MS, &text, e);
	if (r == 0) {
		j = json_loadb(buf_str(&text), text.len, JSON_DECODE_ANY, NULL);
		if (!j)
			r = err_set(e, EBADMSG, "psql's answer is not understood: \"%.80s\"",
				buf_str(&text));
	}
	buf_done(&text);
	if (r == 0)
		*out = j;
	return r;
}

int pg_tool_version(const char *text, char version[32], int *major, struct err *e)
{
	const char *p = strstr(text, "(PostgreSQL) ");
	size_t len;

	p = p ? p + strlen("(PostgreSQL) ") : text;
	len = strcspn(p, " \r\n");
	if (!isdigit((unsigned char)*p) || len >= 32)
		return err_set(e, EBADMSG, "version is not understood: \"%.60s\"", text);
	memcpy(version, p, len);
	version[len] = '\0';
	*major = pg_major_of_text(version);
	return 0;
}

int pg_tool_ask(const struct engine_call *c, const char *program, char version[32], int *major,
	struct err *e)
{
	struct buf text = BUF_INIT(4096);
	struct pg_tool t;
	struct place_command command;
	int r;

	if (!place_has(c->place, program))
		return err_set(e, ENOENT, "%s is not there on %s; %s", program,
			place_title(c->place),
			place_is_host(c->place) ? "install the package postgresql-client"
						: "is this a PostgreSQL container?");
	pg_tool_init(&t, c, program, NULL);
	args_add(&t.argv, "--version");
	command = pg_tool_command(c, &t);
	r = place_run(c->place, &command, PLACE_DEADLINE_MS, &text, e);
	if (r == 0)
		r = pg_tool_version(buf_str(&text), version, major, e);
	pg_tool_done(&t);
	buf_done(&text);
	return r;
}
