/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "collectors/rrd_file.h"

enum { CLASSES_MAX = 16, PATH_SIZE = 4096 };

/* The store's side of an entity. */
struct stored {
	struct entity *entity;
	bool ready; /* the file is there and can be updated */
	bool waiting; /* in the queue of store_work() */
	time_t last; /* of the file */
	time_t retry_at; /* after a failure: not before */
	unsigned rows_seen;
	/* Rows not written yet, oldest first; freed once the file is ready. */
	double *pending;
	time_t *pending_when;
	size_t n_pending;
	struct stored *next_waiting;
};

struct store {
	char *folder;
	struct rrd_layout layout;
	struct problems *problems;
	struct catalogue *catalogue;
	struct rrd_writer writers[CLASSES_MAX];
	struct stored *first_waiting, **last_waiting;
	bool full;
	time_t now;
	uint64_t rows_written;
};

int store_new(const char *folder, const struct rrd_layout *layout, struct problems *problems,
	struct catalogue *catalogue, struct store **out, struct err *e)
{
	struct store *s;
	int r = fs_mkdirs(folder, 0755, e);

	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->folder = str_dup(folder);
	s->layout = *layout;
	s->problems = problems;
	s->catalogue = catalogue;
	s->last_waiting = &s->first_waiting;
	for (size_t i = 0; entity_classes[i]; i++)
		rrd_writer_init(&s->writers[i], entity_classes[i]);
	*out = s;
	return 0;
}

static void forget_pending(struct stored *f)
{
	free(f->pending);
	free(f->pending_when);
	f->pending = NULL;
	f->pending_when = NULL;
	f->n_pending = 0;
}

static void unqueue(struct store *s, struct stored *f)
{
	struct stored **at = &s->first_waiting;

	while (*at && *at != f)
		at = &(*at)->next_waiting;
	if (!*at)
		return;
	*at = f->next_waiting;
	if (s->last_waiting == &f->next_waiting)
		s->last_waiting = at;
	f->waiting = false;
}

static void forget(struct store *s, struct entity *e)
{
	struct stored *f = e->owner;

	if (!f)
		return;
	unqueue(s, f);
	forget_pending(f);
	free(f);
	e->owner = NULL;
}

void store_close(struct store *s, struct registry *r)
{
	if (!s)
		return;
	for (struct entity *e = registry_first(r); e; e = e->next)
		forget(s, e);
	for (size_t i = 0; entity_classes[i]; i++)
		rrd_writer_done(&s->writers[i]);
	free(s->folder);
	free(s);
}

static void queue(struct store *s, struct stored *f)
{
	if (f->waiting)
		return;
	f->waiting = true;
	f->next_waiting = NULL;
	*s->last_waiting = f;
	s->last_waiting = &f->next_waiting;
}

static void path_of(const struct store *s, const struct entity *e, char *to)
{
	char name[RRD_NAME_MAX];

	rrd_file_name(name, sizeof(name), e->class, e->key);
	(void)snprintf(to, PATH_SIZE, "%s/%s", s->folder, name);
}

static struct rrd_writer *writer_of(struct store *s, const struct entity_class *c)
{
	size_t i = 0;

	while (entity_classes[i] != c)
		i++;
	return &s->writers[i];
}

/* Keeps a row for later; the oldest goes when there are too many. */
static void keep_row(struct stored *f, time_t when)
{
	size_t n = f->entity->class->n_metrics;

	if (!f->pending) {
		f->pending = malloc(STORE_PENDING_MAX * n * sizeof(*f->pending));
		f->pending_when = malloc(STORE_PENDING_MAX * sizeof(*f->pending_when));
		if (!f->pending || !f->pending_when)
			abort();
	}
	if (f->n_pending == STORE_PENDING_MAX) {
		f->n_pending--;
		memmove(f->pending, f->pending + n, f->n_pending * n * sizeof(*f->pending));
		memmove(f->pending_when, f->pending_when + 1,
			f->n_pending * sizeof(*f->pending_when));
	}
	memcpy(f->pending + f->n_pending * n, f->entity->values, n * sizeof(*f->pending));
	f->pending_when[f->n_pending++] = when;
}

/* A broken file is kept for the user to look at, one per entity. */
static void put_aside(struct store *s, const char *path, const struct err *why)
{
	char aside[PATH_SIZE + 16];

	(void)snprintf(aside, sizeof(aside), "%s.broken", path);
	if (rename(path, aside) < 0 && errno != ENOENT)
		(void)unlink(path);
	problem_set(s->problems, "store.broken",
		"an RRD file was broken and a new one is started; the old one is kept as %s (%s)",
		aside, why->msg);
}

/* After a failed write or check: what to do with the file. */
static void failed(struct store *s, struct stored *f, const char *path, int r, const struct err *e)
{
	f->ready = false;
	f->retry_at = 0;
	if (r == -EBADMSG) {
		put_aside(s, path, e);
	} else if (r != -ENOENT) {
		problem_set(s->problems, "store.write", "history cannot be written: %s", e->msg);
		f->retry_at = s->now + 60;
	}
}

