/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/container_env.h"
#include "backup/engine_mysql.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/str.h"

int mysql_major(const char *version)
{
	long n = strtol(version, NULL, 10);

	return n > 0 && n < 1000 ? (int)n : 0;
}

int mysql_tool_version(const char *text, struct mysql_tool *out, struct err *e)
{
	/* MariaDB puts its own version behind one of these, and that of the protocol behind Ver. */
	static const char *const before[] = {"Distrib ", "from ", "Ver "};
	const char *p = NULL;
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(before) && !p; i++) {
		p = strstr(text, before[i]);
		p = p ? p + strlen(before[i]) : NULL;
	}
	len = p ? strspn(p, "0123456789.") : 0;
	if (len == 0 || len >= sizeof(out->version))
		return err_set(e, EBADMSG, "version is not understood: \"%.60s\"", text);
	memcpy(out->version, p, len);
	out->version[len] = '\0';
	out->is_mariadb = strstr(text, "MariaDB") != NULL;
	return 0;
}

static const char *find_program(const struct engine_call *c, const char *what)
{
	static const char *const dumps[] = {"mariadb-dump", "mysqldump"};
	static const char *const clients[] = {"mariadb", "mysql"};
	const char *const *names = strcmp(what, "dump") == 0 ? dumps : clients;
	size_t first = strcmp(c->job->engine, "mysql") == 0;

	for (size_t i = 0; i < 2; i++)
		if (place_has(c->place, names[(first + i) % 2]))
			return names[(first + i) % 2];
	return NULL;
}

int mysql_tool_find(
	const struct engine_call *c, const char *what, struct mysql_tool *out, struct err *e)
{
	struct buf text = BUF_INIT(4096);
	const char *argv[] = {find_program(c, what), "--version", NULL};
	struct place_command command = {.argv = argv};
	int r;

	if (!argv[0])
		return err_set(e, ENOENT, "neither %s is there on %s; %s",
			strcmp(what, "dump") == 0 ? "mariadb-dump nor mysqldump"
						  : "mariadb nor mysql",
			place_title(c->place),
			place_is_host(c->place) ? "install the package mariadb-client"
						: "is this a database's container?");
	r = place_run(c->place, &command, PLACE_DEADLINE_MS, &text, e);
	if (r == 0)
		r = mysql_tool_version(buf_str(&text), out, e);
	out->program = argv[0];
	buf_done(&text);
	return r;
}

/* What the images take their users from. */
static const char *password_of(const struct engine_call *c, const char *user)
{
	static const struct {
		const char *user, *name, *password;
	} known[] = {
		{"root", NULL, "MARIADB_ROOT_PASSWORD"},
		{"root", NULL, "MYSQL_ROOT_PASSWORD"},
		{NULL, "MARIADB_USER", "MARIADB_PASSWORD"},
		{NULL, "MYSQL_USER", "MYSQL_PASSWORD"},
	};

	for (size_t i = 0; i < ARRAY_LEN(known) && !c->password && !c->job->host; i++) {
		const char *name =
			known[i].user ? known[i].user : container_env(c->place, known[i].name);

		if (name && strcmp(name, user) == 0 && container_env(c->place, known[i].password))
			return container_secret(c->place, known[i].password);
	}
	return c->password;
}

void mysql_connection(const struct engine_call *c, struct args *argv, struct args *env)
{
	const char *user = c->login ? c->login : c->job->user;
	const char *host = c->host ? c->host : c->job->host;
	const char *socket = c->host ? NULL : c->socket ? c->socket : c->job->socket;
	int port = c->port ? c->port : c->job->port;
	const char *password;

	user = user ? user : "root";
	password = password_of(c, user);
	if (socket)
		args_addf(argv, "--socket=%s", socket);
	else if (host)
		args_addf(argv, "--host=%s", host);
	if (host && !socket)
		args_add(argv, "--protocol=tcp");
	if (port && host && !socket)
		args_addf(argv, "--port=%d", port);
	args_addf(argv, "--user=%s", user);
	if (password)
		args_addf(env, "MYSQL_PWD=%s", password);
	args_add(env, "LC_ALL=C");
}

