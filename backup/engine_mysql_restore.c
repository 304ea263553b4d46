/* SPDX-License-Identifier: Apache-2.0
 *
 * A database that is there and holds something is not touched until its successor is whole: the dump is loaded into
 * NAME_restore_XXXXXX, and then the tables change places (engine_mysql_swap.c). Only that last step can leave something in
 * between, and says so. A database that is missing or empty is loaded directly.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_mysql.h"
#include "backup/manifest.h"
#include "base/str.h"

struct work {
	char name[MYSQL_NAME_MAX], work[MYSQL_NAME_MAX];
	bool created; /* `work` is ours to remove */
	bool direct; /* it was there, and empty */
	bool swaps, swapped;
	struct counts counts;
};

struct target {
	char id[7];
	struct work *works[ENGINE_MEMBERS_MAX];
	size_t n_works;
	struct buf rights; /* of users that were made */
};

static bool is_wanted(const struct engine_restore *r, const struct manifest_member *m)
{
	return !r->member || strcmp(r->member, m->name) == 0 || strcmp(r->member, m->title) == 0;
}

static bool is_users(const struct manifest_member *m)
{
	return strcmp(m->format, format_mysql_users.name) == 0;
}

static void final_name(char to[MYSQL_NAME_MAX], const struct engine_call *c,
	const struct engine_restore *r, const char *title)
{
	if (r->into && *r->into)
		(void)str_copy(to, MYSQL_NAME_MAX, r->into);
	else
		mysql_database_name(to, c, title);
}

/* 1: there; 0: not. */
static int database_exists(const struct engine_call *c, const char *name, struct err *e)
{
	struct buf sql = BUF_INIT(2048), text = BUF_INIT(256);
	int r;

	buf_adds(&sql, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ");
	mysql_add_text(&sql, name);
	buf_adds(&sql, ";\n");
	r = mysql_script(c, NULL, buf_str(&sql), PLACE_DEADLINE_MS, &text, e);
	if (r == 0)
		r = strtol(buf_str(&text), NULL, 10) > 0;
	buf_done(&sql);
	buf_done(&text);
	return r;
}

static int64_t objects(const struct counts *n)
{
	return counts_get(n, "tables") + counts_get(n, "views") + counts_get(n, "routines") +
	       counts_get(n, "events");
}

static int plan_member(const struct engine_call *c, const struct engine_restore *r,
	const struct manifest_member *m, struct buf *text, bool *destructive, struct err *e)
{
	const char *where = place_title(c->place);
	struct counts counts = {.n_items = 0};
	char name[MYSQL_NAME_MAX];
	int64_t tables;
	int x;

	if (is_users(m)) {
		buf_addf(text, "users that are missing on %s will be made", where);
		return 0;
	}
	final_name(name, c, r, m->title);
	x = database_exists(c, name, e);
	if (x < 0)
		return x;
	if (x == 0) {
		buf_addf(text, "database %s on %s will be made", name, where);
		return 0;
	}
	x = mysql_count(c, name, &counts, e);
	tables = counts_get(&counts, "tables");
	if (x == 0 && objects(&counts) > 0) {
		*destructive = true;
		buf_addf(text, "database %s on %s (%lld table%s, about %lld rows) will be replaced",
			name, where, (long long)tables, tables == 1 ? "" : "s",
			(long long)counts_get(&counts, "rows"));
	} else if (x == 0) {
		buf_addf(text, "database %s on %s, which is empty, will be filled", name, where);
	}
	return x;
}

int mysql_restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e)
{
	const struct manifest *m = r->manifest;
	bool is_destructive = false;
	size_t n = 0;
	int x = 0;

	for (size_t i = 0; i < m->n_members && x == 0; i++) {
		if (!is_wanted(r, &m->members[i]))
			continue;
		buf_adds(text, n++ ? "; " : "");
		x = plan_member(c, r, &m->members[i], text, &is_destructive, e);
	}
	if (x == 0)
		*destructive = is_destructive;
	return x;
}

static void check_versions(
	const struct engine_call *c, const struct engine_restore *r, const struct mysql_server *s)
{
	const char *from = r->manifest->server_version;
	bool from_mariadb = strstr(from, "MariaDB") != NULL;
	struct err text;

	if (!c->warn || !*from)
		return;
	if (from_mariadb != s->is_mariadb)
		(void)err_set(&text, EINVAL,
			"the backup is of %s, the server is %s: it may not work", from, s->version);
	else if (mysql_major(from) > mysql_major(s->version))
		(void)err_set(&text, EINVAL,
			"the backup is of version %s, the server has the older %s: it may not work",
			from, s->version);
	else
		return;
	c->warn(c->user, text.msg);
}

int mysql_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e)
{
	struct target *target = calloc(1, sizeof(*target));
	struct mysql_server s;
	int x;

	if (!target)
		abort();
	x = mysql_server_ask(c, &s, e);
	if (x < 0) {
		free(target);
		return x;
	}
	check_versions(c, r, &s);
	args_random_hex(target->id);
	buf_init(&target->rights, MYSQL_SCRIPT_MAX);
	t->state = target;
	return 0;
}

