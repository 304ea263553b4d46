/* SPDX-License-Identifier: Apache-2.0
 *
 * Who uses most of what an alert is about: the first three containers and services by the metric of
 * theirs that stands for it (memory for host memory and swap, CPU for load, ...). Pure.
 */
#ifndef NOTIFY_CONSUMERS_H
#define NOTIFY_CONSUMERS_H

#include <stddef.h>

#include "collectors/entity.h"
#include "notify/event.h"

/* Adds the fact "Top memory: shop-web 512 MiB, mysql 210 MiB, cron 12 MiB"; nothing when the metric
 * has no consumers or none is known. */
void consumers_add_fact(
	struct event *ev, const struct registry *r, const struct entity_class *c, size_t metric);

#endif
