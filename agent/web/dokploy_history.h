/* SPDX-License-Identifier: Apache-2.0
 *
 * What Dokploy's records are made of: the newest rows of an entity's history.
 */
#ifndef AGENT_WEB_DOKPLOY_HISTORY_H
#define AGENT_WEB_DOKPLOY_HISTORY_H

#include "agent/web/call.h"
#include "collectors/rrd_file.h"

enum { DOKPLOY_METRICS_MAX = 8 };

/* As many rows as the call's `limit` asks for, of the finest archive, newest last. `names`: the
 * metrics. 0 or a negative errno. */
int dokploy_history(const struct call *c, const struct entity_class *k, const char *key,
	const char *const *names, size_t n_names, struct rrd_series *out);
/* The first of the newest `limit` rows. */
size_t dokploy_history_first(const struct call *c, const struct rrd_series *s);

#endif
