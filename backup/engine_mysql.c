/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL and MariaDB by mysqldump or mariadb-dump, whichever is there: one member per database, and the users with their
 * rights as member "globals" when the whole server is backed up. Consistent for InnoDB, by one transaction per database.
 */
#include "backup/engine_mysql.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define NOT_OF_THE_SYSTEM                                                                          \
	" NOT IN ('information_schema', 'performance_schema', 'sys', 'mysql', "                    \
	"'#mysql50#lost+found')"

/* Without comments there is no last line that proves the dump whole; the others send it elsewhere. */
static const char *const refused[] = {"--skip-comments", "--compact", "--comments=0", "--skip-opt",
	"--result-file", "-r", "--tab", "-T", "--password", "-p", "--databases", "-B",
	"--all-databases", "-A", "--xml", "-X", NULL};

static int check_job(const struct job *j, struct err *e)
{
	int r = engine_check_server_job(j, e);

	return r < 0 ? r : engine_check_arguments(j, refused, e);
}

int mysql_server_ask(const struct engine_call *c, struct mysql_server *out, struct err *e)
{
	struct buf text = BUF_INIT(4096);
	char *at, *columns[3];
	int r;

	r = mysql_script(c, NULL, "SELECT VERSION(), @@version_comment, CURRENT_USER();\n",
		PLACE_DEADLINE_MS, &text, e);
	at = r == 0 ? text.data : NULL;
	if (r == 0 && (!at || !mysql_next_row(&at, columns, 3)))
		r = err_set(e, EBADMSG, "the server's answer is not understood");
	if (r == 0) {
		(void)str_copy(out->version, sizeof(out->version), columns[0]);
		(void)str_copy(out->user, sizeof(out->user), columns[2]);
		out->is_mariadb = strstr(columns[0], "MariaDB") || strstr(columns[1], "MariaDB") ||
				  strstr(columns[1], "mariadb");
	}
	buf_done(&text);
	return r;
}

static int check_tool(const struct engine_call *c, const struct mysql_server *s,
	struct engine_info *out, struct err *e)
{
	struct mysql_tool tool;
	struct err text;
	int r = mysql_tool_find(c, "dump", &tool, e);

	if (r < 0)
		return r;
	(void)str_copy(out->server_version, sizeof(out->server_version), s->version);
	(void)snprintf(
		out->tool_version, sizeof(out->tool_version), "%s %s", tool.program, tool.version);
	if (tool.is_mariadb == s->is_mariadb &&
		mysql_major(tool.version) < mysql_major(s->version) && c->warn) {
		(void)err_set(&text, EINVAL,
			"%s %s is older than the server, %s: install a newer one", tool.program,
			tool.version, s->version);
		c->warn(c->user, text.msg);
	}
	return 0;
}

static void add_member(struct engine_info *out, const char *title)
{
	struct engine_member *m = &out->members[out->n_members++];

	(void)str_copy(m->title, sizeof(m->title), title);
	m->format = &format_mysql_sql;
}

static bool has_title(const struct engine_info *info, const char *title)
{
	for (size_t i = 0; i < info->n_members; i++)
		if (strcmp(info->members[i].title, title) == 0)
			return true;
	return false;
}

/* All databases that the user can see, as members; sizes are of those that the job wants. */
static int list_databases(const struct engine_call *c, struct engine_info *all, struct err *e)
{
	static const char sql[] =
		"SELECT HEX(s.schema_name), COALESCE(SUM(t.data_length + t.index_length), 0)"
		" FROM information_schema.schemata s LEFT JOIN information_schema.tables t"
		" ON t.table_schema = s.schema_name WHERE s.schema_name" NOT_OF_THE_SYSTEM
		" GROUP BY s.schema_name ORDER BY s.schema_name;\n";
	struct buf text = BUF_INIT(4 * 1024 * 1024);
	char *at, *columns[2], name[MYSQL_NAME_MAX];
	int r;

	r = mysql_script(c, NULL, sql, PLACE_DEADLINE_MS, &text, e);
	at = text.data;
	while (r == 0 && at && mysql_next_row(&at, columns, 2)) {
		if (!mysql_unhex(columns[0], name, sizeof(name)))
			r = err_set(e, EBADMSG, "the name of a database is not understood");
		else if (all->n_members == ENGINE_MEMBERS_MAX)
			r = err_set(e, E2BIG, "at most %d databases can be in one job",
				ENGINE_MEMBERS_MAX);
		else
			add_member(all, name);
		all->size_bytes += strtoll(columns[1], NULL, 10);
	}
	buf_done(&text);
	return r;
}

static int unknown_database(
	const struct engine_call *c, const struct engine_info *all, const char *name, struct err *e)
{
	struct buf have = BUF_INIT(300);
	int r;

	for (size_t i = 0; i < all->n_members; i++)
		buf_addf(&have, "%s%s", i ? ", " : "", all->members[i].title);
	r = err_set(e, ENOENT,
		"database: there is no %s on %s that this user can see; there are: %s", name,
		place_title(c->place), have.len ? buf_str(&have) : "none");
	buf_done(&have);
	return r;
}

