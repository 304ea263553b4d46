/* SPDX-License-Identifier: Apache-2.0
 *
 * A server of its own, beside the real one, that reads a dump from its stdin: the file to load is "stdin" in the folder /dev, so
 * there is no copy on any disk. Its password is in no argument list, only the hash of it (ACL, Redis 6 and later). It is the
 * first that the kernel ends when there is not enough memory for both.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backup/engine_redis.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"

enum {
	OLDEST_VERSION = 60000, /* ACL */
	OOM_VERSION = 60200, /* oom-score-adj absolute */
	FIRST_PORT = 61000, /* behind those that Linux gives to connections */
	N_PORTS = 4500,
	LOADED_MS = 2 * 1000, /* for one answer */
};

static const char *find_program(const struct engine_call *c, bool like_valkey)
{
	return like_valkey ? redis_program(c, "valkey-server", "redis-server")
			   : redis_program(c, "redis-server", "valkey-server");
}

static int ask_version(
	const struct engine_call *c, const char *program, char version[32], struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);
	const char *const argv[] = {program, "--version", NULL};
	const struct place_command command = {.argv = argv};
	int r = place_run(c->place, &command, PLACE_DEADLINE_MS, &text, e);

	if (r == 0)
		r = redis_tool_version(buf_str(&text), version, e);
	if (r == 0 && redis_version_number(version) < OLDEST_VERSION)
		r = err_set(e, EPROTO,
			"%s %s is too old for this: from 6.0 on; the dump itself can be had as a "
			"file",
			program, version);
	return r;
}

static void random_bytes(void *to, size_t n)
{
	if (getrandom(to, n, 0) != (ssize_t)n)
		abort();
}

/* One that nobody uses now; in a container that cannot be asked, and few listen there. */
static int choose_port(const struct engine_call *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned random;
	int port = 0;

	for (int i = 0; i < 100 && port == 0; i++) {
		_cleanup_(close_p) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		random_bytes(&random, sizeof(random));
		port = FIRST_PORT + (int)(random % N_PORTS);
		a.sin_port = htons((uint16_t)port);
		if (place_is_host(c->place) && bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
			port = 0;
	}
	return port ? port : FIRST_PORT;
}

static void make_password(struct redis_server *s, char hash[HASH_SHA256_HEX_SIZE])
{
	unsigned char random[32];
	char hex[HASH_SHA256_HEX_SIZE];

	random_bytes(random, sizeof(random));
	hash_sha256_hex(hex, random, sizeof(random));
	(void)snprintf(s->password, sizeof(s->password), REDIS_MARK "%.48s", hex);
	place_hide(s->password);
	hash_sha256_hex(hash, s->password, strlen(s->password));
}

static void add_arguments(struct args *a, const struct redis_server *s, int databases,
	const char hash[HASH_SHA256_HEX_SIZE])
{
	static const char *const always[] = {"--dir", "/dev", "--dbfilename", "stdin", "--save", "",
		"--appendonly", "no", "--bind", "127.0.0.1", "--daemonize", "no", "--logfile",
		"/dev/stderr", "--loglevel", "warning", "--repl-diskless-sync", "yes",
		"--repl-diskless-sync-delay", "0", "--client-output-buffer-limit", "replica", "0",
		"0", "0", NULL};
	static const char *const first_to_go[] = {"--oom-score-adj", "absolute",
		"--oom-score-adj-values", "1000", "1000", "1000", NULL};

	args_add_all(a, always);
	args_add(a, "--port");
	args_addf(a, "%d", s->call.port);
	args_add(a, "--databases");
	args_addf(a, "%d", databases);
	args_add(a, "--user");
	args_add(a, "default");
	args_add(a, "on");
	args_addf(a, "#%s", hash);
	args_add(a, "~*");
	args_add(a, "+@all");
	if (redis_version_number(s->version) >= OOM_VERSION)
		args_add_all(a, first_to_go);
}

void redis_modules_add(struct args *a, const char *text)
{
	bool is_path = false, is_argument = false, has_path = false;

	while (*text) {
		size_t n = strcspn(text, "\n");
		_cleanup_(free_p) char *line = str_ndup(text, n);

		text += n + (text[n] == '\n');
		if (is_path && *line == '/') {
			args_add(a, "--loadmodule");
			args_add(a, line);
			has_path = true;
		} else if (strcmp(line, "name") == 0) {
			is_argument = has_path = false;
		} else if (is_argument && has_path && *line) {
			args_add(a, line);
		}
		is_argument = is_argument || strcmp(line, "args") == 0;
		is_path = !is_argument && strcmp(line, "path") == 0;
	}
}

/* Data of a module can only be loaded with it. From Redis 7 on a server says where its modules are; one that does not say, or
 * is not there, has none for us. */
static void add_modules(struct args *a, const struct engine_call *like)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(REDIS_ANSWER_MAX);

	if (redis_say(like, "MODULE LIST", NULL, PLACE_DEADLINE_MS, &text, NULL) == 0)
		redis_modules_add(a, buf_str(&text));
}

