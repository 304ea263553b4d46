/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL cannot rename a database, but all tables of two of them in one statement, which happens whole or not at all.
 * Views, triggers, routines and events do not move: they are dumped from either side beforehand, removed, and made again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_mysql.h"
#include "base/cleanup.h"
#include "base/str.h"

struct swap {
	const struct engine_call *call;
	const char *name, *work;
	char before[MYSQL_NAME_MAX + 32]; /* where the old tables go */
	struct buf of_work, of_name; /* views, triggers, routines, events as SQL */
	struct buf rights; /* on the routines of `name` */
};

/* Calls fn for each row of "SELECT kind, HEX(name)"; the database's name is added to each question. */
typedef void (*row_fn)(void *user, const char *kind, const char *name);

static int ask(const struct engine_call *c, const char *const *questions, const char *database,
	row_fn fn, void *user, struct err *e)
{
	struct buf sql = BUF_INIT(16384), text = BUF_INIT(MYSQL_SCRIPT_MAX);
	char *at, *columns[2], name[MYSQL_NAME_MAX];
	int r;

	for (; *questions; questions++) {
		buf_adds(&sql, *questions);
		mysql_add_text(&sql, database);
		buf_adds(&sql, ";\n");
	}
	r = mysql_script(c, NULL, buf_str(&sql), PLACE_DEADLINE_MS, &text, e);
	at = text.data;
	while (r == 0 && at && mysql_next_row(&at, columns, 2))
		if (mysql_unhex(columns[1], name, sizeof(name)))
			fn(user, columns[0], name);
	buf_done(&sql);
	buf_done(&text);
	return r;
}

#define TRIGGERS                                                                                   \
	"SELECT 'TRIGGER', HEX(trigger_name) FROM information_schema.triggers WHERE "              \
	"trigger_schema = "
#define VIEWS "SELECT 'VIEW', HEX(table_name) FROM information_schema.views WHERE table_schema = "
#define ROUTINES                                                                                   \
	"SELECT routine_type, HEX(routine_name) FROM information_schema.routines"                  \
	" WHERE routine_type <> 'PACKAGE BODY' AND routine_schema = "
#define EVENTS                                                                                     \
	"SELECT 'EVENT', HEX(event_name) FROM information_schema.events WHERE event_schema = "

struct drops {
	const char *database;
	struct buf *sql;
};

static void add_drop(void *user, const char *kind, const char *name)
{
	const struct drops *d = user;

	buf_addf(d->sql, "DROP %s IF EXISTS ", kind);
	mysql_add_name(d->sql, d->database);
	buf_addc(d->sql, '.');
	mysql_add_name(d->sql, name);
	buf_adds(d->sql, ";\n");
}

static int add_drops(const struct engine_call *c, const char *database, bool triggers_only,
	struct buf *sql, struct err *e)
{
	static const char *const triggers[] = {TRIGGERS, NULL};
	static const char *const all[] = {TRIGGERS, VIEWS, ROUTINES, EVENTS, NULL};
	struct drops d = {database, sql};

	return ask(c, triggers_only ? triggers : all, database, add_drop, &d, e);
}

/* Runs the dump tool with these arguments behind its usual ones. */
static int dump_some(const struct engine_call *c, const char *database, const struct args *options,
	const struct args *views, struct buf *out, struct err *e)
{
	struct args argv = {NULL, 0}, env = {NULL, 0};
	struct place_command command;
	struct mysql_tool tool;
	int r = mysql_tool_find(c, "dump", &tool, e);

	if (r < 0)
		return r;
	args_add(&argv, tool.program);
	mysql_connection(c, &argv, &env);
	args_add(&argv, "--default-character-set=utf8mb4");
	args_add(&argv, "--skip-lock-tables");
	args_add(&argv, "--no-data");
	args_add(&argv, "--no-tablespaces");
	if (!tool.is_mariadb)
		args_add(&argv, "--set-gtid-purged=OFF");
	args_add_all(&argv, args_list(options));
	args_add(&argv, "--");
	args_add(&argv, database);
	args_add_all(&argv, args_list(views));
	command = mysql_command(c, &argv, &env);
	r = place_run(c->place, &command, PLACE_DEADLINE_MS, out, e);
	args_done(&argv);
	args_done(&env);
	return r;
}

