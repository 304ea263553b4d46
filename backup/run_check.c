/* SPDX-License-Identifier: Apache-2.0
 *
 * For the doctor: each store, and for a job its tools, its database and its keys.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/age.h"
#include "backup/run.h"
#include "base/cleanup.h"
#include "base/str.h"

struct check {
	struct run *r;
	const char *about; /* "store offsite" */
	size_t failed;
};

static void say(void *user, const char *what, bool ok, const char *text, const char *cure)
{
	struct check *c = user;
	_cleanup_(free_p) char *whole = str_format("%s: %s", c->about, what);
	json_t *line = json_pack(
		"{s:s, s:b, s:o}", "what", whole, "ok", ok, "text", report_text(text ? text : ""));

	if (cure)
		json_object_set_new(line, "cure", report_text(cure));
	report_line(c->r->report, "check", line);
	c->failed += !ok;
}

static void check_stores(struct check *c)
{
	struct run *r = c->r;

	for (struct run_store *s = r->stores; s < r->stores + r->n_stores; s++) {
		_cleanup_(free_p) char *about = str_format("store %s", s->name);
		struct err e = s->error;

		c->about = about;
		if (s->failed || s->store->ops->check(s->store, say, c, &e) < 0)
			say(c, "settings", false, e.msg, "see stores in agent.conf(5)");
	}
}

/* One word of engine->tools: "a|b" is either. */
static bool has_one_of(struct run *r, const char *word, size_t n)
{
	_cleanup_(free_p) char *names = str_ndup(word, n);
	char *rest = names, *name;

	while ((name = strsep(&rest, "|")))
		if (*name && place_has(r->place, name))
			return true;
	return false;
}

/* The package of Debian and Ubuntu with the first of "a|b". */
static const char *package_of(const char *word)
{
	static const struct {
		const char *tool, *package;
	} packages[] = {{"mariadb", "mariadb-client"}, {"mongo", "mongodb-database-tools"},
		{"mysql", "default-mysql-client"}, {"pg_", "postgresql-client"},
		{"psql", "postgresql-client"}, {"redis-cli", "redis-tools"},
		{"redis-server", "redis-server"}, {"sqlite3", "sqlite3"}};

	for (size_t i = 0; i < ARRAY_LEN(packages); i++)
		if (str_starts(word, packages[i].tool))
			return packages[i].package;
	return NULL;
}

static void say_missing(struct check *c, const char *what, const char *missing, const char *package)
{
	const struct place *place = c->r->place;
	_cleanup_(free_p) char *text = str_format("missing on %s: %s", place_title(place), missing);
	const char *where = place_is_host(place)
				    ? "; or set container, to use those beside the database"
				    : ", in the image of that container";
	_cleanup_(free_p) char *cure = package ? str_format("apt install %s%s", package, where)
					       : str_format("install them%s", where);

	say(c, what, false, text, cure);
}

static void check_tools(struct check *c, const char *what, const char *tools)
{
	_cleanup_(buf_done) struct buf missing = BUF_INIT(500);
	const char *package = NULL;
	struct run *r = c->r;

	for (const char *p = tools ? tools : ""; *p;) {
		size_t n = strcspn(p, " ");

		if (n && !has_one_of(r, p, n)) {
			buf_addf(&missing, "%s%.*s", missing.len ? ", " : "", (int)n, p);
			package = package ? package : package_of(p);
		}
		p += n + (p[n] == ' ');
	}
	if (missing.len)
		say_missing(c, what, buf_str(&missing), package);
	else if (tools && *tools)
		say(c, what, true, tools, NULL);
}

static void check_database(struct check *c)
{
	struct engine_info info = {.size_bytes = 0};
	_cleanup_(buf_done) struct buf text = BUF_INIT(1000);
	struct run *r = c->r;
	struct err e = {""};

	if (r->engine->probe(&r->call, &info, &e) < 0) {
		say(c, "probe", false, e.msg, "see databases in agent.conf(5)");
		return;
	}
	buf_addf(&text, "%s%s%s%s%zu to back up", info.server_version,
		*info.server_version ? ", " : "", info.tool_version, *info.tool_version ? ", " : "",
		info.n_members);
	say(c, "probe", info.n_members > 0, buf_str(&text),
		info.n_members ? NULL : "there is nothing to back up");
	free(info.members);
}

static void check_secret(struct check *c, const char *what, const char *source,
	int (*check)(const char *text, struct err *e))
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(RUN_SECRET_MAX);
	struct err e = {""};

	if (!source)
		return;
	if (c->r->w->secret_read(source, &b, &e) < 0 || (check && check(buf_str(&b), &e) < 0))
		say(c, what, false, e.msg, "see the option in agent.conf(5)");
	else
		say(c, what, true, "can be read", NULL);
	if (b.data)
		explicit_bzero(b.data, b.cap);
}

static void check_job(struct check *c)
{
	_cleanup_(free_p) char *about = str_format("backup %s", c->r->job->name);
	struct run *r = c->r;
	struct err e = {""};

	c->about = about;
	check_secret(c, "passphrase_file", r->job->passphrase_file, age_passphrase_check);
	check_secret(c, "identity_file", r->job->identity_file, NULL);
	if (run_open_engine(r, &e) < 0) {
		say(c, "place", false, e.msg, "see databases in agent.conf(5)");
		return;
	}
	check_tools(c, "tools", r->engine->tools);
	check_tools(c, "tools of a restore", r->engine->restore_tools);
	check_database(c);
}

int run_check(struct run *r, struct err *e)
{
	struct check c = {.r = r};

	/* What cannot be opened is a finding. */
	(void)(r->job ? run_open_stores(r, e) : run_open_any_stores(r, NULL, e));
	check_stores(&c);
	if (r->job)
		check_job(&c);
	return c.failed ? err_set(e, EIO, "%zu checks failed", c.failed) : 0;
}
