/* SPDX-License-Identifier: Apache-2.0
 *
 * The pieces of Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). Pure.
 */
#ifndef AGENT_WEB_PROMETHEUS_TEXT_H
#define AGENT_WEB_PROMETHEUS_TEXT_H

#include "base/buf.h"

/* The lines HELP and TYPE of a family. */
void prometheus_head(struct buf *b, const char *name, const char *doc, const char *type);
/* NAME="VALUE", escaped, with a comma before it unless `b` is empty. */
void prometheus_label(struct buf *b, const char *name, const char *value);
void prometheus_value(struct buf *b, double v);

#endif
