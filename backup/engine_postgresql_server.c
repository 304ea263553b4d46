/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_postgresql.h"
#include "base/cleanup.h"
#include "base/str.h"

/* Databases that do not let anybody in cannot be dumped; templates hold nothing of anybody's. */
static const char SERVER_SQL[] =
	"SELECT json_build_object('version', current_setting('server_version'),"
	" 'number', current_setting('server_version_num')::int,"
	" 'superuser', r.rolsuper, 'createdb', r.rolsuper OR r.rolcreatedb,"
	" 'databases', (SELECT coalesce(json_agg(json_build_object('name', d.datname, 'size',"
	"  CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) ELSE 0 "
	"END)"
	"  ORDER BY d.datname), '[]'::json) FROM pg_database d"
	"  WHERE d.datallowconn AND NOT d.datistemplate))"
	" FROM pg_roles r WHERE r.rolname = current_user;\n";

/* What an extension brought is not counted: another version of it may bring more. */
#define USER_SCHEMA "nspname !~ '^pg_' AND nspname <> 'information_schema'"
#define NOT_OF_EXTENSION(table, alias)                                                             \
	"NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = '" table                          \
	"'::regclass AND x.objid = " alias ".oid AND x.deptype = 'e')"

static const char COUNT_SQL[] =
	"WITH s AS (SELECT oid, nspname FROM pg_namespace n WHERE " USER_SCHEMA
	" AND " NOT_OF_EXTENSION("pg_namespace",
		"n") "),"
		     " k AS (SELECT c.oid, c.relkind, c.reltuples FROM pg_class c JOIN s ON s.oid "
		     "= c.relnamespace"
		     "  WHERE " NOT_OF_EXTENSION("pg_class",
			     "c") ")"
				  " SELECT json_build_object("
				  "'schemas', (SELECT count(*) FROM s),"
				  "'tables', (SELECT count(*) FROM k WHERE relkind IN ('r', 'p', "
				  "'f')),"
				  "'views', (SELECT count(*) FROM k WHERE relkind IN ('v', 'm')),"
				  "'sequences', (SELECT count(*) FROM k WHERE relkind = 'S'),"
				  "'indexes', (SELECT count(*) FROM k WHERE relkind IN ('i', 'I')),"
				  "'triggers', (SELECT count(*) FROM pg_trigger t JOIN k ON k.oid "
				  "= t.tgrelid"
				  "  WHERE NOT t.tgisinternal),"
				  "'functions', (SELECT count(*) FROM pg_proc p JOIN s ON s.oid = "
				  "p.pronamespace"
				  "  WHERE " NOT_OF_EXTENSION("pg_proc",
					  "p") "),"
					       "'extensions', (SELECT count(*) FROM pg_extension),"
					       "'~large_objects', (SELECT count(*) FROM "
					       "pg_largeobject_metadata),"
					       "'~rows', (SELECT coalesce(sum(greatest(reltuples, "
					       "0)), 0)::bigint FROM k"
					       "  WHERE relkind = 'r'));\n";

int pg_server_ask(const struct engine_call *c, struct pg_server *out, struct err *e)
{
	struct pg_server s = {.version = ""};
	const char *version;
	json_t *j;
	int r;

	r = pg_ask(c, NULL, NULL, SERVER_SQL, &j, e);
	if (r < 0)
		return r;
	version = json_string_value(json_object_get(j, "version"));
	s.version_num = (int)json_integer_value(json_object_get(j, "number"));
	s.is_superuser = json_is_true(json_object_get(j, "superuser"));
	s.may_create = json_is_true(json_object_get(j, "createdb"));
	s.databases = json_incref(json_object_get(j, "databases"));
	(void)str_copy(s.version, sizeof(s.version), version ? version : "");
	json_decref(j);
	if (!version || !json_is_array(s.databases)) {
		pg_server_done(&s);
		return err_set(e, EBADMSG, "the server's answer is not understood");
	}
	*out = s;
	return 0;
}

void pg_server_done(struct pg_server *s)
{
	json_decref(s->databases);
	s->databases = NULL;
}

const json_t *pg_server_find(const struct pg_server *s, const char *database)
{
	const json_t *d;
	size_t i;

	json_array_foreach(s->databases, i, d)
	{
		const char *name = json_string_value(json_object_get(d, "name"));

		if (name && strcmp(name, database) == 0)
			return d;
	}
	return NULL;
}

int pg_count(const struct engine_call *c, const char *database, struct counts *out, struct err *e)
{
	struct counts counts = {.n_items = 0};
	const char *name;
	json_t *j, *n;
	int r;

	r = pg_ask(c, database, NULL, COUNT_SQL, &j, e);
	if (r < 0)
		return r;
	json_object_foreach(j, name, n)
	{
		bool loose = *name == '~';

		/* With arguments of the user's own, tables may be left out of the dump. */
		counts_set(&counts, loose ? name + 1 : name, (int64_t)json_integer_value(n),
			loose || c->job->arguments.n > 0);
	}
	json_decref(j);
	*out = counts;
	return 0;
}

int pg_major(int version_num)
{
	return version_num / 10000;
}

int pg_major_of_text(const char *version)
{
	long n = strtol(version, NULL, 10);

	return n > 0 && n < 1000 ? (int)n : 0;
}

const char *pg_cure(const char *message)
{
	static const struct {
		const char *words, *cure;
	} cures[] = {
		{"password authentication failed", "check user and password_file"},
		{"no password supplied", "set password_file"},
		{"Peer authentication failed", "this user may not log in through the socket: set "
					       "host, user and password_file"},
		{"Is the server running", "check host, port and socket"},
		{"Connection refused", "is the server running? check host and port"},
		{"role \"", "set user to one that the server knows, or make it"},
		{"no pg_hba.conf entry", "allow the user in pg_hba.conf"},
		{"permission denied", "let the user read everything: GRANT pg_read_all_data TO it"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cures); i++) {
		bool is_role = cures[i].words[0] == 'r';

		if (strstr(message, cures[i].words) &&
			(!is_role || strstr(message, "does not exist")))
			return cures[i].cure;
	}
	return NULL;
}
