/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/replay_history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "collectors/rrd_file.h"

enum { POINTS_MAX = 10000 /* of one rrd_file_fetch() */ };

static void init(struct replay_history *h, time_t from, time_t to, int64_t step, size_t n_metrics)
{
	*h = (struct replay_history){
		.start = from - from % step + step,
		.step_seconds = step,
		.n_metrics = n_metrics,
		.coarsest_seconds = step,
	};
	if (to >= h->start)
		h->n = (size_t)((to - h->start) / step) + 1;
	h->values = malloc((h->n * n_metrics + 1) * sizeof(*h->values));
	if (!h->values)
		abort();
	for (size_t i = 0; i < h->n * n_metrics; i++)
		h->values[i] = NAN;
}

void replay_history_done(struct replay_history *h)
{
	free(h->values);
	h->values = NULL;
}

/* A row that ends at `end` stands for the samples in it. */
static void put_row(struct replay_history *h, time_t end, int64_t width, const double *row)
{
	time_t t = end - width + h->step_seconds;

	/* Rows narrower than a sample, or between two. */
	t += (h->start - t) % h->step_seconds;
	for (; t <= end; t += h->step_seconds) {
		size_t i = (size_t)((t - h->start) / h->step_seconds);

		if (t < h->start || i >= h->n)
			continue;
		for (size_t m = 0; m < h->n_metrics; m++)
			h->values[i * h->n_metrics + m] = row[m];
	}
}

struct source {
	const char *path;
	const struct entity_class *class;
	const size_t *metrics;
	enum rrd_consolidation how;
};

static int read_part(
	struct replay_history *h, const struct source *src, time_t from, time_t to, struct err *e)
{
	struct rrd_series s;
	int r = rrd_file_fetch(src->path, src->class, src->metrics, h->n_metrics, from, to,
		POINTS_MAX, src->how, &s, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < s.n_points; i++)
		put_row(h, s.start + (time_t)i * (time_t)s.step_seconds, s.step_seconds,
			s.values + i * h->n_metrics);
	if (s.n_points && s.step_seconds > h->step_seconds) {
		time_t last = s.start + (time_t)((s.n_points - 1) * (size_t)s.step_seconds);

		h->coarse_until = last > h->coarse_until ? last : h->coarse_until;
		if (s.step_seconds > h->coarsest_seconds)
			h->coarsest_seconds = s.step_seconds;
	}
	rrd_series_done(&s);
	return 0;
}

/* In parts that are not merged. */
static int read_archive(struct replay_history *h, const struct source *src, int64_t row,
	time_t from, time_t to, struct err *e)
{
	int r = 0;

	while (from < to && r == 0) {
		time_t end = from + (time_t)row * (POINTS_MAX - 2);

		end = end < to ? end : to;
		r = read_part(h, src, from, end, e);
		from = end;
	}
	return r;
}

/* The narrowest archive whose rows are wider than that; NULL when there is none. */
static const struct rrd_archive *next_archive(const struct rrd_layout *l, int64_t wider_than)
{
	const struct rrd_archive *best = NULL;

	for (size_t i = 0; i < l->n_archives; i++)
		if (l->archives[i].row_seconds > wider_than &&
			(!best || l->archives[i].row_seconds < best->row_seconds))
			best = &l->archives[i];
	return best;
}

int replay_history_read(const char *path, const struct entity_class *c, const size_t *metrics,
	size_t n_metrics, enum rrd_consolidation how, const struct rrd_layout *layout, time_t from,
	time_t to, struct replay_history *out, struct err *e)
{
	const struct source src = {path, c, metrics, how};
	const struct rrd_archive *a = NULL;
	struct replay_history h;
	time_t end = to;
	int r = 0;

	if (from < 1 || to <= from || (to - from) / layout->step_seconds > REPLAY_SAMPLES_MAX)
		return err_set(e, ERANGE, "the time range is empty or too long");
	init(&h, from, to, layout->step_seconds, n_metrics);
	/* The finest rows for what they reach back to, coarser ones for what is older. */
	while (r == 0 && end > from && (a = next_archive(layout, a ? a->row_seconds : 0))) {
		time_t begin = to - (time_t)a->span_seconds + 2 * (time_t)a->row_seconds;

		begin = begin > from ? begin : from;
		if (begin >= end)
			continue;
		r = read_archive(&h, &src, a->row_seconds, begin, end, e);
		end = begin;
	}
	if (r < 0) {
		replay_history_done(&h);
		return r;
	}
	*out = h;
	return 0;
}
