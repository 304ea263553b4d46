/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_postgresql_restore.h"
#include "backup/sql_split.h"

enum { SCRIPT_MAX = 32 * 1024 * 1024, ROLE_NAME_SIZE = 256 };

struct globals {
	struct sink sink;
	const struct engine_call *call;
	struct buf script;
};

static bool has_name(const json_t *names, const char *name)
{
	const json_t *n;
	size_t i;

	json_array_foreach(names, i, n) if (strcmp(json_string_value(n), name) == 0) return true;
	return false;
}

/* Whether the statement begins with `words` and then a name that is among `names`. */
static bool concerns(const char *text, size_t len, const char *words, const json_t *names)
{
	char name[ROLE_NAME_SIZE];
	const char *rest;

	return sql_begins(text, len, words, &rest) &&
	       sql_name(&rest, text + len, '"', name, sizeof(name)) && has_name(names, name);
}

static bool is_wanted(const char *text, size_t len, const json_t *roles, const json_t *tablespaces)
{
	static const char *const of_roles[] = {
		"CREATE ROLE", "ALTER ROLE", "COMMENT ON ROLE", "SECURITY LABEL ON ROLE"};
	static const char *const of_tablespaces[] = {"CREATE TABLESPACE", "ALTER TABLESPACE",
		"COMMENT ON TABLESPACE", "GRANT ALL ON TABLESPACE", "REVOKE ALL ON TABLESPACE"};

	if (*text == '\\') /* psql's own commands have no business in there */
		return false;
	for (size_t i = 0; i < ARRAY_LEN(of_roles); i++)
		if (concerns(text, len, of_roles[i], roles))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(of_tablespaces); i++)
		if (concerns(text, len, of_tablespaces[i], tablespaces))
			return false;
	return true;
}

void pg_globals_filter(const char *script, size_t len, const json_t *roles,
	const json_t *tablespaces, struct buf *out, json_t *made)
{
	struct sql_script s = {script, script + len, SQL_POSTGRESQL};
	char name[ROLE_NAME_SIZE];
	const char *text, *rest;
	size_t n;

	while (sql_next(&s, &text, &n)) {
		if (!is_wanted(text, n, roles, tablespaces))
			continue;
		if (sql_begins(text, n, "CREATE ROLE", &rest) &&
			sql_name(&rest, text + n, '"', name, sizeof(name)))
			json_array_append_new(made, json_string(name));
		buf_add(out, text, n);
		buf_addc(out, '\n');
	}
}

static int globals_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct globals *g = (struct globals *)s;

	buf_add(&g->script, data, n);
	if (g->script.overflow)
		return err_set(e, EFBIG, "the roles are more than %d MiB", SCRIPT_MAX >> 20);
	return 0;
}

/* One statement that fails (a folder of a tablespace that is not there) must not keep the others from being run. */
static int run_all(const struct engine_call *c, const struct buf *script, struct err *e)
{
	struct sink *psql = NULL;
	struct place_command command;
	struct pg_tool t;
	const char *error;
	int r;

	pg_tool_init(&t, c, "psql", "postgres");
	args_add_all(&t.argv, (const char *const[]){"--no-psqlrc", "--no-password", "--quiet",
				      "--set=ON_ERROR_STOP=0", "--file=-", NULL});
	command = pg_tool_command(c, &t);
	r = place_target(c->place, &command, NULL, &psql, e);
	if (r == 0)
		r = sink_write(psql, buf_str(script), script->len, e);
	if (r == 0)
		r = sink_finish(psql, e);
	error = r == 0 ? strstr(place_target_stderr(psql), "ERROR:") : NULL;
	if (error && c->warn) {
		struct err text;

		(void)err_set(&text, EINVAL, "roles: %.*s", (int)strcspn(error, "\n"), error);
		c->warn(c->user, text.msg);
	}
	sink_free(psql);
	pg_tool_done(&t);
	return r;
}

static int ask_existing(const struct engine_call *c, json_t **out, struct err *e)
{
	return pg_ask(c, NULL, NULL,
		"SELECT json_build_object('roles', (SELECT json_agg(rolname) FROM pg_roles),"
		" 'tablespaces', (SELECT json_agg(spcname) FROM pg_tablespace));\n",
		out, e);
}

static int check_made(const struct engine_call *c, const json_t *made, struct err *e)
{
	const json_t *n;
	json_t *have;
	size_t i;
	int r = ask_existing(c, &have, e);

	if (r < 0)
		return r;
	json_array_foreach(made, i,
		n) if (r == 0 && !has_name(json_object_get(have, "roles"), json_string_value(n)))
		r = err_set(e, EREMOTEIO, "role %s could not be made", json_string_value(n));
	json_decref(have);
	return r;
}

static int globals_finish(struct sink *s, struct err *e)
{
	struct globals *g = (struct globals *)s;
	struct buf script = BUF_INIT(SCRIPT_MAX + SCRIPT_MAX / 4);
	json_t *have, *made;
	int r;

	if (g->call->prefix) /* a drill on the job's own server */
		return 0;
	r = ask_existing(g->call, &have, e);
	if (r < 0)
		return r;
	made = json_array();
	pg_globals_filter(buf_str(&g->script), g->script.len, json_object_get(have, "roles"),
		json_object_get(have, "tablespaces"), &script, made);
	r = run_all(g->call, &script, e);
	if (r == 0)
		r = check_made(g->call, made, e);
	json_decref(made);
	json_decref(have);
	buf_done(&script);
	return r;
}

static void globals_free(struct sink *s)
{
	struct globals *g = (struct globals *)s;

	buf_done(&g->script);
	free(g);
}

int pg_globals_new(const struct engine_call *c, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {globals_write, globals_finish, globals_free};
	struct globals *g = calloc(1, sizeof(*g));

	(void)e;
	if (!g)
		abort();
	g->sink.ops = &ops;
	g->call = c;
	buf_init(&g->script, SCRIPT_MAX);
	*out = &g->sink;
	return 0;
}
