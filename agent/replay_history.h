/* SPDX-License-Identifier: Apache-2.0
 *
 * Stored values as the samples they once were: all archives of a file joined, each row repeated for
 * the samples it stands for. Reads RRD files; blocks.
 */
#ifndef AGENT_REPLAY_HISTORY_H
#define AGENT_REPLAY_HISTORY_H

#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "collectors/metric.h"
#include "collectors/rrd_layout.h"
#include "collectors/rrd_series.h"

/* values[i * n_metrics + m] was sampled at start + i * step_seconds; NaN: unknown. */
struct replay_history {
	time_t start;
	int64_t step_seconds;
	size_t n, n_metrics;
	double *values;
	int64_t coarsest_seconds; /* of the rows it was made from */
	time_t coarse_until; /* the end of the last row wider than a sample; 0: none */
};

/* All samples after `from` up to `to`, which is now: archives reach back from there. -ENOENT: no
 * file. -EINVAL: a metric that is not stored. -ERANGE: more than REPLAY_SAMPLES_MAX. */
enum { REPLAY_SAMPLES_MAX = 4000000 };
int replay_history_read(const char *path, const struct entity_class *c, const size_t *metrics,
	size_t n_metrics, enum rrd_consolidation how, const struct rrd_layout *layout, time_t from,
	time_t to, struct replay_history *out, struct err *e);
void replay_history_done(struct replay_history *h);

#endif
