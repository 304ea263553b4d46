/* SPDX-License-Identifier: Apache-2.0
 *
 * One RRD file: the only place that includes <rrd.h>. Files are ordinary RRD files (rrdcreate(1)), readable by every
 * RRD tool. Data sources are GAUGE: rates are computed before, over the true interval, and samples are stamped
 * on whole steps, so what is stored is exactly what was measured. Only the thread-safe _r calls of librrd are used.
 */
#ifndef COLLECTORS_RRD_FILE_H
#define COLLECTORS_RRD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "collectors/metric.h"

enum { RRD_ARCHIVES_MAX = 8 };

/* "20s for 2d": one row each 20 s, kept for 2 days. Rows wider than the step keep average and maximum. */
struct rrd_archive {
	int64_t row_seconds;
	int64_t span_seconds;
};

struct rrd_layout {
	int64_t step_seconds;
	struct rrd_archive archives[RRD_ARCHIVES_MAX];
	size_t n_archives;
};

/* Reads "ROW for SPAN". Both are durations of whole seconds, the row a multiple of the step. */
int rrd_archive_parse(
	const char *text, int64_t step_seconds, struct rrd_archive *out, struct err *e);
int64_t rrd_layout_longest_seconds(const struct rrd_layout *l);

/* Makes the file aside and renames it into place. `from` NULL: empty, beginning at `start`. Else the data of that file is carried over
 * (new data sources empty, data after `start` left out). The pages are written out and dropped from the cache once, or each later update
 * would dirty whole large folios. Blocks for some milliseconds. -ENOSPC, -EROFS, -EIO. */
int rrd_file_create(const char *path, const struct entity_class *c, const struct rrd_layout *l,
	time_t start, const char *from, struct err *e);

/* What rrd_file_check() finds. */
enum {
	RRD_FILE_OK = 0,
	RRD_FILE_OUTDATED =
		1, /* whole, but without some data source or archive: rrd_file_create(from) */
};
/* -ENOENT; -EBADMSG: not a whole RRD file. *out_last: time of the last update. */
int rrd_file_check(const char *path, const struct entity_class *c, const struct rrd_layout *l,
	time_t *out_last, struct err *e);

/* One row: values[i] belongs to the metric i of the class; those that are not stored are skipped. -ERANGE: `when` is not after the last
 * update. -EBADMSG: the file is broken. */
int rrd_file_update(const char *path, const struct entity_class *c, time_t when,
	const double *values, struct err *e);

enum rrd_consolidation { RRD_AVERAGE, RRD_MAXIMUM };

struct rrd_series {
	time_t start; /* time of the first value: the end of its interval */
	int64_t step_seconds;
	size_t n_points;
	size_t n_metrics;
	double *values; /* [point * n_metrics + metric]; NaN unknown; freed by rrd_series_done() */
};

/* Values of some metrics between from and to, at most max_points (1 to 10000) of them: the finest archive that reaches back to
 * `from` is read and, where it gives more points, merged into groups (average or maximum of the known ones). -ENOENT, -EINVAL (a metric
 * that is not stored), -EBADMSG. */
int rrd_file_fetch(const char *path, const struct entity_class *c, const size_t *metrics,
	size_t n_metrics, time_t from, time_t to, size_t max_points, enum rrd_consolidation how,
	struct rrd_series *out, struct err *e);
void rrd_series_done(struct rrd_series *s);

/* Path of an entity's file below the rrd folder: "container/shop-web.rrd". Unsafe bytes are written %XX; a name too long for
 * a file is cut and given a hash. At least RRD_NAME_MAX bytes. */
enum { RRD_NAME_MAX = 300 };
void rrd_file_name(char *to, size_t size, const struct entity_class *c, const char *key);

#endif