static int start(struct redis_server *s, const char *program, const struct engine_call *like,
	int databases, struct err *e)
{
	struct args argv = {NULL, 0};
	struct place_command command;
	char hash[HASH_SHA256_HEX_SIZE];
	int r;

	make_password(s, hash);
	args_add(&argv, program);
	add_arguments(&argv, s, databases, hash);
	add_modules(&argv, like);
	command = (struct place_command){.argv = args_list(&argv)};
	r = place_target(s->call.place, &command, NULL, &s->process, e);
	args_done(&argv);
	return r;
}

int redis_server_start(const struct engine_call *c, const struct engine_call *like,
	bool like_valkey, int databases, struct redis_server **out, struct err *e)
{
	const char *program = find_program(c, like_valkey);
	struct redis_server *s;
	int r;

	if (!program)
		return err_set(e, ENOENT, "neither redis-server nor valkey-server is there on %s%s",
			place_title(c->place),
			place_is_host(c->place) ? "; install the package redis-server" : "");
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->call = *c;
	s->call.drill = s;
	s->call.host = "127.0.0.1";
	s->call.socket = NULL;
	s->call.login = "default";
	s->call.password = s->password;
	s->call.port = choose_port(c);
	r = ask_version(c, program, s->version, e);
	if (r == 0)
		r = start(s, program, like, databases, e);
	if (r < 0)
		redis_server_free(s);
	else
		*out = s;
	return r;
}

void redis_server_free(struct redis_server *s)
{
	if (!s)
		return;
	if (s->process && s->loaded)
		(void)redis_say(&s->call, "SHUTDOWN NOSAVE", NULL, PLACE_DEADLINE_MS, NULL, NULL);
	sink_free(s->process);
	explicit_bzero(s->password, sizeof(s->password));
	free(s);
}

const char *redis_server_cure(const char *words)
{
	static const struct {
		const char *words, *cure;
	} cures[] = {
		{"handle RDB format", "the backup is of a newer version than this server has"},
		{"Bad file format version",
			"the backup is of a newer version than this server has"},
		{"odule", "the backup holds data of a module that this server has not loaded"},
		{"databases. Exiting", "the backup uses more databases than this server has: raise "
				       "`databases` in its configuration"},
		{"Address already in use", "another program took its port; try again"},
		{"Failed listening", "another program took its port; try again"},
		{"checksum", "the dump is damaged"},
		{"Short read", "the dump is damaged, or there is not enough memory"},
		{"Unknown RDB", "the backup is of a newer version than this server has"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cures); i++)
		if (strstr(words, cures[i].words))
			return cures[i].cure;
	return NULL;
}

/* --- where the dump goes */

struct target {
	struct sink sink;
	struct redis_server *server;
};

static int explain(const struct redis_server *s, int r, struct err *e)
{
	const char *cure = r < 0 && r != -ECANCELED
				   ? redis_server_cure(place_target_stderr(s->process))
				   : NULL;

	if (cure)
		r = err_set(e, EPROTO, "%s", cure);
	return err_wrap(e, r, "the throw-away server, version %s, did not load it", s->version);
}

static int target_write(struct sink *sink, const void *data, size_t n, struct err *e)
{
	struct redis_server *s = ((struct target *)sink)->server;
	int r = sink_write(s->process, data, n, e);

	return r < 0 ? explain(s, r, e) : 0;
}

/* 1: it answers; 0: not yet. */
static int answers(struct redis_server *s, struct err *e)
{
	static const char nothing[64] = "";
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);
	int r = redis_say(&s->call, "PING", NULL, LOADED_MS, &text, e);

	if (r == -ECANCELED)
		return r;
	if (r == 0 && strcmp(buf_str(&text), "PONG\n") == 0)
		return 1;
	/* One that has ended takes no byte more, and one that has loaded reads no more. One that found a fault looks at what
	 * follows, and ends when that is no dump: enough for the head of one. */
	r = sink_write(s->process, nothing, sizeof(nothing), e);
	return r < 0 ? explain(s, r, e) : 0;
}

static int target_finish(struct sink *sink, struct err *e)
{
	struct redis_server *s = ((struct target *)sink)->server;
	int64_t until = clock_mono_ms() + REDIS_LONG_MS;
	int r;

	while ((r = answers(s, e)) == 0) {
		r = redis_step(e);
		if (r < 0)
			return r;
		if (clock_mono_ms() > until)
			return err_set(
				e, ETIMEDOUT, "the throw-away server does not load the dump");
	}
	s->loaded = r > 0;
	return r < 0 ? r : 0;
}

static void target_free(struct sink *sink)
{
	free(sink);
}

int redis_server_target(struct redis_server *s, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {target_write, target_finish, target_free};
	struct target *t = calloc(1, sizeof(*t));

	(void)e;
	if (!t)
		abort();
	t->sink.ops = &ops;
	t->server = s;
	*out = &t->sink;
	return 0;
}
