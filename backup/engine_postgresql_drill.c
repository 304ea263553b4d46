/* SPDX-License-Identifier: Apache-2.0
 *
 * Drills: a throw-away container of the same image, or, for a server on this host, throw-away databases on it, whose names
 * begin with agent_drill_.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "backup/docker.h"
#include "backup/engine_postgresql.h"
#include "backup/manifest.h"
#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

enum { READY_MS = 3 * 60 * 1000, READY_STEP_MS = 200, MEMORY_BYTES = 1024 * 1024 * 1024 };

struct drill {
	char container[80]; /* "" on the host */
	char *prefix;
};

/* Whether the server answers over TCP: while the image is still setting itself up there is one that listens on the
 * socket only, and ends again. */
static int wait_ready(const struct engine_call *d, struct err *e)
{
	int64_t until = clock_mono_ms() + READY_MS;
	struct place_command command;
	struct pg_tool t;
	int r, stopped;

	pg_tool_init(&t, d, "pg_isready", "postgres");
	command = pg_tool_command(d, &t);
	while ((r = place_run(d->place, &command, PLACE_DEADLINE_MS, NULL, e)) < 0) {
		struct pollfd p = {.fd = stop_fd(), .events = POLLIN};

		stopped = stop_check(e);
		if (stopped < 0)
			r = stopped;
		if (stopped < 0 || r != -EREMOTEIO || clock_mono_ms() > until)
			break;
		(void)poll(&p, 1, READY_STEP_MS);
	}
	pg_tool_done(&t);
	return err_wrap(e, r, "the throw-away server");
}

static int start_container(const struct engine_call *c, struct drill *d, struct err *e)
{
	static const char *const env[] = {
		"POSTGRES_HOST_AUTH_METHOD=trust", "POSTGRES_USER=postgres", NULL};
	const struct docker_container *like = place_docker(c->place);
	struct docker_throwaway o = {
		.image = c->job->drill_image ? c->job->drill_image : like->image,
		.env = env,
		.memory_bytes = MEMORY_BYTES,
		.job = c->job->name,
	};

	return docker_throwaway(c->container_socket, &o, d->container, e);
}

/* Roles that the dump may name, without rights: policies and grants need them. */
static void make_roles(const struct engine_call *c, const struct engine_call *drill)
{
	static const char ask[] =
		"SELECT json_build_object('sql', coalesce(string_agg(format('CREATE ROLE %I;', "
		"rolname),"
		" E'\\n'), '')) FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres';\n";
	json_t *j;

	if (pg_ask(c, NULL, NULL, ask, &j, NULL) < 0)
		return;
	(void)pg_script(drill, NULL, NULL, json_string_value(json_object_get(j, "sql")),
		PLACE_DEADLINE_MS, NULL, NULL);
	json_decref(j);
}

static bool has_globals(const struct manifest *m)
{
	for (size_t i = 0; i < m->n_members; i++)
		if (strcmp(m->members[i].format, format_pg_sql.name) == 0)
			return true;
	return false;
}

static int begin_container(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, struct drill *d, struct err *e)
{
	int r = start_container(c, d, e);

	if (r < 0)
		return r;
	*out = *c;
	out->host = "127.0.0.1";
	out->socket = NULL;
	out->login = "postgres";
	out->password = NULL;
	out->port = 5432;
	out->place = NULL;
	r = place_container(c->container_socket, d->container, &out->place, e);
	if (r == 0)
		r = wait_ready(out, e);
	if (r == 0 && !has_globals(m))
		make_roles(c, out);
	return r;
}

static int begin_host(
	const struct engine_call *c, struct engine_call *out, struct drill *d, struct err *e)
{
	struct pg_server s;
	char id[7];
	bool may_create;
	int r = pg_server_ask(c, &s, e);

	if (r < 0)
		return r;
	may_create = s.may_create;
	pg_server_done(&s);
	if (!may_create)
		return err_set(e, EPERM,
			"the user may not make databases, which a drill needs: ALTER ROLE ... "
			"CREATEDB");
	args_random_hex(id);
	d->prefix = str_format("agent_drill_%s_", id);
	*out = *c;
	out->prefix = d->prefix;
	return 0;
}

int pg_drill_begin(const struct engine_call *c, const struct manifest *m, struct engine_call *out,
	char into[128], struct engine_target *t, struct err *e)
{
	struct drill *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		abort();
	t->state = d;
	out->place = NULL;
	into[0] = '\0';
	if (place_is_host(c->place))
		r = begin_host(c, out, d, e);
	else
		r = begin_container(c, m, out, d, e);
	if (r < 0)
		pg_drill_end(c, out, t);
	return r;
}

static void drop_databases(const struct engine_call *c, const char *prefix)
{
	struct pg_server s;
	struct err why;
	const json_t *item;
	size_t i;

	if (pg_server_ask(c, &s, &why) < 0)
		return;
	json_array_foreach(s.databases, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));

		if (str_starts(name, prefix) && pg_drop(c, name, s.version_num, &why) < 0 &&
			c->warn)
			c->warn(c->user, why.msg);
	}
	pg_server_done(&s);
}

void pg_drill_end(const struct engine_call *c, struct engine_call *drill, struct engine_target *t)
{
	struct drill *d = t->state;
	struct err why;

	if (!d)
		return;
	if (d->prefix)
		drop_databases(c, d->prefix);
	else
		place_free(drill->place);
	if (d->container[0] && docker_remove(c->container_socket, d->container, &why) < 0 &&
		c->warn)
		c->warn(c->user, why.msg);
	free(d->prefix);
	free(d);
	t->state = NULL;
}
