/* SPDX-License-Identifier: Apache-2.0
 *
 * MongoDB by mongodump's archive: one member per database that the job names, or one of the whole server. What was in it is
 * counted in the archive as it goes by, because there is no tool to ask.
 */
#include "backup/engine_mongodb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/mongo_archive.h"
#include "base/str.h"

/* These would send the archive elsewhere, keep back what went wrong, or put into it what a restore does not take out. */
static const char *const refused[] = {"--archive", "--out", "-o", "--gzip", "--config",
	"--password", "-p", "--uri", "--quiet", "--db", "-d", "--dumpDbUsersAndRoles", NULL};

static int check_job(const struct job *j, struct err *e)
{
	int r = engine_check_server_job(j, e);

	if (r < 0)
		return r;
	if (j->host && strstr(j->host, "://") && strchr(j->host, '@'))
		return err_set(e, EINVAL, "host: put who logs in into user and password_file");
	if (j->password_file && !j->user && !j->container)
		return err_set(e, EINVAL, "user: password_file needs it");
	return engine_check_arguments(j, refused, e);
}

/* A dump of nothing, to see whether the server lets this user in. */
static int try_connection(const struct engine_call *c, struct err *e)
{
	const char *database = c->job->database.n ? c->job->database.items[0] : "admin";
	struct place_command command;
	struct mongo_tool t;
	int r;

	mongo_tool_init(&t, c, "mongodump");
	args_add(&t.argv, "--archive");
	args_addf(&t.argv, "--db=%s", database);
	args_add(&t.argv, "--collection=agent_probe");
	command = mongo_tool_command(c, &t);
	r = place_run(c->place, &command, PLACE_DEADLINE_MS, NULL, e);
	mongo_tool_done(&t);
	return mongo_add_cure(e, r);
}

static void add_members(const struct engine_call *c, struct engine_info *out)
{
	const struct job_list *named = &c->job->database;

	out->n_members = named->n ? named->n : 1;
	out->members = calloc(out->n_members, sizeof(*out->members));
	if (!out->members)
		abort();
	for (size_t i = 0; i < out->n_members; i++) {
		struct engine_member *m = &out->members[i];

		(void)str_copy(m->title, sizeof(m->title), named->n ? named->items[i] : MONGO_ALL);
		m->format = &format_mongo_archive;
	}
}

static int probe(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	struct engine_info info = {.server_version = ""};
	char version[64];
	int r = mongo_tool_ask(c, "mongodump", version, e);

	if (r == 0)
		r = try_connection(c, e);
	if (r < 0)
		return r;
	(void)snprintf(info.tool_version, sizeof(info.tool_version), "mongodump %s", version);
	add_members(c, &info);
	*out = info;
	return 0;
}

struct dump {
	struct source source;
	struct source *tool;
	struct mongo_archive *archive;
	char title[256];
};

static int dump_fd(struct source *s)
{
	return source_fd(((struct dump *)s)->tool);
}

static ssize_t dump_read(struct source *s, void *to, size_t n, struct err *e)
{
	struct dump *d = (struct dump *)s;
	ssize_t got = source_read(d->tool, to, n, e);
	int r = got > 0 ? sink_write(mongo_archive_sink(d->archive), to, (size_t)got, e) : 0;

	return r < 0 ? r : got;
}

/* mongodump is content with a database that is not there. */
static int dump_finish(struct source *s, struct err *e)
{
	struct dump *d = (struct dump *)s;
	int r = mongo_add_cure(e, source_finish(d->tool, e));

	if (r == 0 && mongo_archive_is_announced(d->archive) &&
		mongo_archive_collections(d->archive) == 0)
		r = err_set(e, ENODATA,
			"there is no collection in it that this user can see: is there such a "
			"database?");
	return r;
}

static void dump_free(struct source *s)
{
	struct dump *d = (struct dump *)s;

	source_free(d->tool);
	sink_free(mongo_archive_sink(d->archive));
	free(d);
}

static int start_tool(
	const struct engine_call *c, const char *title, struct source **out, struct err *e)
{
	struct place_command command;
	struct mongo_tool t;
	int r;

	mongo_tool_init(&t, c, "mongodump");
	args_add(&t.argv, "--archive");
	if (c->job->database.n)
		args_addf(&t.argv, "--db=%s", title);
	args_add_list(&t.argv, &c->job->arguments);
	command = mongo_tool_command(c, &t);
	r = place_source(c->place, &command, out, e);
	mongo_tool_done(&t);
	return r;
}

static int dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e)
{
	static const struct source_ops ops = {dump_fd, dump_read, dump_finish, dump_free};
	struct dump *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		abort();
	d->source.ops = &ops;
	d->archive = mongo_archive_new();
	r = start_tool(c, m->title, &d->tool, e);
	if (r < 0)
		dump_free(&d->source);
	else
		*out = &d->source;
	return r;
}

static void dumped(const struct engine_call *c, struct source *s, struct counts *out)
{
	const struct dump *d = (const struct dump *)s;

	(void)c;
	counts_set(out, "collections", mongo_archive_collections(d->archive), false);
	counts_set(out, "documents", mongo_archive_documents(d->archive), false);
}

const struct engine engine_mongodb = {
	.name = "mongodb",
	.doc = "Each database, or the whole server, as mongodump's archive.",
	.tools = "mongodump",
	.restore_tools = "mongorestore",
	.default_port = 27017,
	.check_job = check_job,
	.probe = probe,
	.dump = dump,
	.dumped = dumped,
	.restore_plan = mongo_restore_plan,
	.restore_begin = mongo_restore_begin,
	.restore_member = mongo_restore_member,
	.restore_end = mongo_restore_end,
};
