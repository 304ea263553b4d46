/* SPDX-License-Identifier: Apache-2.0
 *
 * The beginning of a dump, its table of contents, is held back until it is whole: it says how the database was made (encoding,
 * locale) and which roles are named in it. So a role that is missing here is known before the first byte is loaded.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_postgresql_restore.h"
#include "backup/pg_archive.h"
#include "backup/sql_split.h"
#include "base/str.h"

enum { HELD_MAX = 64 * 1024 * 1024, ROLES_MAX = 1000 };

struct load {
	struct sink sink;
	const struct engine_call *call;
	struct pg_work *work;
	bool is_drill;
	struct pg_archive *archive;
	struct buf held; /* until the program is there */
	struct sink *program;
	/* Out of the table of contents. */
	json_t *owners, *grantees;
	struct buf creation; /* ENCODING = 'UTF8' ... */
	char owner[256]; /* of the database */
	bool without_owners, without_grants;
};

static void add_role(json_t *to, const char *name)
{
	const json_t *n;
	size_t i;

	if (!*name || strcmp(name, "PUBLIC") == 0 || json_array_size(to) >= ROLES_MAX)
		return;
	json_array_foreach(to, i, n) if (strcmp(json_string_value(n), name) == 0) return;
	json_array_append_new(to, json_string(name));
}

/* "GRANT SELECT ON TABLE public.t TO reader;": the name behind the last TO. */
static void add_grantees(struct load *l, const char *definition)
{
	struct sql_script s = {definition, definition + strlen(definition), SQL_POSTGRESQL};
	char name[256];
	const char *text, *to, *last;
	size_t n;

	while (sql_next(&s, &text, &n)) {
		last = NULL;
		for (to = text; (to = memmem(to, (size_t)(text + n - to), " TO ", 4)); to += 4)
			last = to + 4;
		if (last && sql_name(&last, text + n, '"', name, sizeof(name)))
			add_role(l->grantees, name);
	}
}

/* CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE = 'C.UTF-8'; */
static void keep_creation(struct load *l, const struct pg_archive_entry *entry)
{
	static const char template[] = " WITH TEMPLATE = template0";
	const char *p = strstr(entry->definition, template);

	if (!p)
		return;
	p += strlen(template);
	buf_clear(&l->creation);
	buf_add(&l->creation, p, strcspn(p, ";\n"));
	(void)str_copy(l->owner, sizeof(l->owner), entry->owner);
}

static bool is_of_database(const struct pg_archive_entry *entry)
{
	return strcmp(entry->description, "DATABASE PROPERTIES") == 0 ||
	       (str_starts(entry->tag, "DATABASE ") &&
		       (strcmp(entry->description, "ACL") == 0 ||
			       strcmp(entry->description, "COMMENT") == 0));
}

static void on_entry(void *user, const struct pg_archive_entry *entry)
{
	struct load *l = user;
	bool is_whole = strlen(entry->definition) < sizeof(entry->definition) - 1;

	if (strcmp(entry->description, "DATABASE") == 0) {
		keep_creation(l, entry);
		return;
	}
	/* They name the database as it was called. */
	if (is_of_database(entry)) {
		if (is_whole && strcmp(l->work->name, l->work->title) == 0)
			buf_adds(&l->work->properties, entry->definition);
		return;
	}
	add_role(l->owners, entry->owner);
	if (str_ends(entry->description, "ACL"))
		add_grantees(l, entry->definition);
}

static int missing_roles(
	const struct engine_call *c, const json_t *names, json_t **out, struct err *e)
{
	static const char sql[] =
		"SELECT coalesce(json_agg(n), '[]') FROM json_array_elements_text(:'names'::json) n"
		" WHERE n NOT IN (SELECT rolname FROM pg_roles);\n";
	struct args vars = {NULL, 0};
	char *text = json_dumps(names, JSON_COMPACT);
	int r;

	if (!text)
		abort();
	args_addf(&vars, "names=%s", text);
	r = pg_ask(c, NULL, args_list(&vars), sql, out, e);
	args_done(&vars);
	free(text);
	return r;
}

static void warn_missing(const struct load *l, const json_t *roles, const char *what)
{
	struct buf text = BUF_INIT(400);
	const json_t *n;
	size_t i;

	buf_addf(
		&text, "database %s: %s, because these roles are not there: ", l->work->name, what);
	json_array_foreach(roles, i, n)
		buf_addf(&text, "%s%s", i ? ", " : "", json_string_value(n));
	if (l->call->warn)
		l->call->warn(l->call->user, buf_str(&text));
	buf_done(&text);
}

static int look_for_roles(struct load *l, struct err *e)
{
	json_t *owners = NULL, *grantees = NULL;
	int r = missing_roles(l->call, l->owners, &owners, e);

	if (r == 0)
		r = missing_roles(l->call, l->grantees, &grantees, e);
	if (r == 0 && json_array_size(owners) > 0) {
		l->without_owners = l->without_grants = true;
		warn_missing(l, owners, "everything belongs to the user of the restore");
	} else if (r == 0 && json_array_size(grantees) > 0) {
		l->without_grants = true;
		warn_missing(l, grantees, "privileges were left out");
	}
	json_decref(owners);
	json_decref(grantees);
	return r;
}

/* Like the old one. */
static const char LIKE_SQL[] =
	"SELECT format('CREATE DATABASE %I WITH TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE "
	"%L"
	" LC_CTYPE %L', :'work', pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding),"
	" d.datcollate, d.datctype) || CASE to_jsonb(d)->>'datlocprovider'"
	" WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L',"
	"  coalesce(to_jsonb(d)->>'daticulocale', to_jsonb(d)->>'datlocale'))"
	" WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', "
	"to_jsonb(d)->>'datlocale')"
	" ELSE '' END || format(' TABLESPACE %I', t.spcname)"
	" FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace"
	" WHERE d.datname = :'name' \\gexec\n";