/* MySQL's own tool from 8.0 on asks for a table that only its own server has from 8.0 on. */
static bool asks_too_much(const struct mysql_tool *tool, const struct mysql_server *server)
{
	return !tool->is_mariadb && mysql_major(tool->version) >= 8 &&
	       (server->is_mariadb || mysql_major(server->version) < 8);
}

void mysql_dump_command(const struct engine_call *c, const struct mysql_tool *tool,
	const struct mysql_server *server, const char *database, struct args *argv,
	struct args *env)
{
	static const char *const always[] = {"--single-transaction", "--quick", "--routines",
		"--events", "--triggers", "--hex-blob", "--no-tablespaces", "--skip-lock-tables",
		"--default-character-set=utf8mb4", "--max-allowed-packet=1G", NULL};

	args_add(argv, tool->program);
	mysql_connection(c, argv, env);
	args_add_all(argv, always);
	if (!tool->is_mariadb)
		args_add(argv, "--set-gtid-purged=OFF");
	if (asks_too_much(tool, server))
		args_add(argv, "--column-statistics=0");
	args_add_list(argv, &c->job->arguments);
	args_add(argv, "--");
	args_add(argv, database);
}

void mysql_client_command(const struct engine_call *c, const struct mysql_tool *tool,
	const char *database, struct args *argv, struct args *env)
{
	/* Binary mode: none of the client's own commands are obeyed, whatever a dump says. */
	static const char *const always[] = {"--batch", "--skip-column-names", "--binary-mode",
		"--default-character-set=utf8mb4", "--max-allowed-packet=1G", NULL};

	args_add(argv, tool->program);
	mysql_connection(c, argv, env);
	args_add_all(argv, always);
	if (database)
		args_addf(argv, "--database=%s", database);
}

struct place_command mysql_command(
	const struct engine_call *c, const struct args *argv, const struct args *env)
{
	return (struct place_command){
		.argv = args_list(argv),
		.env = args_list(env),
		.cwd = place_is_host(c->place) ? "/" : NULL,
	};
}

static int add_cure(struct err *e, int r)
{
	const char *cure;
	struct err was;

	if (r >= 0 || !e)
		return r;
	mysql_shorten(e);
	cure = mysql_cure(e->msg);
	if (!cure)
		return r;
	was = *e;
	return err_set(e, -r, "%.*s; %s", (int)(sizeof(was.msg) - strlen(cure) - 3), was.msg, cure);
}

static int run_script(const struct engine_call *c, const char *database, const char *sql,
	bool lenient, int64_t deadline_ms, struct buf *out, struct err *e)
{
	static const int one[] = {1, 0};
	struct args argv = {NULL, 0}, env = {NULL, 0};
	struct place_command command;
	struct mysql_tool tool;
	int r;

	r = mysql_tool_find(c, "client", &tool, e);
	if (r < 0)
		return r;
	mysql_client_command(c, &tool, database, &argv, &env);
	if (lenient)
		args_add(&argv, "--force");
	command = mysql_command(c, &argv, &env);
	command.also_good = lenient ? one : NULL;
	command.input = sql;
	command.input_len = strlen(sql);
	r = place_run(c->place, &command, deadline_ms, out, e);
	args_done(&argv);
	args_done(&env);
	return add_cure(e, r);
}

int mysql_script(const struct engine_call *c, const char *database, const char *sql,
	int64_t deadline_ms, struct buf *out, struct err *e)
{
	return run_script(c, database, sql, false, deadline_ms, out, e);
}

int mysql_script_lenient(
	const struct engine_call *c, const char *sql, struct buf *out, struct err *e)
{
	return run_script(c, NULL, sql, true, PLACE_DEADLINE_MS, out, e);
}