static bool write_row(struct store *s, struct stored *f, time_t when, const double *values)
{
	char path[PATH_SIZE];
	struct err e;
	int r;

	if (when <= f->last)
		return true;
	path_of(s, f->entity, path);
	r = rrd_file_update(writer_of(s, f->entity->class), path, when, values, &e);
	if (r == -ERANGE)
		return true; /* somebody else's clock was ahead: the row is older than the file */
	if (r < 0) {
		failed(s, f, path, r, &e);
		return false;
	}
	f->last = when;
	s->rows_written++;
	return true;
}

/* Writes what waited, oldest first; what cannot be written now stays. */
static void write_pending(struct store *s, struct stored *f)
{
	size_t n = f->entity->class->n_metrics;
	size_t done = 0;

	while (done < f->n_pending && write_row(s, f, f->pending_when[done], f->pending + done * n))
		done++;
	if (f->ready) {
		forget_pending(f);
		return;
	}
	f->n_pending -= done;
	memmove(f->pending, f->pending + done * n, f->n_pending * n * sizeof(*f->pending));
	memmove(f->pending_when, f->pending_when + done, f->n_pending * sizeof(*f->pending_when));
}

static bool is_due(const struct store *s, const struct stored *f)
{
	return s->now >= f->retry_at &&
	       (f->rows_seen >= STORE_FIRST_ROWS || f->entity->first_seen <= 1 || f->last);
}

static void take(struct store *s, struct entity *e, time_t when)
{
	struct stored *f = e->owner;

	if (!f) {
		f = e->owner = calloc(1, sizeof(*f));
		if (!f)
			abort();
		f->entity = e;
	}
	f->rows_seen++;
	/* The file is ahead of the clock, which the clock guard has confirmed: what lies ahead
	 * never was. */
	if (f->ready && when < f->last)
		f->ready = false;
	if (f->ready && !s->full && f->n_pending)
		write_pending(s, f);
	if (f->ready && !s->full && write_row(s, f, when, e->values))
		return;
	keep_row(f, when);
	if (!s->full && is_due(s, f))
		queue(s, f);
}

static void check_space(struct store *s)
{
	struct statvfs v;

	if (statvfs(s->folder, &v) < 0) {
		problem_set(s->problems, "store.write", "history cannot be written: %s: %s",
			s->folder, err_text(errno));
		s->full = true;
		return;
	}
	s->full = (uint64_t)v.f_bfree * v.f_frsize < STORE_FREE_MIN_BYTES;
	if (s->full)
		problem_set(s->problems, "store.full",
			"the disk of %s is full: charts have a gap until there is space again",
			s->folder);
	else
		problem_clear(s->problems, "store.full");
}

void store_sample(struct store *s, struct registry *r, time_t when)
{
	uint64_t before = s->rows_written;

	s->now = when;
	check_space(s);
	for (struct entity *e = registry_first(r); e; e = e->next)
		if (e->read_ns && !e->passing)
			take(s, e, when);
	if (s->rows_written > before)
		problem_clear(s->problems, "store.write");
}

/* Makes the file fit: new, grown by new data sources, or cut at the present when the clock went
 * back. */
static int prepare(struct store *s, struct stored *f, const char *path, struct err *e)
{
	const struct entity_class *c = f->entity->class;
	time_t first = f->n_pending ? f->pending_when[0] : s->now;
	time_t start = first - s->layout.step_seconds;
	int r = rrd_file_check(path, c, &s->layout, &f->last, e);

	if (r == -ENOENT) {
		f->last = 0;
		r = rrd_file_create(path, c, &s->layout, start, NULL, e);
	} else if (r >= 0 && f->last > s->now) {
		r = rrd_file_create(path, c, &s->layout, start, path, e);
		f->last = r < 0 ? f->last : start;
	} else if (r == RRD_FILE_OUTDATED) {
		r = rrd_file_create(path, c, &s->layout, f->last, path, e);
	}
	return r < 0 ? r : 0;
}

bool store_work(struct store *s)
{
	struct stored *f = s->first_waiting;
	char path[PATH_SIZE];
	struct err e;
	int r;

	if (!f || s->full)
		return false;
	unqueue(s, f);
	path_of(s, f->entity, path);
	r = prepare(s, f, path, &e);
	if (r < 0) {
		failed(s, f, path, r, &e);
		if (r == -EBADMSG)
			queue(s, f);
	} else {
		f->ready = true;
		write_pending(s, f);
		r = catalogue_seen(s->catalogue, f->entity->class, f->entity->key, s->now, &e);
		if (r < 0)
			problem_set(s->problems, "store.catalogue", "%s", e.msg);
	}
	return s->first_waiting != NULL;
}

void store_gone(struct store *s, struct entity *entity, time_t now)
{
	const struct stored *f = entity->owner;
	struct err e;

	if (f && f->ready && catalogue_seen(s->catalogue, entity->class, entity->key, now, &e) < 0)
		problem_set(s->problems, "store.catalogue", "%s", e.msg);
	forget(s, entity);
}
