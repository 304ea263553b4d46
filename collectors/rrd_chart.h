/* SPDX-License-Identifier: Apache-2.0
 *
 * A picture of one metric over a stretch of time, drawn by librrd (rrdgraph(1)), for mails and chat
 * messages. Blocks for a fraction of a second and loads fonts: only in a worker process.
 */
#ifndef COLLECTORS_RRD_CHART_H
#define COLLECTORS_RRD_CHART_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "collectors/metric.h"

enum {
	RRD_CHART_MIN = 100, /* pixels, width and height */
	RRD_CHART_MAX = 2000,
	RRD_CHART_BYTES_MAX = 1024 * 1024,
	RRD_CHART_MARKS_MAX = 20,
};

struct rrd_chart {
	const char *path; /* of the RRD file */
	const struct entity_class *class;
	size_t metric; /* one that is stored */
	const char *title; /* plain text */
	time_t from, to;
	double limit; /* a line across; NaN: none */
	time_t marks[RRD_CHART_MARKS_MAX]; /* lines from top to bottom: deploys */
	size_t n_marks;
	int width, height; /* of the whole picture, pixels */
	bool svg; /* else PNG */
	bool dark;
};

/* Adds the picture to *out. -ENOENT: no file; -EINVAL: a metric that is not stored, an empty range,
 * a size out of bounds; -EIO with librrd's words. Times on the axis are local time. */
int rrd_chart_draw(const struct rrd_chart *c, struct buf *out, struct err *e);

#endif
