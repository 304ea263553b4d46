/* SPDX-License-Identifier: Apache-2.0
 *
 * How many deploys of each app ended in which way since this process began, counted from the daemon's news: what Prometheus
 * takes as a counter. Pure.
 */
#ifndef AGENT_WEB_DEPLOY_COUNTS_H
#define AGENT_WEB_DEPLOY_COUNTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "deploy-hooks/deploy.h"

enum {
	DEPLOY_COUNTS_APPS_MAX = 200, /* twice as many as there may be: the configuration changes */
	/* One is told of again when its verdict is there; more than that of one app do not end meanwhile. */
	DEPLOY_COUNTS_REMEMBERED = 32,
};

/* All zero: nothing counted. */
struct deploy_counts {
	struct deploy_count {
		char app[DEPLOY_NAME_SIZE];
		uint64_t ends[DEPLOY_STATES];
		int64_t last[DEPLOY_COUNTS_REMEMBERED]; /* those counted last */
		size_t next; /* the place of the next one */
	} * apps;
	size_t n;
};

/* {"event":"deploy","deploy":{..}}: counted when it has ended and was not yet. */
void deploy_counts_put(struct deploy_counts *c, const json_t *message);
uint64_t deploy_counts_get(const struct deploy_counts *c, const char *app, enum deploy_state end);
void deploy_counts_done(struct deploy_counts *c);

#endif