static void add_view(void *user, const char *kind, const char *name)
{
	(void)kind;
	args_add(user, name);
}

/* Without the line that only some clients understand. */
static void drop_first_comment(struct buf *b, size_t from)
{
	const char *text = buf_str(b) + from, *end = strchr(text, '\n');
	struct buf rest = BUF_INIT(MYSQL_SCRIPT_MAX);

	if (strncmp(text, "/*", 2) != 0 || !end || !strstr(text, "enable the sandbox mode") ||
		strstr(text, "enable the sandbox mode") > end)
		return;
	buf_add(&rest, buf_str(b), from);
	buf_adds(&rest, end + 1);
	buf_done(b);
	*b = rest;
}

/* All of a database that is not in its tables. */
static int dump_objects(
	const struct engine_call *c, const char *database, struct buf *out, struct err *e)
{
	static const char *const ask_views[] = {VIEWS, NULL};
	struct args others = {NULL, 0}, plain = {NULL, 0}, views = {NULL, 0}, none = {NULL, 0};
	size_t from;
	int r;

	args_add_all(&others, (const char *const[]){"--no-create-info", "--routines", "--events",
				      "--triggers", NULL});
	args_add_all(&plain, (const char *const[]){"--skip-triggers", NULL});
	r = ask(c, ask_views, database, add_view, &views, e);
	if (r == 0)
		r = dump_some(c, database, &others, &none, out, e);
	drop_first_comment(out, 0);
	from = out->len;
	if (r == 0 && views.n > 0)
		r = dump_some(c, database, &plain, &views, out, e);
	drop_first_comment(out, from);
	args_done(&others);
	args_done(&plain);
	args_done(&views);
	return r;
}

struct moves {
	const char *from, *to;
	struct buf *sql;
};

static void add_move(void *user, const char *kind, const char *name)
{
	const struct moves *m = user;

	(void)kind;
	buf_adds(m->sql, buf_str(m->sql)[m->sql->len - 1] == ' ' ? "" : ", ");
	mysql_add_name(m->sql, m->from);
	buf_addc(m->sql, '.');
	mysql_add_name(m->sql, name);
	buf_adds(m->sql, " TO ");
	mysql_add_name(m->sql, m->to);
	buf_addc(m->sql, '.');
	mysql_add_name(m->sql, name);
}

static int add_moves(const struct engine_call *c, const char *from, const char *to, struct buf *sql,
	struct err *e)
{
	static const char *const tables[] = {
		"SELECT 'TABLE', HEX(table_name) FROM information_schema.tables WHERE table_type"
		" NOT IN ('VIEW', 'SYSTEM VIEW') AND table_schema = ",
		NULL};
	struct moves m = {from, to, sql};

	return ask(c, tables, from, add_move, &m, e);
}

static int run(const struct swap *s, const char *database, const struct buf *sql, struct err *e)
{
	if (sql->overflow)
		return err_set(
			e, EFBIG, "database %s has too many objects to be replaced", s->name);
	return mysql_script(s->call, database, buf_str(sql), MYSQL_LONG_MS, NULL, e);
}

/* The old tables go aside, the new ones take their places. */
static int move_tables(const struct swap *s, struct err *e)
{
	struct buf sql = BUF_INIT(MYSQL_SCRIPT_MAX), moves = BUF_INIT(MYSQL_SCRIPT_MAX / 2);
	size_t none;
	int r;

	buf_adds(&sql, "CREATE DATABASE ");
	mysql_add_name(&sql, s->before);
	buf_adds(&sql, ";\n");
	r = add_drops(s->call, s->work, true, &sql, e);
	if (r == 0)
		r = add_drops(s->call, s->name, false, &sql, e);
	buf_adds(&moves, "RENAME TABLE ");
	none = moves.len;
	if (r == 0)
		r = add_moves(s->call, s->name, s->before, &moves, e);
	if (r == 0)
		r = add_moves(s->call, s->work, s->name, &moves, e);
	if (moves.len > none)
		buf_addf(&sql, "SET foreign_key_checks = 0;\n%s;\n", buf_str(&moves));
	if (r == 0)
		r = run(s, NULL, &sql, e);
	buf_done(&moves);
	buf_done(&sql);
	return r;
}

