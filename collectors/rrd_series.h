/* SPDX-License-Identifier: Apache-2.0
 *
 * A stretch of history ready to be drawn: rows of an archive merged into a bounded number of
 * points. Points end at whole multiples of their step, so that the same range asked a moment later
 * gives the same points. Pure.
 */
#ifndef COLLECTORS_RRD_SERIES_H
#define COLLECTORS_RRD_SERIES_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum rrd_consolidation { RRD_AVERAGE, RRD_MAXIMUM };

struct rrd_series {
	time_t start; /* time of the first value: the end of its interval */
	int64_t step_seconds;
	size_t n_points;
	size_t n_metrics;
	double *values; /* [point * n_metrics + metric]; NaN unknown; freed by rrd_series_done() */
};

/* Makes room for the rows that end after `start` up to `end` (row width step_seconds), as at
 * most max_points (2 or more) points, all unknown. No row: no points. */
void rrd_series_init(struct rrd_series *s, time_t start, time_t end, int64_t step_seconds,
	size_t n_metrics, size_t max_points);

/* One column of rows; the first row ends at start + step_seconds. `stride` numbers lie between
 * two rows. */
struct rrd_column {
	time_t start;
	int64_t step_seconds;
	size_t n_rows;
	size_t stride;
	const double *values;
};

/* Average or maximum of the known rows of each point. The same rows rrd_series_init() was told. */
void rrd_series_merge(struct rrd_series *s, size_t metric, const struct rrd_column *rows,
	enum rrd_consolidation how);

void rrd_series_done(struct rrd_series *s);

#endif
