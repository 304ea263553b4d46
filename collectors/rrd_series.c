/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/rrd_series.h"

#include <math.h>
#include <stdlib.h>

static int64_t group_of(int64_t t, int64_t group_seconds)
{
	return (t + group_seconds - 1) / group_seconds;
}

/* Seconds per point, so that no more than max_points groups, aligned to whole multiples, cover
 * the rows. */
static int64_t choose_group(time_t start, time_t end, int64_t step, size_t max_points)
{
	int64_t rows = (end - start) / step;
	int64_t g = (rows + (int64_t)max_points - 1) / (int64_t)max_points;

	if (g < 1)
		g = 1;
	while (group_of(end, g * step) - group_of(start + step, g * step) >= (int64_t)max_points)
		g++;
	return g * step;
}

static void merge(double *into, unsigned *n, double v, enum rrd_consolidation how)
{
	if (isnan(v))
		return;
	if (*n == 0)
		*into = v;
	else if (how == RRD_MAXIMUM)
		*into = v > *into ? v : *into;
	else
		*into += (v - *into) / (*n + 1);
	(*n)++;
}

void rrd_series_init(struct rrd_series *s, time_t start, time_t end, int64_t step_seconds,
	size_t n_metrics, size_t max_points)
{
	*s = (struct rrd_series){.n_metrics = n_metrics};
	if (end - start < step_seconds)
		return;
	s->step_seconds = choose_group(start, end, step_seconds, max_points < 2 ? 2 : max_points);
	s->start = group_of(start + step_seconds, s->step_seconds) * s->step_seconds;
	s->n_points = (size_t)(group_of(end, s->step_seconds) - s->start / s->step_seconds) + 1;
	s->values = malloc(s->n_points * n_metrics * sizeof(*s->values));
	if (!s->values)
		abort();
	for (size_t i = 0; i < s->n_points * n_metrics; i++)
		s->values[i] = NAN;
}

void rrd_series_merge(struct rrd_series *s, size_t metric, const struct rrd_column *rows,
	enum rrd_consolidation how)
{
	int64_t current = -1;
	unsigned n = 0;

	if (!s->n_points)
		return;
	for (size_t i = 0; i < rows->n_rows; i++) {
		int64_t t = rows->start + (int64_t)(i + 1) * rows->step_seconds;
		int64_t group = group_of(t, s->step_seconds) - s->start / s->step_seconds;

		if (group != current)
			n = 0;
		current = group;
		merge(&s->values[(size_t)group * s->n_metrics + metric], &n,
			rows->values[i * rows->stride], how);
	}
}

void rrd_series_done(struct rrd_series *s)
{
	free(s->values);
	*s = (struct rrd_series){0};
}
