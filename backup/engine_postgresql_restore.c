/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/engine_postgresql_restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/manifest.h"
#include "base/str.h"

static const char *into_of(const struct engine_restore *r)
{
	return r->into && *r->into ? r->into : NULL;
}

static void final_name(char to[PG_NAME_MAX + 1], const struct engine_call *c,
	const struct engine_restore *r, const char *title)
{
	if (into_of(r))
		(void)str_copy(to, PG_NAME_MAX + 1, into_of(r));
	else
		pg_database_name(to, c, title);
}

static int plan_one(const struct engine_call *c, const struct pg_server *s, const char *name,
	struct buf *text, bool *destructive, struct err *e)
{
	const json_t *d = pg_server_find(s, name);
	struct counts counts;
	int64_t tables;
	char size[32];
	int r;

	if (!d) {
		buf_addf(text, "database %s on %s will be made", name, place_title(c->place));
		return 0;
	}
	r = pg_count(c, name, &counts, e);
	if (r < 0)
		return r;
	tables = counts_get(&counts, "tables");
	str_human_bytes(size, sizeof(size), (double)json_integer_value(json_object_get(d, "size")));
	if (tables + counts_get(&counts, "views") + counts_get(&counts, "functions") > 0) {
		*destructive = true;
		buf_addf(text, "database %s on %s (%lld table%s, %s) will be replaced", name,
			place_title(c->place), (long long)tables, tables == 1 ? "" : "s", size);
	} else {
		buf_addf(text, "database %s on %s, which is empty, will be filled", name,
			place_title(c->place));
	}
	return 0;
}

static bool is_wanted(const struct engine_restore *r, const struct manifest_member *m)
{
	return !r->member || strcmp(r->member, m->name) == 0 || strcmp(r->member, m->title) == 0;
}

static int plan_member(const struct engine_call *c, const struct engine_restore *r,
	const struct pg_server *s, const struct manifest_member *m, struct buf *text,
	bool *destructive, struct err *e)
{
	char name[PG_NAME_MAX + 1];

	if (strcmp(m->format, format_pg_sql.name) == 0) {
		buf_addf(text, "roles that are missing on %s will be made", place_title(c->place));
		return 0;
	}
	final_name(name, c, r, m->title);
	return plan_one(c, s, name, text, destructive, e);
}

int pg_restore_plan(const struct engine_call *c, const struct engine_restore *r, struct buf *text,
	bool *destructive, struct err *e)
{
	const struct manifest *m = r->manifest;
	struct pg_server s;
	bool is_destructive = false;
	size_t n = 0;
	int x = pg_server_ask(c, &s, e);

	if (x < 0)
		return x;
	for (size_t i = 0; i < m->n_members && x == 0; i++) {
		if (!is_wanted(r, &m->members[i]))
			continue;
		buf_adds(text, n++ ? "; " : "");
		x = plan_member(c, r, &s, &m->members[i], text, &is_destructive, e);
	}
	pg_server_done(&s);
	if (x == 0)
		*destructive = is_destructive;
	return x;
}

/* Version 1.x of the archives that pg_dump of that major version writes. */
static int archive_version(int major)
{
	if (major >= 17)
		return 16;
	if (major == 16)
		return 15;
	return major >= 12 ? 14 : 13;
}

static int check_versions(const struct engine_call *c, const struct engine_restore *r,
	const struct pg_server *s, struct err *e)
{
	const char *made_by = strrchr(r->manifest->tool_version, ' ');
	int dumped = made_by ? pg_major_of_text(made_by + 1) : 0;
	int from = pg_major_of_text(r->manifest->server_version), major, x;
	char version[32];
	struct err text;

	x = pg_tool_ask(c, "pg_restore", version, &major, e);
	if (x < 0)
		return x;
	if (dumped > 0 && archive_version(major) < archive_version(dumped))
		return err_set(e, EPROTO,
			"pg_restore %s cannot read what %s made; install postgresql-client-%d or "
			"later",
			version, r->manifest->tool_version, dumped);
	if (from > pg_major(s->version_num) && c->warn) {
		(void)err_set(&text, EINVAL,
			"the backup is of version %s, the server has the older %s: it may not work",
			r->manifest->server_version, s->version);
		c->warn(c->user, text.msg);
	}
	return 0;
}

int pg_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e)
{
	struct pg_target *target;
	struct pg_server s;
	int x = pg_server_ask(c, &s, e);

	if (x < 0)
		return x;
	x = check_versions(c, r, &s, e);
	if (x < 0) {
		pg_server_done(&s);
		return x;
	}
	target = calloc(1, sizeof(*target));
	if (!target)
		abort();
	target->server = s;
	args_random_hex(target->id);
	t->state = target;
	return 0;
}

