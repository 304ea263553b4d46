/* SPDX-License-Identifier: Apache-2.0
 *
 * Redis and Valkey: all keys of all databases as the file a replica gets (RDB), by redis-cli or valkey-cli.
 */
#include "backup/engine_redis.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

static int check_job(const struct job *j, struct err *e)
{
	if (j->socket && (j->host || j->port))
		return err_set(e, EINVAL, "socket: cannot be set together with %s",
			j->host ? "host" : "port");
	if (j->database.n)
		return err_set(e, EINVAL, "database: a dump of Redis always holds all of them");
	if (j->user && !j->password_file)
		return err_set(e, EINVAL, "user: needs password_file");
	return 0;
}

static int tool_version(const struct engine_call *c, char *to, size_t size, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);
	const char *argv[] = {redis_program(c, "redis-cli", "valkey-cli"), "--version", NULL};
	const struct place_command command = {.argv = argv};
	char version[32];
	int r = place_run(c->place, &command, PLACE_DEADLINE_MS, &text, e);

	if (r == 0)
		r = redis_tool_version(buf_str(&text), version, e);
	if (r == 0)
		(void)snprintf(to, size, "%s %s", argv[0], version);
	return r;
}

static void add_member(struct engine_info *out)
{
	out->members = calloc(1, sizeof(*out->members));
	if (!out->members)
		abort();
	(void)str_copy(out->members[0].title, sizeof(out->members[0].title), REDIS_TITLE);
	out->members[0].format = &format_redis_rdb;
	out->n_members = 1;
}

static int check_server(const struct engine_call *c, const struct redis_info *i, struct err *e)
{
	struct redis_keys keys;

	if (redis_info_number(i, "loading") == 1)
		return err_set(e, EBUSY, "the server is still loading its data; try again later");
	redis_info_keys(i, &keys);
	if (!c->warn)
		return 0;
	if (keys.keys == 0)
		c->warn(c->user, "the server has no key");
	if (redis_info_number(i, "cluster_enabled") == 1)
		c->warn(c->user, "this is one node of a cluster: the backup holds its keys only");
	return 0;
}

static int probe(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	struct engine_info info = {.server_version = ""};
	struct redis_info i;
	int64_t used;
	int r = redis_heal(c, e);

	if (r == 0)
		r = redis_info_ask(c, &i, e);
	if (r < 0)
		return r;
	r = check_server(c, &i, e);
	if (r == 0)
		r = tool_version(c, info.tool_version, sizeof(info.tool_version), e);
	redis_info_version(&i, info.server_version, sizeof(info.server_version));
	used = redis_info_number(&i, "used_memory_dataset");
	redis_info_done(&i);
	if (r < 0)
		return r;
	/* A dump is denser than the memory; how much depends on what is in it. */
	info.size_bytes = used > 0 ? used / 2 : 0;
	add_member(&info);
	*out = info;
	return 0;
}

/* Keys that expire come and go on their own, also between a dump and a drill. */
static int count(const struct engine_call *c, const struct engine_member *m, struct counts *out,
	struct err *e)
{
	struct redis_info i;
	struct redis_keys keys;
	int64_t libraries;
	int r = redis_info_ask(c, &i, e);

	(void)m;
	if (r < 0)
		return r;
	redis_info_keys(&i, &keys);
	libraries = redis_info_number(&i, "number_of_libraries");
	redis_info_done(&i);
	memset(out, 0, sizeof(*out));
	counts_set(out, "keys", keys.keys, true);
	counts_set(out, "lasting keys", keys.lasting, false);
	counts_set(out, "databases", keys.databases, true);
	if (libraries > 0)
		counts_set(out, "libraries", libraries, false);
	return 0;
}

const struct engine engine_redis = {
	.name = "redis",
	.doc = "All keys of a Redis or Valkey server, as they were at one moment.",
	.tools = "redis-cli|valkey-cli",
	.restore_tools = "redis-cli|valkey-cli redis-server|valkey-server",
	.default_port = 6379,
	.check_job = check_job,
	.probe = probe,
	.count = count,
	.dump = redis_dump,
	.restore_plan = redis_restore_plan,
	.restore_begin = redis_restore_begin,
	.restore_member = redis_restore_member,
	.restore_end = redis_restore_end,
	.is_atomic = true,
	.drill_begin = redis_drill_begin,
	.drill_end = redis_drill_end,
};
