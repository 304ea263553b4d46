/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/engine_redis.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "backup/container_env.h"
#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/str.h"

const char *redis_program(const struct engine_call *c, const char *first, const char *second)
{
	if (place_has(c->place, first))
		return first;
	return place_has(c->place, second) ? second : NULL;
}

int redis_tool_version(const char *text, char version[32], struct err *e)
{
	const char *p = strstr(text, "v=");
	size_t n;

	p = p ? p + 2 : strpbrk(text, "0123456789");
	n = p ? strspn(p, "0123456789.") : 0;
	if (n == 0 || n >= 32 || redis_version_number(p) == 0)
		return err_set(e, EBADMSG, "version is not understood: \"%.60s\"", text);
	memcpy(version, p, n);
	version[n] = '\0';
	return 0;
}

int redis_version_number(const char *version)
{
	int number = 0;
	char *end;

	for (int i = 0; i < 3; i++) {
		long part = isdigit((unsigned char)*version) ? strtol(version, &end, 10) : -1;

		if (part < 0 && i == 0)
			return 0;
		if (part > 99)
			return 0;
		number = number * 100 + (part < 0 ? 0 : (int)part);
		if (part >= 0)
			version = *end == '.' ? end + 1 : "";
	}
	return number;
}

/* Images that are given their password through the environment. */
static const char *password_of(const struct engine_call *c)
{
	const char *password = c->password;

	if (!password && !c->drill && !c->job->user)
		password = container_secret(c->place, "REDIS_PASSWORD");
	if (!password && !c->drill && !c->job->user)
		password = container_secret(c->place, "VALKEY_PASSWORD");
	return password;
}

void redis_connection(const struct engine_call *c, struct args *argv, struct args *env)
{
	const char *user = c->login ? c->login : c->job->user;
	const char *host = c->host ? c->host : c->job->host;
	const char *socket = c->host ? NULL : c->socket ? c->socket : c->job->socket;
	int port = c->port ? c->port : c->job->port;
	const char *password = password_of(c);

	if (socket) {
		args_add(argv, "-s");
		args_add(argv, socket);
	} else {
		args_add(argv, "-h");
		args_add(argv, host ? host : "127.0.0.1");
		args_add(argv, "-p");
		args_addf(argv, "%d", port ? port : 6379);
	}
	if (user && password) {
		args_add(argv, "--user");
		args_add(argv, user);
	}
	args_add(argv, "--no-auth-warning");
	/* TLS and the like; a throw-away server has none of it. */
	if (!c->drill)
		args_add_list(argv, &c->job->arguments);
	args_add(env, "LC_ALL=C");
	if (password)
		args_addf(env, "REDISCLI_AUTH=%s", password);
}

const char *redis_cure(const char *message)
{
	static const struct {
		const char *words, *cure;
	} cures[] = {
		{"Could not connect", "is the server running? check host, port and socket"},
		{"WRONGPASS", "check user and password_file"},
		{"invalid password", "check password_file"},
		{"NOAUTH", "check user and password_file"},
		{"NOPERM", "give the user the right to do that (ACL SETUSER)"},
		{"no permissions", "give the user the right to do that (ACL SETUSER)"},
		{"unknown command", "the command was renamed or switched off on this server"},
		{"LOADING", "the server is still reading its data; try again later"},
		{"not enabled TLS", "add --tls to arguments"},
		{"wrong version number", "the server speaks no TLS there; remove --tls"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cures); i++)
		if (strstr(message, cures[i].words))
			return cures[i].cure;
	return NULL;
}

static int add_cure(struct err *e, int r)
{
	const char *cure = r < 0 && e ? redis_cure(e->msg) : NULL;
	struct err was;

	if (!cure)
		return r;
	was = *e;
	return err_set(e, -r, "%.*s; %s", (int)(sizeof(was.msg) - strlen(cure) - 3), was.msg, cure);
}

static int run(const struct engine_call *c, struct args *argv, struct args *env, const char *input,
	int64_t deadline_ms, struct buf *out, struct err *e)
{
	struct place_command command = {.argv = args_list(argv),
		.env = args_list(env),
		.input = input,
		.input_len = input ? strlen(input) : 0,
		.cwd = place_is_host(c->place) ? "/" : NULL};

	return add_cure(e, place_run(c->place, &command, deadline_ms, out, e));
}

