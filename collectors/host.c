/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/host.h"

#include <math.h>

struct entity *host_entity(const struct collect_ctx *ctx)
{
	struct entity *e = registry_get(ctx->registry, &class_host, "host");

	if (e)
		entity_read_at(e, ctx->now_ns);
	return e;
}

bool entity_is_new(const struct collect_ctx *ctx, const struct entity *e)
{
	return e->first_seen == registry_sample(ctx->registry);
}

void gauge_if_known(struct entity *e, size_t metric, double v)
{
	if (!isnan(v))
		entity_gauge(e, metric, v);
}

void counter_if_known(struct entity *e, size_t metric, double total)
{
	if (!isnan(total))
		entity_counter(e, metric, total);
}

void sum_known(double *sum, double v)
{
	if (!isnan(v))
		*sum = isnan(*sum) ? v : *sum + v;
}