static int check_rights(const struct engine_call *c, const struct mysql_server *s,
	const char *grants, const char *database, struct err *e)
{
	struct buf missing = BUF_INIT(200);
	struct err text;
	bool routines;
	int r = 0;

	mysql_missing_rights(grants, database, &missing, &routines);
	if (missing.len > 0)
		r = err_set(e, EACCES,
			"database %s: %s may not do all that a whole dump needs; GRANT %s ON "
			"`%s`.* TO it",
			database, s->user, buf_str(&missing), database);
	else if (!routines && c->warn) {
		(void)err_set(&text, EINVAL,
			"database %s: procedures and functions of other users may be left out; "
			"GRANT %s TO %s",
			database, s->is_mariadb ? "SELECT ON mysql.proc" : "SHOW_ROUTINE ON *.*",
			s->user);
		c->warn(c->user, text.msg);
	}
	buf_done(&missing);
	return r;
}

/* What a job names has something in it; of all databases some are empty on each server. */
static void warn_empty(const struct engine_call *c, const char *name)
{
	struct counts counts;
	struct err text;

	if (!c->warn || mysql_count(c, name, &counts, &text) < 0 || counts_get(&counts, "tables") ||
		counts_get(&counts, "views") || counts_get(&counts, "routines"))
		return;
	(void)err_set(&text, ENODATA, "database %s has no tables: is it the right one?", name);
	c->warn(c->user, text.msg);
}

static int check_all_rights(const struct engine_call *c, const struct mysql_server *s,
	const struct engine_info *info, struct err *e)
{
	struct buf grants = BUF_INIT(1024 * 1024);
	int r = mysql_script(c, NULL, "SHOW GRANTS;\n", PLACE_DEADLINE_MS, &grants, e);

	for (size_t i = 0; i < info->n_members && r == 0; i++)
		r = check_rights(c, s, buf_str(&grants), info->members[i].title, e);
	for (size_t i = 0; i < c->job->database.n && r == 0; i++)
		warn_empty(c, c->job->database.items[i]);
	buf_done(&grants);
	return r;
}

static bool dumps_history(const struct job *j)
{
	for (size_t i = 0; i < j->arguments.n; i++)
		if (strcmp(j->arguments.items[i], "--dump-history") == 0 ||
			strcmp(j->arguments.items[i], "-H") == 0)
			return true;
	return false;
}

/* `engine` "": these tables keep what their rows were (MariaDB), which is left out of a dump without a word. */
static void warn_tables(const struct engine_call *c, const char *engine, const char *n)
{
	struct err note;

	if (!c->warn || (!*engine && dumps_history(c->job)))
		return;
	if (*engine)
		(void)err_set(&note, EINVAL,
			"%s tables are %s: what changes while the dump runs may be in it by half",
			n, engine);
	else
		(void)err_set(&note, EINVAL,
			"%s tables are system-versioned: their history is not in the dump; add "
			"--dump-history to arguments",
			n);
	c->warn(c->user, note.msg);
}

/* Only InnoDB shows one moment of itself to a dump that runs for a while. */
static int warn_engines(const struct engine_call *c, const struct engine_info *info, struct err *e)
{
	struct buf sql = BUF_INIT(1024 * 1024), text = BUF_INIT(4096);
	char *at, *columns[2];
	int r;

	buf_adds(&sql, "SELECT IF(table_type = 'SYSTEM VERSIONED', '', engine) AS e, COUNT(*)"
		       " FROM information_schema.tables WHERE (table_type = 'SYSTEM VERSIONED' OR"
		       " (table_type = 'BASE TABLE' AND engine NOT IN ('InnoDB', 'VIEW', 'MEMORY',"
		       " 'BLACKHOLE'))) AND table_schema IN (''");
	for (size_t i = 0; i < info->n_members; i++) {
		buf_adds(&sql, ", ");
		mysql_add_text(&sql, info->members[i].title);
	}
	buf_adds(&sql, ") GROUP BY e;\n");
	r = mysql_script(c, NULL, buf_str(&sql), PLACE_DEADLINE_MS, &text, e);
	at = text.data;
	while (r == 0 && at && mysql_next_row(&at, columns, 2))
		warn_tables(c, columns[0], columns[1]);
	buf_done(&sql);
	buf_done(&text);
	return r;
}

/* Those that the job names, in its order. */
static int choose(const struct engine_call *c, const struct engine_info *all,
	struct engine_info *out, struct err *e)
{
	const struct job_list *named = &c->job->database;

	for (size_t i = 0; i < named->n; i++) {
		if (!has_title(all, named->items[i]))
			return unknown_database(c, all, named->items[i], e);
		add_member(out, named->items[i]);
	}
	for (size_t i = 0; named->n == 0 && i < all->n_members; i++)
		add_member(out, all->members[i].title);
	if (out->n_members == 0)
		return err_set(e, ENOENT, "there is no database on %s that this user can see",
			place_title(c->place));
	return 0;
}

