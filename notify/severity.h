/* SPDX-License-Identifier: Apache-2.0
 *
 * How bad something is. The order counts: a channel's `min_severity` lets everything above through.
 */
#ifndef NOTIFY_SEVERITY_H
#define NOTIFY_SEVERITY_H

#include <stdbool.h>

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };

const char *severity_name(enum severity s); /* "info", "warning", "critical" */
bool severity_from(const char *name, enum severity *out);

#endif
