/* SPDX-License-Identifier: Apache-2.0
 *
 * A server of Redis reads a file only when it starts, and not at all when it keeps an append-only file. So the dump is loaded into
 * a throw-away server beside it first, which proves that this version can, and then the real one becomes its replica for as
 * long as it takes to get the data: no restart, no other settings, and what was in it stays until all has arrived.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_redis.h"
#include "backup/manifest.h"
#include "base/str.h"

enum { DATABASES_USUAL = 16 };

static int check_into(const struct engine_restore *r, struct err *e)
{
	if (r->into && *r->into)
		return err_set(e, EINVAL,
			"into: a dump of Redis goes into the whole server; for another one name a "
			"job for that, or restore to a file");
	return 0;
}

int redis_restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e)
{
	struct redis_info i;
	struct redis_keys keys;
	int x = check_into(r, e);

	if (x == 0)
		x = redis_info_ask(c, &i, e);
	if (x < 0)
		return x;
	redis_info_keys(&i, &keys);
	redis_info_done(&i);
	*destructive = keys.keys > 0;
	if (keys.keys > 0)
		buf_addf(text,
			"all keys on %s (%" PRId64 " in %" PRId64 " database%s) will be replaced",
			place_title(c->place), keys.keys, keys.databases,
			keys.databases == 1 ? "" : "s");
	else
		buf_addf(
			text, "Redis on %s, which is empty, will be filled", place_title(c->place));
	return 0;
}

/* The server must be able to reach the throw-away one, which listens on the loopback address of its place. */
static int check_reach(const struct engine_call *c, struct err *e)
{
	const char *host = c->host ? c->host : c->job->host;

	if (!host || strcmp(host, "localhost") == 0 || str_starts(host, "127.") ||
		strcmp(host, "::1") == 0)
		return 0;
	return err_set(e, ENOTSUP,
		"host: a server on another machine cannot be restored from here; run this there, "
		"or "
		"restore to a file");
}

static int check_role(const struct redis_info *i, struct err *e)
{
	if (redis_info_number(i, "cluster_enabled") == 1)
		return err_set(e, ENOTSUP,
			"a node of a cluster cannot be restored alone; restore to a file");
	if (!redis_info_is(i, "role", "master"))
		return err_set(e, EPERM,
			"this server is a replica, and would lose what is restored: restore into "
			"its master, or make it one first (REPLICAOF NO ONE)");
	return 0;
}

/* The throw-away server writes in its own version's format, which the real one must be able to read. */
static int check_versions(const struct redis_info *i, const struct redis_server *s, struct err *e)
{
	bool is_valkey = redis_info_is(i, "server_name", "valkey");
	char version[48];

	redis_info_text(
		i, is_valkey ? "valkey_version" : "redis_version", version, sizeof(version));
	if (redis_version_number(version) / 100 < redis_version_number(s->version) / 100)
		return err_set(e, EPROTO,
			"the program redis-server here has version %s, newer than the server that "
			"runs (%s): restart the server first",
			s->version, version);
	return 0;
}

static int n_databases(const struct engine_call *c, struct err *e)
{
	char text[32];
	int64_t n = DATABASES_USUAL;
	int r = redis_config_get(c, "databases", text, sizeof(text), e);

	if (r == -ENOENT)
		return DATABASES_USUAL;
	if (r < 0)
		return r;
	return str_to_i64(text, &n, e) == 0 && n > 0 && n < INT32_MAX ? (int)n : DATABASES_USUAL;
}

static int begin(const struct engine_call *c, const struct redis_info *i, struct redis_server **out,
	struct err *e)
{
	int databases, r = check_role(i, e);

	if (r < 0)
		return r;
	databases = n_databases(c, e);
	if (databases < 0)
		return databases;
	r = redis_server_start(c, c, redis_info_is(i, "server_name", "valkey"), databases, out, e);
	if (r < 0)
		return r;
	r = check_versions(i, *out, e);
	if (r < 0)
		redis_server_free(*out);
	return r;
}

int redis_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e)
{
	struct redis_server *server;
	struct redis_info i;
	int x = 0;

	if (r->is_drill) {
		t->state = c->drill;
		return 0;
	}
	x = check_into(r, e);
	if (x == 0)
		x = check_reach(c, e);
	if (x == 0)
		x = redis_heal(c, e);
	if (x == 0)
		x = redis_info_ask(c, &i, e);
	if (x < 0)
		return x;
	x = begin(c, &i, &server, e);
	redis_info_done(&i);
	if (x == 0)
		t->state = server;
	return x;
}

int redis_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e)
{
	(void)c;
	(void)r;
	if (strcmp(m->format, format_redis_rdb.name) != 0)
		return err_set(e, EPROTO, "member %s is no dump of Redis", m->name);
	return redis_server_target(t->state, out, e);
}

/* Keys that expire may have done so. */
static void compare(
	const struct engine_call *c, const struct engine_restore *r, const struct redis_server *s)
{
	struct counts have;
	struct err why, text;

	for (size_t i = 0; i < r->manifest->n_members; i++) {
		if (engine_redis.count(&s->call, NULL, &have, &why) == 0 &&
			counts_compare(&r->manifest->members[i].counts, &have, &why) == 0)
			continue;
		(void)err_set(&text, EINVAL,
			"restored, but not the same numbers as at the backup: %.300s", why.msg);
		if (c->warn)
			c->warn(c->user, text.msg);
	}
}

int redis_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e)
{
	struct redis_server *s = t->state;
	int x = 0;

	t->state = NULL;
	if (!s || r->is_drill)
		return 0;
	if (ok && !s->loaded)
		x = err_set(e, ENODATA, "the backup holds no dump of Redis");
	if (ok && s->loaded) {
		compare(c, r, s);
		x = redis_handover(c, s, e);
	}
	redis_server_free(s);
	return x;
}
