/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/container_env.h"
#include "backup/engine_mongodb.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { CONFIG_MAX = 64 * 1024 };

/* The shell hands its here-document over as a descriptor, and is then the program itself. */
static const char with_config[] = "c=$AGENT_MONGO_CONFIG\n"
				  "unset AGENT_MONGO_CONFIG\n"
				  "exec \"$0\" --config=/dev/fd/9 \"$@\" 9<<END\n"
				  "$c\n"
				  "END\n";

/* A text in YAML's double quotes, which know the escapes of C. */
static void add_yaml(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "%s: \"", name);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			buf_addf(out, "\\x%02x", c);
		else
			buf_addc(out, (char)c);
	}
	buf_adds(out, "\"\n");
}

static bool is_uri(const char *host)
{
	return host && strstr(host, "://");
}

static void add_config(struct mongo_tool *t, const char *uri, const char *password)
{
	struct buf config = BUF_INIT(CONFIG_MAX);

	buf_adds(&config, "AGENT_MONGO_CONFIG=");
	if (uri)
		add_yaml(&config, "uri", uri);
	if (password)
		add_yaml(&config, "password", password);
	args_add(&t->env, buf_str(&config));
	explicit_bzero(config.data, config.cap);
	buf_done(&config);
	args_add_all(&t->argv, (const char *const[]){"sh", "-c", with_config, NULL});
}

void mongo_tool_init(struct mongo_tool *t, const struct engine_call *c, const char *program)
{
	const struct job *j = c->job;
	const char *host = c->host ? c->host : j->socket ? j->socket : j->host;
	const char *uri = is_uri(host) ? host : NULL;
	const char *user = c->login ? c->login : j->user;
	int port = c->port ? c->port : j->port;

	memset(t, 0, sizeof(*t));
	t->program = program;
	if (!user && c->password)
		user = container_env(c->place, "MONGO_INITDB_ROOT_USERNAME");
	if (uri || c->password)
		add_config(t, uri, c->password);
	args_add(&t->argv, program);
	if (host && !uri)
		args_addf(&t->argv, "--host=%s", host);
	if (port && !uri)
		args_addf(&t->argv, "--port=%d", port);
	if (!user)
		return;
	args_addf(&t->argv, "--username=%s", user);
	args_addf(&t->argv, "--authenticationDatabase=%s",
		j->auth_database ? j->auth_database : "admin");
}

void mongo_tool_done(struct mongo_tool *t)
{
	args_done(&t->argv);
	args_done(&t->env);
}

struct place_command mongo_tool_command(const struct engine_call *c, const struct mongo_tool *t)
{
	return (struct place_command){
		.argv = args_list(&t->argv),
		.name = t->program,
		.env = args_list(&t->env),
		.cwd = place_is_host(c->place) ? "/" : NULL,
	};
}

int mongo_tool_version(const char *text, char version[64], struct err *e)
{
	const char *p = strstr(text, "version: ");
	size_t n = 0;

	if (p) {
		p += strlen("version: ");
		p += *p == 'r'; /* of old ones: r4.0.28 */
		n = strcspn(p, " \r\n");
	}
	if (n == 0 || n >= 64 || !isdigit((unsigned char)*p))
		return err_set(e, EBADMSG, "version is not understood: \"%.60s\"", text);
	memcpy(version, p, n);
	version[n] = '\0';
	return 0;
}

int mongo_tool_ask(
	const struct engine_call *c, const char *program, char version[64], struct err *e)
{
	const char *argv[] = {program, "--version", NULL};
	const struct place_command command = {.argv = argv};
	struct buf text = BUF_INIT(4096);
	int r;

	if (!place_has(c->place, program))
		return err_set(e, ENOENT, "%s is not there on %s; %s", program,
			place_title(c->place),
			place_is_host(c->place) ? "install MongoDB's database tools"
						: "is this a MongoDB container?");
	r = place_run(c->place, &command, PLACE_DEADLINE_MS, &text, e);
	if (r == 0)
		r = mongo_tool_version(buf_str(&text), version, e);
	buf_done(&text);
	return r;
}

int mongo_add_cure(struct err *e, int r)
{
	static const struct {
		const char *words, *cure;
	} cures[] = {
		{"Authentication failed", "check user, password_file and auth_database"},
		{"AuthenticationFailed", "check user, password_file and auth_database"},
		{"not authorized", "let the user do it: roles backup and restore"},
		{"requires authentication", "set user and password_file"},
		{"server selection", "is the server running? check host and port"},
		{"connection refused", "is the server running? check host and port"},
	};
	struct err was;

	for (size_t i = 0; r < 0 && e && i < ARRAY_LEN(cures); i++) {
		if (!strstr(e->msg, cures[i].words))
			continue;
		was = *e;
		return err_set(e, -r, "%.*s; %s",
			(int)(sizeof(was.msg) - strlen(cures[i].cure) - 3), was.msg, cures[i].cure);
	}
	return r;
}

int64_t mongo_failed_documents(const char *printed)
{
	const char *p = strstr(printed, " document(s) failed to restore");
	const char *from = p;

	while (from && from > printed && isdigit((unsigned char)from[-1]))
		from--;
	return from && from < p ? strtoll(from, NULL, 10) : -1;
}