static struct pg_work *add_work(struct pg_target *t, const struct manifest_member *m)
{
	struct pg_work *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	(void)str_copy(w->title, sizeof(w->title), m->title);
	w->counts = m->counts;
	buf_init(&w->properties, PG_PROPERTIES_MAX);
	t->works[t->n_works++] = w;
	return w;
}

/* Where it is loaded. */
static int choose_way(
	const struct engine_restore *r, const struct pg_target *t, struct pg_work *w, struct err *e)
{
	char suffix[32];

	w->existed = pg_server_find(&t->server, w->name) != NULL;
	w->in_place = !t->server.may_create;
	if (w->in_place && !w->existed)
		return err_set(e, EPERM,
			"there is no database %s, and this user may not make one; make it, or let "
			"the user: "
			"ALTER ROLE ... CREATEDB",
			w->name);
	(void)snprintf(suffix, sizeof(suffix), "_restore_%s", t->id);
	if (w->in_place || (r->is_drill && !w->existed))
		(void)str_copy(w->work, sizeof(w->work), w->name);
	else
		pg_name_with(w->work, w->name, suffix);
	return 0;
}

int pg_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e)
{
	struct pg_target *target = t->state;
	struct pg_work *w;
	int x;

	if (strcmp(m->format, format_pg_sql.name) == 0)
		return pg_globals_new(c, out, e);
	if (into_of(r) && target->n_works > 0)
		return err_set(e, EINVAL,
			"several databases cannot go into one; name the member that is wanted");
	if (target->n_works == ENGINE_MEMBERS_MAX)
		return err_set(e, E2BIG, "more than %d databases", ENGINE_MEMBERS_MAX);
	w = add_work(target, m);
	final_name(w->name, c, r, m->title);
	x = choose_way(r, target, w, e);
	return x < 0 ? x : pg_load_new(c, r, w, out, e);
}

static void free_target(struct engine_target *t)
{
	struct pg_target *target = t->state;

	for (size_t i = 0; i < target->n_works; i++) {
		buf_done(&target->works[i]->properties);
		free(target->works[i]);
	}
	pg_server_done(&target->server);
	free(target);
	t->state = NULL;
}

/* What was loaded and not made the real one. */
static int drop_rest(const struct engine_call *c, const struct pg_target *t, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < t->n_works; i++) {
		const struct pg_work *w = t->works[i];
		int x = 0;

		if (w->created && !w->swapped)
			x = pg_drop(c, w->work, t->server.version_num, e);
		if (x < 0)
			r = err_wrap(e, x, "database %s is left over", w->work);
	}
	return r;
}

static int swap_all(const struct engine_call *c, const struct pg_target *t, struct err *e)
{
	struct err why;
	size_t done = 0;
	int r = 0;

	for (; done < t->n_works && r == 0; done += r == 0)
		if (!t->works[done]->in_place &&
			strcmp(t->works[done]->work, t->works[done]->name) != 0)
			r = pg_swap(c, t, t->works[done], &why);
	if (r == 0)
		return 0;
	if (done == 0 && t->n_works == 1)
		return err_set(e, -r, "%s", why.msg);
	return err_set(e, done > 0 ? EUCLEAN : -r,
		"%s%zu of %zu databases were replaced, the others are as they were: %.300s",
		done > 0 ? "partial: " : "", done, t->n_works, why.msg);
}

int pg_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e)
{
	struct pg_target *target = t->state;
	struct err left;
	int x = 0;

	(void)r;
	if (!target)
		return 0;
	if (ok)
		x = swap_all(c, target, e);
	if ((!ok || x < 0) && drop_rest(c, target, &left) < 0 && c->warn)
		c->warn(c->user, left.msg);
	free_target(t);
	return x;
}

int pg_proof(const struct engine_call *c, const struct manifest_member *m, struct sink **out,
	struct err *e)
{
	struct place_command command;
	struct pg_tool t;
	int r;

	if (strcmp(m->format, format_pg_custom.name) != 0 || !place_has(c->place, "pg_restore")) {
		*out = NULL;
		return 0;
	}
	pg_tool_init(&t, c, "pg_restore", NULL);
	args_add(&t.argv, "--file=/dev/null");
	command = pg_tool_command(c, &t);
	r = place_target(c->place, &command, NULL, out, e);
	pg_tool_done(&t);
	return r;
}
