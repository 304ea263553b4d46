/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backup/engine_postgresql_restore.h"
#include "base/str.h"

enum { SWAP_TRIES = 5 };

/* What stands outside of a database and yet belongs to it: who may connect, its settings, its comment. */
static const char PROPERTIES_SQL[] =
	"SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', :'work', datconnlimit)"
	" FROM pg_database WHERE datname = :'name' AND datconnlimit >= 0 \\gexec\n"
	"SELECT format('COMMENT ON DATABASE %I IS %L', :'work', shobj_description(oid, "
	"'pg_database'))"
	" FROM pg_database WHERE datname = :'name'"
	" AND shobj_description(oid, 'pg_database') IS NOT NULL \\gexec\n"
	"SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'work')"
	" FROM pg_database WHERE datname = :'name' AND datacl IS NOT NULL \\gexec\n"
	"SELECT format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, :'work',"
	" CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,"
	" CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)"
	" FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = :'name' \\gexec\n"
	"SELECT format('ALTER %s SET %I TO %s', CASE s.setrole WHEN 0 THEN"
	"  format('DATABASE %I', :'work') ELSE"
	"  format('ROLE %I IN DATABASE %I', pg_get_userbyid(s.setrole), :'work') END,"
	" split_part(v, '=', 1), CASE WHEN split_part(v, '=', 1) IN ('search_path',"
	"  'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries')"
	"  THEN coalesce(nullif(substr(v, strpos(v, '=') + 1), ''), '''''')"
	"  ELSE quote_literal(substr(v, strpos(v, '=') + 1)) END)"
	" FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,"
	" unnest(s.setconfig) v WHERE d.datname = :'name' \\gexec\n";

static const char SWAP_SQL[] = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
			       " WHERE datname IN (:'name', :'work') AND pid <> pg_backend_pid();\n"
			       "BEGIN;\n"
			       "ALTER DATABASE :\"name\" RENAME TO :\"old\";\n"
			       "ALTER DATABASE :\"work\" RENAME TO :\"name\";\n"
			       "COMMIT;\n";

static const char PLACE_SQL[] = "ALTER DATABASE :\"work\" RENAME TO :\"name\";\n";

/* A connection for what cannot be done from within the database itself. */
static const char *from_outside(const char *database)
{
	return strcmp(database, "postgres") == 0 ? "template1" : NULL;
}

int pg_drop(const struct engine_call *c, const char *database, int version_num, struct err *e)
{
	struct args vars = {NULL, 0};
	const char *sql = "DROP DATABASE IF EXISTS :\"name\" WITH (FORCE);\n";
	int r;

	if (version_num < 130000)
		sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
		      " WHERE datname = :'name' AND pid <> pg_backend_pid();\n"
		      "DROP DATABASE IF EXISTS :\"name\";\n";
	args_addf(&vars, "name=%s", database);
	r = pg_script(c, from_outside(database), args_list(&vars), sql, PG_LONG_MS, NULL, e);
	args_done(&vars);
	return r;
}

static void warn(
	const struct engine_call *c, const char *what, const char *database, const struct err *why)
{
	struct err text;

	if (!c->warn)
		return;
	(void)err_set(&text, EINVAL, "%s %s: %.300s", what, database, why->msg);
	c->warn(c->user, text.msg);
}

/* The same in both, or say so. Dumps are taken of living databases: a table made in that moment is no reason to refuse them. */
static void compare(const struct engine_call *c, const struct pg_work *w)
{
	struct counts have;
	struct err why;

	if (w->counts.n_items == 0)
		return;
	if (pg_count(c, w->work, &have, &why) < 0 || counts_compare(&w->counts, &have, &why) < 0)
		warn(c, "restored, but not the same numbers as at the backup:", w->name, &why);
}

static int rename_both(
	const struct engine_call *c, struct pg_work *w, const struct args *vars, struct err *e)
{
	const char *from = from_outside(w->name);
	struct err why;
	int r = -EAGAIN;

	/* Between the end of the connections and the rename an application may be back already. */
	for (int i = 0; i < SWAP_TRIES && r < 0; i++) {
		r = pg_script(c, from, args_list(vars), w->existed ? SWAP_SQL : PLACE_SQL,
			PLACE_DEADLINE_MS, NULL, &why);
		if (r < 0 && !strstr(why.msg, "being accessed by other users"))
			break;
	}
	if (r < 0)
		return err_set(e, -r, "%s: %.400s", w->name, why.msg);
	w->swapped = true;
	return 0;
}

static void place_properties(const struct engine_call *c, struct pg_work *w)
{
	struct err why;

	if (w->properties.len > 0 &&
		pg_script(c, from_outside(w->name), NULL, buf_str(&w->properties),
			PLACE_DEADLINE_MS, NULL, &why) < 0)
		warn(c, "settings of database", w->name, &why);
}

int pg_swap(
	const struct engine_call *c, const struct pg_target *t, struct pg_work *w, struct err *e)
{
	char suffix[32], old[PG_NAME_MAX + 1];
	struct args vars = {NULL, 0};
	struct err why;
	int r = 0;

	(void)snprintf(suffix, sizeof(suffix), "_before_%s", t->id);
	pg_name_with(old, w->name, suffix);
	args_addf(&vars, "name=%s", w->name);
	args_addf(&vars, "work=%s", w->work);
	args_addf(&vars, "old=%s", old);
	compare(c, w);
	if (pg_script(c, w->work, NULL, "ANALYZE;\n", PG_LONG_MS, NULL, &why) < 0)
		warn(c, "ANALYZE of", w->name, &why);
	if (w->existed)
		r = pg_script(
			c, NULL, args_list(&vars), PROPERTIES_SQL, PLACE_DEADLINE_MS, NULL, e);
	if (r == 0)
		r = rename_both(c, w, &vars, e);
	if (r == 0 && !w->existed)
		place_properties(c, w);
	if (r == 0 && w->existed && pg_drop(c, old, t->server.version_num, &why) < 0)
		warn(c, "the old database could not be removed, remove it yourself:", old, &why);
	args_done(&vars);
	return r;
}
