/* SPDX-License-Identifier: Apache-2.0
 *
 * The sqlite3 program of a container copies the database into a file in the container's /tmp (VACUUM INTO: one read transaction,
 * writers in WAL mode go on), which is then read and removed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backup/engine_sqlite.h"
#include "backup/stop.h"
#include "base/str.h"

/* The copy is made before the first byte comes. */
enum { COPY_DEADLINE_MS = 3600 * 1000 };

struct container_copy {
	struct source source;
	struct source *cat;
	struct place *place;
	struct counts counts;
	char path[48];
};

/* Runs one statement; what it says, if anybody cares, is in `out`. */
static int run_sql(const struct engine_call *c, const char *path, const char *sql,
	int64_t deadline_ms, struct buf *out, struct err *e)
{
	const char *const argv[] = {"sqlite3", "-init", "/dev/null", "-batch", "-bail", "-readonly",
		"-cmd", ".timeout 60000", path, sql, NULL};
	const struct place_command command = {.argv = argv, .user = c->job->user};

	return place_run(c->place, &command, deadline_ms, out, e);
}

int sqlite_container_probe(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	_cleanup_(buf_done) struct buf said = BUF_INIT(1000);
	int64_t tables = 0, pages = 0, page = 0;
	char version[64] = "";
	int r;

	if (!place_has(c->place, "sqlite3"))
		return err_set(e, ENOENT,
			"%s has no program sqlite3: leave container out, and give the path on this "
			"host, or volume and the path within it",
			place_title(c->place));
	r = run_sql(c, c->job->path,
		"SELECT 'is', sqlite_version(), (SELECT count(*) FROM sqlite_master WHERE type = "
		"'table'), (SELECT page_count FROM pragma_page_count), (SELECT page_size FROM "
		"pragma_page_size)",
		PLACE_DEADLINE_MS, &said, e);
	if (r < 0)
		return r;
	if (sscanf(buf_str(&said), "is|%63[^|]|%" SCNd64 "|%" SCNd64 "|%" SCNd64, version, &tables,
		    &pages, &page) != 4)
		return err_set(e, EBADMSG, "sqlite3 gave an answer that is none");
	if (pages == 0)
		return err_set(e, ENODATA, "database %s is empty: 0 bytes", c->job->path);
	if (tables == 0 && c->warn)
		c->warn(c->user, "the database has no table");
	out->size_bytes = pages * page;
	(void)snprintf(out->server_version, sizeof(out->server_version), "%s", version);
	(void)snprintf(out->tool_version, sizeof(out->tool_version), "sqlite3 %s", version);
	return 0;
}

static void remove_copy(const struct container_copy *f)
{
	const char *const argv[] = {"rm", "-f", f->path, NULL};
	const struct place_command command = {.argv = argv};
	struct err e;

	/* Also when the run was asked to stop: nobody else knows of the file. */
	stop_hold(true);
	(void)place_run(f->place, &command, PLACE_DEADLINE_MS, NULL, &e);
	stop_hold(false);
}

/* Of the copy, which nobody changes: what a drill compares with. Without it there is nothing to compare, but a backup. */
static void count_copy(const struct engine_call *c, struct container_copy *f)
{
	static const char *const names[] = {"tables", "indexes", "triggers", "views"};
	_cleanup_(buf_done) struct buf said = BUF_INIT(1000);
	int64_t n[4];
	struct err e;

	if (run_sql(c, f->path,
		    "SELECT 'is', total(type = 'table'), total(type = 'index'), total(type = "
		    "'trigger'), total(type = 'view') FROM sqlite_master WHERE name NOT LIKE "
		    "'sqlite\\_%' ESCAPE '\\'",
		    PLACE_DEADLINE_MS, &said, &e) < 0 ||
		sscanf(buf_str(&said), "is|%" SCNd64 ".0|%" SCNd64 ".0|%" SCNd64 ".0|%" SCNd64 ".0",
			&n[0], &n[1], &n[2], &n[3]) != 4)
		return;
	for (size_t i = 0; i < 4; i++)
		counts_set(&f->counts, names[i], n[i], false);
}

static int copy_fd(struct source *s)
{
	return source_fd(((struct container_copy *)s)->cat);
}

static ssize_t copy_read(struct source *s, void *to, size_t n, struct err *e)
{
	return source_read(((struct container_copy *)s)->cat, to, n, e);
}

static int copy_finish(struct source *s, struct err *e)
{
	return source_finish(((struct container_copy *)s)->cat, e);
}

static void copy_free(struct source *s)
{
	struct container_copy *f = (struct container_copy *)s;

	source_free(f->cat);
	remove_copy(f);
	free(f);
}

void sqlite_container_dumped(const struct source *s, struct counts *out)
{
	*out = ((const struct container_copy *)s)->counts;
}

int sqlite_container_dump(const struct engine_call *c, struct source **out, struct err *e)
{
	static const struct source_ops ops = {copy_fd, copy_read, copy_finish, copy_free};
	struct container_copy *f = calloc(1, sizeof(*f));
	_cleanup_(free_p) char *sql = NULL;
	uint64_t random;
	int r;

	if (!f || getrandom(&random, sizeof(random), 0) != sizeof(random))
		abort();
	f->source.ops = &ops;
	f->place = c->place;
	(void)snprintf(f->path, sizeof(f->path), "/tmp/agent-%016" PRIx64 ".sqlite", random);
	sql = str_format("VACUUM INTO '%s'", f->path);
	r = run_sql(c, c->job->path, sql, COPY_DEADLINE_MS, NULL, e);
	if (r == 0) {
		count_copy(c, f);
		const char *const argv[] = {"cat", f->path, NULL};
		const struct place_command command = {.argv = argv};

		r = place_source(c->place, &command, &f->cat, e);
	}
	if (r < 0) {
		copy_free(&f->source);
		return r;
	}
	*out = &f->source;
	return 0;
}
