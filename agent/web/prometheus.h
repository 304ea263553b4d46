/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /metrics: the values of now in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), with the names and labels of
 * node_exporter and cAdvisor as far as these measure the same. Names, help and labels come from the
 * metric tables. Unknown values are left out.
 */
#ifndef AGENT_WEB_PROMETHEUS_H
#define AGENT_WEB_PROMETHEUS_H

#include <jansson.h>
#include <stdint.h>
#include <sys/utsname.h>

#include "base/buf.h"

/* Facts that are no metric of an entity. */
struct prometheus_facts {
	const char *version;
	struct utsname uname;
	int64_t now_ms; /* wall time */
};

/* Pure. `entities`: the array of a `latest` with totals. */
void prometheus_write(struct buf *b, const json_t *entities, const struct prometheus_facts *facts);

#endif
