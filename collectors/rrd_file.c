/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/rrd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <rrd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

enum {
	DEFINITION_MAX = 64, /* "DS:name:GAUGE:..." or "RRA:AVERAGE:0.5:steps:rows" */
	ARGUMENTS_MAX = 128,
};

/* Takes librrd's message; its codes say little, so the caller chooses. */
static int rrd_failed(struct err *e, int code, const char *path)
{
	int r = err_set(e, code, "%s: %s", path, rrd_get_error());

	rrd_clear_error();
	return r;
}

/* The arguments of rrd_create: data sources, then archives. A gap of one lost sample is bridged
 * (heartbeat of 2.5 steps); a row is known when half of it is. */
struct definitions {
	char text[ARGUMENTS_MAX][DEFINITION_MAX];
	const char *argv[ARGUMENTS_MAX];
	int n;
};

static void define(struct definitions *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void define(struct definitions *d, const char *fmt, ...)
{
	va_list ap;

	if (d->n == ARGUMENTS_MAX)
		abort(); /* a table of more than 100 metrics: raise the constant */
	va_start(ap, fmt);
	(void)vsnprintf(d->text[d->n], DEFINITION_MAX, fmt, ap);
	va_end(ap);
	d->argv[d->n] = d->text[d->n];
	d->n++;
}

static void define_all(
	struct definitions *d, const struct entity_class *c, const struct rrd_layout *l)
{
	d->n = 0;
	for (size_t i = 0; i < c->n_metrics; i++)
		if (c->metrics[i].ds)
			define(d, "DS:%s:GAUGE:%" PRId64 ":U:U", c->metrics[i].ds,
				l->step_seconds * 5 / 2 + 1);
	for (size_t i = 0; i < l->n_archives; i++) {
		const struct rrd_archive *a = &l->archives[i];
		int64_t steps = a->row_seconds / l->step_seconds;
		int64_t rows = a->span_seconds / a->row_seconds;

		define(d, "RRA:AVERAGE:0.5:%" PRId64 ":%" PRId64, steps, rows);
		if (steps > 1)
			define(d, "RRA:MAX:0.5:%" PRId64 ":%" PRId64, steps, rows);
	}
}

/* A file just written lies in the page cache in large folios, and a later store of 8 bytes
 * through librrd's mapping would write back a whole one (measured: 200 KiB instead of 11 per
 * update). Read back in, it comes in small pages. */
static int settle(const char *path, struct err *e)
{
	_cleanup_(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, "sync %s", path);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

static int make_folder_of(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(free_p) char *dir = slash ? str_ndup(path, (size_t)(slash - path)) : NULL;

	return dir && *dir ? fs_mkdirs(dir, 0755, e) : 0;
}

int rrd_file_create(const char *path, const struct entity_class *c, const struct rrd_layout *l,
	time_t start, const char *from, struct err *e)
{
	_cleanup_(free_p) struct definitions *d = calloc(1, sizeof(*d));
	const char *sources[] = {from, NULL};
	char aside[4096];
	int r = make_folder_of(path, e);

	if (!d)
		abort();
	if (r < 0)
		return r;
	if ((size_t)snprintf(aside, sizeof(aside), "%s.new", path) >= sizeof(aside))
		return err_set(e, ENAMETOOLONG, "path is too long: %s", path);
	define_all(d, c, l);
	(void)unlink(aside);
	rrd_clear_error();
	if (rrd_create_r2(aside, (unsigned long)l->step_seconds, start, 0, from ? sources : NULL,
		    NULL, d->n, d->argv) != 0) {
		r = rrd_failed(e, errno ? errno : EIO, aside);
		(void)unlink(aside);
		return r;
	}
	r = settle(aside, e);
	if (r == 0 && rename(aside, path) < 0)
		r = err_sys(e, "rename %s", aside);
	if (r < 0)
		(void)unlink(aside);
	return r;
}

static bool has_all_sources(rrd_info_t *info, const struct entity_class *c)
{
	for (size_t i = 0; i < c->n_metrics; i++) {
		char key[48];
		rrd_info_t *at = info;

		if (!c->metrics[i].ds)
			continue;
		(void)snprintf(key, sizeof(key), "ds[%s].index", c->metrics[i].ds);
		while (at && strcmp(at->key, key) != 0)
			at = at->next;
		if (!at)
			return false;
	}
	return true;
}

/* librrd takes garbage for a name. */
static bool has_proper_names(const rrd_info_t *info)
{
	static const char legal[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	for (; info; info = info->next) {
		size_t n;

		if (strncmp(info->key, "ds[", 3) != 0)
			continue;
		n = strspn(info->key + 3, legal);
		if (n == 0 || info->key[3 + n] != ']')
			return false;
	}
	return true;
}

static unsigned long count_of(rrd_info_t *info, const char *key)
{
	while (info && strcmp(info->key, key) != 0)
		info = info->next;
	return info ? info->value.u_cnt : 0;
}

static bool has_all_archives(rrd_info_t *info, const struct definitions *d)
{
	size_t n = 0;

	for (int i = 0; i < d->n; i++) {
		unsigned long steps, rows;
		char cf[16], key[32];

		if (sscanf(d->text[i], "RRA:%15[A-Z]:0.5:%lu:%lu", cf, &steps, &rows) != 3)
			continue;
		(void)snprintf(key, sizeof(key), "rra[%zu].rows", n);
		if (count_of(info, key) != rows)
			return false;
		(void)snprintf(key, sizeof(key), "rra[%zu].pdp_per_row", n++);
		if (count_of(info, key) != steps)
			return false;
	}
	return true;
}

int rrd_file_check(const char *path, const struct entity_class *c, const struct rrd_layout *l,
	time_t *out_last, struct err *e)
{
	_cleanup_(free_p) struct definitions *d = calloc(1, sizeof(*d));
	rrd_info_t *info;
	bool current;

	if (!d)
		abort();
	if (access(path, F_OK) < 0)
		return err_sys(e, "%s", path);
	rrd_clear_error();
	info = rrd_info_r(path);
	if (!info)
		return rrd_failed(e, EBADMSG, path);
	if (!has_proper_names(info)) {
		rrd_info_free(info);
		return err_set(e, EBADMSG, "%s: its data sources have no proper names", path);
	}
	define_all(d, c, l);
	*out_last = (time_t)count_of(info, "last_update");
	current = count_of(info, "step") == (unsigned long)l->step_seconds &&
		  has_all_sources(info, c) && has_all_archives(info, d);
	rrd_info_free(info);
	return current ? RRD_FILE_OK : RRD_FILE_OUTDATED;
}

void rrd_writer_init(struct rrd_writer *w, const struct entity_class *c)
{
	w->class = c;
	buf_init(&w->template, 8192);
	buf_init(&w->row, 8192);
	for (size_t i = 0; i < c->n_metrics; i++)
		if (c->metrics[i].ds)
			buf_addf(&w->template, w->template.len ? ":%s" : "%s", c->metrics[i].ds);
}

void rrd_writer_done(struct rrd_writer *w)
{
	buf_done(&w->template);
	buf_done(&w->row);
}

static int update_failed(const char *path, struct err *e)
{
	int code = errno;

	if (strstr(rrd_get_error(), "illegal attempt to update"))
		return rrd_failed(e, ERANGE, path);
	if (access(path, F_OK) < 0)
		return rrd_failed(e, ENOENT, path);
	if (code == ENOSPC || code == EROFS || code == EACCES || code == EMFILE || code == ENFILE)
		return rrd_failed(e, code, path);
	return rrd_failed(e, EBADMSG, path);
}

int rrd_file_update(
	struct rrd_writer *w, const char *path, time_t when, const double *values, struct err *e)
{
	const struct entity_class *c = w->class;
	const char *argv[1];

	buf_clear(&w->row);
	buf_addf(&w->row, "%" PRId64, (int64_t)when);
	for (size_t i = 0; i < c->n_metrics; i++) {
		if (!c->metrics[i].ds)
			continue;
		buf_addc(&w->row, ':');
		if (isfinite(values[i]))
			buf_add_json_number(&w->row, values[i]);
		else
			buf_addc(&w->row, 'U');
	}
	argv[0] = buf_str(&w->row);
	rrd_clear_error();
	errno = 0;
	if (rrd_update_r(path, buf_str(&w->template), 1, argv) == 0)
		return 0;
	return update_failed(path, e);
}

/* What rrd_fetch_r gave: rows of all data sources, the first one ending at start + step. */
struct fetched {
	time_t start, end;
	unsigned long step;
	unsigned long n_sources;
	char **names;
	rrd_value_t *data;
};

static void fetched_done(struct fetched *f)
{
	for (unsigned long i = 0; f->names && i < f->n_sources; i++)
		rrd_freemem(f->names[i]);
	rrd_freemem(f->names);
	rrd_freemem(f->data);
	*f = (struct fetched){0};
}

static int fetch(const char *path, const char *cf, time_t from, time_t to, unsigned long step,
	struct fetched *out, struct err *e)
{
	*out = (struct fetched){.start = from, .end = to, .step = step};
	rrd_clear_error();
	if (rrd_fetch_r(path, cf, &out->start, &out->end, &out->step, &out->n_sources, &out->names,
		    &out->data) != 0) {
		*out = (struct fetched){0};
		return rrd_failed(e, access(path, F_OK) < 0 ? ENOENT : EBADMSG, path);
	}
	return 0;
}

/* The finest archive that reaches back to `from`. Its rows are averages; the maxima of the same
 * rows lie in an archive beside it, but for the finest of all, whose rows are single samples. */
static int fetch_finest(const char *path, time_t from, time_t to, enum rrd_consolidation how,
	struct fetched *out, struct err *e)
{
	struct fetched average, maximum;
	int r = fetch(path, "AVERAGE", from, to, 1, &average, e);

	if (r < 0)
		return r;
	if (how == RRD_MAXIMUM && fetch(path, "MAX", from, to, average.step, &maximum, NULL) == 0) {
		if (maximum.step == average.step) {
			fetched_done(&average);
			average = maximum;
		} else {
			fetched_done(&maximum);
		}
	}
	*out = average;
	return 0;
}

static int find_column(const struct fetched *f, const char *ds)
{
	for (unsigned long i = 0; i < f->n_sources; i++)
		if (strcmp(f->names[i], ds) == 0)
			return (int)i;
	return -1;
}

static void fill(struct rrd_series *s, const struct fetched *f, const struct entity_class *c,
	const size_t *metrics, enum rrd_consolidation how)
{
	for (size_t i = 0; i < s->n_metrics; i++) {
		int column = find_column(f, c->metrics[metrics[i]].ds);
		struct rrd_column rows = {.start = f->start,
			.step_seconds = (int64_t)f->step,
			.n_rows = (size_t)(f->end - f->start) / f->step,
			.stride = f->n_sources,
			.values = f->data + column};

		if (column >= 0)
			rrd_series_merge(s, i, &rows, how);
	}
}

int rrd_file_fetch(const char *path, const struct entity_class *c, const size_t *metrics,
	size_t n_metrics, time_t from, time_t to, size_t max_points, enum rrd_consolidation how,
	struct rrd_series *out, struct err *e)
{
	struct fetched f;
	int r;

	for (size_t i = 0; i < n_metrics; i++)
		if (!c->metrics[metrics[i]].ds)
			return err_set(e, EINVAL, "%s.%s has no history", c->name,
				c->metrics[metrics[i]].name);
	if (from < 1 || to <= from)
		return err_set(e, EINVAL, "the time range is empty");
	r = fetch_finest(path, from, to, how, &f, e);
	if (r < 0)
		return r;
	/* librrd rounds the end up to a row that is not complete yet. */
	while (f.end > to)
		f.end -= (time_t)f.step;
	rrd_series_init(out, f.start, f.end, (int64_t)f.step, n_metrics, max_points);
	fill(out, &f, c, metrics, how);
	fetched_done(&f);
	return 0;
}

const char *rrd_library_version(void)
{
	return rrd_strversion();
}
