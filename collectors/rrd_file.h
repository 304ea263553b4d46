/* SPDX-License-Identifier: Apache-2.0
 *
 * One RRD file: the only place that includes <rrd.h>. Files are ordinary RRD files (rrdcreate(1)),
 * readable by every RRD tool. Data sources are GAUGE: rates are computed before, over the true
 * interval, and samples are stamped on whole steps, so what is stored is exactly what was measured.
 * Only the thread-safe _r calls of librrd are used.
 */
#ifndef COLLECTORS_RRD_FILE_H
#define COLLECTORS_RRD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "collectors/metric.h"
#include "collectors/rrd_layout.h"
#include "collectors/rrd_series.h"

/* Makes the file aside and renames it into place. `from` NULL: empty, beginning at `start`. Else
 * the data of that file is carried over (new data sources empty, data after `start` left out).
 * The pages are written out and dropped from the cache once, or each later update would dirty
 * whole large folios. Blocks for some milliseconds. -ENOSPC, -EROFS, -EIO. */
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

/* Writes rows of one class; keeps the text librrd wants, so that a sample allocates nothing. */
struct rrd_writer {
	const struct entity_class *class;
	struct buf template; /* "cpu_used:cpu_user:..." */
	struct buf row;
};
void rrd_writer_init(struct rrd_writer *w, const struct entity_class *c);
void rrd_writer_done(struct rrd_writer *w);

/* One row: values[i] belongs to the metric i of the class; those that are not stored are
 * skipped. -ERANGE: `when` is not after the last update. -EBADMSG: the file is broken. -ENOENT,
 * -ENOSPC, -EROFS, -EACCES, -EMFILE. */
int rrd_file_update(
	struct rrd_writer *w, const char *path, time_t when, const double *values, struct err *e);

/* Values of some metrics between from and to, at most max_points (2 to 10000) of them: the
 * finest archive that reaches back to `from` is read and, where it gives more points, merged
 * into groups (average or maximum of the known ones). -ENOENT, -EINVAL (a metric that is not
 * stored), -EBADMSG. */
int rrd_file_fetch(const char *path, const struct entity_class *c, const size_t *metrics,
	size_t n_metrics, time_t from, time_t to, size_t max_points, enum rrd_consolidation how,
	struct rrd_series *out, struct err *e);

/* Of librrd, as it runs here. */
const char *rrd_library_version(void);

#endif