int mysql_script_printed(
	const struct engine_call *c, const char *sql, struct buf *printed, struct err *e)
{
	static const int one[] = {1, 0};
	struct args argv = {NULL, 0}, env = {NULL, 0};
	struct place_command command;
	struct sink *client = NULL;
	struct mysql_tool tool;
	int r = mysql_tool_find(c, "client", &tool, e);

	if (r < 0)
		return r;
	mysql_client_command(c, &tool, NULL, &argv, &env);
	args_add(&argv, "--force");
	command = mysql_command(c, &argv, &env);
	command.also_good = one;
	r = place_target(c->place, &command, NULL, &client, e);
	if (r == 0)
		r = sink_write(client, sql, strlen(sql), e);
	if (r == 0)
		r = sink_finish(client, e);
	if (r == 0)
		buf_adds(printed, place_target_stderr(client));
	sink_free(client);
	args_done(&argv);
	args_done(&env);
	return add_cure(e, r);
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("_-.$ @%:", *text))
			return false;
	return true;
}

void mysql_add_text(struct buf *out, const char *text)
{
	if (is_plain(text)) {
		buf_addf(out, "'%s'", text);
		return;
	}
	buf_adds(out, "CONVERT(0x");
	for (; *text; text++)
		buf_addf(out, "%02X", (unsigned char)*text);
	buf_adds(out, " USING utf8)");
}

void mysql_add_name(struct buf *out, const char *name)
{
	buf_addc(out, '`');
	for (; *name; name++) {
		if (*name == '`')
			buf_addc(out, '`');
		buf_addc(out, *name);
	}
	buf_addc(out, '`');
}

bool mysql_next_row(char **at, char **columns, size_t n)
{
	static char nothing[] = "";
	char *line = *at, *end;

	if (*line == '\0')
		return false;
	end = line + strcspn(line, "\n");
	*at = *end ? end + 1 : end;
	*end = '\0';
	for (size_t i = 0; i < n; i++) {
		char *tab = line ? strchr(line, '\t') : NULL;

		columns[i] = line ? line : nothing;
		if (tab)
			*tab = '\0';
		line = tab ? tab + 1 : NULL;
	}
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool mysql_unhex(const char *hex, char *to, size_t size)
{
	size_t n = strlen(hex);

	if (n % 2 || n / 2 >= size)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		int a = digit(hex[i]), b = digit(hex[i + 1]);

		if (a < 0 || b < 0 || (a == 0 && b == 0))
			return false;
		to[i / 2] = (char)(a * 16 + b);
	}
	to[n / 2] = '\0';
	return true;
}

bool mysql_charset_set(struct mysql_charset *c, const char *name, const char *collation)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	if (name[0] == '\0' || strspn(name, letters) != strlen(name) || collation[0] == '\0' ||
		strspn(collation, letters) != strlen(collation))
		return false;
	return str_copy(c->name, sizeof(c->name), name) &&
	       str_copy(c->collation, sizeof(c->collation), collation);
}

void mysql_shorten(struct err *e)
{
	const char *last = NULL, *head = strstr(e->msg, "exit status ");
	struct err was = *e;

	for (const char *p = e->msg; (p = strstr(p, "ERROR ")); p++)
		if (isdigit((unsigned char)p[6]))
			last = p;
	head = head ? strchr(head, ':') : NULL;
	if (!last || !head || head > last)
		return;
	(void)snprintf(e->msg, sizeof(e->msg), "%.*s: %s", (int)(head - e->msg), was.msg,
		was.msg + (last - e->msg));
}

const char *mysql_cure(const char *message)
{
	static const struct {
		const char *words, *cure;
	} cures[] = {
		{"Access denied for user", "check user, password_file and what the user may do"},
		{"Can't connect", "is the server running? check host, port and socket"},
		{"Unknown database", "it is not there any more"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cures); i++)
		if (strstr(message, cures[i].words))
			return cures[i].cure;
	return NULL;
}

void mysql_database_name(char to[MYSQL_NAME_MAX], const struct engine_call *c, const char *title)
{
	char hex[HASH_SHA256_HEX_SIZE];

	if (!c->prefix) {
		(void)str_copy(to, MYSQL_NAME_MAX, title);
		return;
	}
	/* At most 64 characters, of which the prefix is 19. */
	hash_sha256_hex(hex, title, strlen(title));
	hex[32] = '\0';
	(void)snprintf(
		to, MYSQL_NAME_MAX, "%.31s%.44s", c->prefix, strlen(title) <= 40 ? title : hex);
}