int mysql_drop(const struct engine_call *c, const char *database, struct err *e)
{
	struct buf sql = BUF_INIT(2048);
	int r;

	buf_adds(&sql, "DROP DATABASE IF EXISTS ");
	mysql_add_name(&sql, database);
	buf_adds(&sql, ";\n");
	r = mysql_script(c, NULL, buf_str(&sql), MYSQL_LONG_MS, NULL, e);
	buf_done(&sql);
	return r;
}

/* Where it is loaded; *exists: into one that is there. */
static int prepare(const struct engine_call *c, const struct target *t, struct work *w,
	struct mysql_charset *like, bool *exists, struct err *e)
{
	struct counts counts;
	int r = database_exists(c, w->name, e);

	*exists = false;
	if (r <= 0)
		return r;
	r = mysql_count(c, w->name, &counts, e);
	if (r < 0)
		return r;
	w->swaps = objects(&counts) > 0;
	*exists = !w->swaps;
	if (!w->swaps)
		return 0;
	if (strlen(w->name) > 64 - 15)
		return err_set(e, ENAMETOOLONG,
			"the name %s leaves no room for another database beside it; restore into "
			"another",
			w->name);
	(void)snprintf(w->work, sizeof(w->work), "%.60s_restore_%s", w->name, t->id);
	r = mysql_swap_check(c, w->name, e);
	return r < 0 ? r : mysql_charset(c, w->name, like, e);
}

int mysql_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e)
{
	struct mysql_charset like = {.name = ""};
	struct target *target = t->state;
	struct work *w;
	bool exists;
	int x;

	if (is_users(m))
		return mysql_users_target(c, &target->rights, out, e);
	if (r->into && *r->into && target->n_works > 0)
		return err_set(e, EINVAL,
			"several databases cannot go into one; name the member that is wanted");
	if (target->n_works == ENGINE_MEMBERS_MAX)
		return err_set(e, E2BIG, "more than %d databases", ENGINE_MEMBERS_MAX);
	w = calloc(1, sizeof(*w));
	if (!w)
		abort();
	target->works[target->n_works++] = w;
	w->counts = m->counts;
	final_name(w->name, c, r, m->title);
	(void)str_copy(w->work, sizeof(w->work), w->name);
	x = prepare(c, target, w, &like, &exists, e);
	w->direct = x == 0 && exists;
	return x < 0 ? x : mysql_load_new(c, w->work, &like, exists, &w->created, out, e);
}

static void warn(
	const struct engine_call *c, const char *what, const char *database, const struct err *why)
{
	struct err text;

	(void)err_set(&text, EINVAL, "%s %s: %.300s", what, database, why->msg);
	if (c->warn)
		c->warn(c->user, text.msg);
}

static void compare(const struct engine_call *c, const struct work *w)
{
	struct counts have;
	struct err why;

	if (w->counts.n_items > 0 && (mysql_count(c, w->work, &have, &why) < 0 ||
					     counts_compare(&w->counts, &have, &why) < 0))
		warn(c, "restored, but not the same numbers as at the backup:", w->name, &why);
}

static int swap_all(const struct engine_call *c, const struct target *t, struct err *e)
{
	size_t done = 0;
	struct err why;
	int r = 0;

	for (; done < t->n_works && r == 0; done += r == 0) {
		struct work *w = t->works[done];

		compare(c, w);
		if (w->swaps)
			r = mysql_swap(c, w->name, w->work, t->id, &why);
		w->swapped = r == 0 || r == -EUCLEAN;
	}
	if (r == 0)
		return 0;
	if (t->n_works == 1)
		return err_set(e, -r, "%s", why.msg);
	return err_set(e, done > 0 ? EUCLEAN : -r, "%s%zu of %zu databases were restored: %.300s",
		done > 0 ? "partial: " : "", done, t->n_works, why.msg);
}

/* What was loaded and not made the real one. */
static void drop_rest(const struct engine_call *c, const struct target *t)
{
	struct err why;

	for (size_t i = 0; i < t->n_works; i++)
		if (t->works[i]->created && !t->works[i]->swapped &&
			mysql_drop(c, t->works[i]->work, &why) < 0)
			warn(c, "left over: database", t->works[i]->work, &why);
}

/* An empty database that was there was loaded directly: half of it may be in it now. */
static int check_direct(const struct target *t, struct err *e)
{
	for (size_t i = 0; i < t->n_works; i++)
		if (t->works[i]->direct)
			return err_set(e, EUCLEAN,
				"partial: database %s, which was empty, holds a part of the backup",
				t->works[i]->name);
	return 0;
}

int mysql_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e)
{
	struct target *target = t->state;
	int x = 0;

	(void)r;
	if (!target)
		return 0;
	x = ok ? swap_all(c, target, e) : check_direct(target, e);
	if (!ok || x < 0)
		drop_rest(c, target);
	else
		mysql_users_rights(c, &target->rights);
	buf_done(&target->rights);
	for (size_t i = 0; i < target->n_works; i++)
		free(target->works[i]);
	free(target);
	t->state = NULL;
	return x;
}
