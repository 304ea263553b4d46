/* SPDX-License-Identifier: Apache-2.0
 *
 * What the collectors of this server share: the one entity `host` that most of them fill.
 */
#ifndef COLLECTORS_HOST_H
#define COLLECTORS_HOST_H

#include "collectors/collector.h"

/* The host, with the read time set to that of the calling collector. NULL when the registry is
 * full. */
struct entity *host_entity(const struct collect_ctx *ctx);

/* True in the sample that made the entity: the time to set labels that never change. */
bool entity_is_new(const struct collect_ctx *ctx, const struct entity *e);

/* Hands in what is known; NaN is left out. */
void gauge_if_known(struct entity *e, size_t metric, double v);
void counter_if_known(struct entity *e, size_t metric, double total);
/* Adds what is known; a sum stays NaN until one part of it is known. */
void sum_known(double *sum, double v);

#endif
