/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /metrics: the apps that are deployed. What is not known of an app is left out, so one that was never deployed has no time of
 * success. Pure.
 */
#ifndef AGENT_WEB_PROMETHEUS_DEPLOYS_H
#define AGENT_WEB_PROMETHEUS_DEPLOYS_H

#include <jansson.h>

#include "agent/web/deploy_counts.h"
#include "base/buf.h"

/* `apps`: the array of the same name in an answer to `deploy.apps` (agent/CONTROL.md), or NULL. */
void prometheus_deploys_write(
	struct buf *b, const json_t *apps, const struct deploy_counts *counts);

#endif
