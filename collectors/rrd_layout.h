/* SPDX-License-Identifier: Apache-2.0
 *
 * What RRD files hold and where they lie: archives in words ("20s for 2d") and file names. Pure.
 */
#ifndef COLLECTORS_RRD_LAYOUT_H
#define COLLECTORS_RRD_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "collectors/metric.h"

enum { RRD_ARCHIVES_MAX = 8 };

/* "20s for 2d": one row each 20 s, kept for 2 days. Rows wider than the step keep average and
 * maximum. */
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

/* Path of an entity's file below the rrd folder: "container/shop-web.rrd". Unsafe bytes are
 * written %XX; a name too long for a file is cut and given a hash. At least RRD_NAME_MAX bytes. */
enum { RRD_NAME_MAX = 300 };
void rrd_file_name(char *to, size_t size, const struct entity_class *c, const char *key);

#endif
