/* SPDX-License-Identifier: Apache-2.0
 *
 * PostgreSQL by its own tools: one member per database (pg_dump -Fc, uncompressed: the run compresses), and the roles and
 * tablespaces as member "globals" when the whole server is backed up, because they are in no database's dump.
 */
#include "backup/engine_postgresql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static int check_versions(const struct engine_call *c, const struct pg_server *s,
	struct engine_info *out, struct err *e)
{
	char version[32];
	int major, r;

	r = pg_tool_ask(c, "pg_dump", version, &major, e);
	if (r < 0)
		return r;
	(void)snprintf(out->server_version, sizeof(out->server_version), "%s", s->version);
	(void)snprintf(out->tool_version, sizeof(out->tool_version), "pg_dump %s", version);
	if (major < pg_major(s->version_num))
		return err_set(e, EPROTO,
			"pg_dump %s cannot dump a server of version %s; install "
			"postgresql-client-%d",
			version, s->version, pg_major(s->version_num));
	return 0;
}

static void add_member(struct engine_info *out, const char *title, const struct format *format)
{
	struct engine_member *m = &out->members[out->n_members++];

	(void)str_copy(m->title, sizeof(m->title), title);
	m->format = format;
}

static int unknown_database(
	const struct engine_call *c, const struct pg_server *s, const char *name, struct err *e)
{
	struct buf have = BUF_INIT(300);
	const json_t *d;
	size_t i;
	int r;

	json_array_foreach(s->databases, i, d) buf_addf(
		&have, "%s%s", i ? ", " : "", json_string_value(json_object_get(d, "name")));
	r = err_set(e, ENOENT, "database: there is no %s on %s; there are: %s%s", name,
		place_title(c->place), buf_str(&have), have.overflow ? ", ..." : "");
	buf_done(&have);
	return r;
}

static int add_database(const struct engine_call *c, const struct pg_server *s, const char *name,
	struct engine_info *out, struct err *e)
{
	const json_t *d = pg_server_find(s, name);

	if (!d)
		return unknown_database(c, s, name, e);
	out->size_bytes += (int64_t)json_integer_value(json_object_get(d, "size"));
	add_member(out, name, &format_pg_custom);
	return 0;
}

static int add_all(const struct engine_call *c, const struct pg_server *s, struct engine_info *out,
	struct err *e)
{
	const json_t *d;
	size_t i;
	int r = 0;

	if (!place_has(c->place, "pg_dumpall"))
		return err_set(e, ENOENT, "pg_dumpall is not there on %s", place_title(c->place));
	if (!s->is_superuser && c->warn)
		c->warn(c->user,
			"roles are backed up without their passwords: the user is no superuser");
	add_member(out, PG_GLOBALS, &format_pg_sql);
	json_array_foreach(s->databases, i, d)
	{
		r = add_database(c, s, json_string_value(json_object_get(d, "name")), out, e);
		if (r < 0)
			break;
	}
	return r;
}

/* What a job names has something in it; of all databases some are empty on each server. */
static void warn_empty(const struct engine_call *c, const char *name)
{
	struct counts counts;
	struct err text;

	if (!c->warn || pg_count(c, name, &counts, &text) < 0 || counts_get(&counts, "tables") ||
		counts_get(&counts, "views") || counts_get(&counts, "functions"))
		return;
	(void)err_set(&text, ENODATA, "database %s has no tables: is it the right one?", name);
	c->warn(c->user, text.msg);
}

static int add_members(const struct engine_call *c, const struct pg_server *s,
	struct engine_info *out, struct err *e)
{
	const struct job_list *named = &c->job->database;
	size_t n = named->n ? named->n : json_array_size(s->databases) + 1;
	int r = 0;

	if (n > ENGINE_MEMBERS_MAX)
		return err_set(e, E2BIG, "%zu databases; at most %d can be in one job", n,
			ENGINE_MEMBERS_MAX);
	out->members = calloc(n, sizeof(*out->members));
	if (!out->members)
		abort();
	if (named->n == 0)
		return add_all(c, s, out, e);
	for (size_t i = 0; i < named->n && r == 0; i++) {
		r = add_database(c, s, named->items[i], out, e);
		if (r == 0)
			warn_empty(c, named->items[i]);
	}
	return r;
}

static int probe(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	struct engine_info info = {.server_version = ""};
	struct pg_server s;
	int r;

	if (!place_has(c->place, "psql"))
		return err_set(e, ENOENT, "psql is not there on %s; %s", place_title(c->place),
			place_is_host(c->place) ? "install the package postgresql-client"
						: "is this a PostgreSQL container?");
	r = pg_server_ask(c, &s, e);
	if (r < 0)
		return r;
	r = check_versions(c, &s, &info, e);
	if (r == 0)
		r = add_members(c, &s, &info, e);
	pg_server_done(&s);
	if (r < 0)
		free(info.members);
	else
		*out = info;
	return r;
}

static int count(const struct engine_call *c, const struct engine_member *m, struct counts *out,
	struct err *e)
{
	static const char sql[] = "SELECT json_build_object('roles', count(*)) FROM pg_roles"
				  " WHERE rolname !~ '^pg_';\n";
	char name[PG_NAME_MAX + 1];
	json_t *j;
	int r;

	if (m->format != &format_pg_sql) {
		pg_database_name(name, c, m->title);
		return pg_count(c, name, out, e);
	}
	r = pg_ask(c, NULL, NULL, sql, &j, e);
	if (r < 0)
		return r;
	memset(out, 0, sizeof(*out));
	/* A server that a drill restores to has roles of its own. */
	counts_set(out, "roles", (int64_t)json_integer_value(json_object_get(j, "roles")), true);
	json_decref(j);
	return 0;
}

static int dump_globals(const struct engine_call *c, struct source **out, struct err *e)
{
	struct place_command command;
	struct pg_server s;
	struct pg_tool t;
	int r;

	r = pg_server_ask(c, &s, e);
	if (r < 0)
		return r;
	pg_globals_tool(&t, c, s.is_superuser);
	pg_server_done(&s);
	command = pg_tool_command(c, &t);
	r = place_source(c->place, &command, out, e);
	pg_tool_done(&t);
	return r;
}

static int dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e)
{
	struct place_command command;
	struct pg_tool t;
	int r;

	if (m->format == &format_pg_sql)
		return dump_globals(c, out, e);
	pg_dump_tool(&t, c, m->title);
	command = pg_tool_command(c, &t);
	r = place_source(c->place, &command, out, e);
	pg_tool_done(&t);
	return r;
}

const struct engine engine_postgresql = {
	.name = "postgresql",
	.doc = "Each database as pg_dump's custom format; of a whole server also the roles.",
	.tools = "pg_dump pg_dumpall psql",
	.restore_tools = "pg_restore psql",
	.default_port = 5432,
	.check_job = engine_check_server_job,
	.probe = probe,
	.count = count,
	.dump = dump,
	.restore_plan = pg_restore_plan,
	.restore_begin = pg_restore_begin,
	.restore_member = pg_restore_member,
	.restore_end = pg_restore_end,
	.is_atomic = true,
	.drill_begin = pg_drill_begin,
	.drill_end = pg_drill_end,
	.proof = pg_proof,
};
