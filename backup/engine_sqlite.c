/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite: one file. On this host, also within a volume, it is copied by the library; in a container by its sqlite3 program.
 */
#include "backup/engine_sqlite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/sqlite_db.h"
#include "backup/stop.h"
#include "base/str.h"

static int check_job(const struct job *j, struct err *e)
{
	if (!j->path)
		return err_set(e, EINVAL, "path: engine sqlite needs it");
	if (*j->path != '/')
		return err_set(e, EINVAL,
			"path: it must begin with a slash; within a volume that is the volume's "
			"own folder");
	if (j->container && j->volume)
		return err_set(e, EINVAL,
			"container: with volume the file is read from the volume; leave one out");
	if (j->database.n)
		return err_set(e, EINVAL, "database: engine sqlite has none, only path");
	if (j->host || j->socket || j->port)
		return err_set(e, EINVAL, "%s: engine sqlite has no server",
			j->host     ? "host"
			: j->socket ? "socket"
				    : "port");
	return 0;
}

static bool is_in_container(const struct engine_call *c)
{
	return c->job->container && !c->job->volume;
}

static void add_member(const struct engine_call *c, struct engine_info *out)
{
	const char *slash = strrchr(c->job->path, '/');

	out->members = calloc(1, sizeof(*out->members));
	if (!out->members)
		abort();
	(void)str_copy(out->members[0].title, sizeof(out->members[0].title),
		slash ? slash + 1 : c->job->path);
	out->members[0].format = &format_sqlite;
	out->n_members = 1;
}

static int probe_file(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	struct sqlite_file f;
	struct sqlite_facts facts;
	int r = sqlite_file_find(c, NULL, &f, e);

	if (r < 0)
		return r;
	r = sqlite_db_look(f.path, &facts, e);
	sqlite_file_done(&f);
	if (r < 0)
		return r;
	if (facts.tables == 0 && c->warn)
		c->warn(c->user, "the database has no table");
	out->size_bytes = facts.bytes;
	(void)str_copy(out->server_version, sizeof(out->server_version), facts.version);
	return 0;
}

static int probe(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	int r = is_in_container(c) ? sqlite_container_probe(c, out, e) : probe_file(c, out, e);

	if (r == 0)
		add_member(c, out);
	return r;
}

/* While a dump runs its own snapshot counts (dumped()); this is for a drill, whose file nobody else has. */
static int count(const struct engine_call *c, const struct engine_member *m, struct counts *out,
	struct err *e)
{
	(void)c;
	if (*m->title == '/')
		return sqlite_db_count(m->title, out, e);
	return 0;
}

struct copy {
	struct source source;
	int fd;
	int64_t left;
	struct counts counts;
};

static int copy_fd(struct source *s)
{
	(void)s;
	return -1;
}

static ssize_t copy_read(struct source *s, void *to, size_t n, struct err *e)
{
	struct copy *f = (struct copy *)s;
	int stopped = stop_check(e);
	ssize_t r;

	if (stopped < 0)
		return stopped;
	do
		r = read(f->fd, to, n);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, "read the copy of the database");
	f->left -= r;
	return r;
}

static int copy_finish(struct source *s, struct err *e)
{
	const struct copy *f = (struct copy *)s;

	if (f->left != 0)
		return err_set(
			e, EIO, "the copy of the database ended %" PRId64 " bytes early", f->left);
	return 0;
}

static void copy_free(struct source *s)
{
	struct copy *f = (struct copy *)s;

	close_p(&f->fd);
	free(f);
}

static int dump_file(const struct engine_call *c, struct source **out, struct err *e)
{
	static const struct source_ops ops = {copy_fd, copy_read, copy_finish, copy_free};
	struct counts counts = {.n_items = 0};
	struct sqlite_file f;
	struct copy *copy;
	int64_t bytes = 0;
	int r = sqlite_file_find(c, NULL, &f, e), fd;

	if (r < 0)
		return r;
	fd = sqlite_db_snapshot(f.path, c->state_dir, &bytes, &counts, e);
	sqlite_file_done(&f);
	if (fd < 0)
		return fd;
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		abort();
	*copy = (struct copy){.source.ops = &ops, .fd = fd, .left = bytes, .counts = counts};
	*out = &copy->source;
	return 0;
}

static int dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e)
{
	(void)m;
	return is_in_container(c) ? sqlite_container_dump(c, out, e) : dump_file(c, out, e);
}

static void dumped(const struct engine_call *c, struct source *s, struct counts *out)
{
	if (is_in_container(c))
		sqlite_container_dumped(s, out);
	else
		*out = ((struct copy *)s)->counts;
}

const struct engine engine_sqlite = {
	.name = "sqlite",
	.doc = "One SQLite database as a file, as it was at one moment.",
	.tools = "",
	.restore_tools = "",
	.check_job = check_job,
	.probe = probe,
	.count = count,
	.dump = dump,
	.dumped = dumped,
	.restore_plan = sqlite_restore_plan,
	.restore_begin = sqlite_restore_begin,
	.restore_member = sqlite_restore_member,
	.restore_end = sqlite_restore_end,
	.is_atomic = true,
	.drill_begin = sqlite_drill_begin,
	.drill_end = sqlite_drill_end,
	.proof = sqlite_proof,
};
