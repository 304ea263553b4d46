/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "backup/drill.h"
#include "backup/engine_postgresql.h"
#include "backup/manifest.h"
#include "base/str.h"

static int answers(const struct engine_call *drill, struct err *e)
{
	struct place_command command;
	struct pg_tool t;
	int r;

	pg_tool_init(&t, drill, "pg_isready", "postgres");
	command = pg_tool_command(drill, &t);
	r = place_run(drill->place, &command, PLACE_DEADLINE_MS, NULL, e);
	pg_tool_done(&t);
	return r;
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
	static const char *const env[] = {
		"POSTGRES_HOST_AUTH_METHOD=trust", "POSTGRES_USER=postgres", NULL};
	static const struct drill_server server = {env, "postgres", 5432, answers};
	int r = drill_start_server(c, &server, d, out, e);

	if (r == 0 && !has_globals(m))
		make_roles(c, out);
	return r;
}

static int begin_host(
	const struct engine_call *c, struct engine_call *out, struct drill *d, struct err *e)
{
	struct pg_server s;
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
	drill_add_prefix(c, d, out);
	return 0;
}

int pg_drill_begin(const struct engine_call *c, const struct manifest *m, struct engine_call *out,
	char into[128], struct engine_target *t, struct err *e)
{
	struct drill *d = drill_new(out, into, t);
	int r;

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
	drill_end(c, drill, t, drop_databases);
}