/* Of the whole server also the users, when this one may read them. */
static void add_users(const struct engine_call *c, struct engine_info *out)
{
	struct counts counts;
	struct err why, text;

	if (c->job->database.n > 0)
		return;
	if (mysql_users_count(c, &counts, &why) == 0) {
		memmove(out->members + 1, out->members, out->n_members * sizeof(*out->members));
		(void)str_copy(out->members[0].title, sizeof(out->members[0].title), MYSQL_GLOBALS);
		out->members[0].format = &format_mysql_users;
		out->n_members++;
		return;
	}
	(void)err_set(
		&text, EACCES, "users and their rights are not in the backup: %.300s", why.msg);
	if (c->warn)
		c->warn(c->user, text.msg);
}

static struct engine_member *members_new(void)
{
	struct engine_member *m = calloc(ENGINE_MEMBERS_MAX + 1, sizeof(*m));

	if (!m)
		abort();
	return m;
}

static int probe(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	struct engine_info all = {.members = members_new()}, info = {.members = members_new()};
	struct mysql_server s;
	int r = mysql_server_ask(c, &s, e);

	if (r == 0)
		r = check_tool(c, &s, &info, e);
	if (r == 0)
		r = list_databases(c, &all, e);
	if (r == 0)
		r = choose(c, &all, &info, e);
	if (r == 0)
		r = check_all_rights(c, &s, &info, e);
	if (r == 0)
		r = warn_engines(c, &info, e);
	if (r == 0)
		add_users(c, &info);
	info.size_bytes = info.n_members >= all.n_members ? all.size_bytes : 0;
	free(all.members);
	if (r < 0)
		free(info.members);
	else
		*out = info;
	return r;
}

int mysql_count(
	const struct engine_call *c, const char *database, struct counts *out, struct err *e)
{
	static const char *const what[] = {
		"SELECT 'tables', COUNT(*) FROM information_schema.tables WHERE table_type NOT IN"
		" ('VIEW', 'SYSTEM VIEW', 'SEQUENCE') AND table_schema = ",
		"SELECT 'views', COUNT(*) FROM information_schema.views WHERE table_schema = ",
		"SELECT 'triggers', COUNT(*) FROM information_schema.triggers WHERE trigger_schema "
		"= ",
		"SELECT 'routines', COUNT(*) FROM information_schema.routines WHERE routine_schema "
		"= ",
		"SELECT 'events', COUNT(*) FROM information_schema.events WHERE event_schema = ",
		"SELECT 'rows', COALESCE(SUM(table_rows), 0) FROM information_schema.tables"
		" WHERE table_schema = ",
	};
	struct buf sql = BUF_INIT(8192), text = BUF_INIT(4096);
	char *at, *columns[2];
	int r;

	for (size_t i = 0; i < ARRAY_LEN(what); i++) {
		buf_adds(&sql, what[i]);
		mysql_add_text(&sql, database);
		buf_adds(&sql, ";\n");
	}
	r = mysql_script(c, NULL, buf_str(&sql), PLACE_DEADLINE_MS, &text, e);
	memset(out, 0, sizeof(*out));
	at = text.data;
	while (r == 0 && at && mysql_next_row(&at, columns, 2))
		counts_set(out, columns[0], strtoll(columns[1], NULL, 10),
			strcmp(columns[0], "rows") == 0 || c->job->arguments.n > 0);
	buf_done(&sql);
	buf_done(&text);
	return r;
}

static int count(const struct engine_call *c, const struct engine_member *m, struct counts *out,
	struct err *e)
{
	char name[MYSQL_NAME_MAX];

	if (m->format == &format_mysql_users)
		return mysql_users_count(c, out, e);
	mysql_database_name(name, c, m->title);
	return mysql_count(c, name, out, e);
}

#define MYSQL_ENGINE(title, words)                                                                 \
	{                                                                                          \
		.name = title, .doc = words, .tools = "mariadb-dump|mysqldump mariadb|mysql",      \
		.restore_tools = "mariadb|mysql", .default_port = 3306, .check_job = check_job,    \
		.probe = probe, .count = count, .dump = mysql_dump,                                \
		.restore_plan = mysql_restore_plan, .restore_begin = mysql_restore_begin,          \
		.restore_member = mysql_restore_member, .restore_end = mysql_restore_end,          \
		.drill_begin = mysql_drill_begin, .drill_end = mysql_drill_end,                    \
	}

const struct engine engine_mariadb =
	MYSQL_ENGINE("mariadb", "Each database with its views, triggers, routines and events as "
				"SQL; of a whole server also "
				"the users.");
const struct engine engine_mysql =
	MYSQL_ENGINE("mysql", "Each database with its views, triggers, routines and events as SQL; "
			      "of a whole server also "
			      "the users.");