static int create_anew(struct load *l, const struct args *vars, struct err *e)
{
	static const char plain[] = "CREATE DATABASE :\"work\" WITH TEMPLATE = template0;\n";
	static const char own[] =
		"SELECT format('ALTER DATABASE %I OWNER TO %I', :'work', rolname) FROM pg_roles"
		" WHERE rolname = :'owner' \\gexec\n";
	struct buf sql = BUF_INIT(PG_ARCHIVE_TEXT_MAX + 200);
	struct err why, text;
	int r;

	buf_addf(&sql, "CREATE DATABASE :\"work\" WITH TEMPLATE = template0%s;\n",
		buf_str(&l->creation));
	r = pg_script(l->call, NULL, args_list(vars), buf_str(&sql), PG_LONG_MS, NULL, &why);
	buf_done(&sql);
	if (r == -EREMOTEIO && (strstr(why.msg, "locale") || strstr(why.msg, "tablespace"))) {
		r = pg_script(l->call, NULL, args_list(vars), plain, PG_LONG_MS, NULL, e);
		(void)err_set(&text, EINVAL, "database %s has the server's own locale: %.300s",
			l->work->name, why.msg);
		if (r == 0 && l->call->warn)
			l->call->warn(l->call->user, text.msg);
	} else if (r < 0) {
		(void)err_set(e, -r, "%s", why.msg);
	}
	/* Whose it was; that of another user may not be possible, and is no reason to fail. */
	if (r == 0)
		(void)pg_script(l->call, NULL, args_list(vars), own, PLACE_DEADLINE_MS, NULL, NULL);
	return r;
}

static int create(struct load *l, struct err *e)
{
	struct args vars = {NULL, 0};
	int r;

	args_addf(&vars, "work=%s", l->work->work);
	args_addf(&vars, "name=%s", l->work->name);
	args_addf(&vars, "owner=%s", l->owner);
	if (l->work->existed)
		r = pg_script(l->call, NULL, args_list(&vars), LIKE_SQL, PG_LONG_MS, NULL, e);
	else
		r = create_anew(l, &vars, e);
	args_done(&vars);
	l->work->created = r == 0;
	return r;
}

static int start(struct load *l, struct err *e)
{
	struct buf database = BUF_INIT(2 * PG_NAME_MAX + 32);
	struct place_command command;
	struct pg_tool t;
	int r;

	pg_conninfo(&database, l->work->work);
	pg_tool_init(&t, l->call, "pg_restore", NULL);
	args_add(&t.argv, "--no-password");
	args_add(&t.argv, "--exit-on-error");
	if (l->work->in_place)
		args_add_all(&t.argv, (const char *const[]){"--clean", "--if-exists",
					      "--single-transaction", NULL});
	if (l->without_owners)
		args_add(&t.argv, "--no-owner");
	if (l->without_grants)
		args_add(&t.argv, "--no-privileges");
	if (l->is_drill) {
		args_add(&t.argv, "--no-subscriptions");
		args_add(&t.argv, "--no-publications");
	}
	args_addf(&t.argv, "--dbname=%s", buf_str(&database));
	command = pg_tool_command(l->call, &t);
	r = place_target(l->call->place, &command, NULL, &l->program, e);
	pg_tool_done(&t);
	buf_done(&database);
	return r;
}

/* The table of contents is known, or it will not be. */
static int begin(struct load *l, struct err *e)
{
	int r = look_for_roles(l, e);

	if (r == 0 && !l->work->in_place)
		r = create(l, e);
	if (r == 0)
		r = start(l, e);
	if (r == 0)
		r = sink_write(l->program, buf_str(&l->held), l->held.len, e);
	buf_done(&l->held);
	return r;
}

static int load_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct load *l = (struct load *)s;
	int r;

	if (l->program)
		return sink_write(l->program, data, n, e);
	buf_add(&l->held, data, n);
	if (l->held.overflow)
		return err_set(e, EFBIG, "the dump's table of contents is larger than %d MiB",
			HELD_MAX >> 20);
	r = sink_write(pg_archive_sink(l->archive), data, n, e);
	if (r == 0 && pg_archive_toc_is_done(l->archive))
		r = begin(l, e);
	return r;
}

static int load_finish(struct sink *s, struct err *e)
{
	struct load *l = (struct load *)s;

	if (!l->program)
		return err_set(e, EBADMSG, "the dump ends within its table of contents");
	return sink_finish(l->program, e);
}

static void load_free(struct sink *s)
{
	struct load *l = (struct load *)s;

	sink_free(l->program);
	sink_free(pg_archive_sink(l->archive));
	buf_done(&l->held);
	buf_done(&l->creation);
	json_decref(l->owners);
	json_decref(l->grantees);
	free(l);
}

int pg_load_new(const struct engine_call *c, const struct engine_restore *r, struct pg_work *w,
	struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {load_write, load_finish, load_free};
	struct load *l = calloc(1, sizeof(*l));

	(void)e;
	if (!l)
		abort();
	l->sink.ops = &ops;
	l->call = c;
	l->work = w;
	l->is_drill = r->is_drill;
	l->archive = pg_archive_new(on_entry, l);
	l->owners = json_array();
	l->grantees = json_array();
	buf_init(&l->held, HELD_MAX);
	buf_init(&l->creation, PG_ARCHIVE_TEXT_MAX);
	*out = &l->sink;
	return 0;
}
