/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/dokploy_history.h"

#include <assert.h>

#include "agent/web/dokploy_record.h"
#include "base/clock.h"

static size_t limit_of(const struct call *c)
{
	return dokploy_limit(query_get(&c->query, "limit"));
}

int dokploy_history(const struct call *c, const struct entity_class *k, const char *key,
	const char *const *names, size_t n_names, struct rrd_series *out)
{
	size_t metrics[DOKPLOY_METRICS_MAX];
	time_t now = (time_t)(clock_wall_ms() / 1000);
	int64_t span = (int64_t)(limit_of(c) + 1) * c->web->row_seconds;
	char path[RRD_NAME_MAX];

	assert(n_names <= DOKPLOY_METRICS_MAX);
	if (span > c->web->row_span_seconds - 2 * c->web->row_seconds)
		span = c->web->row_span_seconds - 2 * c->web->row_seconds;
	for (size_t i = 0; i < n_names; i++)
		metrics[i] = (size_t)metric_find(k, names[i]);
	rrd_file_name(path, sizeof(path), k, key);
	return rrd_file_fetch(path, k, metrics, n_names, now - span, now, DOKPLOY_RECORDS_MAX + 2,
		RRD_AVERAGE, out, NULL);
}

size_t dokploy_history_first(const struct call *c, const struct rrd_series *s)
{
	return s->n_points > limit_of(c) ? s->n_points - limit_of(c) : 0;
}
