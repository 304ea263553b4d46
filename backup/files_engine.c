/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/files_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "backup/files_archive.h"
#include "backup/files_swap.h"
#include "backup/manifest.h"
#include "backup/pause.h"
#include "backup/pax.h"
#include "base/fs.h"
#include "base/str.h"

int files_engine_check_job(const struct job *j, struct err *e)
{
	if (j->database.n || j->command.n)
		return err_set(e, EINVAL, "%s: engine %s has none",
			j->database.n ? "database" : "command", j->engine);
	if (j->pause && !j->container)
		return err_set(e, EINVAL, "pause: which container, is missing (container)");
	return 0;
}

int files_engine_probe(const char *folder, struct engine_info *out, struct err *e)
{
	_cleanup_(close_p) int fd = fs_open_dir(AT_FDCWD, folder, e);

	if (fd < 0)
		return fd;
	out->members = calloc(1, sizeof(*out->members));
	if (!out->members)
		abort();
	(void)str_copy(out->members[0].title, sizeof(out->members[0].title), "files");
	out->members[0].format = &format_pax;
	out->n_members = 1;
	return 0;
}

/* --- dump: the walk, and the pause around it */

struct files_dump {
	struct source base;
	struct source *archive;
	struct pause *pause;
};

static struct files_dump *dump_of(struct source *s)
{
	return (struct files_dump *)(void *)s;
}

static int dump_fd(struct source *s)
{
	return source_fd(dump_of(s)->archive);
}

/* The container goes on as soon as the last file was read, not when the last byte was uploaded. */
static ssize_t dump_read(struct source *s, void *to, size_t n, struct err *e)
{
	struct files_dump *d = dump_of(s);
	int r = pause_check(d->pause, e);
	ssize_t got;

	if (r < 0)
		return r;
	got = source_read(d->archive, to, n, e);
	if (got != 0)
		return got;
	r = pause_end(d->pause, e);
	d->pause = NULL;
	return r;
}

static int dump_finish(struct source *s, struct err *e)
{
	return source_finish(dump_of(s)->archive, e);
}

static void dump_free(struct source *s)
{
	struct files_dump *d = dump_of(s);

	(void)pause_end(d->pause, NULL);
	source_free(d->archive);
	free(d);
}

static int begin_pause(const struct engine_call *c, struct pause **out, struct err *e)
{
	const struct job *j = c->job;

	if (!j->pause || !j->container)
		return 0;
	if (!c->container_socket)
		return err_set(e, ENOENT, "pause: no container engine is known here");
	return pause_begin(
		c->container_socket, j->container, c->state_dir, j->pause_max_ms, out, e);
}

int files_engine_dump(
	const struct engine_call *c, const char *folder, struct source **out, struct err *e)
{
	static const struct source_ops ops = {dump_fd, dump_read, dump_finish, dump_free};
	struct files_walk_options o = {
		.root = folder,
		.exclude = c->job->exclude.items,
		.n_exclude = c->job->exclude.n,
		.warn = c->warn,
		.user = c->user,
	};
	struct files_dump *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		abort();
	d->base.ops = &ops;
	r = files_archive_source(&o, &d->archive, e);
	if (r == 0)
		r = begin_pause(c, &d->pause, e);
	if (r < 0) {
		source_free(d->archive);
		free(d);
		return r;
	}
	*out = &d->base;
	return 0;
}

void files_engine_dumped(const struct engine_call *c, struct source *s, struct counts *out)
{
	(void)c;
	files_archive_counts(dump_of(s)->archive, out);
}

/* --- restore */

static int count_one(void *user, int dirfd, const char *name)
{
	size_t *n = user;

	(void)dirfd;
	(void)name;
	(*n)++;
	return 0;
}

int files_engine_plan(const char *folder, struct buf *text, bool *destructive, struct err *e)
{
	size_t n = 0;
	int r = fs_list(AT_FDCWD, folder, count_one, &n, e);

	*destructive = n > 0;
	if (r == -ENOENT)
		buf_addf(text, "%s will be made", folder);
	else if (r < 0)
		return r;
	else if (!n)
		buf_addf(text, "%s, which is empty, will be filled", folder);
	else
		buf_addf(text, "%s (%zu entries) will be replaced", folder, n);
	return 0;
}

int files_engine_restore_begin(
	const char *folder, const struct engine_restore *r, struct engine_target *t, struct err *e)
{
	struct files_swap *s = NULL;
	int result;

	t->state = NULL;
	if (r->is_drill)
		return 0;
	result = files_swap_begin(folder, &s, e);
	t->state = s;
	return result;
}

/* Of a drill: reads it all, and remembers what was in it. */
struct drill_sink {
	struct sink base;
	struct sink *check;
	struct counts *counts;
};

static int drill_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	return sink_write(((struct drill_sink *)(void *)s)->check, data, n, e);
}

static int drill_finish(struct sink *s, struct err *e)
{
	struct drill_sink *d = (struct drill_sink *)(void *)s;
	int r = sink_finish(d->check, e);

	if (r == 0)
		pax_check_counts(d->check, d->counts);
	return r;
}

static void drill_free(struct sink *s)
{
	sink_free(((struct drill_sink *)(void *)s)->check);
	free(s);
}

static int drill_member(const struct engine_call *c, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {drill_write, drill_finish, drill_free};
	struct drill_sink *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		abort();
	d->base.ops = &ops;
	d->counts = c->drill;
	r = pax_check_new(&d->check, e);
	*out = &d->base;
	return r;
}

int files_engine_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e)
{
	struct files_extract o = {.warn = c->warn, .user = c->user};

	if (strcmp(m->format, format_pax.name) != 0)
		return err_set(e, EPROTO, "%s: a backup of format %s is no archive of files",
			m->title, m->format);
	if (r->is_drill)
		return drill_member(c, out, e);
	o.folder = files_swap_folder(t->state);
	return files_archive_target(&o, out, e);
}

int files_engine_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e)
{
	struct files_swap *s = t->state;

	(void)c;
	(void)r;
	t->state = NULL;
	if (s && ok)
		return files_swap_commit(s, e);
	files_swap_abort(s);
	return 0;
}

/* --- drill */

int files_engine_count(const struct engine_call *c, const struct engine_member *m,
	struct counts *out, struct err *e)
{
	(void)m;
	(void)e;
	/* At the dump the archive itself is counted, while it is made. */
	if (c->drill)
		*out = *(const struct counts *)c->drill;
	return 0;
}

int files_engine_drill_begin(const struct engine_call *c, const struct manifest *m,
	struct engine_call *out, char into[128], struct engine_target *t, struct err *e)
{
	(void)m;
	(void)e;
	*out = *c;
	into[0] = '\0';
	t->state = out->drill = calloc(1, sizeof(struct counts));
	if (!t->state)
		abort();
	return 0;
}

void files_engine_drill_end(
	const struct engine_call *c, struct engine_call *drill, struct engine_target *t)
{
	(void)c;
	free(t->state);
	t->state = drill->drill = NULL;
}
