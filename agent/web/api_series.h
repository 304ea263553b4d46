/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /api/v1/series: what was asked for, checked. The handler is in handlers.h.
 */
#ifndef AGENT_WEB_API_SERIES_H
#define AGENT_WEB_API_SERIES_H

#include <stdbool.h>
#include <time.h>

#include "agent/web/query.h"
#include "collectors/rrd_file.h"

enum {
	SERIES_ENTITIES_MAX = 200,
	SERIES_METRICS_MAX = 30,
	SERIES_POINTS_MAX = 5000,
	SERIES_POINTS_DEFAULT = 400,
	SERIES_VALUES_MAX = 400 * 1000, /* in one answer: 3 MiB of JSON */
};

struct series_entity {
	const struct entity_class *class;
	const char *text; /* "container/shop-web" */
	const char *key;
	bool has_file;
};

struct series_request {
	struct series_entity entities[SERIES_ENTITIES_MAX];
	size_t n_entities;
	char metrics[SERIES_METRICS_MAX][48];
	size_t n_metrics;
	time_t from, to;
	size_t points;
	enum rrd_consolidation how;
};

/* Pure. `span_seconds`: how far back there may be anything; earlier and future times are cut to
 * what can be. Texts in `out` are the query's. -EINVAL with a sentence for the user. */
int series_request_parse(const struct query *q, time_t now, int64_t span_seconds,
	struct series_request *out, struct err *e);

#endif