/* Of routines that were dropped and are there again; those that are not there any more have none. */
static void give_rights(const struct swap *s)
{
	struct err why;

	if (s->rights.len > 0)
		(void)mysql_script_lenient(s->call, buf_str(&s->rights), NULL, &why);
}

/* What was removed from the old database before the tables could not be moved. */
static int put_back(const struct swap *s, struct err *e)
{
	struct buf sql = BUF_INIT(2 * MYSQL_SCRIPT_MAX);
	struct err why;
	int r = add_drops(s->call, s->name, false, &sql, &why);

	buf_add(&sql, buf_str(&s->of_name), s->of_name.len);
	if (r == 0)
		r = run(s, s->name, &sql, &why);
	buf_done(&sql);
	if (r == 0)
		r = mysql_drop(s->call, s->before, &why);
	give_rights(s);
	if (r == 0)
		return 0;
	return err_set(e, EUCLEAN,
		"partial: the tables of %s are as they were, but views, triggers or routines are "
		"missing: "
		"%.250s",
		s->name, why.msg);
}

static int make_objects(const struct swap *s, struct err *e)
{
	struct err why;

	if (run(s, s->name, &s->of_work, &why) == 0) {
		give_rights(s);
		return 0;
	}
	return err_set(e, EUCLEAN,
		"partial: the tables of %s are restored, but views, triggers or routines are not; "
		"the old "
		"tables are in database %s: %.250s",
		s->name, s->before, why.msg);
}

static void remove_old(const struct swap *s)
{
	const char *const databases[] = {s->work, s->before};
	struct err why, text;

	for (size_t i = 0; i < ARRAY_LEN(databases); i++) {
		if (mysql_drop(s->call, databases[i], &why) == 0 || !s->call->warn)
			continue;
		(void)err_set(&text, EINVAL,
			"database %s could not be removed, remove it yourself: %.300s",
			databases[i], why.msg);
		s->call->warn(s->call->user, text.msg);
	}
}

static void note_reference(void *user, const char *kind, const char *name)
{
	char *table = user;

	(void)kind;
	if (!*table)
		(void)str_copy(table, MYSQL_NAME_MAX, name);
}

int mysql_swap_check(const struct engine_call *c, const char *name, struct err *e)
{
	static const char *const references[] = {
		"SELECT 'TABLE', HEX(CONCAT(table_schema, '.', table_name)) FROM"
		" information_schema.key_column_usage WHERE table_schema <> referenced_table_schema"
		" AND referenced_table_schema = ",
		NULL};
	char table[MYSQL_NAME_MAX] = "";
	int r = ask(c, references, name, note_reference, table, e);

	if (r == 0 && *table)
		r = err_set(e, EBUSY,
			"table %s refers to tables of %s by a foreign key, which would follow the "
			"old ones; "
			"drop that key, or restore into another database",
			table, name);
	return r;
}

int mysql_swap(const struct engine_call *c, const char *name, const char *work, const char *id,
	struct err *e)
{
	struct swap s = {.call = c, .name = name, .work = work};
	struct err back;
	int r;

	(void)snprintf(s.before, sizeof(s.before), "%s_before_%s", name, id);
	buf_init(&s.of_work, MYSQL_SCRIPT_MAX);
	buf_init(&s.of_name, MYSQL_SCRIPT_MAX);
	buf_init(&s.rights, MYSQL_SCRIPT_MAX);
	r = dump_objects(c, work, &s.of_work, e);
	if (r == 0)
		r = dump_objects(c, name, &s.of_name, e);
	if (r == 0) {
		mysql_routine_rights(c, name, &s.rights);
		r = move_tables(&s, e);
		if (r < 0 && put_back(&s, &back) < 0)
			r = err_set(e, EUCLEAN, "%s", back.msg);
		else if (r == 0)
			r = make_objects(&s, e);
		if (r == 0)
			remove_old(&s);
	}
	buf_done(&s.of_work);
	buf_done(&s.of_name);
	buf_done(&s.rights);
	return r;
}