static void add_words(struct args *argv, const char *words)
{
	while (*words) {
		size_t n = strcspn(words, " ");

		args_addf(argv, "%.*s", (int)n, words);
		words += n + strspn(words + n, " ");
	}
}

int redis_say(const struct engine_call *c, const char *command, const char *secret,
	int64_t deadline_ms, struct buf *out, struct err *e)
{
	struct args argv = {NULL, 0}, env = {NULL, 0};
	const char *program = redis_program(c, "redis-cli", "valkey-cli");
	int r;

	if (!program)
		return err_set(e, ENOENT, "neither redis-cli nor valkey-cli is there on %s; %s",
			place_title(c->place),
			place_is_host(c->place) ? "install the package redis-tools"
						: "is this a container of Redis?");
	args_add(&argv, program);
	redis_connection(c, &argv, &env);
	/* Its last argument is then what it finds on stdin. */
	if (secret)
		args_add(&argv, "-x");
	add_words(&argv, command);
	r = run(c, &argv, &env, secret, deadline_ms, out, e);
	args_done(&argv);
	args_done(&env);
	return r;
}

/* An answer that is none of those expected. */
int redis_refused(const char *command, const char *answer, struct err *e)
{
	int name = (int)strcspn(command, " "), line = (int)strcspn(answer, "\n");
	bool is_access = strstr(answer, "NOAUTH") || strstr(answer, "NOPERM") ||
			 strstr(answer, "WRONGPASS") || strstr(answer, "invalid password");

	return add_cure(e, err_set(e, is_access ? EACCES : EREMOTEIO, "%.*s: %.*s", name, command,
				   line == 0    ? 9
				   : line < 300 ? line
						: 300,
				   line ? answer : "no answer"));
}

int redis_do(const struct engine_call *c, const char *command, const char *also, struct err *e)
{
	_cleanup_(buf_done) struct buf answer = BUF_INIT(4096);
	int r = redis_say(c, command, NULL, PLACE_DEADLINE_MS, &answer, e);

	if (r < 0)
		return r;
	if (strcmp(buf_str(&answer), "OK\n") == 0 || (also && str_starts(buf_str(&answer), also)))
		return 0;
	return redis_refused(command, buf_str(&answer), e);
}

int redis_config_get(
	const struct engine_call *c, const char *name, char *to, size_t size, struct err *e)
{
	_cleanup_(buf_done) struct buf answer = BUF_INIT(REDIS_ANSWER_MAX);
	_cleanup_(free_p) char *command = str_format("CONFIG GET %s", name);
	const char *value;
	size_t n = strlen(name);
	int r = redis_say(c, command, NULL, PLACE_DEADLINE_MS, &answer, e);

	if (r < 0)
		return r;
	value = buf_str(&answer);
	if (strcmp(value, "\n") == 0)
		return err_set(e, ENOENT, "the server has no parameter %s", name);
	if (strncmp(value, name, n) != 0 || value[n] != '\n')
		return redis_refused(command, value, e);
	value += n + 1;
	n = strlen(value);
	if (n >= size)
		return err_set(e, EFBIG, "the parameter %s is too long", name);
	(void)str_copy(to, size, value);
	to[strcspn(to, "\n")] = '\0';
	return 0;
}

int redis_config_set(
	const struct engine_call *c, const char *name, const char *value, struct err *e)
{
	_cleanup_(buf_done) struct buf answer = BUF_INIT(4096);
	_cleanup_(free_p) char *command = str_format("CONFIG SET %s", name);
	int r = redis_say(c, command, value, PLACE_DEADLINE_MS, &answer, e);

	if (r == 0 && strcmp(buf_str(&answer), "OK\n") != 0)
		r = redis_refused(command, buf_str(&answer), e);
	return err_wrap(e, r, "%s", name);
}

int redis_step(struct err *e)
{
	struct pollfd p = {.fd = stop_fd(), .events = POLLIN};

	(void)poll(&p, 1, REDIS_STEP_MS);
	return stop_check(e);
}
